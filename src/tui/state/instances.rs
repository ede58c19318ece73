//! The machines that volumes are attached to: worked out from the lists when either changes.

use std::collections::BTreeMap;

use super::Inventory;
use super::inventory::Listing;
use crate::model::{Group, Time, Volume};

/// One machine, with its volumes and groups by their places in their lists.
#[derive(Debug, Default)]
pub(crate) struct Instance {
    /// Its name.
    pub(crate) name: String,
    /// Its volumes, by device.
    pub(crate) volumes: Vec<u32>,
    /// The points in time of it as a whole, the newest first.
    pub(crate) groups: Vec<u32>,
}

impl Instance {
    /// Its volumes.
    pub(crate) fn volumes<'a>(&self, inventory: &'a Inventory) -> impl Iterator<Item = &'a Volume> {
        let all = &inventory.volumes.items;
        self.volumes.iter().filter_map(|&i| all.get(i as usize))
    }

    /// When a point in time of any of its volumes was last taken.
    pub(crate) fn last(&self, inventory: &Inventory) -> Option<Time> {
        self.volumes(inventory)
            .filter_map(|v| v.last_snapshot)
            .max()
    }
}

/// All machines, by name.
#[derive(Debug, Default)]
pub(crate) struct Instances {
    /// The machines.
    pub(crate) items: Vec<Instance>,
    /// Counts how often they were worked out.
    pub(crate) version: u64,
    made_of: Option<(u64, u64)>,
}

impl Instances {
    /// The machine of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Instance> {
        let found = self.items.binary_search_by(|i| i.name.as_str().cmp(name));
        found.ok().map(|i| &self.items[i])
    }

    /// Works them out anew where a list changed.
    pub(super) fn grow(&mut self, volumes: &Listing<Volume>, groups: &Listing<Group>) {
        let of = (volumes.version, groups.version);
        if self.made_of == Some(of) {
            return;
        }
        self.made_of = Some(of);
        self.version += 1;
        let mut all: BTreeMap<&str, Instance> = BTreeMap::new();
        for (volume, i) in volumes.items.iter().zip(0..) {
            if let Some(name) = &volume.instance {
                all.entry(name).or_default().volumes.push(i);
            }
        }
        for (group, i) in groups.items.iter().zip(0..) {
            if let Some(name) = &group.instance {
                all.entry(name).or_default().groups.push(i);
            }
        }
        let by_device = |i: &u32| {
            let volume = &volumes.items[*i as usize];
            (volume.device.clone(), volume.name.clone())
        };
        let by_age = |i: &u32| std::cmp::Reverse(groups.items[*i as usize].created);
        let made = all.into_iter().map(|(name, mut instance)| {
            instance.name = name.to_owned();
            instance.volumes.sort_by_cached_key(by_device);
            instance.groups.sort_by_cached_key(by_age);
            instance
        });
        self.items = made.collect();
    }
}
