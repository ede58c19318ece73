//! What the system has, in the words of this program.

use std::collections::BTreeMap;

use super::MODE;
use super::inventory::{Inventory, pairs};
use crate::model::{
    self, Bytes, CopyMode, GroupState, LinkedTarget, Member, SessionId, SnapshotId, SnapshotState,
    TargetId, TargetState, VolumeId, VolumeState,
};
use crate::wire::vipr::{Base, Device, Session, Snapshot, Task, Volume};

/// A task on a thing, as what is done to it.
enum Doing {
    Creating,
    Deleting,
    Restoring,
    /// Anything else that changes it, in the system's words.
    Other(String),
}

fn doing(task: &Task) -> Doing {
    if task.state.is_suspended() {
        return Doing::Other(task.state.word().replace('_', " "));
    }
    let operation = task.operation().to_ascii_uppercase();
    match operation.split(' ').next().unwrap_or_default() {
        "CREATE" => Doing::Creating,
        "DELETE" => Doing::Deleting,
        "RESTORE" => Doing::Restoring,
        _ => Doing::Other(operation.to_lowercase()),
    }
}

fn volume_id(id: &crate::wire::vipr::Urn) -> VolumeId {
    VolumeId(id.to_string())
}

impl Inventory {
    fn device(&self, base: &Base, device: &Device) -> BTreeMap<String, String> {
        let group = device.group().map(|id| {
            self.groups
                .get(id)
                .cloned()
                .unwrap_or_else(|| id.to_string())
        });
        let project = device.project.as_ref().map(|project| {
            let name = self.projects.get(&project.id).cloned();
            name.unwrap_or_else(|| project.id.to_string())
        });
        pairs([
            ("project", project),
            ("consistency group", group),
            (
                "replication group",
                device.replication_group().map(str::to_owned),
            ),
            ("wwn", device.wwn.clone()),
            ("native id", device.native_id.clone()),
            ("tags", Some(tags(base))),
        ])
    }

    /// A volume, with how many points in time there are of it.
    pub(super) fn show_volume(&self, volume: &Volume) -> model::Volume {
        let mut taken = Vec::new();
        let plain = |snapshot: &&Snapshot| self.is_plain(snapshot);
        let snapshots: Vec<&Snapshot> = self
            .snapshots_of(&volume.base.id)
            .into_iter()
            .filter(plain)
            .collect();
        for session in self.sessions_of(volume) {
            // One that was made for a plain snapshot is the same point in time.
            let label = session.label();
            if snapshots.iter().all(|snapshot| snapshot.label() != label) {
                taken.push(session.base.created());
            }
        }
        taken.extend(snapshots.iter().map(|snapshot| snapshot.base.created()));
        let state = match self.task(&volume.base.id).map(doing) {
            // The volume's own part of taking a session leaves it as it is.
            Some(Doing::Creating) if !self.is_making_volume(volume) => VolumeState::Available,
            Some(Doing::Creating) => VolumeState::Creating,
            Some(Doing::Deleting) => VolumeState::Deleting,
            Some(Doing::Restoring) => VolumeState::Restoring,
            Some(Doing::Other(word)) => VolumeState::Unknown(word),
            None => match volume.access_state.as_deref() {
                Some(word @ ("NOT_READY" | "UNKNOWN")) => {
                    VolumeState::Unknown(word.to_lowercase().replace('_', " "))
                }
                _ => VolumeState::Available,
            },
        };
        let mut metadata = self.device(&volume.base, &volume.device);
        let copies = volume.full_copies();
        let named = |id| {
            self.volume(id).map_or_else(
                || id.to_string(),
                |copy: &Volume| copy.base.name().to_owned(),
            )
        };
        let names: Vec<String> = copies.iter().map(named).collect();
        metadata.extend(pairs([
            ("array type", volume.system_type.clone()),
            ("access", volume.access_state.clone()),
            ("full copies", Some(names.join(", "))),
            ("full copy of", volume.copied_from().as_ref().map(named)),
            ("full copy state", volume.copy_state().map(str::to_owned)),
            (
                "snapshot sessions",
                (volume.supports_snapshot_sessions == Some(false))
                    .then(|| "the array has none".to_owned()),
            ),
        ]));
        model::Volume {
            id: volume_id(&volume.base.id),
            name: volume.base.name().to_owned(),
            state,
            size: volume.device.size().unwrap_or_default(),
            used: volume.device.used(),
            exclusive: None,
            written: None,
            parent: None,
            instance: None,
            device: None,
            description: String::new(),
            created: volume.base.created(),
            snapshots: Some(taken.len() as u64),
            last_snapshot: taken.into_iter().flatten().max(),
            copy: None,
            metadata,
        }
    }

    fn is_making_volume(&self, volume: &Volume) -> bool {
        let task = self.task(&volume.base.id);
        task.is_some_and(|task| task.operation().eq_ignore_ascii_case("CREATE VOLUME"))
    }

    /// A target as the device that it is.
    pub(super) fn show_device(&self, snapshot: &Snapshot) -> model::Volume {
        let target = self.show_target(snapshot);
        model::Volume {
            id: target.volume,
            name: target.name,
            state: VolumeState::Available,
            size: target.size,
            used: snapshot.device.used(),
            exclusive: None,
            written: None,
            parent: None,
            instance: None,
            device: None,
            description: String::new(),
            created: target.created,
            snapshots: Some(0),
            last_snapshot: None,
            copy: None,
            metadata: target.metadata,
        }
    }

    fn source_name(&self, snapshot: &Snapshot) -> Option<String> {
        let volume = self.volume(snapshot.source()?)?;
        Some(volume.base.name().to_owned())
    }

    /// A plain snapshot.
    pub(super) fn show_snapshot(&self, snapshot: &Snapshot) -> model::Snapshot {
        let state = match self.task(&snapshot.base.id).map(doing) {
            Some(Doing::Creating) => SnapshotState::Creating,
            Some(Doing::Deleting) => SnapshotState::Deleting,
            Some(Doing::Restoring) => SnapshotState::Restoring,
            Some(Doing::Other(word)) => SnapshotState::Unknown(word),
            None => match &snapshot.replica_state {
                Some(state) => state.snapshot(),
                None => SnapshotState::Available,
            },
        };
        let session = self.session_of(&snapshot.base.id);
        let mut metadata = self.device(&snapshot.base, &snapshot.device);
        metadata.extend(pairs([
            ("label", Some(snapshot.label())),
            ("technology", snapshot.technology_type.clone()),
        ]));
        model::Snapshot {
            id: SnapshotId(snapshot.base.id.to_string()),
            name: snapshot.base.name().to_owned(),
            state,
            volume: snapshot
                .source()
                .map_or_else(|| VolumeId(String::new()), volume_id),
            volume_name: self.source_name(snapshot),
            // The system keeps no tree.
            parent: None,
            size: self.size(snapshot),
            used: snapshot.device.used(),
            exclusive: None,
            written: None,
            description: String::new(),
            created: snapshot.base.created(),
            guard: snapshot.base.name().starts_with(super::GUARD),
            clones: Vec::new(),
            group: None,
            session: session.map(|session| SessionId(session.base.id.to_string())),
            metadata,
        }
    }

    /// How large it is; as its source, where it does not say.
    fn size(&self, snapshot: &Snapshot) -> Bytes {
        let own = snapshot.device.size();
        let source = || self.volume(snapshot.source()?)?.device.size();
        own.or_else(source).unwrap_or_default()
    }

    /// A session. There is one point in time of each of its volumes, and none has a name or an id of its own.
    pub(super) fn show_session(&self, session: &Session) -> model::Session {
        let state = match self.task(&session.base.id).map(doing) {
            Some(Doing::Creating) => GroupState::Creating,
            Some(Doing::Deleting) => GroupState::Deleting,
            Some(Doing::Restoring) => GroupState::Restoring,
            Some(Doing::Other(word)) => GroupState::Unknown(word),
            None => GroupState::Available,
        };
        let member = |volume: &Volume| Member {
            snapshot: SnapshotId(session.base.id.to_string()),
            name: session.base.name().to_owned(),
            state: SnapshotState::Available,
            volume: volume_id(&volume.base.id),
            volume_name: Some(volume.base.name().to_owned()),
            size: volume.device.size().unwrap_or_default(),
            exclusive: None,
            failed: false,
            safety: None,
        };
        let members: Vec<Member> = self.volumes_of(session).into_iter().map(member).collect();
        let mut metadata = self.device(&session.base, &session.device);
        metadata.extend(pairs([
            ("label", Some(session.label())),
            ("set", session.session_set_name.clone()),
        ]));
        model::Session {
            id: SessionId(session.base.id.to_string()),
            name: session.base.name().to_owned(),
            state,
            taken: members.len() as u64,
            members,
            targets: session
                .targets()
                .map(|id| TargetId(id.to_string()))
                .collect(),
            description: String::new(),
            created: session.base.created(),
            metadata,
        }
    }

    /// A linked target.
    pub(super) fn show_target(&self, snapshot: &Snapshot) -> LinkedTarget {
        let session = self.session_of(&snapshot.base.id);
        let state = match (self.task(&snapshot.base.id), &snapshot.replica_state) {
            (Some(task), _) => TargetState::Unknown(task.operation().to_lowercase()),
            (None, Some(state)) => state.target(),
            (None, None) => TargetState::Linked,
        };
        let mut metadata = self.device(&snapshot.base, &snapshot.device);
        metadata.extend(pairs([("label", Some(snapshot.label()))]));
        LinkedTarget {
            id: TargetId(snapshot.base.id.to_string()),
            name: snapshot.base.name().to_owned(),
            state,
            mode: mode(&snapshot.base),
            session: session.map(|session| SessionId(session.base.id.to_string())),
            session_name: session.map(|session| session.base.name().to_owned()),
            snapshot: None,
            source: snapshot.source().map(volume_id),
            source_name: self.source_name(snapshot),
            volume: volume_id(&snapshot.base.id),
            size: self.size(snapshot),
            shared: None,
            written: None,
            copy: None,
            created: snapshot.base.created(),
            metadata,
        }
    }
}

/// The words that people put on a thing.
fn tags(base: &Base) -> String {
    let own = |tag: &&str| !tag.starts_with(super::KEY) && !tag.starts_with(MODE);
    let tags: Vec<&str> = base.tags().iter().map(String::as_str).filter(own).collect();
    tags.join(", ")
}

/// The copy mode of a target. The system does not tell it: it stands in a tag where it was linked from here.
pub(super) fn mode(base: &Base) -> CopyMode {
    match base.tagged(MODE) {
        Some(word) => CopyMode::from(word),
        None => CopyMode::Unknown("not told".to_owned()),
    }
}
