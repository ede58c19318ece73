//! OpenStack Block Storage, version 3.

mod bodies;
mod fault;
mod status;
#[cfg(test)]
mod tests;
mod version;

pub use bodies::{
    Created, Group, GroupSnapshot, GroupType, Limits, Links, Named, One, Page, Server, Snapshot,
    Volume, VolumeAttachment, time,
};
pub(super) use bodies::{or_default, texts};
pub use fault::{Fault, fault, problem};
pub use status::{GroupStatus, SnapshotStatus, VolumeStatus};
pub use version::{Microversion, Versions};
