//! A list to choose from, with a search: the palette, the menu of actions, columns to sort by,
//! things for a field.

use std::collections::BTreeSet;

use tui_input::Input;

use super::{After, Overlay, edit, things, type_into};
use crate::config::Theme;
use crate::config::theme::Role;
use crate::model::{ObjectRef, OperationKind};
use crate::tui::Site;
use crate::tui::actions::{self, ActionId};
use crate::tui::event::{Effect, PictureForm};
use crate::tui::key::Key;
use crate::tui::rows;
use crate::tui::state::{Need, Place, Sort, State, TabAct, TabId};
use crate::tui::tour::Walk;

/// What choosing an entry does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// Fires an action.
    Action(ActionId),
    /// Begins an operation.
    Operation(OperationKind),
    /// Changes the theme.
    Theme(String),
    /// Sorts by this column.
    Column(usize),
    /// Copies this text; what it is comes first.
    Copy(&'static str, String),
    /// Keeps a picture of the screen.
    Picture(PictureForm),
    /// Shows this column of this view, or hides it.
    Show(&'static str, &'static str),
    /// Sets out on the tour of this name.
    Tour(String),
    /// Goes there.
    Go(Place),
    /// Goes to this tab.
    Tab(TabId),
    /// Opens this in a tab of its own.
    Site(Site),
    /// Fills the field with this thing; with none, empties it.
    Object(Option<ObjectRef>),
}

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// What it is called; the search looks here.
    pub(crate) label: String,
    /// More about it.
    pub(crate) detail: String,
    /// The key that does the same.
    pub(crate) key: String,
    /// Why it cannot be chosen, where it cannot.
    pub(crate) reason: Option<String>,
    /// What it does.
    pub(crate) pick: Pick,
}

/// Where the entries of a field's list come from.
#[derive(Debug)]
struct Source {
    /// The list that they are made from.
    need: Need,
    /// Whether nothing may be chosen.
    optional: bool,
    /// The version of that list.
    version: u64,
}

/// The list.
#[derive(Debug)]
pub(crate) struct Chooser {
    /// What stands above it.
    pub(crate) title: String,
    /// What is searched for.
    pub(crate) input: Input,
    /// All entries.
    pub(crate) entries: Vec<Entry>,
    /// Those that match, the best first.
    pub(crate) found: Vec<usize>,
    /// Which of them is selected.
    pub(crate) cursor: usize,
    /// What is chosen so far, where several can be.
    pub(crate) chosen: Option<BTreeSet<ObjectRef>>,
    /// The theme to go back to, where one is being tried on.
    pub(super) before: Option<Theme>,
    /// What a field asks for.
    source: Option<Source>,
}

impl Chooser {
    /// A list of these.
    pub(crate) fn new(title: impl Into<String>, entries: Vec<Entry>) -> Self {
        let found = (0..entries.len()).collect();
        Self {
            title: title.into(),
            input: Input::default(),
            entries,
            found,
            cursor: 0,
            chosen: None,
            before: None,
            source: None,
        }
    }

    /// Things for a field. With `chosen`, several can be.
    pub(crate) fn objects(
        state: &State,
        label: &str,
        need: Need,
        optional: bool,
        chosen: Option<BTreeSet<ObjectRef>>,
    ) -> Self {
        let mut chooser = Self::new(label, Vec::new());
        chooser.chosen = chosen;
        chooser.source = Some(Source {
            need,
            optional,
            version: u64::MAX,
        });
        chooser.refresh(state);
        chooser
    }

    /// The list that it chooses from.
    pub(crate) fn need(&self) -> Option<Need> {
        self.source.as_ref().map(|source| source.need.clone())
    }

    /// Takes in what arrived since it was opened.
    pub(crate) fn refresh(&mut self, state: &State) {
        let Some(source) = &mut self.source else {
            return;
        };
        let version = things::version(state, &source.need);
        if version == source.version {
            return;
        }
        source.version = version;
        let mut entries = things::entries(state, &source.need);
        if source.optional && self.chosen.is_none() {
            entries.push(Entry {
                label: "(none)".to_owned(),
                detail: "leave it out".to_owned(),
                key: String::new(),
                reason: None,
                pick: Pick::Object(None),
            });
        }
        let selected = self.selected().map(|entry| entry.pick.clone());
        self.entries = entries;
        self.search();
        let again = |&i: &usize| Some(&self.entries[i].pick) == selected.as_ref();
        self.cursor = self.found.iter().position(again).unwrap_or(0);
    }

    /// Whether an entry is chosen, where several can be.
    pub(crate) fn is_chosen(&self, entry: &Entry) -> bool {
        match (&self.chosen, &entry.pick) {
            (Some(chosen), Pick::Object(Some(object))) => chosen.contains(object),
            _ => false,
        }
    }

    /// Chooses the selected entry, or takes it back, and goes on to the next.
    fn toggle(&mut self) {
        let pick = self.selected().map(|entry| entry.pick.clone());
        if let (Some(chosen), Some(Pick::Object(Some(object)))) = (&mut self.chosen, pick) {
            if !chosen.remove(&object) {
                chosen.insert(object);
            }
            self.cursor = (self.cursor + 1).min(self.found.len().saturating_sub(1));
        }
    }

    /// The selected entry.
    pub(crate) fn selected(&self) -> Option<&Entry> {
        self.found.get(self.cursor).map(|&i| &self.entries[i])
    }

    /// Searches for something from the start.
    pub(crate) fn seed(&mut self, text: &str) {
        type_into(&mut self.input, text);
        self.search();
    }

    fn search(&mut self) {
        let typed = self.input.value().trim().to_lowercase();
        let labels = self.entries.iter();
        let labels = labels.map(|entry| (entry.label.as_str(), entry.detail.as_str()));
        self.found = rows::search(&typed, labels);
        if !typed.is_empty() {
            // A name that begins as typed is what was meant, and says why where it cannot be now: nothing else
            // may slip under the key that follows.
            let entries = &self.entries;
            self.found.sort_by_cached_key(|&i| {
                let begins = entries[i].label.to_lowercase().starts_with(&typed);
                (!begins, entries[i].reason.is_some())
            });
        }
        self.cursor = 0;
    }

    pub(super) fn key(&mut self, state: &mut State, key: Key) -> After {
        let last = self.found.len().saturating_sub(1);
        match key {
            Key::ESC => {
                if let Some(before) = self.before.take() {
                    state.wear(before);
                }
                return After::Close;
            }
            Key::ENTER => return self.choose(state),
            Key::SPACE if self.chosen.is_some() => self.toggle(),
            Key::UP | Key::BACK_TAB => self.cursor = self.cursor.saturating_sub(1),
            Key::DOWN | Key::TAB => self.cursor = (self.cursor + 1).min(last),
            Key::PAGE_UP => self.cursor = self.cursor.saturating_sub(8),
            Key::PAGE_DOWN => self.cursor = (self.cursor + 8).min(last),
            key if key == Key::ctrl('p') => self.cursor = self.cursor.saturating_sub(1),
            key if key == Key::ctrl('n') => self.cursor = (self.cursor + 1).min(last),
            key => {
                if edit(&mut self.input, key) {
                    self.search();
                }
            }
        }
        self.try_on(state);
        After::Stay
    }

    /// Shows a theme while it is selected.
    fn try_on(&self, state: &mut State) {
        let Some(before) = &self.before else { return };
        let theme = match self.selected().map(|entry| &entry.pick) {
            Some(Pick::Theme(name)) if !self.input.value().is_empty() => {
                state.config.theme(name).cloned()
            }
            _ => None,
        };
        let theme = theme.unwrap_or_else(|| before.clone());
        if theme != state.theme {
            state.wear(theme);
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        self.seed(text);
    }

    pub(super) fn press(&mut self, state: &mut State, part: usize) -> After {
        if part >= self.found.len() {
            return After::Stay;
        }
        self.cursor = part;
        if self.chosen.is_some() {
            self.toggle();
            return After::Stay;
        }
        self.choose(state)
    }

    fn choose(&mut self, state: &mut State) -> After {
        if let Some(mut chosen) = self.chosen.take() {
            // With none chosen, the one in hand is meant.
            if let (true, Some(Pick::Object(Some(object)))) =
                (chosen.is_empty(), self.selected().map(|e| e.pick.clone()))
            {
                chosen.insert(object);
            }
            if let Some(Overlay::Form(form)) = state.overlays.last_mut() {
                form.chosen_many(chosen);
            }
            return After::Close;
        }
        let Some(entry) = self.selected() else {
            return After::Stay;
        };
        if let Some(reason) = &entry.reason
            && !matches!(entry.pick, Pick::Theme(_))
        {
            let text = format!("{}: {reason}", entry.label);
            state.notify(text, Role::Warn);
            return After::Stay;
        }
        match entry.pick.clone() {
            Pick::Action(id) => actions::fire(state, id),
            Pick::Operation(kind) => actions::begin(state, kind),
            Pick::Theme(name) => {
                if let Some(theme) = state.config.theme(&name).cloned() {
                    state.wear(theme);
                    state.keep_theme();
                }
            }
            Pick::Copy(what, text) => state.effect(Effect::Copy(what, text)),
            Pick::Picture(form) => state.effect(Effect::Picture(form)),
            Pick::Column(column) => {
                let screen = state.views.screen_mut();
                let again = screen.sort.filter(|sort| sort.column == column);
                screen.sort = Some(Sort {
                    column,
                    descending: again.is_some_and(|sort| !sort.descending),
                });
                state.keep_sort();
            }
            Pick::Show(view, key) => {
                if !state.hidden.remove(&(view, key)) {
                    state.hidden.insert((view, key));
                }
                state.keep();
                let cursor = self.cursor;
                *self = Self::columns(state);
                self.cursor = cursor.min(self.found.len().saturating_sub(1));
                return After::Stay;
            }
            Pick::Tour(name) => {
                if let Some(tour) = state.tours.iter().find(|t| t.name() == name).cloned() {
                    Walk::begin(state, tour, None);
                }
            }
            Pick::Go(place) => actions::go_to(state, place),
            Pick::Tab(id) => state.effect(Effect::Tab(TabAct::Go(id))),
            Pick::Site(site) => state.effect(Effect::Tab(TabAct::Open(site))),
            Pick::Object(object) => {
                if let Some(Overlay::Form(form)) = state.overlays.last_mut() {
                    form.chosen(object);
                }
            }
        }
        After::Close
    }
}
