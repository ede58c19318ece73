//! Steps that are one record of the engine.

use super::targets::Link;
use super::{Shared, attributes, convert, error, import, plan, plan_image};
use crate::engine::{self, Attrs, PackedAttrs, SnapshotRequest, VolumeInfo};
use crate::model::{ObjectRef, Operation, OperationKind, Problem, StepOutcome, Time};

/// One thing that was made, under a message.
pub(super) fn made(object: ObjectRef, message: impl Into<String>) -> StepOutcome {
    StepOutcome {
        message: message.into(),
        made: vec![object],
    }
}

/// A message.
pub(super) fn said(message: impl Into<String>) -> StepOutcome {
    StepOutcome {
        message: message.into(),
        made: Vec::new(),
    }
}

/// The name of a guard snapshot that is taken now: sorts by time, and says what it is.
pub(super) fn guard_name() -> String {
    Time::now().strftime("guard-%Y%m%d-%H%M%S").to_string()
}

/// A step that is one record of the engine.
pub(super) struct Run<'a> {
    pub(super) shared: &'a Shared,
    pub(super) operation: &'a Operation,
    /// The name of the step.
    pub(super) step: &'a str,
    /// Its idempotency key.
    pub(super) key: String,
}

impl Run<'_> {
    /// What the step made, where it was done before with the same key.
    pub(super) fn done(&self) -> Result<Option<StepOutcome>, Problem> {
        let store = &self.shared.store;
        let made_here = |attrs: &Attrs| attributes::made_by(attrs, &self.key);
        let changed_here = |attrs: &Attrs| attributes::changed_by(attrs, &self.key);
        let made_volume = || {
            let found = store.volumes().into_iter().find(|v| made_here(&v.attrs));
            found.map(|v| made(ObjectRef::from(&convert::volume_id(v.id)), v.name))
        };
        let made_point = || {
            let made_here = |attrs: &PackedAttrs<'_>| attributes::made_by(attrs, &self.key);
            let found = store.points_where(made_here).into_iter().next();
            found.map(|p| made(ObjectRef::from(&convert::snapshot_id(p.id)), p.name))
        };
        Ok(match self.operation.kind {
            OperationKind::CreateVolume | OperationKind::Clone => made_volume(),
            OperationKind::ImportImage => made_volume().or_else(made_point),
            OperationKind::ExtendVolume => {
                let size = self.operation.get_size("size")?;
                let done = self.volume()?.size >= size.0;
                done.then(|| said(format!("now {size}")))
            }
            OperationKind::UpdateVolume => {
                changed_here(&self.volume()?.attrs).then(|| said("done before"))
            }
            // The guard of a restore says so too, whatever happened to the volume since.
            OperationKind::Restore => made_point().or_else(|| {
                let info = self.volume().ok()?;
                changed_here(&info.attrs).then(|| said("done before"))
            }),
            OperationKind::UpdateSnapshot => {
                let id = self.operation.snapshot()?;
                let info = store
                    .point(convert::engine_point(id.as_str())?)
                    .map_err(|e| self.failed(&e))?;
                changed_here(&info.attrs).then(|| said("done before"))
            }
            OperationKind::DeleteVolume => {
                let id = convert::engine_volume(self.operation.volume()?.as_str())?;
                let gone = matches!(store.volume(id), Err(engine::EngineError::NoVolume(_)));
                gone.then(|| said("it is gone"))
            }
            OperationKind::DeleteSnapshot => {
                let id = convert::engine_point(self.operation.snapshot()?.as_str())?;
                let gone = matches!(store.point(id), Err(engine::EngineError::NoPoint(_)));
                gone.then(|| said("it is gone"))
            }
            OperationKind::ShrinkVolume if self.step == plan::SHRINK => {
                let size = self.operation.get_size("size")?;
                let done = self.volume()?.size <= size.0;
                done.then(|| said(format!("now {size}")))
            }
            OperationKind::CreateSnapshot | OperationKind::ShrinkVolume => made_point(),
            OperationKind::Flatten => None,
            _ => self.set_done()?,
        })
    }

    pub(super) fn failed(&self, error: &engine::EngineError) -> Problem {
        error::problem(error, format!("{} was not done", self.operation.kind))
    }

    fn volume(&self) -> Result<VolumeInfo, Problem> {
        let id = self.operation.volume()?;
        self.shared
            .store
            .volume(convert::engine_volume(id.as_str())?)
            .map_err(|e| self.failed(&e))
    }

    /// The attributes of something new.
    pub(super) fn made_attrs(&self) -> Attrs {
        let mut attrs = self.given(Attrs::new());
        attributes::put(&mut attrs, attributes::MADE, Some(&self.key));
        attrs
    }

    /// The attributes of something that is there, changed by this step.
    pub(super) fn changed_attrs(&self, attrs: Attrs) -> Attrs {
        let mut attrs = self.given(attrs);
        attributes::note_change(&mut attrs, &self.key);
        attrs
    }

    /// The attributes with what the operation gives.
    fn given(&self, mut attrs: Attrs) -> Attrs {
        for field in [
            attributes::DESCRIPTION,
            attributes::INSTANCE,
            attributes::DEVICE,
        ] {
            attributes::put(&mut attrs, field, self.operation.find_text(field));
        }
        attrs
    }

    /// The attributes of a guard of this volume. That of a linked target knows what it showed, so that it shows it
    /// again when it is taken back.
    pub(super) fn guard_attrs(&self, why: String, info: &VolumeInfo) -> Attrs {
        let mut attrs = Attrs::new();
        if let Some(link) = Link::of(&info.attrs) {
            link.put(&mut attrs);
        }
        attributes::put(&mut attrs, attributes::GUARD, Some("true"));
        attributes::put(&mut attrs, attributes::MADE, Some(&self.key));
        attributes::put(&mut attrs, attributes::DESCRIPTION, Some(&why));
        attrs
    }

    /// Does it: one durable record.
    pub(super) fn record(&self) -> Result<StepOutcome, Problem> {
        let store = &self.shared.store;
        let operation = self.operation;
        let failed = |e| self.failed(&e);
        if let Ok(id) = operation.volume() {
            // Looked at when it was planned; it may have begun since.
            self.shared
                .not_filling(convert::engine_volume(id.as_str())?)?;
        }
        match operation.kind {
            OperationKind::CreateVolume => {
                let name = operation.get_text("name")?;
                let size = operation.get_size("size")?;
                let id = store
                    .create_volume(name, size.0, self.made_attrs())
                    .map_err(failed)?;
                Ok(made(ObjectRef::from(&convert::volume_id(id)), name))
            }
            OperationKind::UpdateVolume => {
                let info = self.volume()?;
                let name = operation.find_text("name").map(str::to_owned);
                let attrs = self.changed_attrs(info.attrs);
                store
                    .update_volume(info.id, name, Some(attrs))
                    .map_err(failed)?;
                Ok(said("changed"))
            }
            OperationKind::ExtendVolume => {
                let info = self.volume()?;
                let size = operation.get_size("size")?;
                store.resize_volume(info.id, size.0).map_err(failed)?;
                Ok(said(format!("now {size}")))
            }
            OperationKind::DeleteVolume => {
                let info = self.volume()?;
                store
                    .delete_volume(info.id, operation.flag("snapshots"))
                    .map_err(failed)?;
                Ok(said("it is gone"))
            }
            OperationKind::CreateSnapshot => {
                let name = operation.get_text("name")?;
                self.snapshot(&self.volume()?, name.to_owned(), self.made_attrs())
            }
            OperationKind::UpdateSnapshot => {
                let id = convert::engine_point(operation.snapshot()?.as_str())?;
                let info = store.point(id).map_err(failed)?;
                let name = operation.find_text("name").map(str::to_owned);
                store
                    .update_point(id, name, Some(self.changed_attrs(info.attrs)))
                    .map_err(failed)?;
                Ok(said("changed"))
            }
            OperationKind::DeleteSnapshot => {
                let id = convert::engine_point(operation.snapshot()?.as_str())?;
                store.delete_point(id).map_err(failed)?;
                Ok(said("it is gone"))
            }
            OperationKind::Restore => self.restore(),
            OperationKind::Clone => {
                let id = convert::engine_point(operation.snapshot()?.as_str())?;
                let name = operation.get_text("name")?;
                let volume = store
                    .clone_volume(id, name, self.made_attrs())
                    .map_err(failed)?;
                Ok(made(ObjectRef::from(&convert::volume_id(volume)), name))
            }
            OperationKind::ImportImage => match operation.find_text("name") {
                Some(name) => {
                    let length = match operation.get_text("file")? {
                        // It grows with what comes.
                        import::STREAM => 1,
                        _ => plan_image::open(operation)?.size(),
                    };
                    let size = length.next_multiple_of(engine::BLOCK_SIZE);
                    let id = store
                        .create_volume(name, size, self.made_attrs())
                        .map_err(failed)?;
                    Ok(made(ObjectRef::from(&convert::volume_id(id)), name))
                }
                None => {
                    let info = self.volume()?;
                    let why = format!("what {} held before an import", info.name);
                    self.snapshot(&info, guard_name(), self.guard_attrs(why, &info))
                }
            },
            OperationKind::ShrinkVolume if self.step == plan::SHRINK => {
                let info = self.volume()?;
                let size = operation.get_size("size")?;
                if size.0 < info.size {
                    store.resize_volume(info.id, size.0).map_err(failed)?;
                }
                Ok(said(format!("now {size}")))
            }
            OperationKind::ShrinkVolume => {
                let info = self.volume()?;
                let why = format!("what {} held before it was shrunk", info.name);
                self.snapshot(&info, guard_name(), self.guard_attrs(why, &info))
            }
            _ => self.set_record(),
        }
    }

    fn snapshot(
        &self,
        info: &VolumeInfo,
        name: String,
        attrs: Attrs,
    ) -> Result<StepOutcome, Problem> {
        let ids = self
            .shared
            .store
            .snapshot(&[SnapshotRequest {
                volume: info.id,
                name: name.clone(),
                attrs,
            }])
            .map_err(|e| self.failed(&e))?;
        Ok(StepOutcome {
            message: name,
            made: ids
                .into_iter()
                .map(|id| ObjectRef::from(&convert::snapshot_id(id)))
                .collect(),
        })
    }

    fn restore(&self) -> Result<StepOutcome, Problem> {
        let info = self.volume()?;
        let point = convert::engine_point(self.operation.snapshot()?.as_str())?;
        let guard = self.operation.flag("guard").then(|| {
            let why = format!("what {} held before a restore", info.name);
            (guard_name(), self.guard_attrs(why, &info))
        });
        let guard_name = guard.as_ref().map(|(name, _)| name.clone());
        let mut attrs = info.attrs.clone();
        attrs.remove(import::UNFINISHED);
        attributes::note_change(&mut attrs, &self.key);
        let known = self.shared.store.point(point).ok();
        let shown = known.and_then(|point| Link::of(&point.attrs));
        if let (Some(link), true) = (shown, Link::of(&attrs).is_some()) {
            link.put(&mut attrs);
        }
        let kept = self
            .shared
            .store
            .restore(info.id, point, guard, Some(attrs))
            .map_err(|e| self.failed(&e))?;
        Ok(match (kept, guard_name) {
            (Some(id), Some(name)) => made(
                ObjectRef::from(&convert::snapshot_id(id)),
                format!("restored; what it held is kept as {name}"),
            ),
            _ => said("restored"),
        })
    }
}
