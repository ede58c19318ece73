//! Runs the steps of one task, one after another, and takes up what was left under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::tracker::{Inner, was_begun};
use crate::model::{Problem, StepEvent, StepOutcome, StepState, Task, TaskId, TaskState};
use crate::provider::{Fate, ProgressSink, StepContext, Writer};

/// Progress is told at most this often for a step: an eye sees no more.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Runs the task from its first step that is not done, on the runtime.
pub(super) fn spawn(inner: &Arc<Inner>, id: &TaskId) {
    let Some(writer) = inner.writer.clone() else {
        return;
    };
    let token = CancellationToken::new();
    inner.set_running(id, Some(token.clone()));
    let (inner, id) = (inner.clone(), id.clone());
    let job = {
        let inner = inner.clone();
        async move {
            if let Err(problem) = drive(&inner, &*writer, &id, &token).await {
                // The journal cannot be written: the task stands where it stood.
                tracing::error!(%problem, task = %id, "a task was stopped");
                let reason = problem.to_string();
                inner.apply(&id, &StepEvent::Suspended { reason });
            }
            inner.set_running(&id, None);
        }
    };
    inner.jobs.spawn(job);
}

async fn drive(
    inner: &Arc<Inner>,
    writer: &dyn Writer,
    id: &TaskId,
    token: &CancellationToken,
) -> Result<(), Problem> {
    loop {
        let Some(task) = inner.task(id) else {
            return Ok(());
        };
        let Some(step) = task.current() else {
            let state = TaskState::Succeeded;
            return inner.record(id, StepEvent::Finished { state }).await;
        };
        // A step that only waits for the system takes no place from one that works.
        let follows = task.plan.steps.get(step).is_some_and(|s| s.follows);
        let slot = tokio::select! {
            () = token.cancelled() => None,
            () = inner.detach.cancelled() => None,
            slot = inner.slots.acquire(), if !follows => slot.ok(),
            () = std::future::ready(()), if follows => None,
        };
        if inner.is_closing() {
            return Ok(());
        }
        if token.is_cancelled() {
            let state = TaskState::Cancelled;
            return inner.record(id, StepEvent::Finished { state }).await;
        }
        inner.record(id, StepEvent::Started { step }).await?;
        let context = StepContext {
            task: id.clone(),
            before: outcomes(&task),
            progress: sink(inner, id, step),
            cancel: token.clone(),
            detach: inner.detach.clone(),
        };
        let result = writer.run(&task.plan, step, context).await;
        drop(slot);
        match result {
            Ok(outcome) => inner.record(id, StepEvent::Done { step, outcome }).await?,
            Err(_) if inner.is_closing() => return Ok(()),
            Err(problem) => {
                let state = if token.is_cancelled() {
                    TaskState::Cancelled
                } else {
                    TaskState::Failed
                };
                inner
                    .record(id, StepEvent::Failed { step, problem })
                    .await?;
                return inner.record(id, StepEvent::Finished { state }).await;
            }
        }
    }
}

/// Finds out what came of a task that was left under way, and goes on from there.
pub(super) async fn take_up(inner: &Arc<Inner>, task: &Task) {
    let Some(writer) = inner.writer.clone() else {
        return;
    };
    let Some(step) = task.current() else {
        // Every step is done; only the end was not written down.
        spawn(inner, &task.id);
        return;
    };
    if matches!(
        task.steps.get(step).map(|s| &s.state),
        Some(StepState::Failed(_))
    ) {
        let state = TaskState::Failed;
        finish(inner, &task.id, StepEvent::Finished { state }).await;
        return;
    }
    let Some(planned) = task.plan.steps.get(step) else {
        return;
    };
    let interrupted = |what: &str| StepEvent::Suspended {
        reason: format!(
            "interrupted {what} \"{}\": retry it or cancel it",
            planned.title
        ),
    };
    if !was_begun(task) {
        if planned.follows {
            spawn(inner, &task.id);
        } else {
            finish(inner, &task.id, interrupted("before")).await;
        }
        return;
    }
    inner.apply(&task.id, &StepEvent::Lost);
    match writer.fate(&task.plan, step, &task.id).await {
        Ok(Fate::Done(outcome)) => {
            finish(inner, &task.id, StepEvent::Done { step, outcome }).await;
            // What comes after was seen and agreed to with what is done.
            spawn(inner, &task.id);
        }
        Ok(Fate::Running) => spawn(inner, &task.id),
        Ok(Fate::NotDone) if planned.follows => spawn(inner, &task.id),
        Ok(Fate::NotDone) => finish(inner, &task.id, interrupted("during")).await,
        Err(problem) => {
            let reason = format!("it is not known what came of it: {problem}");
            inner.apply(&task.id, &StepEvent::Suspended { reason });
        }
    }
}

/// Records an event; where the journal cannot be written, the task waits and says so.
async fn finish(inner: &Arc<Inner>, id: &TaskId, event: StepEvent) {
    if let Err(problem) = inner.record(id, event).await {
        let reason = problem.to_string();
        inner.apply(id, &StepEvent::Suspended { reason });
    }
}

fn outcomes(task: &Task) -> Vec<StepOutcome> {
    task.steps
        .iter()
        .map_while(|step| match &step.state {
            StepState::Done(outcome) => Some(outcome.clone()),
            _ => None,
        })
        .collect()
}

fn sink(inner: &Arc<Inner>, id: &TaskId, step: usize) -> ProgressSink {
    let (inner, id) = (inner.clone(), id.clone());
    let last = Mutex::new(None::<Instant>);
    Arc::new(move |progress| {
        let now = Instant::now();
        let whole = progress.total.0 > 0 && progress.done >= progress.total;
        let mut last = last.lock();
        if !whole && last.is_some_and(|last| now - last < PROGRESS_EVERY) {
            return;
        }
        *last = Some(now);
        inner.apply(&id, &StepEvent::Progress { step, progress });
    })
}
