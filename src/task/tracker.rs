//! The tracker: the tasks that there are, and the one way to begin one.

use std::path::Path;
use std::sync::Arc;

use futures_util::Stream;

use super::board::Board;
use super::journal::Journal;
use super::runner;
use crate::model::{
    Operation, Plan, Problem, ProblemKind, StepEvent, Task, TaskId, TaskState, Time,
};
use crate::provider::{Connection, Steer};

/// What can be asked of a task that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Plans, runs and follows operations on one connection. Cheap to clone.
#[derive(Clone)]
pub struct Tracker {
    board: Arc<Board>,
    by: Arc<str>,
}

impl Tracker {
    /// Opens the tracker of a connection, with its journal at `journal`. `by` says who asks
    /// for what is submitted here (`console`). Tasks that were under way are known
    /// at once; [`Tracker::follow_on`] takes them up.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn open(connection: &Connection, journal: &Path, by: &str) -> Result<Self, Problem> {
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
            by: by.into(),
        })
    }

    /// Every task, the newest first.
    #[must_use]
    pub fn tasks(&self) -> Vec<Arc<Task>> {
        self.board.tasks()
    }

    /// One task.
    #[must_use]
    pub fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        self.board.task(id)
    }

    /// What an operation would do; nothing is done.
    ///
    /// # Errors
    /// The reason why it cannot be done.
    pub async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        self.board.reader.plan(operation).await
    }

    /// Accepts a plan that somebody has seen, and begins it.
    ///
    /// # Errors
    /// [`ProblemKind::Conflict`] where what it touches has changed since it was made;
    /// [`ProblemKind::Auth`] on a read-only connection.
    pub async fn submit(&self, plan: Plan) -> Result<TaskId, Problem> {
        if self.board.writer.is_none() {
            return Err(read_only());
        }
        let now = self.board.reader.plan(&plan.operation).await?;
        if !now.still_holds(&plan) {
            return Err(runner::changed(&plan, &now));
        }
        let id = TaskId(uuid::Uuid::now_v7().to_string());
        let task = Task::new(id.clone(), plan, self.by.to_string(), Time::now());
        self.board.accept(task).await?;
        runner::spawn(&self.board, &id);
        Ok(id)
    }

    /// Whether a task can be controlled so now.
    ///
    /// # Errors
    /// The reason why not.
    pub fn can(&self, id: &TaskId, control: Control) -> Result<(), Problem> {
        let task = self
            .task(id)
            .ok_or_else(|| Problem::not_found(format!("there is no task {id}")))?;
        if self.board.writer.is_none() {
            return Err(read_only());
        }
        control.allowed(&task).map_err(Problem::conflict)
    }

    /// Controls a task.
    ///
    /// # Errors
    /// As [`Tracker::can`], and where the journal cannot be written.
    pub async fn control(&self, id: &TaskId, control: Control) -> Result<(), Problem> {
        self.can(id, control)?;
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

    /// Steers the step at hand where it was begun and can be paused; what has come to its end
    /// meanwhile needs no steering but to be paused.
    async fn steer(&self, id: &TaskId, steer: Steer) -> Result<(), Problem> {
        let (Some(task), Some(writer)) = (self.task(id), &self.board.writer) else {
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

    /// Takes up the tasks that were under way when the program last ended: asks the system what
    /// came of each, and follows it on; one whose next step was never begun waits for
    /// a decision. Does nothing on a read-only connection. Returns how many there were.
    pub async fn follow_on(&self) -> usize {
        if self.board.writer.is_none() {
            return 0;
        }
        let left = self.board.take_left();
        for task in &left {
            runner::take_up(&self.board, task).await;
        }
        left.len()
    }

    /// Batches of the tasks that changed since the batch before. Only the latest state of
    /// each counts: a slow reader misses steps between, never the last.
    pub fn updates(&self) -> impl Stream<Item = Vec<Arc<Task>>> + Send + 'static + use<> {
        let receiver = self.board.subscribe();
        let seen = *receiver.borrow();
        let board = self.board.clone();
        futures_util::stream::unfold(
            (receiver, seen, board),
            |(mut receiver, seen, board)| async move {
                loop {
                    receiver.changed().await.ok()?;
                    let newest = *receiver.borrow_and_update();
                    let batch = board.changed_since(seen);
                    if !batch.is_empty() {
                        return Some((batch, (receiver, newest, board)));
                    }
                }
            },
        )
    }

    /// Waits until `done` says so of a task, and returns it.
    ///
    /// # Errors
    /// [`ProblemKind::NotFound`].
    pub async fn wait(
        &self,
        id: &TaskId,
        done: impl Fn(&Task) -> bool + Send,
    ) -> Result<Arc<Task>, Problem> {
        let mut receiver = self.board.subscribe();
        loop {
            receiver.mark_unchanged();
            let task = self
                .task(id)
                .ok_or_else(|| Problem::not_found(format!("there is no task {id}")))?;
            if done(&task) || receiver.changed().await.is_err() {
                return Ok(task);
            }
        }
    }

    /// Stops following, and waits until no step runs here any more. What was under way is
    /// in the journal as it is, for the next start to find.
    pub async fn close(&self) {
        self.board.detach.cancel();
        self.board.slots.close();
        self.board.jobs.close();
        self.board.jobs.wait().await;
    }
}

fn read_only() -> Problem {
    Problem::new(
        ProblemKind::Auth,
        "nothing can be changed: this is read-only",
    )
    .hint("start without --read-only, or use a profile that may write")
}
