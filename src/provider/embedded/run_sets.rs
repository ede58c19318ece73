//! Steps about groups, sessions and linked targets: each is one record too, whatever the
//! number of members.

use super::plan_targets::{point_for, target_name};
use super::run::{Run, guard_name, said};
use super::sets::{self, Set, SetKind};
use super::targets::{self, Link};
use super::{attributes, convert, import};
use crate::engine::{self, Action, Made, SnapshotRequest, VolumeInfo};
use crate::model::{
    CopyMode, Kind, ObjectRef, OperationKind, Problem, ProblemKind, StepOutcome, TargetId,
};

/// Every thing that was made, under one message.
fn all_made(message: impl Into<String>, made: Vec<ObjectRef>) -> StepOutcome {
    StepOutcome {
        message: message.into(),
        made,
    }
}

impl Run<'_> {
    fn set(&self, kind: SetKind) -> Result<Set, Problem> {
        let id = self.operation.object(kind.kind().one(), kind.kind())?;
        sets::find(self.shared, kind, id)
    }

    fn target(&self) -> Result<(VolumeInfo, Link), Problem> {
        let id = self.operation.object("target", Kind::Target)?;
        targets::find(self.shared, id)
    }

    /// The snapshots that this step made before.
    fn points_made(&self) -> Vec<ObjectRef> {
        let made_here = |attrs: &engine::PackedAttrs<'_>| attributes::made_by(attrs, &self.key);
        let points = self.shared.store.points_where(made_here).into_iter();
        points
            .map(|point| ObjectRef::from(&convert::snapshot_id(point.id)))
            .collect()
    }

    fn changed(&self, attrs: &engine::Attrs) -> bool {
        attributes::changed_by(attrs, &self.key)
    }

    fn set_made(&self, kind: SetKind) -> Option<StepOutcome> {
        let made_here = |attrs: &engine::PackedAttrs<'_>| attributes::made_by(attrs, &self.key);
        let points = self.shared.store.points_where(made_here);
        let mine = points.first()?;
        let id = kind.of(&mine.attrs)?.to_owned();
        let mut all = vec![ObjectRef::new(kind.kind(), id)];
        all.extend(self.points_made());
        Some(all_made("taken", all))
    }

    fn set_gone(&self, kind: SetKind) -> Result<Option<StepOutcome>, Problem> {
        match self.set(kind) {
            Ok(_) => Ok(None),
            Err(problem) if problem.kind == ProblemKind::NotFound => Ok(Some(said("it is gone"))),
            Err(problem) => Err(problem),
        }
    }

    /// What came of this step, where it was done before.
    pub(super) fn set_done(&self) -> Result<Option<StepOutcome>, Problem> {
        Ok(match self.operation.kind {
            OperationKind::CreateGroup => self.set_made(SetKind::Group),
            OperationKind::CreateSession => self.set_made(SetKind::Session),
            OperationKind::DeleteGroup | OperationKind::Ungroup => self.set_gone(SetKind::Group)?,
            OperationKind::DeleteSession => self.set_gone(SetKind::Session)?,
            OperationKind::UpdateGroup => {
                let set = self.set(SetKind::Group)?;
                let done = set.members.iter().any(|point| self.changed(&point.attrs));
                done.then(|| said("done before"))
            }
            OperationKind::RestoreGroup => self.restored(SetKind::Group),
            OperationKind::RestoreSession => self.restored(SetKind::Session),
            OperationKind::LinkTarget => {
                let volumes = self.shared.store.volumes().into_iter();
                let mine: Vec<ObjectRef> = volumes
                    .filter(|info| attributes::made_by(&info.attrs, &self.key))
                    .flat_map(|info| linked_refs(info.id))
                    .collect();
                (!mine.is_empty()).then(|| all_made("linked", mine))
            }
            OperationKind::RelinkTarget => {
                let guards = self.points_made();
                let id = self.operation.object("target", Kind::Target)?;
                let volume = self.shared.store.volume(convert::engine_volume(id)?);
                let done = volume.is_ok_and(|info| self.changed(&info.attrs));
                (done || !guards.is_empty()).then(|| all_made("relinked", guards))
            }
            OperationKind::UnlinkTarget => match self.target() {
                Ok(_) => None,
                Err(problem) if problem.kind == ProblemKind::NotFound => Some(said("unlinked")),
                Err(problem) => return Err(problem),
            },
            _ => None,
        })
    }

    /// Whether the volumes were taken back by this step: their guards say so, or they do.
    fn restored(&self, kind: SetKind) -> Option<StepOutcome> {
        let mut guards = self.points_made();
        let points = self.shared.store.points();
        let mine = points
            .iter()
            .filter(|point| attributes::made_by(&point.attrs, &self.key));
        let group = mine
            .filter_map(|point| SetKind::Group.of(&point.attrs))
            .next();
        guards.extend(group.map(|id| ObjectRef::new(Kind::Group, id.to_owned())));
        let changed = || {
            let set = self.set(kind).ok()?;
            let point = set.members.first()?;
            let info = self.shared.store.volume(point.volume).ok()?;
            Some(self.changed(&info.attrs))
        };
        (!guards.is_empty() || changed() == Some(true)).then(|| all_made("restored", guards))
    }

    /// Does it: one durable record.
    pub(super) fn set_record(&self) -> Result<StepOutcome, Problem> {
        match self.operation.kind {
            OperationKind::CreateGroup => self.create_set(SetKind::Group),
            OperationKind::CreateSession => self.create_set(SetKind::Session),
            OperationKind::UpdateGroup => self.update_group(),
            OperationKind::DeleteGroup => self.delete_set(SetKind::Group),
            OperationKind::DeleteSession => self.delete_set(SetKind::Session),
            OperationKind::RestoreGroup => self.restore_set(SetKind::Group),
            OperationKind::RestoreSession => self.restore_set(SetKind::Session),
            OperationKind::Ungroup => self.ungroup(),
            OperationKind::LinkTarget => self.link_target(),
            OperationKind::RelinkTarget => self.relink_target(),
            OperationKind::UnlinkTarget => self.unlink_target(),
            other => Err(Problem::new(
                ProblemKind::Bug,
                format!("{other} has no step that is one record"),
            )),
        }
    }

    fn transact(&self, actions: Vec<Action>) -> Result<Vec<Made>, Problem> {
        let made = self.shared.store.transact(actions);
        Ok(made
            .map_err(|e| self.failed(&e))?
            .into_iter()
            .flatten()
            .collect())
    }

    fn create_set(&self, kind: SetKind) -> Result<StepOutcome, Problem> {
        let name = self.operation.get_text("name")?;
        let ids = self.operation.volumes()?;
        let set = uuid::Uuid::now_v7().to_string();
        let mut infos = Vec::new();
        for id in &ids {
            let id = convert::engine_volume(id.as_str())?;
            self.shared.not_filling(id)?;
            infos.push(self.shared.store.volume(id).map_err(|e| self.failed(&e))?);
        }
        let mut attrs = self.made_attrs();
        Set::put(&mut attrs, kind, &set, name, &infos);
        let requests: Vec<SnapshotRequest> = infos
            .iter()
            .map(|info| SnapshotRequest {
                volume: info.id,
                name: name.to_owned(),
                attrs: attrs.clone(),
            })
            .collect();
        let points = self.shared.store.snapshot(&requests);
        let points = points.map_err(|e| self.failed(&e))?;
        let mut all = vec![ObjectRef::new(kind.kind(), set)];
        all.extend(
            points
                .into_iter()
                .map(|id| ObjectRef::from(&convert::snapshot_id(id))),
        );
        Ok(all_made(name, all))
    }

    fn update_group(&self) -> Result<StepOutcome, Problem> {
        let set = self.set(SetKind::Group)?;
        let (old, new) = (set.name(), self.operation.find_text("name"));
        let actions = set.members.into_iter().map(|point| {
            let mut attrs = self.changed_attrs(point.attrs);
            attributes::put(&mut attrs, attributes::SET_NAME, new);
            Action::UpdatePoint {
                point: point.id,
                // A member that got a name of its own keeps it.
                name: new.filter(|_| point.name == old).map(str::to_owned),
                attrs: Some(attrs),
            }
        });
        self.transact(actions.collect())?;
        Ok(said("changed"))
    }

    fn delete_set(&self, kind: SetKind) -> Result<StepOutcome, Problem> {
        let set = self.set(kind)?;
        if kind == SetKind::Session && !targets::linked(self.shared).of(&set.id).is_empty() {
            return Err(Problem::conflict("a target was linked to it meanwhile"));
        }
        let delete = |point: &engine::PointInfo| Action::DeletePoint { point: point.id };
        self.transact(set.members.iter().map(delete).collect())?;
        Ok(said("it is gone"))
    }

    fn ungroup(&self) -> Result<StepOutcome, Problem> {
        let set = self.set(SetKind::Group)?;
        let actions = set.members.into_iter().map(|point| {
            let mut attrs = self.changed_attrs(point.attrs);
            for name in [
                attributes::SET,
                attributes::SET_NAME,
                attributes::SET_SIZE,
                attributes::INSTANCE,
            ] {
                attrs.remove(name);
            }
            Action::UpdatePoint {
                point: point.id,
                name: None,
                attrs: Some(attrs),
            }
        });
        self.transact(actions.collect())?;
        Ok(said("its members are snapshots by themselves"))
    }

    fn restore_set(&self, kind: SetKind) -> Result<StepOutcome, Problem> {
        let set = self.set(kind)?;
        let guard = self.operation.flag("guard");
        let guard_name = guard_name();
        let mut infos = Vec::new();
        for point in &set.members {
            self.shared.not_filling(point.volume)?;
            let info = self.shared.store.volume(point.volume);
            infos.push(info.map_err(|e| self.failed(&e))?);
        }
        // The guards are a group, so that they are restored as one.
        let group = uuid::Uuid::now_v7().to_string();
        let mut actions = Vec::new();
        for (point, info) in set.members.iter().zip(&infos) {
            let why = format!("what the volumes held before {} was restored", set.name());
            let mut guard_attrs = self.guard_attrs(why, info);
            Set::put(
                &mut guard_attrs,
                SetKind::Group,
                &group,
                &guard_name,
                &infos,
            );
            let mut attrs = info.attrs.clone();
            attrs.remove(import::UNFINISHED);
            attributes::note_change(&mut attrs, &self.key);
            actions.push(Action::Restore {
                volume: info.id,
                point: point.id,
                keep: guard.then(|| (guard_name.clone(), guard_attrs)),
                attrs: Some(attrs),
            });
        }
        let made = self.transact(actions)?;
        let guards = made.into_iter().filter_map(|made| match made {
            Made::Point(id) => Some(ObjectRef::from(&convert::snapshot_id(id))),
            Made::Volume(_) => None,
        });
        let group = guard.then(|| ObjectRef::new(Kind::Group, group));
        let guards = guards.chain(group);
        let message = match guard {
            true => format!("restored; what they held is kept as the group {guard_name}"),
            false => "restored".to_owned(),
        };
        Ok(all_made(message, guards.collect()))
    }

    fn link_target(&self) -> Result<StepOutcome, Problem> {
        let set = self.set(SetKind::Session)?;
        let name = self.operation.get_text("name")?;
        let mode = CopyMode::from(self.operation.get_text("mode")?);
        let names = sets::volume_names(self.shared);
        let actions = set.members.iter().map(|point| {
            let source = names.get(&point.volume).map_or("?", String::as_str);
            let mut attrs = self.made_attrs();
            Link::new(&set.id, point.id, point.volume, mode.clone()).put(&mut attrs);
            Action::Clone {
                point: point.id,
                name: target_name(name, set.members.len(), source),
                attrs,
            }
        });
        let made = self.transact(actions.collect())?;
        let refs = made.into_iter().flat_map(|made| match made {
            Made::Volume(id) => linked_refs(id),
            Made::Point(_) => Vec::new(),
        });
        Ok(all_made("linked", refs.collect()))
    }

    fn relink_target(&self) -> Result<StepOutcome, Problem> {
        let (info, link) = self.target()?;
        self.shared.not_filling(info.id)?;
        let set = self.set(SetKind::Session)?;
        let point = point_for(&set, link.source)
            .ok_or_else(|| Problem::conflict("the session holds no point in time for it"))?;
        let guard_name = guard_name();
        let why = format!("what {} held before it was relinked", info.name);
        let guard = self.operation.flag("guard");
        let mut attrs = info.attrs.clone();
        attrs.remove(import::UNFINISHED);
        attributes::note_change(&mut attrs, &self.key);
        Link::new(&set.id, point.id, point.volume, link.mode).put(&mut attrs);
        let made = self.transact(vec![Action::Restore {
            volume: info.id,
            point: point.id,
            keep: guard.then(|| (guard_name.clone(), self.guard_attrs(why, &info))),
            attrs: Some(attrs),
        }])?;
        let guards = made.into_iter().filter_map(|made| match made {
            Made::Point(id) => Some(ObjectRef::from(&convert::snapshot_id(id))),
            Made::Volume(_) => None,
        });
        let message = match guard {
            true => format!("relinked; what it held is kept as {guard_name}"),
            false => "relinked".to_owned(),
        };
        Ok(all_made(message, guards.collect()))
    }

    fn unlink_target(&self) -> Result<StepOutcome, Problem> {
        let (info, _) = self.target()?;
        self.shared.not_filling(info.id)?;
        let store = &self.shared.store;
        if self.operation.flag("delete") {
            store
                .delete_volume(info.id, false)
                .map_err(|e| self.failed(&e))?;
            return Ok(said("it is gone"));
        }
        let mut attrs = self.changed_attrs(info.attrs);
        Link::remove(&mut attrs);
        self.transact(vec![Action::UpdateVolume {
            volume: info.id,
            name: None,
            attrs: Some(attrs),
        }])?;
        if let Some(job) = info.copy {
            // It may have come to its end just now.
            match store.cancel_job(job.id) {
                Ok(()) | Err(engine::EngineError::NoJob(_)) => {}
                Err(e) => return Err(self.failed(&e)),
            }
        }
        Ok(said("unlinked; it stays a whole volume"))
    }
}

/// A linked target, which is a volume too.
fn linked_refs(id: engine::VolumeId) -> Vec<ObjectRef> {
    let target = TargetId(id.to_string());
    vec![
        ObjectRef::from(&convert::volume_id(id)),
        ObjectRef::from(&target),
    ]
}
