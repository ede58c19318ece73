//! The words of states. Every word of the service is known here; one that is not is kept as it stands.

use super::super::words::words;
use crate::model::{GroupState, SnapshotState, VolumeState};

words! {
    /// The status of a volume.
    VolumeStatus {
        Creating => "creating",
        Available => "available",
        Reserved => "reserved",
        Attaching => "attaching",
        Detaching => "detaching",
        InUse => "in-use",
        Maintenance => "maintenance",
        Deleting => "deleting",
        AwaitingTransfer => "awaiting-transfer",
        Error => "error",
        ErrorDeleting => "error_deleting",
        BackingUp => "backing-up",
        RestoringBackup => "restoring-backup",
        ErrorBackingUp => "error_backing-up",
        ErrorRestoring => "error_restoring",
        ErrorExtending => "error_extending",
        Downloading => "downloading",
        Uploading => "uploading",
        Retyping => "retyping",
        Extending => "extending",
        Reverting => "reverting",
        Managing => "managing",
        ErrorManaging => "error_managing",
    }
}

impl VolumeStatus {
    /// As a state of this program.
    #[must_use]
    pub fn state(&self) -> VolumeState {
        match self {
            Self::Available => VolumeState::Available,
            Self::InUse => VolumeState::InUse,
            Self::Creating | Self::Downloading | Self::Managing => VolumeState::Creating,
            Self::Reverting | Self::RestoringBackup => VolumeState::Restoring,
            Self::Deleting => VolumeState::Deleting,
            Self::Error
            | Self::ErrorDeleting
            | Self::ErrorBackingUp
            | Self::ErrorRestoring
            | Self::ErrorExtending
            | Self::ErrorManaging => VolumeState::Error,
            Self::Reserved
            | Self::Attaching
            | Self::Detaching
            | Self::Maintenance
            | Self::AwaitingTransfer
            | Self::BackingUp
            | Self::Uploading
            | Self::Retyping
            | Self::Extending
            | Self::Unknown(_) => VolumeState::Unknown(self.word().to_owned()),
        }
    }

    /// Whether something went wrong.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.state() == VolumeState::Error
    }

    /// Whether nothing more comes of it by itself. A word that is not known is taken for something under way.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Available
            | Self::InUse
            | Self::Reserved
            | Self::Maintenance
            | Self::AwaitingTransfer => true,
            other => other.is_error(),
        }
    }
}

words! {
    /// The status of a snapshot.
    SnapshotStatus {
        Creating => "creating",
        Available => "available",
        Error => "error",
        Deleting => "deleting",
        Deleted => "deleted",
        Updating => "updating",
        ErrorDeleting => "error_deleting",
        Unmanaging => "unmanaging",
        BackingUp => "backing-up",
        Restoring => "restoring",
    }
}

impl SnapshotStatus {
    /// As a state of this program.
    #[must_use]
    pub fn state(&self) -> SnapshotState {
        match self {
            Self::Available => SnapshotState::Available,
            Self::Creating => SnapshotState::Creating,
            Self::Restoring => SnapshotState::Restoring,
            Self::Deleting | Self::Deleted => SnapshotState::Deleting,
            Self::Error | Self::ErrorDeleting => SnapshotState::Error,
            Self::Updating | Self::Unmanaging | Self::BackingUp | Self::Unknown(_) => {
                SnapshotState::Unknown(self.word().to_owned())
            }
        }
    }

    /// Whether nothing more comes of it by itself.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Available | Self::Error | Self::ErrorDeleting)
    }
}

words! {
    /// The status of a group or a group snapshot.
    GroupStatus {
        Creating => "creating",
        Available => "available",
        Error => "error",
        Deleting => "deleting",
        Deleted => "deleted",
        Updating => "updating",
        InUse => "in-use",
        ErrorDeleting => "error_deleting",
    }
}

impl GroupStatus {
    /// As a state of this program.
    #[must_use]
    pub fn state(&self) -> GroupState {
        match self {
            Self::Available | Self::InUse => GroupState::Available,
            Self::Creating => GroupState::Creating,
            Self::Deleting | Self::Deleted => GroupState::Deleting,
            Self::Error | Self::ErrorDeleting => GroupState::Error,
            Self::Updating | Self::Unknown(_) => GroupState::Unknown(self.word().to_owned()),
        }
    }

    /// Whether nothing more comes of it by itself.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(
            self,
            Self::Available | Self::InUse | Self::Error | Self::ErrorDeleting
        )
    }
}
