//! Volumes and snapshots as they are told to callers.

use std::collections::HashMap;

use jiff::Timestamp;

use super::apply::State;
use super::catalog::{Node, Role, Volume};
use super::core::Core;
use super::ids::{PointId, VolumeId};
use super::info::{PointInfo, VolumeInfo};

pub(super) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl Core {
    pub(super) fn volume_info(&self, state: &State, volume: &Volume, head: &Node) -> VolumeInfo {
        let catalog = &state.catalog;
        VolumeInfo {
            id: volume.id,
            name: volume.name.clone(),
            size: head.size,
            created: time(volume.created),
            attrs: volume.attrs.clone(),
            parent: catalog.visible_parent(head.id).map(|(id, _)| id),
            usage: self.usage(state, head),
            copy: catalog.copy_of(volume.id).map(|job| self.copy_info(job)),
        }
    }

    pub(super) fn point_info(&self, state: &State, node: &Node) -> Option<PointInfo> {
        let Role::Point { id, volume, label } = &node.role else {
            return None;
        };
        Some(PointInfo {
            id: *id,
            name: label.name().to_owned(),
            volume: *volume,
            parent: state.catalog.visible_parent(node.id).map(|(id, _)| id),
            size: node.size,
            created: time(node.created),
            attrs: label.attrs().unpack(),
            usage: self.usage(state, node),
            clones: Vec::new(),
        })
    }

    /// Adds to each snapshot the volumes of other histories that hang below it.
    pub(super) fn with_clones(&self, state: &State, mut points: Vec<PointInfo>) -> Vec<PointInfo> {
        let catalog = &state.catalog;
        let mut below: HashMap<PointId, Vec<VolumeId>> = HashMap::new();
        for volume in catalog.volumes.values() {
            if let Some((parent, _)) = catalog.visible_parent(volume.head) {
                below.entry(parent).or_default().push(volume.id);
            }
        }
        for point in &mut points {
            let own = point.volume;
            let clones = below.remove(&point.id).into_iter().flatten();
            point.clones.extend(clones.filter(|volume| *volume != own));
        }
        points
    }
}
