//! The rows of all machines: the volumes that are attached to each, and the points in time that were
//! taken of it as a whole.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};

use super::{Column, Quantity, Rows, Spans, age_of, ago, figure, one};
use crate::config::theme::Role;
use crate::model::{Bytes, VolumeState};
use crate::tui::state::{Instance, RowId, State};

const COLUMNS: &[Column] = &[
    Column::text("name", "NAME", 16, 0),
    Column::figure("volumes", "VOLUMES", 7, 2),
    Column::figure("size", "SIZE", 8, 3),
    Column::figure("used", "USED", 8, 4),
    Column::figure("own", "OWN", 8, 7),
    Column::text("state", "STATE", 13, 1),
    Column::figure("points", "POINTS", 6, 5),
    Column::time("age", "LAST TAKEN", 12, 6),
    Column::text("of", "ATTACHED", 40, 8),
];

/// All machines.
pub(super) struct Instances<'a> {
    pub(super) state: &'a State,
}

impl<'a> Instances<'a> {
    fn at(&self, row: usize) -> &'a Instance {
        &self.state.inventory.instances.items[row]
    }

    /// The sum of what is known; `None` where nothing is.
    fn known(
        &self,
        row: usize,
        of: impl Fn(&crate::model::Volume) -> Option<Bytes>,
    ) -> Option<Bytes> {
        let volumes = self.at(row).volumes(&self.state.inventory);
        let known: Vec<u64> = volumes.filter_map(of).map(|bytes| bytes.0).collect();
        (!known.is_empty()).then(|| Bytes(known.iter().sum()))
    }

    fn sum(&self, row: usize, of: impl Fn(&crate::model::Volume) -> Option<Bytes>) -> Bytes {
        let volumes = self.at(row).volumes(&self.state.inventory);
        Bytes(volumes.filter_map(of).map(|bytes| bytes.0).sum())
    }
}

impl Rows for Instances<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.state.inventory.instances.items.len()
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Instance(self.at(row).name.clone())
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        matches!(id, RowId::Instance(name) if *name == self.at(row).name)
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        self.state.clean(&self.at(row).name)
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let (state, instance) = (self.state, self.at(row));
        match column {
            0 => one(self.name(row), Role::Text),
            1 => one(instance.volumes.len().to_string(), Role::Text),
            2 => one(self.sum(row, |v| Some(v.size)).to_string(), Role::Text),
            3 => figure(self.known(row, |v| v.used), state, Role::Text),
            4 => figure(self.known(row, |v| v.exclusive), state, Role::Dim),
            5 => {
                // The worst of its volumes stands for it.
                let rank = |v: &&crate::model::Volume| match v.state {
                    VolumeState::Error => 3,
                    VolumeState::Unknown(_) => 2,
                    VolumeState::InUse | VolumeState::Available => 0,
                    _ => 1,
                };
                let worst = instance.volumes(&state.inventory).max_by_key(rank);
                worst.map_or_else(Vec::new, |v| super::volume_state(v, state))
            }
            6 if instance.groups.is_empty() => one(state.glyphs().none, Role::Dim),
            6 => one(instance.groups.len().to_string(), Role::Text),
            7 => one(ago(instance.last(&state.inventory), state), Role::Dim),
            _ => {
                let names: Vec<&str> = instance
                    .volumes(&state.inventory)
                    .map(|v| v.name.as_str())
                    .collect();
                one(state.clean(&names.join(", ")).into_owned(), Role::Dim)
            }
        }
    }

    fn order(&self, a: usize, b: usize, column: usize) -> Ordering {
        let inventory = &self.state.inventory;
        let (x, y) = (self.at(a), self.at(b));
        let by = match column {
            1 => y.volumes.len().cmp(&x.volumes.len()),
            2 => self
                .sum(b, |v| Some(v.size))
                .cmp(&self.sum(a, |v| Some(v.size))),
            3 => self.sum(b, |v| v.used).cmp(&self.sum(a, |v| v.used)),
            4 => self
                .sum(b, |v| v.exclusive)
                .cmp(&self.sum(a, |v| v.exclusive)),
            6 => y.groups.len().cmp(&x.groups.len()),
            7 => Reverse(x.last(inventory)).cmp(&Reverse(y.last(inventory))),
            _ => Ordering::Equal,
        };
        by.then_with(|| x.name.cmp(&y.name))
    }

    fn quantity(&self, row: usize, column: usize) -> Option<Quantity> {
        Some(match column {
            1 => Quantity::Count(self.at(row).volumes.len() as u64),
            2 => Quantity::Bytes(self.sum(row, |v| Some(v.size))),
            3 => Quantity::Bytes(self.known(row, |v| v.used)?),
            4 => Quantity::Bytes(self.known(row, |v| v.exclusive)?),
            6 => Quantity::Count(self.at(row).groups.len() as u64),
            7 => age_of(self.at(row).last(&self.state.inventory), self.state)?,
            _ => return None,
        })
    }

    fn version(&self) -> u64 {
        self.state.inventory.instances.version
    }

    fn empty(&self) -> String {
        format!(
            "no {} is attached to anything",
            self.state.system.words.volume
        )
    }
}
