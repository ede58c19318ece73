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
}

impl Kind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Volume, Self::Snapshot];

    /// The word for one, in lower case.
    #[must_use]
    pub fn one(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Snapshot => "snapshot",
        }
    }

    /// The word for many, in lower case.
    #[must_use]
    pub fn many(self) -> &'static str {
        match self {
            Self::Volume => "volumes",
            Self::Snapshot => "snapshots",
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

impl From<&VolumeId> for ObjectRef {
    fn from(id: &VolumeId) -> Self {
        Self::new(Kind::Volume, id.as_str())
    }
}

impl From<&SnapshotId> for ObjectRef {
    fn from(id: &SnapshotId) -> Self {
        Self::new(Kind::Snapshot, id.as_str())
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.one(), self.id)
    }
}
