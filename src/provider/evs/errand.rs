//! One step of a plan, as it is looked for and sent. Nothing is sent before a look has said that it was not done; what
//! was sent and not answered is looked for in the same way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;

use super::act::{Act, Blanks};
use super::{ROLLBACK, Shared, line};
use crate::model::{
    Bytes, Kind, ObjectRef, Operation, Plan, Problem, ProblemKind, Progress, TaskId, Time,
};
use crate::provider::cinder::KEY;
use crate::provider::cinder::labels::Labels;
use crate::provider::cinder::probe::{Probe, done, if_there, only_if};
use crate::provider::cinder::run::{Step, key};
use crate::provider::cinder::session::Failed;
use crate::wire::evs::{JobStatus, RESERVED, Snapshot, SnapshotStatus, Submitted, VolumeStatus};

/// A step that is to be done, or was.
pub(super) struct Errand<'a> {
    shared: &'a Arc<Shared>,
    act: Act,
    operation: &'a Operation,
    /// The idempotency key.
    key: String,
    /// When the disk was last changed before a rollback, as far as is known.
    since: Mutex<Option<String>>,
    /// The job that does it, where the service makes one.
    job: Mutex<Option<String>>,
    /// The service has said that it does it.
    accepted: AtomicBool,
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
        let disk = plan
            .touches
            .iter()
            .find(|touched| touched.object.kind == Kind::Volume);
        Ok(Self {
            shared,
            act: Act::parse(&planned.name)?,
            operation: &plan.operation,
            key: key(task, step),
            since: Mutex::new(disk.and_then(|disk| super::plan::changed(&disk.revision))),
            job: Mutex::default(),
            accepted: AtomicBool::new(false),
        })
    }

    fn is_mine(&self, key: Option<&String>) -> bool {
        key.is_some_and(|key| *key == self.key)
    }

    async fn made_volume(&self, made: Option<&str>) -> Result<Probe, Problem> {
        let found = match made {
            Some(id) => if_there(self.shared.volume(id).await)?,
            None => {
                let named = self.operation.get_text("name")?;
                let all = self.shared.volumes_named(named).await?;
                all.into_iter()
                    .find(|disk| self.is_mine(disk.metadata.get(KEY)))
            }
        };
        let Some(disk) = found else {
            return Ok(Probe::NotDone);
        };
        if disk.status.is_error() {
            return Err(self.failed("the disk could not be made", &disk.id).await);
        }
        match disk.status.is_settled() {
            true => Ok(done(Some(ObjectRef::new(Kind::Volume, disk.id)))),
            false => Ok(Probe::Running(None)),
        }
    }

    async fn made_snapshot(&self, made: Option<&str>) -> Result<Probe, Problem> {
        let found = match made {
            Some(id) => if_there(self.shared.snapshot(id).await)?,
            None => {
                let volume = self.operation.volume()?;
                let all = self.shared.snapshots_of(volume.as_str()).await?;
                all.into_iter()
                    .find(|snapshot| self.is_mine(snapshot.metadata.get(KEY)))
            }
        };
        let Some(snapshot) = found else {
            return Ok(Probe::NotDone);
        };
        match &snapshot.status {
            SnapshotStatus::Error => Err(self
                .failed("the snapshot could not be taken", &snapshot.id)
                .await),
            status if status.is_settled() => {
                Ok(done(Some(ObjectRef::new(Kind::Snapshot, snapshot.id))))
            }
            _ => Ok(Probe::Running(progress(&snapshot))),
        }
    }

    fn edited(&self, name: &str, description: &str) -> Probe {
        let now = [("name", name), ("description", description)];
        let same = now.iter().all(|(field, now)| {
            let wanted = self.operation.find_text(field);
            wanted.is_none_or(|wanted| wanted.trim() == *now)
        });
        only_if(same)
    }

    async fn extended(&self, sent: bool) -> Result<Probe, Problem> {
        let disk = self
            .shared
            .volume(self.operation.volume()?.as_str())
            .await?;
        if sent && disk.status == VolumeStatus::ErrorExtending {
            return Err(self
                .failed("the disk could not be extended", &disk.id)
                .await);
        }
        let large = Bytes::gib(disk.size) >= self.operation.get_size("size")?;
        Ok(match (&disk.status, large) {
            (VolumeStatus::Extending, _) => Probe::Running(None),
            (status, true) if status.is_settled() => done(None),
            _ => Probe::NotDone,
        })
    }

    async fn dropped_volume(&self, sent: bool) -> Result<Probe, Problem> {
        let id = self.operation.volume()?;
        let Some(disk) = if_there(self.shared.volume(id.as_str()).await)? else {
            return Ok(done(None));
        };
        let failed = disk.status == VolumeStatus::ErrorDeleting;
        if sent && failed {
            return Err(self.failed("the disk could not be deleted", &disk.id).await);
        }
        Ok(match disk.status {
            VolumeStatus::Deleting => Probe::Running(None),
            _ => Probe::NotDone,
        })
    }

    async fn dropped_snapshot(&self, id: &str, sent: bool) -> Result<Probe, Problem> {
        let Some(snapshot) = if_there(self.shared.snapshot(id).await)? else {
            return Ok(done(None));
        };
        if sent && snapshot.status == SnapshotStatus::ErrorDeleting {
            return Err(self
                .failed("the snapshot could not be deleted", &snapshot.id)
                .await);
        }
        Ok(match snapshot.status {
            SnapshotStatus::Deleting => Probe::Running(None),
            _ => Probe::NotDone,
        })
    }

    /// A rollback is noted on the snapshot when it is over; until then its disk tells by when it was last changed.
    async fn rolled_back(&self, sent: bool) -> Result<Probe, Problem> {
        if self.shared.done.lock().contains(&self.key) {
            return Ok(done(None));
        }
        let (volume, id) = (self.operation.volume()?, self.operation.snapshot()?);
        let snapshot = self.shared.snapshot(id.as_str()).await?;
        let noted = snapshot.metadata.get(ROLLBACK).map_or("", String::as_str);
        if noted.split(' ').next() == Some(self.key.as_str()) {
            return Ok(done(None));
        }
        let disk = self.shared.volume(volume.as_str()).await?;
        let busy = disk.status == VolumeStatus::Rollbacking
            || snapshot.status == SnapshotStatus::Rollbacking;
        if busy {
            return Ok(Probe::Running(progress(&snapshot)));
        }
        if disk.status.is_error() {
            // From `error_rollbacking` it may be tried again.
            return match sent {
                true => Err(self
                    .failed("the disk could not be rolled back", &disk.id)
                    .await
                    .hint("retry it: a rollback that failed is taken up by another one")),
                false => Ok(Probe::NotDone),
            };
        }
        if !disk.status.is_settled() {
            return Ok(Probe::Running(None));
        }
        let (now, since) = (disk.updated(), self.since.lock().clone());
        if sent && now.is_none() && self.accepted.load(Ordering::Relaxed) {
            // This service does not tell when a disk was changed; that it is over is all there is to see.
            return Ok(done(None));
        }
        if now == since.as_deref() {
            return Ok(Probe::NotDone);
        }
        if sent {
            return Ok(done(None));
        }
        let problem = Problem::new(
            ProblemKind::System,
            "the disk was changed since, and the service does not say whether it was rolled back",
        );
        Ok(Probe::Unknown(problem.hint(
            "look at what the disk holds; taken up again, it is rolled back once more, and what was written since is gone",
        )))
    }

    /// What the job says, where there is one: that it failed, or the disk that it makes.
    async fn job(&self) -> Result<Option<String>, Problem> {
        let Some(id) = self.job.lock().clone() else {
            return Ok(None);
        };
        let job = self.shared.job(&id).await?;
        match job.status {
            JobStatus::Fail => Err(Problem::new(
                ProblemKind::System,
                format!("{} cannot be done", self.operation.kind),
            )
            .because(job.reason())
            .hint(format!("it was the job {id}"))),
            _ => Ok(job.volume().map(str::to_owned)),
        }
    }

    /// The problem of something that went wrong over there.
    async fn failed(&self, what: &str, id: &str) -> Problem {
        let problem = match self.job().await {
            Err(problem) if problem.kind == ProblemKind::System => {
                let mut of_job = Problem::new(ProblemKind::System, what);
                of_job.causes = problem.causes;
                of_job
            }
            _ => Problem::new(ProblemKind::System, what).because("the service gives no reason"),
        };
        problem.hint(format!(
            "{id} is in error there: delete it, or ask the provider"
        ))
    }
}

fn progress(snapshot: &Snapshot) -> Option<Progress> {
    let total = Bytes::gib(snapshot.size);
    let percent = snapshot
        .percent()
        .filter(|percent| (1..100).contains(percent))?;
    Some(Progress {
        done: Bytes(total.0 / 100 * percent),
        total,
        rate: Bytes(0),
    })
}

#[async_trait]
impl Step for Errand<'_> {
    async fn probe(&self, made: Option<&str>, sent: bool) -> Result<Probe, Problem> {
        let volume = || self.operation.volume();
        let snapshot = || self.operation.snapshot();
        let told = match self.act {
            Act::MakeVolume(_) | Act::Extend | Act::DropVolume => self.job().await?,
            _ => None,
        };
        match &self.act {
            Act::MakeVolume(_) => self.made_volume(made.or(told.as_deref())).await,
            Act::EditVolume(_) => {
                let disk = self.shared.volume(volume()?.as_str()).await?;
                Ok(self.edited(disk.name(), disk.description()))
            }
            Act::Extend => self.extended(sent).await,
            Act::DropVolume => self.dropped_volume(sent).await,
            Act::MakeSnapshot | Act::MakeGuard => self.made_snapshot(made).await,
            Act::EditSnapshot(_) => {
                let snapshot = self.shared.snapshot(snapshot()?.as_str()).await?;
                Ok(self.edited(snapshot.name(), snapshot.description()))
            }
            Act::SetMetadata => {
                let labels = Labels::parse(self.operation.get_text("metadata")?, RESERVED)?;
                let snapshot = self.shared.snapshot(snapshot()?.as_str()).await?;
                let mut set = labels.set.iter();
                Ok(
                    match set.all(|(k, v)| snapshot.metadata.get(k) == Some(v)) {
                        true => done(None),
                        false => Probe::NotDone,
                    },
                )
            }
            Act::DropMetadata(key) => {
                let snapshot = self.shared.snapshot(snapshot()?.as_str()).await?;
                Ok(only_if(!snapshot.metadata.contains_key(key)))
            }
            Act::DropSnapshot(Some(id)) => self.dropped_snapshot(id, sent).await,
            Act::DropSnapshot(None) => self.dropped_snapshot(snapshot()?.as_str(), sent).await,
            Act::Rollback => self.rolled_back(sent).await,
        }
    }

    async fn send(&self) -> Result<Option<String>, Failed> {
        if self.act == Act::Rollback {
            let id = self.operation.volume().map_err(Failed::Refused)?;
            let disk = self.shared.volume(id.as_str()).await;
            let disk = disk.map_err(Failed::Refused)?;
            *self.since.lock() = disk.updated().map(str::to_owned);
        }
        let blanks = Blanks {
            key: &self.key,
            guard: &Time::now().strftime("guard-%Y%m%d-%H%M%S").to_string(),
            ..Blanks::SHOWN
        };
        let asks = self
            .act
            .asks(self.operation, self.shared.family, blanks)
            .map_err(Failed::Refused)?;
        // What is noted of a rollback is noted when it is over: each step begins with one call.
        let Some(ask) = asks.first() else {
            return Ok(None);
        };
        let what = format!("{} cannot be done", self.operation.kind);
        let answer = self.shared.session.call(ask, &what).await?;
        self.accepted.store(true, Ordering::Relaxed);
        if let Ok(submitted) = serde_json::from_slice::<Submitted>(&answer.body) {
            *self.job.lock() = Some(submitted.job_id);
            return Ok(match self.act {
                Act::MakeVolume(_) => submitted.volume_ids.into_iter().next(),
                _ => None,
            });
        }
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let inner = body
            .as_ref()
            .and_then(Value::as_object)
            .and_then(|map| map.values().next());
        let made = inner.and_then(|one| one.get("id")?.as_str());
        Ok(match self.act {
            Act::MakeVolume(_) | Act::MakeSnapshot | Act::MakeGuard => made.map(str::to_owned),
            _ => None,
        })
    }

    async fn end(&self) {
        if self.act != Act::Rollback || !self.shared.done.lock().insert(self.key.clone()) {
            return;
        }
        if let Err(problem) = self.note_end().await {
            tracing::warn!(%problem, "the end of a rollback is not noted on its snapshot");
        }
    }
}

impl Errand<'_> {
    /// Says on the snapshot that the disk was rolled back to it, and when. Without that a later look knows less, no
    /// more.
    async fn note_end(&self) -> Result<(), Problem> {
        let (volume, id) = (self.operation.volume()?, self.operation.snapshot()?);
        let disk = self.shared.volume(volume.as_str()).await?;
        let snapshot = self.shared.snapshot(id.as_str()).await?;
        let now = Time::now().strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string();
        let before = snapshot.metadata.get(ROLLBACK).map(String::as_str);
        if before.is_some_and(|noted| noted.split(' ').next() == Some(self.key.as_str())) {
            return Ok(());
        }
        let note = line::note(before, &self.key, disk.updated().unwrap_or(&now));
        let blanks = Blanks {
            note: &note,
            ..Blanks::SHOWN
        };
        let asks = self.act.asks(self.operation, self.shared.family, blanks)?;
        for ask in asks.iter().skip(1) {
            let call = self.shared.session.call(ask, "the end cannot be noted");
            call.await.map_err(Failed::problem)?;
        }
        Ok(())
    }
}
