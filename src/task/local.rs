//! Tasks that are run here: the board, the journal, and what is done with them.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::backend::{Backend, Control, read_only};
use super::board::Board;
use super::journal::Journal;
use super::runner;
use crate::model::{
    Operation, Plan, Problem, ProblemKind, StepEvent, Task, TaskId, TaskState, Time,
};
use crate::provider::{Connection, Steer};

/// The tasks of a connection that this process has.
pub(super) struct Local {
    board: Arc<Board>,
}

impl Local {
    pub(super) fn open(connection: &Connection, journal: &Path) -> Result<Self, Problem> {
        let opened = if connection.writer.is_some() {
            Journal::open(journal)
        } else {
            Journal::look(journal)
        };
        let (journal, loaded) = opened.map_err(|e| {
            Problem::new(ProblemKind::Config, "the journal of tasks cannot be opened")
                .caused_by(&e)
                .hint("look at the rights and the room of the folder that it is in")
        })?;
        if loaded.skipped > 0 {
            tracing::warn!(lines = loaded.skipped, "lines of the journal were skipped");
        }
        Ok(Self {
            board: Arc::new(Board::new(connection, journal, loaded.tasks)),
        })
    }

    /// Steers the step at hand where it was begun and can be paused; what has come to its end
    /// meanwhile needs no steering but to be paused.
    async fn steer(&self, id: &TaskId, steer: Steer) -> Result<(), Problem> {
        let (Some(task), Some(writer)) = (self.board.task(id), &self.board.writer) else {
            return Ok(());
        };
        let Some(step) = task.pausable() else {
            return Ok(());
        };
        let before = runner::outcomes(&task);
        match writer.steer(&task.plan, step, &before, steer).await {
            Err(problem) if problem.kind == ProblemKind::Conflict && steer != Steer::Pause => {
                Ok(())
            }
            other => other,
        }
    }
}

#[async_trait]
impl Backend for Local {
    fn tasks(&self) -> Vec<Arc<Task>> {
        self.board.tasks()
    }

    fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        self.board.task(id)
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.board.subscribe()
    }

    fn changed_since(&self, version: u64) -> Vec<Arc<Task>> {
        self.board.changed_since(version)
    }

    fn is_read_only(&self) -> bool {
        self.board.writer.is_none()
    }

    async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        self.board.reader.plan(operation).await
    }

    async fn submit(&self, plan: Plan, by: &str) -> Result<TaskId, Problem> {
        if self.is_read_only() {
            return Err(read_only());
        }
        let now = self.board.reader.plan(&plan.operation).await?;
        if !now.still_holds(&plan) {
            return Err(runner::changed(&plan, &now));
        }
        let id = TaskId(uuid::Uuid::now_v7().to_string());
        let task = Task::new(id.clone(), plan, by.to_owned(), Time::now());
        self.board.accept(task).await?;
        runner::spawn(&self.board, &id);
        Ok(id)
    }

    async fn control(&self, id: &TaskId, control: Control) -> Result<(), Problem> {
        match control {
            Control::Cancel => {
                self.board.record(id, StepEvent::Cancelling).await?;
                match self.board.running(id) {
                    Some(token) => token.cancel(),
                    None => {
                        self.steer(id, Steer::End).await?;
                        let state = TaskState::Cancelled;
                        self.board.record(id, StepEvent::Finished { state }).await?;
                    }
                }
            }
            Control::Retry | Control::Resume => {
                self.steer(id, Steer::Resume).await?;
                self.board.record(id, StepEvent::Resumed).await?;
                runner::spawn(&self.board, id);
            }
            Control::Pause => {
                self.steer(id, Steer::Pause).await?;
                let reason = "paused".to_owned();
                self.board
                    .record(id, StepEvent::Suspended { reason })
                    .await?;
            }
        }
        Ok(())
    }

    async fn follow_on(&self) -> usize {
        if self.is_read_only() {
            return 0;
        }
        let left = self.board.take_left();
        for task in &left {
            runner::take_up(&self.board, task).await;
        }
        left.len()
    }

    async fn close(&self) {
        self.board.detach.cancel();
        self.board.slots.close();
        self.board.jobs.close();
        self.board.jobs.wait().await;
    }
}
