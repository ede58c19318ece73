//! The tasks as the console knows them, and which of them the docked pane shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Task, TaskId, TaskState};
use crate::task::puts_right;

/// How long a task that is over stays in the pane.
const LINGER: Duration = Duration::from_secs(12);

/// What the docked pane does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pane {
    /// Shows itself while there is something to see.
    #[default]
    Auto,
    /// Shown, with the steps of each task.
    Large,
    /// Not shown; the header still counts what runs.
    Hidden,
}

/// All tasks, the newest first.
#[derive(Debug)]
pub(crate) struct TaskList {
    /// The tasks.
    pub(crate) items: Vec<Arc<Task>>,
    /// Counts the changes.
    pub(crate) version: u64,
    /// What the pane does.
    pub(crate) pane: Pane,
    /// Those of which this console heard something while it ran.
    here: BTreeSet<TaskId>,
    /// Those that were over in this console, and when; until somebody has looked.
    ended: BTreeMap<TaskId, Duration>,
}

impl TaskList {
    /// The tasks that were there when the console began.
    pub(crate) fn new(items: Vec<Arc<Task>>) -> Self {
        Self {
            items,
            version: 1,
            pane: Pane::default(),
            here: BTreeSet::new(),
            ended: BTreeMap::new(),
        }
    }

    /// These are all that there are now: those of a system that was opened, or opened again.
    pub(crate) fn take_all(&mut self, items: Vec<Arc<Task>>) {
        self.items = items;
        self.version += 1;
        let there: BTreeSet<_> = self.items.iter().map(|task| task.id.clone()).collect();
        self.here.retain(|id| there.contains(id));
        self.ended.retain(|id, _| there.contains(id));
    }

    /// The task with this id.
    pub(crate) fn get(&self, id: &TaskId) -> Option<&Arc<Task>> {
        self.items.iter().find(|task| task.id == *id)
    }

    /// Takes in tasks that changed. Returns those that ended with this.
    pub(crate) fn update(&mut self, changed: Vec<Arc<Task>>, clock: Duration) -> Vec<Arc<Task>> {
        let mut over = Vec::new();
        for task in changed {
            let place = self.items.iter().position(|have| have.id == task.id);
            // What is told again is no news of it.
            if place.is_some_and(|i| self.items[i] == task) {
                continue;
            }
            self.here.insert(task.id.clone());
            let was_over = place.is_some_and(|i| self.items[i].state.is_over());
            if !task.state.is_over() {
                self.ended.remove(&task.id);
            } else if !was_over {
                self.ended.insert(task.id.clone(), clock);
                over.push(task.clone());
            }
            match place {
                Some(i) => self.items[i] = task,
                None => {
                    // Ids are in the order of their making, and the newest comes first.
                    let i = self.items.partition_point(|have| have.id > task.id);
                    self.items.insert(i, task);
                }
            }
        }
        self.version += 1;
        over
    }

    /// Somebody has looked at this task: it need not stay in the pane once it is over.
    pub(crate) fn seen(&mut self, id: &TaskId) {
        self.ended.remove(id);
    }

    /// Whether what a task did before it failed was rolled back or otherwise put right since.
    pub(crate) fn is_rolled_back(&self, task: &Task) -> bool {
        if !matches!(task.state, TaskState::Failed | TaskState::Cancelled) {
            return false;
        }
        // The newest come first.
        let mut later = self.items.iter().take_while(|other| other.id > task.id);
        later.any(|other| puts_right(other, task))
    }

    /// Whether a task belongs to the present: it is not over, or was done while this console ran.
    pub(crate) fn is_present(&self, task: &Task) -> bool {
        !task.state.is_over() || self.here.contains(&task.id)
    }

    /// Those under way.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.items.iter().filter(|task| task.state.is_active())
    }

    /// What the pane shows: what needs a decision, what runs, what is just over.
    pub(crate) fn in_pane(&self, clock: Duration) -> Vec<&Arc<Task>> {
        let shown = |task: &&Arc<Task>| {
            if !task.state.is_over() {
                return true;
            }
            let stays = || task.state == TaskState::Failed && !self.is_rolled_back(task);
            let fresh = |at: &Duration| clock < *at + LINGER || stays();
            self.ended.get(&task.id).is_some_and(fresh)
        };
        let mut tasks: Vec<_> = self.items.iter().filter(shown).collect();
        tasks.sort_by_key(|task| match task.state {
            TaskState::Failed | TaskState::Suspended | TaskState::Unknown(_) => 0,
            TaskState::Succeeded | TaskState::Cancelled => 2,
            _ => 1,
        });
        tasks
    }

    /// When the next task leaves the pane.
    pub(crate) fn deadline(&self, clock: Duration) -> Option<Duration> {
        let ends = self.ended.values().map(|at| *at + LINGER);
        ends.filter(|end| *end > clock).min()
    }
}
