//! One step of a plan, as it is looked for and sent. Each step is a job whose id is made from the key of the step, and what it
//! makes gets an id that is made so too: nothing is sent before a look has said that it was not done, what was sent and not
//! answered is found by its id, and the system refuses the same job twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;

use super::act::{Act, Blanks};
use super::job::Job;
use super::look::told;
use super::plan::{Place, here};
use super::{GUARD, Shared, convert, long, sight};
use crate::model::{
    Bytes, Kind, ObjectRef, Operation, Plan, Problem, ProblemKind, Progress, StepOutcome, TaskId,
    Time,
};
use crate::provider::cinder::probe::{Probe, done, if_there, only_if};
use crate::provider::cinder::run::{Step, key};
use crate::provider::cinder::session::{Failed, Signed, not_understood};
use crate::wire::zstack::{
    Accepted, Group, Inventory, Number, Results, Size, Snapshot, SnapshotStatus, Vm, VmState,
    Volume, VolumeStatus, VolumeType, uuid,
};

/// How often a step that has failed over there is sent again, under a new id each time.
pub(super) const ATTEMPTS: u32 = 32;
/// How often one step meets the end of a session.
const RENEWALS: u32 = 2;
/// "A job whose worker died stays 202 for ever, so clients need their own deadline" (4.3): the longest that a call has by itself.
const LONGEST: Duration = Duration::from_secs(86_400);
/// What is waited beyond the time that the system gives a call.
const GRACE: Duration = Duration::from_secs(300);

/// A call that was sent.
struct Sent {
    /// Its job.
    job: String,
    /// What it was sent with.
    signed: Arc<Signed>,
    /// No longer waited for after this.
    deadline: Instant,
    /// What was answered at once by a system that makes no job of it.
    direct: Option<Vec<u8>>,
}

/// What there is to know of the job of a step.
pub(super) enum Known {
    Nothing,
    Running(String),
    Done(Vec<u8>),
    Failed { problem: Problem, stale: bool },
}

/// A step that is to be done, or was.
pub(super) struct Errand<'a> {
    pub(super) shared: &'a Arc<Shared>,
    act: Act,
    plan: &'a Plan,
    operation: &'a Operation,
    /// The idempotency key.
    key: String,
    sent: Mutex<Option<Sent>>,
    /// The first attempt that has no job yet.
    pub(super) next: AtomicU32,
    renewals: AtomicU32,
    again: AtomicBool,
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
            plan,
            operation: &plan.operation,
            key: key(task, step),
            sent: Mutex::default(),
            next: AtomicU32::new(0),
            renewals: AtomicU32::new(0),
            again: AtomicBool::new(false),
        })
    }

    /// The id of the job of an attempt.
    pub(super) fn job_id(&self, attempt: u32) -> String {
        uuid(&format!("snapdeck job {} {attempt}", self.key))
    }

    /// The id of the long job of an attempt.
    pub(super) fn long_id(&self, attempt: u32) -> String {
        uuid(&format!("snapdeck long job {} {attempt}", self.key))
    }

    /// Whether a long job does it.
    fn is_long(&self) -> bool {
        self.act.can_be_long() && long::is_wanted(self.operation)
    }

    /// The job that was sent, where one was.
    pub(super) fn sent_job(&self) -> Option<String> {
        self.sent.lock().as_ref().map(|sent| sent.job.clone())
    }

    /// The id of what is made.
    fn made_id(&self) -> String {
        uuid(&format!("snapdeck {}", self.key))
    }

    pub(super) fn what(&self) -> String {
        format!("{} cannot be done", self.operation.kind)
    }

    /// What an error of a job is, while this was being done.
    pub(super) fn judge(&self, job: Job, id: &str) -> Known {
        match job {
            Job::Absent => Known::Nothing,
            Job::Running => Known::Running(id.to_owned()),
            Job::Done(body) => match self.partly(&body) {
                Some(problem) => Known::Failed {
                    problem,
                    stale: false,
                },
                None => Known::Done(body),
            },
            Job::Failed(fault) => Known::Failed {
                stale: fault.code == "ID.1001",
                problem: {
                    let problem = fault.problem(self.what());
                    problem.hint(format!("it was the job {id}"))
                },
            },
        }
    }

    /// The job of this step, the last that was begun.
    async fn job(&self) -> Result<Known, Problem> {
        if self.is_long() {
            return self.long_job().await;
        }
        let sent = self
            .sent
            .lock()
            .as_ref()
            .map(|sent| (sent.job.clone(), sent.direct.clone()));
        if let Some((id, direct)) = sent {
            let job = match direct {
                Some(body) => Job::Done(body),
                None => self.shared.poll(&id).await?,
            };
            return Ok(self.judge(job, &id));
        }
        let mut last = Known::Nothing;
        for attempt in 0..ATTEMPTS {
            self.next.store(attempt, Ordering::Relaxed);
            let id = self.job_id(attempt);
            match self.judge(self.shared.poll(&id).await?, &id) {
                Known::Nothing => return Ok(last),
                failed @ Known::Failed { .. } => last = failed,
                other => return Ok(other),
            }
        }
        Err(worn_out())
    }

    /// What failed of what was done to several snapshots: "200 does not mean every item succeeded".
    fn partly(&self, body: &[u8]) -> Option<Problem> {
        if !matches!(self.act, Act::DropGroup | Act::RevertGroup) {
            return None;
        }
        let results: Results = serde_json::from_slice(body).ok()?;
        let (done, failed) = told(&results, |id| self.named(id));
        if failed.is_empty() {
            return None;
        }
        let done_to = match self.act {
            Act::DropGroup => "deleted",
            _ => "taken back to",
        };
        let mut problem = Problem::new(
            ProblemKind::System,
            format!(
                "{} of {} snapshots were not {done_to}",
                failed.len(),
                failed.len() + done.len()
            ),
        );
        problem.causes = failed;
        if !done.is_empty() {
            problem = problem.because(format!("{} were: {}", done.len(), done.join(", ")));
        }
        Some(match self.act {
            Act::DropGroup => problem.hint("what is left can be deleted again; with the mode Enforcing failures are not told"),
            _ => problem.hint("the VM holds a part of each: do it again when the reason is gone, before it is started"),
        })
    }

    /// What a snapshot was called when it was planned.
    fn named(&self, id: &str) -> String {
        let touched = self
            .plan
            .touches
            .iter()
            .find(|touched| touched.object.id == id);
        touched.map_or_else(|| id.to_owned(), |touched| touched.name.clone())
    }

    /// What came of it, by the result of its job.
    fn finished(&self, body: &[u8]) -> Probe {
        let made = match self.act {
            Act::MakeSnapshot | Act::MakeGuard => Some(Kind::Snapshot),
            Act::MakeVolume => Some(Kind::Volume),
            Act::MakeGroup(_) | Act::MakeGuardGroup(_) => {
                if let Ok(read) = serde_json::from_slice::<Inventory<Group>>(body) {
                    return Probe::Done(members(&read.inventory));
                }
                Some(Kind::Group)
            }
            Act::Measure => {
                let size: Option<Size> = serde_json::from_slice(body).ok();
                let bytes = |number: &Number| Bytes(number.get().unwrap_or(0));
                let message = size.map(|size| {
                    format!(
                        "it takes {} of {}",
                        bytes(&size.actual_size),
                        bytes(&size.size)
                    )
                });
                return Probe::Done(StepOutcome {
                    message: message.unwrap_or_default(),
                    made: Vec::new(),
                });
            }
            Act::DropGroup | Act::RevertGroup => {
                let results: Results = serde_json::from_slice(body).unwrap_or_default();
                let (done, _) = told(&results, |id| self.named(id));
                let message = match done.is_empty() {
                    true => String::new(),
                    false => format!("{}: {}", done.len(), done.join(", ")),
                };
                let made = Vec::new();
                return Probe::Done(StepOutcome { message, made });
            }
            _ => None,
        };
        let Some(kind) = made else {
            return done(None);
        };
        let said: Option<Value> = serde_json::from_slice(body).ok();
        let id = said
            .as_ref()
            .and_then(|body| body.get("inventory")?.get("uuid")?.as_str());
        // It was asked to take this id.
        let id = id.map_or_else(|| self.made_id(), str::to_owned);
        done(Some(ObjectRef::new(kind, id)))
    }

    /// What is there to see of it where no job is known any more.
    async fn traces(&self) -> Result<Probe, Problem> {
        let shared = self.shared;
        let made = self.made_id();
        let gone = |there: bool| only_if(!there);
        let group = || self.operation.object("group", Kind::Group);
        Ok(match &self.act {
            Act::MakeSnapshot | Act::MakeGuard => {
                let found: Option<Snapshot> = if_there(shared.one(&made).await)?;
                match found.and_then(|found| found.status) {
                    None => Probe::NotDone,
                    Some(SnapshotStatus::Ready) => done(Some(ObjectRef::new(Kind::Snapshot, made))),
                    Some(_) => Probe::Running(None),
                }
            }
            Act::MakeVolume => {
                let found: Option<Volume> = if_there(shared.one(&made).await)?;
                match found.and_then(|found| found.status) {
                    None => Probe::NotDone,
                    Some(VolumeStatus::Ready) => done(Some(ObjectRef::new(Kind::Volume, made))),
                    Some(_) => Probe::Running(None),
                }
            }
            Act::MakeGroup(_) | Act::MakeGuardGroup(_) => {
                match if_there(shared.one::<Group>(&made).await)? {
                    None => Probe::NotDone,
                    Some(group) => Probe::Done(members(&group)),
                }
            }
            Act::EditSnapshot => {
                let one: Snapshot = shared.one(self.operation.snapshot()?.as_str()).await?;
                self.edited(one.name.as_deref(), one.description.as_deref())
            }
            Act::EditGroup => {
                let one: Group = shared.one(group()?).await?;
                self.edited(one.name.as_deref(), one.description.as_deref())
            }
            Act::Measure => Probe::NotDone,
            Act::DropSnapshot => {
                let id = self.operation.snapshot()?;
                let found: Option<Snapshot> = if_there(shared.one(id.as_str()).await)?;
                match found.and_then(|found| found.status) {
                    Some(SnapshotStatus::Deleting) => Probe::Running(None),
                    status => gone(status.is_some()),
                }
            }
            Act::DropGroup | Act::Ungroup => {
                gone(if_there(shared.one::<Group>(group()?).await)?.is_some())
            }
            Act::Revert => {
                let (volume, to) = (self.operation.volume()?, self.operation.snapshot()?);
                match self.is_back(volume.as_str(), to.as_str()).await? {
                    true => done(None),
                    false => Probe::NotDone,
                }
            }
            Act::RevertGroup => {
                let group: Group = shared.one(group()?).await?;
                for one in group.live() {
                    let memory = one.volume_type == Some(VolumeType::Memory);
                    if !memory
                        && !self
                            .is_back(one.volume(), &one.volume_snapshot_uuid)
                            .await?
                    {
                        return Ok(Probe::NotDone);
                    }
                }
                done(None)
            }
            Act::StopVm(vm, _) => self.vm_is(vm, &VmState::Stopped).await?,
            Act::StartVm(vm) => self.vm_is(vm, &VmState::Running).await?,
        })
    }

    async fn vm_is(&self, vm: &str, wanted: &VmState) -> Result<Probe, Problem> {
        let vm: Vm = self.shared.one(vm).await?;
        Ok(only_if(sight::state(&vm) == *wanted))
    }

    /// Whether a volume was taken back to a snapshot since it was planned: it stands there, and stood elsewhere or lay
    /// elsewhere then ("the volume's `installPath` changes", 10.5).
    async fn is_back(&self, volume: &str, to: &str) -> Result<bool, Problem> {
        let trees = self.shared.trees_of(volume).await?;
        if here(&trees) != Some(to) {
            return Ok(false);
        }
        let touched = self.plan.touches.iter();
        let mut own = touched.filter(|t| t.object.kind == Kind::Volume && t.object.id == volume);
        let Some(before) = own.next().map(|touched| Place::read(&touched.revision)) else {
            return Ok(false);
        };
        // The guard would be where it stands, had it not been taken back since.
        let guarded = self
            .plan
            .steps
            .iter()
            .any(|step| step.name.starts_with("make-guard"));
        if guarded || before.here.as_deref() != Some(to) {
            return Ok(true);
        }
        let now: Volume = self.shared.one(volume).await?;
        Ok(now.install_path != before.path)
    }

    fn edited(&self, name: Option<&str>, description: Option<&str>) -> Probe {
        let now = [("name", name), ("description", description)];
        // "The server trims leading and trailing blanks of every string" (1.8).
        let same = now.iter().all(|(field, now)| {
            let wanted = self.operation.find_text(field);
            wanted.is_none_or(|wanted| wanted.trim() == now.unwrap_or_default())
        });
        only_if(same)
    }

    async fn progress(&self, job: &str) -> Option<Progress> {
        let percent = self.shared.percent(job).await?;
        let mut volumes = self
            .plan
            .touches
            .iter()
            .filter(|t| t.object.kind == Kind::Volume);
        let volume: Volume = self.shared.one(&volumes.next()?.object.id).await.ok()?;
        let total = convert::bytes(volume.size.as_ref());
        Some(Progress {
            done: Bytes(total.0 / 100 * percent),
            total,
            rate: Bytes(0),
        })
    }

    /// A session that ended in between is renewed; what was taken with it was not begun (5.4).
    async fn renew(&self) -> Result<bool, Problem> {
        if self.renewals.fetch_add(1, Ordering::Relaxed) >= RENEWALS {
            return Ok(false);
        }
        let Some(sent) = self.sent.lock().take() else {
            return Ok(false);
        };
        self.shared.session.renew(Some(&sent.signed)).await?;
        self.next.fetch_add(1, Ordering::Relaxed);
        self.again.store(true, Ordering::Relaxed);
        Ok(true)
    }

    fn is_overdue(&self) -> bool {
        let sent = self.sent.lock();
        sent.as_ref()
            .is_some_and(|sent| Instant::now() > sent.deadline)
    }
}

/// It has been tried often enough.
pub(super) fn worn_out() -> Problem {
    let what = format!("it has failed {ATTEMPTS} times, and is not tried again");
    Problem::conflict(what)
}

/// A group that was made, and its snapshots.
fn members(group: &Group) -> StepOutcome {
    let mut made = vec![ObjectRef::new(Kind::Group, group.uuid.clone())];
    let own = group
        .live()
        .map(|one| ObjectRef::new(Kind::Snapshot, one.volume_snapshot_uuid.clone()));
    made.extend(own);
    StepOutcome {
        message: String::new(),
        made,
    }
}

#[async_trait]
impl Step for Errand<'_> {
    async fn probe(&self, _made: Option<&str>, sent: bool) -> Result<Probe, Problem> {
        match self.job().await? {
            Known::Running(_) if self.is_overdue() => Err(Problem::new(
                ProblemKind::System,
                "the system says that it is still at it, long after the time that it has for it",
            )
            .hint("whoever did it over there may be gone; look at what is there, then retry")),
            Known::Running(job) => Ok(Probe::Running(self.progress(&job).await)),
            Known::Done(body) => Ok(self.finished(&body)),
            Known::Failed { stale: true, .. } if sent && self.renew().await? => Ok(Probe::NotDone),
            Known::Failed { problem, .. } if sent => Err(problem),
            Known::Failed { problem, .. } => Ok(match self.traces().await? {
                Probe::NotDone => Probe::Failed(problem),
                other => other,
            }),
            Known::Nothing => self.traces().await,
        }
    }

    async fn send(&self) -> Result<Option<String>, Failed> {
        let attempt = self.next.load(Ordering::Relaxed);
        let job = self.job_id(attempt);
        let made = match self.is_long() {
            true => self.long_id(attempt),
            false => self.made_id(),
        };
        let blanks = Blanks {
            made: &made,
            guard: &Time::now()
                .strftime(&format!("{GUARD}%Y%m%d-%H%M%S"))
                .to_string(),
            job: &job,
        };
        let ask = self
            .act
            .ask(self.operation, blanks)
            .map_err(Failed::Refused)?;
        let signed = self
            .shared
            .session
            .signed()
            .await
            .map_err(Failed::Refused)?;
        *self.sent.lock() = Some(Sent {
            job: job.clone(),
            signed,
            deadline: Instant::now() + LONGEST + GRACE,
            direct: None,
        });
        let what = self.what();
        let answer = match self.shared.session.call(&ask, &what).await {
            Ok(answer) => answer,
            // "A second use is refused with 400": it was heard when it was sent for the first time.
            Err(Failed::Refused(problem)) if problem.kind == ProblemKind::User => {
                return match self.shared.poll(&job).await {
                    Ok(Job::Absent) | Err(_) => Err(Failed::Refused(problem)),
                    Ok(_) => Ok(None),
                };
            }
            Err(failed) => return Err(failed),
        };
        let mut sent = self.sent.lock();
        let Some(sent) = sent.as_mut() else {
            return Ok(None);
        };
        if let Ok(accepted) = serde_json::from_slice::<Accepted>(&answer.body) {
            // Where it is said to be is not asked for anything: the id alone is taken from it.
            if let Some(job) = accepted.job() {
                sent.job = job.to_owned();
            }
            let given = accepted.api_timeout.as_ref().and_then(Number::get);
            let given = given.map_or(LONGEST, Duration::from_millis);
            sent.deadline = Instant::now() + given.min(LONGEST * 7) + GRACE;
            return Ok(None);
        }
        match serde_json::from_slice::<Value>(&answer.body) {
            // "A direct 200 to an async call is taken as the final result" (15.1).
            Ok(Value::Object(_)) if answer.status == 200 => sent.direct = Some(answer.body),
            Ok(_) => {}
            Err(e) => {
                return Err(Failed::Unknown(not_understood(
                    &answer,
                    what,
                    &e.to_string(),
                )));
            }
        }
        Ok(None)
    }

    fn to_be_sent_again(&self) -> bool {
        self.again.swap(false, Ordering::Relaxed)
    }
}
