//! Changing: steps of block storage by its own writer, those of instance snapshots here.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::Shared;
use super::act::Act;
use super::probe::Search;
use super::run;
use crate::model::{Change, Kind, Plan, Problem, StepOutcome, TaskId};
use crate::provider::cinder::probe::Probe;
use crate::provider::cinder::run::key;
use crate::provider::cinder::writer::CinderWriter;
use crate::provider::{Fate, Steer, StepContext, Writer};

/// The means to change.
pub(super) struct PowerWriter {
    shared: Arc<Shared>,
    volumes: CinderWriter,
}

impl PowerWriter {
    pub(super) fn new(shared: Arc<Shared>, volumes: CinderWriter) -> Self {
        Self { shared, volumes }
    }
}

/// What a step of a plan does; `None` where it is one of block storage.
fn act(plan: &Plan, step: usize) -> Option<Act> {
    Act::parse(&plan.steps.get(step)?.name)
}

#[async_trait]
impl Writer for PowerWriter {
    async fn run(
        &self,
        plan: &Plan,
        step: usize,
        context: StepContext,
    ) -> Result<StepOutcome, Problem> {
        let Some(act) = act(plan, step) else {
            return self.volumes.run(plan, step, context).await;
        };
        let shared = &self.shared;
        shared.cinder.note_change();
        let key = key(&context.task, step);
        let result = run::run(shared, act, &plan.operation, &key, &context).await;
        shared.cinder.note_change();
        for kind in [Kind::Group, Kind::Volume, Kind::Snapshot, Kind::Target] {
            // Nobody listening is no fault.
            let _ = shared.changes.send(Change::Kind(kind));
        }
        result
    }

    async fn fate(&self, plan: &Plan, step: usize, task: &TaskId) -> Result<Fate, Problem> {
        let Some(act) = act(plan, step) else {
            return self.volumes.fate(plan, step, task).await;
        };
        let key = key(task, step);
        let search = Search {
            shared: &self.shared,
            act: &act,
            operation: &plan.operation,
            key: &key,
            made: None,
            link: None,
            sent: false,
            context: None,
            beside: &OnceCell::new(),
        };
        match search.probe().await? {
            Probe::Done(outcome) => Ok(Fate::Done(outcome)),
            Probe::Running(_) => {
                self.shared.followed.lock().insert(key);
                Ok(Fate::Running)
            }
            // Done again where somebody asks for it: what failed is then tried again, and nothing else.
            Probe::NotDone | Probe::Failed(_) => Ok(Fate::NotDone),
            Probe::Unknown(problem) => Err(problem),
        }
    }

    async fn steer(
        &self,
        _plan: &Plan,
        _step: usize,
        _before: &[StepOutcome],
        _steer: Steer,
    ) -> Result<(), Problem> {
        Err(Problem::conflict("the service does not pause what it does"))
    }
}
