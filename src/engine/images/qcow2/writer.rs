//! Writing a qcow2 image in one go, from its first byte to its last: what is known of the mapping
//! beforehand says where everything goes. So it can be written into a pipe, and gone on with after an
//! interruption, since a cluster's place depends on the mapping alone.
//!
//! ```text
//! header | table of counts | blocks of counts | first level | second level | data, in the disk's order
//! ```

use std::io;

use super::super::detect::QCOW2_MAGIC;
use super::super::origin::{Origin, data_runs};

/// Bits of an offset within a cluster: 64 KiB, as QEMU has it unless told otherwise.
pub(super) const CLUSTER_BITS: u32 = 16;
pub(super) const CLUSTER: u64 = 1 << CLUSTER_BITS;
/// Entries of a table.
pub(super) const ENTRIES: u64 = CLUSTER / 8;
/// What a table of the second level is about, in bytes of the disk.
pub(super) const COVERED: u64 = CLUSTER * ENTRIES;
/// Counts in a block of counts, of 16 bits each.
pub(super) const COUNTS: u64 = CLUSTER / 2;
/// The reference count of the cluster that an entry names is one.
pub(super) const COPIED: u64 = 1 << 63;
const HEADER_BYTES: u32 = 104;

/// Why an image was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// What it is made of cannot be read.
    #[error("{0}")]
    Origin(#[from] E),
    /// It cannot be written.
    #[error("{0}")]
    Output(io::Error),
}

/// Writes a piece at an offset; called with offsets that grow.
pub(super) type Put<'a> = &'a mut dyn FnMut(u64, &[u8]) -> io::Result<()>;

/// Where everything of an image goes.
#[derive(Debug)]
pub struct Writer {
    /// The size of the disk, in bytes.
    size: u64,
    /// How many clusters of data each table of the second level is about.
    tables: Vec<u32>,
    /// In clusters: the table of counts, its blocks, the table of the first level.
    counts: (u64, u64),
    l1: u64,
}

impl Writer {
    /// Bytes of a cluster.
    pub const CLUSTER: u64 = CLUSTER;

    /// Looks at the mapping of what is to be written.
    ///
    /// # Errors
    /// Those of the origin.
    pub fn new<O: Origin>(origin: &O) -> Result<Self, O::Error> {
        let size = origin.size();
        let mut tables = vec![0_u32; size.div_ceil(COVERED) as usize];
        data_runs(origin, CLUSTER, 0, &mut |offset, length| {
            let mut at = offset;
            while at < offset + length {
                let stop = (at - at % COVERED + COVERED).min(offset + length);
                if let Some(table) = tables.get_mut((at / COVERED) as usize) {
                    *table += (stop - at).div_ceil(CLUSTER) as u32;
                }
                at = stop;
            }
            Ok::<(), O::Error>(())
        })?;
        let l1 = (tables.len() as u64).div_ceil(ENTRIES).max(1);
        let mut writer = Self {
            size,
            tables,
            counts: (1, 1),
            l1,
        };
        // The counts count themselves too.
        loop {
            let blocks = writer.clusters().div_ceil(COUNTS);
            let counts = (blocks.div_ceil(ENTRIES), blocks);
            if counts == writer.counts {
                return Ok(writer);
            }
            writer.counts = counts;
        }
    }

    fn tables_used(&self) -> u64 {
        self.tables.iter().filter(|n| **n > 0).count() as u64
    }

    fn data_clusters(&self) -> u64 {
        self.tables.iter().map(|n| u64::from(*n)).sum()
    }

    fn l1_cluster(&self) -> u64 {
        1 + self.counts.0 + self.counts.1
    }

    fn first_table(&self) -> u64 {
        self.l1_cluster() + self.l1
    }

    fn first_data(&self) -> u64 {
        self.first_table() + self.tables_used()
    }

    fn clusters(&self) -> u64 {
        self.first_data() + self.data_clusters()
    }

    /// The length of the file, in bytes.
    #[must_use]
    pub fn file_length(&self) -> u64 {
        self.clusters() * CLUSTER
    }

    /// Where the data of the disk from `offset` (a whole number of clusters) on begins in the file.
    ///
    /// # Errors
    /// Those of the origin.
    pub fn data_offset<O: Origin>(&self, origin: &O, offset: u64) -> Result<u64, O::Error> {
        let table = offset / COVERED;
        let before = self.tables.iter().take(table as usize);
        let mut clusters: u64 = before.map(|n| u64::from(*n)).sum();
        // The rest of the table that it is in, and all behind it, count from the other end.
        let mut rest = 0;
        let end = ((table + 1) * COVERED).min(self.size);
        let part = Part { origin, end };
        data_runs(&part, CLUSTER, offset, &mut |_, length| {
            rest += length.div_ceil(CLUSTER);
            Ok::<(), O::Error>(())
        })?;
        let whole = self.tables.get(table as usize).copied().unwrap_or(0);
        clusters += u64::from(whole).saturating_sub(rest);
        Ok((self.first_data() + clusters) * CLUSTER)
    }

    /// Writes all that is not data.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn metadata<O: Origin>(
        &self,
        origin: &O,
        put: Put<'_>,
    ) -> Result<(), WriteError<O::Error>> {
        self.head(put).map_err(WriteError::Output)?;
        let (mut table, mut bytes) = (0, Vec::new());
        let mut place = self.first_table();
        let mut host = self.first_data();
        data_runs(origin, CLUSTER, 0, &mut |offset, length| {
            for n in 0..length.div_ceil(CLUSTER) {
                let at = offset + n * CLUSTER;
                if at / COVERED != table || bytes.is_empty() {
                    if !bytes.is_empty() {
                        put(place * CLUSTER, &bytes).map_err(WriteError::Output)?;
                        place += 1;
                    }
                    table = at / COVERED;
                    bytes.clear();
                    bytes.resize(CLUSTER as usize, 0);
                }
                let entry = (at / CLUSTER % ENTRIES * 8) as usize;
                if let Some(slot) = bytes.get_mut(entry..entry + 8) {
                    slot.copy_from_slice(&((host * CLUSTER) | COPIED).to_be_bytes());
                }
                host += 1;
            }
            Ok::<(), WriteError<O::Error>>(())
        })?;
        if !bytes.is_empty() {
            put(place * CLUSTER, &bytes).map_err(WriteError::Output)?;
        }
        Ok(())
    }

    /// The header, the counts and the table of the first level.
    fn head(&self, put: Put<'_>) -> io::Result<()> {
        let l1 = (self.tables.len() as u64, self.l1_cluster() * CLUSTER);
        let header = header(self.size, l1, (CLUSTER, self.counts.0));
        put(0, &header)?;

        let (tables, blocks) = self.counts;
        let counts = entries(&mut (0..blocks).map(|n| (1 + tables + n) * CLUSTER));
        put(CLUSTER, &counts)?;
        let total = self.clusters();
        for n in 0..blocks {
            let used = (total - n * COUNTS).min(COUNTS) as usize;
            let mut block = [0, 1].repeat(used);
            block.resize(CLUSTER as usize, 0);
            put((1 + tables + n) * CLUSTER, &block)?;
        }
        let mut place = self.first_table();
        let mut l1 = entries(&mut self.tables.iter().map(|used| {
            if *used == 0 {
                return 0;
            }
            place += 1;
            ((place - 1) * CLUSTER) | COPIED
        }));
        l1.resize((self.l1 * CLUSTER) as usize, 0);
        put(self.l1_cluster() * CLUSTER, &l1)
    }
}

/// The cluster with the header of an image of a disk of `size` bytes: entries of its table of the
/// first level and where that is, where its table of counts is and how many clusters that has.
pub(super) fn header(size: u64, l1: (u64, u64), counts: (u64, u64)) -> Vec<u8> {
    let mut fields = Vec::with_capacity(CLUSTER as usize);
    let (long, short) = (u64::to_be_bytes, u32::to_be_bytes);
    fields.extend(QCOW2_MAGIC);
    fields.extend(short(3));
    // No backing file.
    fields.extend(long(0));
    fields.extend(short(0));
    fields.extend(short(CLUSTER_BITS));
    fields.extend(long(size));
    // Not encrypted.
    fields.extend(short(0));
    fields.extend(short(l1.0 as u32));
    fields.extend(long(l1.1));
    fields.extend(long(counts.0));
    fields.extend(short(counts.1 as u32));
    // No snapshots, no features.
    fields.extend(short(0));
    fields.extend([0; 32]);
    // Counts of 2^4 bits.
    fields.extend(short(4));
    fields.extend(short(HEADER_BYTES));
    fields.resize(CLUSTER as usize, 0);
    fields
}

/// A table of these entries, in whole clusters.
pub(super) fn entries(entries: &mut dyn Iterator<Item = u64>) -> Vec<u8> {
    let mut bytes: Vec<u8> = entries.flat_map(u64::to_be_bytes).collect();
    bytes.resize(bytes.len().next_multiple_of(CLUSTER as usize), 0);
    bytes
}

/// The first part of an origin.
struct Part<'a, O> {
    origin: &'a O,
    end: u64,
}

impl<O: Origin> Origin for Part<'_, O> {
    type Error = O::Error;

    fn size(&self) -> u64 {
        self.end
    }

    fn runs(&self, offset: u64) -> Result<Vec<super::super::Run>, O::Error> {
        let mut runs = self.origin.runs(offset)?;
        runs.retain(|run| run.offset < self.end);
        for run in &mut runs {
            run.length = run.length.min(self.end - run.offset);
        }
        Ok(runs)
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), O::Error> {
        self.origin.read(offset, buffer)
    }
}
