//! The superblock: which checkpoint counts, and where the log goes on from it.
//! Two slots are written in turn, each in two copies.

use uuid::Uuid;

use super::bytes::{In, Out};
use super::disk::{Disk, FileName};
use super::error::{EngineError, Result};
use super::log::LogHead;
use super::page::PageRef;
use super::page_codec::{put_ref, take_ref};

const MAGIC: [u8; 8] = *b"snapdeck";
/// The format that this program reads and writes.
pub(super) const VERSION: u32 = 1;
/// Features without which a store must not be opened. None yet.
const KNOWN_FEATURES: u64 = 0;
const COPY_LEN: usize = 4096;

/// A superblock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Superblock {
    pub(super) store: Uuid,
    /// Counts checkpoints.
    pub(super) generation: u64,
    /// Microseconds since 1970.
    pub(super) created: i64,
    /// Blocks in a data file.
    pub(super) chunk_blocks: u32,
    /// The root of the checkpoint.
    pub(super) root: PageRef,
    /// Where the log goes on.
    pub(super) log: LogHead,
}

impl Superblock {
    fn encode(&self) -> Vec<u8> {
        let mut out = Out(MAGIC.to_vec());
        out.u32(VERSION);
        out.u32(0);
        out.u64(0);
        out.u64(KNOWN_FEATURES);
        out.uuid(self.store);
        out.u64(self.generation);
        out.i64(self.created);
        out.u32(self.chunk_blocks);
        put_ref(&mut out, &self.root);
        self.log.put(&mut out);
        out.0.resize(COPY_LEN - 4, 0);
        let crc = crc32c::crc32c(&out.0);
        out.u32(crc);
        out.0
    }

    /// `None` if these bytes are no superblock, an error if they are one that
    /// this program must not use.
    fn decode(bytes: &[u8]) -> Result<Option<Self>> {
        let (body, crc) = bytes.split_at(COPY_LEN - 4);
        if body[..8] != MAGIC || crc != crc32c::crc32c(body).to_le_bytes() {
            return Ok(None);
        }
        let mut input = In::new(&body[8..], "the superblock");
        let version = input.u32()?;
        if version != VERSION {
            return Err(EngineError::Version {
                found: version,
                known: VERSION,
            });
        }
        input.u32()?;
        input.u64()?;
        let unknown = input.u64()? & !KNOWN_FEATURES;
        if unknown != 0 {
            return Err(EngineError::Features { bits: unknown });
        }
        let found = Self {
            store: input.uuid()?,
            generation: input.u64()?,
            created: input.i64()?,
            chunk_blocks: input.u32()?,
            root: take_ref(&mut input)?,
            log: LogHead::take(&mut input)?,
        };
        if found.chunk_blocks == 0 {
            return Err(input.bad("a data file has no blocks"));
        }
        Ok(Some(found))
    }

    /// Writes it to its slot and makes it durable.
    pub(super) fn write(&self, disk: &dyn Disk) -> std::io::Result<()> {
        let copy = self.encode();
        let slot = self.generation % 2 * 2 * COPY_LEN as u64;
        disk.write_at(FileName::Super, slot, &copy)?;
        disk.write_at(FileName::Super, slot + COPY_LEN as u64, &copy)?;
        disk.sync(FileName::Super)
    }

    /// Whether the making of a store did not come to its end: no copy is whole, there is
    /// nothing in the slot that is written last, and no data.
    pub(super) fn unfinished(disk: &dyn Disk) -> Result<bool> {
        let read = |e| EngineError::io("reading super", e);
        for file in disk.list().map_err(read)? {
            if matches!(file, FileName::Data(_)) && disk.len(file).map_err(read)?.unwrap_or(0) > 0 {
                return Ok(false);
            }
        }
        let len = disk.len(FileName::Super).map_err(read)?.unwrap_or(0);
        let mut bytes = vec![0; len.min(4 * COPY_LEN as u64) as usize];
        if !bytes.is_empty() {
            disk.read_at(FileName::Super, 0, &mut bytes).map_err(read)?;
        }
        let (last, first) = bytes.split_at(bytes.len().min(2 * COPY_LEN));
        let whole = |copy: &[u8]| !matches!(Self::decode(copy), Ok(None));
        Ok(last.iter().all(|byte| *byte == 0) && !first.chunks_exact(COPY_LEN).any(whole))
    }

    /// The copies that there are, those that are whole.
    pub(super) fn copies(disk: &dyn Disk) -> Result<Vec<Option<Self>>> {
        let copy = |n: u64| {
            let mut bytes = vec![0; COPY_LEN];
            match disk.read_at(FileName::Super, n * COPY_LEN as u64, &mut bytes) {
                Ok(()) => Self::decode(&bytes),
                // Cut short, or a sector that cannot be read.
                Err(_) => Ok(None),
            }
        };
        (0..4).map(copy).collect()
    }

    /// Whether a copy is of this store, and of this generation or the one before.
    pub(super) fn follows(&self, copy: &Self) -> bool {
        let age = self.generation.wrapping_sub(copy.generation);
        copy.store == self.store && age <= 1
    }

    /// Writes it in the place of all copies that are not whole: a crash may have torn them.
    pub(super) fn heal(&self, disk: &dyn Disk) -> Result<()> {
        for (n, copy) in Self::copies(disk)?.iter().enumerate() {
            if !copy.as_ref().is_some_and(|copy| self.follows(copy)) {
                self.rewrite(disk, n)
                    .map_err(|e| EngineError::io("writing super", e))?;
            }
        }
        Ok(())
    }

    /// Writes it in the place of a copy that is hurt.
    pub(super) fn rewrite(&self, disk: &dyn Disk, copy: usize) -> std::io::Result<()> {
        let offset = (copy * COPY_LEN) as u64;
        disk.write_at(FileName::Super, offset, &self.encode())
    }

    /// The newest that is whole.
    pub(super) fn read(disk: &dyn Disk) -> Result<Self> {
        let mut newest: Option<Self> = None;
        let mut refused = None;
        for copy in 0..4u64 {
            let mut bytes = vec![0; COPY_LEN];
            match disk.read_at(FileName::Super, copy * COPY_LEN as u64, &mut bytes) {
                Ok(()) => {}
                Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => continue,
                Err(e) => return Err(EngineError::io("reading super", e)),
            }
            match Self::decode(&bytes) {
                Ok(Some(found))
                    if newest
                        .as_ref()
                        .is_none_or(|n| n.generation < found.generation) =>
                {
                    newest = Some(found);
                }
                Ok(_) => {}
                Err(e) => refused = Some(e),
            }
        }
        match (refused, newest) {
            (Some(e), _) => Err(e),
            (None, Some(found)) => Ok(found),
            (None, None) => Err(EngineError::damaged(
                "no copy of its superblock is whole; it may be no store, or cut short",
            )),
        }
    }
}
