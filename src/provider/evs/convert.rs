//! What the service says, in the words of the house.

use std::collections::HashMap;
use std::sync::Arc;

use super::GUARD;
use super::line::Line;
use crate::model::{self, Bytes, SnapshotId, VolumeId};
use crate::provider::cinder::convert::{Beside, metadata, moment, named};
use crate::wire::evs::{Snapshot, Volume};

/// What is known of the disks beside their snapshots.
pub(super) fn beside(pages: &[Arc<Vec<Volume>>]) -> Beside {
    let disks = pages.iter().flat_map(|page| page.iter());
    Beside::of(disks.map(|disk| (disk.id.as_str(), disk_name(disk), disk.source())))
}

/// The name of a disk; its id where it has none.
pub(super) fn disk_name(disk: &Volume) -> String {
    named(disk.name(), &disk.id)
}

/// The name of a snapshot; its id where it has none.
pub(super) fn snapshot_name(snapshot: &Snapshot) -> String {
    named(snapshot.name(), &snapshot.id)
}

/// A snapshot on the line of its disk.
pub(super) fn snapshot(
    snapshot: &Snapshot,
    line: Option<&Line>,
    beside: &Beside,
) -> model::Snapshot {
    let parent = line.and_then(|line| line.parent(&snapshot.id));
    model::Snapshot {
        id: SnapshotId(snapshot.id.clone()),
        name: snapshot_name(snapshot),
        state: snapshot.status.state(),
        volume: VolumeId(snapshot.volume_id.clone()),
        volume_name: beside.name(&snapshot.volume_id),
        parent: parent.map(SnapshotId::from),
        size: Bytes::gib(snapshot.size),
        used: None,
        exclusive: None,
        written: None,
        description: snapshot.description().to_owned(),
        created: moment(snapshot.created()),
        guard: snapshot.metadata.contains_key(GUARD),
        clones: beside.clones(&snapshot.id),
        group: None,
        session: None,
        metadata: metadata(
            &snapshot.metadata,
            &[
                ("status", Some(snapshot.status.word())),
                ("made by", snapshot.made_by()),
            ],
        ),
    }
}

/// A disk; `lines` are those of all disks, where they are known.
pub(super) fn volume(disk: &Volume, lines: Option<&HashMap<String, Line>>) -> model::Volume {
    let line = lines.and_then(|lines| lines.get(&disk.id));
    let attached = disk.attachments.first();
    let parent = line
        .and_then(|line| line.place.clone())
        .or_else(|| disk.source().map(str::to_owned));
    model::Volume {
        id: VolumeId(disk.id.clone()),
        name: disk_name(disk),
        state: disk.status.state(),
        size: Bytes::gib(disk.size),
        used: None,
        exclusive: None,
        written: None,
        parent: parent.map(SnapshotId),
        instance: attached.and_then(|at| at.server_id.clone()),
        device: attached
            .and_then(|at| at.device.as_deref())
            .map(|device| device.trim_start_matches("/dev/").to_owned()),
        description: disk.description().to_owned(),
        created: moment(disk.created()),
        snapshots: lines.map(|_| line.map_or(0, |line| line.count)),
        last_snapshot: line.and_then(|line| line.newest),
        copy: None,
        metadata: metadata(
            &disk.metadata,
            &[
                ("status", Some(disk.status.word())),
                ("type", disk.kind()),
                ("zone", disk.zone()),
                ("bootable", disk.is_bootable().then_some("true")),
                ("encrypted", disk.is_encrypted().then_some("true")),
            ],
        ),
    }
}
