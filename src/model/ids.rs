//! Identifiers. A system's own id is kept as it stands and never parsed here;
//! each kind has a type of its own, so that one cannot be passed for another.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as the system wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

id! {
    /// The id of a volume, as its system has it.
    VolumeId
}
id! {
    /// The id of a snapshot, as its system has it.
    SnapshotId
}
id! {
    /// The id of a group, as its system has it.
    GroupId
}
id! {
    /// The id of a snapshot session, as its system has it.
    SessionId
}
id! {
    /// The id of a linked target, as its system has it.
    TargetId
}
id! {
    /// The id of a task: a UUID version 7 made by the task tracker, so that
    /// the order of ids is the order of their making.
    TaskId
}

/// The kinds of things that a system can list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A block device that can be written.
    Volume,
    /// A read-only point in time of one volume.
    Snapshot,
    /// One point in time across several volumes.
    Group,
    /// A point in time that targets are linked to.
    Session,
    /// A device that shows what a session holds.
    Target,
}

impl Kind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 5] = [
        Self::Volume,
        Self::Snapshot,
        Self::Group,
        Self::Session,
        Self::Target,
    ];

    /// The word for one, in lower case.
    #[must_use]
    pub fn one(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Snapshot => "snapshot",
            Self::Group => "group",
            Self::Session => "session",
            Self::Target => "target",
        }
    }

    /// The word for many, in lower case.
    #[must_use]
    pub fn many(self) -> &'static str {
        match self {
            Self::Volume => "volumes",
            Self::Snapshot => "snapshots",
            Self::Group => "groups",
            Self::Session => "sessions",
            Self::Target => "targets",
        }
    }
}

/// One thing of one kind, by its id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// What it is.
    pub kind: Kind,
    /// The system's id of it.
    pub id: String,
}

impl ObjectRef {
    /// A reference to the thing of `kind` with this `id`.
    #[must_use]
    pub fn new(kind: Kind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
        }
    }
}

macro_rules! reference {
    ($($id:ident => $kind:ident),+) => {
        $(impl From<&$id> for ObjectRef {
            fn from(id: &$id) -> Self {
                Self::new(Kind::$kind, id.as_str())
            }
        })+
    };
}

reference!(VolumeId => Volume, SnapshotId => Snapshot, GroupId => Group, SessionId => Session, TargetId => Target);

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.one(), self.id)
    }
}
