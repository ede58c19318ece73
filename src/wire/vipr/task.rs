//! Tasks: what comes of every change (section 15).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bodies::{Base, Reference};
use super::fault::Fault;
use super::state::{Allowed, TaskWord};

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every object has")]
    pub base: Base,
    /// What all tasks of one request have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_id: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Reference>,
    /// What else it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub associated_resources: Option<Vec<Reference>>,
    /// Where it stands.
    pub state: TaskWord,
    /// What may be done with it where it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_operations: Option<Allowed>,
    /// What it says, where it does not fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_error: Option<Fault>,
    /// When it was begun, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<i64>,
    /// When it was over, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    /// How far it has come, of 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<i64>,
    /// The workflow that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Reference>,
    /// What it warns of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning_messages: Option<Vec<String>>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Task {
    /// The operation, in upper case (15.3).
    #[must_use]
    pub fn operation(&self) -> &str {
        self.base.name.as_deref().unwrap_or_default()
    }

    /// Whether it may go on once it waits.
    #[must_use]
    pub fn can_resume(&self) -> bool {
        let retry = matches!(
            self.allowed_operations,
            Some(Allowed::Retry | Allowed::Both) | None
        );
        match self.state {
            TaskWord::SuspendedNoError => true,
            TaskWord::SuspendedError => retry,
            _ => false,
        }
    }

    /// Whether what it has done may be taken back once it waits.
    #[must_use]
    pub fn can_roll_back(&self) -> bool {
        let allowed = matches!(
            self.allowed_operations,
            Some(Allowed::Rollback | Allowed::Both)
        );
        self.state.is_suspended() && allowed
    }
}
