//! What a step waits for: looked up in what the console shows and in what the system did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::walk::Walk;
use crate::model::{Kind, ObjectRef, OperationKind, Task, TaskState};
use crate::task::{roll_back, undo};
use crate::tui::overlay::Overlay;
use crate::tui::state::{Pane, Place, RowId, State};

/// Something that must be so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Expect {
    /// A view is shown.
    View(View),
    /// The thing that the view is about has this name.
    About(String),
    /// The selected thing has this name.
    Selected(String),
    /// The things of these names are marked, and no others.
    Marked(Vec<String>),
    /// So many are marked at least.
    Marks(usize),
    /// The list is narrowed, or is not.
    Filtered(bool),
    /// A dialog stands over the screen.
    Open(Dialog),
    /// The form of this operation is open.
    Form(OperationKind),
    /// The plan of this operation is shown.
    Plan(OperationKind),
    /// The docked tasks are shown with their steps.
    Steps(bool),
    /// There is a task like this, of those that were begun since the tour was.
    Task(Wanted),
    /// A task of this kind was taken back, or rolled back.
    Undone(OperationKind),
    /// There is a thing like this.
    There(Named),
    /// There is none.
    Gone(Named),
    /// One of these at least.
    Any(Vec<Self>),
}

/// The views, as tours name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum View {
    Pulse,
    Volumes,
    Snapshots,
    Groups,
    Sessions,
    Targets,
    Instances,
    Tasks,
    Journal,
    Messages,
    Tree,
    Members,
    Map,
    Difference,
    Instance,
    Task,
    Describe,
    Raw,
    Message,
    Log,
    Bundle,
    Trace,
    Call,
    Profiles,
    Opening,
}

impl View {
    fn of(place: &Place) -> Self {
        match place {
            Place::Pulse => Self::Pulse,
            Place::Volumes => Self::Volumes,
            Place::Snapshots => Self::Snapshots,
            Place::Groups => Self::Groups,
            Place::Sessions => Self::Sessions,
            Place::Targets => Self::Targets,
            Place::Instances => Self::Instances,
            Place::Tasks => Self::Tasks,
            Place::Journal => Self::Journal,
            Place::Messages => Self::Messages,
            Place::Tree(_) => Self::Tree,
            Place::Members(_) => Self::Members,
            Place::Map(..) => Self::Map,
            Place::Difference(..) => Self::Difference,
            Place::Instance(_) => Self::Instance,
            Place::Task(_) => Self::Task,
            Place::Describe(_) => Self::Describe,
            Place::Raw(_) => Self::Raw,
            Place::Message(_) => Self::Message,
            Place::Log => Self::Log,
            Place::Bundle => Self::Bundle,
            Place::Trace => Self::Trace,
            Place::Profiles => Self::Profiles,
            Place::Opening => Self::Opening,
            Place::Call(_) => Self::Call,
        }
    }
}

/// The dialogs, as tours name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dialog {
    Help,
    Filter,
    List,
    Form,
    Plan,
    Question,
}

impl Dialog {
    fn is(self, overlay: &Overlay) -> bool {
        matches!(
            (self, overlay),
            (Self::Help, Overlay::Help(_))
                | (Self::Filter, Overlay::Filter(_))
                | (Self::List, Overlay::Chooser(_))
                | (Self::Form, Overlay::Form(_))
                | (Self::Plan, Overlay::Review(_))
                | (Self::Question, Overlay::Question(_))
        )
    }
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Wanted {
    /// What it does.
    kind: OperationKind,
    /// The name of something that it touches, or that it makes.
    #[serde(default)]
    on: Option<String>,
    /// How it stands.
    #[serde(default)]
    state: Standing,
    /// One of its steps was begun so many times at least.
    #[serde(default)]
    attempts: u32,
    /// What was filled in, by the names of fields.
    #[serde(default, rename = "with")]
    values: BTreeMap<String, String>,
}

/// How a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Standing {
    /// However it stands.
    Begun,
    #[default]
    Succeeded,
    Failed,
    Cancelled,
}

/// A thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Named {
    kind: Kind,
    name: String,
}

impl Expect {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// What does not.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::There(Named { kind, .. }) | Self::Gone(Named { kind, .. })
                if *kind == Kind::Snapshot =>
            {
                Err("snapshots are looked for by their tasks".to_owned())
            }
            Self::Any(some) if some.is_empty() => Err("any of nothing is never so".to_owned()),
            Self::Any(some) => some.iter().try_for_each(Self::check),
            _ => Ok(()),
        }
    }

    /// Whether it stays so once it is: what was done, not what is shown.
    pub(super) fn lasts(&self) -> bool {
        match self {
            Self::Task(_) | Self::Undone(_) | Self::There(_) | Self::Gone(_) => true,
            Self::Any(some) => some.iter().all(Self::lasts),
            _ => false,
        }
    }

    /// The list that it is looked up in, where it is in one.
    pub(crate) fn kind(&self) -> Option<Kind> {
        match self {
            Self::There(named) | Self::Gone(named) => Some(named.kind),
            _ => None,
        }
    }

    /// Whether it is so.
    pub(super) fn holds(&self, state: &State, walk: &Walk) -> bool {
        let screen = state.screen();
        let overlays = &state.overlays;
        match self {
            Self::View(view) => View::of(&screen.place) == *view,
            Self::About(name) => match &screen.place {
                Place::Instance(instance) => instance == name,
                place => place.object().is_some_and(|o| called(state, &o, name)),
            },
            Self::Selected(name) => match &screen.selected {
                Some(RowId::Instance(instance)) => instance == name,
                _ => state.object().is_some_and(|o| called(state, &o, name)),
            },
            Self::Marked(names) => {
                let marks = &screen.marks;
                let is = |name: &String, mark: &RowId| match mark {
                    RowId::Object(object) => called(state, object, name),
                    RowId::Instance(instance) => instance == name,
                    _ => false,
                };
                let marked = |name: &String| marks.iter().any(|mark| is(name, mark));
                marks.len() == names.len() && names.iter().all(marked)
            }
            Self::Marks(count) => screen.marks.len() >= *count,
            Self::Filtered(wanted) => screen.filter.is_empty() != *wanted,
            Self::Open(dialog) => overlays.last().is_some_and(|o| dialog.is(o)),
            Self::Form(kind) => overlays.iter().any(
                |o| matches!(o, Overlay::Form(form) if form.spec.kind == *kind && !form.silent),
            ),
            Self::Plan(kind) => overlays.iter().any(|o| match o {
                Overlay::Review(review) => {
                    review.plans.iter().any(|plan| plan.operation.kind == *kind)
                }
                _ => false,
            }),
            Self::Steps(shown) => (state.tasks.pane == Pane::Large) == *shown,
            Self::Task(wanted) => tasks(state, walk).any(|task| wanted.is(task)),
            Self::Undone(kind) => {
                let of = tasks(state, walk).filter(|task| task.plan.operation.kind == *kind);
                let mut backs = of
                    .filter_map(|task| undo(task).or_else(|_| roll_back(task, &state.system)).ok());
                backs.any(|back| {
                    tasks(state, walk).any(|task| {
                        task.plan.operation == back && task.state == TaskState::Succeeded
                    })
                })
            }
            Self::There(named) => known(state, named.kind) && named.is_there(state),
            Self::Gone(named) => known(state, named.kind) && !named.is_there(state),
            Self::Any(some) => some.iter().any(|one| one.holds(state, walk)),
        }
    }
}

/// The tasks that were begun since the tour was, the newest first.
fn tasks<'a>(state: &'a State, walk: &'a Walk) -> impl Iterator<Item = &'a Task> {
    let new = state.tasks.items.iter().filter(|t| walk.is_new(&t.id));
    new.map(AsRef::as_ref)
}

/// Whether a thing is called so: by its name, or by its whole name.
fn called(state: &State, object: &ObjectRef, name: &str) -> bool {
    let found = state.find(object);
    found.is_some_and(|found| found.name() == name || found.full_name() == name)
}

/// Whether the list of a kind was read.
fn known(state: &State, kind: Kind) -> bool {
    state.inventory.standing(kind).loaded.is_some()
}

impl Named {
    fn is_there(&self, state: &State) -> bool {
        let inventory = &state.inventory;
        let name = &self.name;
        match self.kind {
            Kind::Volume => inventory.volumes.items.iter().any(|v| v.name == *name),
            Kind::Snapshot => false,
            Kind::Group => inventory.groups.items.iter().any(|g| g.name == *name),
            Kind::Session => inventory.sessions.items.iter().any(|s| s.name == *name),
            Kind::Target => inventory.targets.items.iter().any(|t| t.name == *name),
        }
    }
}

impl Wanted {
    fn is(&self, task: &Task) -> bool {
        let operation = &task.plan.operation;
        let stands = match self.state {
            Standing::Begun => true,
            Standing::Succeeded => task.state == TaskState::Succeeded,
            Standing::Failed => task.state == TaskState::Failed,
            Standing::Cancelled => task.state == TaskState::Cancelled,
        };
        let on = self.on.as_ref().is_none_or(|name| {
            let touched = task.plan.touches.iter().any(|touched| {
                let short = touched.name.rsplit_once('@').map(|(_, short)| short);
                touched.name == *name || short == Some(name)
            });
            touched || operation.find_text("name") == Some(name)
        });
        let filled = self.values.iter().all(|(field, wanted)| {
            let value = operation.values.get(field);
            value.is_some_and(|value| value.to_string() == *wanted)
        });
        let attempts = task.steps.iter().map(|step| step.attempts).max();
        operation.kind == self.kind
            && stands
            && on
            && filled
            && attempts.unwrap_or(0) >= self.attempts
    }
}
