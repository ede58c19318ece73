//! Planning what is done to snapshots, and made of them.

use super::plan::{Look, RECLAIM, RECORD, copying, following, step, touched_point, touched_volume};
use super::sets::{self, SetKind};
use super::targets::Link;
use super::{attributes, convert};
use crate::engine::{PointInfo, VolumeInfo};
use crate::model::{Bytes, Loss, Operation, Plan, Problem, Undo};

impl Look<'_> {
    pub(super) fn create_snapshot(&self) -> Result<Plan, Problem> {
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

    pub(super) fn update_snapshot(&self) -> Result<Plan, Problem> {
        let info = self.point()?;
        let full = self.full_name(&info);
        let id = convert::snapshot_id(info.id);
        let back = Operation::new(self.operation.kind).on_snapshot(&id);
        let fields = ["name", "description"];
        let mut plan = self.update("snapshot", &full, &info.name, &info.attrs, &fields, back)?;
        plan.touches = vec![touched_point(&info, &full)];
        Ok(plan)
    }

    pub(super) fn delete_snapshot(&self) -> Result<Plan, Problem> {
        let info = self.point()?;
        let full = self.full_name(&info);
        if let Some(id) = SetKind::Session.of(&info.attrs) {
            let session = sets::find(self.shared, SetKind::Session, id)?.name();
            return Err(Problem::conflict(format!(
                "{full} is a point in time of the session {session}"
            ))
            .hint("delete the session"));
        }
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
        if let Some(id) = SetKind::Group.of(&info.attrs) {
            let group = sets::find(self.shared, SetKind::Group, id)?.name();
            plan.notes.push(format!(
                "the group {group} is incomplete then, and cannot be restored as a whole"
            ));
        }
        plan.confirm = Some(info.name);
        Ok(plan)
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

    pub(super) fn restore(&self) -> Result<Plan, Problem> {
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
        self.read_back(&mut plan);
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
        if let (Some(link), true) = (Link::of(&point.attrs), Link::of(&info.attrs).is_some()) {
            let session = sets::find(self.shared, SetKind::Session, &link.session);
            let session =
                session.map_or_else(|_| "a session that is gone".to_owned(), |s| s.name());
            plan.notes
                .push(format!("it is linked to {session} then, as it was"));
        }
        if info.attrs.contains_key(attributes::INSTANCE) {
            plan.notes.push(format!(
                "{} is in use: its host must not have it mounted while it is taken back",
                info.name
            ));
        }
        Ok(plan)
    }

    pub(super) fn clone_volume(&self) -> Result<Plan, Problem> {
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
}
