//! One step on its way: how far it has come, and sending it. What it does is told by its tasks, and where those are
//! not known any more by what is there: what was there before is in the plan.

use std::sync::Arc;

use async_trait::async_trait;

use super::act::{Act, Of, Place};
use super::follow::{Standing, suspended};
use super::look::Thing;
use super::plan::was_there;
use super::session::{Ask, said};
use super::{KEY, MODE, Shared};
use crate::http::Method;
use crate::model::{
    Kind, ObjectRef, Operation, Plan, Problem, ProblemKind, StepOutcome, TaskId, Touched,
};
use crate::provider::cinder::probe::{Probe, done, if_there};
use crate::provider::cinder::run::{Step, key};
use crate::provider::cinder::session::Failed;
use crate::wire::vipr::{
    Base, Session, Snapshot, TagChanges, Task, Urn, Volume, fits, label, list,
};

/// A step that is to be done, or was.
pub(super) struct Errand<'a> {
    shared: &'a Arc<Shared>,
    act: Act,
    operation: &'a Operation,
    touches: &'a [Touched],
    /// The idempotency key.
    key: String,
}

/// The tasks of a step, and whether it has begun them from here.
struct Tasks {
    standing: Standing,
    all: Vec<Task>,
    mine: bool,
}

impl<'a> Errand<'a> {
    /// This step of a plan.
    pub(super) fn new(
        shared: &'a Arc<Shared>,
        plan: &'a Plan,
        step: usize,
        task: &TaskId,
    ) -> Result<Self, Problem> {
        let planned = plan
            .steps
            .get(step)
            .ok_or_else(|| Problem::new(ProblemKind::Bug, format!("there is no step {step}")))?;
        Ok(Self {
            shared,
            act: Act::parse(&planned.name)?,
            operation: &plan.operation,
            touches: &plan.touches,
            key: key(task, step),
        })
    }

    /// Whether a thing was there when the plan was made.
    fn was_there(&self, id: &Urn) -> bool {
        self.touches
            .iter()
            .any(|touched| was_there(&touched.revision, id))
    }

    /// Whether a thing may be what this step has made.
    fn is_mine(&self, base: &Base) -> bool {
        !self.was_there(&base.id) && base.tagged(KEY).is_none_or(|key| key == self.key)
    }

    /// The tasks that it has begun; or those on what it is about that may be its own, where that is not known.
    async fn tasks(&self) -> Result<Tasks, Problem> {
        let begun = self.shared.begun(&self.key);
        if !begun.is_empty() {
            let all = self.shared.tasks(&begun).await?;
            return Ok(Tasks {
                standing: Standing::of(&all),
                all,
                mine: true,
            });
        }
        let (word, found) = match &self.act {
            Act::Expand => (
                "EXPAND",
                self.on::<Volume>(self.operation.volume()?.as_str()).await?,
            ),
            Act::DropVolume => (
                "DELETE",
                self.on::<Volume>(self.operation.volume()?.as_str()).await?,
            ),
            Act::RestoreSnapshot(id) => ("RESTORE", self.on::<Snapshot>(id.as_str()).await?),
            Act::DropSnapshot(id) => ("DELETE", self.on::<Snapshot>(id.as_str()).await?),
            Act::Link(of) => ("LINK", self.on_session(of).await?),
            Act::Relink(of, _) => ("RELINK", self.on_session(of).await?),
            Act::Unlink(of, ..) => ("UNLINK", self.on_session(of).await?),
            Act::RestoreSession(of) => ("RESTORE", self.on_session(of).await?),
            Act::DropSession(of) => ("DELETE", self.on_session(of).await?),
            Act::MakeVolume(..) | Act::MakeSnapshot(..) | Act::MakeSession(..) => ("", Vec::new()),
        };
        let fits = |task: &Task| {
            let operation = task.operation().to_ascii_uppercase();
            operation.split(' ').next() == Some(word)
                && !self.was_there(&task.base.id)
                && !self.shared.is_others(&self.key, &task.base.id)
        };
        let mut all: Vec<Task> = found.into_iter().filter(fits).collect();
        // An earlier attempt may have failed; the latest counts.
        all.sort_by_key(|task| task.base.creation_time);
        if let Some(last) = all.last().and_then(|task| task.op_id.clone()) {
            all.retain(|task| task.op_id.as_ref() == Some(&last));
        } else if all.len() > 1 {
            all.drain(..all.len() - 1);
        }
        Ok(Tasks {
            standing: Standing::of(&all),
            all,
            mine: false,
        })
    }

    async fn on<T: Thing>(&self, id: &str) -> Result<Vec<Task>, Problem> {
        Ok(if_there(self.shared.tasks_of::<T>(id).await)?.unwrap_or_default())
    }

    async fn on_session(&self, of: &Of) -> Result<Vec<Task>, Problem> {
        self.on::<Session>(of.session.as_str()).await
    }

    /// What the step has made or undone, as far as it is to be seen; `None` where nothing of it is.
    async fn effect(&self, tasks: &Tasks) -> Result<Option<StepOutcome>, Problem> {
        let seen = |seen: bool| Ok(seen.then(StepOutcome::default));
        match &self.act {
            Act::MakeVolume(..) => self.made_volume(tasks).await,
            Act::MakeSnapshot(volume, guard) => self.made_snapshots(volume, guard.as_ref()).await,
            Act::MakeSession(place, guard) => self.made_sessions(place, guard.as_ref()).await,
            Act::Expand => {
                let volume: Volume = self.shared.one(self.operation.volume()?.as_str()).await?;
                seen(volume.device.size() >= Some(self.operation.get_size("size")?))
            }
            Act::DropVolume => seen(
                self.is_gone::<Volume>(self.operation.volume()?.as_str())
                    .await?,
            ),
            Act::DropSnapshot(id) => seen(self.is_gone::<Snapshot>(id.as_str()).await?),
            Act::DropSession(of) => seen(self.is_gone::<Session>(of.session.as_str()).await?),
            Act::Link(of) => self.linked(of).await,
            Act::Relink(of, targets) => {
                let session: Session = self.shared.one(of.session.as_str()).await?;
                let there = targets
                    .iter()
                    .all(|target| session.targets().any(|own| own == target));
                // Shown afresh it looks as before.
                let moved = !self.showed(of, targets);
                seen(there && moved)
            }
            Act::Unlink(of, targets, delete) => self.unlinked(of, targets, *delete).await,
            // Nothing is to be seen of a restore but its tasks.
            Act::RestoreSnapshot(_) | Act::RestoreSession(_) => Ok(None),
        }
    }

    /// Whether targets showed this session when it was planned, by what was written down of it.
    fn showed(&self, of: &Of, targets: &[Urn]) -> bool {
        let session = of.session.as_str();
        let touched = self
            .touches
            .iter()
            .find(|touched| touched.object.id == session);
        touched.is_some_and(|touched| {
            targets
                .iter()
                .any(|target| touched.revision.contains(target.as_str()))
        })
    }

    async fn is_gone<T: Thing>(&self, id: &str) -> Result<bool, Problem> {
        Ok(if_there(self.shared.one::<T>(id).await)?.is_none())
    }

    async fn made_volume(&self, tasks: &Tasks) -> Result<Option<StepOutcome>, Problem> {
        let told = |task: &Task| task.resource.as_ref().map(|resource| resource.id.clone());
        let mut ids: Vec<Urn> = tasks.all.iter().filter_map(told).collect();
        if ids.is_empty()
            && let Act::MakeVolume([_, _, project], _) = &self.act
        {
            let name = crate::provider::cinder::look::escape(self.operation.get_text("name")?);
            ids = self
                .shared
                .search::<Volume>(&format!("project={project}&name={name}"))
                .await?;
        }
        let name = self.operation.get_text("name")?;
        let all = self.shared.bulk::<Volume>(&ids).await?;
        let mut found = all
            .into_iter()
            .filter(|one| one.base.name() == name && self.is_mine(&one.base));
        let Some(volume) = found.next() else {
            return Ok(None);
        };
        if !tasks.mine && self.is_busy::<Volume>(&volume.base.id).await? {
            return Ok(None);
        }
        Ok(Some(made([ObjectRef::new(
            Kind::Volume,
            volume.base.id.to_string(),
        )])))
    }

    /// Whether a thing that was found is still being made.
    async fn is_busy<T: Thing>(&self, id: &Urn) -> Result<bool, Problem> {
        let tasks = self.on::<T>(id.as_str()).await?;
        let making = |task: &&Task| task.operation().to_ascii_uppercase().starts_with("CREATE");
        let busy: Vec<Urn> = tasks
            .iter()
            .filter(making)
            .filter(|task| !task.state.is_over())
            .map(|task| task.base.id.clone())
            .collect();
        if busy.is_empty() {
            return Ok(false);
        }
        // Followed from now on.
        self.shared.begun.lock().insert(self.key.clone(), busy);
        Ok(true)
    }

    async fn made_snapshots(
        &self,
        volume: &Urn,
        guard: Option<&String>,
    ) -> Result<Option<StepOutcome>, Problem> {
        let name = self.wanted(guard)?;
        let all = self.shared.around(volume).await?;
        let found = all.snapshots_of(volume).into_iter().filter(|snapshot| {
            let named = fits(name, snapshot.base.name()) || label(name) == snapshot.label();
            named && self.is_mine(&snapshot.base)
        });
        let ids: Vec<Urn> = found.map(|snapshot| snapshot.base.id.clone()).collect();
        let Some(first) = ids.first() else {
            return Ok(None);
        };
        if self.shared.begun(&self.key).is_empty() && self.is_busy::<Snapshot>(first).await? {
            return Ok(None);
        }
        Ok(Some(made(
            ids.iter()
                .map(|id| ObjectRef::new(Kind::Snapshot, id.to_string())),
        )))
    }

    async fn made_sessions(
        &self,
        place: &Place,
        guard: Option<&String>,
    ) -> Result<Option<StepOutcome>, Problem> {
        let name = self.wanted(guard)?;
        let at = match place {
            Place::Volume(volume) => format!("{}/{volume}", Volume::PATH),
            Place::Group(group, _) => format!("{}/{group}", crate::wire::vipr::Group::PATH),
        };
        let at = format!("{at}/protection/snapshot-sessions");
        let ids = self
            .shared
            .ids(&at, "snapshot_sessions", "snapshot_session")
            .await?;
        let mut found = self.shared.bulk::<Session>(&ids).await?;
        found.retain(|session| {
            let set = session.session_set_name.as_deref();
            let named = fits(name, session.base.name())
                || set.is_some_and(|set| fits(name, set))
                || label(name) == session.label();
            named && self.is_mine(&session.base)
        });
        let Some(first) = found.first() else {
            return Ok(None);
        };
        if self.shared.begun(&self.key).is_empty()
            && self.is_busy::<Session>(&first.base.id).await?
        {
            return Ok(None);
        }
        let sessions = found
            .iter()
            .map(|session| ObjectRef::new(Kind::Session, session.base.id.to_string()));
        let targets = found.iter().flat_map(Session::targets);
        let targets = targets.map(|id| ObjectRef::new(Kind::Target, id.to_string()));
        Ok(Some(made(sessions.chain(targets))))
    }

    /// The name of what is to be made.
    fn wanted<'b>(&'b self, guard: Option<&'b String>) -> Result<&'b str, Problem> {
        match guard {
            Some(name) => Ok(name),
            None => self.operation.get_text("name"),
        }
    }

    async fn linked(&self, of: &Of) -> Result<Option<StepOutcome>, Problem> {
        let Some(new) = super::act::targets(self.operation, "name", "1")? else {
            return Ok(None);
        };
        let session: Session = self.shared.one(of.session.as_str()).await?;
        let ids: Vec<Urn> = session.targets().cloned().collect();
        let mut found = self.shared.bulk::<Snapshot>(&ids).await?;
        let labels: Vec<String> = (1..=new.count)
            .map(|n| label(&format!("{}-{n}", new.target_name)))
            .collect();
        found.retain(|target| labels.contains(&target.label()) && !self.was_there(&target.base.id));
        let whole = labels
            .iter()
            .all(|label| found.iter().any(|target| target.label() == *label));
        Ok(whole.then(|| {
            made(
                found
                    .iter()
                    .map(|target| ObjectRef::new(Kind::Target, target.base.id.to_string())),
            )
        }))
    }

    async fn unlinked(
        &self,
        of: &Of,
        targets: &[Urn],
        delete: bool,
    ) -> Result<Option<StepOutcome>, Problem> {
        let session = if_there(self.shared.one::<Session>(of.session.as_str()).await)?;
        let still = |session: Session| session.targets().any(|own| targets.contains(own));
        if session.is_some_and(still) {
            return Ok(None);
        }
        if delete {
            return Ok(Some(StepOutcome::default()));
        }
        // The task does not name the volume that a target has become: it is the same device.
        let mut volumes = Vec::new();
        for target in targets {
            let Some(old) = if_there(self.shared.record::<Snapshot>(target.as_str()).await)? else {
                continue;
            };
            let Some(project) = &old.device.project else {
                continue;
            };
            let ids = self
                .shared
                .search::<Volume>(&format!("project={}", project.id))
                .await?;
            let same = |volume: &Volume| {
                let told =
                    |own: &Option<String>, other: &Option<String>| own.is_some() && own == other;
                told(&volume.device.wwn, &old.device.wwn)
                    || (old.device.wwn.is_none()
                        && told(&volume.device.native_id, &old.device.native_id)
                        && volume.device.storage_controller == old.device.storage_controller)
            };
            let found = self.shared.bulk::<Volume>(&ids).await?;
            volumes.extend(found.into_iter().filter(same).map(|volume| volume.base.id));
        }
        Ok(Some(made(
            volumes
                .iter()
                .map(|id| ObjectRef::new(Kind::Volume, id.to_string())),
        )))
    }

    /// What is sent: the call of the step; or that a task goes on that waits.
    async fn ask(&self) -> Result<Ask, Problem> {
        let tasks = self.tasks().await?;
        let Standing::Suspended(task) = tasks.standing else {
            return self.act.ask(self.operation);
        };
        let word = match (task.can_resume(), task.can_roll_back()) {
            (true, _) => "resume",
            (false, true) => "rollback",
            (false, false) => return Err(suspended(&task)),
        };
        let ids = tasks.all.iter().map(|task| task.base.id.clone()).collect();
        self.shared.begun.lock().insert(self.key.clone(), ids);
        Ok(Ask::post(format!("/vdc/tasks/{}/{word}", task.base.id)))
    }
}

fn made(all: impl IntoIterator<Item = ObjectRef>) -> StepOutcome {
    StepOutcome {
        message: String::new(),
        made: all.into_iter().collect(),
    }
}

#[async_trait]
impl Step for Errand<'_> {
    async fn probe(&self, _made: Option<&str>, _sent: bool) -> Result<Probe, Problem> {
        let tasks = self.tasks().await?;
        match &tasks.standing {
            Standing::Running => return Ok(Probe::Running(None)),
            Standing::Failed(problem) => {
                // Tried again it begins tasks of its own.
                self.shared.begun.lock().remove(&self.key);
                return Ok(Probe::Failed(problem.clone()));
            }
            Standing::Suspended(task) => return Ok(Probe::Failed(suspended(task))),
            Standing::Ready | Standing::None => {}
        }
        if let Some(outcome) = self.effect(&tasks).await? {
            return Ok(Probe::Done(outcome));
        }
        // What was found to be made still is followed from now on.
        if !tasks.mine && !self.shared.begun(&self.key).is_empty() {
            return Ok(Probe::Running(None));
        }
        let unseen = matches!(
            self.act,
            Act::RestoreSnapshot(_) | Act::RestoreSession(_) | Act::Relink(..)
        );
        match tasks.standing {
            Standing::Ready if unseen || tasks.mine => Ok(done(None)),
            _ => Ok(Probe::NotDone),
        }
    }

    async fn send(&self) -> Result<Option<String>, Failed> {
        let ask = self.ask().await.map_err(Failed::Refused)?;
        let what = format!("{} cannot be done", self.operation.kind);
        let answer = self.shared.session.call(&ask, &what).await?;
        if answer.body.is_empty() {
            return Ok(None);
        }
        let body = said(&answer, &["tasks", "task"], &what).map_err(Failed::Unknown)?;
        let unread = |why: String| {
            let problem = Problem::new(ProblemKind::System, what.clone());
            Failed::Unknown(problem.because(format!("its tasks cannot be read: {why}")))
        };
        let tasks: Vec<Task> = match body.get("task") {
            Some(_) => list(body, "task").map_err(unread)?,
            None => vec![serde_json::from_value(body).map_err(|e| unread(e.to_string()))?],
        };
        let ids = tasks.into_iter().map(|task| task.base.id).collect();
        self.shared.begun.lock().insert(self.key.clone(), ids);
        Ok(None)
    }
}

impl Errand<'_> {
    /// Puts tags on what was made: which step it was, and how targets are copied, which the system does not tell. Without
    /// them a later look knows less, no more.
    pub(super) async fn tag(&self, outcome: &StepOutcome) {
        let mode = self.operation.find_text("mode").unwrap_or("nocopy");
        for object in &outcome.made {
            let (path, tag) = match (object.kind, &self.act) {
                (Kind::Target, _) => (Snapshot::PATH, format!("{MODE}{mode}")),
                (Kind::Session, _) => (Session::PATH, format!("{KEY}{}", self.key)),
                (Kind::Snapshot, _) => (Snapshot::PATH, format!("{KEY}{}", self.key)),
                (Kind::Volume, Act::MakeVolume(..)) => (Volume::PATH, format!("{KEY}{}", self.key)),
                (Kind::Volume | Kind::Group, _) => continue,
            };
            let changes = TagChanges {
                add: vec![tag],
                remove: Vec::new(),
            };
            let ask = Ask::get(format!("{path}/{}/tags", object.id)).with("tag_changes", &changes);
            let Ok(mut ask) = ask else { continue };
            ask.method = Method::Put;
            if let Err(failed) = self
                .shared
                .session
                .call(&ask, "no tag can be put on it")
                .await
            {
                tracing::warn!(problem = %failed.problem(), "what was made bears no tag");
            }
        }
    }
}
