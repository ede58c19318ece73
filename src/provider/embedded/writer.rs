//! Running the steps of plans on a store, and finding out what came of one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::reader::blocking;
use super::run::{Run, said};
use super::{Shared, attributes, check, convert, difference, error, import, plan};
use crate::engine::{self, JobKind, JobState, VolumeId};
use crate::model::{Bytes, Kind, OperationKind, Plan, Problem, ProblemKind, StepOutcome, TaskId};
use crate::provider::{Fate, Steer, StepContext, Writer};

/// How often a background job of the engine is looked at while somebody follows it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The means to change a store.
pub(super) struct EmbeddedWriter {
    shared: Arc<Shared>,
}

impl EmbeddedWriter {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl Writer for EmbeddedWriter {
    async fn run(
        &self,
        plan: &Plan,
        step: usize,
        context: StepContext,
    ) -> Result<StepOutcome, Problem> {
        let planned = plan
            .steps
            .get(step)
            .ok_or_else(|| Problem::new(ProblemKind::Bug, format!("there is no step {step}")))?;
        match planned.name.as_str() {
            plan::COPY => self.copy(plan, &context).await,
            plan::RECLAIM => self.reclaim(&context).await,
            plan::CHECK => {
                let id = check::volume(plan, step)?;
                blocking(&self.shared, move |shared| {
                    check::read_back(&shared.store, id, &context)
                })
                .await
            }
            plan::FILL => {
                let plan = plan.clone();
                blocking(&self.shared, move |shared| {
                    import::fill(shared, &plan, &context)
                })
                .await
            }
            plan::APPLY => {
                let plan = plan.clone();
                let key = attributes::key(&context.task, step);
                blocking(&self.shared, move |shared| {
                    difference::apply(shared, &plan, &context, &key)
                })
                .await
            }
            _ => {
                let (operation, name) = (plan.operation.clone(), planned.name.clone());
                blocking(&self.shared, move |shared| {
                    let run = Run {
                        shared,
                        operation: &operation,
                        step: &name,
                        key: attributes::key(&context.task, step),
                    };
                    match run.done()? {
                        Some(outcome) => Ok(outcome),
                        None => run.record(),
                    }
                })
                .await
            }
        }
    }

    async fn fate(&self, plan: &Plan, step: usize, task: &TaskId) -> Result<Fate, Problem> {
        let Some(planned) = plan.steps.get(step) else {
            return Ok(Fate::NotDone);
        };
        let (operation, name) = (plan.operation.clone(), planned.name.clone());
        let key = attributes::key(task, step);
        blocking(&self.shared, move |shared| {
            // What is found to be done is noted as done elsewhere: it must be on the medium.
            shared
                .store
                .flush()
                .map_err(|e| error::problem(&e, "what was done before cannot be made durable"))?;
            match name.as_str() {
                // They are taken up by looking again; what is over is seen to be over.
                plan::COPY | plan::RECLAIM | plan::CHECK => Ok(Fate::Running),
                // A new volume is nobody's yet: filling it again writes the same bytes. One that was
                // there may have been restored or written to since; somebody has to decide.
                plan::FILL => Ok(match import::can_go_on(&operation) {
                    true => Fate::Running,
                    false => Fate::NotDone,
                }),
                plan::APPLY => difference::fate(shared, &operation, &key),
                _ => {
                    let run = Run {
                        shared,
                        operation: &operation,
                        step: &name,
                        key,
                    };
                    Ok(run.done()?.map_or(Fate::NotDone, Fate::Done))
                }
            }
        })
        .await
    }

    async fn steer(
        &self,
        plan: &Plan,
        _step: usize,
        before: &[StepOutcome],
        steer: Steer,
    ) -> Result<(), Problem> {
        let ids = copied_into(plan, before)?;
        blocking(&self.shared, move |shared| {
            let jobs = shared.store.jobs().into_iter();
            let mine = jobs.filter(|job| job.volume.is_some_and(|id| ids.contains(&id)));
            let mut found = false;
            for job in mine {
                let done = match steer {
                    Steer::Pause => shared.store.pause_job(job.id),
                    Steer::Resume => shared.store.resume_job(job.id),
                    Steer::End => shared.store.cancel_job(job.id),
                };
                match done {
                    Ok(()) => found = true,
                    // It came to its end just now.
                    Err(engine::EngineError::NoJob(_)) => {}
                    Err(e) => return Err(error::problem(&e, "the copy could not be steered")),
                }
            }
            match found {
                true => Ok(()),
                false => Err(Problem::conflict("no copy of it is under way")),
            }
        })
        .await
    }
}

/// The volumes that a plan's copy fills.
fn copied_into(plan: &Plan, before: &[StepOutcome]) -> Result<Vec<VolumeId>, Problem> {
    let operation = &plan.operation;
    let made = || {
        let made = before.iter().flat_map(|outcome| &outcome.made);
        made.filter(|object| object.kind == Kind::Volume)
    };
    match operation.kind {
        OperationKind::Clone | OperationKind::LinkTarget => made()
            .map(|object| convert::engine_volume(&object.id))
            .collect(),
        OperationKind::RelinkTarget => {
            let id = operation.object("target", Kind::Target)?;
            Ok(vec![convert::engine_volume(id)?])
        }
        _ => Ok(vec![convert::engine_volume(operation.volume()?.as_str())?]),
    }
}

impl EmbeddedWriter {
    /// Follows the background copies into the volumes that the plan is about; begins those
    /// that have not begun.
    async fn copy(&self, plan: &Plan, context: &StepContext) -> Result<StepOutcome, Problem> {
        let ids = copied_into(plan, &context.before)?;
        let mut copied = Bytes(0);
        for (n, id) in ids.iter().enumerate() {
            copied.0 += self.copy_one(*id, (n, ids.len()), context).await?;
        }
        Ok(said(match copied.0 {
            0 => "it stands alone".to_owned(),
            _ => format!("copied {copied}; it stands alone"),
        }))
    }

    /// Follows the copy into one volume, one of so many; returns how many bytes it copied.
    async fn copy_one(
        &self,
        id: VolumeId,
        (number, of): (usize, usize),
        context: &StepContext,
    ) -> Result<u64, Problem> {
        let store = &self.shared.store;
        let mut last = 0;
        // What the volume descended from when the copy was seen under way.
        let mut under = None;
        loop {
            let info = store.volume(id).map_err(|e| {
                error::problem(&e, format!("the copy into {id} cannot be followed"))
            })?;
            match info.copy {
                Some(job) => {
                    under = under.or(Some(info.parent));
                    if context.cancel.is_cancelled() {
                        let failed = |e| error::problem(&e, "the copy could not be cancelled");
                        store.cancel_job(job.id).map_err(failed)?;
                        return Err(cancelled(&info.name));
                    }
                    if context.detach.is_cancelled() {
                        return Err(left());
                    }
                    if job.stuck {
                        // Ended here, so that nothing waits for it; begun again it copies the rest.
                        let failed = |e| error::problem(&e, "the copy could not be ended");
                        store.cancel_job(job.id).map_err(failed)?;
                        return Err(stuck(&info.name, job.trouble.unwrap_or_default()));
                    }
                    last = job.total;
                    let mut progress = convert::progress(&job);
                    // Of several, each is told as one part of about the same size.
                    progress.done.0 += number as u64 * job.total;
                    progress.total.0 *= of as u64;
                    (context.progress)(progress.into());
                }
                None if info.parent.is_none() => return Ok(last),
                None if under == Some(info.parent) => return Err(ended(&info.name)),
                // Not begun, or a snapshot was taken on the way and shares still.
                None => {
                    under = None;
                    let started = blocking(&self.shared, move |shared| {
                        shared.store.start_copy(id).map_err(|e| {
                            error::problem(&e, format!("the copy into {id} cannot be begun"))
                        })
                    });
                    started.await?;
                    continue;
                }
            }
            context.pause(LOOK_EVERY).await;
        }
    }

    /// Waits until nothing is left to free.
    async fn reclaim(&self, context: &StepContext) -> Result<StepOutcome, Problem> {
        let mut most = 0;
        while let Some(job) = self.reclaiming() {
            if context.cancel.is_cancelled() {
                return Err(Problem::user(
                    "no longer waited for; the room is freed in the background",
                ));
            }
            if context.detach.is_cancelled() {
                return Err(left());
            }
            most = most.max(job.total);
            (context.progress)(convert::progress(&job).into());
            context.pause(LOOK_EVERY).await;
        }
        Ok(said(match most {
            0 => "nothing is left to free now".to_owned(),
            bytes => format!("freed {}", Bytes(bytes)),
        }))
    }

    fn reclaiming(&self) -> Option<engine::JobInfo> {
        let mut jobs = self.shared.store.jobs().into_iter();
        // What waits does so for something that nobody can hurry: room that a point still
        // shares with several others is free when they go.
        jobs.find(|job| job.kind == JobKind::Reclaim && job.state == JobState::Running)
    }
}

/// What a step says that stopped waiting because the program ends; nobody records it.
pub(super) fn left() -> Problem {
    Problem::user("left under way")
}

fn ended(name: &str) -> Problem {
    Problem::conflict(format!(
        "something else ended the copy; {name} is whole and still shares what was not copied"
    ))
    .hint("retry the task, or leave it as it is")
}

fn stuck(name: &str, why: String) -> Problem {
    let what = format!("{name} cannot be copied to its end; it is whole and shares the rest");
    Problem::new(ProblemKind::System, what)
        .because(why)
        .hint("retry once that is put right: what was copied is not copied again")
}

fn cancelled(name: &str) -> Problem {
    Problem::user(format!(
        "cancelled; {name} is whole and still shares what was not copied"
    ))
}
