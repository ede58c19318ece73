//! What PowerVC says, in the words of the house.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::model::{
    Bytes, CopyMode, Group, GroupId, LinkedTarget, Member, Progress, SnapshotId, SnapshotState,
    TargetId, TargetState, VolumeId,
};
use crate::provider::cinder::MARK;
use crate::provider::cinder::convert::{named, volume_name, without_mark};
use crate::provider::cinder::machines::Machines;
use crate::wire::cinder::{Snapshot, Volume, time};
use crate::wire::powervc::{CopyState, InstanceSnapshot, Mapping};

/// What the word before the key is where a thing was taken to guard what a restore replaces.
pub(super) const GUARD: &str = "guard ";

/// The volumes and snapshots that instance snapshots and mappings are about.
#[derive(Default)]
pub(super) struct Beside {
    volumes: HashMap<String, (String, Bytes)>,
    snapshots: HashMap<String, (String, Bytes, SnapshotState)>,
}

impl Beside {
    pub(super) fn new(volumes: &[Arc<Vec<Volume>>], snapshots: &[Arc<Vec<Snapshot>>]) -> Self {
        let volumes = volumes.iter().flat_map(|page| page.iter());
        let snapshots = snapshots.iter().flat_map(|page| page.iter());
        Self {
            volumes: volumes
                .map(|v| (v.id.clone(), (volume_name(v), Bytes::gib(v.size))))
                .collect(),
            snapshots: snapshots
                .map(|s| {
                    let name = named(&s.name, &s.id);
                    (s.id.clone(), (name, Bytes::gib(s.size), s.status.state()))
                })
                .collect(),
        }
    }

    /// What a volume is called; its id where that is not known.
    pub(super) fn volume<'b>(&'b self, id: &'b str) -> &'b str {
        self.volumes.get(id).map_or(id, |(name, _)| name)
    }

    /// What a snapshot is called; its id where that is not known.
    pub(super) fn snapshot<'b>(&'b self, id: &'b str) -> &'b str {
        self.snapshots.get(id).map_or(id, |(name, ..)| name)
    }

    /// An instance snapshot and its members.
    pub(super) fn group(&self, of: &InstanceSnapshot, machines: &Machines) -> Group {
        let safety: HashMap<&str, &str> = of.safety().collect();
        let failed: HashMap<&str, &str> = of.failed().collect();
        let mut members: Vec<Member> = of
            .members()
            .map(|(volume, snapshot)| {
                let known = self.snapshots.get(snapshot);
                let own = self.volumes.get(volume);
                Member {
                    snapshot: SnapshotId::from(snapshot),
                    name: self.snapshot(snapshot).to_owned(),
                    // It need not be among those that block storage lists.
                    state: known.map_or_else(
                        || SnapshotState::Unknown("not listed".to_owned()),
                        |(.., state)| state.clone(),
                    ),
                    volume: VolumeId::from(volume),
                    volume_name: own.map(|(name, _)| name.clone()),
                    size: known
                        .map(|(_, size, _)| *size)
                        .or(own.map(|(_, size)| *size))
                        .unwrap_or_default(),
                    exclusive: None,
                    failed: failed.contains_key(volume),
                    safety: safety.get(volume).map(|id| SnapshotId::from(*id)),
                }
            })
            .collect();
        members.sort_by(|a, b| (&a.volume_name, &a.volume).cmp(&(&b.volume_name, &b.volume)));
        let description = of.description.as_deref().unwrap_or_default();
        let said = [
            ("status", Some(of.status.word())),
            ("machine", Some(of.instance_id.as_str())),
            ("latest operation", of.action()),
            ("changed", of.updated_at.as_deref()),
        ];
        let said = said
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
        let mut metadata: BTreeMap<String, String> = said.collect();
        for (key, value) in &of.others {
            metadata.insert(key.clone(), value.to_string());
        }
        Group {
            id: GroupId(of.id.clone()),
            name: named(of.name.as_deref().unwrap_or_default(), &of.id),
            state: of.status.state(),
            taken: members.len() as u64,
            members,
            instance: Some(machines.name(&of.instance_id)),
            description: without_mark(description),
            created: of.created_at.as_deref().and_then(time),
            guard: description.contains(&format!("{MARK}{GUARD}")),
            metadata,
        }
    }

    /// The bytes that a percentage of an instance snapshot is.
    pub(super) fn progress(&self, of: &InstanceSnapshot, percent: u8) -> Progress {
        let sizes = of
            .members()
            .filter_map(|(volume, _)| self.volumes.get(volume));
        let total = sizes.map(|(_, size)| size.0).sum::<u64>();
        // Where no size is known a percent is a percent.
        let total = if total == 0 { 100 } else { total };
        Progress {
            done: Bytes(total / 100 * u64::from(percent)),
            total: Bytes(total),
            rate: Bytes(0),
        }
    }

    /// A FlashCopy mapping, which was told of this volume. What it copies is known by the storage's own names, which end in the
    /// beginning of an id.
    pub(super) fn mapping(&self, of: &Mapping, asked: &str) -> LinkedTarget {
        let source = of.source_vdisk_name.as_deref().unwrap_or_default();
        let target = of.target_vdisk_name.as_deref().unwrap_or_default();
        let volume = |vdisk: &str| match is_of(vdisk, "volume-", asked) {
            true => Some(asked.to_owned()),
            false => only(vdisk, "volume-", self.volumes.keys()),
        };
        let snapshot = only(target, "snapshot-", self.snapshots.keys());
        let source_id = volume(source).unwrap_or_else(|| asked.to_owned());
        let seen_as = volume(target).unwrap_or_else(|| source_id.clone());
        let size = self
            .volumes
            .get(&source_id)
            .map_or(Bytes(0), |(_, size)| *size);
        let state = match of.state() {
            CopyState::Idle => TargetState::Copied,
            CopyState::Preparing | CopyState::Copying | CopyState::Stopping => TargetState::Copying,
            CopyState::Stopped | CopyState::Suspended => TargetState::Paused,
            CopyState::Unknown => TargetState::Unknown(of.status.text()),
        };
        let figure = match of.restoring.is_yes() {
            true => &of.restore_progress,
            false => &of.progress,
        };
        let copy = figure
            .percent()
            .filter(|_| of.is_busy())
            .map(|percent| Progress {
                done: Bytes(size.0 / 100 * u64::from(percent)),
                total: size,
                rate: Bytes(0),
            });
        let shown = match (&snapshot, volume(target)) {
            (Some(id), _) => self.snapshot(id).to_owned(),
            (None, Some(id)) => self.volume(&id).to_owned(),
            (None, None) => target.to_owned(),
        };
        LinkedTarget {
            id: TargetId(of.name.clone()),
            name: of.name.clone(),
            state,
            mode: match of.copyrate.percent() {
                Some(0) => CopyMode::NoCopy,
                _ => CopyMode::Copy,
            },
            session: None,
            session_name: Some(shown),
            snapshot: snapshot.map(SnapshotId),
            source_name: Some(self.volume(&source_id).to_owned()),
            source: Some(VolumeId(source_id)),
            volume: VolumeId(seen_as),
            size,
            shared: None,
            written: None,
            copy,
            created: None,
            metadata: said_of(of),
        }
    }
}

/// The only one of these ids that the storage's name of a disk can be of.
fn only<'i>(vdisk: &str, kind: &str, ids: impl Iterator<Item = &'i String>) -> Option<String> {
    let mut all = ids.filter(|id| is_of(vdisk, kind, id));
    all.next().filter(|_| all.next().is_none()).cloned()
}

/// Whether the storage's name of a disk is that of the thing with this id: it ends in the first eight characters of the id, or
/// in more of them.
fn is_of(vdisk: &str, kind: &str, id: &str) -> bool {
    let Some(short) = id.get(..8) else {
        return false;
    };
    let ends = |at: usize| id.starts_with(&vdisk[at..]);
    vdisk.starts_with(kind) && vdisk.rfind(short).is_some_and(ends)
}

fn said_of(mapping: &Mapping) -> BTreeMap<String, String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let figure = |figure: &crate::wire::powervc::Figure| match figure.0.is_null() {
        true => String::new(),
        false => figure.to_string(),
    };
    let said = [
        ("status", mapping.status.text()),
        ("progress", figure(&mapping.progress)),
        ("restore_progress", figure(&mapping.restore_progress)),
        ("source_vdisk_name", text(&mapping.source_vdisk_name)),
        ("target_vdisk_name", text(&mapping.target_vdisk_name)),
        ("incremental", mapping.incremental.text()),
        ("copyrate", figure(&mapping.copyrate)),
        ("restoring", mapping.restoring.text()),
    ];
    let mut all: BTreeMap<String, String> = said
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    for (key, value) in &mapping.others {
        let value = match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        all.insert(key.clone(), value);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_known_by_the_beginning_of_an_id() {
        let id = "fb338692-90f3-4a80-b2a6-4e5f60718293";
        assert!(is_of("volume-bulk-1-fb338692-90f3", "volume-", id));
        assert!(is_of("volume-bulk-1-fb338692", "volume-", id));
        assert!(!is_of("snapshot-bulk-1-fb338692", "volume-", id));
        assert!(!is_of("volume-fb338692-copy", "volume-", id));
        let two = [
            id.to_owned(),
            "fb338692-0000-4a80-b2a6-4e5f60718293".to_owned(),
        ];
        assert_eq!(
            only("volume-x-fb338692", "volume-", two.iter()),
            None,
            "it may be either"
        );
        let found = only("volume-x-fb338692-90", "volume-", two.iter());
        assert_eq!(found.as_deref(), Some(id));
        assert!(!is_of("", "volume-", id) && !is_of("volume-x", "volume-", "x"));
    }
}
