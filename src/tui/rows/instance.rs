//! The rows of one machine: it, its volumes by device, and the points in time of it as a whole.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::groups::{self, count};
use super::{Column, Rows, Spans, ago, figure, known, one};
use crate::config::theme::Role;
use crate::model::{Bytes, Group, ObjectRef, Volume};
use crate::tui::state::{Instance, RowId, State};

const COLUMNS: &[Column] = &[
    Column::text("name", "NAME", 24, 0),
    Column::text("what", "WHAT", 18, 3),
    Column::text("state", "STATE", 13, 1),
    Column::figure("own", "OWN", 8, 4),
    Column::figure("size", "SIZE", 8, 5),
    Column::time("age", "LAST TAKEN", 12, 2),
    Column::text("about", "DESCRIPTION", 24, 6),
];

/// One machine.
pub(super) struct OneInstance<'a> {
    state: &'a State,
    name: String,
    instance: Option<&'a Instance>,
}

enum Part<'a> {
    Whole(&'a Instance),
    Volume(&'a Volume),
    Group(&'a Group),
}

impl<'a> OneInstance<'a> {
    pub(super) fn new(state: &'a State, name: &str) -> Self {
        Self {
            state,
            name: name.to_owned(),
            instance: state.inventory.instances.get(name),
        }
    }

    fn at(&self, row: usize) -> Option<Part<'a>> {
        let inventory = &self.state.inventory;
        let instance = self.instance?;
        let Some(row) = row.checked_sub(1) else {
            return Some(Part::Whole(instance));
        };
        match row.checked_sub(instance.volumes.len()) {
            None => inventory
                .volumes
                .items
                .get(instance.volumes[row] as usize)
                .map(Part::Volume),
            Some(row) => {
                let place = *instance.groups.get(row)?;
                inventory.groups.items.get(place as usize).map(Part::Group)
            }
        }
    }
}

impl Rows for OneInstance<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.instance
            .map_or(0, |i| 1 + i.volumes.len() + i.groups.len())
    }

    fn id(&self, row: usize) -> RowId {
        match self.at(row) {
            Some(Part::Volume(volume)) => RowId::Object(ObjectRef::from(&volume.id)),
            Some(Part::Group(group)) => RowId::Object(ObjectRef::from(&group.id)),
            _ => RowId::Instance(self.name.clone()),
        }
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        self.id(row) == *id
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        match self.at(row) {
            Some(Part::Volume(volume)) => self.state.clean(&volume.name),
            Some(Part::Group(group)) => self.state.clean(&group.name),
            _ => self.state.clean(&self.name),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let state = self.state;
        match (column, self.at(row)) {
            (0, Some(Part::Whole(_))) => one(self.name(row), Role::Accent),
            (0, _) => one(self.name(row), Role::Text),
            (1, Some(Part::Whole(instance))) => {
                let count = instance.volumes.len() as u64;
                one(state.counted(count, crate::model::Kind::Volume), Role::Text)
            }
            (1, Some(Part::Volume(volume))) => known(volume.device.as_deref(), state),
            (1, Some(Part::Group(group))) => {
                let mut spans = one(
                    format!("{} members", count(&group.members, group.taken)),
                    Role::Dim,
                );
                if group.guard {
                    spans.insert(
                        0,
                        (
                            format!("{} guard, ", state.glyphs().guard).into(),
                            Role::Warn,
                        ),
                    );
                }
                spans
            }
            (2, Some(Part::Volume(volume))) => super::volume_state(volume, state),
            (2, Some(Part::Group(group))) => groups::state_cell(&group.state, state),
            (3, Some(Part::Volume(volume))) => figure(volume.exclusive, state, Role::Text),
            (3, Some(Part::Group(group))) => figure(group.exclusive(), state, Role::Text),
            (4, Some(Part::Volume(volume))) => one(volume.size.to_string(), Role::Dim),
            (4, Some(Part::Whole(instance))) => {
                let sizes = instance.volumes(&state.inventory).map(|v| v.size.0);
                one(Bytes(sizes.sum()).to_string(), Role::Dim)
            }
            (5, Some(Part::Volume(volume))) => one(ago(volume.last_snapshot, state), Role::Dim),
            (5, Some(Part::Group(group))) => one(ago(group.created, state), Role::Dim),
            (6, Some(Part::Volume(volume))) => one(state.clean(&volume.description), Role::Dim),
            (6, Some(Part::Group(group))) => one(state.clean(&group.description), Role::Dim),
            _ => Vec::new(),
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
        let (node, role) = match self.at(row) {
            Some(Part::Volume(_)) => (glyphs.node, Role::Info),
            Some(Part::Group(_)) => (glyphs.group, Role::Info),
            _ => return Vec::new(),
        };
        let last = row + 1 == self.len();
        let branch = if last { glyphs.last } else { glyphs.tee };
        vec![
            (format!("{branch}{}", glyphs.arm).into(), Role::Border),
            (format!("{node} ").into(), role),
        ]
    }

    fn version(&self) -> u64 {
        self.state.inventory.instances.version
    }

    fn empty(&self) -> String {
        "nothing is attached to it any more".to_owned()
    }
}
