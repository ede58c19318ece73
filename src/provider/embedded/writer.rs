//! Running the steps of plans on a store, and finding out what came of one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::reader::blocking;
use super::{Shared, attributes, convert, error, import, plan, plan_image};
use crate::engine::{self, Attrs, JobKind, JobState, SnapshotRequest, VolumeInfo};
use crate::model::{
    Bytes, Kind, ObjectRef, Operation, OperationKind, Plan, Problem, ProblemKind, StepOutcome,
    TaskId, Time,
};
use crate::provider::{Fate, StepContext, Writer};

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
            plan::FILL => {
                let plan = plan.clone();
                blocking(&self.shared, move |shared| {
                    import::fill(shared, &plan, &context)
                })
                .await
            }
            _ => {
                let operation = plan.operation.clone();
                blocking(&self.shared, move |shared| {
                    let run = Run {
                        shared,
                        operation: &operation,
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
        blocking(&self.shared, move |shared| match name.as_str() {
            // Both are taken up by looking again; what is over is seen to be over.
            plan::COPY | plan::RECLAIM => Ok(Fate::Running),
            // A new volume is nobody's yet: filling it again writes the same bytes. One that was
            // there may have been restored or written to since; somebody has to decide.
            plan::FILL => Ok(match import::can_go_on(&operation) {
                true => Fate::Running,
                false => Fate::NotDone,
            }),
            _ => {
                let run = Run {
                    shared,
                    operation: &operation,
                    key,
                };
                Ok(run.done()?.map_or(Fate::NotDone, Fate::Done))
            }
        })
        .await
    }
}

impl EmbeddedWriter {
    /// Follows the background copy into the volume that the plan is about; begins it where
    /// it has not begun.
    async fn copy(&self, plan: &Plan, context: &StepContext) -> Result<StepOutcome, Problem> {
        let id = match plan.operation.kind {
            OperationKind::Clone => convert::engine_volume(&context.made(Kind::Volume)?.id)?,
            _ => convert::engine_volume(plan.operation.volume()?.as_str())?,
        };
        let store = &self.shared.store;
        let mut last = None;
        loop {
            let info = store.volume(id).map_err(|e| {
                error::problem(&e, format!("the copy into {id} cannot be followed"))
            })?;
            match info.copy {
                Some(job) => {
                    if context.cancel.is_cancelled() {
                        let failed = |e| error::problem(&e, "the copy could not be cancelled");
                        store.cancel_job(job.id).map_err(failed)?;
                        return Err(cancelled(&info.name));
                    }
                    if context.detach.is_cancelled() {
                        return Err(left());
                    }
                    last = Some(job.total);
                    (context.progress)(convert::progress(&job));
                }
                None if info.parent.is_none() => {
                    return Ok(StepOutcome {
                        message: match last {
                            Some(total) => format!("copied {}; it stands alone", Bytes(total)),
                            None => "it stands alone".to_owned(),
                        },
                        made: Vec::new(),
                    });
                }
                None => {
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
            (context.progress)(convert::progress(&job));
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
fn left() -> Problem {
    Problem::user("left under way")
}

fn cancelled(name: &str) -> Problem {
    Problem::user(format!(
        "cancelled; {name} is whole and still shares what was not copied"
    ))
}

fn made(object: ObjectRef, message: impl Into<String>) -> StepOutcome {
    StepOutcome {
        message: message.into(),
        made: vec![object],
    }
}

fn said(message: impl Into<String>) -> StepOutcome {
    StepOutcome {
        message: message.into(),
        made: Vec::new(),
    }
}

/// The name of a guard snapshot that is taken now: sorts by time, and says what it is.
fn guard_name() -> String {
    Time::now().strftime("guard-%Y%m%d-%H%M%S").to_string()
}

/// A step that is one record of the engine.
struct Run<'a> {
    shared: &'a Shared,
    operation: &'a Operation,
    key: String,
}

impl Run<'_> {
    /// What the step made, where it was done before with the same key.
    fn done(&self) -> Result<Option<StepOutcome>, Problem> {
        let store = &self.shared.store;
        let made_here = |attrs: &Attrs| attributes::made_by(attrs, &self.key);
        let changed_here = |attrs: &Attrs| attributes::changed_by(attrs, &self.key);
        let made_volume = || {
            let found = store.volumes().into_iter().find(|v| made_here(&v.attrs));
            found.map(|v| made(ObjectRef::from(&convert::volume_id(v.id)), v.name))
        };
        let made_point = || {
            let found = store.points().into_iter().find(|p| made_here(&p.attrs));
            found.map(|p| made(ObjectRef::from(&convert::snapshot_id(p.id)), p.name))
        };
        Ok(match self.operation.kind {
            OperationKind::CreateVolume | OperationKind::Clone => made_volume(),
            OperationKind::CreateSnapshot => made_point(),
            OperationKind::ImportImage => made_volume().or_else(made_point),
            OperationKind::ExtendVolume => {
                let size = self.operation.get_size("size")?;
                let done = self.volume()?.size >= size.0;
                done.then(|| said(format!("now {size}")))
            }
            OperationKind::UpdateVolume => {
                changed_here(&self.volume()?.attrs).then(|| said("done before"))
            }
            // The guard of a restore says so too, whatever happened to the volume since.
            OperationKind::Restore => made_point().or_else(|| {
                let info = self.volume().ok()?;
                changed_here(&info.attrs).then(|| said("done before"))
            }),
            OperationKind::UpdateSnapshot => {
                let id = self.operation.snapshot()?;
                let info = store
                    .point(convert::engine_point(id.as_str())?)
                    .map_err(|e| self.failed(&e))?;
                changed_here(&info.attrs).then(|| said("done before"))
            }
            OperationKind::DeleteVolume => {
                let id = convert::engine_volume(self.operation.volume()?.as_str())?;
                let gone = matches!(store.volume(id), Err(engine::EngineError::NoVolume(_)));
                gone.then(|| said("it is gone"))
            }
            OperationKind::DeleteSnapshot => {
                let id = convert::engine_point(self.operation.snapshot()?.as_str())?;
                let gone = matches!(store.point(id), Err(engine::EngineError::NoPoint(_)));
                gone.then(|| said("it is gone"))
            }
            OperationKind::Flatten => None,
        })
    }

    fn failed(&self, error: &engine::EngineError) -> Problem {
        error::problem(error, format!("{} was not done", self.operation.kind))
    }

    fn volume(&self) -> Result<VolumeInfo, Problem> {
        let id = self.operation.volume()?;
        self.shared
            .store
            .volume(convert::engine_volume(id.as_str())?)
            .map_err(|e| self.failed(&e))
    }

    /// The attributes of something new.
    fn made_attrs(&self) -> Attrs {
        let mut attrs = self.given(Attrs::new());
        attributes::put(&mut attrs, attributes::MADE, Some(&self.key));
        attrs
    }

    /// The attributes of something that is there, changed by this step.
    fn changed_attrs(&self, attrs: Attrs) -> Attrs {
        let mut attrs = self.given(attrs);
        attributes::note_change(&mut attrs, &self.key);
        attrs
    }

    /// The attributes with what the operation gives.
    fn given(&self, mut attrs: Attrs) -> Attrs {
        for field in [
            attributes::DESCRIPTION,
            attributes::INSTANCE,
            attributes::DEVICE,
        ] {
            attributes::put(&mut attrs, field, self.operation.find_text(field));
        }
        attrs
    }

    fn guard_attrs(&self, why: String) -> Attrs {
        let mut attrs = Attrs::new();
        attributes::put(&mut attrs, attributes::GUARD, Some("true"));
        attributes::put(&mut attrs, attributes::MADE, Some(&self.key));
        attributes::put(&mut attrs, attributes::DESCRIPTION, Some(&why));
        attrs
    }

    /// Does it: one durable record.
    fn record(&self) -> Result<StepOutcome, Problem> {
        let store = &self.shared.store;
        let operation = self.operation;
        let failed = |e| self.failed(&e);
        if let Ok(id) = operation.volume() {
            // Looked at when it was planned; it may have begun since.
            self.shared
                .not_filling(convert::engine_volume(id.as_str())?)?;
        }
        match operation.kind {
            OperationKind::CreateVolume => {
                let name = operation.get_text("name")?;
                let size = operation.get_size("size")?;
                let id = store
                    .create_volume(name, size.0, self.made_attrs())
                    .map_err(failed)?;
                Ok(made(ObjectRef::from(&convert::volume_id(id)), name))
            }
            OperationKind::UpdateVolume => {
                let info = self.volume()?;
                let name = operation.find_text("name").map(str::to_owned);
                let attrs = self.changed_attrs(info.attrs);
                store
                    .update_volume(info.id, name, Some(attrs))
                    .map_err(failed)?;
                Ok(said("changed"))
            }
            OperationKind::ExtendVolume => {
                let info = self.volume()?;
                let size = operation.get_size("size")?;
                store.resize_volume(info.id, size.0).map_err(failed)?;
                Ok(said(format!("now {size}")))
            }
            OperationKind::DeleteVolume => {
                let info = self.volume()?;
                store
                    .delete_volume(info.id, operation.flag("snapshots"))
                    .map_err(failed)?;
                Ok(said("it is gone"))
            }
            OperationKind::CreateSnapshot => {
                let name = operation.get_text("name")?;
                self.snapshot(&self.volume()?, name.to_owned(), self.made_attrs())
            }
            OperationKind::UpdateSnapshot => {
                let id = convert::engine_point(operation.snapshot()?.as_str())?;
                let info = store.point(id).map_err(failed)?;
                let name = operation.find_text("name").map(str::to_owned);
                store
                    .update_point(id, name, Some(self.changed_attrs(info.attrs)))
                    .map_err(failed)?;
                Ok(said("changed"))
            }
            OperationKind::DeleteSnapshot => {
                let id = convert::engine_point(operation.snapshot()?.as_str())?;
                store.delete_point(id).map_err(failed)?;
                Ok(said("it is gone"))
            }
            OperationKind::Restore => self.restore(),
            OperationKind::Clone => {
                let id = convert::engine_point(operation.snapshot()?.as_str())?;
                let name = operation.get_text("name")?;
                let volume = store
                    .clone_volume(id, name, self.made_attrs())
                    .map_err(failed)?;
                Ok(made(ObjectRef::from(&convert::volume_id(volume)), name))
            }
            OperationKind::ImportImage => match operation.find_text("name") {
                Some(name) => {
                    let length = match operation.get_text("file")? {
                        // It grows with what comes.
                        import::STREAM => 1,
                        _ => plan_image::open(operation)?.size(),
                    };
                    let size = length.next_multiple_of(engine::BLOCK_SIZE);
                    let id = store
                        .create_volume(name, size, self.made_attrs())
                        .map_err(failed)?;
                    Ok(made(ObjectRef::from(&convert::volume_id(id)), name))
                }
                None => {
                    let info = self.volume()?;
                    let why = format!("what {} held before an import", info.name);
                    self.snapshot(&info, guard_name(), self.guard_attrs(why))
                }
            },
            OperationKind::Flatten => Err(Problem::new(
                ProblemKind::Bug,
                "a flatten has no step that is one record",
            )),
        }
    }

    fn snapshot(
        &self,
        info: &VolumeInfo,
        name: String,
        attrs: Attrs,
    ) -> Result<StepOutcome, Problem> {
        let ids = self
            .shared
            .store
            .snapshot(&[SnapshotRequest {
                volume: info.id,
                name: name.clone(),
                attrs,
            }])
            .map_err(|e| self.failed(&e))?;
        Ok(StepOutcome {
            message: name,
            made: ids
                .into_iter()
                .map(|id| ObjectRef::from(&convert::snapshot_id(id)))
                .collect(),
        })
    }

    fn restore(&self) -> Result<StepOutcome, Problem> {
        let info = self.volume()?;
        let point = convert::engine_point(self.operation.snapshot()?.as_str())?;
        let guard = self.operation.flag("guard").then(|| {
            let why = format!("what {} held before a restore", info.name);
            (guard_name(), self.guard_attrs(why))
        });
        let guard_name = guard.as_ref().map(|(name, _)| name.clone());
        let mut attrs = info.attrs.clone();
        attrs.remove(import::UNFINISHED);
        attributes::note_change(&mut attrs, &self.key);
        let kept = self
            .shared
            .store
            .restore(info.id, point, guard, Some(attrs))
            .map_err(|e| self.failed(&e))?;
        Ok(match (kept, guard_name) {
            (Some(id), Some(name)) => made(
                ObjectRef::from(&convert::snapshot_id(id)),
                format!("restored; what it held is kept as {name}"),
            ),
            _ => said("restored"),
        })
    }
}
