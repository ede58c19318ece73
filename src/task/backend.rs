//! What a tracker rests on: those who know tasks and run them.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::model::{Operation, Plan, Problem, ProblemKind, Task, TaskId, TaskState};

/// What can be asked of a task that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Control {
    /// End it. What is done stays done.
    Cancel,
    /// Run the step that failed or was interrupted again.
    Retry,
    /// Let it stand still until it is told to go on, also after a restart.
    Pause,
    /// Let it go on after a pause.
    Resume,
}

impl Control {
    /// Whether a task that stands like this can be controlled so.
    ///
    /// # Errors
    /// The reason why not, as a clause.
    pub fn allowed(self, task: &Task) -> Result<(), String> {
        let over = match &task.state {
            TaskState::Cancelled => "been cancelled",
            other => other.word(),
        };
        match self {
            Self::Cancel if task.state.is_over() => Err(format!("it has {over}")),
            Self::Retry if task.state.is_active() => Err("it is under way".to_owned()),
            Self::Retry if matches!(task.state, TaskState::Succeeded | TaskState::Cancelled) => {
                Err(format!("it has {over}"))
            }
            Self::Pause if task.state != TaskState::Running => {
                Err("it is not under way".to_owned())
            }
            Self::Pause if task.pausable().is_none() => {
                Err("what it does now cannot be paused".to_owned())
            }
            Self::Resume if task.state != TaskState::Suspended => {
                Err("it is not paused".to_owned())
            }
            Self::Cancel | Self::Retry | Self::Pause | Self::Resume => Ok(()),
        }
    }
}

/// Those who know tasks and run them: here, or in another process that has the system open.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Every task, the newest first.
    fn tasks(&self) -> Vec<Arc<Task>>;

    /// One task.
    fn task(&self, id: &TaskId) -> Option<Arc<Task>>;

    /// A count that grows with every change of a task, to wait on. It ends when nothing
    /// more will be heard of them.
    fn subscribe(&self) -> watch::Receiver<u64>;

    /// The tasks that changed after this count.
    fn changed_since(&self, version: u64) -> Vec<Arc<Task>>;

    /// Whether nothing can be changed.
    fn is_read_only(&self) -> bool;

    /// What an operation would do.
    async fn plan(&self, operation: &Operation) -> Result<Plan, Problem>;

    /// Accepts a plan of somebody who is called `by`, and begins it.
    async fn submit(&self, plan: Plan, by: &str) -> Result<TaskId, Problem>;

    /// Controls a task that can be controlled so.
    async fn control(&self, id: &TaskId, control: Control) -> Result<(), Problem>;

    /// Takes up what was left under way; how many there were.
    async fn follow_on(&self) -> usize;

    /// Stops following.
    async fn close(&self);
}

/// Said where something was to be changed and nothing can be.
pub(super) fn read_only() -> Problem {
    Problem::new(
        ProblemKind::Auth,
        "nothing can be changed: this is read-only",
    )
    .hint("start without --read-only, or use a profile that may write")
}
