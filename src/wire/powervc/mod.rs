//! IBM PowerVC's additions to OpenStack: snapshots of whole machines and their restore, and FlashCopy mappings.
//!
//! The documentation of this interface contradicts itself in many places; what is read here is read leniently, what is
//! sent is sent as documented. Words in italics in the comments are headings of
//! the vendor's page on the "Virtual machine snapshot and restore API"; what is odd about it is listed in `docs/powervc.md`.

mod copies;
mod instance_snapshot;
mod lenient;
mod machine;
mod progress;
mod requests;
mod status;
#[cfg(test)]
mod tests;

pub use copies::{CopyDetails, CopyState, Mapping};
pub use instance_snapshot::{Begun, InstanceSnapshot, InstanceSnapshots, Updated};
pub use lenient::{Figure, Word};
pub use machine::Machine;
pub use progress::{Outcome, Progress, Tasks};
pub use requests::{CopyProgress, Create, Detail, Edits, How, New, Restore, Update};
pub use status::{Status, StatusKind};
