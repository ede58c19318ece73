//! The rows of one volume's snapshot tree: real branches, and where the volume is now.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::snapshots::{notes, state_cell};
use super::{Column, Rows, Spans, ago, figure, one};
use crate::config::theme::Role;
use crate::model::{ObjectRef, SnapshotState, TreeRowKind, Volume, VolumeId};
use crate::tui::state::{History, RowId, SnapshotRow, State};

const COLUMNS: &[Column] = &[
    Column {
        key: "name",
        title: "POINT IN TIME",
        width: 24,
        right: false,
        falls: false,
        rank: 0,
    },
    Column {
        key: "age",
        title: "TAKEN",
        width: 12,
        right: false,
        falls: true,
        rank: 1,
    },
    Column {
        key: "own",
        title: "OWN",
        width: 8,
        right: true,
        falls: true,
        rank: 2,
    },
    Column {
        key: "written",
        title: "WRITTEN",
        width: 8,
        right: true,
        falls: true,
        rank: 4,
    },
    Column {
        key: "note",
        title: "NOTE",
        width: 18,
        right: false,
        falls: false,
        rank: 3,
    },
    Column {
        key: "used",
        title: "USED",
        width: 8,
        right: true,
        falls: true,
        rank: 5,
    },
    Column {
        key: "about",
        title: "DESCRIPTION",
        width: 30,
        right: false,
        falls: false,
        rank: 6,
    },
];

/// How many levels of branches are drawn; what lies deeper says how deep.
const LEVELS: usize = 12;

/// One volume's tree.
pub(super) struct Tree<'a> {
    state: &'a State,
    history: Option<&'a History>,
    volume: Option<&'a Volume>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(state: &'a State, volume: &VolumeId) -> Self {
        Self {
            state,
            history: state.inventory.history(volume),
            volume: state.inventory.volumes.get(volume.as_str()),
        }
    }

    /// The snapshot of a row; `None` for the present place.
    fn at(&self, row: usize) -> Option<SnapshotRow<'a>> {
        let history = self.history?;
        match history.tree.rows.get(row)?.kind {
            TreeRowKind::Snapshot(i) => history.list.items.get(i),
            TreeRowKind::Here => None,
        }
    }
}

impl Rows for Tree<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.history.map_or(0, |history| history.tree.rows.len())
    }

    fn id(&self, row: usize) -> RowId {
        match self.at(row) {
            Some(snapshot) => RowId::Object(ObjectRef::from(&snapshot.id())),
            None => RowId::Here,
        }
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        match (self.at(row), id) {
            (Some(snapshot), RowId::Object(object)) => snapshot.is(&object.id),
            (None, RowId::Here) => true,
            _ => false,
        }
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        match self.at(row) {
            Some(snapshot) => self.state.clean(snapshot.name),
            None => "you are here".into(),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let state = self.state;
        let Some(snapshot) = self.at(row) else {
            let Some(volume) = self.volume else {
                return Vec::new();
            };
            return match column {
                0 => one(self.name(row), Role::Accent),
                1 => one("now", Role::Accent),
                2 => figure(volume.exclusive, state, Role::Text),
                3 => figure(volume.written, state, Role::Dim),
                5 => figure(volume.used, state, Role::Dim),
                _ => Vec::new(),
            };
        };
        match column {
            0 => one(self.name(row), Role::Text),
            1 => one(ago(snapshot.created, state), Role::Dim),
            2 => figure(snapshot.exclusive, state, Role::Text),
            3 => figure(snapshot.written, state, Role::Dim),
            4 => {
                let mut spans = notes(&snapshot, state);
                let stands = snapshot.state();
                if stands != SnapshotState::Available {
                    spans.insert(0, (" ".into(), Role::Dim));
                    spans.splice(0..0, state_cell(&stands, state));
                }
                spans
            }
            5 => figure(snapshot.used, state, Role::Dim),
            _ => one(state.clean(snapshot.description), Role::Dim),
        }
    }

    fn order(&self, a: usize, b: usize, _column: usize) -> Ordering {
        a.cmp(&b)
    }

    fn sortable(&self) -> bool {
        false
    }

    fn lead(&self, row: usize) -> Spans<'_> {
        let glyphs = self.state.glyphs();
        let Some(line) = self.history.and_then(|h| h.tree.rows.get(row)) else {
            return Vec::new();
        };
        let mut lead = String::new();
        if self.state.speaks {
            // How deep it stands is all that can be told of it.
            let depth = line.rails.len() + usize::from(line.branch.is_some());
            return one(" ".repeat(depth), Role::Text);
        }
        let skipped = line.rails.len().saturating_sub(LEVELS);
        if skipped > 0 {
            lead.push_str(&format!("{}{skipped} ", glyphs.cut));
        }
        for rail in &line.rails[skipped..] {
            lead.push_str(if *rail { glyphs.rail } else { " " });
            lead.push(' ');
        }
        match line.branch {
            Some(true) => lead.push_str(&format!("{}{}", glyphs.last, glyphs.arm)),
            Some(false) => lead.push_str(&format!("{}{}", glyphs.tee, glyphs.arm)),
            None => {}
        }
        let (node, role) = match self.at(row) {
            None => (glyphs.here, Role::Accent),
            Some(s) if s.state() == SnapshotState::Error => (glyphs.bad, Role::Error),
            Some(s) if s.guard() => (glyphs.guard, Role::Warn),
            Some(_) => (glyphs.node, Role::Info),
        };
        let mut spans: Spans<'_> = Vec::with_capacity(2);
        if !lead.is_empty() {
            spans.push((lead.into(), Role::Border));
        }
        spans.push((format!("{node} ").into(), role));
        spans
    }

    fn version(&self) -> u64 {
        self.history.map_or(0, |history| history.version)
    }

    fn empty(&self) -> String {
        format!("there is no {} yet", self.state.system.words.snapshot)
    }
}
