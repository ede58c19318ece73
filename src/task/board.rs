//! The board: the tasks that there are, each change of which is in the journal before
//! anybody sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::journal::{Journal, JournalError};
use crate::model::{Problem, ProblemKind, StepEvent, Task, TaskId, Time};
use crate::provider::{Connection, Reader, Writer};

/// A task, and what this process does with it.
struct Entry {
    task: Arc<Task>,
    /// When it last changed, in the board's own count.
    version: u64,
    /// Cancels the step that runs here; `None` where none does.
    running: Option<CancellationToken>,
}

/// The tasks of one connection.
pub(super) struct Board {
    pub(super) reader: Arc<dyn Reader>,
    pub(super) writer: Option<Arc<dyn Writer>>,
    journal: Mutex<Journal>,
    entries: Mutex<BTreeMap<TaskId, Entry>>,
    version: watch::Sender<u64>,
    pub(super) slots: Semaphore,
    pub(super) jobs: TaskTracker,
    pub(super) detach: CancellationToken,
    /// What was under way when the journal was opened.
    left: Mutex<Vec<TaskId>>,
}

impl Board {
    /// The board of a connection, with the tasks that its journal held.
    pub(super) fn new(
        connection: &Connection,
        journal: Journal,
        tasks: BTreeMap<TaskId, Task>,
    ) -> Self {
        let mut left = Vec::new();
        let entries = tasks
            .into_iter()
            .map(|(id, mut task)| {
                if task.state.is_active() {
                    left.push(id.clone());
                    // Nobody runs it now. This is not written down: whoever follows it on
                    // finds it as it was left.
                    let reason = "left under way; it is not being followed".to_owned();
                    task.apply(&StepEvent::Suspended { reason }, task.created);
                }
                (id, Entry::new(task, 0))
            })
            .collect();
        let concurrency = connection.reader.capabilities().concurrency.max(1);
        Self {
            reader: connection.reader.clone(),
            writer: connection.writer.clone(),
            journal: Mutex::new(journal),
            entries: Mutex::new(entries),
            version: watch::Sender::new(0),
            slots: Semaphore::new(concurrency),
            jobs: TaskTracker::new(),
            detach: CancellationToken::new(),
            left: Mutex::new(left),
        }
    }

    /// What was under way when the journal was opened; told once.
    pub(super) fn take_left(&self) -> Vec<Arc<Task>> {
        let left = std::mem::take(&mut *self.left.lock());
        left.iter().filter_map(|id| self.task(id)).collect()
    }

    /// Every task, the newest first.
    pub(super) fn tasks(&self) -> Vec<Arc<Task>> {
        let entries = self.entries.lock();
        entries.values().rev().map(|e| e.task.clone()).collect()
    }

    /// The count of changes, to wait on.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// The tasks that changed after this count.
    pub(super) fn changed_since(&self, version: u64) -> Vec<Arc<Task>> {
        let entries = self.entries.lock();
        let changed = entries.values().filter(|e| e.version > version);
        changed.map(|e| e.task.clone()).collect()
    }

    /// What cancels the step that runs here.
    pub(super) fn running(&self, id: &TaskId) -> Option<CancellationToken> {
        self.entries.lock().get(id).and_then(|e| e.running.clone())
    }

    /// Takes a new task, once it is in the journal.
    pub(super) async fn accept(self: &Arc<Self>, task: Task) -> Result<(), Problem> {
        let board = self.clone();
        let accepted = task.clone();
        blocking(move || board.journal.lock().accepted(&accepted))
            .await
            .map_err(|e| journal_problem(&e))?;
        let mut entries = self.entries.lock();
        let version = self.next_version();
        entries.insert(task.id.clone(), Entry::new(task, version));
        self.tell(version);
        Ok(())
    }

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

    /// Takes a task to run it: what cancels it. `None` where somebody has it already.
    pub(super) fn claim(&self, id: &TaskId) -> Option<CancellationToken> {
        let mut entries = self.entries.lock();
        let entry = entries.get_mut(id)?;
        if entry.running.is_some() {
            return None;
        }
        let token = CancellationToken::new();
        entry.running = Some(token.clone());
        Some(token)
    }

    /// Lets go of a task that was claimed.
    pub(super) fn release(&self, id: &TaskId) {
        if let Some(entry) = self.entries.lock().get_mut(id) {
            entry.running = None;
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
        let board = self.clone();
        let (task, line) = (id.clone(), event.clone());
        blocking(move || board.journal.lock().event(&task, &line, Time::now()))
            .await
            .map_err(|e| journal_problem(&e))?;
        self.apply(id, &event);
        Ok(())
    }
}

impl Entry {
    fn new(task: Task, version: u64) -> Self {
        Self {
            task: Arc::new(task),
            version,
            running: None,
        }
    }
}

/// Runs what may wait for the disk where waiting harms nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(e) => std::panic::resume_unwind(e.into_panic()),
    }
}

fn journal_problem(error: &JournalError) -> Problem {
    use std::io::ErrorKind;
    let kind = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ProblemKind::Quota,
        _ => ProblemKind::Config,
    };
    Problem::new(
        kind,
        "it goes no further: what is not written down is not done",
    )
    .caused_by(error)
    .hint("make room where the journal is, or correct its rights")
}
