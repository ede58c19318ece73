//! Plans of what is done to plain snapshots.

use super::act::{Act, Of};
use super::inventory::{Inventory, part};
use super::plan::{Look, touched_session, touched_snapshot, touched_volume};
use super::plan_sessions::fits;
use crate::model::{Kind, Loss, Plan, Problem, Undo};
use crate::provider::cinder::plan::by;
use crate::wire::vipr::{DATETIME, LONGEST_SNAPSHOT, Session, Snapshot, Task, Volume, label};

impl Look<'_> {
    pub(super) async fn create_snapshot(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?.trim();
        fits("the name", name, LONGEST_SNAPSHOT)?;
        let (volume, all, tasks) = self.the_volume().await?;
        let of = volume.base.name();
        self.idle(of, &tasks)?;
        let mut notes = self.room(&volume, &all).await?;
        if !name.contains(DATETIME) {
            self.free(&label(name), &volume, &all)?;
        }
        if volume.supports_snapshot_sessions == Some(true) {
            notes.push(
                "its array makes it of a snapshot session with one linked target; both are shown"
                    .to_owned(),
            );
        }
        if part(&volume.device).is_some() {
            notes.push(format!(
                "{of} is in a consistency group: a snapshot of each member is taken, with a number after the name"
            ));
        }
        let mut plan = self.plan(
            &format!("{of}@{name}"),
            format!("take the snapshot {name} of {of}"),
            by("delete it again"),
        );
        let act = Act::MakeSnapshot(volume.base.id.clone(), None);
        plan.steps = vec![self.step(&act, "taking the snapshot")?];
        plan.touches = vec![touched_volume(&volume, &all, &tasks)];
        plan.notes = notes;
        Ok(plan)
    }

    /// The snapshot of the operation, what it has to do with, and the tasks on it.
    async fn the_snapshot(&self) -> Result<(Snapshot, Inventory, Vec<Task>), Problem> {
        let id = self.operation.snapshot()?;
        let snapshot: Snapshot = self.shared.one(id.as_str()).await?;
        let all = match snapshot.source() {
            Some(source) => self.shared.around(source).await?,
            None => Inventory::default(),
        };
        let name = snapshot.base.name();
        if !all.is_plain(&snapshot) {
            return Err(Problem::conflict(format!("{name} is a linked target"))
                .hint("unlink it, or restore its snapshot session"));
        }
        let tasks = self.shared.tasks_of::<Snapshot>(id.as_str()).await?;
        Ok((snapshot, all, tasks))
    }

    fn full_name(&self, snapshot: &Snapshot, all: &Inventory) -> String {
        let volume = snapshot.source().and_then(|id| all.volume(id));
        match volume {
            Some(volume) => format!("{}@{}", volume.base.name(), snapshot.base.name()),
            None => snapshot.base.name().to_owned(),
        }
    }

    pub(super) async fn delete_snapshot(&self) -> Result<Plan, Problem> {
        let (snapshot, all, tasks) = self.the_snapshot().await?;
        let full = self.full_name(&snapshot, &all);
        let hosts = self.seen_by::<Snapshot>(&snapshot.base.id).await?;
        if !hosts.is_empty() {
            return Err(
                Problem::conflict(format!("{full} is exported to {}", hosts.join(", ")))
                    .hint("take it away from its hosts first"),
            );
        }
        self.idle(&full, &tasks)?;
        let never = Undo::Never("what is deleted is gone".to_owned());
        let mut plan = self.plan(&full, format!("delete the snapshot {full}"), never);
        let act = Act::DropSnapshot(snapshot.base.id.clone());
        plan.steps = vec![self.step(&act, "deleting the snapshot")?];
        plan.touches = vec![touched_snapshot(Kind::Snapshot, &snapshot, &tasks)];
        plan.losses = vec![Loss {
            what: format!("the point in time {full}"),
            bytes: None,
        }];
        if let Some(session) = all.session_of(&snapshot.base.id) {
            let own = self
                .shared
                .tasks_of::<Session>(session.base.id.as_str())
                .await?;
            self.idle(session.base.name(), &own)?;
            plan.touches.push(touched_session(session, &own));
            match session.targets().count() {
                1 => {
                    let act = Act::DropSession(Of::session(session));
                    plan.steps
                        .push(self.step(&act, "deleting its snapshot session")?);
                    plan.notes
                        .push("the snapshot session that was made for it goes too".to_owned());
                }
                n => plan.notes.push(format!(
                    "its snapshot session {} stays: {} other targets are linked to it",
                    session.base.name(),
                    n - 1
                )),
            }
        }
        if part_of_group(&snapshot) {
            plan.notes.push(
                "it is of a consistency group: all snapshots of the set go with it".to_owned(),
            );
        }
        plan.confirm = Some(snapshot.base.name().to_owned());
        Ok(plan)
    }

    pub(super) async fn restore_snapshot(&self) -> Result<Plan, Problem> {
        let (volume, around, tasks) = self.the_volume().await?;
        let (snapshot, _, own) = self.the_snapshot().await?;
        let (of, name) = (volume.base.name(), snapshot.base.name());
        if snapshot.source() != Some(&volume.base.id) {
            return Err(Problem::user(format!("{name} is no snapshot of {of}"))
                .because("the system takes a volume back to its own snapshots only"));
        }
        if !snapshot.is_active() {
            return Err(Problem::conflict(format!("{name} is not activated"))
                .because("it was made to be activated later, and that was not done"));
        }
        if volume.has_mirrors() {
            return Err(Problem::conflict(format!("{of} has continuous copies"))
                .because("the system restores no such volume")
                .hint("detach them first"));
        }
        self.idle(of, &tasks)?;
        self.idle(name, &own)?;
        let guarded = self.operation.flag("guard");
        let undo = match guarded {
            true => by(&format!("restore {of} to its guard snapshot")),
            false => Undo::Never(format!("what was written since {name} is gone")),
        };
        let mut plan = self.plan(
            &format!("{of} ← {name}"),
            format!("take {of} back to the snapshot {name}"),
            undo,
        );
        if guarded {
            plan.notes.extend(self.room(&volume, &around).await?);
            let act = Act::MakeSnapshot(volume.base.id.clone(), Some(self.guard()));
            plan.steps
                .push(self.step(&act, "keeping what it holds now")?);
            plan.notes
                .push(format!("what {of} holds now is kept as a guard snapshot"));
        } else {
            plan.losses.push(Loss {
                what: format!("what was written to {of} since its last point in time"),
                bytes: None,
            });
            plan.confirm = Some(of.to_owned());
        }
        let hosts = self.seen_by::<Volume>(&volume.base.id).await?;
        if !hosts.is_empty() {
            plan.notes.push(format!(
                "{of} is exported to {}: it must be unmounted there; the system does not look",
                hosts.join(", ")
            ));
        }
        let act = Act::RestoreSnapshot(snapshot.base.id.clone());
        plan.steps.push(self.step(&act, "taking the volume back")?);
        plan.touches = vec![
            touched_volume(&volume, &around, &tasks),
            touched_snapshot(Kind::Snapshot, &snapshot, &own),
        ];
        Ok(plan)
    }
}

fn part_of_group(snapshot: &Snapshot) -> bool {
    snapshot.device.group().is_some()
}
