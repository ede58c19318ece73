//! What can happen to the console, and what it can ask for. One queue of events, one
//! total order: what happened can be told again.

use std::sync::Arc;
use std::time::Duration;

use super::key::Key;
use crate::model::{
    Change, Object, ObjectRef, Operation, Page, Plan, Problem, Query, Raw, Task, TaskId, Time,
};
use crate::provider::DataRange;
use crate::task::Control;

/// When something happened: time comes with events, never from a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// By the wall clock, for ages.
    pub(crate) wall: Time,
    /// Since the console began, for what must wait or end.
    pub(crate) clock: Duration,
}

/// Marks a question, so that its answer is known and a stale one is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket(pub(crate) u64);

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted; it is never taken as keys.
    Paste(String),
    /// The mouse pressed this.
    Click(super::view::Hit),
    /// The wheel turned by so many rows, downwards if positive.
    Wheel(i32),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// Tasks changed.
    Tasks(Vec<Arc<Task>>),
    /// The system says that something changed.
    Changed(Change),
    /// An answer to what was asked with this ticket.
    Answer(Ticket, Answer),
    /// Something that the console waited for by time has come.
    Deadline,
    /// Something went wrong outside of any question.
    Fault(Problem),
    /// The program was told to end by this signal.
    Signal(i32),
}

/// What is looked at where a volume or a snapshot lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// Where anything is.
    Data,
    /// What differs from what it descends from.
    Own,
    /// What differs from a point in time that was marked.
    Changed,
}

impl Layer {
    /// How many there are.
    pub(crate) const COUNT: usize = 3;
}

/// One layer to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Looked {
    /// Which.
    pub(crate) layer: Layer,
    /// What it is compared with; `None` for what is there.
    pub(crate) from: Option<ObjectRef>,
    /// A volume or a snapshot.
    pub(crate) to: ObjectRef,
    /// Whether its stretches are to be listed one by one.
    pub(crate) listed: bool,
}

/// A part of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Of which.
    pub(crate) layer: Layer,
    /// The size of the whole, in bytes.
    pub(crate) size: u64,
    /// What is there, or what differs.
    pub(crate) ranges: Vec<DataRange>,
    /// It was looked at up to here, in bytes.
    pub(crate) end: u64,
    /// Whether its stretches are to be listed one by one.
    pub(crate) listed: bool,
}

/// What came of a question.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A part of a list.
    Page(Page),
    /// A part of what was looked at.
    Slice(Slice),
    /// Everything was looked at, or could not be.
    Looked(Result<(), Problem>),
    /// The list has ended.
    Listed(Result<(), Problem>),
    /// One thing as it is now.
    Shown(Box<Result<Object, Problem>>),
    /// A body as the system has it.
    Raw(Result<Raw, Problem>),
    /// What the operations would do, each in its place.
    Planned(Vec<Result<Plan, Problem>>),
    /// What became of the plans that were submitted, each in its place.
    Submitted(Vec<Result<TaskId, Problem>>),
    /// A task was controlled, or not.
    Controlled(Result<(), Problem>),
}

/// What the runtime is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// List this.
    List(Ticket, Query),
    /// Show this.
    Show(Ticket, ObjectRef),
    /// Fetch the body of this.
    Raw(Ticket, ObjectRef),
    /// Look where these lie, a slice at a time.
    Look(Ticket, Vec<Looked>),
    /// Plan these.
    Plan(Ticket, Vec<Operation>),
    /// Begin these.
    Submit(Ticket, Vec<Plan>),
    /// Control a task.
    Control(Ticket, TaskId, Control),
    /// Nobody wants the answer to this any more.
    Forget(Ticket),
    /// Stop the program until it is continued.
    Suspend,
    /// End.
    Quit,
}
