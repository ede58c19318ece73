//! Huawei Cloud Elastic Volume Service (EVS), version 2, in both families of paths: that of Cinder (`snapshots`) and
//! the vendor's own (`cloudsnapshots`). The numbers of sections are those of the reference that this was made after.

mod bodies;
mod fault;
mod job;
mod sign;
mod status;
#[cfg(test)]
mod tests;

pub use bodies::{
    AUTOMATIC, AUTOMATIC_KEY, Attachment, CreateSnapshot, CreateVolume, DESCRIPTION, Extend, KEY,
    NAME, Quota, Quotas, RESERVED, Rollback, Snapshot, Start, UpdateSnapshot, UpdateVolume, Volume,
    Zone, time,
};
pub use fault::{Fault, fault, is_stale, problem};
pub use job::{Job, JobStatus, Submitted};
pub use sign::{Signing, date};
pub use status::{SnapshotStatus, VolumeStatus};
