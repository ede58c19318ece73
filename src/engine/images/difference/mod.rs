//! Differences: what changed in a disk between two points in time, in the format of Ceph's
//! `rbd export-diff` (its `doc/dev/rbd-diff.rst`), so that `rbd import-diff` takes what is
//! written here, and the other way round.
//!
//! Version 1 is written, since that is what `rbd import-diff` reads; 1 and 2 are read.
//!
//! ```text
//! "rbd diff v1\n"
//! 'f' le32 length, name of the earlier snapshot     (none: everything, from nothing)
//! 't' le32 length, name of the later snapshot       (none: of a volume as it was then)
//! 's' le64 size of the disk at the later point
//! 'w' le64 offset, le64 length, bytes               data
//! 'z' le64 offset, le64 length                      zeroes
//! 'e'
//! ```
//!
//! Behind the end record, where `rbd` reads no further, stands a seal of our own:
//!
//! ```text
//! "snapdeck" le32 length, JSON: the ids of both snapshots, and when the later was taken
//! 32 bytes  SHA-256 of all before
//! le32      length of the seal
//! ```

mod reader;
mod writer;

use std::io;

use serde::{Deserialize, Serialize};

pub use reader::{DifferenceReader, Head, Record, seal_at_end};
pub use writer::DifferenceWriter;

/// The first bytes, up to the number of the version.
const MAGIC: &[u8] = b"rbd diff v";
/// The first bytes of a seal.
const SEAL: &[u8; 8] = b"snapdeck";
/// Bytes of a SHA-256.
const DIGEST: usize = 32;
/// The most bytes of a seal, and of a snapshot's name.
const MAX_SEAL: u32 = 64 << 10;
const MAX_NAME: u32 = 4096;
/// The most bytes of a disk: no volume is larger.
const MAX_SIZE: u64 = 64 << 40;

/// What both ends of a difference are, wherever they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The id of the earlier snapshot where it was first taken; none: from nothing.
    pub from: Option<String>,
    /// The id of the later snapshot where it was first taken; none: a volume as it was then.
    pub to: Option<String>,
    /// When the later snapshot was taken: RFC 3339.
    #[serde(default)]
    pub taken: Option<String>,
    /// The name of the volume that it was made of.
    pub volume: String,
}

/// Why a difference cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DifferenceError {
    /// It is none.
    #[error("it does not begin as a difference does (\"rbd diff v1\")")]
    Foreign,
    /// It ends before its end record or within its seal.
    #[error("it ends too early; was it cut short?")]
    Short,
    /// What it says cannot be.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// It is not what was written.
    #[error("it is damaged: it does not have the checksum that it was written with")]
    Altered,
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Io(io::Error),
}

impl From<io::Error> for DifferenceError {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::UnexpectedEof => Self::Short,
            _ => Self::Io(e),
        }
    }
}

#[cfg(test)]
mod tests;
