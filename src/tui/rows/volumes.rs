//! The rows of all volumes.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};

use super::{Column, Quantity, Rows, Spans, age_of, ago, figure, one};
use crate::config::theme::Role;
use crate::model::{ObjectRef, Volume, VolumeState};
use crate::tui::state::{RowId, State};

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
        key: "size",
        title: "SIZE",
        width: 8,
        right: true,
        falls: true,
        rank: 2,
    },
    Column {
        key: "used",
        title: "USED",
        width: 8,
        right: true,
        falls: true,
        rank: 4,
    },
    Column {
        key: "own",
        title: "OWN",
        width: 8,
        right: true,
        falls: true,
        rank: 7,
    },
    Column {
        key: "snaps",
        title: "SNAPS",
        width: 5,
        right: true,
        falls: true,
        rank: 3,
    },
    Column {
        key: "state",
        title: "STATE",
        width: 13,
        right: false,
        falls: false,
        rank: 1,
    },
    Column {
        key: "instance",
        title: "INSTANCE",
        width: 10,
        right: false,
        falls: false,
        rank: 6,
    },
    Column {
        key: "last",
        title: "LAST TAKEN",
        width: 11,
        right: false,
        falls: true,
        rank: 5,
    },
    Column {
        key: "written",
        title: "WRITTEN",
        width: 8,
        right: true,
        falls: true,
        rank: 8,
    },
    Column {
        key: "device",
        title: "DEVICE",
        width: 6,
        right: false,
        falls: false,
        rank: 10,
    },
    Column {
        key: "made",
        title: "MADE",
        width: 12,
        right: false,
        falls: true,
        rank: 9,
    },
    Column {
        key: "about",
        title: "DESCRIPTION",
        width: 30,
        right: false,
        falls: false,
        rank: 11,
    },
];

/// All volumes.
pub(super) struct Volumes<'a> {
    pub(super) state: &'a State,
}

impl Volumes<'_> {
    fn at(&self, row: usize) -> &Volume {
        &self.state.inventory.volumes.items[row]
    }
}

impl Rows for Volumes<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.state.inventory.volumes.items.len()
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Object(ObjectRef::from(&self.at(row).id))
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        matches!(id, RowId::Object(object) if object.id == self.at(row).id.as_str())
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        self.state.clean(&self.at(row).name)
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let volume = self.at(row);
        let state = self.state;
        let text = |value: &Option<String>| match value {
            Some(value) => one(state.clean(value).into_owned(), Role::Text),
            None => one(state.glyphs().none, Role::Dim),
        };
        match column {
            0 => one(self.name(row), Role::Text),
            1 => one(volume.size.to_string(), Role::Text),
            2 => figure(volume.used, state, Role::Text),
            3 => figure(volume.exclusive, state, Role::Dim),
            4 => match volume.snapshots {
                Some(0) => one(state.glyphs().none, Role::Dim),
                Some(count) => one(count.to_string(), Role::Text),
                None => one("?", Role::Dim),
            },
            5 => state_cell(volume, state),
            6 => text(&volume.instance),
            7 => one(ago(volume.last_snapshot, state), Role::Dim),
            8 => figure(volume.written, state, Role::Dim),
            9 => text(&volume.device),
            10 => one(ago(volume.created, state), Role::Dim),
            _ => one(state.clean(&volume.description), Role::Dim),
        }
    }

    fn order(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (self.at(a), self.at(b));
        let by = match column {
            1 => b.size.cmp(&a.size),
            2 => b.used.cmp(&a.used),
            3 => b.exclusive.cmp(&a.exclusive),
            4 => b.snapshots.cmp(&a.snapshots),
            5 => a.state.word().cmp(b.state.word()),
            6 => (a.instance.is_none(), &a.instance).cmp(&(b.instance.is_none(), &b.instance)),
            7 => Reverse(a.last_snapshot).cmp(&Reverse(b.last_snapshot)),
            8 => b.written.cmp(&a.written),
            9 => a.device.cmp(&b.device),
            10 => Reverse(a.created).cmp(&Reverse(b.created)),
            11 => a.description.cmp(&b.description),
            _ => Ordering::Equal,
        };
        by.then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.id.cmp(&b.id))
    }

    fn quantity(&self, row: usize, column: usize) -> Option<Quantity> {
        let volume = self.at(row);
        Some(match column {
            1 => Quantity::Bytes(volume.size),
            2 => Quantity::Bytes(volume.used?),
            3 => Quantity::Bytes(volume.exclusive?),
            4 => Quantity::Count(volume.snapshots?),
            7 => age_of(volume.last_snapshot, self.state)?,
            8 => Quantity::Bytes(volume.written?),
            10 => age_of(volume.created, self.state)?,
            _ => return None,
        })
    }

    fn traits(&self) -> &'static [&'static str] {
        &["attached", "cloned", "copying", "linked"]
    }

    fn trait_of(&self, row: usize, word: &str) -> Option<bool> {
        let volume = self.at(row);
        Some(match word {
            "attached" => volume.instance.is_some(),
            // What descends from another volume's point in time.
            "cloned" => volume.parent.is_some() && volume.snapshots == Some(0),
            "copying" => volume.copy.is_some(),
            "linked" => {
                let targets = &self.state.inventory.targets.items;
                targets.iter().any(|target| target.volume == volume.id)
            }
            _ => return None,
        })
    }

    fn version(&self) -> u64 {
        self.state.inventory.volumes.version
    }

    fn empty(&self) -> String {
        format!("there is no {} yet", self.state.system.words.volume)
    }
}

/// A volume's state: glyph and word, and how far a copy into it has come.
pub(crate) fn state_cell(volume: &Volume, state: &State) -> Spans<'static> {
    let glyphs = state.glyphs();
    let (glyph, role) = match &volume.state {
        VolumeState::Available => (glyphs.idle, Role::Dim),
        VolumeState::InUse => (glyphs.good, Role::Ok),
        VolumeState::Creating
        | VolumeState::Copying
        | VolumeState::Restoring
        | VolumeState::Deleting => (glyphs.busy, Role::Busy),
        VolumeState::Error => (glyphs.bad, Role::Error),
        VolumeState::Unknown(_) => (glyphs.warn, Role::Warn),
    };
    let mut text = format!("{glyph} {}", state.clean(volume.state.word()));
    let copied = volume
        .copy
        .as_ref()
        .and_then(crate::model::Progress::fraction);
    if let Some(part) = copied {
        text.push_str(&format!(" {:.0}%", (part * 100.0).floor()));
    }
    one(text, role)
}
