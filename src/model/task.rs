//! An operation under way or over: a plan, and the fold of its step events.

use serde::{Deserialize, Serialize};

use super::{Bytes, ObjectRef, Plan, Problem, TaskId, TaskState, Time};

/// How far something has come, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Bytes done.
    pub done: Bytes,
    /// Bytes in all; zero where that is not known.
    pub total: Bytes,
    /// Bytes a second, lately; zero where that is not known.
    pub rate: Bytes,
}

impl Progress {
    /// The part that is done, 0.0 to 1.0; `None` where the whole is not known.
    #[must_use]
    pub fn fraction(&self) -> Option<f64> {
        (self.total.0 > 0).then(|| (self.done.0 as f64 / self.total.0 as f64).min(1.0))
    }

    /// Seconds to the end at the present rate.
    #[must_use]
    pub fn seconds_left(&self) -> Option<u64> {
        (self.rate.0 > 0 && self.total.0 > 0).then(|| {
            self.total
                .0
                .saturating_sub(self.done.0)
                .div_ceil(self.rate.0)
        })
    }
}

/// The state of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// Over, with what came of it in one line.
    Done(StepOutcome),
    /// Over, with why.
    Failed(Problem),
}

/// What came of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOutcome {
    /// In one line (`freed 12 MiB`); empty where there is nothing to say.
    pub message: String,
    /// Things that the step made, in the order in which it made them.
    pub made: Vec<ObjectRef>,
}

/// How a part of a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartState {
    /// Not begun.
    Waiting,
    /// Under way.
    Running,
    /// Over, as it should be.
    Done,
    /// Over, and not as it should be.
    Failed,
}

/// A part of a step that the system works through by itself, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What the system calls it.
    pub name: String,
    /// What the system says of it (`SUCCESS`).
    pub said: String,
    /// What that means.
    pub state: PartState,
}

/// One step of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Where it stands.
    pub state: StepState,
    /// How far it has come.
    pub progress: Option<Progress>,
    /// The parts that the system works through, where it tells them.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// When it was begun (the last time).
    pub started: Option<Time>,
    /// When it was over.
    pub ended: Option<Time>,
    /// How many times it was begun.
    pub attempts: u32,
}

/// Something that happened to a task. The console, the command line and the
/// server render the same stream; the journal keeps all but
/// [`StepEvent::Progress`], [`StepEvent::Parts`], and what is found out while a step runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum StepEvent {
    /// The step is about to be run; written to the journal before it is.
    Started {
        /// Which step, from 0.
        step: usize,
    },
    /// It has come this far; only the latest matters.
    Progress {
        /// Which step.
        step: usize,
        /// How far.
        progress: Progress,
    },
    /// The system works through these parts; only the latest matters.
    Parts {
        /// Which step.
        step: usize,
        /// The parts, in the system's order.
        parts: Vec<Part>,
    },
    /// It is over and did what was planned.
    Done {
        /// Which step.
        step: usize,
        /// What came of it.
        outcome: StepOutcome,
    },
    /// It is over and did not.
    Failed {
        /// Which step.
        step: usize,
        /// Why.
        problem: Problem,
    },
    /// The task waits for a decision: it was interrupted, or somebody paused it.
    Suspended {
        /// Why, in one line.
        reason: String,
    },
    /// Somebody wants it ended; written down before the system is told.
    Cancelling,
    /// The task goes on after a pause, an interruption or a failed step.
    Resumed,
    /// The task was sent on, and nobody knows yet what came of it.
    Lost,
    /// What was sent on is found: it is under way.
    Found,
    /// All steps are over.
    Finished {
        /// How it ended: succeeded, failed or cancelled.
        state: TaskState,
    },
}

/// An operation under way or over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// What was planned.
    pub plan: Plan,
    /// Where it stands.
    pub state: TaskState,
    /// Why it is suspended or has failed, in one line; empty otherwise.
    pub reason: String,
    /// Its steps, one for each of the plan.
    pub steps: Vec<Step>,
    /// Whether somebody wants it ended and it has not yet.
    #[serde(default)]
    pub cancelling: bool,
    /// Who asked for it (`console`, `command line`).
    pub by: String,
    /// When it was accepted.
    pub created: Time,
    /// When it was over.
    pub ended: Option<Time>,
}

impl Task {
    /// A task that nothing has happened to.
    #[must_use]
    pub fn new(id: TaskId, plan: Plan, by: String, created: Time) -> Self {
        let step = Step {
            state: StepState::Waiting,
            progress: None,
            parts: Vec::new(),
            started: None,
            ended: None,
            attempts: 0,
        };
        Self {
            id,
            state: TaskState::Queued,
            reason: String::new(),
            steps: vec![step; plan.steps.len()],
            cancelling: false,
            plan,
            by,
            created,
            ended: None,
        }
    }

    /// Folds one event in. An event for a step that is not there changes
    /// nothing: a journal may be hurt.
    pub fn apply(&mut self, event: &StepEvent, at: Time) {
        match event {
            StepEvent::Started { step } => {
                self.state = TaskState::Running;
                self.reason.clear();
                self.ended = None;
                if let Some(step) = self.steps.get_mut(*step) {
                    step.state = StepState::Running;
                    step.started = Some(at);
                    step.ended = None;
                    step.progress = None;
                    step.parts.clear();
                    step.attempts += 1;
                }
            }
            StepEvent::Progress { step, progress } => {
                if let Some(step) = self.steps.get_mut(*step) {
                    step.progress = Some(*progress);
                }
            }
            StepEvent::Parts { step, parts } => {
                if let Some(step) = self.steps.get_mut(*step) {
                    step.parts.clone_from(parts);
                }
            }
            StepEvent::Done { step, outcome } => {
                if let Some(step) = self.steps.get_mut(*step) {
                    step.state = StepState::Done(outcome.clone());
                    step.ended = Some(at);
                }
            }
            StepEvent::Failed { step, problem } => {
                self.reason = problem.to_string();
                if let Some(step) = self.steps.get_mut(*step) {
                    step.state = StepState::Failed(problem.clone());
                    step.ended = Some(at);
                }
            }
            // It may have come to its end just before somebody paused it.
            StepEvent::Suspended { .. } if self.state.is_over() => {}
            StepEvent::Suspended { reason } => {
                self.state = TaskState::Suspended;
                self.reason.clone_from(reason);
            }
            StepEvent::Cancelling => self.cancelling = true,
            StepEvent::Resumed => {
                self.cancelling = false;
                self.state = TaskState::Running;
                self.reason.clear();
                self.ended = None;
            }
            StepEvent::Lost => self.state = TaskState::Lost,
            StepEvent::Found if self.state == TaskState::Lost => self.state = TaskState::Running,
            StepEvent::Found => {}
            StepEvent::Finished { state } => {
                self.state = state.clone();
                self.cancelling = false;
                self.ended = Some(at);
            }
        }
    }

    /// Whether nothing more comes of it unless somebody decides something.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state.is_over() || self.state == TaskState::Suspended
    }

    /// The step that is under way, or the first that is not over; `None` when all are.
    #[must_use]
    pub fn current(&self) -> Option<usize> {
        self.steps
            .iter()
            .position(|step| !matches!(step.state, StepState::Done(_)))
    }

    /// The step under way or interrupted, where it was begun and can be paused.
    #[must_use]
    pub fn pausable(&self) -> Option<usize> {
        let n = self.current()?;
        let begun = matches!(self.steps.get(n)?.state, StepState::Running);
        (begun && self.plan.steps.get(n)?.pauses).then_some(n)
    }

    /// How far the whole has come: the progress of the step under way.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        self.steps.get(self.current()?)?.progress
    }

    /// The problem of the step that failed, where one did.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        self.steps.iter().find_map(|step| match &step.state {
            StepState::Failed(problem) => Some(problem),
            _ => None,
        })
    }

    /// Everything that its steps have made.
    pub fn made(&self) -> impl Iterator<Item = &ObjectRef> {
        self.steps
            .iter()
            .filter_map(|step| match &step.state {
                StepState::Done(outcome) => Some(outcome.made.iter()),
                _ => None,
            })
            .flatten()
    }
}
