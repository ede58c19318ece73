//! The status of an instance snapshot (*Get details of an instance snapshot*). It is compared in any case, and with `_`, `-` and blank as one.

use serde::{Deserialize, Serialize};

use crate::model::GroupState;

/// A status as the service spelled it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Status(String);

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusKind {
    /// Being taken.
    Creating,
    /// There, and nothing is under way.
    Available,
    /// It could not be taken.
    Error,
    /// A restore or a retry of it is under way.
    Restoring,
    /// A restore or a rollback of it failed.
    RestoreError,
    /// A rollback is under way.
    RollingBack,
    /// The back end has refused a restore, and nothing was changed.
    RestoreReverted,
    /// Being removed.
    Deleting,
    /// A word that nobody knows: something is under way.
    Unknown,
}

impl Status {
    /// The status with this spelling.
    #[must_use]
    pub fn new(word: &str) -> Self {
        Self(word.to_owned())
    }

    /// As the service spelled it.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.0
    }

    /// What it means.
    #[must_use]
    pub fn kind(&self) -> StatusKind {
        let plain: String = self
            .0
            .trim()
            .chars()
            .map(|c| match c {
                '_' | ' ' => '-',
                other => other.to_ascii_lowercase(),
            })
            .collect();
        match plain.as_str() {
            "available" => StatusKind::Available,
            "creating" => StatusKind::Creating,
            "restoring" | "retrying" => StatusKind::Restoring,
            "restore-error" | "rollback-error" | "roll-back-error" => StatusKind::RestoreError,
            "rolling-back" | "rollback" | "rollbacking" => StatusKind::RollingBack,
            "restore-reverted" => StatusKind::RestoreReverted,
            "deleting" => StatusKind::Deleting,
            // Anything that has the word in it is a failure.
            other if other.contains("error") => StatusKind::Error,
            _ => StatusKind::Unknown,
        }
    }

    /// As a state of this program.
    #[must_use]
    pub fn state(&self) -> GroupState {
        match self.kind() {
            StatusKind::Available => GroupState::Available,
            StatusKind::Creating => GroupState::Creating,
            StatusKind::Error => GroupState::Error,
            StatusKind::Restoring => GroupState::Restoring,
            StatusKind::RestoreError => GroupState::RestoreError,
            StatusKind::RollingBack => GroupState::RollingBack,
            StatusKind::Deleting => GroupState::Deleting,
            StatusKind::RestoreReverted | StatusKind::Unknown => {
                GroupState::Unknown(self.0.clone())
            }
        }
    }

    /// Whether a restore may be begun.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(
            self.kind(),
            StatusKind::Available | StatusKind::RestoreReverted
        )
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.is_ready() || matches!(self.kind(), StatusKind::Error | StatusKind::RestoreError)
    }
}
