//! The words of states (sections 8 and 13). One that is not known is kept as it stands, and never taken for success.

use super::super::words::words;
use crate::model::SnapshotState;

words! {
    /// The status of a snapshot (8.1).
    SnapshotStatus {
        Creating => "Creating",
        Ready => "Ready",
        Deleting => "Deleting",
        Deleted => "Deleted",
    }
}

impl SnapshotStatus {
    /// As a state of this program.
    #[must_use]
    pub fn state(&self) -> SnapshotState {
        match self {
            Self::Creating => SnapshotState::Creating,
            Self::Ready => SnapshotState::Available,
            Self::Deleting => SnapshotState::Deleting,
            Self::Deleted | Self::Unknown(_) => SnapshotState::Unknown(self.word().to_owned()),
        }
    }
}

words! {
    /// Whether something may be used: the state of snapshots and volumes.
    Enabled {
        Enabled => "Enabled",
        Disabled => "Disabled",
    }
}

words! {
    /// The status of a volume (8.4); "`Deleted` is the recycle bin".
    VolumeStatus {
        Creating => "Creating",
        Ready => "Ready",
        NotInstantiated => "NotInstantiated",
        Deleted => "Deleted",
        Migrating => "Migrating",
    }
}

words! {
    /// What a volume is for.
    VolumeType {
        Root => "Root",
        Data => "Data",
        Memory => "Memory",
        Cache => "Cache",
    }
}

words! {
    /// The status of a tree (8.2).
    TreeStatus {
        Creating => "Creating",
        Completed => "Completed",
        Failed => "Failed",
    }
}

words! {
    /// The state of a VM instance (8.5).
    VmState {
        Created => "Created",
        Starting => "Starting",
        Running => "Running",
        Stopping => "Stopping",
        Stopped => "Stopped",
        Rebooting => "Rebooting",
        Destroying => "Destroying",
        Destroyed => "Destroyed",
        Migrating => "Migrating",
        Expunging => "Expunging",
        Pausing => "Pausing",
        Paused => "Paused",
        Resuming => "Resuming",
        VolumeMigrating => "VolumeMigrating",
        VolumeRecovering => "VolumeRecovering",
        Error => "Error",
        NoState => "NoState",
        Lost => "Unknown",
        Crashed => "Crashed",
    }
}

impl VmState {
    /// Whether snapshots of its volumes can be taken: "treat intermediate states as refused" (12).
    #[must_use]
    pub fn is_steady(&self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Stopped)
    }

    /// Whether it can be stopped: "Stop is accepted from Running, Paused, Crashed, Unknown, NoState and Stopped" (9.19).
    #[must_use]
    pub fn can_stop(&self) -> bool {
        matches!(
            self,
            Self::Running
                | Self::Paused
                | Self::Crashed
                | Self::Lost
                | Self::NoState
                | Self::Stopped
        )
    }
}

words! {
    /// The state of a long job (13.2).
    LongJobState {
        Waiting => "Waiting",
        Running => "Running",
        Suspended => "Suspended",
        Canceling => "Canceling",
        Succeeded => "Succeeded",
        Canceled => "Canceled",
        Failed => "Failed",
    }
}
