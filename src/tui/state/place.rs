//! Where the user is: a stack of screens for each view, so that going back finds everything as
//! it was left.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::look::Look;
use crate::model::{Capabilities, Kind, ObjectRef, Raw, TaskId, VolumeId};
use crate::tui::Site;

/// What a screen shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Everything at a glance, and what needs attention.
    Pulse,
    /// All volumes.
    Volumes,
    /// All snapshots.
    Snapshots,
    /// All groups.
    Groups,
    /// All sessions, with the targets that are linked to each.
    Sessions,
    /// All linked targets, and other copies under way.
    Targets,
    /// All machines that volumes are attached to.
    Instances,
    /// The tasks of this console, and those that are not over.
    Tasks,
    /// All tasks that there ever were.
    Journal,
    /// What went wrong.
    Messages,
    /// The calls that were made to the system.
    Trace,
    /// A volume with its snapshot tree.
    Tree(VolumeId),
    /// A group or a session with its members.
    Members(ObjectRef),
    /// A volume or a snapshot as it lies, with what changed since a marked one.
    Map(ObjectRef, Option<ObjectRef>),
    /// What differs between two points in time.
    Difference(ObjectRef, ObjectRef),
    /// One machine, by name.
    Instance(String),
    /// The time line of one task.
    Task(TaskId),
    /// All fields of one thing.
    Describe(ObjectRef),
    /// One thing as the system has it.
    Raw(ObjectRef),
    /// One message, whole.
    Message(u64),
    /// One call, whole.
    Call(u64),
    /// What parts of the program said.
    Log,
    /// What would be in a support bundle.
    Bundle,
    /// Everything that can be opened, and what is.
    Profiles,
    /// How opening the system goes, or why it did not.
    Opening,
}

impl Place {
    /// The views that there can be, in the order of their tabs.
    pub(crate) const VIEWS: [Self; 12] = [
        Self::Pulse,
        Self::Volumes,
        Self::Snapshots,
        Self::Groups,
        Self::Sessions,
        Self::Targets,
        Self::Instances,
        Self::Tasks,
        Self::Journal,
        Self::Messages,
        Self::Trace,
        Self::Profiles,
    ];

    /// The kinds that its rows are made from, the first before all.
    pub(crate) fn kinds(&self) -> &'static [Kind] {
        match self {
            Self::Pulse => &[
                Kind::Volume,
                Kind::Snapshot,
                Kind::Group,
                Kind::Session,
                Kind::Target,
            ],
            Self::Volumes => &[Kind::Volume],
            Self::Instances | Self::Instance(_) => &[Kind::Volume, Kind::Group],
            Self::Snapshots => &[Kind::Snapshot],
            Self::Groups => &[Kind::Group],
            Self::Sessions => &[Kind::Session, Kind::Target],
            Self::Targets => &[Kind::Target, Kind::Volume],
            Self::Members(object) | Self::Describe(object) => match object.kind {
                Kind::Group => &[Kind::Group],
                Kind::Session => &[Kind::Session, Kind::Target],
                Kind::Target => &[Kind::Target],
                // A snapshot may be known from elsewhere, and all of them can be many.
                Kind::Volume | Kind::Snapshot => &[Kind::Volume],
            },
            _ => &[],
        }
    }

    /// What its kind of view is called among the settings of views.
    pub(crate) fn view(&self) -> &'static str {
        match self {
            Self::Pulse => "pulse",
            Self::Volumes => "volumes",
            Self::Snapshots => "snapshots",
            Self::Groups => "groups",
            Self::Sessions => "sessions",
            Self::Targets => "targets",
            Self::Instances => "instances",
            Self::Tasks => "tasks",
            Self::Journal => "journal",
            Self::Messages => "messages",
            Self::Trace => "trace",
            Self::Profiles => "profiles",
            Self::Tree(_) => "tree",
            Self::Members(_) => "members",
            Self::Instance(_) => "instance",
            Self::Difference(..) => "difference",
            Self::Map(..)
            | Self::Task(_)
            | Self::Describe(_)
            | Self::Raw(_)
            | Self::Message(_)
            | Self::Call(_)
            | Self::Log
            | Self::Bundle
            | Self::Opening => "text",
        }
    }

    /// The thing that it is all about, where it is about one.
    pub(crate) fn object(&self) -> Option<ObjectRef> {
        match self {
            Self::Tree(volume) => Some(volume.into()),
            Self::Members(object)
            | Self::Describe(object)
            | Self::Raw(object)
            | Self::Map(object, _)
            | Self::Difference(_, object) => Some(object.clone()),
            _ => None,
        }
    }

    /// Whether it is a text to scroll rather than rows to choose from.
    pub(crate) fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Task(_)
                | Self::Describe(_)
                | Self::Raw(_)
                | Self::Message(_)
                | Self::Call(_)
                | Self::Map(..)
                | Self::Log
                | Self::Bundle
                | Self::Opening
        )
    }
}

/// What a row stands for; selection and marks are by this, never by a number of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RowId {
    /// A thing of the system.
    Object(ObjectRef),
    /// The present place of the volume in its tree.
    Here,
    /// A task.
    Task(TaskId),
    /// A message.
    Message(u64),
    /// A machine.
    Instance(String),
    /// A stretch that differs, by where it begins.
    Stretch(u64),
    /// A call.
    Call(u64),
    /// Something that can be opened.
    Site(Site),
}

/// By which column rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sort {
    /// The column's place among the columns of the view.
    pub(crate) column: usize,
    /// Greatest first.
    pub(crate) descending: bool,
}

/// What the rows that are shown were worked out from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Stamp {
    /// The version of the data.
    pub(crate) version: u64,
    /// The filter.
    pub(crate) filter: String,
    /// The sort, where there is one.
    pub(crate) sort: Option<(usize, bool)>,
}

/// One screen of a stack.
#[derive(Debug)]
pub(crate) struct Screen {
    /// What it shows.
    pub(crate) place: Place,
    /// The selected row.
    pub(crate) selected: Option<RowId>,
    /// Where that row is among those shown; set right after each event.
    pub(crate) cursor: usize,
    /// The first row, or line of text, on the screen.
    pub(crate) top: usize,
    /// The marked rows.
    pub(crate) marks: BTreeSet<RowId>,
    /// What `/` narrows to.
    pub(crate) filter: String,
    /// By what it is sorted; `None` leaves the order of the data.
    pub(crate) sort: Option<Sort>,
    /// Which rows of the data are shown, in their order.
    pub(crate) shown: Vec<u32>,
    /// While a filter narrows them: all of them, in their order, where they are known.
    pub(crate) whole: Option<Vec<u32>>,
    /// How wide the widest name among them is.
    pub(crate) widest: u16,
    /// What `shown` was worked out from.
    pub(crate) stamp: Option<Stamp>,
    /// When the selection last moved.
    pub(crate) moved: Duration,
    /// Its list has not been seen whole yet.
    pub(crate) filling: bool,
    /// The body, for a screen that shows one.
    pub(crate) raw: Option<Raw>,
    /// What was found, for a screen that shows where something lies.
    pub(crate) look: Option<Box<Look>>,
}

impl Screen {
    /// A fresh screen.
    pub(crate) fn new(place: Place) -> Self {
        let column = match place {
            Place::Volumes | Place::Targets => Some(0),
            Place::Snapshots => Some(2),
            Place::Groups => Some(3),
            Place::Sessions => Some(5),
            _ => None,
        };
        let sort = column.map(|column| Sort {
            column,
            descending: false,
        });
        Self {
            place,
            selected: None,
            cursor: 0,
            top: 0,
            marks: BTreeSet::new(),
            filter: String::new(),
            sort,
            shown: Vec::new(),
            whole: None,
            widest: 0,
            stamp: None,
            moved: Duration::ZERO,
            filling: true,
            raw: None,
            look: None,
        }
    }
}

/// The numbered views, each with its stack of screens.
#[derive(Debug)]
pub(crate) struct Views {
    /// Which is in hand.
    current: usize,
    stacks: Vec<Vec<Screen>>,
}

impl Views {
    /// The views of a system that has these kinds: one without data is not there.
    pub(crate) fn new(system: &Capabilities) -> Self {
        let has = |place: &Place| match place {
            Place::Trace => system.called,
            // It comes with what there is to open.
            Place::Profiles => false,
            other => other
                .kinds()
                .first()
                .is_none_or(|kind| system.kinds.contains(kind)),
        };
        let views = Place::VIEWS.into_iter().filter(has);
        let stacks: Vec<_> = views.map(|place| vec![Screen::new(place)]).collect();
        let first = |stack: &Vec<Screen>| stack[0].place == Place::Volumes;
        Self {
            current: stacks.iter().position(first).unwrap_or(0),
            stacks,
        }
    }

    /// The views of what is not open.
    pub(crate) fn unopened() -> Self {
        let views = [Place::Opening, Place::Messages];
        Self {
            current: 0,
            stacks: views.map(|place| vec![Screen::new(place)]).into(),
        }
    }

    /// Has a view of this from now on, as the last.
    pub(crate) fn offer(&mut self, place: Place) {
        if !self.has(&place) {
            self.stacks.push(vec![Screen::new(place)]);
        }
    }

    /// The views that there are, and which of them is in hand.
    pub(crate) fn tabs(&self) -> (impl Iterator<Item = &Place>, usize) {
        (self.stacks.iter().map(|s| &s[0].place), self.current)
    }

    /// Whether there is a view of this.
    pub(crate) fn has(&self, place: &Place) -> bool {
        self.stacks.iter().any(|stack| stack[0].place == *place)
    }

    /// Turns to the view of this; says whether it was in hand already.
    pub(crate) fn turn_to(&mut self, place: &Place) -> bool {
        let found = self
            .stacks
            .iter()
            .position(|stack| stack[0].place == *place);
        let there = found == Some(self.current);
        self.current = found.unwrap_or(self.current);
        there
    }

    /// Turns to the next view, or back.
    pub(crate) fn turn(&mut self, by: isize) {
        let count = self.stacks.len();
        self.current = (self.current + count).wrapping_add_signed(by) % count;
    }

    /// The stack in hand, the root first.
    pub(crate) fn stack(&self) -> &[Screen] {
        &self.stacks[self.current]
    }

    /// The screen in hand.
    pub(crate) fn screen(&self) -> &Screen {
        let stack = &self.stacks[self.current];
        // A stack never loses its root.
        &stack[stack.len() - 1]
    }

    /// The screen in hand, to change it.
    pub(crate) fn screen_mut(&mut self) -> &mut Screen {
        let stack = &mut self.stacks[self.current];
        let last = stack.len() - 1;
        &mut stack[last]
    }

    /// Goes to where somebody was: the screens that are still there stay as they are.
    pub(crate) fn restore(&mut self, location: &[Place]) {
        let Some(root) = location.first() else {
            return;
        };
        self.turn_to(root);
        let stack = &mut self.stacks[self.current];
        let same = stack
            .iter()
            .zip(location)
            .take_while(|(s, p)| s.place == **p);
        let same = same.count().max(1);
        stack.truncate(same);
        stack.extend(location.iter().skip(same).cloned().map(Screen::new));
    }

    /// Goes one deeper.
    pub(crate) fn push(&mut self, place: Place) {
        self.stacks[self.current].push(Screen::new(place));
    }

    /// Goes back; `false` at the root.
    pub(crate) fn pop(&mut self) -> bool {
        let stack = &mut self.stacks[self.current];
        let deep = stack.len() > 1;
        if deep {
            stack.pop();
        }
        deep
    }

    /// Goes back over screens of things that are gone.
    pub(crate) fn drop_where(&mut self, gone: impl Fn(&Place) -> bool) {
        for stack in &mut self.stacks {
            if let Some(first) = stack.iter().skip(1).position(|s| gone(&s.place)) {
                stack.truncate(first + 1);
            }
        }
    }

    /// Every screen of every stack.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Screen> {
        self.stacks.iter_mut().flatten()
    }
}
