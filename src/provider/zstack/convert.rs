//! What the system says, in the words of the house.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::sight::{Lines, Machines, moment, unavailable};
use super::{GUARD, GUARDS};
use crate::model::{
    self, Bytes, GroupId, GroupState, Member, SnapshotId, SnapshotState, VolumeId, VolumeState,
};
use crate::wire::zstack::{
    Enabled, Group, Number, Snapshot, SnapshotStatus, Volume, VolumeStatus, VolumeType, Zone,
};

/// A name; the id where there is none.
pub(super) fn named(name: Option<&str>, id: &str) -> String {
    match name.map(str::trim) {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => id.to_owned(),
    }
}

pub(super) fn volume_name(volume: &Volume) -> String {
    named(volume.name.as_deref(), &volume.uuid)
}

pub(super) fn snapshot_name(snapshot: &Snapshot) -> String {
    named(snapshot.name.as_deref(), &snapshot.uuid)
}

pub(super) fn group_name(group: &Group) -> String {
    named(group.name.as_deref(), &group.uuid)
}

pub(super) fn bytes(number: Option<&Number>) -> Bytes {
    Bytes(number.and_then(Number::get).unwrap_or(0))
}

/// A guard bears its mark in what is said of it, and its name begins as those of guards do.
fn is_guard(name: Option<&str>, description: Option<&str>) -> bool {
    description == Some(GUARDS) && name.is_some_and(|name| name.starts_with(GUARD))
}

/// The names and sizes of volumes, for what is listed beside them.
#[derive(Default)]
pub(super) struct Beside {
    volumes: HashMap<String, (String, Bytes)>,
}

impl Beside {
    pub(super) fn new(pages: &[Arc<Vec<Volume>>]) -> Self {
        let volumes = pages.iter().flat_map(|page| page.iter());
        let entry = |v: &Volume| (v.uuid.clone(), (volume_name(v), bytes(v.size.as_ref())));
        Self {
            volumes: volumes.map(entry).collect(),
        }
    }

    pub(super) fn name(&self, volume: &str) -> Option<String> {
        self.volumes.get(volume).map(|(name, _)| name.clone())
    }

    fn size(&self, volume: &str) -> Bytes {
        self.volumes
            .get(volume)
            .map(|(_, size)| *size)
            .unwrap_or_default()
    }
}

/// Texts that are there, by what they are.
fn metadata(texts: &[(&str, Option<&str>)]) -> BTreeMap<String, String> {
    let there = texts
        .iter()
        .filter_map(|(key, text)| Some((key, text.as_ref()?)));
    there
        .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
        .collect()
}

fn volume_state(volume: &Volume) -> VolumeState {
    let attached = volume.vm_instance_uuid.is_some();
    match (&volume.status, &volume.state) {
        (Some(VolumeStatus::Ready), Some(Enabled::Disabled)) => {
            VolumeState::Unknown(Enabled::Disabled.word().to_owned())
        }
        (Some(VolumeStatus::Ready), _) if attached => VolumeState::InUse,
        (Some(VolumeStatus::Ready), _) => VolumeState::Available,
        (Some(VolumeStatus::Creating), _) => VolumeState::Creating,
        (Some(other), _) => VolumeState::Unknown(other.word().to_owned()),
        (None, _) => VolumeState::Unknown("not told".to_owned()),
    }
}

/// A volume; `lines` are there where the trees are known.
pub(super) fn volume(
    volume: &Volume,
    lines: Option<&Lines>,
    machines: Option<&Machines>,
    zone: &Zone,
) -> model::Volume {
    let line = lines.and_then(|lines| lines.get(&volume.uuid));
    let instance = volume.vm_instance_uuid.as_ref().map(|id| {
        let machine = machines.and_then(|machines| machines.get(id));
        machine.map_or_else(|| id.clone(), |machine| machine.name.clone())
    });
    let slot = volume.device_id.as_ref().and_then(Number::get);
    let path = volume.install_path.as_deref();
    model::Volume {
        id: VolumeId(volume.uuid.clone()),
        name: volume_name(volume),
        state: volume_state(volume),
        size: bytes(volume.size.as_ref()),
        used: volume.actual_size.as_ref().and_then(Number::get).map(Bytes),
        exclusive: None,
        written: None,
        parent: line.and_then(|line| line.here.clone()).map(SnapshotId),
        device: instance.as_ref().and(slot).map(|slot| slot.to_string()),
        instance,
        description: volume.description.clone().unwrap_or_default(),
        created: moment(volume.create_date.as_ref(), zone),
        snapshots: lines.map(|_| line.map_or(0, |line| line.count)),
        last_snapshot: line.and_then(|line| line.newest),
        copy: None,
        metadata: metadata(&[
            ("type", volume.r#type.as_ref().map(VolumeType::word)),
            ("status", volume.status.as_ref().map(VolumeStatus::word)),
            ("state", volume.state.as_ref().map(Enabled::word)),
            ("format", volume.format.as_deref()),
            ("path", path),
            ("storage", volume.primary_storage_uuid.as_deref()),
            (
                "shareable",
                (volume.is_shareable == Some(true)).then_some("true"),
            ),
        ]),
    }
}

/// A snapshot.
pub(super) fn snapshot(snapshot: &Snapshot, beside: &Beside, zone: &Zone) -> model::Snapshot {
    let volume = snapshot.volume_uuid.clone().unwrap_or_default();
    let state = match (&snapshot.status, &snapshot.state) {
        (Some(status), Some(Enabled::Disabled)) if status.state() == SnapshotState::Available => {
            SnapshotState::Unknown(Enabled::Disabled.word().to_owned())
        }
        (Some(status), _) => status.state(),
        (None, _) => SnapshotState::Unknown("not told".to_owned()),
    };
    let distance = snapshot.distance.as_ref().and_then(Number::get);
    let distance = distance.map(|n| n.to_string());
    let (name, description) = (snapshot.name.as_deref(), snapshot.description.as_deref());
    model::Snapshot {
        id: SnapshotId(snapshot.uuid.clone()),
        name: snapshot_name(snapshot),
        state,
        volume_name: beside.name(&volume),
        size: beside.size(&volume),
        volume: VolumeId(volume),
        parent: snapshot.parent_uuid.clone().map(SnapshotId),
        used: snapshot.size.as_ref().and_then(Number::get).map(Bytes),
        exclusive: None,
        written: None,
        description: description.unwrap_or_default().to_owned(),
        created: moment(snapshot.create_date.as_ref(), zone),
        guard: is_guard(name, description),
        clones: Vec::new(),
        group: snapshot.group_uuid.clone().map(GroupId),
        session: None,
        metadata: metadata(&[
            ("status", snapshot.status.as_ref().map(SnapshotStatus::word)),
            ("state", snapshot.state.as_ref().map(Enabled::word)),
            ("type", snapshot.r#type.as_deref()),
            ("format", snapshot.format.as_deref()),
            ("tree", snapshot.tree_uuid.as_deref()),
            ("distance", distance.as_deref()),
            ("latest", (snapshot.latest == Some(true)).then_some("true")),
            (
                "of a volume of type",
                snapshot.volume_type.as_ref().map(VolumeType::word),
            ),
        ]),
    }
}

/// A group.
pub(super) fn group(
    group: &Group,
    beside: &Beside,
    machines: &Machines,
    zone: &Zone,
) -> model::Group {
    let vm = group.vm_instance_uuid.as_deref().unwrap_or_default();
    let machine = machines.get(vm);
    let mut refs: Vec<_> = group.live().collect();
    // The root disk first.
    refs.sort_by_key(|one| (one.slot(), one.volume_name.clone()));
    let members: Vec<Member> = refs
        .into_iter()
        .map(|one| Member {
            snapshot: SnapshotId(one.volume_snapshot_uuid.clone()),
            name: one.name().to_owned(),
            state: SnapshotState::Available,
            volume: VolumeId(one.volume().to_owned()),
            volume_name: one.volume_name.clone(),
            size: beside.size(one.volume()),
            exclusive: None,
            failed: false,
            safety: None,
        })
        .collect();
    let count = group.snapshot_count.as_ref().and_then(Number::get);
    let taken = count.unwrap_or(0).max(group.refs().len() as u64);
    let whole = members.len() as u64 == taken;
    let reasons = unavailable(group, machine).join("; ");
    let (name, description) = (group.name.as_deref(), group.description.as_deref());
    model::Group {
        id: GroupId(group.uuid.clone()),
        name: group_name(group),
        state: match whole {
            true => GroupState::Available,
            false => GroupState::Incomplete,
        },
        members,
        taken,
        instance: machine
            .map(|machine| machine.name.clone())
            .or_else(|| (!vm.is_empty()).then(|| vm.to_owned())),
        description: description.unwrap_or_default().to_owned(),
        created: moment(group.create_date.as_ref(), zone),
        guard: is_guard(name, description),
        metadata: metadata(&[
            (
                "cannot be gone back to",
                Some(reasons.as_str()).filter(|r| !r.is_empty()),
            ),
            ("memory", group.has_memory().then_some("true")),
        ]),
    }
}
