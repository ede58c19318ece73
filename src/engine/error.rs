//! What can go wrong in the engine, in words a person can act on.

use std::io;
use std::path::PathBuf;

use super::ids::{JobId, PointId, VolumeId};

/// An error of the engine. Each names what was asked and, where there is
/// something to be done, what to do.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another process has the store open.
    #[error("the store in {dir} is open in process {pid}; close that one first")]
    Locked {
        /// The process that holds the lock, as it wrote itself down (0 if it did not).
        pid: u32,
        /// The store's directory.
        dir: PathBuf,
    },
    /// There is no store where one was to be opened.
    #[error("there is no store in {dir}; create one, or name another directory")]
    NoStore {
        /// The directory that was asked for.
        dir: PathBuf,
    },
    /// The directory holds something that is not a store.
    #[error("{dir} holds something else ({found}); a store needs a directory of its own")]
    Foreign {
        /// The directory that was asked for.
        dir: PathBuf,
        /// The first foreign thing found.
        found: String,
    },
    /// There already is a store where one was to be created.
    #[error("there already is a store in {dir}; open it instead")]
    Exists {
        /// The directory that was asked for.
        dir: PathBuf,
    },
    /// The store was written in a format that this program does not read.
    #[error(
        "the store is of format version {found}, and this program reads version {known}; use the program that wrote it"
    )]
    Version {
        /// The version found.
        found: u32,
        /// The version this program reads.
        known: u32,
    },
    /// The store uses features that this program does not know.
    #[error(
        "the store uses features that this program does not know (bits {bits:#x}); use a newer program"
    )]
    Features {
        /// The unknown bits.
        bits: u64,
    },
    /// A file of the store is shorter than the store says it is.
    #[error(
        "the store's file {file} is cut short: {have} bytes where {need} are needed; restore it from a backup"
    )]
    Truncated {
        /// The file's name in the store.
        file: String,
        /// Its length, in bytes.
        have: u64,
        /// The length the store needs, in bytes.
        need: u64,
    },
    /// Something in the store is not what was written.
    #[error("the store is damaged: {what}")]
    Damaged {
        /// What is hurt, and where.
        what: String,
    },
    /// A block does not have the content that was written to it.
    #[error(
        "the block at byte {offset} of {of} is damaged: its content does not match its checksum"
    )]
    HurtBlock {
        /// The volume or snapshot, named.
        of: String,
        /// Byte offset in it.
        offset: u64,
    },
    /// No volume has this id.
    #[error("there is no volume {0}")]
    NoVolume(VolumeId),
    /// No snapshot has this id.
    #[error("there is no snapshot {0}")]
    NoPoint(PointId),
    /// No job has this id.
    #[error("there is no job {0}; it may have ended")]
    NoJob(JobId),
    /// The range reaches beyond the end.
    #[error("the range of {len} bytes at {offset} reaches beyond the end at {size}")]
    OutOfRange {
        /// First byte asked for.
        offset: u64,
        /// Bytes asked for.
        len: u64,
        /// Size of the volume or snapshot, in bytes.
        size: u64,
    },
    /// A volume cannot have this size.
    #[error(
        "{size} bytes is no size for a volume: it is a multiple of 4096, from 4096 bytes to 64 TiB"
    )]
    BadSize {
        /// The size asked for, in bytes.
        size: u64,
    },
    /// A name is too long or has none.
    #[error("the name is {len} bytes long; it may have 1 to 1024")]
    BadName {
        /// Its length, in bytes.
        len: usize,
    },
    /// Too many attributes, or too large ones.
    #[error(
        "the attributes are too many or too large ({count}, {bytes} bytes): at most 64 and 16384 bytes"
    )]
    BadAttrs {
        /// How many.
        count: usize,
        /// Bytes of keys and values together.
        bytes: usize,
    },
    /// A request that cannot be carried out as it stands.
    #[error("{0}")]
    BadRequest(String),
    /// A volume has snapshots, and they were not to be deleted with it.
    #[error("the volume {volume} has {count} snapshots; delete them first, or delete them with it")]
    HasSnapshots {
        /// The volume.
        volume: VolumeId,
        /// How many snapshots it has.
        count: usize,
    },
    /// A copy of this volume is under way already.
    #[error("the volume {volume} is being copied already, by job {job}")]
    CopyRunning {
        /// The volume.
        volume: VolumeId,
        /// The job that copies it.
        job: JobId,
    },
    /// The disk below the store is full.
    #[error("the disk below the store is full; delete snapshots or make room, then try again")]
    NoSpace,
    /// The store takes no more changes.
    #[error("the store is read-only: {reason}; open it again once that is put right")]
    ReadOnly {
        /// Why.
        reason: String,
    },
    /// The store has been closed.
    #[error("the store has been closed; open it again")]
    Closed,
    /// The system failed a request.
    #[error("{what} failed: {source}")]
    Io {
        /// What was done to what.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

/// The result of an engine call.
pub(super) type Result<T> = std::result::Result<T, EngineError>;

impl EngineError {
    /// Wraps a system error, telling a full disk from the rest.
    pub(super) fn io(what: impl Into<String>, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Io {
                what: what.into(),
                source,
            },
        }
    }

    /// Damage, described.
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }
}
