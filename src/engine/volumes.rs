//! What can be done with volumes.

use super::catalog::{CopyJob, Volume};
use super::error::{EngineError, Result};
use super::ids::{JobId, VolumeId};
use super::info::{Attrs, Change, VolumeInfo};
use super::ops::{check_attrs, check_name, check_size, volume_of};
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
