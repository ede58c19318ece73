//! The rows of all snapshots.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Column, Quantity, Rows, Spans, Word, age_of, ago, figure, one};
use crate::config::theme::Role;
use crate::model::{Kind, ObjectRef, SnapshotState};
use crate::tui::state::{Items as _, RowId, SnapshotRow, State};

const COLUMNS: &[Column] = &[
    Column {
        key: "name",
        title: "NAME",
        width: 16,
        right: false,
        falls: false,
        rank: 0,
    },
    Column {
        key: "volume",
        title: "VOLUME",
        width: 16,
        right: false,
        falls: false,
        rank: 1,
    },
    Column {
        key: "age",
        title: "TAKEN",
        width: 12,
        right: false,
        falls: true,
        rank: 2,
    },
    Column {
        key: "own",
        title: "OWN",
        width: 8,
        right: true,
        falls: true,
        rank: 3,
    },
    Column {
        key: "written",
        title: "WRITTEN",
        width: 8,
        right: true,
        falls: true,
        rank: 5,
    },
    Column {
        key: "state",
        title: "STATE",
        width: 12,
        right: false,
        falls: false,
        rank: 4,
    },
    Column {
        key: "note",
        title: "NOTE",
        width: 16,
        right: false,
        falls: false,
        rank: 6,
    },
    Column {
        key: "size",
        title: "SIZE",
        width: 8,
        right: true,
        falls: true,
        rank: 7,
    },
    Column {
        key: "about",
        title: "DESCRIPTION",
        width: 30,
        right: false,
        falls: false,
        rank: 8,
    },
];

/// All snapshots.
pub(super) struct Snapshots<'a> {
    pub(super) state: &'a State,
}

impl Snapshots<'_> {
    fn at(&self, row: usize) -> SnapshotRow<'_> {
        self.state.inventory.snapshots.items.row(row)
    }
}

impl Rows for Snapshots<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.state.inventory.snapshots.items.len()
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Object(ObjectRef::from(&self.at(row).id()))
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        matches!(id, RowId::Object(object) if self.at(row).is(&object.id))
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        self.state.clean(self.at(row).name)
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let snapshot = self.at(row);
        let state = self.state;
        match column {
            0 => one(self.name(row), Role::Text),
            1 => one(state.clean(volume_of(&snapshot)), Role::Text),
            2 => one(ago(snapshot.created, state), Role::Dim),
            3 => figure(snapshot.exclusive, state, Role::Text),
            4 => figure(snapshot.written, state, Role::Dim),
            5 => state_cell(&snapshot.state(), state),
            6 => notes(&snapshot, state),
            7 => one(snapshot.size.to_string(), Role::Dim),
            _ => one(state.clean(snapshot.description), Role::Dim),
        }
    }

    fn order(&self, a: usize, b: usize, column: usize) -> Ordering {
        if column == 2 {
            // By far the most often asked, and told without looking at the rest.
            let all = &self.state.inventory.snapshots.items;
            let by = all.taken(b).cmp(&all.taken(a));
            if by != Ordering::Equal {
                return by;
            }
        }
        let (a, b) = (self.at(a), self.at(b));
        let by = match column {
            1 => volume_of(&a).cmp(volume_of(&b)),
            3 => b.exclusive.cmp(&a.exclusive),
            4 => b.written.cmp(&a.written),
            5 => a.state().word().cmp(b.state().word()),
            6 => (b.guard(), b.clone_count()).cmp(&(a.guard(), a.clone_count())),
            7 => b.size.cmp(&a.size),
            8 => a.description.cmp(b.description),
            _ => Ordering::Equal,
        };
        by.then_with(|| a.name.cmp(b.name))
            .then_with(|| a.key().cmp(&b.key()))
    }

    fn quantity(&self, row: usize, column: usize) -> Option<Quantity> {
        let snapshot = self.at(row);
        Some(match column {
            2 => age_of(snapshot.created, self.state)?,
            3 => Quantity::Bytes(snapshot.exclusive?),
            4 => Quantity::Bytes(snapshot.written?),
            7 => Quantity::Bytes(snapshot.size),
            _ => return None,
        })
    }

    fn words(&self, row: usize, look: &mut dyn FnMut(Word<'_>) -> bool) -> Option<bool> {
        // The glyph and the word of the state that nearly all are in; the numbers of what is shared follow.
        const GLYPH: usize = 0;
        const STATE: usize = 1;
        const FIRST: usize = 2;
        let snapshot = self.at(row);
        let state = self.state;
        let shared = |number: usize| FIRST + number;
        let about = state.clean(snapshot.description);
        Some(
            look(Word::Name(&state.clean(snapshot.name)))
                || look(Word::Shared(
                    shared(snapshot.volume_number()),
                    &state.clean(volume_of(&snapshot)),
                ))
                || look(match snapshot.description_number() {
                    Some(number) => Word::Shared(shared(number), &about),
                    None => Word::Text(&about),
                })
                || match snapshot.state() {
                    SnapshotState::Available => {
                        look(Word::Shared(GLYPH, state.glyphs().good))
                            || look(Word::Shared(STATE, SnapshotState::Available.word()))
                    }
                    other => look(Word::Text(&text_of(state_cell(&other, state)))),
                }
                || (!snapshot.is_plain() && look(Word::Text(&text_of(notes(&snapshot, state))))),
        )
    }

    fn place(&self, id: &RowId) -> Option<usize> {
        let RowId::Object(object) = id else {
            return None;
        };
        self.state.inventory.snapshots.items.find(&object.id).ok()
    }

    fn traits(&self) -> &'static [&'static str] {
        &["guard", "grouped", "cloned", "linked"]
    }

    fn trait_of(&self, row: usize, word: &str) -> Option<bool> {
        Some(match word {
            "guard" => self.at(row).guard(),
            "grouped" => self.at(row).in_group(),
            "cloned" => self.at(row).is_cloned(),
            "linked" => self.at(row).in_session(),
            _ => return None,
        })
    }

    fn version(&self) -> u64 {
        self.state.inventory.snapshots.version
    }

    fn empty(&self) -> String {
        format!("there is no {} yet", self.state.system.words.snapshot)
    }
}

/// What a cell says.
fn text_of(spans: Spans<'_>) -> String {
    spans.into_iter().map(|(text, _)| text).collect()
}

fn volume_of<'a>(snapshot: &SnapshotRow<'a>) -> &'a str {
    let name = snapshot.volume_name();
    name.unwrap_or(snapshot.volume().as_str())
}

/// A snapshot's state: glyph and word.
pub(crate) fn state_cell(of: &SnapshotState, state: &State) -> Spans<'static> {
    let glyphs = state.glyphs();
    let (glyph, role) = match of {
        SnapshotState::Available => (glyphs.good, Role::Ok),
        SnapshotState::Creating | SnapshotState::Restoring | SnapshotState::Deleting => {
            (glyphs.busy, Role::Busy)
        }
        SnapshotState::Error => (glyphs.bad, Role::Error),
        SnapshotState::Unknown(_) => (glyphs.warn, Role::Warn),
    };
    let word = state.clean(of.word());
    one(format!("{glyph} {word}"), role)
}

/// What is special about a snapshot: a guard, the group or session that it belongs to, the targets
/// that are linked to it, clones of it.
pub(super) fn notes(snapshot: &SnapshotRow<'_>, state: &State) -> Spans<'static> {
    if snapshot.is_plain() {
        return Vec::new();
    }
    let snapshot = snapshot.unpack();
    let glyphs = state.glyphs();
    let mut notes: Spans<'static> = Vec::new();
    if snapshot.guard {
        notes.push((format!("{} guard", glyphs.guard).into(), Role::Warn));
    }
    let mut note = |glyph: &str, text: &str, role| {
        let gap = if notes.is_empty() { "" } else { " " };
        notes.push((format!("{gap}{glyph} {text}").into(), role));
    };
    // Where its list is not read, the word for it stands for its name.
    if let Some(group) = &snapshot.group {
        let known = state.inventory.groups.get(group.as_str());
        let name = known.map_or_else(|| state.word(Kind::Group).into(), |g| state.clean(&g.name));
        note(glyphs.group, &name, Role::Info);
    }
    let mut clones = snapshot.clones.len();
    if let Some(session) = &snapshot.session {
        let known = state.inventory.sessions.get(session.as_str());
        let name = known.map_or_else(
            || state.word(Kind::Session).into(),
            |s| state.clean(&s.name),
        );
        note(glyphs.session, &name, Role::Info);
        let targets = state.inventory.targets.items.iter();
        let linked = targets
            .filter(|target| target.snapshot.as_ref() == Some(&snapshot.id))
            .inspect(|target| clones -= usize::from(snapshot.clones.contains(&target.volume)))
            .count();
        match linked {
            0 => {}
            1 => note(glyphs.target, "1 target", Role::Info),
            n => note(glyphs.target, &format!("{n} targets"), Role::Info),
        }
    }
    match clones {
        0 => {}
        1 => note(glyphs.clone, "1 clone", Role::Info),
        n => note(glyphs.clone, &format!("{n} clones"), Role::Info),
    }
    notes
}
