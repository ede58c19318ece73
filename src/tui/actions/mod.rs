//! What can be done: one registry, from which come the keys, the palette, the menu of actions,
//! the line at the bottom and the help. An action that cannot be done now says why.

mod change;
mod go;
mod keymap;
mod lie;
mod registry;
mod related;
mod stand_in;
mod table;
mod tabs;
mod terminal;
mod tour;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::key::Key;
use super::state::State;
use crate::model::OperationKind;

pub(crate) use change::{begin, can, failed_restore, offered};
pub(crate) use go::{go_to, is_of_screen, is_row, quit};
pub(crate) use keymap::Keymap;
pub(crate) use registry::ACTIONS;
pub(crate) use related::{place_of, related};
pub(crate) use tabs::leads_to_tab;

/// The name of an action. Written down, and in the configuration, it is in kebab-case (`mark-all`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ActionId {
    Open,
    Back,
    Palette,
    Related,
    Backward,
    Forward,
    Filter,
    Sort,
    Columns,
    Mark,
    MarkAll,
    Describe,
    Raw,
    Map,
    Difference,
    Create,
    Snapshot,
    Group,
    Session,
    Edit,
    Delete,
    Restore,
    Clone,
    Flatten,
    Extend,
    Shrink,
    Link,
    Part,
    Menu,
    Retry,
    Cancel,
    Pause,
    Undo,
    RollBack,
    Pane,
    Refresh,
    Messages,
    Help,
    Quit,
    Suspend,
    Volumes,
    Snapshots,
    Groups,
    Sessions,
    Targets,
    Tasks,
    Journal,
    Pulse,
    Instances,
    NextView,
    PreviousView,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Copy,
    Picture,
    Mouse,
    Perf,
    Log,
    Repaint,
    Reload,
    Trace,
    SaveTrace,
    Tours,
    TourPanel,
    TourNext,
    TourBack,
    TourLeave,
    Support,
    Profiles,
    Tab,
    NextTab,
    PreviousTab,
    CloseTab,
    SignIn,
}

/// What an action is about: the headings of the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Moving about.
    Move,
    /// Looking.
    Look,
    /// Changing the system.
    Change,
    /// Tasks.
    Task,
    /// Walkthroughs.
    Tour,
    /// The program itself.
    Program,
}

impl ActionId {
    /// The name in the configuration.
    pub(crate) fn name(self) -> String {
        let mut name = String::new();
        for c in format!("{self:?}").chars() {
            if c.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.extend(c.to_lowercase());
        }
        name
    }

    /// The one with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut ids = ACTIONS.iter().map(|action| action.id);
        ids.find(|id| id.name() == name)
    }
}

impl Group {
    /// Every group, in the order of the help.
    pub(crate) const ALL: [Self; 6] = [
        Self::Change,
        Self::Look,
        Self::Task,
        Self::Move,
        Self::Tour,
        Self::Program,
    ];

    /// The heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Move => "Moving about",
            Self::Look => "Looking",
            Self::Change => "Changing",
            Self::Task => "Tasks",
            Self::Tour => "Walkthroughs",
            Self::Program => "The program",
        }
    }
}

/// Something that can be done.
pub(crate) struct Action {
    /// Which.
    pub(crate) id: ActionId,
    /// One or two words, for the line at the bottom.
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) doc: &'static str,
    /// The keys that do it where the user has not said otherwise.
    pub(crate) defaults: &'static [Key],
    /// What it is about.
    pub(crate) group: Group,
    /// Why it cannot be done now, where it cannot.
    pub(crate) enabled: fn(&State) -> Result<(), String>,
    /// Does it.
    pub(crate) run: fn(&mut State),
}

impl Action {
    /// The action with this name.
    pub(crate) fn of(id: ActionId) -> &'static Self {
        // Every name is in the registry once and in order; a test holds it.
        &ACTIONS[id as usize]
    }

    /// The keys that do it now.
    pub(crate) fn keys<'a>(&self, state: &'a State) -> &'a [Key] {
        state.keymap.keys(self.id)
    }

    /// The first of its keys, as people write it; empty where it has none.
    pub(crate) fn key(&self, state: &State) -> String {
        let first = self.keys(state).first();
        first.map(Key::to_string).unwrap_or_default()
    }

    /// The action that shows a view.
    pub(crate) fn of_view(place: &crate::tui::state::Place) -> Option<&'static Self> {
        use crate::tui::state::Place;
        let id = match place {
            Place::Pulse => ActionId::Pulse,
            Place::Instances => ActionId::Instances,
            Place::Volumes => ActionId::Volumes,
            Place::Snapshots => ActionId::Snapshots,
            Place::Groups => ActionId::Groups,
            Place::Sessions => ActionId::Sessions,
            Place::Targets => ActionId::Targets,
            Place::Tasks => ActionId::Tasks,
            Place::Journal => ActionId::Journal,
            Place::Messages => ActionId::Messages,
            Place::Trace => ActionId::Trace,
            Place::Profiles => ActionId::Profiles,
            _ => return None,
        };
        Some(Self::of(id))
    }

    /// The figure among its keys, where there is one; else the first of them.
    pub(crate) fn digit(&self, state: &State) -> String {
        let keys = self.keys(state);
        let figure = |key: &&Key| key.typed().is_some_and(|c| c.is_ascii_digit());
        let key = keys.iter().find(figure).or(keys.first());
        key.map(Key::to_string).unwrap_or_default()
    }

    /// How it is done, as a hint writes it: its key, or its name where it has none.
    pub(crate) fn hint(&self, state: &State) -> String {
        match self.keys(state).first() {
            Some(key) => format!("<{key}>"),
            None => format!(":{}", self.name),
        }
    }

    /// The operation that it would begin for what is in hand, where it begins one.
    pub(crate) fn operation(&self, state: &State) -> Option<OperationKind> {
        change::kind(self.id, state)
    }

    /// What it does now: in the system's own words where that depends on what is in hand.
    pub(crate) fn title<'a>(&self, state: &'a State) -> Cow<'a, str> {
        let by_what = matches!(
            self.id,
            ActionId::Create
                | ActionId::Snapshot
                | ActionId::Group
                | ActionId::Session
                | ActionId::Edit
                | ActionId::Delete
                | ActionId::Restore
                | ActionId::Link
                | ActionId::Part
        );
        let kind = self.operation(state).filter(|_| by_what);
        let spec = kind.and_then(|kind| state.system.operation(kind));
        match spec {
            Some(spec) => spec.title.into(),
            None => self.doc.into(),
        }
    }
}

/// Does an action, or says why it cannot be done.
pub(crate) fn fire(state: &mut State, id: ActionId) {
    let action = Action::of(id);
    match (action.enabled)(state) {
        Ok(()) => (action.run)(state),
        Err(reason) => {
            let text = format!("{}: {reason}", action.name);
            state.notify(text, crate::config::theme::Role::Warn);
        }
    }
}
