//! What each operation would do, told without doing any of it.

use std::sync::Arc;

use super::Shared;
use super::act::Act;
use super::inventory::Inventory;
use super::look::Thing;
use crate::model::{
    Kind, ObjectRef, Operation, OperationKind, Plan, PlannedStep, Problem, ProblemKind, Time,
    Touched, Undo,
};
use crate::provider::cinder::plan::blank;
use crate::wire::vipr::{Pool, Session, Snapshot, Task, Urn, Volume};

/// So many snapshots of a volume an array keeps (section 8.3).
const MOST: i64 = 256;

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
        OperationKind::CreateVolume => look.create_volume().await,
        OperationKind::ExtendVolume => look.expand().await,
        OperationKind::DeleteVolume => look.delete_volume().await,
        OperationKind::CreateSnapshot => look.create_snapshot().await,
        OperationKind::DeleteSnapshot => look.delete_snapshot().await,
        OperationKind::Restore => look.restore_snapshot().await,
        OperationKind::CreateSession => look.create_session().await,
        OperationKind::DeleteSession => look.delete_session().await,
        OperationKind::RestoreSession => look.restore_session().await,
        OperationKind::LinkTarget => look.link().await,
        OperationKind::RelinkTarget => look.relink().await,
        OperationKind::UnlinkTarget => look.unlink().await,
        // Its spec says why not.
        _ => Err(absent()),
    }
}

/// An operation, and the system that it is planned on.
pub(super) struct Look<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) operation: &'a Operation,
}

/// A revision, with what is there of a kind: what bears one of these marks later was not made by the plan.
fn revision(said: &str, marks: impl Iterator<Item = Urn>) -> String {
    let mut marks: Vec<String> = marks
        .filter_map(|id| id.uuid().map(str::to_owned))
        .collect();
    marks.sort_unstable();
    marks.dedup();
    format!("{said}|{}", marks.join(","))
}

/// Whether a thing was there when this was written down.
pub(super) fn was_there(revision: &str, id: &Urn) -> bool {
    let marks = revision.rsplit_once('|').map_or("", |(_, marks)| marks);
    id.uuid()
        .is_some_and(|uuid| marks.split(',').any(|mark| mark == uuid))
}

/// A volume as it was seen, with the points in time of it and the tasks on it.
pub(super) fn touched_volume(volume: &Volume, all: &Inventory, tasks: &[Task]) -> Touched {
    let sessions = all
        .sessions_of(volume)
        .into_iter()
        .map(|one| one.base.id.clone());
    let snapshots = all
        .snapshots_of(&volume.base.id)
        .into_iter()
        .map(|one| one.base.id.clone());
    let tasks = changing(tasks);
    let size = volume
        .device
        .provisioned_capacity_gb
        .as_deref()
        .unwrap_or_default();
    let said = format!("{}|{size}", volume.base.name());
    Touched {
        object: ObjectRef::new(Kind::Volume, volume.base.id.to_string()),
        name: volume.base.name().to_owned(),
        revision: revision(&said, sessions.chain(snapshots).chain(tasks)),
    }
}

/// A session as it was seen, with its targets and the tasks on it.
pub(super) fn touched_session(session: &Session, tasks: &[Task]) -> Touched {
    let targets: Vec<&str> = session.targets().map(Urn::as_str).collect();
    let said = format!("{}|{}", session.label(), targets.join(" "));
    Touched {
        object: ObjectRef::new(Kind::Session, session.base.id.to_string()),
        name: session.base.name().to_owned(),
        revision: revision(&said, changing(tasks)),
    }
}

/// A snapshot or target as it was seen, likewise.
pub(super) fn touched_snapshot(kind: Kind, snapshot: &Snapshot, tasks: &[Task]) -> Touched {
    Touched {
        object: ObjectRef::new(kind, snapshot.base.id.to_string()),
        name: snapshot.base.name().to_owned(),
        revision: revision(&snapshot.label(), changing(tasks)),
    }
}

/// The tasks that a plan tells its own from: those that make things are told by what they make.
fn changing(tasks: &[Task]) -> impl Iterator<Item = Urn> {
    let changing = |task: &&Task| !task.operation().to_ascii_uppercase().starts_with("CREATE");
    tasks
        .iter()
        .filter(changing)
        .map(|task| task.base.id.clone())
}

impl Look<'_> {
    pub(super) fn plan(&self, subject: &str, summary: String, undo: Undo) -> Plan {
        blank(self.operation, subject, summary, undo)
    }

    /// A step, with the call that it would make.
    pub(super) fn step(&self, act: &Act, title: impl Into<String>) -> Result<PlannedStep, Problem> {
        Ok(PlannedStep {
            name: act.name(),
            title: title.into(),
            call: self.shared.session.curl(&act.ask(self.operation)?),
            follows: false,
            pauses: false,
        })
    }

    /// The name of a guard that is planned now.
    pub(super) fn guard(&self) -> String {
        Time::now()
            .strftime(&format!("{}%Y%m%d-%H%M%S", super::GUARD))
            .to_string()
    }

    /// The volume of the operation, what it has to do with, and the tasks on it.
    pub(super) async fn the_volume(&self) -> Result<(Volume, Inventory, Vec<Task>), Problem> {
        self.volume(self.operation.volume()?.as_str()).await
    }

    pub(super) async fn volume(&self, id: &str) -> Result<(Volume, Inventory, Vec<Task>), Problem> {
        let volume: Volume = self.shared.one(id).await?;
        let (all, tasks) = tokio::join!(
            self.shared.around(&volume.base.id),
            self.shared.tasks_of::<Volume>(id)
        );
        Ok((volume, all?, tasks?))
    }

    /// Refuses while something is under way on a thing, as the system does (1056).
    pub(super) fn idle(&self, name: &str, tasks: &[Task]) -> Result<(), Problem> {
        let Some(busy) = tasks.iter().find(|task| !task.state.is_over()) else {
            return Ok(());
        };
        let what = busy.description.as_deref().unwrap_or(busy.operation());
        Err(
            Problem::conflict(format!("something is under way on {name}: {what}"))
                .because(format!("its task is {}", busy.state.word()))
                .hint("wait until it is over"),
        )
    }

    /// Refuses a point in time more than the pool or the array keeps.
    pub(super) async fn room(
        &self,
        volume: &Volume,
        all: &Inventory,
    ) -> Result<Vec<String>, Problem> {
        let name = volume.base.name();
        let sessions = all.sessions_of(volume).into_iter();
        // Those of its group are not counted for it.
        let sessions = sessions
            .filter(|session| session.source().is_some())
            .count();
        let free = |snapshot: &&&Snapshot| all.session_of(&snapshot.base.id).is_none();
        let snapshots = all.snapshots_of(&volume.base.id);
        let there = (sessions + snapshots.iter().filter(free).count()) as i64;
        let pool = match &volume.vpool {
            Some(pool) => self.shared.record::<Pool>(pool.id.as_str()).await.ok(),
            None => None,
        };
        let most = pool.as_ref().and_then(Pool::most_snapshots);
        if most == Some(0) {
            return Err(
                Problem::conflict(format!("no snapshot of {name} may be taken"))
                    .because("its virtual pool is set to keep none (max_native_snapshots is 0)")
                    .hint("have an administrator allow snapshots in the virtual pool"),
            );
        }
        if let Some(most) = most.filter(|most| *most > 0)
            && there >= most
        {
            return Err(Problem::new(
                ProblemKind::Quota,
                format!("there are {there} snapshots of {name} already"),
            )
            .because(format!("its virtual pool keeps {most} of a volume"))
            .hint("delete one, or have an administrator allow more in the virtual pool"));
        }
        if there >= MOST {
            return Err(Problem::new(
                ProblemKind::Quota,
                format!("there are {there} snapshots of {name} already"),
            )
            .because(format!("an array keeps {MOST} of a volume"))
            .hint("delete one"));
        }
        Ok(match most {
            Some(most) if most > 0 => {
                vec![format!(
                    "it is number {} of the {most} that its virtual pool keeps of {name}",
                    there + 1
                )]
            }
            Some(_) => Vec::new(),
            None => vec!["how many snapshots its virtual pool keeps is not told".to_owned()],
        })
    }

    /// Refuses a label that another point in time or target of the same source has.
    pub(super) fn free(
        &self,
        label: &str,
        volume: &Volume,
        all: &Inventory,
    ) -> Result<(), Problem> {
        let session = all
            .sessions_of(volume)
            .into_iter()
            .find(|one| one.label() == label);
        let snapshots = all.snapshots_of(&volume.base.id);
        let snapshot = snapshots.into_iter().find(|one| one.label() == label);
        let taken = match (session, snapshot) {
            (Some(session), _) => format!("the snapshot session {}", session.base.name()),
            (None, Some(snapshot)) => format!("the snapshot {}", snapshot.base.name()),
            (None, None) => return Ok(()),
        };
        Err(Problem::conflict(format!("the name is taken by {taken}"))
            .because(format!(
                "names of points in time of {} are told by \"{label}\": letters, digits and _#@+- alone",
                volume.base.name()
            ))
            .hint("give another name"))
    }

    /// What is said of hosts that see a device, where it is known.
    pub(super) async fn seen_by<T: Thing>(&self, id: &Urn) -> Result<Vec<String>, Problem> {
        match self.shared.exports::<T>(id.as_str()).await {
            Ok(names) => Ok(names),
            Err(problem) if problem.kind == ProblemKind::Auth => Ok(Vec::new()),
            Err(problem) => Err(problem),
        }
    }
}
