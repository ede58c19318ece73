//! States. A word that nobody knows is kept as it stands and shown.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! state {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word that this program does not know, as the system said it.
            Unknown(String),
        }

        impl $name {
            /// Every state that has a word here.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The word that is shown and serialized.
            #[must_use]
            pub fn word(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    _ => Self::Unknown(word.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.word())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Ok(Self::from(String::deserialize(d)?.as_str()))
            }
        }
    };
}

state! {
    /// The state of a volume.
    VolumeState {
        /// There, and attached to nothing.
        Available => "available",
        /// There, and attached to an instance.
        InUse => "in use",
        /// Being made.
        Creating => "creating",
        /// Whole and usable, while a background copy fills it.
        Copying => "copying",
        /// Being taken back to a point in time.
        Restoring => "restoring",
        /// Being removed.
        Deleting => "deleting",
        /// Not usable; its system says why.
        Error => "error",
    }
}

state! {
    /// The state of a snapshot.
    SnapshotState {
        /// A whole point in time.
        Available => "available",
        /// Being taken.
        Creating => "creating",
        /// A volume is being taken back to it.
        Restoring => "restoring",
        /// Being removed.
        Deleting => "deleting",
        /// Not usable; its system says why.
        Error => "error",
    }
}

state! {
    /// The state of a group or a session.
    GroupState {
        /// All its members are there.
        Available => "available",
        /// Some of its members are gone.
        Incomplete => "incomplete",
        /// Being taken.
        Creating => "creating",
        /// Volumes are being taken back to it.
        Restoring => "restoring",
        /// Some volumes could not be taken back to it: that is tried again, or all go back to what they held before.
        RestoreError => "restore-error",
        /// Volumes are being taken back to what they held before a restore that failed.
        RollingBack => "rolling back",
        /// Being removed.
        Deleting => "deleting",
        /// Not usable; its system says why.
        Error => "error",
    }
}

state! {
    /// What a linked target does with what it shows.
    CopyMode {
        /// It copies it in the background, and stands alone then.
        Copy => "copy",
        /// It shares it.
        NoCopy => "nocopy",
    }
}

state! {
    /// How a linked target stands.
    TargetState {
        /// Usable; it shares what was not written to it.
        Linked => "linked",
        /// Usable, while a background copy fills it.
        Copying => "copying",
        /// Its copy waits to be resumed.
        Paused => "paused",
        /// All of it has been copied: it stands alone.
        Copied => "copied",
        /// Not usable; its system says why.
        Error => "error",
    }
}

state! {
    /// The state of a task.
    TaskState {
        /// Accepted here, not yet begun.
        Queued => "queued",
        /// Sent, and the system has not begun.
        Pending => "pending",
        /// Under way.
        Running => "running",
        /// Stopped part-way; waits for a decision. With an error it carries why.
        Suspended => "suspended",
        /// Sent, and what came of it is not known yet; it is being looked for.
        Lost => "unknown, looking",
        /// Over, as planned.
        Succeeded => "succeeded",
        /// Over, and not as planned.
        Failed => "failed",
        /// Over, because somebody said so.
        Cancelled => "cancelled",
    }
}

impl TaskState {
    /// Whether nothing more will come of it by itself or by a retry in place.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// Whether it is being worked on now, here or by the system.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(
            self,
            Self::Queued | Self::Pending | Self::Running | Self::Lost
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways_and_unknown_ones_are_kept() {
        for state in VolumeState::KNOWN {
            assert_eq!(&VolumeState::from(state.word()), state);
        }
        for state in TaskState::KNOWN {
            let json = serde_json::to_string(state).unwrap();
            assert_eq!(&serde_json::from_str::<TaskState>(&json).unwrap(), state);
        }
        let odd = SnapshotState::from("unmanaging");
        assert_eq!(odd, SnapshotState::Unknown("unmanaging".into()));
        assert_eq!(odd.word(), "unmanaging");
    }

    #[test]
    fn every_task_state_is_over_active_or_suspended() {
        for state in TaskState::KNOWN {
            let classes = usize::from(state.is_over())
                + usize::from(state.is_active())
                + usize::from(*state == TaskState::Suspended);
            assert_eq!(classes, 1, "{state}");
        }
    }
}
