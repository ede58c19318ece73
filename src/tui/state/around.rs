//! A tab among the others: how far it is open, and what it sees of the rest.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Inventory, Place, State, Views};
use crate::config::theme::Role;
use crate::model::{Capabilities, Problem, Time, Words};
use crate::tui::event::{Effect, Opened};
use crate::tui::overlay::Overlay;
use crate::tui::{Listed, Site};

/// Marks a tab; the number of one that was closed is never used again.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct TabId(pub(crate) u32);

/// How far a tab is open.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// It is being opened since then.
    Opening(Duration),
    /// It could not be opened.
    Failed(Problem, Time),
    /// It is open. It is being signed in to again since then, where it is.
    Open(Option<Duration>),
}

impl Stage {
    /// Whether there is a system behind it.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open(_))
    }

    /// Since when something is waited for.
    pub(crate) fn since(&self) -> Option<Duration> {
        match self {
            Self::Opening(since) | Self::Open(Some(since)) => Some(*since),
            Self::Failed(..) | Self::Open(None) => None,
        }
    }
}

/// What is to be done with tabs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TabAct {
    /// Goes to this one.
    Go(TabId),
    /// Goes so many further, or back.
    Turn(isize),
    /// Opens this, or goes to where it is open.
    Open(Site),
    /// Closes this one; what runs on it was told.
    Close(TabId),
    /// Opens this one again where it failed, or signs in again.
    Again(TabId),
}

/// What a tab sees of one of them, itself included.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Neighbour {
    pub(crate) id: TabId,
    pub(crate) site: Site,
    /// What it is called.
    pub(crate) name: String,
    pub(crate) stage: Stage,
    /// The kind of system, where it is open.
    pub(crate) system: Option<String>,
    pub(crate) read_only: bool,
    /// What runs on it, each in a few words.
    pub(crate) running: Vec<String>,
    /// How many messages nobody has read.
    pub(crate) unseen: u64,
    /// How many volumes it has, where that is known.
    pub(crate) volumes: Option<usize>,
    /// When its volumes were last read.
    pub(crate) loaded: Option<Time>,
    /// Why they could not be read the last time.
    pub(crate) trouble: Option<String>,
}

impl Neighbour {
    /// What is seen of a tab.
    pub(crate) fn of(state: &State) -> Self {
        let volumes = &state.inventory.volumes;
        let open = state.stage.is_open();
        Self {
            id: state.id,
            site: state.site.clone(),
            name: state.profile.clone(),
            stage: state.stage.clone(),
            system: open.then(|| state.system.system.to_owned()),
            read_only: state.read_only.is_some(),
            running: state.running(),
            unseen: state.messages.unseen(),
            volumes: volumes.loaded.map(|_| volumes.items.len()),
            loaded: volumes.loaded,
            trouble: volumes.problem.as_ref().map(|problem| problem.what.clone()),
        }
    }

    /// Whether it can be opened anew.
    ///
    /// # Errors
    /// Why not, as a clause in lower case.
    pub(crate) fn can_renew(&self) -> Result<(), String> {
        match (&self.stage, &self.site) {
            (Stage::Opening(_), _) => Err(format!("{} is being opened already", self.name)),
            (Stage::Open(Some(_)), _) => {
                Err(format!("{} is being signed in to already", self.name))
            }
            (Stage::Open(None), Site::Store) => {
                Err("a store is here: there is nothing to sign in to".to_owned())
            }
            (Stage::Failed(..), _) | (Stage::Open(None), Site::Profile(_)) => Ok(()),
        }
    }
}

/// What a tab sees around it.
#[derive(Debug, Default)]
pub(crate) struct Around {
    /// The tabs in their order; none where there is but one and nothing else to open.
    pub(crate) tabs: Vec<Neighbour>,
    /// What can be opened.
    pub(crate) listed: Vec<Listed>,
    /// Counts the changes.
    pub(crate) version: u64,
}

impl Around {
    /// The tab that something is open in.
    pub(crate) fn tab_of(&self, site: &Site) -> Option<&Neighbour> {
        self.tabs.iter().find(|tab| tab.site == *site)
    }

    /// What the list says of something that can be opened.
    pub(crate) fn said_of(&self, site: &Site) -> Option<&Listed> {
        self.listed.iter().find(|listed| listed.site == *site)
    }

    /// Whether there is more than one.
    pub(crate) fn are_several(&self) -> bool {
        self.tabs.len() > 1
    }

    /// Whether there is anything to choose from.
    pub(crate) fn offers(&self) -> bool {
        let profile = |listed: &Listed| listed.site != Site::Store;
        self.are_several() || self.listed.iter().any(profile)
    }
}

/// A system of which nothing is known yet.
pub(crate) fn unopened() -> Capabilities {
    Capabilities {
        system: "what is not open",
        kinds: Vec::new(),
        operations: Vec::new(),
        page_size: 0,
        concurrency: 0,
        called: false,
        words: Words {
            volume: "volume",
            snapshot: "snapshot",
            group: "group",
            session: "session",
            target: "target",
        },
    }
}

impl State {
    /// The tabs but this one.
    pub(crate) fn others(&self) -> impl Iterator<Item = &Neighbour> {
        let all = self.around.tabs.iter();
        all.filter(|tab| tab.id != self.id)
    }

    /// What runs here, each in a few words.
    pub(crate) fn running(&self) -> Vec<String> {
        let told = self.tasks.active().map(|task| {
            let subject = self.clean(&task.plan.subject);
            format!("{} {subject}", task.plan.operation.kind.verb())
        });
        told.collect()
    }

    /// The system is there.
    pub(crate) fn opened(&mut self, opened: Opened) {
        let was = self.screen().place.clone();
        self.views = Views::new(&opened.system);
        self.profile = opened.profile;
        self.system = opened.system;
        self.read_only = opened.read_only;
        self.stage = Stage::Open(None);
        self.inventory = Inventory::default();
        self.trail = super::Trail::default();
        self.tasks.take_all(opened.tasks);
        self.sort_as_kept();
        if self.around.offers() {
            self.views.offer(Place::Profiles);
        }
        // Whoever looks at something else meanwhile goes on looking at it.
        if was != Place::Opening {
            self.views.turn_to(&was);
        }
    }

    /// The system could not be opened.
    pub(crate) fn not_opened(&mut self, problem: Problem) {
        self.stage = Stage::Failed(problem.clone(), self.now.wall);
        // Where it is told whole, it need not be said again.
        if self.screen().place != Place::Opening {
            self.notify(problem.to_string(), Role::Error);
        }
        self.messages.add(problem, self.now.wall);
    }

    /// It was signed in to again, or could not be.
    pub(crate) fn renewed(&mut self, result: Result<Opened, Problem>) {
        self.stage = Stage::Open(None);
        let opened = match result {
            Ok(opened) => opened,
            Err(mut problem) => {
                problem
                    .hints
                    .push("what was read before is still shown".to_owned());
                self.complain(problem);
                return;
            }
        };
        self.profile = opened.profile;
        self.read_only = opened.read_only;
        if opened.system != self.system {
            let hidden = self.screen().place.clone();
            self.system = opened.system;
            self.views = Views::new(&self.system);
            self.views.turn_to(&hidden);
            if self.around.offers() {
                self.views.offer(Place::Profiles);
            }
        }
        self.tasks.take_all(opened.tasks);
        // Who was asked is not there any more.
        self.forget(|_| true);
        self.inventory.ask_anew();
        self.overlays.retain(|overlay| !overlay.is_waiting());
        self.notify("signed in again", Role::Info);
    }

    /// What is common to all tabs comes along from the one that was left.
    pub(crate) fn come_from(&mut self, left: &mut Self) {
        self.now = left.now;
        self.mouse = left.mouse;
        self.cost = left.cost;
        self.speaks = left.speaks;
        self.hidden.clone_from(&left.hidden);
        self.filters.clone_from(&left.filters);
        self.log = std::mem::take(&mut left.log);
        self.take_choices(left);
        // What was typed for another tab answers nothing here.
        let now = self.now.clock;
        for overlay in &mut self.overlays {
            overlay.open_again(now);
        }
        self.around.listed.clone_from(&left.around.listed);
        // What it saw of the others grows old from now on; and whoever goes elsewhere does not leave.
        left.around.tabs.clear();
        left.around.version += 1;
        left.overlays.retain(|overlay| !overlay.asks_to_leave());
    }

    /// Whether somebody was asked to stay for what runs, and nothing does any more.
    pub(crate) fn asked_for_nothing(&self) -> bool {
        let runs = self.tasks.active().next().is_some()
            || self.others().any(|tab| !tab.running.is_empty());
        !runs && self.overlays.iter().any(Overlay::asks_to_leave)
    }

    /// Leaves where that was asked for and nothing runs any more; unless there is something to see.
    pub(crate) fn leave_at_last(&mut self, failed: bool) {
        if !self.asked_for_nothing() {
            return;
        }
        self.overlays.retain(|overlay| !overlay.asks_to_leave());
        if !failed {
            self.effect(Effect::Quit);
        }
    }
}
