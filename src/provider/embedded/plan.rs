//! What each operation would do to a store, told without doing any of it.

use super::sets::SetKind;
use super::{Shared, convert, error};
use crate::engine::{self, PointInfo, VolumeInfo};
use crate::model::{
    Bytes, Kind, ObjectRef, Operation, OperationKind, Plan, PlannedStep, Problem, Touched, Undo,
};

/// The step that changes the store's records.
pub(super) const RECORD: &str = "record";
/// The step that copies what is shared.
pub(super) const COPY: &str = "copy";
/// The step that makes a volume smaller.
pub(super) const SHRINK: &str = "shrink";
/// The step that waits for freed room.
pub(super) const RECLAIM: &str = "reclaim";
/// The step that reads a volume back.
pub(super) const CHECK: &str = "check";
/// The step that fills a volume from an image.
pub(super) const FILL: &str = "fill";

/// The step that applies a difference.
pub(super) const APPLY: &str = "apply";

/// Plans `operation` as things stand now.
pub(super) fn plan(shared: &Shared, operation: &Operation) -> Result<Plan, Problem> {
    let absent = || Problem::user(format!("there is no {} here", operation.kind));
    shared
        .capabilities
        .operation(operation.kind)
        .ok_or_else(absent)?
        .check(operation)?;
    let look = Look { shared, operation };
    match operation.kind {
        OperationKind::CreateVolume => look.create_volume(),
        OperationKind::UpdateVolume => look.update_volume(),
        OperationKind::ExtendVolume => look.extend_volume(),
        OperationKind::DeleteVolume => look.delete_volume(),
        OperationKind::CreateSnapshot => look.create_snapshot(),
        OperationKind::UpdateSnapshot => look.update_snapshot(),
        OperationKind::DeleteSnapshot => look.delete_snapshot(),
        OperationKind::Restore => look.restore(),
        OperationKind::Clone => look.clone_volume(),
        OperationKind::Flatten => look.flatten(),
        OperationKind::ImportImage => look.import_image(),
        OperationKind::ApplyDifference => look.apply_difference(),
        OperationKind::ShrinkVolume => look.shrink_volume(),
        OperationKind::CreateGroup => look.create_set(SetKind::Group),
        OperationKind::UpdateGroup => look.update_group(),
        OperationKind::DeleteGroup => look.delete_set(SetKind::Group),
        OperationKind::RestoreGroup => look.restore_set(SetKind::Group),
        OperationKind::Ungroup => look.ungroup(),
        OperationKind::CreateSession => look.create_set(SetKind::Session),
        OperationKind::DeleteSession => look.delete_set(SetKind::Session),
        OperationKind::RestoreSession => look.restore_set(SetKind::Session),
        OperationKind::LinkTarget => look.link_target(),
        OperationKind::RelinkTarget => look.relink_target(),
        OperationKind::UnlinkTarget => look.unlink_target(),
        // Its spec says why not.
        OperationKind::RetryRestore | OperationKind::RollBackRestore => Err(absent()),
    }
}

/// An operation, and the store that it is planned on.
pub(super) struct Look<'a> {
    pub(super) shared: &'a Shared,
    pub(super) operation: &'a Operation,
}

pub(super) fn step(name: &str, title: impl Into<String>, call: impl Into<String>) -> PlannedStep {
    PlannedStep {
        name: name.to_owned(),
        title: title.into(),
        call: call.into(),
        follows: false,
        pauses: false,
    }
}

pub(super) fn following(
    name: &str,
    title: impl Into<String>,
    call: impl Into<String>,
) -> PlannedStep {
    PlannedStep {
        follows: true,
        ..step(name, title, call)
    }
}

pub(super) fn touched_volume(info: &VolumeInfo, more: &str) -> Touched {
    let parent = info.parent.map(|id| id.to_string()).unwrap_or_default();
    Touched {
        object: ObjectRef::from(&convert::volume_id(info.id)),
        name: info.name.clone(),
        revision: format!("{}|{}|{parent}|{more}", info.name, info.size),
    }
}

pub(super) fn touched_point(info: &PointInfo, full: &str) -> Touched {
    Touched {
        object: ObjectRef::from(&convert::snapshot_id(info.id)),
        name: full.to_owned(),
        revision: format!("{}|{}", info.name, info.volume),
    }
}

impl Look<'_> {
    pub(super) fn plan(
        &self,
        subject: impl Into<String>,
        summary: impl Into<String>,
        undo: Undo,
    ) -> Plan {
        Plan {
            operation: self.operation.clone(),
            subject: subject.into(),
            summary: summary.into(),
            steps: Vec::new(),
            touches: Vec::new(),
            losses: Vec::new(),
            copies: Bytes(0),
            undo,
            notes: Vec::new(),
            confirm: None,
        }
    }

    /// Where it was asked for: a step for each volume that reads it back. The plan's touched volumes
    /// are in the same order.
    pub(super) fn read_back(&self, plan: &mut Plan) {
        if !self.operation.flag("check") {
            return;
        }
        let volumes = plan
            .touches
            .iter()
            .filter(|t| t.object.kind == Kind::Volume);
        let steps: Vec<PlannedStep> = volumes
            .map(|touched| {
                let (name, id) = (&touched.name, &touched.object.id);
                let call =
                    format!("read all data of volume {id}, and compare it with its checksums");
                following(CHECK, format!("reading {name} back"), call)
            })
            .collect();
        plan.steps.extend(steps);
    }

    pub(super) fn volume(&self) -> Result<VolumeInfo, Problem> {
        let id = self.operation.volume()?;
        self.shared
            .store
            .volume(convert::engine_volume(id.as_str())?)
            .map_err(|e| error::problem(&e, format!("volume {id} cannot be looked at")))
    }

    pub(super) fn point(&self) -> Result<PointInfo, Problem> {
        let id = self.operation.snapshot()?;
        self.shared
            .store
            .point(convert::engine_point(id.as_str())?)
            .map_err(|e| error::problem(&e, format!("snapshot {id} cannot be looked at")))
    }

    pub(super) fn points_of(&self, volume: &VolumeInfo) -> Result<Vec<PointInfo>, Problem> {
        self.shared.store.points_of(volume.id).map_err(|e| {
            error::problem(
                &e,
                format!("the snapshots of {} cannot be listed", volume.name),
            )
        })
    }

    /// `VOLUME@SNAPSHOT`.
    pub(super) fn full_name(&self, point: &PointInfo) -> String {
        match self.shared.store.volume(point.volume) {
            Ok(volume) => format!("{}@{}", volume.name, point.name),
            Err(_) => point.name.clone(),
        }
    }

    /// A word where the name is taken: allowed, but seldom meant.
    pub(super) fn name_note(&self, name: &str, taken: bool) -> Vec<String> {
        if taken {
            vec![format!(
                "there is one called {name} already; the two are told apart by id only"
            )]
        } else {
            Vec::new()
        }
    }

    pub(super) fn volume_named(&self, name: &str) -> bool {
        self.shared.store.volumes().iter().any(|v| v.name == name)
    }

    /// The plan of a change of a name and attributes; `back` is filled with what undoes it.
    pub(super) fn update(
        &self,
        what: &str,
        full: &str,
        name: &str,
        attrs: &engine::Attrs,
        fields: &[&str],
        mut back: Operation,
    ) -> Result<Plan, Problem> {
        let mut changes = Vec::new();
        for field in fields {
            let Some(new) = self.operation.find_text(field) else {
                continue;
            };
            let old = match *field {
                "name" => name.to_owned(),
                other => super::attributes::text(attrs, other),
            };
            if old != new {
                changes.push(format!("{field}: \"{old}\" becomes \"{new}\""));
                back = back.text(field, old);
            }
        }
        if changes.is_empty() {
            return Err(Problem::user("there is nothing to change")
                .hint("give a value that is not the present one"));
        }
        let undo = Undo::By {
            how: "change it back".to_owned(),
            operation: Some(back),
        };
        let mut plan = self.plan(full, format!("change the {what} {full}"), undo);
        plan.steps = vec![step(
            RECORD,
            format!("changing the {what}"),
            changes.join("\n"),
        )];
        Ok(plan)
    }

    /// Refuses while a background copy fills the volume: what it would copy is replaced.
    pub(super) fn not_copying(&self, info: &VolumeInfo) -> Result<(), Problem> {
        self.shared.not_filling(info.id)?;
        match &info.copy {
            Some(_) => Err(Problem::conflict(format!(
                "a background copy into {} is under way",
                info.name
            ))
            .hint("wait for it, or cancel its task")),
            None => Ok(()),
        }
    }
}

pub(super) fn copying(bytes: Bytes) -> PlannedStep {
    PlannedStep {
        pauses: true,
        ..following(
            COPY,
            "copying what is shared",
            format!("copy about {bytes} in the background; usable meanwhile"),
        )
    }
}
