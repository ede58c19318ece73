//! What is asked of a system, and how its answers come.

use serde::{Deserialize, Serialize};

use super::{Kind, Object, ObjectRef, VolumeId, thing};

/// A question for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Which kind to list.
    pub kind: Kind,
    /// Only what belongs to this volume (snapshots of it).
    pub volume: Option<VolumeId>,
    /// What is quickly known is wanted at once; what is counted or named only later is told as a change then.
    pub early: bool,
}

impl Query {
    /// Everything of this kind.
    #[must_use]
    pub fn all(kind: Kind) -> Self {
        Self {
            kind,
            volume: None,
            early: false,
        }
    }

    /// The snapshots of one volume.
    #[must_use]
    pub fn snapshots_of(volume: VolumeId) -> Self {
        Self {
            kind: Kind::Snapshot,
            volume: Some(volume),
            early: false,
        }
    }

    /// The same, as soon as anything is known.
    #[must_use]
    pub fn early(mut self) -> Self {
        self.early = true;
        self
    }
}

/// A part of a list; a list is a stream of these, so that a screen fills as they arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The things, in the system's order.
    #[serde(with = "thing::list")]
    pub items: Vec<Object>,
    /// How many there are in all, where the system says so.
    pub total: Option<u64>,
}

/// A body as the system sent it, or as it keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raw {
    /// Its media type (`application/json`).
    pub media_type: String,
    /// The text, with secrets taken out.
    pub text: String,
}

/// Something became different. Says what to read again, not what it now is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// This thing was made, changed or removed.
    Object(ObjectRef),
    /// Any number of things of this kind may have changed.
    Kind(Kind),
}
