//! The rows of all linked targets, and of the other volumes that a background copy fills.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use super::{Column, Quantity, Rows, Spans, age_of, ago, bar, figure, known, left, one, rate};
use crate::config::theme::Role;
use crate::model::{LinkedTarget, ObjectRef, Progress, TargetState, Volume};
use crate::tui::state::{RowId, State};

const COLUMNS: &[Column] = &[
    Column::text("name", "NAME", 18, 0),
    Column::text("session", "SHOWS", 18, 3),
    Column::text("source", "OF", 14, 5),
    Column::text("mode", "MODE", 6, 4),
    Column::text("state", "STATE", 10, 1),
    Column::text("copy", "COPY", 18, 2),
    Column::figure("rate", "RATE", 11, 6),
    Column::figure("left", "LEFT", 12, 7),
    Column::figure("shared", "SHARED", 8, 8),
    Column::figure("written", "WRITTEN", 8, 9),
    Column::figure("size", "SIZE", 8, 10),
    Column::time("age", "LINKED", 12, 11),
];

/// One of them.
enum Copy<'a> {
    Target(&'a LinkedTarget),
    Volume(&'a Volume),
}

/// All of them.
pub(super) struct Targets<'a> {
    state: &'a State,
    /// The volumes that are copied into and are no targets, by their places.
    copies: Vec<usize>,
}

impl<'a> Targets<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        let inventory = &state.inventory;
        let linked = inventory.targets.items.iter().map(|target| &target.volume);
        let linked: BTreeSet<_> = linked.collect();
        let volumes = inventory.volumes.items.iter().enumerate();
        let copies = volumes
            .filter(|(_, volume)| volume.copy.is_some() && !linked.contains(&volume.id))
            .map(|(i, _)| i)
            .collect();
        Self { state, copies }
    }

    fn at(&self, row: usize) -> Copy<'a> {
        let inventory = &self.state.inventory;
        match inventory.targets.items.get(row) {
            Some(target) => Copy::Target(target),
            None => {
                let place = self.copies[row - inventory.targets.items.len()];
                Copy::Volume(&inventory.volumes.items[place])
            }
        }
    }

    fn copy(&self, row: usize) -> Option<Progress> {
        match self.at(row) {
            Copy::Target(target) => target.copy,
            Copy::Volume(volume) => volume.copy,
        }
    }

    fn plain(&self, row: usize) -> &'a str {
        match self.at(row) {
            Copy::Target(target) => &target.name,
            Copy::Volume(volume) => &volume.name,
        }
    }
}

impl Rows for Targets<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.state.inventory.targets.items.len() + self.copies.len()
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Object(match self.at(row) {
            Copy::Target(target) => ObjectRef::from(&target.id),
            Copy::Volume(volume) => ObjectRef::from(&volume.id),
        })
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        self.id(row) == *id
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        self.state.clean(self.plain(row))
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let state = self.state;
        let progress = self.copy(row);
        match (column, self.at(row)) {
            (0, _) => one(self.name(row), Role::Text),
            (1, Copy::Target(target)) => match &target.session_name {
                Some(name) => one(state.clean(name), Role::Text),
                None => one("it is gone", Role::Warn),
            },
            (1, Copy::Volume(volume)) => {
                let parent = volume.parent.as_ref();
                let point = parent.and_then(|id| state.snapshot(id.as_str()));
                known(point.as_ref().map(|point| point.name.as_str()), state)
            }
            (2, Copy::Target(target)) => known(target.source_name.as_deref(), state),
            (3, Copy::Target(target)) => one(state.clean(target.mode.word()), Role::Text),
            (3, Copy::Volume(_)) => one("copy", Role::Text),
            (4, Copy::Target(target)) => state_cell(&target.state, state),
            (4, Copy::Volume(_)) => state_cell(&TargetState::Copying, state),
            (5, _) => copy_cell(progress, state),
            (6, _) => one(progress.map(rate).unwrap_or_default(), Role::Dim),
            (7, _) => one(progress.map(left).unwrap_or_default(), Role::Dim),
            (8, Copy::Target(target)) => figure(target.shared, state, Role::Dim),
            (9, Copy::Target(target)) => figure(target.written, state, Role::Dim),
            (10, Copy::Target(target)) => one(target.size.to_string(), Role::Dim),
            (10, Copy::Volume(volume)) => one(volume.size.to_string(), Role::Dim),
            (11, Copy::Target(target)) => one(ago(target.created, state), Role::Dim),
            (11, Copy::Volume(volume)) => one(ago(volume.created, state), Role::Dim),
            _ => one(state.glyphs().none, Role::Dim),
        }
    }

    fn order(&self, a: usize, b: usize, column: usize) -> Ordering {
        let part = |row| self.copy(row).and_then(|p| p.fraction());
        let by = match (column, self.at(a), self.at(b)) {
            (1, Copy::Target(a), Copy::Target(b)) => a.session_name.cmp(&b.session_name),
            (2, Copy::Target(a), Copy::Target(b)) => a.source_name.cmp(&b.source_name),
            (3, Copy::Target(a), Copy::Target(b)) => a.mode.word().cmp(b.mode.word()),
            (4, Copy::Target(a), Copy::Target(b)) => a.state.word().cmp(b.state.word()),
            (8, Copy::Target(a), Copy::Target(b)) => b.shared.cmp(&a.shared),
            (9, Copy::Target(a), Copy::Target(b)) => b.written.cmp(&a.written),
            (10, Copy::Target(a), Copy::Target(b)) => b.size.cmp(&a.size),
            (11, Copy::Target(a), Copy::Target(b)) => Reverse(a.created).cmp(&Reverse(b.created)),
            (5, ..) => part(b).partial_cmp(&part(a)).unwrap_or(Ordering::Equal),
            (6, ..) => {
                let rate = |row| self.copy(row).map(|p| p.rate);
                rate(b).cmp(&rate(a))
            }
            (7, ..) => {
                let left = |row| self.copy(row).and_then(|p| p.seconds_left());
                left(b).cmp(&left(a))
            }
            (0, ..) => Ordering::Equal,
            (_, Copy::Target(_), Copy::Volume(_)) => Ordering::Less,
            (_, Copy::Volume(_), Copy::Target(_)) => Ordering::Greater,
            _ => Ordering::Equal,
        };
        by.then_with(|| self.plain(a).cmp(self.plain(b)))
            .then_with(|| a.cmp(&b))
    }

    fn quantity(&self, row: usize, column: usize) -> Option<Quantity> {
        Some(match (column, self.at(row)) {
            (6, _) => Quantity::Bytes(self.copy(row)?.rate),
            (8, Copy::Target(target)) => Quantity::Bytes(target.shared?),
            (9, Copy::Target(target)) => Quantity::Bytes(target.written?),
            (10, Copy::Target(target)) => Quantity::Bytes(target.size),
            (10, Copy::Volume(volume)) => Quantity::Bytes(volume.size),
            (11, Copy::Target(target)) => age_of(target.created, self.state)?,
            _ => return None,
        })
    }

    fn version(&self) -> u64 {
        let inventory = &self.state.inventory;
        // Both only grow, so that no two states have the same sum.
        inventory.targets.version + inventory.volumes.version
    }

    fn empty(&self) -> String {
        format!("there is no {} yet", self.state.system.words.target)
    }
}

/// How far a copy has come; nothing where there is none.
pub(super) fn copy_cell(progress: Option<Progress>, state: &State) -> Spans<'static> {
    progress.map_or_else(Vec::new, |progress| bar(progress, 11, state))
}

/// The state of a target: glyph and word.
pub(crate) fn state_cell(value: &TargetState, state: &State) -> Spans<'static> {
    let glyphs = state.glyphs();
    let (glyph, role) = match value {
        TargetState::Linked => (glyphs.good, Role::Ok),
        TargetState::Copying => (glyphs.busy, Role::Busy),
        TargetState::Paused => (glyphs.paused, Role::Warn),
        TargetState::Copied => (glyphs.done, Role::Ok),
        TargetState::Error => (glyphs.bad, Role::Error),
        TargetState::Unknown(_) => (glyphs.warn, Role::Warn),
    };
    one(format!("{glyph} {}", state.clean(value.word())), role)
}
