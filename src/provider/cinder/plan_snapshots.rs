//! Plans of what is done to snapshots, and of taking a volume back to one.

use super::act::Act;
use super::convert::{named, volume_name};
use super::plan::{Look, by, touched_snapshot, touched_volume};
use super::plan_edits::Edited;
use super::plan_volumes::in_state;
use crate::model::{Loss, Operation, OperationKind, Plan, Problem, Undo};
use crate::wire::cinder::{Microversion, SnapshotStatus, VolumeStatus};

impl Look<'_> {
    pub(super) async fn create_snapshot(&self) -> Result<Plan, Problem> {
        let volume = self.the_volume().await?;
        let (of, name) = (volume_name(&volume), self.operation.get_text("name")?);
        let fit = [VolumeStatus::Available, VolumeStatus::InUse];
        in_state(&volume, &fit, "no snapshot can be taken")?;
        let in_use = volume.status == VolumeStatus::InUse;
        let force = in_use && self.shared.session.version < Microversion::WITHOUT_FORCE;
        let subject = format!("{of}@{name}");
        let summary = format!("take the snapshot {name} of {of}");
        let mut plan = self.plan(&subject, summary, by("delete it again"));
        let act = Act::MakeSnapshot(force);
        plan.steps = vec![self.step(&act, "taking the snapshot").await?];
        plan.touches = vec![touched_volume(&volume, &[])];
        if in_use {
            plan.notes.push(format!(
                "{of} is in use: what its machine has not written yet is not in the snapshot"
            ));
        }
        self.quota(&mut plan, "Snapshots").await;
        Ok(plan)
    }

    pub(super) async fn update_snapshot(&self) -> Result<Plan, Problem> {
        let snapshot = self.the_snapshot().await?;
        let full = self.full_name(&snapshot).await;
        let id = self.operation.snapshot()?;
        let back = Operation::new(OperationKind::UpdateSnapshot).on_snapshot(&id);
        let old = [snapshot.name.as_str(), snapshot.description.as_str()];
        let edited = Edited {
            what: "snapshot",
            full: &full,
            act: Act::EditSnapshot,
            old,
            metadata: &snapshot.metadata,
            status: snapshot.status.word(),
        };
        let mut plan = self.edit(edited, back).await?;
        plan.touches = vec![touched_snapshot(&snapshot, &full)];
        Ok(plan)
    }

    pub(super) async fn delete_snapshot(&self) -> Result<Plan, Problem> {
        let snapshot = self.the_snapshot().await?;
        let full = self.full_name(&snapshot).await;
        if let Some(group) = &snapshot.group_snapshot_id {
            return Err(Problem::conflict(format!(
                "{full} is a member of the group snapshot {group}"
            ))
            .hint("delete the group snapshot: its members go with it only"));
        }
        let fit = [SnapshotStatus::Available, SnapshotStatus::Error];
        if !fit.contains(&snapshot.status) {
            return Err(Problem::conflict(format!(
                "{full} cannot be deleted: it is {}",
                snapshot.status.word()
            )));
        }
        let never = Undo::Never("what is deleted is gone".to_owned());
        let mut plan = self.plan(&full, format!("delete the snapshot {full}"), never);
        plan.steps = vec![
            self.step(&Act::DropSnapshot, "deleting the snapshot")
                .await?,
        ];
        plan.touches = vec![touched_snapshot(&snapshot, &full)];
        plan.losses = vec![Loss {
            what: format!("the point in time {full}"),
            bytes: None,
        }];
        plan.confirm = Some(named(&snapshot.name, &snapshot.id));
        Ok(plan)
    }

    pub(super) async fn revert(&self) -> Result<Plan, Problem> {
        let (volume, snapshot) = (self.the_volume().await?, self.the_snapshot().await?);
        let (of, name) = (volume_name(&volume), named(&snapshot.name, &snapshot.id));
        if snapshot.volume_id != volume.id {
            return Err(Problem::user(format!("{name} is no snapshot of {of}"))
                .hint("make a volume from it instead"));
        }
        let own = self.shared.snapshots_of(&volume.id).await?;
        if let Some(latest) = own.last()
            && latest.id != snapshot.id
        {
            let latest = named(&latest.name, &latest.id);
            return Err(Problem::conflict(format!(
                "{of} can be taken back to its latest snapshot only, which is {latest}"
            ))
            .hint(format!(
                "make a volume from {name} instead, or delete the later ones first"
            )));
        }
        if snapshot.size != volume.size {
            return Err(Problem::conflict(format!(
                "{of} was extended since {name} was taken; the service does not take it back"
            ))
            .hint(format!("make a volume from {name} instead")));
        }
        // The service would take the volume out of service before it looks at this.
        if snapshot.status != SnapshotStatus::Available {
            return Err(Problem::conflict(format!(
                "{name} is {}",
                snapshot.status.word()
            )));
        }
        in_state(
            &volume,
            &[VolumeStatus::Available],
            "it cannot be taken back",
        )?;
        let never = Undo::Never(format!("what was written since {name} is gone"));
        let subject = format!("{of} ← {name}");
        let mut plan = self.plan(&subject, format!("take {of} back to {name}"), never);
        plan.steps = vec![self.step(&Act::Revert, "taking the volume back").await?];
        let full = format!("{of}@{name}");
        plan.touches = vec![
            touched_volume(&volume, &own),
            touched_snapshot(&snapshot, &full),
        ];
        plan.losses = vec![Loss {
            what: format!("what was written to {of} since {name}"),
            bytes: None,
        }];
        plan.notes = vec![
            "no guard snapshot can be taken: it would be the latest, and the service takes a volume back to the latest only".to_owned(),
            "a service that cannot do it in place takes a snapshot called \"[revert] volume … backup snapshot\" meanwhile".to_owned(),
        ];
        plan.confirm = Some(of);
        Ok(plan)
    }
}
