//! Points in time of several volumes at once, and the devices that show one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Bytes, CopyMode, GroupId, GroupState, Progress, SessionId, SnapshotId, SnapshotState, TargetId,
    TargetState, Time, VolumeId,
};

/// One volume's part in a group or a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The point in time of this volume.
    pub snapshot: SnapshotId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: SnapshotState,
    /// The volume.
    pub volume: VolumeId,
    /// The volume's name, where it is known.
    pub volume_name: Option<String>,
    /// What a host would see, in bytes.
    pub size: Bytes,
    /// Bytes that it alone holds: what deleting it would free.
    pub exclusive: Option<Bytes>,
    /// Whether the volume could not be taken back to it when the whole was restored last.
    #[serde(default)]
    pub failed: bool,
    /// What the volume held before that, where the system still keeps it.
    #[serde(default)]
    pub safety: Option<SnapshotId>,
}

/// Bytes that deleting all of these would free, as far as each tells.
fn exclusive(members: &[Member]) -> Option<Bytes> {
    let known = members.iter().filter_map(|member| member.exclusive);
    members
        .iter()
        .any(|member| member.exclusive.is_some())
        .then(|| Bytes(known.map(|bytes| bytes.0).sum()))
}

/// One point in time across several volumes: each of its members is a snapshot, and all
/// were taken at the same moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The system's id.
    pub id: GroupId,
    /// Its name; need not be unique.
    pub name: String,
    /// Its state.
    pub state: GroupState,
    /// Its members that are there, by the volume's name.
    pub members: Vec<Member>,
    /// How many it had when it was taken.
    pub taken: u64,
    /// The machine whose volumes they are, by name.
    pub instance: Option<String>,
    /// Free text.
    pub description: String,
    /// When it was taken.
    pub created: Option<Time>,
    /// Whether it was taken by itself, before a restore replaced what the volumes held.
    #[serde(default)]
    pub guard: bool,
    /// What else its system keeps on it, as key and value.
    pub metadata: BTreeMap<String, String>,
}

impl Group {
    /// Bytes that its members hold alone, as far as they tell.
    #[must_use]
    pub fn exclusive(&self) -> Option<Bytes> {
        exclusive(&self.members)
    }
}

/// A point in time of one or more volumes that hosts see nothing of until targets
/// are linked to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The system's id.
    pub id: SessionId,
    /// Its name; need not be unique.
    pub name: String,
    /// Its state.
    pub state: GroupState,
    /// Its points in time that are there, by the volume's name.
    pub members: Vec<Member>,
    /// How many it had when it was taken.
    pub taken: u64,
    /// The devices that are linked to it.
    pub targets: Vec<TargetId>,
    /// Free text.
    pub description: String,
    /// When it was taken.
    pub created: Option<Time>,
    /// What else its system keeps on it, as key and value.
    pub metadata: BTreeMap<String, String>,
}

impl Session {
    /// Bytes that its points in time hold alone, as far as they tell.
    #[must_use]
    pub fn exclusive(&self) -> Option<Bytes> {
        exclusive(&self.members)
    }
}

/// A device that shows what a session holds, and can be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkedTarget {
    /// The system's id.
    pub id: TargetId,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub state: TargetState,
    /// Whether it copies what it shows, or shares it.
    pub mode: CopyMode,
    /// The session that it is linked to; `None` where that is gone.
    pub session: Option<SessionId>,
    /// That session's name, where it is known.
    pub session_name: Option<String>,
    /// The point in time that it showed when it was linked.
    pub snapshot: Option<SnapshotId>,
    /// The volume whose point in time it shows.
    pub source: Option<VolumeId>,
    /// That volume's name, where it is known.
    pub source_name: Option<String>,
    /// The volume by which hosts see it.
    pub volume: VolumeId,
    /// What a host sees, in bytes.
    pub size: Bytes,
    /// Bytes that it shares with the session and others.
    pub shared: Option<Bytes>,
    /// Bytes written to it since it was linked; `None` where its copy is among them.
    pub written: Option<Bytes>,
    /// How far its copy has come, while there is one.
    pub copy: Option<Progress>,
    /// When it was linked.
    pub created: Option<Time>,
    /// What else its system keeps on it, as key and value.
    pub metadata: BTreeMap<String, String>,
}
