//! The lists that are menus: the palette, what can be done, where one can go, columns.

use super::chooser::{Chooser, Entry, Pick};
use crate::model::{Availability, ObjectRef, OperationKind};
use crate::tui::actions::{self, ACTIONS, Action, ActionId};
use crate::tui::rows::{self, tab_state};
use crate::tui::state::{Place, State};

impl Chooser {
    /// Everything that can be done.
    pub(crate) fn palette(state: &State) -> Self {
        let mut entries: Vec<Entry> = ACTIONS
            .iter()
            .filter(|action| action.id != ActionId::Palette && !actions::is_row(action.id))
            .filter(|action| !(state.speaks && actions::is_of_screen(action.id)))
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
        let themes = state.config.themes.iter().filter(|_| !state.speaks);
        for theme in themes {
            entries.push(Entry {
                label: format!("theme {}", theme.name),
                detail: theme.about.clone(),
                key: String::new(),
                reason: (theme.name == state.theme.name).then(|| "it is in force".to_owned()),
                pick: Pick::Theme(theme.name.clone()),
            });
        }
        entries.extend(sites(state));
        entries.extend(tours(state).map(|entry| Entry {
            label: format!("tour {}", entry.label),
            ..entry
        }));
        // What can be done comes first; the order within is that of the registry.
        entries.sort_by_key(|entry| entry.reason.is_some());
        // Things come last, and are found by typing.
        entries.extend(objects(state));
        let mut chooser = Self::new("Command", entries);
        chooser.before = Some(state.theme.clone());
        chooser
    }

    /// The walkthroughs.
    pub(crate) fn tours(state: &State) -> Self {
        Self::new("Walkthroughs", tours(state).collect())
    }

    /// The tabs.
    pub(crate) fn tabs(state: &State) -> Self {
        let mut chooser = Self::new(
            "Tabs",
            sites(state)
                .filter(|e| e.label.starts_with("tab "))
                .collect(),
        );
        let here = |tab: &crate::tui::state::Neighbour| tab.id == state.id;
        chooser.cursor = state.around.tabs.iter().position(here).unwrap_or(0);
        chooser
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
        let opening = [ActionId::Open, ActionId::Related];
        let mut entries: Vec<Entry> = opening.map(|id| of_action(Action::of(id), state)).into();
        entries.extend(specs.into_iter().map(|spec| {
            let action = ACTIONS
                .iter()
                .find(|a| a.operation(state) == Some(spec.kind));
            Entry {
                label: spec.title.to_owned(),
                detail: spec.doc.to_owned(),
                key: action.map(|action| action.key(state)).unwrap_or_default(),
                ..of_operation(spec.kind, spec.title, state)
            }
        }));
        let others = [
            ActionId::Describe,
            ActionId::Raw,
            ActionId::Map,
            ActionId::Retry,
            ActionId::Pause,
            ActionId::Cancel,
            ActionId::Undo,
            ActionId::RollBack,
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
}

/// The tabs that there are, and what can be opened beside them.
fn sites(state: &State) -> impl Iterator<Item = Entry> {
    let around = &state.around;
    let tabs = around.tabs.iter().filter(|_| around.are_several());
    let tabs = tabs.map(|tab| {
        let told = tab_state(state, tab)
            .into_iter()
            .map(|(_, figure, word, _)| match figure {
                Some(figure) => format!("{figure} {word}"),
                None => word,
            });
        Entry {
            label: format!("tab {}", state.clean(&tab.name)),
            detail: told.collect::<Vec<_>>().join(", "),
            key: String::new(),
            reason: None,
            pick: Pick::Tab(tab.id),
        }
    });
    let closed = around
        .listed
        .iter()
        .filter(|listed| around.tab_of(&listed.site).is_none());
    tabs.chain(closed.map(|listed| Entry {
        label: format!("open {}", state.clean(&listed.name)),
        detail: format!("{}, in a tab of its own", state.clean(&listed.system)),
        key: String::new(),
        reason: None,
        pick: Pick::Site(listed.site.clone()),
    }))
}

/// The walkthroughs; one whose volumes are gone says so.
fn tours(state: &State) -> impl Iterator<Item = Entry> {
    let volumes = &state.inventory.volumes;
    state.tours.iter().map(move |tour| {
        let there = |name: &&String| volumes.items.iter().any(|v| v.name == **name);
        let gone = tour.needs().iter().find(|name| !there(name));
        let gone = gone.filter(|_| volumes.loaded.is_some());
        Entry {
            label: state.clean(tour.title()).into_owned(),
            detail: state.clean(tour.teaches()).into_owned(),
            key: String::new(),
            reason: gone.map(|name| {
                let name = state.clean(name);
                format!("{name} is gone; `snapdeck demo --fresh` makes a new estate")
            }),
            pick: Pick::Tour(tour.name().to_owned()),
        }
    })
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
