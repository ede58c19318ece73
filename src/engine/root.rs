//! The root of a checkpoint: where everything else of it is.

use super::bytes::{In, Out};
use super::error::Result;
use super::page::PageRef;
use super::page_codec::{REF_LEN, put_ref, take_ref};
use std::collections::BTreeMap;

/// More of anything than there can be.
pub(super) const MOST: u64 = 1 << 48;

/// What the root of a checkpoint says.
pub(super) struct Root {
    pub(super) lsn: u64,
    pub(super) next_node: u64,
    pub(super) data_backed: u64,
    pub(super) meta_backed: u64,
    pub(super) chunks: BTreeMap<u64, PageRef>,
    pub(super) jobs: Option<PageRef>,
    pub(super) data_tables: Vec<Option<PageRef>>,
    pub(super) meta_tables: Vec<Option<PageRef>>,
}

fn put_opt_ref(out: &mut Out, r: Option<&PageRef>) {
    out.flag(r.is_some());
    if let Some(r) = r {
        put_ref(out, r);
    }
}

fn take_opt_ref(input: &mut In<'_>) -> Result<Option<PageRef>> {
    Ok(if input.flag()? {
        Some(take_ref(input)?)
    } else {
        None
    })
}

impl Root {
    pub(super) fn encode(&self, len: usize) -> Vec<u8> {
        let mut out = Out(Vec::with_capacity(len));
        out.u64(self.lsn);
        out.u64(self.next_node);
        out.u64(self.data_backed);
        out.u64(self.meta_backed);
        out.u32(self.chunks.len() as u32);
        for (chunk, r) in &self.chunks {
            out.u64(*chunk);
            put_ref(&mut out, r);
        }
        put_opt_ref(&mut out, self.jobs.as_ref());
        for tables in [&self.data_tables, &self.meta_tables] {
            out.u32(tables.len() as u32);
            for table in tables {
                put_opt_ref(&mut out, table.as_ref());
            }
        }
        // Its length was fixed before all of it was known.
        out.0.resize(len.max(out.0.len()), 0);
        out.0
    }

    /// A bound of the length of what `encode` has to say.
    pub(super) fn bound(chunks: usize, tables: usize) -> usize {
        64 + chunks * (REF_LEN + 8) + (tables + 8) * (REF_LEN + 1)
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self> {
        let mut input = In::new(body, "the root of the checkpoint");
        let i = &mut input;
        let (lsn, next_node, data_backed, meta_backed) = (i.u64()?, i.u64()?, i.u64()?, i.u64()?);
        // Births have 48 bits, and so has all that is counted with them.
        if [lsn, next_node, data_backed, meta_backed]
            .iter()
            .any(|count| *count >= MOST)
        {
            return Err(i.bad("it counts further than can be counted"));
        }
        let mut chunks = BTreeMap::new();
        for _ in 0..i.u32()? {
            chunks.insert(i.u64()?, take_ref(i)?);
        }
        let jobs = take_opt_ref(i)?;
        let mut tables = || {
            (0..i.u32()?)
                .map(|_| take_opt_ref(i))
                .collect::<Result<Vec<_>>>()
        };
        let (data_tables, meta_tables) = (tables()?, tables()?);
        Ok(Self {
            lsn,
            next_node,
            data_backed,
            meta_backed,
            chunks,
            jobs,
            data_tables,
            meta_tables,
        })
    }
}
