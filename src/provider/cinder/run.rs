//! Running one step: look, send if it was not done, look until it is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::Value;

use super::Shared;
use super::act::Act;
use super::probe::{Probe, Search};
use super::session::Failed;
use crate::model::{Operation, Plan, Problem, ProblemKind, StepOutcome, TaskId};
use crate::provider::{StepContext, Told};

/// The first pause between two looks; each one after is longer.
const FIRST: Duration = Duration::from_millis(200);
/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(5);
/// What was sent and not answered is looked for this long.
const LOOKED_FOR: Duration = Duration::from_secs(10);
/// What was accepted must have begun after this.
const BEGUN: Duration = Duration::from_secs(60);
/// So many looks in a row may fail before waiting is given up.
const LOOKS: u32 = 5;

/// What is known of the call.
enum Sent {
    No,
    /// The service has accepted it.
    Accepted(Instant),
    /// No answer came.
    Lost(Instant, Problem),
}

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

/// Runs a step to its end.
pub(super) async fn run(
    shared: &Arc<Shared>,
    plan: &Plan,
    step: usize,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let act = act(plan, step)?;
    let group = group_before(shared, &act, plan, &context.task).await?;
    let step = One {
        shared,
        act: &act,
        operation: &plan.operation,
        key: key(&context.task, step),
        group,
    };
    pursue(&step, context).await
}

/// A step of this service.
struct One<'a> {
    shared: &'a Arc<Shared>,
    act: &'a Act,
    operation: &'a Operation,
    key: String,
    group: Option<String>,
}

#[async_trait]
impl Step for One<'_> {
    async fn probe(&self, made: Option<&str>, sent: bool) -> Result<Probe, Problem> {
        let search = Search {
            shared: self.shared,
            act: self.act,
            operation: self.operation,
            key: &self.key,
            group: self.group.as_deref(),
            made,
            sent,
        };
        search.probe().await
    }

    async fn send(&self) -> Result<Option<String>, Failed> {
        let group = self.group.as_deref();
        send(self.shared, self.act, self.operation, &self.key, group).await
    }

    async fn end(&self) {
        if *self.act == Act::Revert {
            note_end(self.shared, self.operation, &self.key).await;
        }
    }
}

/// A step, as it is looked for and sent.
#[async_trait]
pub(in crate::provider) trait Step: Sync {
    /// Looks how far it has come. `made` is what was said to be made; `sent` is whether the call was sent just now, so
    /// that what is wrong now came of it.
    async fn probe(&self, made: Option<&str>, sent: bool) -> Result<Probe, Problem>;

    /// Sends the calls; the id of what is being made, where it is told.
    async fn send(&self) -> Result<Option<String>, Failed>;

    /// Whether what was accepted turned out not to have been begun, so that it may be sent again at once.
    fn to_be_sent_again(&self) -> bool {
        false
    }

    /// It is done.
    async fn end(&self) {}

    /// No pause between two looks is longer.
    fn longest(&self) -> Duration {
        LONGEST
    }
}

/// Runs a step to its end: looks, sends what was not done, and looks until it is.
pub(in crate::provider) async fn pursue(
    step: &dyn Step,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let mut made: Option<String> = None;
    let mut sent = Sent::No;
    let (mut pause, mut failures) = (FIRST, 0);
    // What was seen under way and fails is not tried again unasked.
    let mut under_way = false;
    loop {
        let is_sent = !matches!(sent, Sent::No);
        match step.probe(made.as_deref(), is_sent).await {
            Ok(Probe::Done(outcome)) => {
                if matches!(sent, Sent::Lost(..)) {
                    (context.progress)(Told::Found);
                }
                step.end().await;
                return Ok(outcome);
            }
            Ok(Probe::Running(progress)) => {
                failures = 0;
                under_way = true;
                if matches!(sent, Sent::Lost(..)) {
                    (context.progress)(Told::Found);
                    sent = Sent::Accepted(Instant::now());
                }
                if let Some(progress) = progress {
                    (context.progress)(progress.into());
                }
            }
            Ok(Probe::Failed(problem)) if is_sent || under_way => return Err(problem),
            Ok(Probe::NotDone | Probe::Unknown(_) | Probe::Failed(_)) => {
                failures = 0;
                if step.to_be_sent_again() {
                    sent = Sent::No;
                }
                match &sent {
                    Sent::No if context.should_stop() => return Err(stopped(false)),
                    Sent::No => match step.send().await {
                        Ok(id) => {
                            made = id;
                            sent = Sent::Accepted(Instant::now());
                            continue;
                        }
                        Err(Failed::Refused(problem)) => return Err(problem),
                        Err(Failed::Unknown(problem)) => {
                            tracing::warn!(%problem, "it is not known what came of a call; looking");
                            (context.progress)(Told::Lost);
                            sent = Sent::Lost(Instant::now(), problem);
                        }
                    },
                    Sent::Lost(at, problem) if at.elapsed() > LOOKED_FOR => {
                        return Err(problem
                            .clone()
                            .because("no answer came, and nothing of it is there")
                            .hint("retry it: it is looked for again before anything is sent"));
                    }
                    Sent::Accepted(at) if at.elapsed() > BEGUN => {
                        return Err(Problem::new(
                            ProblemKind::System,
                            "the service has accepted it, and does not begin it",
                        )
                        .hint("look at it there, then retry"));
                    }
                    Sent::Lost(..) | Sent::Accepted(_) => {}
                }
            }
            Err(problem) if problem.kind == ProblemKind::Network && failures < LOOKS => {
                failures += 1;
            }
            Err(problem) => return Err(problem),
        }
        if context.should_stop() {
            return Err(stopped(!matches!(sent, Sent::No)));
        }
        context.pause(pause).await;
        pause = (pause * 3 / 2).min(step.longest());
    }
}

fn stopped(sent: bool) -> Problem {
    match sent {
        true => Problem::conflict("no longer waited for: the service goes on with it by itself"),
        false => Problem::conflict("not begun"),
    }
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
