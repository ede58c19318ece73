//! Plans of what is done to snapshot groups: one point in time of a VM.

use std::collections::{BTreeMap, HashSet};

use super::act::Act;
use super::convert::{group_name, volume_name};
use super::plan::{
    Look, Power, can_be_taken, touched_group, touched_place, touched_snapshot, touched_volume,
};
use super::plan_snapshots::{below, can_be_gone_back_to, loss};
use crate::model::{Loss, Operation, OperationKind, Plan, Problem, ProblemKind, Undo, Value};
use crate::provider::cinder::plan::{by, nothing_to_change, renames};
use crate::provider::cinder::probe::if_there;
use crate::wire::zstack::{Group, Snapshot, Vm, VmState, Volume, VolumeType};

fn volumes(count: usize) -> String {
    match count {
        1 => "1 volume".to_owned(),
        n => format!("{n} volumes"),
    }
}

impl Look<'_> {
    /// The VM of these volumes, which must be all that it has: "one snapshot per attached Root and Data disk" (9.12).
    async fn vm_of(&self, named: &[Volume]) -> Result<Vm, Problem> {
        let mut machines: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for volume in named {
            let vm = volume.vm_instance_uuid.as_deref().unwrap_or_default();
            machines.entry(vm).or_default().push(volume_name(volume));
        }
        if let Some(alone) = machines.get("") {
            return Err(Problem::conflict(format!(
                "no snapshot group can be taken: {} is attached to no VM",
                alone.join(", ")
            ))
            .hint("a snapshot group is one point in time of a VM; take snapshots of volumes that are attached to none"));
        }
        let mut all = machines.keys();
        let (Some(vm), None) = (all.next(), all.next()) else {
            let problem =
                Problem::conflict("no snapshot group can be taken: the volumes are of several VMs");
            return Err(machines.values().fold(problem, |problem, names| {
                problem.because(format!("{} of one", names.join(", ")))
            }));
        };
        let vm: Vm = self.shared.one(vm).await?;
        let disk =
            |v: &&Volume| matches!(v.r#type, Some(VolumeType::Root | VolumeType::Data) | None);
        let others: Vec<String> = vm
            .volumes()
            .iter()
            .filter(disk)
            .filter(|own| named.iter().all(|volume| volume.uuid != own.uuid))
            .map(volume_name)
            .collect();
        match others.is_empty() {
            true => Ok(vm),
            false => Err(Problem::conflict(format!(
                "a snapshot group takes all volumes of the VM {}, and so {} too",
                vm.name.as_deref().unwrap_or(&vm.uuid),
                others.join(", ")
            ))
            .hint("name all volumes of the VM")),
        }
    }

    pub(super) async fn create_group(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?;
        let mut named: Vec<Volume> = Vec::new();
        for id in self.operation.volumes()? {
            named.push(self.shared.one(id.as_str()).await?);
        }
        let vm = self.vm_of(&named).await?;
        let power = Power {
            name: vm.name.clone().unwrap_or_else(|| vm.uuid.clone()),
            state: super::sight::state(&vm),
            uuid: vm.uuid.clone(),
        };
        let root = vm.root_volume_uuid.clone().ok_or_else(|| {
            Problem::conflict(format!(
                "no snapshot group can be taken: the VM {} has no root volume",
                power.name
            ))
        })?;
        for volume in &named {
            can_be_taken(volume)?;
        }
        self.steady(&power)?;
        if self.operation.flag("memory")
            && !matches!(power.state, VmState::Running | VmState::Paused)
        {
            return Err(Problem::user(format!(
                "the memory of the VM {} cannot be taken: it is {}",
                power.name,
                power.state.word()
            ))
            .hint("its memory is there while it is Running or Paused; take the group without it"));
        }
        let count = volumes(named.len());
        let summary = format!(
            "take the snapshot group {name} of the VM {}: {count} at one moment",
            power.name
        );
        let mut plan = self.plan(
            &format!("{name} · {}", power.name),
            summary,
            by("delete the snapshot group"),
        );
        plan.steps = vec![
            self.step(&Act::MakeGroup(root), "taking the snapshot group")
                .await?,
        ];
        plan.touches = named.iter().map(touched_volume).collect();
        for volume in named.iter().filter(|v| v.is_shareable == Some(true)) {
            plan.notes.push(format!(
                "{} is shareable, which some editions of the system refuse in a group",
                volume_name(volume)
            ));
        }
        plan.notes.push(format!(
            "each snapshot is called {name}- and the name of its volume"
        ));
        Ok(plan)
    }

    pub(super) async fn update_group(&self) -> Result<Plan, Problem> {
        let group = self.the_group().await?;
        let touched = touched_group(&group);
        let mut back = Operation::new(OperationKind::UpdateGroup)
            .with("group", Value::Object(touched.object.clone()));
        let old = [
            group.name.as_deref().unwrap_or_default(),
            group.description.as_deref().unwrap_or_default(),
        ];
        let notes = renames(self.operation, old, &mut back);
        if notes.is_empty() {
            return Err(nothing_to_change());
        }
        let undo = Undo::By {
            how: "change it back".to_owned(),
            operation: Some(back),
        };
        let name = &touched.name;
        let mut plan = self.plan(name, format!("change the snapshot group {name}"), undo);
        plan.steps = vec![
            self.step(&Act::EditGroup, "changing the snapshot group")
                .await?,
        ];
        plan.notes = notes;
        plan.notes.push("its snapshots keep their names".to_owned());
        plan.touches = vec![touched];
        Ok(plan)
    }

    pub(super) async fn delete_group(&self) -> Result<Plan, Problem> {
        let group = self.the_group().await?;
        let name = group_name(&group);
        let never = Undo::Never("what is deleted is gone".to_owned());
        let mut plan = self.plan(&name, String::new(), never);
        plan.steps = vec![
            self.step(&Act::DropGroup, "deleting the snapshot group")
                .await?,
        ];
        plan.touches = vec![touched_group(&group)];
        let attached = self.attached(&group).await?;
        let mut count = 0;
        for one in group.live() {
            let of = one
                .volume_name
                .clone()
                .unwrap_or_else(|| one.volume().to_owned());
            if attached
                .as_ref()
                .is_some_and(|all| !all.contains(one.volume()))
                && one.volume_type != Some(VolumeType::Memory)
            {
                // "Those of detached disks are skipped silently" (9.17).
                plan.notes.push(format!(
                    "{of} is attached to the VM no more: its snapshot {} stays, unless the system is set up otherwise",
                    one.name()
                ));
                continue;
            }
            let trees = self.shared.trees_of(one.volume()).await?;
            let gone = below(&trees, &HashSet::from([one.volume_snapshot_uuid.as_str()]));
            for snapshot in &gone {
                count += 1;
                let full = format!("{of}@{}", super::convert::snapshot_name(snapshot));
                plan.touches.push(touched_snapshot(snapshot, &full));
                plan.losses.push(loss(&of, snapshot));
            }
            self.groups_lost(&mut plan, &gone).await?;
            self.merge_note(&mut plan, &trees, &gone);
        }
        if plan.losses.is_empty() {
            plan.losses.push(Loss {
                what: format!("the snapshot group {name}"),
                bytes: None,
            });
        }
        plan.notes.dedup();
        self.mode_note(&mut plan);
        plan.summary = match count {
            1 => format!("delete the snapshot group {name} and its snapshot"),
            n => format!(
                "delete the snapshot group {name} and {n} snapshots: its own and those that hang from them"
            ),
        };
        plan.confirm = Some(name);
        Ok(plan)
    }

    /// The volumes of a group's VM; nothing where the VM is gone.
    async fn attached(&self, group: &Group) -> Result<Option<HashSet<String>>, Problem> {
        let Some(vm) = &group.vm_instance_uuid else {
            return Ok(None);
        };
        let vm: Option<Vm> = if_there(self.shared.one(vm).await)?;
        Ok(vm.map(|vm| vm.volumes().iter().map(|v| v.uuid.clone()).collect()))
    }

    pub(super) async fn ungroup(&self) -> Result<Plan, Problem> {
        let group = self.the_group().await?;
        let touched = touched_group(&group);
        let name = &touched.name;
        let mut plan = self.plan(
            name,
            format!("let the snapshots of {name} be ones by themselves"),
            Undo::Never("they cannot be made one group again; nothing else is lost".to_owned()),
        );
        plan.steps = vec![
            self.step(&Act::Ungroup, "parting the snapshot group")
                .await?,
        ];
        plan.touches = vec![touched];
        Ok(plan)
    }

    pub(super) async fn revert_group(&self) -> Result<Plan, Problem> {
        let group = self.the_group().await?;
        let name = group_name(&group);
        let no = |why: &str| Problem::conflict(format!("{name} cannot be gone back to: {why}"));
        let vm = group.vm_instance_uuid.clone().unwrap_or_default();
        let said = self.shared.availabilities(&[&group.uuid]).await?;
        let said = said
            .into_iter()
            .find(|one| one.uuid == group.uuid)
            .ok_or_else(|| {
                Problem::new(
                    ProblemKind::System,
                    format!("the system does not say whether {name} can be gone back to"),
                )
            })?;
        if !said.available {
            let mut problem = no("the system says that it is not available");
            let reasons = said.reason.unwrap_or_default();
            for line in reasons.lines().filter(|line| !line.trim().is_empty()) {
                problem = problem.because(line.trim());
            }
            return Err(problem.hint("attach or detach volumes as they were when it was taken, or take the volumes back one by one"));
        }
        let power = self.power(&vm).await?;
        let memory = group.has_memory();
        let guard = self.operation.flag("guard");
        let vm: Vm = self.shared.one(&vm).await?;
        let undo = match guard {
            true => by("take the VM back to its guard group"),
            false => Undo::Never("what the volumes held is not kept".to_owned()),
        };
        let count = volumes(group.live().count());
        let summary = format!(
            "take the VM {} back to the snapshot group {name}: {count}, one after another",
            power.name
        );
        let mut plan = self.plan(&format!("{} ← {name}", power.name), summary, undo);
        plan.touches = vec![touched_group(&group)];
        for one in group
            .live()
            .filter(|one| one.volume_type != Some(VolumeType::Memory))
        {
            let snapshot: Snapshot = self.shared.one(&one.volume_snapshot_uuid).await?;
            can_be_gone_back_to(&snapshot)?;
            let volume: Volume = self.shared.one(one.volume()).await?;
            let trees = self.shared.trees_of(&volume.uuid).await?;
            let of = volume_name(&volume);
            plan.touches.push(touched_place(&volume, &trees));
            plan.touches
                .push(touched_snapshot(&snapshot, &format!("{of}@{}", one.name())));
            match guard {
                true => {
                    can_be_taken(&volume)?;
                    self.chain_note(&mut plan, &of, &trees);
                }
                false => plan.losses.push(Loss {
                    what: format!("what was written to {of} since its last snapshot"),
                    bytes: None,
                }),
            }
        }
        let mut acts = Vec::new();
        match (guard, vm.root_volume_uuid) {
            (true, Some(root)) => {
                acts.push((Act::MakeGuardGroup(root), "keeping what the VM holds now"));
                plan.notes
                    .push("what the volumes hold now is kept as a guard group".to_owned());
            }
            (true, None) => {
                return Err(
                    no("its VM has no root volume, of which a guard could be taken")
                        .hint("take it back without a guard"),
                );
            }
            (false, _) => plan.confirm = Some(name.clone()),
        }
        acts.push((Act::RevertGroup, "taking the VM back"));
        self.powered(&mut plan, Some(&power), memory, acts).await?;
        if memory {
            plan.notes.push(
                "it holds the memory of the VM, which is started from it afterwards".to_owned(),
            );
        }
        plan.notes.push("each volume is taken back by itself: where one fails, the VM holds a part of each until it is done again".to_owned());
        Ok(plan)
    }
}
