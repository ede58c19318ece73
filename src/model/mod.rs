//! The words of the house: what a volume, a snapshot, a task, an operation
//! *is*. Pure: no I/O, no async, no clock, no dialect. Everything above speaks
//! in these types; every dialect's own words are mapped onto them in `wire/`
//! or in the provider's room.

mod capabilities;
mod ids;
mod object;
mod operation;
mod plan;
mod problem;
mod query;
mod set;
mod size;
mod spec;
mod state;
mod task;
mod term;
mod thing;
mod time;
mod tree;
mod visible;

pub use capabilities::{Capabilities, Words};
pub use ids::{GroupId, Kind, ObjectRef, SessionId, SnapshotId, TargetId, TaskId, VolumeId};
pub use object::{Object, Snapshot, Volume};
pub use operation::{Operation, OperationKind, Value};
pub use plan::{Loss, Plan, PlannedStep, Touched, Undo};
pub use problem::{Problem, ProblemKind};
pub use query::{Change, Page, Query, Raw};
pub use set::{Group, LinkedTarget, Member, Session};
pub use size::Bytes;
pub use spec::{Availability, FieldSpec, FieldType, OperationSpec};
pub use state::{CopyMode, GroupState, SnapshotState, TargetState, TaskState, VolumeState};
pub use task::{Part, PartState, Progress, Step, StepEvent, StepOutcome, StepState, Task};
pub use term::{Term, Terms};
pub use thing::Thing;
pub use time::{Age, Time};
pub use tree::{SnapshotTree, TreePoint, TreeRow, TreeRowKind};
pub use visible::visible;
