//! What each operation would do to a store, told without doing any of it.

use super::{Shared, convert, error};
use crate::engine::{self, PointInfo, VolumeInfo};
use crate::model::{
    Availability, Bytes, Loss, ObjectRef, Operation, OperationKind, Plan, PlannedStep, Problem,
    Touched, Undo,
};

/// The step that changes the store's records.
pub(super) const RECORD: &str = "record";
/// The step that copies what is shared.
pub(super) const COPY: &str = "copy";
/// The step that waits for freed room.
pub(super) const RECLAIM: &str = "reclaim";
/// The step that fills a volume from an image.
pub(super) const FILL: &str = "fill";

/// Plans `operation` as things stand now.
pub(super) fn plan(shared: &Shared, operation: &Operation) -> Result<Plan, Problem> {
    match shared.capabilities.operation(operation.kind) {
        Some(spec) => {
            if let Availability::Unsupported(reason) = &spec.availability {
                return Err(
                    Problem::user(format!("{} cannot be done here", operation.kind))
                        .because(reason.clone()),
                );
            }
            checked(spec, operation)?;
        }
        None => {
            return Err(Problem::user(format!(
                "there is no {} here",
                operation.kind
            )));
        }
    }
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
    }
}

/// Checks the values again: a plan may come from a script that no form has seen.
fn checked(spec: &crate::model::OperationSpec, operation: &Operation) -> Result<(), Problem> {
    let texts: Vec<(&str, String)> = operation
        .values
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_string()))
        .collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(n, t)| (*n, t.as_str())).collect();
    let again = spec.operation(&texts)?;
    match operation
        .values
        .iter()
        .find(|(name, value)| again.values.get(*name) != Some(value))
    {
        Some((name, _)) => Err(Problem::user(format!(
            "{} cannot be done as asked: {name} is of the wrong type",
            operation.kind
        ))),
        None => Ok(()),
    }
}

/// An operation, and the store that it is planned on.
pub(super) struct Look<'a> {
    shared: &'a Shared,
    pub(super) operation: &'a Operation,
}

pub(super) fn step(name: &str, title: impl Into<String>, call: impl Into<String>) -> PlannedStep {
    PlannedStep {
        name: name.to_owned(),
        title: title.into(),
        call: call.into(),
        follows: false,
    }
}

fn following(name: &str, title: impl Into<String>, call: impl Into<String>) -> PlannedStep {
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

fn touched_point(info: &PointInfo, full: &str) -> Touched {
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

    pub(super) fn volume(&self) -> Result<VolumeInfo, Problem> {
        let id = self.operation.volume()?;
        self.shared
            .store
            .volume(convert::engine_volume(id.as_str())?)
            .map_err(|e| error::problem(&e, format!("volume {id} cannot be looked at")))
    }

    fn point(&self) -> Result<PointInfo, Problem> {
        let id = self.operation.snapshot()?;
        self.shared
            .store
            .point(convert::engine_point(id.as_str())?)
            .map_err(|e| error::problem(&e, format!("snapshot {id} cannot be looked at")))
    }

    fn points_of(&self, volume: &VolumeInfo) -> Result<Vec<PointInfo>, Problem> {
        self.shared.store.points_of(volume.id).map_err(|e| {
            error::problem(
                &e,
                format!("the snapshots of {} cannot be listed", volume.name),
            )
        })
    }

    /// `VOLUME@SNAPSHOT`.
    fn full_name(&self, point: &PointInfo) -> String {
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

    fn create_volume(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?;
        let size = self.operation.get_size("size")?;
        let mut plan = self.plan(
            name,
            format!("create the volume {name} of {size}"),
            Undo::By {
                how: "delete the volume".to_owned(),
                operation: None,
            },
        );
        plan.steps = vec![step(
            RECORD,
            "creating the volume",
            format!("create volume \"{name}\", {} bytes, thin", size.0),
        )];
        plan.notes = self.name_note(name, self.volume_named(name));
        Ok(plan)
    }

    fn update_volume(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        let id = convert::volume_id(info.id);
        let back = Operation::new(self.operation.kind).on_volume(&id);
        let fields = ["name", "description", "instance", "device"];
        let mut plan = self.update("volume", &info.name, &info.name, &info.attrs, &fields, back)?;
        plan.touches = vec![touched_volume(&info, "")];
        Ok(plan)
    }

    /// The plan of a change of a name and attributes; `back` is filled with what undoes it.
    fn update(
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

    fn extend_volume(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        self.shared.not_filling(info.id)?;
        let size = self.operation.get_size("size")?;
        if size.0 <= info.size {
            return Err(Problem::user(format!(
                "{} is {} already; the new size must be larger",
                info.name,
                Bytes(info.size)
            )));
        }
        let mut plan = self.plan(
            format!("{} to {size}", info.name),
            format!("extend {} from {} to {size}", info.name, Bytes(info.size)),
            Undo::Never("a volume that was extended is not made smaller again".to_owned()),
        );
        plan.steps = vec![step(
            RECORD,
            "extending the volume",
            format!(
                "resize volume {} from {} to {} bytes",
                info.id, info.size, size.0
            ),
        )];
        plan.touches = vec![touched_volume(&info, "")];
        Ok(plan)
    }

    fn delete_volume(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        self.shared.not_filling(info.id)?;
        let points = self.points_of(&info)?;
        let cascade = self.operation.flag("snapshots");
        if !points.is_empty() && !cascade {
            return Err(Problem::conflict(format!(
                "{} has {} snapshots, and they were not to go with it",
                info.name,
                points.len()
            ))
            .hint("delete its snapshots first, or say that they go with it (snapshots = true)"));
        }
        let mut plan = self.plan(
            &info.name,
            match points.len() {
                0 => format!("delete the volume {}", info.name),
                1 => format!("delete the volume {} and its snapshot", info.name),
                n => format!("delete the volume {} and its {n} snapshots", info.name),
            },
            Undo::Never("what is deleted is gone".to_owned()),
        );
        plan.steps = vec![
            step(
                RECORD,
                "deleting the volume",
                format!("delete volume {}, snapshots too: {cascade}", info.id),
            ),
            following(RECLAIM, "freeing its room", "wait until the room is free"),
        ];
        let ids: Vec<_> = points.iter().map(|p| p.id.to_string()).collect();
        plan.touches = vec![touched_volume(&info, &ids.join(","))];
        plan.losses.push(Loss {
            what: format!("all that {} holds now", info.name),
            bytes: Some(Bytes(info.usage.referenced)),
        });
        for point in &points {
            plan.touches
                .push(touched_point(point, &self.full_name(point)));
            plan.losses.push(Loss {
                what: format!("its snapshot {}, with all that it holds", point.name),
                bytes: Some(Bytes(point.usage.referenced)),
            });
        }
        let clones: usize = points.iter().map(|p| p.clones.len()).sum();
        if clones > 0 {
            plan.notes
                .push(format!("{clones} clones of its snapshots stay whole"));
        }
        plan.confirm = Some(info.name);
        Ok(plan)
    }

    fn create_snapshot(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        self.shared.not_filling(info.id)?;
        let name = self.operation.get_text("name")?;
        let taken = self.points_of(&info)?.iter().any(|p| p.name == name);
        let mut plan = self.plan(
            format!("{} · {name}", info.name),
            format!("take the snapshot {name} of {}", info.name),
            Undo::By {
                how: "delete the snapshot".to_owned(),
                operation: None,
            },
        );
        plan.steps = vec![step(
            RECORD,
            "taking the snapshot",
            format!(
                "snapshot volume {} as \"{name}\" (one record, nothing is copied)",
                info.id
            ),
        )];
        plan.touches = vec![touched_volume(&info, "")];
        plan.notes = self.name_note(name, taken);
        Ok(plan)
    }

    fn update_snapshot(&self) -> Result<Plan, Problem> {
        let info = self.point()?;
        let full = self.full_name(&info);
        let id = convert::snapshot_id(info.id);
        let back = Operation::new(self.operation.kind).on_snapshot(&id);
        let fields = ["name", "description"];
        let mut plan = self.update("snapshot", &full, &info.name, &info.attrs, &fields, back)?;
        plan.touches = vec![touched_point(&info, &full)];
        Ok(plan)
    }

    fn delete_snapshot(&self) -> Result<Plan, Problem> {
        let info = self.point()?;
        let full = self.full_name(&info);
        let mut plan = self.plan(
            &full,
            format!("delete the snapshot {full}"),
            Undo::Never("a point in time that is deleted is gone".to_owned()),
        );
        plan.steps = vec![
            step(
                RECORD,
                "deleting the snapshot",
                format!("delete point {} (one record)", info.id),
            ),
            following(RECLAIM, "freeing its room", "wait until the room is free"),
        ];
        plan.touches = vec![touched_point(&info, &full)];
        plan.losses = vec![Loss {
            what: format!("the point in time {full}; what only it holds is freed"),
            bytes: info.usage.exclusive.map(Bytes),
        }];
        if !info.clones.is_empty() {
            plan.notes
                .push(format!("{} clones of it stay whole", info.clones.len()));
        }
        plan.confirm = Some(info.name);
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

    /// Whether the volume descends from the point, or the point is one of its own.
    fn in_history(&self, volume: &VolumeInfo, point: &PointInfo) -> bool {
        let mut next = volume.parent;
        let mut left = 1 << 20;
        while let (Some(id), true) = (next, left > 0) {
            if id == point.id {
                return true;
            }
            next = self.shared.store.point(id).ok().and_then(|p| p.parent);
            left -= 1;
        }
        point.volume == volume.id
    }

    fn restore(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        let point = self.point()?;
        let full = self.full_name(&point);
        let guard = self.operation.flag("guard");
        if point.volume != info.id && !self.in_history(&info, &point) {
            return Err(Problem::conflict(format!(
                "{full} is not a point in time of {}",
                info.name
            ))
            .hint("clone it to a new volume instead"));
        }
        self.not_copying(&info)?;
        let mut plan = self.plan(
            format!("{} ← {}", info.name, point.name),
            format!("take {} back to {}", info.name, point.name),
            if guard {
                Undo::By {
                    how: format!("restore {} to its guard snapshot", info.name),
                    operation: None,
                }
            } else {
                Undo::Never("what the volume held is not kept".to_owned())
            },
        );
        plan.steps = vec![step(
            RECORD,
            if guard {
                "keeping the present state, restoring"
            } else {
                "restoring"
            },
            format!(
                "restore volume {} to point {}, {} (one record, nothing is copied)",
                info.id,
                point.id,
                if guard {
                    "keeping its head as a guard snapshot"
                } else {
                    "dropping its head"
                }
            ),
        )];
        plan.touches = vec![touched_volume(&info, ""), touched_point(&point, &full)];
        if info.size != point.size {
            plan.notes.push(format!(
                "its size goes from {} to {}",
                Bytes(info.size),
                Bytes(point.size)
            ));
        }
        if guard {
            plan.notes.push(format!(
                "what {} holds now is kept as a guard snapshot",
                info.name
            ));
        } else {
            plan.losses.push(Loss {
                what: format!("what was written to {} since its last snapshot", info.name),
                bytes: info.usage.exclusive.map(Bytes),
            });
            plan.confirm = Some(info.name.clone());
        }
        if info.attrs.contains_key(super::attributes::INSTANCE) {
            plan.notes.push(format!(
                "{} is in use: its host must not have it mounted while it is taken back",
                info.name
            ));
        }
        Ok(plan)
    }

    fn clone_volume(&self) -> Result<Plan, Problem> {
        let point = self.point()?;
        let full = self.full_name(&point);
        let name = self.operation.get_text("name")?;
        let mut plan = self.plan(
            format!("{name} ← {full}"),
            format!("make the new volume {name} from {full}"),
            Undo::By {
                how: "delete the new volume".to_owned(),
                operation: None,
            },
        );
        plan.steps = vec![step(
            RECORD,
            "making the clone",
            format!("clone point {} as \"{name}\" (one record)", point.id),
        )];
        if self.operation.flag("copy") {
            plan.copies = Bytes(point.usage.referenced);
            plan.steps.push(copying(plan.copies));
        }
        plan.touches = vec![touched_point(&point, &full)];
        plan.notes = self.name_note(name, self.volume_named(name));
        Ok(plan)
    }

    fn flatten(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        if info.parent.is_none() {
            return Err(Problem::conflict(format!(
                "{} shares nothing: it stands alone already",
                info.name
            )));
        }
        self.not_copying(&info)?;
        let mut plan = self.plan(
            &info.name,
            format!("copy what {} shares, so that it stands alone", info.name),
            Undo::Never("nothing is lost by it; what was copied stays copied".to_owned()),
        );
        plan.copies = Bytes(info.usage.referenced.saturating_sub(info.usage.written));
        plan.steps = vec![copying(plan.copies)];
        plan.touches = vec![touched_volume(&info, "")];
        plan.notes.push(
            "its snapshots stay, apart from it: a restore to one is still possible".to_owned(),
        );
        Ok(plan)
    }
}

fn copying(bytes: Bytes) -> PlannedStep {
    following(
        COPY,
        "copying what is shared",
        format!("copy about {bytes} in the background; usable meanwhile"),
    )
}
