//! A disk on which blocks can be made unreadable, for rehearsals: a read that meets one fails as
//! a medium fails it.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use parking_lot::RwLock;

use super::{Disk, FileName};
use crate::engine::page::BLOCK;

/// What the system says of a sector that cannot be read (`EIO`).
const UNREADABLE: i32 = 5;

/// The blocks that are unreadable now, by where each begins in its file. Nothing of them is kept
/// anywhere: they are whole again when the program ends.
#[derive(Clone, Debug, Default)]
pub struct BadBlocks {
    bad: Arc<RwLock<BTreeSet<(FileName, u64)>>>,
}

impl BadBlocks {
    /// Every block can be read again.
    pub fn mend(&self) {
        self.bad.write().clear();
    }

    /// Whether every block can be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bad.read().is_empty()
    }

    /// From now on this block of this file cannot be read.
    pub(in crate::engine) fn spoil(&self, file: FileName, offset: u64) {
        self.bad.write().insert((file, offset));
    }

    fn check(&self, file: FileName, offset: u64, len: usize) -> io::Result<()> {
        let bad = self.bad.read();
        let first = offset.saturating_sub(BLOCK - 1);
        let end = offset.saturating_add(len as u64);
        if len > 0 && bad.range((file, first)..(file, end)).next().is_some() {
            return Err(io::Error::from_raw_os_error(UNREADABLE));
        }
        Ok(())
    }
}

/// Another disk, some blocks of which cannot be read.
pub(in crate::engine) struct BadDisk {
    below: Arc<dyn Disk>,
    bad: BadBlocks,
}

impl BadDisk {
    pub(in crate::engine) fn new(below: Arc<dyn Disk>, bad: BadBlocks) -> Self {
        Self { below, bad }
    }
}

impl Disk for BadDisk {
    fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.bad.check(file, offset, buf.len())?;
        self.below.read_at(file, offset, buf)
    }

    fn read_at_hand(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<bool> {
        self.bad.check(file, offset, buf.len())?;
        self.below.read_at_hand(file, offset, buf)
    }

    fn fetch(&self, file: FileName, offset: u64, len: u64) {
        self.below.fetch(file, offset, len);
    }

    fn write_at(&self, file: FileName, offset: u64, data: &[u8]) -> io::Result<()> {
        self.below.write_at(file, offset, data)
    }

    fn sync(&self, file: FileName) -> io::Result<()> {
        self.below.sync(file)
    }

    fn reserve(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        self.below.reserve(file, offset, len)
    }

    fn punch(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        self.below.punch(file, offset, len)
    }

    fn remove(&self, file: FileName) -> io::Result<()> {
        self.below.remove(file)
    }

    fn len(&self, file: FileName) -> io::Result<Option<u64>> {
        self.below.len(file)
    }

    fn list(&self) -> io::Result<Vec<FileName>> {
        self.below.list()
    }
}
