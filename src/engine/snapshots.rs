//! What can be done with snapshots.

use std::ops::Bound;

use jiff::Timestamp;

use super::catalog::Role;
use super::describe::time;
use super::error::{EngineError, Result};
use super::ids::{PointId, VolumeId};
use super::info::{Change, PointInfo, SnapshotRequest};
use super::ops::{check_attrs, check_name, volume_of};
use super::packed::PackedAttrs;
use super::record::Record;
use super::store::{Store, now};

impl Store {
    /// All snapshots of all volumes, oldest first.
    pub fn points(&self) -> Vec<PointInfo> {
        let guarded = self.core().guarded.read();
        let state = &guarded.state;
        let nodes = state
            .catalog
            .points
            .iter()
            .filter_map(|(_, node)| state.catalog.nodes.get(node));
        let points = nodes
            .filter_map(|node| self.core().point_info(state, node))
            .collect();
        self.core().with_clones(state, points)
    }

    /// The snapshots whose attributes are such, oldest first.
    pub fn points_where(&self, wanted: impl Fn(&PackedAttrs<'_>) -> bool) -> Vec<PointInfo> {
        let guarded = self.core().guarded.read();
        let state = &guarded.state;
        let nodes = state.catalog.points.iter();
        let points = nodes
            .filter_map(|(_, node)| state.catalog.nodes.get(node))
            .filter(
                |node| matches!(&node.role, Role::Point { label, .. } if wanted(&label.attrs())),
            )
            .filter_map(|node| self.core().point_info(state, node))
            .collect();
        self.core().with_clones(state, points)
    }

    /// Tells of every snapshot the volume, the attributes and when it was taken, the newest first (about):
    /// what can be counted without a list of them all in memory.
    pub fn each_point(&self, mut tell: impl FnMut(VolumeId, &PackedAttrs<'_>, Timestamp)) {
        let guarded = self.core().guarded.read();
        for node in guarded.state.catalog.nodes.iter().rev() {
            if let Role::Point { volume, label, .. } = &node.role {
                tell(*volume, &label.attrs(), time(node.created));
            }
        }
    }

    /// The next snapshots of all volumes by id, `limit` at most: those after `after`, or the first.
    pub fn points_after(&self, after: Option<PointId>, limit: usize) -> Vec<PointInfo> {
        let guarded = self.core().guarded.read();
        let state = &guarded.state;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let nodes = state.catalog.points.from(from);
        let points = nodes
            .take(limit)
            .filter_map(|(_, node)| {
                self.core()
                    .point_info(state, state.catalog.nodes.get(node)?)
            })
            .collect();
        self.core().with_clones(state, points)
    }

    /// How many snapshots there are.
    pub fn point_count(&self) -> usize {
        self.core().guarded.read().state.catalog.points.len()
    }

    /// A snapshot.
    ///
    /// # Errors
    /// [`EngineError::NoPoint`].
    pub fn point(&self, id: PointId) -> Result<PointInfo> {
        let guarded = self.core().guarded.read();
        let state = &guarded.state;
        let node = state
            .catalog
            .points
            .get(&id)
            .and_then(|(_, node)| state.catalog.nodes.get(node));
        let point = node.and_then(|node| self.core().point_info(state, node));
        let points = self.core().with_clones(state, point.into_iter().collect());
        points.into_iter().next().ok_or(EngineError::NoPoint(id))
    }

    /// Those of these snapshots that are there, in the same order.
    pub fn points_at(&self, ids: &[PointId]) -> Vec<PointInfo> {
        let guarded = self.core().guarded.read();
        let state = &guarded.state;
        let node = |id| state.catalog.nodes.get(&state.catalog.points.get(id)?.1);
        let points = ids
            .iter()
            .filter_map(|id| self.core().point_info(state, node(id)?))
            .collect();
        self.core().with_clones(state, points)
    }

    /// The ids of the snapshots of a volume's history, oldest first.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`].
    pub fn point_ids_of(&self, id: VolumeId) -> Result<Vec<PointId>> {
        let guarded = self.core().guarded.read();
        let catalog = &guarded.state.catalog;
        volume_of(catalog, id)?;
        Ok(catalog.points_of(id).map(|(id, _)| id).collect())
    }

    /// The snapshots of a volume's history, oldest first.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`].
    pub fn points_of(&self, id: VolumeId) -> Result<Vec<PointInfo>> {
        let guarded = self.core().guarded.read();
        let state = &guarded.state;
        volume_of(&state.catalog, id)?;
        let points = state.catalog.points_of(id);
        let nodes = points.filter_map(|(_, node)| state.catalog.nodes.get(&node));
        let points = nodes
            .filter_map(|node| self.core().point_info(state, node))
            .collect();
        Ok(self.core().with_clones(state, points))
    }

    /// Takes snapshots, all of the same moment: of every write to any of the
    /// volumes, all have it or none that were taken before it has.
    /// They come into being together or not at all. Ids are in the order of the requests.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::BadName`], [`EngineError::BadAttrs`],
    /// [`EngineError::BadRequest`] for none, or a volume twice; [`EngineError::NoSpace`].
    pub fn snapshot(&self, requests: &[SnapshotRequest]) -> Result<Vec<PointId>> {
        if requests.is_empty() {
            return Err(EngineError::BadRequest(
                "a snapshot needs at least one volume".into(),
            ));
        }
        for (i, request) in requests.iter().enumerate() {
            check_name(&request.name)?;
            check_attrs(&request.attrs)?;
            if requests[..i]
                .iter()
                .any(|other| other.volume == request.volume)
            {
                let volume = request.volume;
                return Err(EngineError::BadRequest(format!(
                    "the volume {volume} is named twice in one snapshot"
                )));
            }
        }
        self.core().admit()?;
        let text = |r: &SnapshotRequest| {
            r.name.len()
                + r.attrs
                    .iter()
                    .map(|(k, v)| k.len() + v.len() + 8)
                    .sum::<usize>()
        };
        let bytes = requests.iter().map(|r| text(r) as u64 + 64).sum::<u64>();
        if bytes > 64 << 10 {
            self.core().reserve_log(bytes)?;
        }
        let ids: Vec<PointId> = requests.iter().map(|_| PointId::new()).collect();
        let members = requests
            .iter()
            .zip(&ids)
            .map(|(request, id)| {
                (
                    request.volume,
                    *id,
                    request.name.clone(),
                    request.attrs.clone(),
                )
            })
            .collect();
        let changes = requests
            .iter()
            .map(|r| Change::Volume(r.volume))
            .chain(ids.iter().map(|id| Change::Point(*id)));
        let changes: Vec<Change> = changes.collect();
        self.core().operate(&changes, |_, guarded| {
            for request in requests {
                volume_of(&guarded.state.catalog, request.volume)?;
            }
            Ok((
                Record::Snapshot {
                    created: now(),
                    members,
                },
                ids,
            ))
        })
    }
}
