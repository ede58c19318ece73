//! The words of states. One that is not known is kept as it stands, and is never taken for an end (15.2).

use super::super::words::words;
use crate::model::{SnapshotState, TargetState};

words! {
    /// The state of a task (15.2).
    TaskWord {
        Queued => "queued",
        Pending => "pending",
        SuspendedNoError => "suspended_no_error",
        SuspendedError => "suspended_error",
        Ready => "ready",
        Error => "error",
    }
}

impl TaskWord {
    /// Whether nothing more comes of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Ready | Self::Error)
    }

    /// Whether it waits for somebody to decide.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        matches!(self, Self::SuspendedNoError | Self::SuspendedError)
    }
}

words! {
    /// What may be done with a task that waits (15.1).
    Allowed {
        Nothing => "none_specified",
        Retry => "retry_only",
        Rollback => "rollback_only",
        Both => "retry_rollback",
    }
}

words! {
    /// How a snapshot stands (10.1).
    ReplicaState {
        Synchronized => "SYNCHRONIZED",
        Prepared => "PREPARED",
    }
}

impl ReplicaState {
    /// As the state of a plain snapshot.
    #[must_use]
    pub fn snapshot(&self) -> SnapshotState {
        match self {
            Self::Synchronized => SnapshotState::Available,
            // Made, and to be activated.
            Self::Prepared | Self::Unknown(_) => SnapshotState::Unknown(self.word().to_lowercase()),
        }
    }

    /// As the state of a linked target. How far a copy has come is not told.
    #[must_use]
    pub fn target(&self) -> TargetState {
        match self {
            Self::Synchronized => TargetState::Linked,
            Self::Prepared | Self::Unknown(_) => TargetState::Unknown(self.word().to_lowercase()),
        }
    }
}
