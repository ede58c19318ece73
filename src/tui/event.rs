//! What can happen to the console, and what it can ask for. One queue of events, one
//! total order: what happened can be told again.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::log::LogLine;
use super::state::{TabAct, TabId};
use super::tour::Act;
use super::{Listed, Site};
use crate::config::{Config, Fault, Kept};
use crate::http::Call;
use crate::model::{
    Capabilities, Change, Object, ObjectRef, Operation, Page, Plan, Problem, Query, Raw, Task,
    TaskId, Time,
};
use crate::provider::DataRange;
use crate::task::Control;

/// When something happened: time comes with events, never from a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "(u64, Time)", from = "(u64, Time)")]
pub(crate) struct Moment {
    /// By the wall clock, for ages.
    pub(crate) wall: Time,
    /// Since the console began, for what must wait or end; in whole microseconds.
    pub(crate) clock: Duration,
}

impl From<Moment> for (u64, Time) {
    fn from(moment: Moment) -> Self {
        let micros = u64::try_from(moment.clock.as_micros()).unwrap_or(u64::MAX);
        (micros, moment.wall)
    }
}

impl From<(u64, Time)> for Moment {
    fn from((micros, wall): (u64, Time)) -> Self {
        Self {
            wall,
            clock: Duration::from_micros(micros),
        }
    }
}

/// Marks a question, so that its answer is known and a stale one is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Ticket(pub(crate) u64);

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Event {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted; it is never taken as keys.
    Paste(String),
    /// The mouse pressed this.
    Click(super::view::Hit),
    /// The mouse asks what can be done with this row; with none, nothing any more.
    Menu(Option<super::state::RowId>),
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
    /// The configuration was read again.
    Configured(Result<Box<Config>, Vec<Fault>>),
    /// Something outside that was asked for is done: what to say of it.
    Told(Result<String, Problem>),
    /// What would be in a support bundle was gathered: the list of it.
    Gathered(Result<String, Problem>),
    /// Parts of the program said this.
    Logged(Vec<LogLine>),
    /// These calls were made to the system.
    Called(Vec<Arc<Call>>),
    /// What the last frame cost; told only while it is looked at.
    Drawn(Cost),
    /// This happened to the tab of this number, which need not be the one in hand.
    Tab(TabId, Box<Event>),
    /// The system of the tab is there.
    Opened(Box<Opened>),
    /// It is not, and why.
    NotOpened(Problem),
    /// It was signed in to again, or could not be.
    Renewed(Result<Box<Opened>, Problem>),
    /// What can be opened was read again.
    Profiles(Vec<Listed>),
}

/// A system that was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Opened {
    /// What it is called.
    pub(crate) profile: String,
    /// What it has and can do.
    pub(crate) system: Capabilities,
    /// Why nothing can be changed, where nothing can.
    pub(crate) read_only: Option<String>,
    /// Its tasks.
    pub(crate) tasks: Vec<Arc<Task>>,
}

/// What a frame cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Its number.
    pub(crate) frame: u64,
    /// Drawing it, in microseconds.
    pub(crate) view: u64,
    /// Finding its bytes, in microseconds.
    pub(crate) encode: u64,
    /// Taking in what happened before it, in microseconds.
    pub(crate) update: u64,
    /// Its bytes.
    pub(crate) bytes: u64,
}

/// What is looked at where a volume or a snapshot lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    Shown(#[serde(with = "shown")] Box<Result<Object, Problem>>),
    /// A body as the system has it.
    Raw(Result<Raw, Problem>),
    /// What the operations would do, each in its place.
    Planned(Vec<Result<Plan, Problem>>),
    /// What became of the plans that were submitted, each in its place.
    Submitted(Vec<Result<TaskId, Problem>>),
    /// A task was controlled, or not.
    Controlled(Result<(), Problem>),
    /// Something happened in the estate, or could not: what to say of it.
    Staged(Result<String, Problem>),
}

/// One thing, written down so that it says of which kind it is.
mod shown {
    use super::{Deserialize, Object, Problem, Serialize};
    use crate::model::Thing;

    pub(super) fn serialize<S: serde::Serializer>(
        shown: &Result<Object, Problem>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let thing = shown.as_ref().map(|object| Thing::from(object.clone()));
        thing.serialize(to)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        from: D,
    ) -> Result<Box<Result<Object, Problem>>, D::Error> {
        let thing = Result::<Thing, Problem>::deserialize(from)?;
        Ok(Box::new(thing.map(Object::from)))
    }
}

/// The form of a picture of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PictureForm {
    /// What it says, without colours.
    Text,
    /// With the sequences that a terminal draws it by.
    Ansi,
    /// A drawing for a browser or a document.
    Svg,
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
    /// Let this happen in the estate.
    Stage(Ticket, Act),
    /// Nobody wants the answer to this any more.
    Forget(Ticket),
    /// Put this text into the clipboard; what it is comes first.
    Copy(&'static str, String),
    /// Keep a picture of the screen.
    Picture(PictureForm),
    /// Take the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Draw everything anew.
    Repaint,
    /// Read the configuration again.
    Reload,
    /// Keep the calls that were made in a file.
    SaveTrace,
    /// Gather what would be in a support bundle.
    Gather,
    /// Write the support bundle that was gathered last.
    Bundle,
    /// Keep what was chosen for the next start.
    Keep(Box<Kept>),
    /// Change nothing any more, whatever is asked.
    Lock,
    /// Open this for the tab.
    Open(Site),
    /// Sign in to the tab's system again.
    Renew,
    /// The tab is closed: nobody wants anything of its system any more.
    Close,
    /// Do this with tabs; done before anything outside hears of it.
    Tab(TabAct),
    /// Read again what can be opened.
    Profiles,
    /// Stop the program until it is continued.
    Suspend,
    /// End.
    Quit,
}
