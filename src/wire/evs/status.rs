//! The words of states (sections 4.1 and 4.2). One that is not known is kept as it stands, and taken for something
//! that is under way: never for success.

use super::super::words::words;
use crate::model::{SnapshotState, VolumeState};

words! {
    /// The status of a snapshot (4.1).
    SnapshotStatus {
        Creating => "creating",
        Available => "available",
        Error => "error",
        Deleting => "deleting",
        ErrorDeleting => "error_deleting",
        Rollbacking => "rollbacking",
        BackingUp => "backing-up",
    }
}

impl SnapshotStatus {
    /// As a state of this program.
    #[must_use]
    pub fn state(&self) -> SnapshotState {
        match self {
            Self::Available => SnapshotState::Available,
            Self::Creating => SnapshotState::Creating,
            Self::Rollbacking => SnapshotState::Restoring,
            Self::Deleting => SnapshotState::Deleting,
            Self::Error | Self::ErrorDeleting => SnapshotState::Error,
            Self::BackingUp | Self::Unknown(_) => SnapshotState::Unknown(self.word().to_owned()),
        }
    }

    /// Whether nothing more comes of it by itself.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Available | Self::Error | Self::ErrorDeleting)
    }

    /// Whether it can be deleted: "delete only in `available`/`error`" (3.5).
    #[must_use]
    pub fn can_go(&self) -> bool {
        matches!(self, Self::Available | Self::Error)
    }

    /// Whether a disk can be made from it: "`available` or `backing-up`" (5.1).
    #[must_use]
    pub fn can_be_cloned(&self) -> bool {
        matches!(self, Self::Available | Self::BackingUp)
    }
}

words! {
    /// The status of a disk (4.2).
    VolumeStatus {
        Creating => "creating",
        Available => "available",
        InUse => "in-use",
        Error => "error",
        Attaching => "attaching",
        Detaching => "detaching",
        RestoringBackup => "restoring-backup",
        BackingUp => "backing-up",
        ErrorRestoring => "error_restoring",
        Uploading => "uploading",
        Downloading => "downloading",
        Extending => "extending",
        ErrorExtending => "error_extending",
        Deleting => "deleting",
        ErrorDeleting => "error_deleting",
        Rollbacking => "rollbacking",
        ErrorRollbacking => "error_rollbacking",
        AwaitingTransfer => "awaiting-transfer",
    }
}

impl VolumeStatus {
    /// The states in which a disk can be deleted (`EVS.1046`).
    pub const CAN_GO: [Self; 5] = [
        Self::Available,
        Self::Error,
        Self::ErrorExtending,
        Self::ErrorRestoring,
        Self::ErrorRollbacking,
    ];

    /// As a state of this program.
    #[must_use]
    pub fn state(&self) -> VolumeState {
        match self {
            Self::Available => VolumeState::Available,
            Self::InUse => VolumeState::InUse,
            Self::Creating | Self::Downloading => VolumeState::Creating,
            Self::Rollbacking | Self::RestoringBackup => VolumeState::Restoring,
            Self::Deleting => VolumeState::Deleting,
            Self::Error
            | Self::ErrorRestoring
            | Self::ErrorExtending
            | Self::ErrorDeleting
            | Self::ErrorRollbacking => VolumeState::Error,
            Self::Attaching
            | Self::Detaching
            | Self::BackingUp
            | Self::Uploading
            | Self::Extending
            | Self::AwaitingTransfer
            | Self::Unknown(_) => VolumeState::Unknown(self.word().to_owned()),
        }
    }

    /// Whether something went wrong.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.state() == VolumeState::Error
    }

    /// Whether nothing more comes of it by itself.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Available | Self::InUse | Self::AwaitingTransfer) || self.is_error()
    }
}
