//! Plans of what is done to snapshots, and of taking a volume back to one.

use std::collections::{HashMap, HashSet};

use super::act::Act;
use super::convert::{bytes, snapshot_name, volume_name};
use super::plan::{
    Look, can_be_taken, here, touched_group, touched_place, touched_snapshot, touched_volume,
};
use crate::model::{Bytes, Loss, Operation, OperationKind, Plan, Problem, Undo};
use crate::provider::cinder::plan::{by, nothing_to_change, renames};
use crate::wire::zstack::{
    Enabled, Group, GroupRef, Snapshot, SnapshotStatus, Tree, Volume, VolumeStatus, VolumeType,
};

/// A snapshot that hangs from others, with how a tree tells it.
pub(super) fn below<'t>(trees: &'t [Tree], tops: &HashSet<&str>) -> Vec<&'t Snapshot> {
    let all: Vec<&Snapshot> = trees.iter().flat_map(Tree::snapshots).collect();
    let mut children: HashMap<&str, Vec<&Snapshot>> = HashMap::new();
    for one in &all {
        if let Some(parent) = &one.parent_uuid {
            children.entry(parent).or_default().push(one);
        }
    }
    let mut seen: HashSet<&str> = HashSet::new();
    let mut found = Vec::new();
    let mut waiting: Vec<&Snapshot> = all
        .iter()
        .copied()
        .filter(|one| tops.contains(one.uuid.as_str()))
        .collect();
    while let Some(one) = waiting.pop() {
        if seen.insert(&one.uuid) {
            found.push(one);
            waiting.extend(children.get(one.uuid.as_str()).into_iter().flatten());
        }
    }
    found
}

/// What is lost with a snapshot.
pub(super) fn loss(volume: &str, snapshot: &Snapshot) -> Loss {
    Loss {
        what: format!("the point in time {volume}@{}", snapshot_name(snapshot)),
        bytes: snapshot.size.as_ref().map(|size| bytes(Some(size))),
    }
}

impl Look<'_> {
    async fn the_volume(&self) -> Result<Volume, Problem> {
        self.shared.one(self.operation.volume()?.as_str()).await
    }

    pub(super) async fn create_snapshot(&self) -> Result<Plan, Problem> {
        let volume = self.the_volume().await?;
        let (of, name) = (volume_name(&volume), self.operation.get_text("name")?);
        can_be_taken(&volume)?;
        let power = self.power_of(&volume).await?;
        if let Some(power) = &power {
            self.steady(power)?;
        }
        let trees = self.shared.trees_of(&volume.uuid).await?;
        let summary = format!("take the snapshot {name} of {of}");
        let mut plan = self.plan(&format!("{of}@{name}"), summary, by("delete it again"));
        plan.steps = vec![self.step(&Act::MakeSnapshot, "taking the snapshot").await?];
        plan.touches = vec![touched_volume(&volume)];
        self.chain_note(&mut plan, &of, &trees);
        Ok(plan)
    }

    pub(super) async fn update_snapshot(&self) -> Result<Plan, Problem> {
        let snapshot = self.the_snapshot().await?;
        let full = self.full_name(&snapshot).await;
        let mut back =
            Operation::new(OperationKind::UpdateSnapshot).on_snapshot(&self.operation.snapshot()?);
        let old = [
            snapshot.name.as_deref().unwrap_or_default(),
            snapshot.description.as_deref().unwrap_or_default(),
        ];
        let notes = renames(self.operation, old, &mut back);
        let measures = self.operation.flag("measure");
        if notes.is_empty() && !measures {
            return Err(nothing_to_change());
        }
        let undo = match notes.is_empty() {
            true => Undo::Never("how much it takes is what it is".to_owned()),
            false => Undo::By {
                how: "change it back".to_owned(),
                operation: Some(back),
            },
        };
        let mut plan = self.plan(&full, format!("change the snapshot {full}"), undo);
        if !notes.is_empty() {
            plan.steps.push(
                self.step(&Act::EditSnapshot, "changing the snapshot")
                    .await?,
            );
        }
        if measures {
            plan.steps
                .push(self.step(&Act::Measure, "asking how much it takes").await?);
        }
        plan.touches = vec![touched_snapshot(&snapshot, &full)];
        plan.notes = notes;
        if snapshot.group_uuid.is_some() && self.operation.find_text("name").is_some() {
            plan.notes.push(
                "its group goes on calling it by the name that it had when it was taken".to_owned(),
            );
        }
        Ok(plan)
    }

    pub(super) async fn delete_snapshot(&self) -> Result<Plan, Problem> {
        let snapshot = self.the_snapshot().await?;
        let full = self.full_name(&snapshot).await;
        let id = snapshot.volume_uuid.clone().unwrap_or_default();
        let trees = match id.is_empty() {
            true => Vec::new(),
            false => self.shared.trees_of(&id).await?,
        };
        let volume = full.split('@').next().unwrap_or_default().to_owned();
        let mut gone = below(&trees, &HashSet::from([snapshot.uuid.as_str()]));
        if gone.is_empty() {
            gone.push(&snapshot);
        }
        let fits = |one: &&Snapshot| {
            let fit = [
                SnapshotStatus::Ready,
                SnapshotStatus::Deleting,
                SnapshotStatus::Creating,
            ];
            one.status
                .as_ref()
                .is_none_or(|status| fit.contains(status))
        };
        if let Some(busy) = gone.iter().find(|one| !fits(one)) {
            let word = busy
                .status
                .as_ref()
                .map_or("unknown", |status| status.word());
            return Err(Problem::conflict(format!(
                "{full} cannot be deleted: {} is {word}",
                snapshot_name(busy)
            )));
        }
        let never = Undo::Never("what is deleted is gone".to_owned());
        let summary = match gone.len() {
            1 => format!("delete the snapshot {full}"),
            n => format!(
                "delete the snapshot {full} and the {} that hang from it",
                n - 1
            ),
        };
        let mut plan = self.plan(&full, summary, never);
        plan.steps = vec![
            self.step(&Act::DropSnapshot, "deleting the snapshot")
                .await?,
        ];
        for one in &gone {
            let name = format!("{volume}@{}", snapshot_name(one));
            plan.touches.push(touched_snapshot(one, &name));
            plan.losses.push(loss(&volume, one));
        }
        self.groups_lost(&mut plan, &gone).await?;
        self.merge_note(&mut plan, &trees, &gone);
        self.mode_note(&mut plan);
        plan.confirm = Some(snapshot_name(&snapshot));
        Ok(plan)
    }

    /// "If the removed ones are of a **Root** volume, every group they belonged to is removed"; else it is not whole any more
    /// (10.6).
    pub(super) async fn groups_lost(
        &self,
        plan: &mut Plan,
        gone: &[&Snapshot],
    ) -> Result<(), Problem> {
        let mut told: HashSet<&str> = HashSet::new();
        let own = self
            .operation
            .object("group", crate::model::Kind::Group)
            .ok();
        for one in gone {
            let Some(id) = one.group_uuid.as_deref().filter(|id| Some(*id) != own) else {
                continue;
            };
            let root = one.volume_type == Some(VolumeType::Root);
            if !told.insert(id) {
                continue;
            }
            let Some(group) =
                crate::provider::cinder::probe::if_there(self.shared.one::<Group>(id).await)?
            else {
                continue;
            };
            let touched = touched_group(&group);
            let gone_of = |one: &&GroupRef| {
                gone.iter().any(|g| {
                    g.uuid == one.volume_snapshot_uuid && g.volume_type == Some(VolumeType::Root)
                })
            };
            match root || group.live().any(|one| gone_of(&one)) {
                true => plan.losses.push(Loss {
                    what: format!("the snapshot group {}: its root snapshot goes; its other snapshots stay by themselves", touched.name),
                    bytes: None,
                }),
                false => plan.notes.push(format!(
                    "the snapshot group {} is not whole any more, and cannot be gone back to",
                    touched.name
                )),
            }
            if plan.touches.iter().all(|t| t.object != touched.object) {
                plan.touches.push(touched);
            }
        }
        Ok(())
    }

    /// Deleting what the volume stands on merges it into the volume.
    pub(super) fn merge_note(&self, plan: &mut Plan, trees: &[Tree], gone: &[&Snapshot]) {
        let here = here(trees);
        let chain = |one: &&&Snapshot| one.r#type.as_deref() == Some("Hypervisor");
        if gone
            .iter()
            .filter(chain)
            .any(|one| Some(one.uuid.as_str()) == here)
        {
            plan.notes.push("the volume stands on it: what they hold is merged into the volume first, which takes room and time; nothing of the volume is lost".to_owned());
        }
    }

    pub(super) fn mode_note(&self, plan: &mut Plan) {
        if self.operation.find_text("mode") == Some("Enforcing") {
            plan.notes.push(
                "Enforcing: what depends on it is not looked at, and failures are not told"
                    .to_owned(),
            );
        }
    }

    pub(super) async fn revert(&self) -> Result<Plan, Problem> {
        let (volume, snapshot) = (self.the_volume().await?, self.the_snapshot().await?);
        let (of, name) = (volume_name(&volume), snapshot_name(&snapshot));
        if snapshot.volume_uuid.as_deref() != Some(volume.uuid.as_str()) {
            return Err(Problem::user(format!("{name} is no snapshot of {of}"))
                .because("the system takes a volume back to its own snapshots only")
                .hint("make a volume from it instead"));
        }
        can_be_gone_back_to(&snapshot)?;
        let power = self.power_of(&volume).await?;
        let trees = self.shared.trees_of(&volume.uuid).await?;
        let guard = self.operation.flag("guard");
        let undo = match guard {
            true => by(&format!("take {of} back to its guard snapshot")),
            false => Undo::Never(format!(
                "what was written since the last snapshot of {of} is gone"
            )),
        };
        let mut plan = self.plan(
            &format!("{of} ← {name}"),
            format!("take {of} back to {name}"),
            undo,
        );
        let mut acts = Vec::new();
        if guard {
            can_be_taken(&volume)?;
            acts.push((Act::MakeGuard, "keeping what it holds now"));
            plan.notes
                .push(format!("what {of} holds now is kept as a guard snapshot"));
            self.chain_note(&mut plan, &of, &trees);
        } else {
            plan.losses.push(Loss {
                what: format!("what was written to {of} since its last snapshot"),
                bytes: None,
            });
            plan.confirm = Some(of.clone());
        }
        acts.push((Act::Revert, "taking the volume back"));
        self.powered(&mut plan, power.as_ref(), false, acts).await?;
        plan.touches = vec![
            touched_place(&volume, &trees),
            touched_snapshot(&snapshot, &format!("{of}@{name}")),
        ];
        Ok(plan)
    }

    pub(super) async fn volume_from_snapshot(&self) -> Result<Plan, Problem> {
        let snapshot = self.the_snapshot().await?;
        let full = self.full_name(&snapshot).await;
        if snapshot.status != Some(SnapshotStatus::Ready) {
            let word = snapshot
                .status
                .as_ref()
                .map_or("unknown", |status| status.word());
            return Err(Problem::conflict(format!(
                "no volume can be made from {full}: it is {word}"
            )));
        }
        let name = self.operation.get_text("name")?;
        let undo = Undo::Never("a volume is deleted in the system's own console".to_owned());
        let summary = format!("make the volume {name} from {full}");
        let mut plan = self.plan(&format!("{name} ← {full}"), summary, undo);
        plan.steps = vec![self.step(&Act::MakeVolume, "making the volume").await?];
        plan.touches = vec![touched_snapshot(&snapshot, &full)];
        plan.notes.push("it is a data volume, attached to nothing; the snapshot cannot be deleted while the volume depends on it".to_owned());
        let volume: Result<Volume, _> = match &snapshot.volume_uuid {
            Some(id) => self.shared.one(id).await,
            None => Err(Problem::not_found("it has no volume")),
        };
        // How much is copied, where the volume is there to tell.
        if let Ok(volume) = volume
            && volume.status != Some(VolumeStatus::Deleted)
        {
            plan.copies = volume
                .size
                .as_ref()
                .map_or(Bytes(0), |size| bytes(Some(size)));
        }
        Ok(plan)
    }
}

/// Refuses a snapshot that no volume can be taken back to (9.5).
pub(super) fn can_be_gone_back_to(snapshot: &Snapshot) -> Result<(), Problem> {
    let name = snapshot_name(snapshot);
    let no = |word: &str| {
        Err(Problem::conflict(format!(
            "{name} is {word}: nothing can be taken back to it"
        )))
    };
    match (&snapshot.state, &snapshot.status) {
        (Some(state), _) if *state != Enabled::Enabled => no(state.word()),
        (_, Some(status)) if *status != SnapshotStatus::Ready => no(status.word()),
        _ => Ok(()),
    }
}
