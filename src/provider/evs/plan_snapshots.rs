//! Plans of what is done to snapshots, and of rolling a disk back to one.

use super::act::Act;
use super::convert::{disk_name, snapshot_name};
use super::plan::{Look, not_automatic, touched_moment, touched_snapshot, touched_volume};
use crate::model::{Loss, Operation, OperationKind, Plan, Problem, ProblemKind, Undo};
use crate::provider::cinder::labels::Labels;
use crate::provider::cinder::plan::{by, nothing_to_change, renames};
use crate::provider::cinder::plan_volumes::must_be;
use crate::wire::evs::{AUTOMATIC, RESERVED, Snapshot, SnapshotStatus, VolumeStatus};

impl Look<'_> {
    pub(super) async fn create_snapshot(&self) -> Result<Plan, Problem> {
        let disk = self.the_volume().await?;
        let (of, name) = (disk_name(&disk), self.operation.get_text("name")?);
        not_automatic(name)?;
        let force = self.operation.flag("force");
        let in_use = [VolumeStatus::InUse, VolumeStatus::Attaching].contains(&disk.status);
        if in_use && !force {
            return Err(Problem::conflict(format!(
                "no snapshot can be taken: {of} is {}, and that must be asked for",
                disk.status.word()
            ))
            .hint("force it (`--force`): what its machine has not written yet is not in the snapshot then")
            .hint("or detach it from its machine first"));
        }
        let fit: &[&str] = match force {
            true => &["available", "in-use", "attaching"],
            false => &["available"],
        };
        must_be(&of, disk.status.word(), fit, "no snapshot can be taken")?;
        let subject = format!("{of}@{name}");
        let summary = format!("take the snapshot {name} of {of}");
        let mut plan = self.plan(&subject, summary, by("delete it again"));
        plan.steps = vec![self.step(&Act::MakeSnapshot, "taking the snapshot").await?];
        plan.touches = vec![touched_volume(&disk, &[])];
        if in_use {
            plan.notes.push(format!(
                "{of} is {}: what its machine has not written yet is not in the snapshot",
                disk.status.word()
            ));
        }
        self.quota(&mut plan, "snapshots", disk.kind()).await;
        Ok(plan)
    }

    pub(super) async fn update_snapshot(&self) -> Result<Plan, Problem> {
        let snapshot = self.the_snapshot().await?;
        let full = self.full_name(&snapshot).await;
        if let Some(name) = self.operation.find_text("name") {
            not_automatic(name)?;
        }
        protect(&snapshot, &full, "changed")?;
        let id = self.operation.snapshot()?;
        let mut back = Operation::new(OperationKind::UpdateSnapshot).on_snapshot(&id);
        let old = [snapshot.name(), snapshot.description()];
        let mut notes = renames(self.operation, old, &mut back);
        let mut acts = Vec::new();
        if !notes.is_empty() {
            let along = keeps(self.operation, snapshot.name());
            acts.push((Act::EditSnapshot(along), "changing the snapshot"));
        }
        if let Some(text) = self.operation.find_text("metadata") {
            let mut labels = Labels::parse(text, RESERVED)?;
            let (lines, undo) = labels.against(&snapshot.metadata);
            if !labels.set.is_empty() {
                acts.push((Act::SetMetadata, "setting its metadata"));
            }
            for key in labels.remove {
                acts.push((Act::DropMetadata(key), "taking metadata away"));
            }
            if !lines.is_empty() {
                back = back.text("metadata", undo);
            }
            notes.extend(lines);
        }
        if acts.is_empty() {
            return Err(nothing_to_change());
        }
        let undo = Undo::By {
            how: "change it back".to_owned(),
            operation: Some(back),
        };
        let mut plan = self.plan(&full, format!("change the snapshot {full}"), undo);
        for (act, title) in acts {
            plan.steps.push(self.step(&act, title).await?);
        }
        plan.touches = vec![touched_snapshot(&snapshot, &full)];
        plan.notes = notes;
        Ok(plan)
    }

    pub(super) async fn delete_snapshot(&self) -> Result<Plan, Problem> {
        let snapshot = self.the_snapshot().await?;
        let full = self.full_name(&snapshot).await;
        if !self.operation.flag("automatic") {
            protect(&snapshot, &full, "deleted").map_err(|problem| {
                problem.hint(
                    "delete the backup that it belongs to; or say that it is meant (`--automatic`)",
                )
            })?;
        }
        if !snapshot.status.can_go() {
            return Err(Problem::conflict(format!(
                "{full} cannot be deleted: it is {}",
                snapshot.status.word()
            )));
        }
        let never = Undo::Never("what is deleted is gone".to_owned());
        let mut plan = self.plan(&full, format!("delete the snapshot {full}"), never);
        plan.steps = vec![
            self.step(&Act::DropSnapshot(None), "deleting the snapshot")
                .await?,
        ];
        plan.touches = vec![touched_snapshot(&snapshot, &full)];
        plan.losses = vec![Loss {
            what: format!("the point in time {full}"),
            bytes: None,
        }];
        if let Some(maker) = snapshot.made_by() {
            plan.notes.push(format!(
                "it was made by {maker}, which may not be whole without it"
            ));
        }
        plan.confirm = Some(snapshot_name(&snapshot));
        Ok(plan)
    }

    pub(super) async fn roll_back(&self) -> Result<Plan, Problem> {
        let (disk, snapshot) = (self.the_volume().await?, self.the_snapshot().await?);
        let (of, name) = (disk_name(&disk), snapshot_name(&snapshot));
        if snapshot.volume_id != disk.id {
            return Err(Problem::user(format!("{name} is no snapshot of {of}"))
                .because("the service rolls a disk back to its own snapshots only")
                .hint("make a disk from it instead"));
        }
        protect(&snapshot, &name, "rolled back to")?;
        let what = "it cannot be rolled back";
        let fit = [VolumeStatus::Available, VolumeStatus::ErrorRollbacking];
        let words = fit.each_ref().map(VolumeStatus::word);
        must_be(&of, disk.status.word(), &words, what)?;
        if snapshot.status != SnapshotStatus::Available {
            return Err(Problem::conflict(format!(
                "{what} to {name}: that is {}",
                snapshot.status.word()
            )));
        }
        let again = disk.status == VolumeStatus::ErrorRollbacking;
        let guard = self.operation.flag("guard") && !again;
        let undo = match guard {
            true => by(&format!("roll {of} back to its guard snapshot")),
            false => Undo::Never(format!("what was written since {name} is gone")),
        };
        let subject = format!("{of} ← {name}");
        let mut plan = self.plan(&subject, format!("roll {of} back to {name}"), undo);
        if guard {
            let step = self.step(&Act::MakeGuard, "keeping what it holds now");
            plan.steps.push(step.await?);
            plan.notes.push(format!(
                "what {of} holds now is kept as a guard snapshot, which takes of the quota"
            ));
            self.quota(&mut plan, "snapshots", disk.kind()).await;
        } else {
            plan.losses.push(Loss {
                what: format!("what was written to {of} since its last snapshot"),
                bytes: None,
            });
            plan.confirm = Some(of.clone());
        }
        if again {
            plan.notes.push(format!(
                "{of} is error_rollbacking: it holds a part of each, of which no guard can be taken"
            ));
        }
        let step = self.step(&Act::Rollback, "rolling the disk back").await?;
        plan.steps.push(step);
        if self.shared.family.vendor {
            plan.notes.push(
                "this service keeps no note of it: should the program end meanwhile, it is not known later whether it was done"
                    .to_owned(),
            );
        }
        plan.touches = vec![
            touched_moment(&disk, &[]),
            touched_snapshot(&snapshot, &format!("{of}@{name}")),
        ];
        Ok(plan)
    }
}

/// The name that goes along with a description that is to be empty.
pub(super) fn keeps(operation: &Operation, name: &str) -> Option<String> {
    let empty = operation.find_text("description") == Some("");
    let named = operation.find_text("name").is_some() || name.is_empty();
    (empty && !named).then(|| name.to_owned())
}

/// Refuses what the service made by itself.
pub(super) fn protect(snapshot: &Snapshot, full: &str, done: &str) -> Result<(), Problem> {
    let Some(maker) = snapshot.made_by() else {
        return Ok(());
    };
    let problem = Problem::new(
        ProblemKind::Conflict,
        format!("{full} is not to be {done}: it was made by {maker}"),
    );
    Err(match snapshot.name().starts_with(AUTOMATIC) {
        true => problem.because("the service does nothing with such snapshots by itself"),
        false => problem,
    })
}
