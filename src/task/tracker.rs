//! The tracker: the tasks that there are, and the one way to begin one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::Stream;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::journal::Journal;
use super::runner;
use crate::model::{
    Operation, Plan, Problem, ProblemKind, StepEvent, StepState, Task, TaskId, TaskState, Time,
};
use crate::provider::{Connection, Reader, Writer};

/// What can be asked of a task that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// End it. What is done stays done.
    Cancel,
    /// Run the step that failed or was interrupted again.
    Retry,
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
            Self::Cancel | Self::Retry => Ok(()),
        }
    }
}

/// A task, and what this process does with it.
pub(super) struct Entry {
    pub(super) task: Arc<Task>,
    /// When it last changed, in the tracker's own count.
    version: u64,
    /// Cancels the step that runs here; `None` where none does.
    pub(super) running: Option<CancellationToken>,
}

pub(super) struct Inner {
    pub(super) reader: Arc<dyn Reader>,
    pub(super) writer: Option<Arc<dyn Writer>>,
    journal: Mutex<Journal>,
    entries: Mutex<BTreeMap<TaskId, Entry>>,
    version: watch::Sender<u64>,
    pub(super) slots: Semaphore,
    pub(super) jobs: TaskTracker,
    pub(super) detach: CancellationToken,
    by: String,
    /// What was under way when the journal was opened.
    left: Mutex<Vec<TaskId>>,
}

/// Plans, runs and follows operations on one connection. Cheap to clone.
#[derive(Clone)]
pub struct Tracker {
    pub(super) inner: Arc<Inner>,
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
        let mut left = Vec::new();
        let entries = loaded
            .tasks
            .into_iter()
            .map(|(id, mut task)| {
                if task.state.is_active() {
                    left.push(id.clone());
                    // Nobody runs it now. This is not written down: whoever follows it on
                    // finds it as it was left.
                    let reason = "left under way; it is not being followed".to_owned();
                    task.apply(&StepEvent::Suspended { reason }, task.created);
                }
                let entry = Entry {
                    task: Arc::new(task),
                    version: 0,
                    running: None,
                };
                (id, entry)
            })
            .collect();
        let concurrency = connection.reader.capabilities().concurrency.max(1);
        Ok(Self {
            inner: Arc::new(Inner {
                reader: connection.reader.clone(),
                writer: connection.writer.clone(),
                journal: Mutex::new(journal),
                entries: Mutex::new(entries),
                version: watch::Sender::new(0),
                slots: Semaphore::new(concurrency),
                jobs: TaskTracker::new(),
                detach: CancellationToken::new(),
                by: by.to_owned(),
                left: Mutex::new(left),
            }),
        })
    }

    /// Every task, the newest first.
    #[must_use]
    pub fn tasks(&self) -> Vec<Arc<Task>> {
        let entries = self.inner.entries.lock();
        entries.values().rev().map(|e| e.task.clone()).collect()
    }

    /// One task.
    #[must_use]
    pub fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        self.inner.entries.lock().get(id).map(|e| e.task.clone())
    }

    /// What an operation would do; nothing is done.
    ///
    /// # Errors
    /// The reason why it cannot be done.
    pub async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        self.inner.reader.plan(operation).await
    }

    /// Accepts a plan that somebody has seen, and begins it.
    ///
    /// # Errors
    /// [`ProblemKind::Conflict`] where what it touches has changed since it was made;
    /// [`ProblemKind::Auth`] on a read-only connection.
    pub async fn submit(&self, plan: Plan) -> Result<TaskId, Problem> {
        if self.inner.writer.is_none() {
            return Err(read_only());
        }
        let now = self.inner.reader.plan(&plan.operation).await?;
        if !now.still_holds(&plan) {
            return Err(changed(&plan, &now));
        }
        let id = TaskId(uuid::Uuid::now_v7().to_string());
        let task = Task::new(id.clone(), plan, self.inner.by.clone(), Time::now());
        let inner = self.inner.clone();
        let accepted = task.clone();
        blocking(move || inner.journal.lock().accepted(&accepted))
            .await
            .map_err(|e| journal_problem(&e))?;
        let mut entries = self.inner.entries.lock();
        let version = self.inner.next_version();
        entries.insert(
            id.clone(),
            Entry {
                task: Arc::new(task),
                version,
                running: None,
            },
        );
        drop(entries);
        self.inner.tell(version);
        runner::spawn(&self.inner, &id);
        Ok(id)
    }

    /// Whether a task can be controlled so now.
    ///
    /// # Errors
    /// The reason why not.
    pub fn can(&self, id: &TaskId, control: Control) -> Result<(), Problem> {
        let entries = self.inner.entries.lock();
        let entry = entries
            .get(id)
            .ok_or_else(|| Problem::not_found(format!("there is no task {id}")))?;
        if self.inner.writer.is_none() {
            return Err(read_only());
        }
        control.allowed(&entry.task).map_err(Problem::conflict)
    }

    /// Controls a task.
    ///
    /// # Errors
    /// As [`Tracker::can`], and where the journal cannot be written.
    pub async fn control(&self, id: &TaskId, control: Control) -> Result<(), Problem> {
        self.can(id, control)?;
        match control {
            Control::Cancel => {
                let running = {
                    let entries = self.inner.entries.lock();
                    entries.get(id).and_then(|e| e.running.clone())
                };
                match running {
                    Some(token) => token.cancel(),
                    None => {
                        let state = TaskState::Cancelled;
                        self.inner.record(id, StepEvent::Finished { state }).await?;
                    }
                }
            }
            Control::Retry => {
                self.inner.record(id, StepEvent::Resumed).await?;
                runner::spawn(&self.inner, id);
            }
        }
        Ok(())
    }

    /// Takes up the tasks that were under way when the program last ended: asks the system what
    /// came of each, and follows it on; one whose next step was never begun waits for
    /// a decision. Does nothing on a read-only connection. Returns how many there were.
    pub async fn follow_on(&self) -> usize {
        if self.inner.writer.is_none() {
            return 0;
        }
        let left = std::mem::take(&mut *self.inner.left.lock());
        for task in left.iter().filter_map(|id| self.task(id)) {
            runner::take_up(&self.inner, &task).await;
        }
        left.len()
    }

    /// Batches of the tasks that changed since the batch before. Only the latest state of
    /// each counts: a slow reader misses steps between, never the last.
    pub fn updates(&self) -> impl Stream<Item = Vec<Arc<Task>>> + Send + 'static + use<> {
        let receiver = self.inner.version.subscribe();
        let seen = *receiver.borrow();
        let inner = self.inner.clone();
        futures_util::stream::unfold(
            (receiver, seen, inner),
            |(mut receiver, seen, inner)| async move {
                loop {
                    receiver.changed().await.ok()?;
                    let newest = *receiver.borrow_and_update();
                    let batch: Vec<_> = {
                        let entries = inner.entries.lock();
                        let changed = entries.values().filter(|e| e.version > seen);
                        changed.map(|e| e.task.clone()).collect()
                    };
                    if !batch.is_empty() {
                        return Some((batch, (receiver, newest, inner)));
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
        let mut receiver = self.inner.version.subscribe();
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
        self.inner.detach.cancel();
        self.inner.slots.close();
        self.inner.jobs.close();
        self.inner.jobs.wait().await;
    }
}

impl Inner {
    /// Whether the program is ending: nothing that fails from now on is a failure.
    pub(super) fn is_closing(&self) -> bool {
        self.detach.is_cancelled()
    }

    fn next_version(&self) -> u64 {
        *self.version.borrow() + 1
    }

    fn tell(&self, version: u64) {
        self.version.send_if_modified(|v| {
            let newer = version > *v;
            *v = (*v).max(version);
            newer
        });
    }

    pub(super) fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        self.entries.lock().get(id).map(|e| e.task.clone())
    }

    pub(super) fn set_running(&self, id: &TaskId, token: Option<CancellationToken>) {
        if let Some(entry) = self.entries.lock().get_mut(id) {
            entry.running = token;
        }
    }

    /// Folds an event into a task and tells those who follow, without the journal.
    pub(super) fn apply(&self, id: &TaskId, event: &StepEvent) {
        let mut entries = self.entries.lock();
        // Taken under the lock, so that no reader sees a version before its change.
        let version = self.next_version();
        if let Some(entry) = entries.get_mut(id) {
            Arc::make_mut(&mut entry.task).apply(event, Time::now());
            entry.version = version;
        }
        self.tell(version);
    }

    /// Writes an event to the journal, then folds it in.
    pub(super) async fn record(
        self: &Arc<Self>,
        id: &TaskId,
        event: StepEvent,
    ) -> Result<(), Problem> {
        let inner = self.clone();
        let (task, line) = (id.clone(), event.clone());
        blocking(move || inner.journal.lock().event(&task, &line, Time::now()))
            .await
            .map_err(|e| journal_problem(&e))?;
        self.apply(id, &event);
        Ok(())
    }
}

/// Runs what may wait for the disk where waiting harms nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(e) => std::panic::resume_unwind(e.into_panic()),
    }
}

fn read_only() -> Problem {
    Problem::new(
        ProblemKind::Auth,
        "nothing can be changed: this is read-only",
    )
    .hint("start without --read-only, or use a profile that may write")
}

fn changed(old: &Plan, new: &Plan) -> Problem {
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

fn journal_problem(error: &super::JournalError) -> Problem {
    Problem::new(ProblemKind::Config, "nothing was begun")
        .caused_by(error)
        .hint("make room where the journal is, or correct its rights")
}

/// Whether the step at hand was begun and nothing was heard of it since.
pub(super) fn was_begun(task: &Task) -> bool {
    task.current()
        .and_then(|n| task.steps.get(n))
        .is_some_and(|step| step.state == StepState::Running)
}
