//! Running one step.

use std::sync::Arc;

use serde_json::Value;

use super::Shared;
use super::act::Act;
use super::follow::{Doing, follow};
use super::probe::{Probe, Search};
use super::session::Failed;
use crate::model::{Operation, Plan, Problem, ProblemKind, StepOutcome, TaskId};
use crate::provider::StepContext;

/// The key of a step.
pub(in crate::provider) fn key(task: &TaskId, step: usize) -> String {
    format!("{task}/{step}")
}

/// What a step of a plan does.
pub(super) fn act(plan: &Plan, step: usize) -> Result<Act, Problem> {
    let planned = plan
        .steps
        .get(step)
        .ok_or_else(|| Problem::new(ProblemKind::Bug, format!("there is no step {step}")))?;
    Act::parse(&planned.name)
}

/// The group that an earlier step has made, where this one needs it.
pub(super) async fn group_before(
    shared: &Shared,
    act: &Act,
    plan: &Plan,
    task: &TaskId,
) -> Result<Option<String>, Problem> {
    if !matches!(act, Act::JoinGroup | Act::TakeGroup(None)) {
        return Ok(None);
    }
    let maker = plan
        .steps
        .iter()
        .position(|step| step.name.starts_with("make-group:"))
        .unwrap_or(0);
    let made = shared.made_group(&key(task, maker)).await?;
    Ok(made.map(|group| group.id))
}

/// A step as it is followed to its end.
struct Running<'a> {
    shared: &'a Arc<Shared>,
    act: &'a Act,
    operation: &'a Operation,
    key: &'a str,
    group: Option<&'a str>,
    /// The id of what is being made, where it is told.
    made: Option<String>,
}

impl Doing for Running<'_> {
    async fn look(&mut self, sent: bool) -> Result<Probe, Problem> {
        let search = Search {
            shared: self.shared,
            act: self.act,
            operation: self.operation,
            key: self.key,
            group: self.group,
            made: self.made.as_deref(),
            sent,
        };
        search.probe().await
    }

    async fn send(&mut self) -> Result<(), Failed> {
        self.made = send(self.shared, self.act, self.operation, self.key, self.group).await?;
        Ok(())
    }
}

/// Runs a step to its end.
pub(super) async fn run(
    shared: &Arc<Shared>,
    plan: &Plan,
    step: usize,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let act = act(plan, step)?;
    let key = key(&context.task, step);
    let group = group_before(shared, &act, plan, &context.task).await?;
    let mut running = Running {
        shared,
        act: &act,
        operation: &plan.operation,
        key: &key,
        group: group.as_deref(),
        made: None,
    };
    let outcome = follow(&mut running, context).await?;
    if act == Act::Revert {
        note_end(shared, &plan.operation, &key).await;
    }
    Ok(outcome)
}

/// Sends the calls of a step; the id of what is being made, where it is told.
async fn send(
    shared: &Shared,
    act: &Act,
    operation: &Operation,
    key: &str,
    group: Option<&str>,
) -> Result<Option<String>, Failed> {
    let since = match act {
        Act::Revert => {
            let id = operation.volume().map_err(Failed::Refused)?;
            let volume = shared.volume(id.as_str()).await.map_err(Failed::Refused)?;
            volume.updated_at.unwrap_or_else(|| "never".to_owned())
        }
        _ => String::new(),
    };
    let asks = act
        .asks(operation, key, group.unwrap_or_default(), &since)
        .map_err(Failed::Refused)?;
    // The last of a revert is said when it is over.
    let now = match act {
        Act::Revert => 2,
        _ => asks.len(),
    };
    let mut made = None;
    for ask in asks.iter().take(now) {
        let what = format!("{} cannot be done", operation.kind);
        let answer = shared.session.call(ask, &what).await?;
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let inner = body
            .as_ref()
            .and_then(Value::as_object)
            .and_then(|map| map.values().next());
        made = inner
            .and_then(|one| one.get("id")?.as_str())
            .map(str::to_owned);
    }
    match act {
        Act::MakeVolume | Act::MakeSnapshot(_) | Act::TakeGroup(_) => Ok(made),
        _ => Ok(None),
    }
}

/// Says on the snapshot that the volume was taken back to it. Without that a later look knows less, no more.
async fn note_end(shared: &Shared, operation: &Operation, key: &str) {
    let Ok(asks) = Act::Revert.asks(operation, key, "", "") else {
        return;
    };
    if let Some(ask) = asks.last()
        && let Err(failed) = shared.session.call(ask, "the end cannot be noted").await
    {
        tracing::warn!(problem = %failed.problem(), "the end of it is not noted on the snapshot");
    }
}
