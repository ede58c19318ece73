//! The embedded copy-on-write block engine: volumes of blocks, snapshots,
//! clones and copies of them, in a directory that one process has open.
//!
//! A snapshot, a restore and a clone are one record each, whatever the size;
//! reading costs the same below any number of snapshots; after a crash the
//! store is what it was after some prefix of all that was done to it, never
//! shorter than the last flush. Everything read is checked. The format is
//! described in `docs/engine-format.md`.
//!
//! The engine is synchronous and safe to use from many threads.
//!
//! ```
//! use snapdeck::engine::{Attrs, OpenOptions, SnapshotRequest, Source, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let store = Store::create(dir.path(), &OpenOptions::default())?;
//! let volume = store.create_volume("data", 1 << 30, Attrs::new())?;
//! store.write(volume, 0, b"before")?;
//! let request = SnapshotRequest { volume, name: "monday".into(), attrs: Attrs::new() };
//! let monday = store.snapshot(&[request])?[0];
//! store.write(volume, 0, b"after!")?;
//!
//! let mut bytes = [0; 6];
//! store.read(Source::Point(monday), 0, &mut bytes)?;
//! assert_eq!(&bytes, b"before");
//! store.restore(volume, monday, None, None)?;
//! store.read(Source::Volume(volume), 0, &mut bytes)?;
//! assert_eq!(&bytes, b"before");
//! store.close()?;
//! # Ok(())
//! # }
//! ```

mod account;
mod alone;
mod apply;
mod background;
mod blocks;
mod bytes;
mod capture;
mod catalog;
mod catalog_codec;
mod checkpoint;
mod commit;
mod copy;
mod core;
mod describe;
mod disk;
mod error;
mod extents;
mod group;
mod history;
mod ids;
pub mod images;
mod info;
mod jobs;
mod log;
mod log_read;
mod meta_writer;
pub mod nbd;
mod ops;
mod ordered;
mod packed;
mod page;
mod page_codec;
mod pages;
mod read;
mod reclaim;
mod record;
mod recovery;
mod rehearse;
mod remap;
mod reuse;
mod root;
mod salvage;
mod scrub;
mod scrub_store;
mod snapshots;
mod space;
mod store;
mod superblock;
mod sweep;
#[cfg(test)]
mod tests;
mod transaction;
mod tree;
mod trim;
mod usage;
mod volumes;
mod walk;
mod write;

pub use disk::BadBlocks;
pub use error::EngineError;
pub use ids::{JobId, PointId, VolumeId};
pub use info::{
    Action, Attrs, Change, Extent, ExtentKind, Hurt, JobInfo, JobKind, JobState, PointInfo,
    ScrubReport, SnapshotRequest, Source, StoreStats, Usage, VolumeInfo,
};
pub use ops::MAX_VOLUME_SIZE;
pub use packed::PackedAttrs;
pub use page::BLOCK as BLOCK_SIZE;
pub use store::{OpenOptions, Store};
pub use transaction::Made;
