//! The tracker: the tasks that there are, and the one way to begin one.

use std::path::Path;
use std::sync::Arc;

use futures_util::Stream;

use super::backend::{Backend, Control, read_only};
use super::local::Local;
use crate::model::{Operation, Plan, Problem, Task, TaskId};
use crate::provider::Connection;

/// Plans, runs and follows operations on one connection. Cheap to clone.
#[derive(Clone)]
pub struct Tracker {
    backend: Arc<dyn Backend>,
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
        Ok(Self::over(Arc::new(Local::open(connection, journal)?), by))
    }

    /// A tracker of tasks that somebody else knows and runs.
    #[must_use]
    pub fn over(backend: Arc<dyn Backend>, by: &str) -> Self {
        let by = by.into();
        Self { backend, by }
    }

    /// The same tasks, for somebody else to ask for.
    #[must_use]
    pub fn as_asked_by(&self, by: &str) -> Self {
        Self::over(self.backend.clone(), by)
    }

    /// Whether nothing can be changed.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.backend.is_read_only()
    }

    /// Every task, the newest first.
    #[must_use]
    pub fn tasks(&self) -> Vec<Arc<Task>> {
        self.backend.tasks()
    }

    /// One task.
    #[must_use]
    pub fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        self.backend.task(id)
    }

    /// What an operation would do; nothing is done.
    ///
    /// # Errors
    /// The reason why it cannot be done.
    pub async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        self.backend.plan(operation).await
    }

    /// Accepts a plan that somebody has seen, and begins it.
    ///
    /// # Errors
    /// [`ProblemKind::Conflict`](crate::model::ProblemKind::Conflict) where what it touches has
    /// changed since it was made; [`ProblemKind::Auth`](crate::model::ProblemKind::Auth) on a
    /// read-only connection.
    pub async fn submit(&self, plan: Plan) -> Result<TaskId, Problem> {
        self.backend.submit(plan, &self.by).await
    }

    /// Whether a task can be controlled so now.
    ///
    /// # Errors
    /// The reason why not.
    pub fn can(&self, id: &TaskId, control: Control) -> Result<(), Problem> {
        let task = self
            .task(id)
            .ok_or_else(|| Problem::not_found(format!("there is no task {id}")))?;
        if self.is_read_only() {
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
        self.backend.control(id, control).await
    }

    /// Takes up the tasks that were under way when the program last ended: asks the system what
    /// came of each, and follows it on; one whose next step was never begun waits for
    /// a decision. Does nothing on a read-only connection. Returns how many there were.
    pub async fn follow_on(&self) -> usize {
        self.backend.follow_on().await
    }

    /// Batches of the tasks that changed since the batch before. Only the latest state of
    /// each counts: a slow reader misses steps between, never the last.
    pub fn updates(&self) -> impl Stream<Item = Vec<Arc<Task>>> + Send + 'static + use<> {
        let receiver = self.backend.subscribe();
        let seen = *receiver.borrow();
        let backend = self.backend.clone();
        futures_util::stream::unfold(
            (receiver, seen, backend),
            |(mut receiver, seen, backend)| async move {
                loop {
                    receiver.changed().await.ok()?;
                    let newest = *receiver.borrow_and_update();
                    let batch = backend.changed_since(seen);
                    if !batch.is_empty() {
                        return Some((batch, (receiver, newest, backend)));
                    }
                }
            },
        )
    }

    /// Waits until `done` says so of a task, and returns it.
    ///
    /// # Errors
    /// [`NotFound`](crate::model::ProblemKind::NotFound).
    pub async fn wait(
        &self,
        id: &TaskId,
        done: impl Fn(&Task) -> bool + Send,
    ) -> Result<Arc<Task>, Problem> {
        let mut receiver = self.backend.subscribe();
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
        self.backend.close().await;
    }
}
