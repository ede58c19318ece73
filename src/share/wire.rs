//! What goes over the socket. Both ends are the same program or nearly: the version is
//! compared first, and nothing is guessed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{Kind, ObjectRef, Operation, Plan, Problem, TaskId, Thing, VolumeId};
use crate::task::Control;

/// Counts the changes of this protocol.
pub(super) const PROTOCOL: u32 = 1;

/// The most bytes of a line: a page of a list, or a task with a long plan.
pub(super) const LINE: u64 = 64 << 20;

/// A request: the first line of a connection.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Who is there; answered by a [`Hello`].
    Hello { protocol: u32 },
    /// A list; answered by pages.
    List {
        kind: Kind,
        volume: Option<VolumeId>,
    },
    /// One thing.
    Show(ObjectRef),
    /// Its raw body.
    Raw(ObjectRef),
    /// What an operation would do.
    Plan(Operation),
    /// Changes from now on.
    Watch,
    /// The content of a thing; more lines of [`ContentCall`] follow.
    Content(ObjectRef),
    /// What differs between two things; lines with an offset follow.
    Difference { from: ObjectRef, to: ObjectRef },
    /// All tasks, then batches of those that changed.
    Tasks,
    /// Begin what was planned.
    Submit { plan: Box<Plan>, by: String },
    /// Control a task.
    Control { id: TaskId, control: Control },
    /// Take up what was left under way.
    FollowOn,
    /// Serve something over NBD until the connection ends; answered by notes.
    Nbd(NbdRequest),
}

/// What is to be served over NBD.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NbdRequest {
    /// The volume or the snapshot.
    pub object: ObjectRef,
    /// The name of the export.
    pub name: String,
    /// A Unix socket, or
    pub unix: Option<PathBuf>,
    /// an address, as it was typed.
    pub listen: Option<String>,
    /// Whether writing is refused.
    pub read_only: bool,
}

/// Who answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    pub(super) protocol: u32,
    /// What kind of system it is.
    pub(super) system: String,
    /// What the profile is called.
    pub(super) name: String,
    pub(super) read_only: bool,
    pub(super) pid: u32,
}

/// What is asked of a content that was opened.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ContentCall {
    /// Runs from here on, as offset, length and whether there is data.
    Ranges(u64),
    /// So many bytes from here on; they follow the answer's line.
    Read(u64, u64),
}

/// The sizes of two things, the earlier one first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sizes(pub(super) u64, pub(super) u64);

/// Stretches, as offset, length and whether there is data, and how far was looked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireChanges {
    pub(super) ranges: Vec<(u64, u64, bool)>,
    pub(super) end: u64,
}

/// A line of an answer. One that is told to be whole ends with `End` or `Failed`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply<T> {
    Item(T),
    End,
    Failed(Problem),
}

/// A page of a list.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WirePage {
    pub(super) items: Vec<Thing>,
    pub(super) total: Option<u64>,
}
