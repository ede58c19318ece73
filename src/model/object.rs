//! The things that a system has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Bytes, Group, GroupId, Kind, LinkedTarget, ObjectRef, Progress, Session, SessionId, SnapshotId,
    SnapshotState, Time, VolumeId, VolumeState,
};

/// A block device that can be written. A figure that the system does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    /// The system's id.
    pub id: VolumeId,
    /// Its name; need not be unique.
    pub name: String,
    /// Its state.
    pub state: VolumeState,
    /// What the host sees, in bytes.
    pub size: Bytes,
    /// Bytes that its mapping refers to, shared or not.
    pub used: Option<Bytes>,
    /// Bytes that it alone holds: what deleting it would free.
    pub exclusive: Option<Bytes>,
    /// Bytes written since the point in time that it descends from.
    pub written: Option<Bytes>,
    /// The point in time that it descends from; `None` where it has none.
    pub parent: Option<SnapshotId>,
    /// The machine that it is attached to, by name.
    pub instance: Option<String>,
    /// Its device name there (`vda`).
    pub device: Option<String>,
    /// Free text.
    pub description: String,
    /// When it was made.
    pub created: Option<Time>,
    /// How many points in time of it there are; `None` where they are not counted yet.
    pub snapshots: Option<u64>,
    /// When the newest of them was taken.
    pub last_snapshot: Option<Time>,
    /// A background copy into it that is under way.
    pub copy: Option<Progress>,
    /// What else its system keeps on it, as key and value.
    pub metadata: BTreeMap<String, String>,
}

/// A read-only point in time of one volume; a node of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The system's id.
    pub id: SnapshotId,
    /// Its name; need not be unique.
    pub name: String,
    /// Its state.
    pub state: SnapshotState,
    /// The volume whose history it belongs to.
    pub volume: VolumeId,
    /// That volume's name, where it is known.
    pub volume_name: Option<String>,
    /// The point in time before it in the tree, perhaps of another volume (of
    /// which this one is a clone).
    pub parent: Option<SnapshotId>,
    /// What a host would see, in bytes.
    pub size: Bytes,
    /// Bytes that its mapping refers to, shared or not.
    pub used: Option<Bytes>,
    /// Bytes that it alone holds: what deleting it would free.
    pub exclusive: Option<Bytes>,
    /// Bytes written between its parent and it.
    pub written: Option<Bytes>,
    /// Free text.
    pub description: String,
    /// When it was taken.
    pub created: Option<Time>,
    /// Whether the program took it by itself, to guard what a restore replaced.
    pub guard: bool,
    /// Volumes that were made from it and still share with it.
    pub clones: Vec<VolumeId>,
    /// The group that it is a member of.
    pub group: Option<GroupId>,
    /// The session that it is a point in time of.
    pub session: Option<SessionId>,
    /// What else its system keeps on it, as key and value.
    pub metadata: BTreeMap<String, String>,
}

/// Anything that can be listed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Object {
    /// A volume.
    Volume(Volume),
    /// A snapshot.
    Snapshot(Snapshot),
    /// A group.
    Group(Group),
    /// A session.
    Session(Session),
    /// A linked target.
    Target(LinkedTarget),
}

impl Object {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Volume(_) => Kind::Volume,
            Self::Snapshot(_) => Kind::Snapshot,
            Self::Group(_) => Kind::Group,
            Self::Session(_) => Kind::Session,
            Self::Target(_) => Kind::Target,
        }
    }

    /// The system's id of it.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Volume(v) => v.id.as_str(),
            Self::Snapshot(s) => s.id.as_str(),
            Self::Group(g) => g.id.as_str(),
            Self::Session(s) => s.id.as_str(),
            Self::Target(t) => t.id.as_str(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Volume(v) => &v.name,
            Self::Snapshot(s) => &s.name,
            Self::Group(g) => &g.name,
            Self::Session(s) => &s.name,
            Self::Target(t) => &t.name,
        }
    }

    /// Its kind and id.
    #[must_use]
    pub fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.kind(), self.id())
    }

    /// The name as it is typed on a command line: `db01-data`, `db01-data@nightly`.
    #[must_use]
    pub fn full_name(&self) -> String {
        match self {
            Self::Snapshot(s) => format!(
                "{}@{}",
                s.volume_name.as_deref().unwrap_or(s.volume.as_str()),
                s.name
            ),
            other => other.name().to_owned(),
        }
    }
}
