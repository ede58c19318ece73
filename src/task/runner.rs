//! Runs the steps of one task, one after another, and takes up what was left under way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::board::Board;
use crate::model::{Plan, Problem, StepEvent, StepOutcome, StepState, Task, TaskId, TaskState};
use crate::provider::{Fate, ProgressSink, Steer, StepContext, Told, Writer};

/// Progress is told at most this often for a step: an eye sees no more.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Runs the task from its first step that is not done, on the runtime.
pub(super) fn spawn(board: &Arc<Board>, id: &TaskId) {
    let Some(writer) = board.writer.clone() else {
        return;
    };
    // Asked twice at once, it runs once.
    let Some(token) = board.claim(id) else {
        return;
    };
    let (board, id) = (board.clone(), id.clone());
    let job = {
        let board = board.clone();
        async move {
            let ended = drive(&board, &*writer, &id, &token).await;
            // Let go before its end is told: who hears of it may want to retry it.
            board.release(&id);
            let told = match ended {
                Ok(Some(state)) => board.record(&id, StepEvent::Finished { state }).await,
                Ok(None) => Ok(()),
                Err(problem) => Err(problem),
            };
            if let Err(problem) = told {
                // The journal cannot be written: the task stands where it stood.
                tracing::error!(%problem, task = %id, "a task was stopped");
                let reason = problem.to_string();
                board.apply(&id, &StepEvent::Suspended { reason });
            }
        }
    };
    board.jobs.spawn(job);
}

/// Runs the steps that are left; how it ended, or `None` where it is left to the next start.
async fn drive(
    board: &Arc<Board>,
    writer: &dyn Writer,
    id: &TaskId,
    token: &CancellationToken,
) -> Result<Option<TaskState>, Problem> {
    loop {
        let Some(task) = board.task(id) else {
            return Ok(None);
        };
        let Some(step) = task.current() else {
            return Ok(Some(TaskState::Succeeded));
        };
        // A step that only waits for the system takes no place from one that works.
        let follows = task.plan.steps.get(step).is_some_and(|s| s.follows);
        let queues = !follows && board.slots.available_permits() == 0;
        let slot = tokio::select! {
            () = token.cancelled() => None,
            () = board.detach.cancelled() => None,
            slot = board.slots.acquire(), if !follows => slot.ok(),
            () = std::future::ready(()), if follows => None,
        };
        if board.is_closing() {
            return Ok(None);
        }
        if token.is_cancelled() {
            return Ok(Some(TaskState::Cancelled));
        }
        if queues && step == 0 {
            // What was agreed to was seen before it had to wait for others.
            let now = board.reader.plan(&task.plan.operation).await;
            let problem = match now {
                Ok(now) if now.still_holds(&task.plan) => None,
                Ok(now) => Some(changed(&task.plan, &now)),
                Err(problem) => Some(problem),
            };
            if let Some(problem) = problem {
                board
                    .record(id, StepEvent::Failed { step, problem })
                    .await?;
                return Ok(Some(TaskState::Failed));
            }
        }
        board.record(id, StepEvent::Started { step }).await?;
        let context = StepContext {
            task: id.clone(),
            before: outcomes(&task),
            progress: sink(board, id, step),
            cancel: token.clone(),
            detach: board.detach.clone(),
        };
        let result = writer.run(&task.plan, step, context).await;
        drop(slot);
        match result {
            Ok(outcome) => board.record(id, StepEvent::Done { step, outcome }).await?,
            Err(_) if board.is_closing() => return Ok(None),
            Err(problem) => {
                let state = if token.is_cancelled() {
                    TaskState::Cancelled
                } else {
                    TaskState::Failed
                };
                board
                    .record(id, StepEvent::Failed { step, problem })
                    .await?;
                return Ok(Some(state));
            }
        }
    }
}

/// Finds out what came of a task that was left under way, and goes on from there.
pub(super) async fn take_up(board: &Arc<Board>, task: &Task) {
    let Some(writer) = board.writer.clone() else {
        return;
    };
    let Some(step) = task.current() else {
        // Every step is done; only the end was not written down.
        spawn(board, &task.id);
        return;
    };
    if matches!(
        task.steps.get(step).map(|s| &s.state),
        Some(StepState::Failed(_))
    ) {
        let state = TaskState::Failed;
        finish(board, &task.id, StepEvent::Finished { state }).await;
        return;
    }
    let Some(planned) = task.plan.steps.get(step) else {
        return;
    };
    if task.cancelling && task.pausable() == Some(step) {
        let before = outcomes(task);
        // What has come to its end needs no ending.
        let _ = writer.steer(&task.plan, step, &before, Steer::End).await;
        let state = TaskState::Cancelled;
        finish(board, &task.id, StepEvent::Finished { state }).await;
        return;
    }
    let interrupted = |what: &str| StepEvent::Suspended {
        reason: format!(
            "interrupted {what} \"{}\": retry it or cancel it",
            planned.title
        ),
    };
    if !was_begun(task) {
        if planned.follows {
            board.apply(&task.id, &StepEvent::Resumed);
            spawn(board, &task.id);
        } else {
            finish(board, &task.id, interrupted("before")).await;
        }
        return;
    }
    board.apply(&task.id, &StepEvent::Lost);
    match writer.fate(&task.plan, step, &task.id).await {
        Ok(Fate::Done(outcome)) => {
            finish(board, &task.id, StepEvent::Done { step, outcome }).await;
            // What comes after was seen and agreed to with what is done.
            spawn(board, &task.id);
        }
        Ok(Fate::Running) => spawn(board, &task.id),
        Ok(Fate::NotDone) if planned.follows => spawn(board, &task.id),
        Ok(Fate::NotDone) => finish(board, &task.id, interrupted("during")).await,
        Err(problem) => {
            let reason = format!("it is not known what came of it: {problem}");
            board.apply(&task.id, &StepEvent::Suspended { reason });
        }
    }
}

/// Records an event; where the journal cannot be written, the task waits and says so.
async fn finish(board: &Arc<Board>, id: &TaskId, event: StepEvent) {
    if let Err(problem) = board.record(id, event).await {
        let reason = problem.to_string();
        board.apply(id, &StepEvent::Suspended { reason });
    }
}

/// What came of the steps that are done.
pub(super) fn outcomes(task: &Task) -> Vec<StepOutcome> {
    task.steps
        .iter()
        .map_while(|step| match &step.state {
            StepState::Done(outcome) => Some(outcome.clone()),
            _ => None,
        })
        .collect()
}

fn sink(board: &Arc<Board>, id: &TaskId, step: usize) -> ProgressSink {
    let (board, id) = (board.clone(), id.clone());
    let last = Mutex::new(None::<Instant>);
    Arc::new(move |told| {
        let progress = match told {
            Told::Progress(progress) => progress,
            Told::Parts(parts) => return board.apply(&id, &StepEvent::Parts { step, parts }),
            Told::Lost => return board.apply(&id, &StepEvent::Lost),
            Told::Found => return board.apply(&id, &StepEvent::Found),
        };
        let now = Instant::now();
        let whole = progress.total.0 > 0 && progress.done >= progress.total;
        let mut last = last.lock();
        if !whole && last.is_some_and(|last| now - last < PROGRESS_EVERY) {
            return;
        }
        *last = Some(now);
        board.apply(&id, &StepEvent::Progress { step, progress });
    })
}

/// Whether the step at hand was begun and nothing was heard of it since.
fn was_begun(task: &Task) -> bool {
    task.current()
        .and_then(|n| task.steps.get(n))
        .is_some_and(|step| step.state == StepState::Running)
}

/// What is said of a plan that no longer holds.
pub(super) fn changed(old: &Plan, new: &Plan) -> Problem {
    let mut problem = Problem::conflict(format!(
        "not done: what it would touch has changed since the plan was made ({})",
        old.summary
    ))
    .hint("look at it again, and plan anew");
    for touched in &new.touches {
        let before = old.touches.iter().find(|t| t.object == touched.object);
        if before.is_none_or(|before| before.revision != touched.revision) {
            problem = problem.because(format!(
                "{} {} is not as it was",
                touched.object.kind.one(),
                touched.name
            ));
        }
    }
    problem
}
