//! What each operation would do, told without doing any of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::act::{Act, Blanks};
use super::{Shared, convert, sight};
use crate::model::{
    Kind, ObjectRef, Operation, OperationKind, Plan, PlannedStep, Problem, Touched, Undo,
};
use crate::provider::cinder::plan::blank;
use crate::wire::zstack::{
    Enabled, Group, Snapshot, Tree, Vm, VmState, Volume, VolumeStatus, VolumeType,
};

/// "Let max = setting `volumeSnapshot` / `incrementalSnapshot.maxNum`, default **64**" (10.3).
const CHAIN: u64 = 64;

/// Plans an operation as things stand now.
pub(super) async fn plan(shared: &Arc<Shared>, operation: &Operation) -> Result<Plan, Problem> {
    let absent = || Problem::user(format!("there is no {} here", operation.kind));
    let spec = shared
        .capabilities
        .operation(operation.kind)
        .ok_or_else(absent)?;
    spec.check(operation)?;
    let look = Look { shared, operation };
    match operation.kind {
        OperationKind::CreateSnapshot => look.create_snapshot().await,
        OperationKind::UpdateSnapshot => look.update_snapshot().await,
        OperationKind::DeleteSnapshot => look.delete_snapshot().await,
        OperationKind::Restore => look.revert().await,
        OperationKind::Clone => look.volume_from_snapshot().await,
        OperationKind::CreateGroup => look.create_group().await,
        OperationKind::UpdateGroup => look.update_group().await,
        OperationKind::DeleteGroup => look.delete_group().await,
        OperationKind::RestoreGroup => look.revert_group().await,
        OperationKind::Ungroup => look.ungroup().await,
        // Its spec says why not.
        _ => Err(absent()),
    }
}

/// An operation, and the system that it is planned on.
pub(super) struct Look<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) operation: &'a Operation,
}

/// Where a volume was when it was planned to take it back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// What the volume was called.
    name: String,
    /// The snapshot that it stood on.
    pub(super) here: Option<String>,
    /// Where it lay on its storage.
    pub(super) path: Option<String>,
}

impl Place {
    /// What [`touched_place`] keeps; nothing where it is something else.
    pub(super) fn read(revision: &str) -> Self {
        serde_json::from_str(revision).unwrap_or_default()
    }
}

/// The snapshot that a volume with these trees stands on.
pub(super) fn here(trees: &[Tree]) -> Option<&str> {
    trees
        .iter()
        .find_map(Tree::here)
        .map(|one| one.uuid.as_str())
}

/// A volume as it was seen, with where it stands.
pub(super) fn touched_place(volume: &Volume, trees: &[Tree]) -> Touched {
    let place = Place {
        name: convert::volume_name(volume),
        here: here(trees).map(str::to_owned),
        path: volume.install_path.clone(),
    };
    Touched {
        object: ObjectRef::new(Kind::Volume, volume.uuid.clone()),
        revision: serde_json::to_string(&place).unwrap_or_default(),
        name: place.name,
    }
}

/// A volume as it was seen.
pub(super) fn touched_volume(volume: &Volume) -> Touched {
    let name = convert::volume_name(volume);
    Touched {
        object: ObjectRef::new(Kind::Volume, volume.uuid.clone()),
        revision: format!(
            "{name}|{}",
            volume.vm_instance_uuid.as_deref().unwrap_or_default()
        ),
        name,
    }
}

/// A snapshot as it was seen.
pub(super) fn touched_snapshot(snapshot: &Snapshot, full: &str) -> Touched {
    Touched {
        object: ObjectRef::new(Kind::Snapshot, snapshot.uuid.clone()),
        name: full.to_owned(),
        revision: format!(
            "{}|{}|{}",
            convert::snapshot_name(snapshot),
            snapshot.parent_uuid.as_deref().unwrap_or_default(),
            snapshot.group_uuid.as_deref().unwrap_or_default()
        ),
    }
}

/// A group as it was seen, with its members.
pub(super) fn touched_group(group: &Group) -> Touched {
    let name = convert::group_name(group);
    let mut ids: Vec<&str> = group
        .live()
        .map(|one| one.volume_snapshot_uuid.as_str())
        .collect();
    ids.sort_unstable();
    Touched {
        object: ObjectRef::new(Kind::Group, group.uuid.clone()),
        revision: format!("{name}|{}", ids.join(",")),
        name,
    }
}

/// Refuses a volume that cannot have a snapshot taken: "volume `status` Ready; volume `type` Root or Data; volume `state`
/// Enabled" (9.1).
pub(super) fn can_be_taken(volume: &Volume) -> Result<(), Problem> {
    let name = convert::volume_name(volume);
    let no = |why: &str| Problem::conflict(format!("no snapshot can be taken: {name} is {why}"));
    match &volume.status {
        Some(VolumeStatus::Ready) => {}
        Some(VolumeStatus::NotInstantiated) => {
            return Err(no("not instantiated").hint("attach it to a VM once"));
        }
        Some(VolumeStatus::Deleted) => return Err(no("in the recycle bin")),
        other => return Err(no(other.as_ref().map_or("in no known state", |s| s.word()))),
    }
    match &volume.r#type {
        Some(VolumeType::Root | VolumeType::Data) => {}
        other => {
            let word = other.as_ref().map_or("unknown", |kind| kind.word());
            return Err(no(&format!("of the type {word}")));
        }
    }
    match &volume.state {
        Some(Enabled::Enabled) | None => Ok(()),
        Some(state) => Err(no(state.word())),
    }
}

/// What of a VM matters to a plan.
pub(super) struct Power {
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) state: VmState,
}

impl Look<'_> {
    pub(super) fn plan(&self, subject: &str, summary: String, undo: Undo) -> Plan {
        blank(self.operation, subject, summary, undo)
    }

    /// A step, with the call that it would make.
    pub(super) async fn step(&self, act: &Act, title: &str) -> Result<PlannedStep, Problem> {
        let ask = act.ask(self.operation, Blanks::SHOWN)?;
        Ok(PlannedStep {
            name: act.name(),
            title: title.to_owned(),
            call: self.shared.session.curl(&ask).await?,
            follows: false,
            pauses: false,
        })
    }

    pub(super) async fn the_snapshot(&self) -> Result<Snapshot, Problem> {
        self.shared.one(self.operation.snapshot()?.as_str()).await
    }

    pub(super) async fn the_group(&self) -> Result<Group, Problem> {
        self.shared
            .one(self.operation.object("group", Kind::Group)?)
            .await
    }

    /// The VM that a volume is attached to.
    pub(super) async fn power_of(&self, volume: &Volume) -> Result<Option<Power>, Problem> {
        match &volume.vm_instance_uuid {
            Some(vm) => self.power(vm).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn power(&self, vm: &str) -> Result<Power, Problem> {
        let vm: Vm = self.shared.one(vm).await?;
        Ok(Power {
            name: convert::named(vm.name.as_deref(), &vm.uuid),
            state: sight::state(&vm),
            uuid: vm.uuid,
        })
    }

    /// `VOLUME@SNAPSHOT`, with the volume's id where it is gone.
    pub(super) async fn full_name(&self, snapshot: &Snapshot) -> String {
        let name = convert::snapshot_name(snapshot);
        let id = snapshot.volume_uuid.as_deref().unwrap_or("-");
        match self.shared.one::<Volume>(id).await {
            Ok(volume) => format!("{}@{name}", convert::volume_name(&volume)),
            Err(_) => format!("{id}@{name}"),
        }
    }

    /// Refuses while the VM is on its way from one state to another.
    pub(super) fn steady(&self, power: &Power) -> Result<(), Problem> {
        match power.state.is_steady() || power.state == VmState::Created {
            true => Ok(()),
            false => Err(Problem::conflict(format!(
                "no snapshot can be taken: the VM {} is {}",
                power.name,
                power.state.word()
            ))
            .hint("wait until it is Running, Paused or Stopped")),
        }
    }

    /// The steps that stop a VM before what is done, and start it after, where that was asked for; refuses where it was not.
    pub(super) async fn powered(
        &self,
        plan: &mut Plan,
        power: Option<&Power>,
        memory: bool,
        middle: Vec<(Act, &str)>,
    ) -> Result<(), Problem> {
        let mut acts = middle;
        if let Some(power) = power
            && power.state != VmState::Stopped
        {
            let (name, state) = (&power.name, power.state.word());
            if !self.operation.flag("stop") {
                let what = format!("the VM {name} is {state}, and must be Stopped");
                return Err(Problem::conflict(what)
                    .hint("stop it first; or have it stopped and started again (`--stop`)"));
            }
            if !power.state.can_stop() {
                return Err(Problem::conflict(format!(
                    "the VM {name} is {state}: from that it cannot be stopped"
                )));
            }
            acts.insert(
                0,
                (Act::StopVm(power.uuid.clone(), memory), "stopping the VM"),
            );
            // With its memory it is started by being taken back (9.16).
            if !memory && power.state == VmState::Running {
                acts.push((Act::StartVm(power.uuid.clone()), "starting the VM"));
            }
            plan.notes.push(format!(
                "the VM {name} is {state}: what runs in it is interrupted"
            ));
        }
        for (act, title) in acts {
            plan.steps.push(self.step(&act, title).await?);
        }
        Ok(())
    }

    /// Says that the next snapshot is a full one, where the chain is at its end.
    pub(super) fn chain_note(&self, plan: &mut Plan, name: &str, trees: &[Tree]) {
        let here = trees.iter().find_map(Tree::here);
        let distance = here.and_then(|one| one.distance.as_ref()?.get());
        if distance.is_some_and(|distance| distance >= CHAIN) {
            plan.notes.push(format!(
                "{name} has a chain of {CHAIN} snapshots or more: as the system is set up by default, this one is a full one, in a tree of its own"
            ));
        }
    }
}
