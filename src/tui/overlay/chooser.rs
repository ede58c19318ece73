//! A list to choose from, with a search: the palette, the menu of actions, columns to sort by,
//! things for a field.

use std::collections::BTreeSet;

use tui_input::Input;

use super::{After, Overlay, edit, things, type_into};
use crate::config::Theme;
use crate::config::theme::Role;
use crate::model::{Availability, ObjectRef, OperationKind};
use crate::tui::actions::{self, ACTIONS, Action, ActionId};
use crate::tui::event::{Effect, PictureForm};
use crate::tui::key::Key;
use crate::tui::rows;
use crate::tui::state::{Need, Place, Sort, State};

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
    /// Goes there.
    Go(Place),
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
    before: Option<Theme>,
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

    /// Everything that can be done.
    pub(crate) fn palette(state: &State) -> Self {
        let mut entries: Vec<Entry> = ACTIONS
            .iter()
            .filter(|action| action.id != ActionId::Palette && !actions::is_row(action.id))
            .map(|action| of_action(action, state))
            .collect();
        for spec in &state.system.operations {
            let by_action = ACTIONS
                .iter()
                .any(|a| a.operation(state) == Some(spec.kind));
            if !by_action {
                entries.push(of_operation(spec.kind, spec.title, state));
            }
        }
        for theme in &state.config.themes {
            entries.push(Entry {
                label: format!("theme {}", theme.name),
                detail: theme.about.clone(),
                key: String::new(),
                reason: (theme.name == state.theme.name).then(|| "it is in force".to_owned()),
                pick: Pick::Theme(theme.name.clone()),
            });
        }
        // What can be done comes first; the order within is that of the registry.
        entries.sort_by_key(|entry| entry.reason.is_some());
        // Things come last, and are found by typing.
        entries.extend(objects(state));
        Self {
            before: Some(state.theme.clone()),
            ..Self::new("Command", entries)
        }
    }

    /// What the thing in hand has to do with.
    pub(crate) fn related(state: &State) -> Self {
        let entries = actions::related(state).into_iter().map(|related| Entry {
            label: related.name,
            detail: related.what,
            key: String::new(),
            reason: None,
            pick: Pick::Go(related.place),
        });
        Self::new("Go to", entries.collect())
    }

    /// The columns to show or to hide.
    pub(crate) fn columns(state: &State) -> Self {
        let place = &state.screen().place;
        let columns = rows::of(state, place).map_or(&[][..], |rows| rows.columns());
        let view = place.view();
        let entries = columns.iter().skip(1).map(|column| {
            let hidden = state.hidden.contains(&(view, column.key));
            Entry {
                label: format!(
                    "[{}] {}",
                    if hidden { " " } else { "x" },
                    column.title.to_lowercase()
                ),
                detail: String::new(),
                key: String::new(),
                reason: None,
                pick: Pick::Show(view, column.key),
            }
        });
        Self::new("Columns of this view", entries.collect())
    }

    /// All that can be done with what is in hand, and why not.
    pub(crate) fn menu(state: &State) -> Self {
        // What is done to the thing in hand comes before what needs none.
        let mut specs: Vec<_> = actions::offered(state).collect();
        specs.sort_by_key(|spec| spec.on.is_none());
        let mut entries: Vec<Entry> = specs
            .into_iter()
            .map(|spec| {
                let action = ACTIONS
                    .iter()
                    .find(|a| a.operation(state) == Some(spec.kind));
                Entry {
                    label: spec.title.to_owned(),
                    detail: spec.doc.to_owned(),
                    key: action.map(|action| action.key(state)).unwrap_or_default(),
                    ..of_operation(spec.kind, spec.title, state)
                }
            })
            .collect();
        let others = [
            ActionId::Describe,
            ActionId::Raw,
            ActionId::Retry,
            ActionId::Pause,
            ActionId::Cancel,
            ActionId::Undo,
        ];
        entries.extend(others.map(|id| of_action(Action::of(id), state)));
        entries.sort_by_key(|entry| entry.reason.is_some());
        let objects = state.objects();
        let title = match objects.as_slice() {
            [] => "Actions".to_owned(),
            [one] => format!("Actions on {}", state.name_of(one)),
            many => format!("Actions on {} marked", many.len()),
        };
        Self::new(title, entries)
    }

    /// The columns to sort by.
    pub(crate) fn sort(state: &State) -> Self {
        let screen = state.screen();
        let columns = rows::of(state, &screen.place).map_or(&[][..], |rows| rows.columns());
        let entries = columns
            .iter()
            .enumerate()
            .map(|(i, column)| Entry {
                label: column.title.to_lowercase(),
                detail: match screen.sort {
                    Some(sort) if sort.column == i => "in force; again reverses it".to_owned(),
                    _ => String::new(),
                },
                key: String::new(),
                reason: None,
                pick: Pick::Column(i),
            })
            .collect();
        let mut chooser = Self::new("Sort by", entries);
        chooser.cursor = screen.sort.map_or(0, |sort| sort.column);
        chooser
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
        let labels = self.entries.iter().enumerate();
        let labels: Vec<(usize, String)> = labels
            .map(|(i, e)| (i, format!("{} {}", e.label, e.detail)))
            .collect();
        let candidates = labels.iter().map(|(i, label)| (*i, label.as_str()));
        self.found = rows::fuzzy(self.input.value(), candidates);
        if !self.input.value().is_empty() {
            // A name that begins as typed is what was meant.
            let typed = self.input.value().trim().to_lowercase();
            let entries = &self.entries;
            self.found.sort_by_key(|&i| {
                let label = entries[i].label.to_lowercase();
                (entries[i].reason.is_some(), !label.starts_with(&typed))
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
            }
            Pick::Show(view, key) => {
                if !state.hidden.remove(&(view, key)) {
                    state.hidden.insert((view, key));
                }
                let cursor = self.cursor;
                *self = Self::columns(state);
                self.cursor = cursor.min(self.found.len().saturating_sub(1));
                return After::Stay;
            }
            Pick::Go(place) => actions::go_to(state, place),
            Pick::Object(object) => {
                if let Some(Overlay::Form(form)) = state.overlays.last_mut() {
                    form.chosen(object);
                }
            }
        }
        After::Close
    }
}

/// Everything that is known by name.
fn objects(state: &State) -> impl Iterator<Item = Entry> {
    let inventory = &state.inventory;
    let volumes = inventory
        .volumes
        .items
        .iter()
        .map(|v| (&v.name, ObjectRef::from(&v.id)));
    let groups = inventory
        .groups
        .items
        .iter()
        .map(|g| (&g.name, ObjectRef::from(&g.id)));
    let sessions = inventory
        .sessions
        .items
        .iter()
        .map(|s| (&s.name, ObjectRef::from(&s.id)));
    let targets = inventory
        .targets
        .items
        .iter()
        .map(|t| (&t.name, ObjectRef::from(&t.id)));
    let all = volumes.chain(groups).chain(sessions).chain(targets);
    let things = all.map(|(name, object)| Entry {
        label: state.clean(name).into_owned(),
        detail: state.word(object.kind).to_owned(),
        key: String::new(),
        reason: None,
        pick: Pick::Go(actions::place_of(&object)),
    });
    things.chain(inventory.instances.items.iter().map(|instance| Entry {
        label: state.clean(&instance.name).into_owned(),
        detail: "instance".to_owned(),
        key: String::new(),
        reason: None,
        pick: Pick::Go(Place::Instance(instance.name.clone())),
    }))
}

fn of_action(action: &Action, state: &State) -> Entry {
    Entry {
        label: action.name.to_owned(),
        detail: action.title(state).into_owned(),
        key: action.key(state),
        reason: (action.enabled)(state).err(),
        pick: Pick::Action(action.id),
    }
}

fn of_operation(kind: OperationKind, title: &str, state: &State) -> Entry {
    let spec = state.system.operation(kind);
    let reason = match spec.map(|spec| &spec.availability) {
        Some(Availability::Unsupported(reason)) => Some(reason.clone()),
        _ => actions::can(state, kind).err(),
    };
    Entry {
        label: kind.name().to_owned(),
        detail: title.to_owned(),
        key: String::new(),
        reason,
        pick: Pick::Operation(kind),
    }
}
