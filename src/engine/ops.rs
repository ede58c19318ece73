//! Operations on volumes and snapshots. Each is one record: it has happened or
//! it has not, and its cost does not depend on sizes or numbers.

use jiff::Timestamp;

use super::apply::State;
use super::catalog::{Catalog, CopyJob, Node, Role, Volume};
use super::core::{Core, Guarded};
use super::error::{EngineError, Result};
use super::ids::{JobId, PointId, VolumeId};
use super::info::{Attrs, Change, PointInfo, SnapshotRequest, VolumeInfo};
use super::page::BLOCK;
use super::record::Record;
use super::store::{Store, now};

/// The size of the largest volume, in bytes: 64 TiB.
pub const MAX_VOLUME_SIZE: u64 = 64 << 40;

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > 1024 {
        Err(EngineError::BadName { len: name.len() })
    } else {
        Ok(())
    }
}

fn check_attrs(attrs: &Attrs) -> Result<()> {
    let bytes = attrs
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum();
    if attrs.len() > 64 || bytes > 16384 {
        return Err(EngineError::BadAttrs {
            count: attrs.len(),
            bytes,
        });
    }
    Ok(())
}

fn check_size(size: u64) -> Result<()> {
    if !size.is_multiple_of(BLOCK) || !(BLOCK..=MAX_VOLUME_SIZE).contains(&size) {
        return Err(EngineError::BadSize { size });
    }
    Ok(())
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn volume_of(catalog: &Catalog, id: VolumeId) -> Result<&Volume> {
    catalog.volumes.get(&id).ok_or(EngineError::NoVolume(id))
}

fn check_point(catalog: &Catalog, id: PointId) -> Result<()> {
    if catalog.points.contains_key(&id) {
        Ok(())
    } else {
        Err(EngineError::NoPoint(id))
    }
}

impl Core {
    /// Makes a record durable if operations are to be.
    pub(super) fn durable(&self, lsn: u64) -> Result<()> {
        if self.tuning.durable_ops {
            self.commit(lsn)
        } else {
            Ok(())
        }
    }

    /// Checks, records and makes durable an operation, and tells of it.
    fn operate<T>(
        &self,
        changes: &[Change],
        operation: impl FnOnce(&Self, &mut Guarded) -> Result<(Record, T)>,
    ) -> Result<T> {
        let (lsn, out) = {
            let mut guarded = self.guarded.write();
            let (record, out) = operation(self, &mut guarded)?;
            (self.record(&mut guarded, &record)?, out)
        };
        self.durable(lsn)?;
        self.tell(changes);
        Ok(out)
    }

    fn volume_info(&self, state: &State, volume: &Volume, head: &Node) -> VolumeInfo {
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

    fn point_info(&self, state: &State, node: &Node) -> Option<PointInfo> {
        let Role::Point {
            id,
            volume,
            name,
            attrs,
        } = &node.role
        else {
            return None;
        };
        Some(PointInfo {
            id: *id,
            name: name.clone(),
            volume: *volume,
            parent: state.catalog.visible_parent(node.id).map(|(id, _)| id),
            size: node.size,
            created: time(node.created),
            attrs: attrs.clone(),
            usage: self.usage(state, node),
            clones: Vec::new(),
        })
    }

    /// Adds to each snapshot the volumes of other histories that hang below it.
    fn with_clones(&self, state: &State, mut points: Vec<PointInfo>) -> Vec<PointInfo> {
        let catalog = &state.catalog;
        for volume in catalog.volumes.values() {
            if let Some((parent, _)) = catalog.visible_parent(volume.head)
                && let Some(point) = points
                    .iter_mut()
                    .find(|p| p.id == parent && p.volume != volume.id)
            {
                point.clones.push(volume.id);
            }
        }
        points
    }
}

impl Store {
    /// All volumes, oldest first.
    pub fn volumes(&self) -> Vec<VolumeInfo> {
        let guarded = self.core().guarded.read();
        let state = &guarded.state;
        let head = |volume: &Volume| state.catalog.nodes.get(&volume.head);
        state
            .catalog
            .volumes
            .values()
            .filter_map(|volume| Some(self.core().volume_info(state, volume, head(volume)?)))
            .collect()
    }

    /// A volume.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`].
    pub fn volume(&self, id: VolumeId) -> Result<VolumeInfo> {
        let guarded = self.core().guarded.read();
        let volume = volume_of(&guarded.state.catalog, id)?;
        let head = guarded
            .state
            .catalog
            .nodes
            .get(&volume.head)
            .ok_or(EngineError::NoVolume(id))?;
        Ok(self.core().volume_info(&guarded.state, volume, head))
    }

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

    /// Makes a volume of `size` bytes. It takes no space until it is written.
    ///
    /// # Errors
    /// [`EngineError::BadName`], [`EngineError::BadSize`], [`EngineError::BadAttrs`], [`EngineError::NoSpace`].
    pub fn create_volume(&self, name: &str, size: u64, attrs: Attrs) -> Result<VolumeId> {
        check_name(name)?;
        check_size(size)?;
        check_attrs(&attrs)?;
        self.core().admit()?;
        let id = VolumeId::new();
        let record = Record::CreateVolume {
            id,
            name: name.to_owned(),
            size,
            created: now(),
            attrs,
        };
        self.core()
            .operate(&[Change::Volume(id)], |_, _| Ok((record, id)))
    }

    /// Changes a volume's name or attributes.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::BadName`], [`EngineError::BadAttrs`].
    pub fn update_volume(
        &self,
        id: VolumeId,
        name: Option<String>,
        attrs: Option<Attrs>,
    ) -> Result<()> {
        name.as_deref().map_or(Ok(()), check_name)?;
        attrs.as_ref().map_or(Ok(()), check_attrs)?;
        self.core().admit()?;
        self.core().operate(&[Change::Volume(id)], |_, guarded| {
            volume_of(&guarded.state.catalog, id)?;
            Ok((Record::UpdateVolume { id, name, attrs }, ()))
        })
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

    /// Makes a volume `size` bytes long. What a smaller size cuts off is lost;
    /// what a larger one adds reads as zeroes.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::BadSize`], [`EngineError::NoSpace`].
    pub fn resize_volume(&self, id: VolumeId, size: u64) -> Result<()> {
        check_size(size)?;
        self.core().admit()?;
        let old = self.volume(id)?.size;
        // What an interrupted shrinking left beyond the end must not come back.
        self.core().discard_beyond(id, old)?;
        self.core().operate(&[Change::Volume(id)], |_, guarded| {
            volume_of(&guarded.state.catalog, id)?;
            Ok((Record::Resize { id, size }, ()))
        })?;
        self.core().discard_beyond(id, size)
    }

    /// Deletes a volume; `cascade`: with its snapshots. Clones of its snapshots
    /// stay whole. The space comes back in the background.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`]; [`EngineError::HasSnapshots`] unless `cascade`.
    pub fn delete_volume(&self, id: VolumeId, cascade: bool) -> Result<()> {
        self.core().admit_delete()?;
        let mut points: Vec<PointId> = Vec::new();
        let job = self
            .core()
            .operate(&[Change::VolumeRemoved(id)], |_, guarded| {
                let state = &guarded.state;
                volume_of(&state.catalog, id)?;
                let nodes = state
                    .points_of(id)
                    .filter_map(|node| state.catalog.nodes.get(&node));
                points.extend(nodes.filter_map(|node| match node.role {
                    Role::Point { id, .. } => Some(id),
                    _ => None,
                }));
                if !points.is_empty() && !cascade {
                    return Err(EngineError::HasSnapshots {
                        volume: id,
                        count: points.len(),
                    });
                }
                Ok((
                    Record::DeleteVolume { id },
                    state.catalog.copy_of(id).map(|job| job.id),
                ))
            })?;
        self.core().tell(
            &points
                .into_iter()
                .map(Change::PointRemoved)
                .collect::<Vec<_>>(),
        );
        self.core().job_gone(job);
        self.core().nudge();
        Ok(())
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

    /// Makes a volume that begins as what a snapshot is, and shares its space.
    ///
    /// # Errors
    /// [`EngineError::NoPoint`], [`EngineError::BadName`], [`EngineError::BadAttrs`], [`EngineError::NoSpace`].
    pub fn clone_volume(&self, point: PointId, name: &str, attrs: Attrs) -> Result<VolumeId> {
        check_name(name)?;
        check_attrs(&attrs)?;
        self.core().admit()?;
        let id = VolumeId::new();
        let name = name.to_owned();
        self.core()
            .operate(&[Change::Volume(id), Change::Point(point)], |_, guarded| {
                check_point(&guarded.state.catalog, point)?;
                Ok((
                    Record::Clone {
                        id,
                        point,
                        name,
                        created: now(),
                        attrs,
                    },
                    id,
                ))
            })
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

    /// Begins to copy what a volume shares into space of its own. It can be used
    /// meanwhile. At the end it descends from nothing, unless it got snapshots of
    /// its own on the way: with those it shares.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::CopyRunning`], [`EngineError::NoSpace`].
    pub fn start_copy(&self, volume: VolumeId) -> Result<JobId> {
        self.core().admit()?;
        let id = JobId::new();
        self.core()
            .operate(&[Change::Volume(volume)], |_, guarded| {
                let catalog = &guarded.state.catalog;
                let head = volume_of(catalog, volume)?.head;
                if let Some(CopyJob { id: job, .. }) = catalog.copy_of(volume) {
                    return Err(EngineError::CopyRunning { volume, job: *job });
                }
                let shared = catalog
                    .nodes
                    .get(&head)
                    .map_or(0, |node| node.referenced.saturating_sub(node.written));
                let threshold = catalog.parent_freeze(head);
                Ok((
                    Record::StartCopy {
                        id,
                        volume,
                        threshold,
                        total: shared,
                    },
                    (),
                ))
            })?;
        self.core().nudge();
        Ok(id)
    }
}

impl Core {
    /// Tells that a job ended because its volume went another way.
    fn job_gone(&self, job: Option<JobId>) {
        if let Some(id) = job {
            self.jobs.forget(id);
            self.tell(&[Change::JobEnded {
                id,
                completed: false,
            }]);
        }
    }
}
