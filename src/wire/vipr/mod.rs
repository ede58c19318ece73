//! What an EMC ViPR Controller (CoprHD) says, as far as volumes, their snapshots and snapshot sessions go. Sections are
//! those of the reference of its wire.
//!
//! It has two dialects of one kind, XML and JSON. Bodies are read and written as JSON values, and XML is made of those
//! and into those by the rules that hold between the two ([`xml`]); so that each type is there once.

mod bodies;
mod fault;
mod form;
mod name;
mod requests;
mod state;
mod task;
#[cfg(test)]
mod tests;
mod urn;
mod words;
pub mod xml;

pub use bodies::{
    Base, Device, Group, Link, Pool, Project, Reference, Session, Snapshot, Tags, Tenant, Volume,
    WhoAmI,
};
pub use fault::{Fault, problem};
pub use form::{Form, list};
pub use name::{
    DATETIME, LONGEST_LABEL, LONGEST_NAME, LONGEST_SNAPSHOT, expanded_length, fits, gib, gigabytes,
    label,
};
pub use requests::{
    Ids, LinkTargets, NewTargets, RelinkTargets, SessionCreate, SnapshotCreate, TagChanges,
    UnlinkTarget, UnlinkTargets, VolumeCreate, VolumeExpand,
};
pub use state::{Allowed, ReplicaState, TaskWord};
pub use task::Task;
pub use urn::Urn;
