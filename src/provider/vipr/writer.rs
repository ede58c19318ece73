//! Changing the system: one step of a plan at a time.

use std::sync::Arc;

use async_trait::async_trait;

use super::Shared;
use super::errand::Errand;
use crate::model::{Change, Kind, Plan, Problem, StepOutcome, TaskId};
use crate::provider::cinder::probe::Probe;
use crate::provider::cinder::run::{Step as _, pursue};
use crate::provider::{Fate, Steer, StepContext, Writer};

/// The means to change.
pub(super) struct ViprWriter {
    shared: Arc<Shared>,
}

impl ViprWriter {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl Writer for ViprWriter {
    async fn run(
        &self,
        plan: &Plan,
        step: usize,
        context: StepContext,
    ) -> Result<StepOutcome, Problem> {
        let errand = Errand::new(&self.shared, plan, step, &context.task)?;
        self.shared.note_change();
        let result = pursue(&errand, &context).await;
        if let Ok(outcome) = &result {
            errand.tag(outcome).await;
        }
        self.shared.note_change();
        for kind in [Kind::Volume, Kind::Snapshot, Kind::Session, Kind::Target] {
            // Nobody listening is no fault.
            let _ = self.shared.changes.send(Change::Kind(kind));
        }
        result
    }

    async fn fate(&self, plan: &Plan, step: usize, task: &TaskId) -> Result<Fate, Problem> {
        let errand = Errand::new(&self.shared, plan, step, task)?;
        match errand.probe(None, false).await? {
            Probe::Done(outcome) => Ok(Fate::Done(outcome)),
            Probe::Running(_) => Ok(Fate::Running),
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
        Err(Problem::conflict(
            "the system pauses nothing, and ends nothing early",
        ))
    }
}
