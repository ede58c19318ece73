//! What the engine tells about what it holds.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::ids::{JobId, PointId, VolumeId};

/// Attributes that the engine keeps for its caller and does not look into: at
/// most 64, at most 16 KiB of keys and values together.
pub type Attrs = BTreeMap<String, String>;

/// What is read or compared: a volume as it is now, or a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The present content of a volume.
    Volume(VolumeId),
    /// The content of a snapshot.
    Point(PointId),
}

/// Space, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// What it can read: all data it maps.
    pub referenced: u64,
    /// What was written to it since its parent.
    pub written: u64,
    /// What it holds alone: in neither its parent nor any child. Deleting it frees this.
    /// `None` where it is not known: finding it out would take long (several children
    /// have gone far apart), or a mapping cannot be read.
    pub exclusive: Option<u64>,
}

/// A volume.
#[derive(Clone, Debug)]
pub struct VolumeInfo {
    /// Its id.
    pub id: VolumeId,
    /// Its name; names need not be unique.
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    /// When it was created.
    pub created: Timestamp,
    /// The caller's attributes.
    pub attrs: Attrs,
    /// The nearest snapshot that its present content descends from.
    pub parent: Option<PointId>,
    /// Its space.
    pub usage: Usage,
    /// The copy under way, if there is one.
    pub copy: Option<JobInfo>,
}

/// A snapshot.
#[derive(Clone, Debug)]
pub struct PointInfo {
    /// Its id.
    pub id: PointId,
    /// Its name; names need not be unique.
    pub name: String,
    /// The volume to whose history it belongs.
    pub volume: VolumeId,
    /// The nearest snapshot before it.
    pub parent: Option<PointId>,
    /// The volume's size at that time, in bytes.
    pub size: u64,
    /// When it was taken.
    pub created: Timestamp,
    /// The caller's attributes.
    pub attrs: Attrs,
    /// Its space.
    pub usage: Usage,
    /// Other volumes whose present content descends from it, with no snapshot between.
    pub clones: Vec<VolumeId>,
}

/// A snapshot to be taken of one volume.
#[derive(Clone, Debug)]
pub struct SnapshotRequest {
    /// The volume.
    pub volume: VolumeId,
    /// The snapshot's name.
    pub name: String,
    /// The snapshot's attributes.
    pub attrs: Attrs,
}

/// One change of a volume or a snapshot, for [`Store::transact`](super::Store::transact).
#[derive(Clone, Debug)]
pub enum Action {
    /// Changes a volume's name or attributes; `None` leaves them.
    UpdateVolume {
        /// The volume.
        volume: VolumeId,
        /// Its new name.
        name: Option<String>,
        /// Its new attributes, all of them.
        attrs: Option<Attrs>,
    },
    /// Changes a snapshot's name or attributes; `None` leaves them.
    UpdatePoint {
        /// The snapshot.
        point: PointId,
        /// Its new name.
        name: Option<String>,
        /// Its new attributes, all of them.
        attrs: Option<Attrs>,
    },
    /// Makes a volume what a snapshot is, of its own history or of another's.
    Restore {
        /// The volume.
        volume: VolumeId,
        /// The snapshot.
        point: PointId,
        /// Name and attributes of the snapshot that keeps what the volume was; `None`: it is lost.
        keep: Option<(String, Attrs)>,
        /// The volume's new attributes.
        attrs: Option<Attrs>,
    },
    /// Makes a volume that begins as what a snapshot is, and shares its space.
    Clone {
        /// The snapshot.
        point: PointId,
        /// The volume's name.
        name: String,
        /// The volume's attributes.
        attrs: Attrs,
    },
    /// Deletes a snapshot.
    DeletePoint {
        /// The snapshot.
        point: PointId,
    },
    /// Deletes a volume.
    DeleteVolume {
        /// The volume.
        volume: VolumeId,
        /// With its snapshots; without, a volume that has some is kept.
        cascade: bool,
    },
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Copies what a volume shares, so that it shares no more.
    Copy,
    /// Gives back the space of what was deleted.
    Reclaim,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It is at work.
    Running,
    /// It was paused and waits to be resumed.
    Paused,
    /// It waits for something else: room, another job, a store opened with background work.
    Waiting,
}

/// A job in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobInfo {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The volume it works on, if it is one.
    pub volume: Option<VolumeId>,
    /// How it stands.
    pub state: JobState,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all, as far as is known.
    pub total: u64,
    /// Bytes a second, of late.
    pub rate: u64,
    /// What keeps it from going on, if something does.
    pub trouble: Option<String>,
    /// That does not pass by itself: it stands still until somebody resumes or cancels it.
    pub stuck: bool,
}

/// What a stretch of a volume holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtentKind {
    /// Data.
    Data,
    /// Zeroes that were written.
    Zero,
    /// Never written, or discarded; reads as zeroes.
    Absent,
}

/// A stretch of a volume, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub offset: u64,
    /// Bytes.
    pub len: u64,
    /// What it holds.
    pub kind: ExtentKind,
}

/// The store as a whole. Sizes in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// Data blocks in use, those waiting to be given back among them.
    pub data_bytes: u64,
    /// Of them, what waits to be given back (about).
    pub reclaimable: u64,
    /// Metadata on disk.
    pub metadata_bytes: u64,
    /// Metadata in memory, clean and dirty.
    pub cache_bytes: u64,
    /// The log since the last checkpoint.
    pub log_bytes: u64,
    /// Volumes.
    pub volumes: usize,
    /// Snapshots.
    pub points: usize,
    /// Why the store takes no changes, if it takes none.
    pub read_only: Option<String>,
}

/// Something that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hurt {
    /// The volume or snapshot, named.
    pub of: String,
    /// The same, to be looked at; none if it is deleted already.
    pub source: Option<Source>,
    /// Byte offset of what cannot be read; none if nothing of it is lost.
    pub offset: Option<u64>,
    /// Bytes from there that cannot be read.
    pub len: u64,
    /// What is wrong with it.
    pub what: String,
    /// It was put right.
    pub repaired: bool,
}

/// What [`Store::scrub`](super::Store::scrub) found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Blocks of 4 KiB that were read and checked.
    pub blocks: u64,
    /// What is hurt.
    pub hurt: Vec<Hurt>,
    /// Whether all was looked at.
    pub complete: bool,
}

/// Something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A volume is new or is not what it was.
    Volume(VolumeId),
    /// A snapshot is new or is not what it was.
    Point(PointId),
    /// A volume is gone.
    VolumeRemoved(VolumeId),
    /// A snapshot is gone.
    PointRemoved(PointId),
    /// A job began or moved on.
    Job(JobInfo),
    /// A job is over; `completed` tells the end of its work from its being cancelled.
    JobEnded {
        /// The job.
        id: JobId,
        /// Whether it did all it was to do.
        completed: bool,
    },
    /// The store turned read-only.
    ReadOnly(String),
}
