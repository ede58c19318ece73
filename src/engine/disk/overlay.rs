//! A disk that is only read, with blocks in memory that are newer than those on it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::RwLock;

use super::{Disk, FileName};

const BLOCK: u64 = 4096;

/// Reads from another disk, and changes nothing there.
pub(in crate::engine) struct Overlay {
    below: Arc<dyn Disk>,
    newer: RwLock<BTreeMap<(FileName, u64), Vec<u8>>>,
}

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the store is only read")
}

impl Overlay {
    pub(in crate::engine) fn new(below: Arc<dyn Disk>) -> Self {
        Self {
            below,
            newer: RwLock::default(),
        }
    }

    /// From now on, the block of 4 KiB at `offset` reads as `data`.
    pub(in crate::engine) fn put(&self, file: FileName, offset: u64, data: Vec<u8>) {
        self.newer.write().insert((file, offset), data);
    }
}

impl Disk for Overlay {
    fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let newer = self.newer.read();
        let end = offset + buf.len() as u64;
        if newer.range((file, offset)..(file, end)).next().is_none() {
            return self.below.read_at(file, offset, buf);
        }
        let mut at = offset;
        for block in buf.chunks_mut(BLOCK as usize) {
            match newer
                .get(&(file, at))
                .and_then(|data| data.get(..block.len()))
            {
                Some(data) => block.copy_from_slice(data),
                None => self.below.read_at(file, at, block)?,
            }
            at += BLOCK;
        }
        Ok(())
    }

    fn write_at(&self, _: FileName, _: u64, _: &[u8]) -> io::Result<()> {
        Err(refused())
    }

    fn sync(&self, _: FileName) -> io::Result<()> {
        Err(refused())
    }

    fn reserve(&self, _: FileName, _: u64, _: u64) -> io::Result<()> {
        Err(refused())
    }

    fn punch(&self, _: FileName, _: u64, _: u64) -> io::Result<()> {
        Err(refused())
    }

    fn remove(&self, _: FileName) -> io::Result<()> {
        Err(refused())
    }

    fn len(&self, file: FileName) -> io::Result<Option<u64>> {
        self.below.len(file)
    }

    fn list(&self) -> io::Result<Vec<FileName>> {
        self.below.list()
    }
}
