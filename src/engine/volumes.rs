//! What can be done with volumes.

use super::catalog::{CopyJob, Role, Volume};
use super::error::{EngineError, Result};
use super::ids::{JobId, PointId, VolumeId};
use super::info::{Attrs, Change, VolumeInfo};
use super::ops::{check_attrs, check_name, check_point, check_size, volume_of};
use super::record::Record;
use super::store::{Store, now};

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
