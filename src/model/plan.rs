//! What an operation would do, told before it is done.

use serde::{Deserialize, Serialize};

use super::{Bytes, ObjectRef, Operation, OperationKind};

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// The provider's own name of the step, unique in its plan (`copy`).
    pub name: String,
    /// What the task pane shows (`copying what is shared`).
    pub title: String,
    /// What would be done or sent, exactly, secrets redacted. May have many lines.
    pub call: String,
    /// Whether the step only waits for what an earlier step began, so that it
    /// may be taken up again without asking anybody.
    pub follows: bool,
    /// Whether it can be paused and go on later, also after the program ended.
    #[serde(default)]
    pub pauses: bool,
}

/// A thing that the operation reads or changes, pinned to the state it was seen in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// Which thing.
    pub object: ObjectRef,
    /// Its name when it was planned.
    pub name: String,
    /// What it was when it was planned; a plan is refused when this has changed.
    pub revision: String,
}

/// Something that would be gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What, in one line (`what was written to db01-data since nightly-03`).
    pub what: String,
    /// How much, where it is known.
    pub bytes: Option<Bytes>,
}

/// How an operation is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Undo {
    /// By this, told in one line, and done by the operation where that is known already.
    By {
        /// In one line (`restore the guard snapshot`).
        how: String,
        /// The operation that does it; `None` where it can be known only afterwards.
        operation: Option<Operation>,
    },
    /// Not at all, for this reason.
    Never(String),
}

/// The whole of what would be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The operation that it is for.
    pub operation: Operation,
    /// One line for a list (`db01-data ← nightly-03`).
    pub subject: String,
    /// One sentence (`take db01-data back to nightly-03`).
    pub summary: String,
    /// The steps in their order; at least one.
    pub steps: Vec<PlannedStep>,
    /// What is read or changed.
    pub touches: Vec<Touched>,
    /// What would be gone.
    pub losses: Vec<Loss>,
    /// How much must be copied before it is over.
    pub copies: Bytes,
    /// How it is taken back.
    pub undo: Undo,
    /// What else to know, one line each.
    pub notes: Vec<String>,
    /// The name that must be typed before it is done: set where data would be
    /// gone that nothing brings back.
    pub confirm: Option<String>,
}

impl Plan {
    /// Whether anything would be gone.
    #[must_use]
    pub fn is_destructive(&self) -> bool {
        !self.losses.is_empty()
    }

    /// Whether what a volume holds is replaced, kept as a guard or not: nothing that a
    /// script does without saying so.
    #[must_use]
    pub fn replaces_content(&self) -> bool {
        match self.operation.kind {
            OperationKind::Restore
            | OperationKind::RestoreGroup
            | OperationKind::RetryRestore
            | OperationKind::RollBackRestore
            | OperationKind::RestoreSession
            | OperationKind::ShrinkVolume => true,
            OperationKind::ImportImage => self.operation.values.contains_key("volume"),
            _ => false,
        }
    }

    /// Whether `other`, made later for the same operation, meets the same things in
    /// the same state.
    #[must_use]
    pub fn still_holds(&self, other: &Self) -> bool {
        self.operation == other.operation && self.touches == other.touches
    }
}
