//! What the service says, in the words of the house.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::machines::Machines;
use super::{MARK, OWN};
use crate::model::{self, Bytes, GroupId, Member, SnapshotId, Time, VolumeId};
use crate::wire::cinder::{GroupSnapshot, Snapshot, Volume, time};

/// What is known of the volumes, for the snapshots that are listed beside them.
#[derive(Default)]
pub(in crate::provider) struct Beside {
    /// Names by ids.
    names: HashMap<String, String>,
    /// The snapshot that a volume was made from.
    sources: HashMap<String, String>,
    /// The volumes that were made from a snapshot.
    clones: HashMap<String, Vec<VolumeId>>,
}

impl Beside {
    pub(super) fn new(pages: &[Arc<Vec<Volume>>]) -> Self {
        let volumes = pages.iter().flat_map(|page| page.iter());
        Self::of(volumes.map(|v| (v.id.as_str(), volume_name(v), v.snapshot_id.as_deref())))
    }

    /// Volumes as their ids, their names, and the snapshots that they were made from.
    pub(in crate::provider) fn of<'v>(
        volumes: impl Iterator<Item = (&'v str, String, Option<&'v str>)>,
    ) -> Self {
        let mut beside = Self::default();
        for (id, name, source) in volumes {
            beside.names.insert(id.to_owned(), name);
            if let Some(source) = source {
                beside.sources.insert(id.to_owned(), source.to_owned());
                let clones = beside.clones.entry(source.to_owned()).or_default();
                clones.push(VolumeId(id.to_owned()));
            }
        }
        for clones in beside.clones.values_mut() {
            clones.sort();
        }
        beside
    }

    /// The snapshot that a volume was made from.
    pub(in crate::provider) fn source(&self, volume: &str) -> Option<&str> {
        self.sources.get(volume).map(String::as_str)
    }

    /// The volumes that were made from a snapshot.
    pub(in crate::provider) fn clones(&self, snapshot: &str) -> Vec<VolumeId> {
        self.clones.get(snapshot).cloned().unwrap_or_default()
    }

    pub(in crate::provider) fn name(&self, volume: &str) -> Option<String> {
        self.names.get(volume).cloned()
    }

    /// A snapshot, of which `before` was taken before it of the same volume.
    pub(super) fn snapshot(&self, snapshot: &Snapshot, before: Option<&str>) -> model::Snapshot {
        let parent = before.or_else(|| self.source(&snapshot.volume_id));
        model::Snapshot {
            id: SnapshotId(snapshot.id.clone()),
            name: named(&snapshot.name, &snapshot.id),
            state: snapshot.status.state(),
            volume: VolumeId(snapshot.volume_id.clone()),
            volume_name: self.name(&snapshot.volume_id),
            parent: parent.map(SnapshotId::from),
            size: Bytes::gib(snapshot.size),
            used: None,
            exclusive: None,
            written: None,
            description: snapshot.description.clone(),
            created: moment(snapshot.created_at.as_deref()),
            guard: false,
            clones: self.clones(&snapshot.id),
            group: snapshot.group_snapshot_id.clone().map(GroupId),
            session: None,
            metadata: metadata(
                &snapshot.metadata,
                &[
                    ("status", Some(snapshot.status.word())),
                    ("project", snapshot.project.as_deref()),
                ],
            ),
        }
    }

    /// A group snapshot and its members.
    pub(super) fn group(&self, group: &GroupSnapshot, members: &[&Snapshot]) -> model::Group {
        let mut members: Vec<Member> = members
            .iter()
            .map(|snapshot| Member {
                snapshot: SnapshotId(snapshot.id.clone()),
                name: named(&snapshot.name, &snapshot.id),
                state: snapshot.status.state(),
                volume: VolumeId(snapshot.volume_id.clone()),
                volume_name: self.name(&snapshot.volume_id),
                size: Bytes::gib(snapshot.size),
                exclusive: None,
                failed: false,
                safety: None,
            })
            .collect();
        members.sort_by(|a, b| (&a.volume_name, &a.volume).cmp(&(&b.volume_name, &b.volume)));
        model::Group {
            guard: false,
            id: GroupId(group.id.clone()),
            name: named(&group.name, &group.id),
            state: group.status.state(),
            // None of them can be deleted alone.
            taken: members.len() as u64,
            members,
            instance: None,
            description: without_mark(&group.description),
            created: moment(group.created_at.as_deref()),
            metadata: metadata(
                &BTreeMap::new(),
                &[
                    ("status", Some(group.status.word())),
                    ("group", group.group_id.as_deref()),
                ],
            ),
        }
    }
}

/// What is known of a volume's snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    count: u64,
    /// When the newest was taken, as the service writes it, and its id.
    newest: Option<(Option<String>, String)>,
}

impl Tally {
    /// By volumes.
    pub(super) fn of<'s>(snapshots: impl Iterator<Item = &'s Snapshot>) -> HashMap<String, Tally> {
        let mut all: HashMap<String, Tally> = HashMap::new();
        for snapshot in snapshots {
            let tally = match all.get_mut(&snapshot.volume_id) {
                Some(tally) => tally,
                None => all.entry(snapshot.volume_id.clone()).or_default(),
            };
            tally.count += 1;
            let this = (snapshot.created_at.clone(), snapshot.id.clone());
            if tally.newest.as_ref().is_none_or(|newest| *newest < this) {
                tally.newest = Some(this);
            }
        }
        all
    }
}

/// A volume; `tallies` are those of all volumes, where they are known.
pub(super) fn volume(
    volume: &Volume,
    tallies: Option<&HashMap<String, Tally>>,
    machines: &Machines,
) -> model::Volume {
    let tally = tallies.and_then(|tallies| tallies.get(&volume.id));
    let newest = tally.and_then(|tally| tally.newest.as_ref());
    let attached = volume.attachments.first();
    let parent = newest
        .map(|(_, id)| id.clone())
        .or_else(|| volume.snapshot_id.clone());
    model::Volume {
        id: VolumeId(volume.id.clone()),
        name: volume_name(volume),
        state: volume.status.state(),
        size: Bytes::gib(volume.size),
        used: None,
        exclusive: None,
        written: None,
        parent: parent.map(SnapshotId),
        instance: attached
            .and_then(|at| at.server_id.as_deref())
            .map(|id| machines.name(id)),
        device: attached
            .and_then(|at| at.device.as_deref())
            .map(|device| device.trim_start_matches("/dev/").to_owned()),
        description: volume.description.clone(),
        created: moment(volume.created_at.as_deref()),
        snapshots: tallies.map(|_| tally.map_or(0, |tally| tally.count)),
        last_snapshot: newest.and_then(|(at, _)| moment(at.as_deref())),
        copy: None,
        metadata: metadata(
            &volume.metadata,
            &[
                ("status", Some(volume.status.word())),
                ("type", volume.volume_type.as_deref()),
                ("zone", volume.availability_zone.as_deref()),
                ("group", volume.group_id.as_deref()),
                ("project", volume.project.as_deref()),
                ("bootable", volume.bootable.then_some("true")),
                ("encrypted", volume.encrypted.then_some("true")),
            ],
        ),
    }
}

pub(in crate::provider) fn volume_name(volume: &Volume) -> String {
    named(&volume.name, &volume.id)
}

/// Its name; what has none is called by its id, as the service's own tools do.
pub(in crate::provider) fn named(name: &str, id: &str) -> String {
    match name.is_empty() {
        true => id.to_owned(),
        false => name.to_owned(),
    }
}

pub(in crate::provider) fn moment(text: Option<&str>) -> Option<Time> {
    text.and_then(time)
}

/// What people keep on it, and what the service says of it beside; people's own keys go before.
pub(in crate::provider) fn metadata(
    own: &BTreeMap<String, String>,
    said: &[(&str, Option<&str>)],
) -> BTreeMap<String, String> {
    let said = said
        .iter()
        .filter_map(|(key, value)| Some(((*key).to_owned(), (*value)?.to_owned())));
    let mut all: BTreeMap<String, String> = said.collect();
    let own = own.iter().filter(|(key, _)| !key.starts_with(OWN));
    all.extend(own.map(|(k, v)| (k.clone(), v.clone())));
    all
}

/// A description without the key that stands at its end.
pub(in crate::provider) fn without_mark(description: &str) -> String {
    match description.find(MARK) {
        Some(at) => description[..at].trim_end().to_owned(),
        None => description.to_owned(),
    }
}

/// A description with a key at its end, which is how a thing without metadata keeps it.
pub(in crate::provider) fn with_mark(description: &str, key: &str) -> String {
    match description.is_empty() {
        true => format!("{MARK}{key}]"),
        false => format!("{description} {MARK}{key}]"),
    }
}
