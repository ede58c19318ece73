//! Planning what is done to linked targets.

use super::plan::{Look, RECLAIM, RECORD, copying, following, step, touched_volume};
use super::plan_sets::touched_set;
use super::sets::{self, Set, SetKind};
use super::targets::{self, Link};
use crate::engine::{PointInfo, VolumeId, VolumeInfo};
use crate::model::{Bytes, CopyMode, Kind, Loss, Plan, Problem, Undo};

/// The name of a target of one member of a session.
pub(super) fn target_name(name: &str, members: usize, source: &str) -> String {
    match members {
        1 => name.to_owned(),
        _ => format!("{name}-{source}"),
    }
}

/// The point in time of a session that a target shows when it is put on it: that of the
/// volume that it showed before, or the only one there is.
pub(super) fn point_for(set: &Set, source: VolumeId) -> Option<&PointInfo> {
    let same = set.members.iter().find(|point| point.volume == source);
    same.or(match set.members.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

impl Look<'_> {
    fn target(&self) -> Result<(VolumeInfo, Link), Problem> {
        let id = self.operation.object("target", Kind::Target)?;
        targets::find(self.shared, id)
    }

    pub(super) fn link_target(&self) -> Result<Plan, Problem> {
        let set = self.set(SetKind::Session)?;
        let name = self.operation.get_text("name")?;
        let mode = CopyMode::from(self.operation.get_text("mode")?);
        let names = sets::volume_names(self.shared);
        let mut plan = self.plan(
            format!("{name} ← {}", set.name()),
            format!(
                "link {} to the session {}",
                match set.members.len() {
                    1 => format!("the target {name}"),
                    n => format!("{n} targets"),
                },
                set.name()
            ),
            Undo::By {
                how: "unlink and delete what was linked".to_owned(),
                operation: None,
            },
        );
        let mut lines = Vec::new();
        for point in &set.members {
            let source = names.get(&point.volume).map_or("?", String::as_str);
            let new = target_name(name, set.members.len(), source);
            plan.notes
                .extend(self.name_note(&new, self.volume_named(&new)));
            lines.push(format!("clone point {} as \"{new}\", linked", point.id));
            plan.copies.0 += point.usage.referenced;
        }
        plan.steps = vec![step(
            RECORD,
            "linking",
            format!("{}\n(one record, usable at once)", lines.join("\n")),
        )];
        match mode {
            CopyMode::Copy => plan.steps.push(copying(plan.copies)),
            _ => plan.copies = Bytes(0),
        }
        plan.touches = vec![touched_set(&set)];
        Ok(plan)
    }

    pub(super) fn relink_target(&self) -> Result<Plan, Problem> {
        let (info, link) = self.target()?;
        self.shared.not_filling(info.id)?;
        let set = self.set(SetKind::Session)?;
        let point = point_for(&set, link.source).ok_or_else(|| {
            Problem::conflict(format!(
                "the session {} holds no point in time of the volume that {} shows",
                set.name(),
                info.name
            ))
            .hint("link a new target instead")
        })?;
        let guard = self.operation.flag("guard");
        let mut plan = self.plan(
            format!("{} ← {}", info.name, set.name()),
            format!(
                "let the target {} show the session {}",
                info.name,
                set.name()
            ),
            match guard {
                true => Undo::By {
                    how: format!(
                        "restore {} to its guard snapshot, and what it was linked to",
                        info.name
                    ),
                    operation: None,
                },
                false => Undo::Never("what was written to the target is not kept".to_owned()),
            },
        );
        plan.steps = vec![step(
            RECORD,
            "relinking",
            format!(
                "put volume {} on point {}, {} (one record, usable at once)",
                info.id,
                point.id,
                match guard {
                    true => "keeping its head as a guard snapshot",
                    false => "dropping its head",
                }
            ),
        )];
        if link.mode == CopyMode::Copy {
            plan.copies = Bytes(point.usage.referenced);
            plan.steps.push(copying(plan.copies));
        }
        plan.touches = vec![touched_volume(&info, ""), touched_set(&set)];
        if info.size != point.size {
            plan.notes.push(format!(
                "its size goes from {} to {}",
                Bytes(info.size),
                Bytes(point.size)
            ));
        }
        if info.copy.is_some() {
            plan.notes
                .push("the copy into it that is under way ends".to_owned());
        }
        // A copy's own blocks are the session's content again: only what a host wrote is lost.
        let written = match link.mode {
            CopyMode::Copy => None,
            _ => Some(Bytes(info.usage.written)),
        };
        if guard {
            plan.notes.push(format!(
                "what {} holds now is kept as a guard snapshot",
                info.name
            ));
        } else if written != Some(Bytes(0)) {
            plan.losses.push(Loss {
                what: format!("what was written to {} since it was linked", info.name),
                bytes: written,
            });
            plan.confirm = Some(info.name.clone());
        }
        Ok(plan)
    }

    pub(super) fn unlink_target(&self) -> Result<Plan, Problem> {
        let (info, link) = self.target()?;
        self.shared.not_filling(info.id)?;
        let session = sets::find(self.shared, SetKind::Session, &link.session)
            .map_or_else(|_| "a session that is gone".to_owned(), |set| set.name());
        if self.operation.flag("delete") {
            return self.unlink_and_delete(&info, &link, &session);
        }
        let mut plan = self.plan(
            &info.name,
            format!("part the target {} from {session}", info.name),
            Undo::Never("a target is not linked to what it was again; it stays whole".to_owned()),
        );
        plan.steps = vec![step(
            RECORD,
            "unlinking",
            format!("take the link off volume {}", info.id),
        )];
        plan.touches = vec![touched_volume(&info, "linked")];
        if info.copy.is_some() {
            plan.notes
                .push("the copy into it that is under way ends where it is".to_owned());
        }
        plan.notes.push(match targets::shares(self.shared, &info) {
            true => format!(
                "it stays a whole volume, and goes on sharing {} with what it was linked to",
                Bytes(info.usage.referenced.saturating_sub(info.usage.written))
            ),
            false => "it stays a whole volume, and shares nothing".to_owned(),
        });
        Ok(plan)
    }

    fn unlink_and_delete(
        &self,
        info: &VolumeInfo,
        link: &Link,
        session: &str,
    ) -> Result<Plan, Problem> {
        let points = self.points_of(info)?;
        if !points.is_empty() {
            return Err(Problem::conflict(format!(
                "{} has {} snapshots of its own",
                info.name,
                points.len()
            ))
            .hint("delete them first, or unlink it and keep it"));
        }
        let mut plan = self.plan(
            &info.name,
            format!("part the target {} from {session} and delete it", info.name),
            Undo::Never("what is deleted is gone; the session stays".to_owned()),
        );
        plan.steps = vec![
            step(
                RECORD,
                "deleting the target",
                format!("delete volume {}", info.id),
            ),
            following(RECLAIM, "freeing its room", "wait until the room is free"),
        ];
        plan.touches = vec![touched_volume(info, "linked")];
        plan.losses = vec![Loss {
            what: format!("what was written to {} since it was linked", info.name),
            bytes: (link.mode != CopyMode::Copy).then_some(Bytes(info.usage.written)),
        }];
        plan.confirm = Some(info.name.clone());
        Ok(plan)
    }
}
