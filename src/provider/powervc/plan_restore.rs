//! Plans of taking a machine back, of trying that again, and of going back to before.

use super::act::{Act, How, Taking};
use super::plan::{Look, called, touched, volumes};
use crate::model::{
    Kind, Loss, ObjectRef, Operation, OperationKind, Plan, Problem, ProblemKind, Undo, Value,
};
use crate::provider::cinder::convert::volume_name;
use crate::provider::cinder::plan::touched_volume;
use crate::wire::cinder::Volume;
use crate::wire::powervc::{InstanceSnapshot, Machine, StatusKind};

/// The most characters that a guard is called by.
const NAME: usize = 255;

/// A restore, known afterwards by what the object was before it.
fn taking(how: How, of: &InstanceSnapshot) -> Act {
    Act::Restore(Taking {
        how,
        server: of.instance_id.clone(),
        task: of.task().unwrap_or_default().to_owned(),
        updated: of.updated_at.clone().unwrap_or_default(),
    })
}

/// Whether the machine starts from this volume, as PowerVC marks it, or else as far as block storage tells.
fn is_boot(volume: &Volume) -> bool {
    match volume.metadata.get("is_boot_volume") {
        Some(said) => said.eq_ignore_ascii_case("true"),
        None => volume.bootable,
    }
}

impl Look<'_> {
    pub(super) async fn restore(&self) -> Result<Plan, Problem> {
        let group = self.the_group().await?;
        let name = called(&group);
        self.is_ready(&group)?;
        let machine = self.machine_of(&group).await.map_err(gone(&group))?;
        let members = self.members(&group).await?;
        self.is_off(&machine, &members)?;
        self.at_rest(&machine).await?;
        self.nothing_is_copied(&members).await?;
        let guard = self.operation.flag("guard");
        let undo = match guard {
            true => Undo::By {
                how: "restore the guard instance snapshot".to_owned(),
                operation: None,
            },
            false => Undo::Never(format!("what was written since {name} is gone")),
        };
        let subject = format!("{} ← {name}", machine.called());
        let summary = format!(
            "take {} of {} back to the instance snapshot {name}",
            volumes(members.len()),
            machine.called()
        );
        let mut plan = self.base.plan(&subject, summary, undo);
        if guard {
            let ids = members.iter().map(|volume| volume.id.clone()).collect();
            let called: String = format!("guard before {name}").chars().take(NAME).collect();
            let act = Act::Guard(machine.id.clone(), ids, called);
            let step = self.step(&act, "keeping what the volumes hold now").await?;
            plan.steps.push(step);
        }
        let step = self.step(&taking(How::Plain, &group), "restoring").await?;
        plan.steps.push(step);
        plan.touches = vec![touched(&group)];
        plan.touches
            .extend(members.iter().map(|volume| touched_volume(volume, &[])));
        if !guard {
            plan.losses = members
                .iter()
                .map(|volume| Loss {
                    what: format!("what was written to {} since {name}", volume_name(volume)),
                    bytes: None,
                })
                .collect();
            plan.confirm = Some(name.clone());
        }
        plan.notes.push("PowerVC keeps what each volume holds as a safety snapshot until all are back; where one fails, retry it or roll all back".to_owned());
        self.notes(&mut plan, &machine, &members);
        Ok(plan)
    }

    pub(super) async fn retry(&self) -> Result<Plan, Problem> {
        let group = self.the_group().await?;
        let name = called(&group);
        failed(&group, "a retry")?;
        let machine = self.machine_of(&group).await.map_err(gone(&group))?;
        let names = self.names(group.failed().map(|(volume, _)| volume)).await;
        let why = "PowerVC deletes the safety snapshots once all volumes are back";
        let subject = format!("{} ← {name}", machine.called());
        let summary = match names.is_empty() {
            true => format!(
                "try again to take {} back to {name}: what could not be taken back",
                machine.called()
            ),
            false => format!(
                "try again to take {} of {} back to {name}",
                names.join(", "),
                machine.called()
            ),
        };
        let mut plan = self
            .base
            .plan(&subject, summary, Undo::Never(why.to_owned()));
        plan.steps = vec![
            self.step(&taking(How::Retry, &group), "trying the restore again")
                .await?,
        ];
        plan.touches = vec![touched(&group)];
        plan.losses = vec![Loss {
            what: format!(
                "what {} held before the restore: {why}",
                volumes(group.safety().count())
            ),
            bytes: None,
        }];
        plan.confirm = Some(name);
        self.notes(&mut plan, &machine, &[]);
        Ok(plan)
    }

    pub(super) async fn roll_back(&self) -> Result<Plan, Problem> {
        let group = self.the_group().await?;
        let name = called(&group);
        failed(&group, "a rollback")?;
        if group.safety().count() == 0 {
            return Err(Problem::conflict(format!(
                "{name} has no safety snapshots: there is nothing to go back to"
            ))
            .hint("retry the restore instead"));
        }
        let machine = self.machine_of(&group).await.map_err(gone(&group))?;
        let names = self.names(group.safety().map(|(volume, _)| volume)).await;
        let object = ObjectRef::new(Kind::Group, group.id.clone());
        let again = Operation::new(OperationKind::RestoreGroup)
            .with(Kind::Group.one(), Value::Object(object))
            .with("guard", Value::Flag(true))
            .with("force", Value::Flag(false));
        let undo = Undo::By {
            how: format!("restore {name} again"),
            operation: Some(again),
        };
        let subject = format!("{} ← before {name}", machine.called());
        let summary = format!(
            "take {} of {} to what they held before the restore of {name} that failed",
            names.join(", "),
            machine.called()
        );
        let mut plan = self.base.plan(&subject, summary, undo);
        plan.steps = vec![
            self.step(&taking(How::Rollback, &group), "going back to before")
                .await?,
        ];
        plan.touches = vec![touched(&group)];
        plan.losses = vec![Loss {
            what: "what was written since the restore that failed".to_owned(),
            bytes: None,
        }];
        self.notes(&mut plan, &machine, &[]);
        Ok(plan)
    }

    fn is_ready(&self, group: &InstanceSnapshot) -> Result<(), Problem> {
        if group.status.is_ready() {
            return Ok(());
        }
        let problem = Problem::conflict(format!(
            "{} is {}, and must be available",
            called(group),
            group.status.word()
        ));
        Err(match group.status.kind() {
            StatusKind::RestoreError => problem.hint(
                "its last restore failed: retry that (`retry-restore`), or roll it back (`roll-back-restore`)",
            ),
            StatusKind::Error => problem.hint("it could not be taken, and can only be deleted"),
            _ => problem.hint("wait until that is over"),
        })
    }

    /// The volumes that would be taken back, all of which must be there and well.
    async fn members(&self, group: &InstanceSnapshot) -> Result<Vec<Volume>, Problem> {
        let mut all = Vec::new();
        for (id, _) in group.members() {
            let volume = match self.shared.cinder.volume(id).await {
                Ok(volume) => volume,
                Err(problem) if problem.kind == ProblemKind::NotFound => {
                    return Err(Problem::conflict(format!(
                        "the volume {id} of {} is gone, and its restore would fail",
                        called(group)
                    ))
                    .hint("make volumes from its snapshots instead"));
                }
                Err(problem) => return Err(problem),
            };
            if volume.status.is_error() {
                return Err(Problem::conflict(format!(
                    "{} is {}, and cannot be taken back",
                    volume_name(&volume),
                    volume.status.word()
                )));
            }
            all.push(volume);
        }
        match all.is_empty() {
            true => Err(Problem::conflict(format!(
                "{} holds no volumes",
                called(group)
            ))),
            false => Ok(all),
        }
    }

    /// The machine must be shut off, unless somebody warrants that it writes nothing; for its boot disk always.
    fn is_off(&self, machine: &Machine, members: &[Volume]) -> Result<(), Problem> {
        if machine.is_off() != Some(false) {
            return Ok(());
        }
        let name = machine.called();
        let status = machine.status.as_deref().unwrap_or_default();
        if let Some(boot) = members.iter().find(|volume| is_boot(volume)) {
            return Err(Problem::conflict(format!(
                "{name} is {status}, and must be shut off: {} is the disk that it starts from",
                volume_name(boot)
            ))
            .hint("shut it off; force does not help here"));
        }
        if self.operation.flag("force") {
            return Ok(());
        }
        Err(
            Problem::conflict(format!("{name} is {status}, and must be shut off")).hint(
                "shut it off, or force it where you warrant that nothing writes to its volumes",
            ),
        )
    }

    /// A FlashCopy that is under way on a volume is in the way of a restore.
    async fn nothing_is_copied(&self, members: &[Volume]) -> Result<(), Problem> {
        for volume in members {
            let found = self.shared.mappings(&volume.id).await?;
            if let Some(busy) = found.iter().find(|mapping| mapping.is_busy()) {
                let so_far = busy.progress.percent().unwrap_or(0);
                return Err(Problem::conflict(format!(
                    "a copy of {} is under way: {} is {}, {so_far} %",
                    volume_name(volume),
                    busy.name,
                    busy.status.text()
                ))
                .hint("wait until it is over; the view of FlashCopy mappings shows it"));
            }
        }
        Ok(())
    }

    fn notes(&self, plan: &mut Plan, machine: &Machine, members: &[Volume]) {
        if self.operation.flag("force") && machine.is_off() != Some(true) {
            plan.notes.push(format!(
                "{} is not shut off: you warrant that nothing writes to its volumes",
                machine.called()
            ));
        }
        for volume in members {
            let there = volume
                .attachments
                .iter()
                .any(|at| at.server_id.as_deref() == Some(&machine.id));
            if !there {
                plan.notes.push(format!(
                    "{} is not attached to {} now",
                    volume_name(volume),
                    machine.called()
                ));
            }
        }
    }

    /// What volumes are called; their ids where that is not known.
    async fn names(&self, ids: impl Iterator<Item = &str>) -> Vec<String> {
        let mut names = Vec::new();
        for id in ids {
            names.push(match self.shared.cinder.volume(id).await {
                Ok(volume) => volume_name(&volume),
                Err(_) => id.to_owned(),
            });
        }
        names
    }
}

/// Refuses unless the last restore failed.
fn failed(group: &InstanceSnapshot, what: &str) -> Result<(), Problem> {
    if group.status.kind() == StatusKind::RestoreError {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "{} is {}: {what} is for a restore that failed",
        called(group),
        group.status.word()
    )))
}

/// A machine that is gone is no machine that was not found.
fn gone(group: &InstanceSnapshot) -> impl Fn(Problem) -> Problem {
    let name = called(group);
    move |problem| match problem.kind {
        ProblemKind::NotFound => {
            Problem::conflict(format!("the machine that {name} was taken of is gone"))
                .hint("make volumes from its snapshots instead")
        }
        _ => problem,
    }
}
