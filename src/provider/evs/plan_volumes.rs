//! Plans of what is done to disks.

use super::act::Act;
use super::convert::{disk_name, snapshot_name};
use super::plan::{Look, touched_snapshot, touched_volume};
use super::plan_snapshots::{keeps, protect};
use crate::model::{Bytes, Loss, Operation, OperationKind, Plan, Problem, ProblemKind, Undo};
use crate::provider::cinder::plan::{by, nothing_to_change, renames};
use crate::provider::cinder::plan_volumes::must_be;
use crate::wire::evs::VolumeStatus;

impl Look<'_> {
    /// The zone that is asked for, or the only one there is.
    async fn zone(&self) -> Result<String, Problem> {
        if let Some(zone) = self.operation.find_text("zone") {
            return Ok(zone.to_owned());
        }
        let zones = self.shared.zones().await?;
        match zones.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Problem::new(
                ProblemKind::System,
                "there is no availability zone in which a disk can be made",
            )),
            several => Err(Problem::user("in which availability zone?")
                .hint(format!("set zone to one of {}", several.join(", ")))),
        }
    }

    pub(super) async fn create_volume(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?;
        let size = self.operation.get_size("size")?;
        let zone = self.zone().await?;
        let summary = format!("create the disk {name} of {size} in {zone}");
        let mut plan = self.plan(name, summary, by("delete it again"));
        let act = Act::MakeVolume(zone);
        plan.steps = vec![self.step(&act, "creating the disk").await?];
        let kind = self.operation.find_text("type");
        self.quota(&mut plan, "volumes", kind).await;
        Ok(plan)
    }

    pub(super) async fn clone_volume(&self) -> Result<Plan, Problem> {
        let snapshot = self.the_snapshot().await?;
        let name = self.operation.get_text("name")?;
        let source = self.shared.volume(&snapshot.volume_id).await;
        let full = match &source {
            Ok(disk) => format!("{}@{}", disk_name(disk), snapshot_name(&snapshot)),
            Err(_) => snapshot_name(&snapshot),
        };
        if !snapshot.status.can_be_cloned() {
            return Err(Problem::conflict(format!(
                "no disk can be made from {full}: it is {}",
                snapshot.status.word()
            )));
        }
        let least = Bytes::gib(snapshot.size);
        if let Ok(size) = self.operation.get_size("size")
            && size < least
        {
            return Err(Problem::user(format!(
                "the disk must have at least {least}, which {full} has"
            )));
        }
        let asked = self.operation.find_text("zone");
        let zone = match source.as_ref().ok().and_then(|disk| disk.zone()) {
            Some(own) if asked.is_some_and(|asked| asked != own) => {
                return Err(Problem::user(format!(
                    "the disk must be made in {own}, where the disk of {full} is"
                ))
                .hint("leave zone out"));
            }
            Some(own) => own.to_owned(),
            None => self.zone().await?,
        };
        let summary = format!("make the disk {name} from {full} in {zone}");
        let mut plan = self.plan(&format!("{name} ← {full}"), summary, by("delete it again"));
        let act = Act::MakeVolume(zone);
        plan.steps = vec![self.step(&act, "making the disk").await?];
        plan.touches = vec![touched_snapshot(&snapshot, &full)];
        let kind = self.operation.find_text("type");
        self.quota(&mut plan, "volumes", kind).await;
        Ok(plan)
    }

    pub(super) async fn update_volume(&self) -> Result<Plan, Problem> {
        let disk = self.the_volume().await?;
        let id = self.operation.volume()?;
        let mut back = Operation::new(OperationKind::UpdateVolume).on_volume(&id);
        let old = [disk.name(), disk.description()];
        let changes = renames(self.operation, old, &mut back);
        if changes.is_empty() {
            return Err(nothing_to_change());
        }
        let name = disk_name(&disk);
        let undo = Undo::By {
            how: "change it back".to_owned(),
            operation: Some(back),
        };
        let mut plan = self.plan(&name, format!("change the disk {name}"), undo);
        let act = Act::EditVolume(keeps(self.operation, disk.name()));
        plan.steps = vec![self.step(&act, "changing the disk").await?];
        plan.touches = vec![touched_volume(&disk, &[])];
        plan.notes = changes;
        Ok(plan)
    }

    pub(super) async fn extend_volume(&self) -> Result<Plan, Problem> {
        let disk = self.the_volume().await?;
        let (name, size) = (disk_name(&disk), self.operation.get_size("size")?);
        let now = Bytes::gib(disk.size);
        if size <= now {
            return Err(Problem::user(format!("{name} has {now} already"))
                .hint("give a size that is larger"));
        }
        let fit = [VolumeStatus::Available, VolumeStatus::InUse];
        let words = fit.each_ref().map(VolumeStatus::word);
        must_be(&name, disk.status.word(), &words, "it cannot be extended")?;
        let never = Undo::Never("the service makes no disk smaller".to_owned());
        let summary = format!("extend {name} from {now} to {size}");
        let mut plan = self.plan(&name, summary, never);
        plan.steps = vec![self.step(&Act::Extend, "extending the disk").await?];
        plan.touches = vec![touched_volume(&disk, &[])];
        self.quota(&mut plan, "volumes", disk.kind()).await;
        Ok(plan)
    }

    pub(super) async fn delete_volume(&self) -> Result<Plan, Problem> {
        let disk = self.the_volume().await?;
        let own = self.shared.snapshots_of(&disk.id).await?;
        let name = disk_name(&disk);
        let words = VolumeStatus::CAN_GO.each_ref().map(VolumeStatus::word);
        must_be(&name, disk.status.word(), &words, "it cannot be deleted")?;
        if !own.is_empty() && !self.operation.flag("snapshots") {
            return Err(
                Problem::conflict(format!("{name} has {} snapshots", own.len()))
                    .hint("delete its snapshots too (`--snapshots`), or delete them first"),
            );
        }
        for snapshot in &own {
            let full = format!("{name}@{}", snapshot_name(snapshot));
            protect(snapshot, &full, "deleted")
                .map_err(|problem| problem.hint("delete the backup that it belongs to first"))?;
            if !snapshot.status.can_go() {
                return Err(Problem::conflict(format!(
                    "{full} cannot be deleted: it is {}",
                    snapshot.status.word()
                )));
            }
        }
        let never = Undo::Never("what is deleted is gone".to_owned());
        let summary = match own.len() {
            0 => format!("delete the disk {name}"),
            n => format!("delete the disk {name} and its {n} snapshots"),
        };
        let mut plan = self.plan(&name, summary, never);
        if self.shared.family.vendor {
            // Its paths delete no disk with its snapshots.
            for snapshot in &own {
                let act = Act::DropSnapshot(Some(snapshot.id.clone()));
                let title = format!("deleting the snapshot {}", snapshot_name(snapshot));
                plan.steps.push(self.step(&act, &title).await?);
            }
        }
        let step = self.step(&Act::DropVolume, "deleting the disk").await?;
        plan.steps.push(step);
        plan.touches = vec![touched_volume(&disk, &own)];
        plan.losses = vec![Loss {
            what: format!("all that {name} holds"),
            bytes: Some(Bytes::gib(disk.size)),
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
