//! ZStack Cloud, as its management server speaks: queries, actions, jobs. The numbers of sections are those of the reference
//! that this was made after.

mod action;
mod date;
mod fault;
mod inventory;
mod job;
mod number;
mod sign;
mod status;
#[cfg(test)]
mod tests;
mod tree;

pub use action::{Action, Body, Login, NewGroup, NewLongJob, NewResource, Params};
pub use date::{Date, Zone};
pub use fault::{ErrorCode, fault, is_answer, is_stale, problem};
pub use inventory::{
    DESCRIPTION, Group, GroupRef, Inventories, Inventory, NAME, Session, Snapshot, Vm, Volume,
};
pub use job::{Accepted, Availability, Item, LongJob, Results, Size, TaskProgress};
pub use number::Number;
pub use sign::{http_date, password, signature, uuid};
pub use status::{
    Enabled, LongJobState, SnapshotStatus, TreeStatus, VmState, VolumeStatus, VolumeType,
};
pub use tree::{Leaf, Tree};
