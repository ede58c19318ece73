//! Plans of what is done to volumes.

use super::act::Act;
use super::convert::volume_name;
use super::plan::{Look, by, touched_snapshot, touched_volume};
use super::plan_edits::Edited;
use crate::model::{Bytes, Loss, Operation, OperationKind, Plan, Problem, Undo};
use crate::wire::cinder::{Microversion, SnapshotStatus, Volume, VolumeStatus};

/// Refuses unless the volume is in one of these states.
pub(in crate::provider) fn in_state(
    volume: &Volume,
    fit: &[VolumeStatus],
    what: &str,
) -> Result<(), Problem> {
    let words: Vec<&str> = fit.iter().map(VolumeStatus::word).collect();
    must_be(&volume_name(volume), volume.status.word(), &words, what)
}

/// Refuses unless a word is one of these.
pub(in crate::provider) fn must_be(
    name: &str,
    word: &str,
    fit: &[&str],
    what: &str,
) -> Result<(), Problem> {
    if fit.contains(&word) {
        return Ok(());
    }
    let problem = Problem::conflict(format!(
        "{what}: {name} is {word}, and must be {}",
        fit.join(" or ")
    ));
    Err(match word {
        "in-use" => problem.hint("detach it from its machine first"),
        _ => problem,
    })
}

impl Look<'_> {
    pub(super) async fn create_volume(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?;
        let size = self.operation.get_size("size")?;
        let summary = format!("create the volume {name} of {size}");
        let mut plan = self.plan(name, summary, by("delete it again"));
        plan.steps = vec![self.step(&Act::MakeVolume, "creating the volume").await?];
        self.quota(&mut plan, "Volumes").await;
        Ok(plan)
    }

    pub(super) async fn clone_volume(&self) -> Result<Plan, Problem> {
        let snapshot = self.the_snapshot().await?;
        let full = self.full_name(&snapshot).await;
        let name = self.operation.get_text("name")?;
        if snapshot.status != SnapshotStatus::Available {
            return Err(Problem::conflict(format!(
                "no volume can be made from {full}: it is {}",
                snapshot.status.word()
            )));
        }
        let least = Bytes::gib(snapshot.size);
        if let Ok(size) = self.operation.get_size("size")
            && size < least
        {
            return Err(Problem::user(format!(
                "the volume must have at least {least}, which {full} has"
            )));
        }
        let summary = format!("make the volume {name} from {full}");
        let mut plan = self.plan(&format!("{name} ← {full}"), summary, by("delete it again"));
        plan.steps = vec![self.step(&Act::MakeVolume, "making the volume").await?];
        plan.touches = vec![touched_snapshot(&snapshot, &full)];
        self.quota(&mut plan, "Volumes").await;
        Ok(plan)
    }

    pub(super) async fn update_volume(&self) -> Result<Plan, Problem> {
        let volume = self.the_volume().await?;
        let back = Operation::new(OperationKind::UpdateVolume).on_volume(&self.operation.volume()?);
        let old = [volume.name.as_str(), volume.description.as_str()];
        let name = volume_name(&volume);
        let edited = Edited {
            what: "volume",
            full: &name,
            act: Act::EditVolume,
            old,
            metadata: &volume.metadata,
            status: volume.status.word(),
        };
        let mut plan = self.edit(edited, back).await?;
        plan.touches = vec![touched_volume(&volume, &[])];
        Ok(plan)
    }

    pub(super) async fn extend_volume(&self) -> Result<Plan, Problem> {
        let volume = self.the_volume().await?;
        let (name, size) = (volume_name(&volume), self.operation.get_size("size")?);
        let now = Bytes::gib(volume.size);
        if size <= now {
            return Err(Problem::user(format!("{name} has {now} already"))
                .hint("give a size that is larger"));
        }
        let mut fit = vec![VolumeStatus::Available];
        if self.shared.session.version >= Microversion::EXTEND_IN_USE {
            fit.push(VolumeStatus::InUse);
        }
        in_state(&volume, &fit, "it cannot be extended")?;
        let never = Undo::Never("the service makes no volume smaller".to_owned());
        let summary = format!("extend {name} from {now} to {size}");
        let mut plan = self.plan(&name, summary, never);
        plan.steps = vec![self.step(&Act::Extend, "extending the volume").await?];
        plan.touches = vec![touched_volume(&volume, &[])];
        self.quota(&mut plan, "Volumes").await;
        Ok(plan)
    }

    pub(super) async fn delete_volume(&self) -> Result<Plan, Problem> {
        let volume = self.the_volume().await?;
        let own = self.shared.snapshots_of(&volume.id).await?;
        let name = volume_name(&volume);
        let fit = [
            VolumeStatus::Available,
            VolumeStatus::Error,
            VolumeStatus::ErrorRestoring,
            VolumeStatus::ErrorExtending,
            VolumeStatus::ErrorManaging,
        ];
        in_state(&volume, &fit, "it cannot be deleted")?;
        if !own.is_empty() && !self.operation.flag("snapshots") {
            return Err(
                Problem::conflict(format!("{name} has {} snapshots", own.len()))
                    .hint("delete its snapshots too (`--snapshots`), or delete them first"),
            );
        }
        if let Some(member) = own.iter().find(|s| s.group_snapshot_id.is_some()) {
            let group = member.group_snapshot_id.as_deref().unwrap_or_default();
            return Err(Problem::conflict(format!(
                "{name} has a snapshot that is a member of the group snapshot {group}"
            ))
            .hint("delete the group snapshot first"));
        }
        let never = Undo::Never("what is deleted is gone".to_owned());
        let summary = match own.len() {
            0 => format!("delete the volume {name}"),
            n => format!("delete the volume {name} and its {n} snapshots"),
        };
        let mut plan = self.plan(&name, summary, never);
        if let Some(id) = &volume.group_id {
            let act = Act::LeaveGroup(id.clone());
            plan.steps
                .push(self.step(&act, "taking it out of its group").await?);
            let group = self.shared.group(id).await?;
            let alone = group.volumes.iter().all(|member| *member == volume.id);
            // A group that somebody else has made is somebody else's.
            if alone && group.description.contains(super::MARK) {
                let act = Act::DropGroup(id.clone());
                plan.steps.push(
                    self.step(&act, "deleting the group, which is empty")
                        .await?,
                );
            }
        }
        plan.steps
            .push(self.step(&Act::DropVolume, "deleting the volume").await?);
        plan.touches = vec![touched_volume(&volume, &own)];
        plan.losses = vec![Loss {
            what: format!("all that {name} holds"),
            bytes: Some(Bytes::gib(volume.size)),
        }];
        if !own.is_empty() {
            plan.losses.push(Loss {
                what: format!("its {} snapshots", own.len()),
                bytes: None,
            });
        }
        plan.confirm = Some(name);
        Ok(plan)
    }
}
