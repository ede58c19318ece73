//! Changing the service: one step of a plan at a time.

use std::sync::Arc;

use async_trait::async_trait;

use super::Shared;
use super::probe::{Probe, Search};
use super::run;
use crate::model::{Change, Kind, Plan, Problem, StepOutcome, TaskId};
use crate::provider::{Fate, Steer, StepContext, Writer};

/// The means to change.
pub(in crate::provider) struct CinderWriter {
    shared: Arc<Shared>,
}

impl CinderWriter {
    pub(in crate::provider) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl Writer for CinderWriter {
    async fn run(
        &self,
        plan: &Plan,
        step: usize,
        context: StepContext,
    ) -> Result<StepOutcome, Problem> {
        self.shared.note_change();
        let result = run::run(&self.shared, plan, step, &context).await;
        self.shared.note_change();
        for kind in [Kind::Volume, Kind::Snapshot, Kind::Group] {
            // Nobody listening is no fault.
            let _ = self.shared.changes.send(Change::Kind(kind));
        }
        result
    }

    async fn fate(&self, plan: &Plan, step: usize, task: &TaskId) -> Result<Fate, Problem> {
        let act = run::act(plan, step)?;
        let key = run::key(task, step);
        let group = run::group_before(&self.shared, &act, plan, task).await?;
        let search = Search {
            shared: &self.shared,
            act: &act,
            operation: &plan.operation,
            key: &key,
            group: group.as_deref(),
            made: None,
            sent: false,
        };
        match search.probe().await? {
            Probe::Done(outcome) => Ok(Fate::Done(outcome)),
            Probe::Running(_) => Ok(Fate::Running),
            // Done again where somebody asks for it.
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
