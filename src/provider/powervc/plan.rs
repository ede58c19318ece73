//! What each operation would do, told without doing any of it.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::Shared;
use super::act::{Act, named_volumes};
use crate::model::{
    Kind, Loss, ObjectRef, Operation, OperationKind, Plan, PlannedStep, Problem, Touched, Undo,
    Value,
};
use crate::provider::Reader as _;
use crate::provider::cinder::convert::{named, volume_name, without_mark};
use crate::provider::cinder::plan::{Look as Base, by, touched_volume};
use crate::provider::cinder::plan_volumes::in_state;
use crate::wire::cinder::{Volume, VolumeStatus};
use crate::wire::powervc::{InstanceSnapshot, Machine, StatusKind};

/// What stands for a key that is known only when the step is run.
const SOME_KEY: &str = "$TASK";

/// Plans an operation as things stand now.
pub(super) async fn plan(shared: &Arc<Shared>, operation: &Operation) -> Result<Plan, Problem> {
    let absent = || Problem::user(format!("there is no {} here", operation.kind));
    let spec = shared
        .capabilities
        .operation(operation.kind)
        .ok_or_else(absent)?;
    spec.check(operation)?;
    let look = Look {
        shared,
        operation,
        base: Base {
            shared: &shared.cinder,
            operation,
        },
    };
    match operation.kind {
        OperationKind::CreateGroup => look.create().await,
        OperationKind::UpdateGroup => look.update().await,
        OperationKind::DeleteGroup => look.delete().await,
        OperationKind::RestoreGroup => look.restore().await,
        OperationKind::RetryRestore => look.retry().await,
        OperationKind::RollBackRestore => look.roll_back().await,
        OperationKind::ExtendVolume | OperationKind::DeleteVolume => {
            look.volume_is_free().await?;
            shared.volumes.plan(operation).await
        }
        OperationKind::DeleteSnapshot => {
            look.snapshot_is_free().await?;
            shared.volumes.plan(operation).await
        }
        _ => shared.volumes.plan(operation).await,
    }
}

/// An operation, and the service that it is planned on.
pub(super) struct Look<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) operation: &'a Operation,
    pub(super) base: Base<'a>,
}

/// What an instance snapshot is called.
pub(super) fn called(of: &InstanceSnapshot) -> String {
    named(of.name.as_deref().unwrap_or_default(), &of.id)
}

/// An instance snapshot as it was seen.
pub(super) fn touched(of: &InstanceSnapshot) -> Touched {
    let members: Vec<&str> = of.members().map(|(_, snapshot)| snapshot).collect();
    Touched {
        object: ObjectRef::new(Kind::Group, of.id.clone()),
        name: called(of),
        revision: format!(
            "{}|{}|{}|{}",
            called(of),
            of.status.word(),
            of.task().unwrap_or_default(),
            members.join(",")
        ),
    }
}

/// `3 volumes`.
pub(super) fn volumes(count: usize) -> String {
    match count {
        1 => "1 volume".to_owned(),
        n => format!("{n} volumes"),
    }
}

impl Look<'_> {
    pub(super) async fn step(&self, act: &Act, title: &str) -> Result<PlannedStep, Problem> {
        let ask = act.ask(self.operation, SOME_KEY)?;
        Ok(PlannedStep {
            name: act.name(),
            title: title.to_owned(),
            call: self.shared.session().curl(&ask).await?,
            follows: false,
            pauses: false,
        })
    }

    pub(super) async fn the_group(&self) -> Result<InstanceSnapshot, Problem> {
        let id = self.operation.object("group", Kind::Group)?;
        self.shared.instance_snapshot(id).await
    }

    /// The machine that an instance snapshot was taken of.
    pub(super) async fn machine_of(&self, of: &InstanceSnapshot) -> Result<Machine, Problem> {
        self.shared.machine(&of.instance_id).await
    }

    /// Refuses where another instance snapshot of the machine is being taken, restored or deleted.
    pub(super) async fn at_rest(&self, machine: &Machine) -> Result<(), Problem> {
        let all = self.shared.instance_snapshots().await?;
        let busy =
            |one: &&InstanceSnapshot| one.instance_id == machine.id && !one.status.is_settled();
        match all.iter().find(busy) {
            None => Ok(()),
            Some(one) => Err(Problem::conflict(format!(
                "{} is {}, and {} can have one of these at a time",
                called(one),
                one.status.word(),
                machine.called()
            ))
            .hint("wait until that is over")),
        }
    }

    /// The machine that is meant, and the volumes that were named, which are attached to it.
    async fn meant(&self) -> Result<(Machine, Vec<Volume>), Problem> {
        let ids = named_volumes(self.operation);
        let cinder = &self.shared.cinder;
        let volumes = try_join_all(ids.iter().map(|id| cinder.volume(id.as_str()))).await?;
        let named = match self.operation.find_text("instance") {
            Some(named) => Some(self.shared.find_machine(named).await?),
            None => None,
        };
        let server_of = |volume: &Volume| {
            let mut at = volume.attachments.iter();
            at.find_map(|at| at.server_id.clone())
        };
        let server = match (named, volumes.first()) {
            (Some(server), _) => server,
            (None, Some(first)) => server_of(first).ok_or_else(|| {
                Problem::conflict(format!(
                    "{} is attached to no machine, and an instance snapshot is of one",
                    volume_name(first)
                ))
                .hint("take a snapshot of the volume instead")
            })?,
            (None, None) => {
                return Err(Problem::user("of which machine?")
                    .hint("name the machine, or volumes that are attached to it"));
            }
        };
        let machine = self.shared.machine(&server).await?;
        for volume in &volumes {
            let there = volume
                .attachments
                .iter()
                .any(|at| at.server_id.as_deref() == Some(&machine.id));
            if !there {
                return Err(Problem::conflict(format!(
                    "{} is not attached to {}, and an instance snapshot is of one machine",
                    volume_name(volume),
                    machine.called()
                ))
                .hint("name volumes of one machine"));
            }
        }
        Ok((machine, volumes))
    }

    /// The volumes that are attached to a machine, as both services tell.
    async fn attached(&self, machine: &Machine) -> Result<Vec<Volume>, Problem> {
        if let Some(ids) = machine.volumes() {
            let cinder = &self.shared.cinder;
            return try_join_all(ids.into_iter().map(|id| cinder.volume(id))).await;
        }
        let all = self.shared.cinder.volumes().await?;
        let on = |volume: &&Volume| {
            let mut at = volume.attachments.iter();
            at.any(|at| at.server_id.as_deref() == Some(&machine.id))
        };
        let all = all.iter().flat_map(|page| page.iter());
        Ok(all.filter(on).cloned().collect())
    }

    async fn create(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?;
        let (machine, some) = self.meant().await?;
        let whole = some.is_empty();
        let members = match whole {
            true => self.attached(&machine).await?,
            false => some,
        };
        if members.is_empty() {
            return Err(Problem::conflict(format!(
                "nothing is attached to {}",
                machine.called()
            )));
        }
        for volume in &members {
            let fit = [VolumeStatus::Available, VolumeStatus::InUse];
            in_state(volume, &fit, "no instance snapshot can be taken")?;
        }
        self.at_rest(&machine).await?;
        let ids = match whole {
            true => Vec::new(),
            false => members.iter().map(|volume| volume.id.clone()).collect(),
        };
        let names: Vec<String> = members.iter().map(volume_name).collect();
        let subject = format!("{} · {name}", machine.called());
        let summary = format!(
            "take the instance snapshot {name} of {}: {}",
            machine.called(),
            names.join(", ")
        );
        let mut plan = self.base.plan(&subject, summary, by("delete it again"));
        let act = Act::Take(machine.id.clone(), ids);
        plan.steps = vec![self.step(&act, "taking the instance snapshot").await?];
        plan.touches = members.iter().map(|v| touched_volume(v, &[])).collect();
        if whole {
            plan.notes.push(format!(
                "no volumes are named: PowerVC takes all that are attached then, now {}",
                volumes(members.len())
            ));
        }
        if machine.is_off() == Some(false) {
            plan.notes.push(format!(
                "{} runs: what it has not written yet is not in the snapshot",
                machine.called()
            ));
        }
        let taken = self.shared.instance_snapshots().await?;
        let same = |one: &&InstanceSnapshot| one.name.as_deref() == Some(name);
        if taken.iter().any(|one| same(&one)) {
            let note = format!("there is an instance snapshot {name} already; ids tell them apart");
            plan.notes.push(note);
        }
        self.base.quota(&mut plan, "Snapshots").await;
        Ok(plan)
    }

    async fn update(&self) -> Result<Plan, Problem> {
        let group = self.the_group().await?;
        let name = called(&group);
        let reference = ObjectRef::new(Kind::Group, group.id.clone());
        let back = Operation::new(OperationKind::UpdateGroup)
            .with(Kind::Group.one(), Value::Object(reference));
        let described = without_mark(group.description.as_deref().unwrap_or_default());
        let old = [
            group.name.as_deref().unwrap_or_default(),
            described.as_str(),
        ];
        let step = self
            .step(&Act::Edit, "changing the instance snapshot")
            .await?;
        let mut plan = self
            .base
            .update(step, "instance snapshot", &name, old, back)?;
        plan.touches = vec![touched(&group)];
        Ok(plan)
    }

    async fn delete(&self) -> Result<Plan, Problem> {
        let group = self.the_group().await?;
        let name = called(&group);
        if !group.status.is_settled() {
            return Err(Problem::conflict(format!(
                "{name} cannot be deleted: it is {}",
                group.status.word()
            ))
            .hint("wait until that is over"));
        }
        let count = group.members().count();
        let never = Undo::Never("what is deleted is gone".to_owned());
        let summary = format!(
            "delete the instance snapshot {name} and its snapshots of {}",
            volumes(count)
        );
        let mut plan = self.base.plan(&name, summary, never);
        let step = self
            .step(&Act::Drop, "deleting the instance snapshot")
            .await?;
        plan.steps = vec![step];
        plan.touches = vec![touched(&group)];
        plan.losses = vec![Loss {
            what: format!("the points in time of {}", volumes(count)),
            bytes: None,
        }];
        let safety = group.safety().count();
        if safety > 0 {
            plan.losses.push(Loss {
                what: format!(
                    "the safety snapshots of {}: what they held before the restore that failed",
                    volumes(safety)
                ),
                bytes: None,
            });
        }
        if group.status.kind() == StatusKind::RestoreError {
            let note =
                "its last restore failed: deleted, it can be neither retried nor rolled back";
            plan.notes.push(note.to_owned());
        }
        plan.confirm = Some(name);
        Ok(plan)
    }

    /// While a volume is in an instance snapshot it is neither resized nor deleted.
    async fn volume_is_free(&self) -> Result<(), Problem> {
        let id = self.operation.volume()?;
        // What is not there is said not to be there.
        let volume = self.shared.cinder.volume(id.as_str()).await?;
        let all = self.shared.instance_snapshots().await?;
        let holds = |one: &&InstanceSnapshot| one.members().any(|(own, _)| own == volume.id);
        match all.iter().find(holds) {
            None => Ok(()),
            Some(one) => Err(Problem::conflict(format!(
                "{} is in the instance snapshot {}",
                volume_name(&volume),
                called(one)
            ))
            .hint("delete the instance snapshot first")),
        }
    }

    async fn snapshot_is_free(&self) -> Result<(), Problem> {
        let id = self.operation.snapshot()?;
        let snapshot = self.shared.cinder.snapshot(id.as_str()).await?;
        let all = self.shared.instance_snapshots().await?;
        let of = |one: &&InstanceSnapshot| {
            let mut own = one.members().chain(one.safety());
            own.any(|(_, own)| own == snapshot.id)
        };
        match all.iter().find(of) {
            None => Ok(()),
            Some(one) => Err(Problem::conflict(format!(
                "{} belongs to the instance snapshot {}",
                named(&snapshot.name, &snapshot.id),
                called(one)
            ))
            .hint("delete the instance snapshot: its snapshots go with it only")),
        }
    }
}
