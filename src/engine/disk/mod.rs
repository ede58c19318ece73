//! All input and output of the engine goes through here: a few named files,
//! positioned reads and writes, and syncs.

mod bad;
mod direct;
mod file;
mod late;
mod lock;
mod overlay;
#[cfg(test)]
pub(super) mod sim;

use std::fmt;
use std::io;

pub use bad::BadBlocks;
pub(super) use bad::BadDisk;
pub(super) use file::{FileDisk, make_directory};
pub(super) use late::Late;
pub(super) use lock::{LOCK_FILE, StoreLock};
pub(super) use overlay::Overlay;

/// A file of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum FileName {
    /// The superblocks.
    Super,
    /// Metadata pages.
    Meta,
    /// A segment of the log.
    Log(u32),
    /// A chunk of user blocks.
    Data(u32),
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Super => f.write_str("super"),
            Self::Meta => f.write_str("meta"),
            Self::Log(n) => write!(f, "log.{n}"),
            Self::Data(n) => write!(f, "data.{n}"),
        }
    }
}

impl FileName {
    /// The file of this name, if a store has such a one.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let number = |text: &str| text.parse::<u32>().ok();
        let parsed = match name {
            "super" => Self::Super,
            "meta" => Self::Meta,
            _ => match name.split_once('.')? {
                ("log", n) => Self::Log(number(n)?),
                ("data", n) => Self::Data(number(n)?),
                _ => return None,
            },
        };
        (parsed.to_string() == name).then_some(parsed)
    }
}

/// Files with positioned access. A write may be lost, torn or reordered with
/// others of the same or another file until a `sync` of its file has returned.
pub(super) trait Disk: Send + Sync {
    /// Fills `buf` from `offset`; an error of kind `UnexpectedEof` if the file ends before.
    fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()>;
    /// The same, but only if that need not wait for the medium. False: `buf` holds anything.
    fn read_at_hand(&self, _: FileName, _: u64, _: &mut [u8]) -> io::Result<bool> {
        Ok(false)
    }
    /// A range is about to be read: the medium may begin to fetch it.
    fn fetch(&self, _: FileName, _: u64, _: u64) {}
    /// Writes all of `data` at `offset`; the file is created and grows as needed.
    fn write_at(&self, file: FileName, offset: u64, data: &[u8]) -> io::Result<()>;
    /// Makes what was written to `file` durable, its name too.
    fn sync(&self, file: FileName) -> io::Result<()>;
    /// Takes room on the medium for a range, so that writes into it do not find
    /// the disk full. The file then reaches at least to the end of the range.
    fn reserve(&self, file: FileName, offset: u64, len: u64) -> io::Result<()>;
    /// Gives the room of a range back to the medium; it reads as zeroes then, and
    /// writing it again may find the disk full. An error of kind `Unsupported` if
    /// that cannot be done here.
    fn punch(&self, file: FileName, offset: u64, len: u64) -> io::Result<()>;
    /// Removes a file. Until its directory is synced it may come back.
    fn remove(&self, file: FileName) -> io::Result<()>;
    /// The file's length in bytes; `None` if there is no such file.
    fn len(&self, file: FileName) -> io::Result<Option<u64>>;
    /// Does what was put off until something is written.
    fn pay(&self) -> io::Result<()> {
        Ok(())
    }
    /// The files that there are.
    fn list(&self) -> io::Result<Vec<FileName>>;
}
