//! Changes of volumes and snapshots, one or several at one moment: all of them
//! happen or none does, and it is one record whatever they are about.

use std::collections::BTreeSet;

use super::catalog::{Catalog, Role};
use super::error::{EngineError, Result};
use super::ids::{JobId, PointId, VolumeId};
use super::info::{Action, Attrs, Change};
use super::ops::{check_attrs, check_name, check_point, volume_of};
use super::record::Record;
use super::store::{Store, now};

/// A record with what is to be told once it has happened.
struct Prepared {
    record: Record,
    changes: Vec<Change>,
    /// The copy that ends with it.
    job: Option<JobId>,
    made: Option<Made>,
}

/// What an action made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// A volume.
    Volume(VolumeId),
    /// A snapshot: what a restored volume held before.
    Point(PointId),
}

/// What the actions of one transaction are about. None may undo or change what another
/// rests on, so that their order does not matter.
#[derive(Default)]
struct About {
    changed: BTreeSet<VolumeId>,
    points: BTreeSet<PointId>,
    read: BTreeSet<PointId>,
    deleted: BTreeSet<VolumeId>,
}

impl About {
    fn note(&mut self, action: &Action) -> bool {
        match action {
            Action::UpdateVolume { volume, .. } => self.changed.insert(*volume),
            Action::DeleteVolume { volume, .. } => {
                self.deleted.insert(*volume);
                self.changed.insert(*volume)
            }
            Action::Restore { volume, point, .. } => {
                self.read.insert(*point);
                self.changed.insert(*volume)
            }
            Action::Clone { point, .. } => {
                self.read.insert(*point);
                true
            }
            Action::UpdatePoint { point, .. } | Action::DeletePoint { point } => {
                self.points.insert(*point)
            }
        }
    }

    fn check(&self, catalog: &Catalog) -> Result<()> {
        let volume_of_point = |point: &PointId| {
            let node = catalog.nodes.get(&catalog.points.get(point)?.1)?;
            match node.role {
                Role::Point { volume, .. } => Some(volume),
                _ => None,
            }
        };
        let gone = |point: &PointId| {
            volume_of_point(point).is_some_and(|volume| self.deleted.contains(&volume))
        };
        if self.read.iter().any(|point| self.points.contains(point))
            || self.read.iter().chain(&self.points).any(gone)
        {
            return Err(EngineError::BadRequest(
                "one change rests on a snapshot that another one changes".into(),
            ));
        }
        Ok(())
    }
}

fn texts(name: Option<&String>, attrs: Option<&Attrs>) -> Result<u64> {
    name.map_or(Ok(()), |name| check_name(name))?;
    attrs.map_or(Ok(()), check_attrs)?;
    let attrs = attrs.into_iter().flatten();
    let bytes: usize = attrs.map(|(key, value)| key.len() + value.len() + 8).sum();
    Ok((bytes + name.map_or(0, String::len)) as u64)
}

/// Checks what can be checked without the state. Returns about how many bytes its record takes.
fn check_action(action: &Action) -> Result<u64> {
    let bytes = match action {
        Action::UpdateVolume { name, attrs, .. } | Action::UpdatePoint { name, attrs, .. } => {
            texts(name.as_ref(), attrs.as_ref())?
        }
        Action::Restore { keep, attrs, .. } => {
            let (name, kept) = keep.as_ref().map(|(name, attrs)| (name, attrs)).unzip();
            texts(name, kept)? + texts(None, attrs.as_ref())?
        }
        Action::Clone { name, attrs, .. } => texts(Some(name), Some(attrs))?,
        Action::DeletePoint { .. } | Action::DeleteVolume { .. } => 0,
    };
    Ok(bytes + 96)
}

fn prepare(catalog: &Catalog, action: Action, created: i64) -> Result<Prepared> {
    let mut job = None;
    let mut made = None;
    let (record, changes) = match action {
        Action::UpdateVolume {
            volume: id,
            name,
            attrs,
        } => {
            volume_of(catalog, id)?;
            let record = Record::UpdateVolume { id, name, attrs };
            (record, vec![Change::Volume(id)])
        }
        Action::UpdatePoint {
            point: id,
            name,
            attrs,
        } => {
            check_point(catalog, id)?;
            let record = Record::UpdatePoint { id, name, attrs };
            (record, vec![Change::Point(id)])
        }
        Action::Restore {
            volume,
            point,
            keep,
            attrs,
        } => {
            volume_of(catalog, volume)?;
            check_point(catalog, point)?;
            job = catalog.copy_of(volume).map(|job| job.id);
            let keep = keep.map(|(name, attrs)| (PointId::new(), name, attrs));
            let kept = keep.as_ref().map(|(id, ..)| *id);
            made = kept.map(Made::Point);
            let mut changes = vec![Change::Volume(volume), Change::Point(point)];
            changes.extend(kept.map(Change::Point));
            let record = Record::Restore {
                volume,
                point,
                created,
                keep,
                attrs,
            };
            (record, changes)
        }
        Action::Clone { point, name, attrs } => {
            check_point(catalog, point)?;
            let id = VolumeId::new();
            made = Some(Made::Volume(id));
            let record = Record::Clone {
                id,
                point,
                name,
                created,
                attrs,
            };
            (record, vec![Change::Volume(id), Change::Point(point)])
        }
        Action::DeletePoint { point: id } => {
            check_point(catalog, id)?;
            (Record::DeletePoint { id }, vec![Change::PointRemoved(id)])
        }
        Action::DeleteVolume {
            volume: id,
            cascade,
        } => {
            volume_of(catalog, id)?;
            let points: Vec<PointId> = catalog.points_of(id).map(|(id, _)| id).collect();
            if !points.is_empty() && !cascade {
                return Err(EngineError::HasSnapshots {
                    volume: id,
                    count: points.len(),
                });
            }
            job = catalog.copy_of(id).map(|job| job.id);
            let mut changes = vec![Change::VolumeRemoved(id)];
            changes.extend(points.into_iter().map(Change::PointRemoved));
            (Record::DeleteVolume { id }, changes)
        }
    };
    Ok(Prepared {
        record,
        changes,
        job,
        made,
    })
}

impl Store {
    /// Does all of this at one moment, or nothing of it: after any crash all is done or
    /// nothing is. What each action made is returned in their order. A volume or a snapshot
    /// may be changed by one of them only. Room comes back in the background.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::NoPoint`], [`EngineError::HasSnapshots`],
    /// [`EngineError::BadName`], [`EngineError::BadAttrs`]; [`EngineError::BadRequest`] for
    /// none, or for two that concern the same thing; [`EngineError::NoSpace`].
    pub fn transact(&self, actions: Vec<Action>) -> Result<Vec<Option<Made>>> {
        if actions.is_empty() {
            return Err(EngineError::BadRequest("there is nothing to do".into()));
        }
        let mut about = About::default();
        let mut bytes = 0;
        for action in &actions {
            bytes += check_action(action)?;
            if !about.note(action) {
                return Err(EngineError::BadRequest(
                    "two changes of one transaction concern the same thing".into(),
                ));
            }
        }
        let core = self.core();
        let frees = |action: &Action| {
            matches!(
                action,
                Action::DeletePoint { .. } | Action::DeleteVolume { .. }
            )
        };
        if actions.iter().all(frees) {
            core.admit_delete()?;
        } else {
            core.admit()?;
        }
        if bytes > 64 << 10 {
            core.reserve_log(bytes)?;
        }
        let created = now();
        let (lsn, changes, jobs, made) = {
            let mut guarded = core.guarded.write();
            let catalog = &guarded.state.catalog;
            about.check(catalog)?;
            let prepared = actions
                .into_iter()
                .map(|action| prepare(catalog, action, created))
                .collect::<Result<Vec<Prepared>>>()?;
            let (mut records, mut changes) = (Vec::new(), Vec::new());
            let (mut jobs, mut made) = (Vec::new(), Vec::new());
            for one in prepared {
                records.push(one.record);
                changes.extend(one.changes);
                jobs.extend(one.job);
                made.push(one.made);
            }
            let record = match records.pop() {
                Some(only) if records.is_empty() => only,
                last => {
                    records.extend(last);
                    Record::Transaction(records)
                }
            };
            (core.record(&mut guarded, &record)?, changes, jobs, made)
        };
        core.durable(lsn)?;
        core.tell(&changes);
        for job in jobs {
            core.job_gone(Some(job));
        }
        core.nudge();
        Ok(made)
    }

    /// Does one thing. Returns what it made.
    fn act(&self, action: Action) -> Result<Option<Made>> {
        Ok(self.transact(vec![action])?.into_iter().next().flatten())
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
        let volume = id;
        self.act(Action::UpdateVolume {
            volume,
            name,
            attrs,
        })?;
        Ok(())
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
        let point = id;
        self.act(Action::UpdatePoint { point, name, attrs })?;
        Ok(())
    }

    /// Makes a volume what a snapshot is, of its own or of another volume; its size too. With
    /// `keep`, what the volume was becomes a snapshot of this name first, and its id is
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
        keep: Option<(String, Attrs)>,
        attrs: Option<Attrs>,
    ) -> Result<Option<PointId>> {
        let made = self.act(Action::Restore {
            volume,
            point,
            keep,
            attrs,
        })?;
        Ok(match made {
            Some(Made::Point(id)) => Some(id),
            _ => None,
        })
    }

    /// Makes a volume that begins as what a snapshot is, and shares its space.
    ///
    /// # Errors
    /// [`EngineError::NoPoint`], [`EngineError::BadName`], [`EngineError::BadAttrs`], [`EngineError::NoSpace`].
    pub fn clone_volume(&self, point: PointId, name: &str, attrs: Attrs) -> Result<VolumeId> {
        let name = name.to_owned();
        match self.act(Action::Clone { point, name, attrs })? {
            Some(Made::Volume(id)) => Ok(id),
            _ => Err(EngineError::NoPoint(point)),
        }
    }

    /// Deletes a snapshot. Whatever descends from it stays as it is; the space
    /// comes back in the background.
    ///
    /// # Errors
    /// [`EngineError::NoPoint`].
    pub fn delete_point(&self, id: PointId) -> Result<()> {
        self.act(Action::DeletePoint { point: id })?;
        Ok(())
    }

    /// Deletes a volume; `cascade`: with its snapshots. Clones of its snapshots
    /// stay whole. The space comes back in the background.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`]; [`EngineError::HasSnapshots`] unless `cascade`.
    pub fn delete_volume(&self, id: VolumeId, cascade: bool) -> Result<()> {
        self.act(Action::DeleteVolume {
            volume: id,
            cascade,
        })?;
        Ok(())
    }
}
