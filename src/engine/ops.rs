//! Operations on volumes and snapshots. Each is one record: it has happened or
//! it has not, and its cost does not depend on sizes or numbers.

use super::catalog::{Catalog, Volume};
use super::core::{Core, Guarded};
use super::error::{EngineError, Result};
use super::ids::{JobId, PointId, VolumeId};
use super::info::{Attrs, Change};
use super::page::BLOCK;
use super::record::Record;

/// The size of the largest volume, in bytes: 64 TiB.
pub const MAX_VOLUME_SIZE: u64 = 64 << 40;

pub(super) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > 1024 {
        Err(EngineError::BadName { len: name.len() })
    } else {
        Ok(())
    }
}

pub(super) fn check_attrs(attrs: &Attrs) -> Result<()> {
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

pub(super) fn check_size(size: u64) -> Result<()> {
    if !size.is_multiple_of(BLOCK) || !(BLOCK..=MAX_VOLUME_SIZE).contains(&size) {
        return Err(EngineError::BadSize { size });
    }
    Ok(())
}

pub(super) fn volume_of(catalog: &Catalog, id: VolumeId) -> Result<&Volume> {
    catalog.volumes.get(&id).ok_or(EngineError::NoVolume(id))
}

pub(super) fn check_point(catalog: &Catalog, id: PointId) -> Result<()> {
    if catalog.points.contains(&id) {
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
    pub(super) fn operate<T>(
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

    /// Tells that a job ended because its volume went another way.
    pub(super) fn job_gone(&self, job: Option<JobId>) {
        if let Some(id) = job {
            self.jobs.forget(id);
            self.tell(&[Change::JobEnded {
                id,
                completed: false,
            }]);
        }
    }
}
