//! What can be done with snapshots.

use super::error::{EngineError, Result};
use super::ids::{PointId, VolumeId};
use super::info::{Attrs, Change, PointInfo, SnapshotRequest};
use super::ops::{check_attrs, check_name, check_point, volume_of};
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
            .values()
            .filter_map(|node| state.catalog.nodes.get(node));
        let points = nodes
            .filter_map(|node| self.core().point_info(state, node))
            .collect();
        self.core().with_clones(state, points)
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
            .and_then(|node| state.catalog.nodes.get(node));
        let point = node.and_then(|node| self.core().point_info(state, node));
        let points = self.core().with_clones(state, point.into_iter().collect());
        points.into_iter().next().ok_or(EngineError::NoPoint(id))
    }

    /// The snapshots of a volume's history, oldest first.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`].
    pub fn points_of(&self, id: VolumeId) -> Result<Vec<PointInfo>> {
        let guarded = self.core().guarded.read();
        let state = &guarded.state;
        volume_of(&state.catalog, id)?;
        let nodes = state
            .points_of(id)
            .filter_map(|node| state.catalog.nodes.get(&node));
        let points = nodes
            .filter_map(|node| self.core().point_info(state, node))
            .collect();
        Ok(self.core().with_clones(state, points))
    }

    /// Changes a snapshot's name or attributes.
    ///
    /// # Errors
    /// [`EngineError::NoPoint`], [`EngineError::BadName`], [`EngineError::BadAttrs`].
    pub fn update_point(
        &self,
        id: PointId,
        name: Option<String>,
        attrs: Option<Attrs>,
    ) -> Result<()> {
        name.as_deref().map_or(Ok(()), check_name)?;
        attrs.as_ref().map_or(Ok(()), check_attrs)?;
        self.core().admit()?;
        self.core().operate(&[Change::Point(id)], |_, guarded| {
            check_point(&guarded.state.catalog, id)?;
            Ok((Record::UpdatePoint { id, name, attrs }, ()))
        })
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

    /// Makes a volume what a snapshot is; its size too. With `keep_head`, what
    /// the volume was becomes a snapshot of this name first, and its id is
    /// returned; else it is lost. With `attrs`, the volume gets these. Snapshots
    /// newer than this one stay. A copy of the volume that is under way ends.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::NoPoint`], [`EngineError::BadName`],
    /// [`EngineError::BadAttrs`], [`EngineError::NoSpace`].
    pub fn restore(
        &self,
        volume: VolumeId,
        point: PointId,
        keep_head: Option<(String, Attrs)>,
        attrs: Option<Attrs>,
    ) -> Result<Option<PointId>> {
        if let Some((name, attrs)) = &keep_head {
            check_name(name)?;
            check_attrs(attrs)?;
        }
        attrs.as_ref().map_or(Ok(()), check_attrs)?;
        self.core().admit()?;
        let keep = keep_head.map(|(name, attrs)| (PointId::new(), name, attrs));
        let kept = keep.as_ref().map(|(id, ..)| *id);
        let mut changes = vec![Change::Volume(volume), Change::Point(point)];
        changes.extend(kept.map(Change::Point));
        let job = self.core().operate(&changes, |_, guarded| {
            let catalog = &guarded.state.catalog;
            volume_of(catalog, volume)?;
            check_point(catalog, point)?;
            let job = catalog.copy_of(volume).map(|job| job.id);
            Ok((
                Record::Restore {
                    volume,
                    point,
                    created: now(),
                    keep,
                    attrs,
                },
                job,
            ))
        })?;
        self.core().job_gone(job);
        self.core().nudge();
        Ok(kept)
    }

    /// Deletes a snapshot. Whatever descends from it stays as it is; the space
    /// comes back in the background.
    ///
    /// # Errors
    /// [`EngineError::NoPoint`].
    pub fn delete_point(&self, id: PointId) -> Result<()> {
        self.core().admit_delete()?;
        self.core()
            .operate(&[Change::PointRemoved(id)], |_, guarded| {
                check_point(&guarded.state.catalog, id)?;
                Ok((Record::DeletePoint { id }, ()))
            })?;
        self.core().nudge();
        Ok(())
    }
}
