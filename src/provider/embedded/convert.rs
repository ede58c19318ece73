//! The engine's volumes and points as the things of the house.

use std::collections::HashMap;

use super::attributes;
use super::sets::SetKind;
use crate::engine::{self, JobState, PointInfo, VolumeInfo};
use crate::model::{
    Bytes, Change, GroupId, Kind, ObjectRef, Problem, Progress, SessionId, Snapshot, SnapshotId,
    SnapshotState, Time, Volume, VolumeId, VolumeState,
};

/// The id of an engine's volume.
pub(super) fn volume_id(id: engine::VolumeId) -> VolumeId {
    VolumeId(id.to_string())
}

/// The id of an engine's point.
pub(super) fn snapshot_id(id: engine::PointId) -> SnapshotId {
    SnapshotId(id.to_string())
}

/// The engine's id of a volume.
pub(super) fn engine_volume(id: &str) -> Result<engine::VolumeId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(format!("there is no volume {id}")))
}

/// The engine's id of a point.
pub(super) fn engine_point(id: &str) -> Result<engine::PointId, Problem> {
    id.parse()
        .map_err(|_| Problem::not_found(format!("there is no snapshot {id}")))
}

/// How many points in time each volume has, and when the newest was taken.
pub(super) type PointCounts = HashMap<engine::VolumeId, (u64, Option<Time>)>;

fn count(counts: &mut PointCounts, volume: engine::VolumeId, taken: Time) {
    let entry = counts.entry(volume).or_default();
    entry.0 += 1;
    entry.1 = entry.1.max(Some(taken));
}

/// Counts points.
pub(super) fn count_points(points: &[PointInfo]) -> PointCounts {
    let mut counts = PointCounts::new();
    for point in points {
        let taken = attributes::taken(&point.attrs, point.created);
        count(&mut counts, point.volume, taken);
    }
    counts
}

/// Counts all points in a store.
pub(super) fn count_all_points(store: &engine::Store) -> PointCounts {
    let mut counts = PointCounts::new();
    store.each_point(|volume, attrs, created| {
        count(&mut counts, volume, attributes::taken(attrs, created));
    });
    counts
}

/// How far a job has come.
pub(super) fn progress(job: &engine::JobInfo) -> Progress {
    Progress {
        done: Bytes(job.done),
        total: Bytes(job.total),
        rate: Bytes(job.rate),
    }
}

/// A volume.
pub(super) fn volume(info: &VolumeInfo, counts: &PointCounts) -> Volume {
    let attrs = &info.attrs;
    let instance = attrs.get(attributes::INSTANCE).cloned();
    let (snapshots, last_snapshot) = counts.get(&info.id).copied().unwrap_or_default();
    let copying = info
        .copy
        .as_ref()
        .is_some_and(|job| job.state != JobState::Paused);
    let state = match (&instance, copying) {
        (_, true) => VolumeState::Copying,
        (Some(_), false) => VolumeState::InUse,
        (None, false) => VolumeState::Available,
    };
    Volume {
        id: volume_id(info.id),
        name: info.name.clone(),
        state,
        size: Bytes(info.size),
        used: Some(Bytes(info.usage.referenced)),
        exclusive: info.usage.exclusive.map(Bytes),
        written: Some(Bytes(info.usage.written)),
        parent: info.parent.map(snapshot_id),
        instance,
        device: attrs.get(attributes::DEVICE).cloned(),
        description: attributes::text(attrs, attributes::DESCRIPTION),
        created: Some(attributes::taken(attrs, info.created)),
        snapshots,
        last_snapshot,
        copy: info.copy.as_ref().map(progress),
        metadata: attributes::rest(attrs),
    }
}

/// A snapshot.
pub(super) fn snapshot(info: &PointInfo, volume_name: Option<String>) -> Snapshot {
    let attrs = &info.attrs;
    Snapshot {
        id: snapshot_id(info.id),
        name: info.name.clone(),
        state: SnapshotState::Available,
        volume: volume_id(info.volume),
        volume_name,
        parent: info.parent.map(snapshot_id),
        size: Bytes(info.size),
        used: Some(Bytes(info.usage.referenced)),
        exclusive: info.usage.exclusive.map(Bytes),
        written: Some(Bytes(info.usage.written)),
        description: attributes::text(attrs, attributes::DESCRIPTION),
        created: Some(attributes::taken(attrs, info.created)),
        guard: attrs.contains_key(attributes::GUARD),
        clones: info.clones.iter().copied().map(volume_id).collect(),
        group: SetKind::Group.of(attrs).map(GroupId::from),
        session: SetKind::Session.of(attrs).map(SessionId::from),
        metadata: attributes::rest(attrs),
    }
}

/// What the engine says has changed; `None` for what no list shows.
pub(super) fn change(change: &engine::Change) -> Option<Change> {
    use engine::Change as C;
    Some(match change {
        C::Volume(id) | C::VolumeRemoved(id) => Change::Object(ObjectRef::from(&volume_id(*id))),
        C::Point(id) | C::PointRemoved(id) => Change::Object(ObjectRef::from(&snapshot_id(*id))),
        // A copy that moves on, or ends, changes what its volume shows.
        C::Job(job) => Change::Object(ObjectRef::from(&volume_id(job.volume?))),
        C::JobEnded { .. } | C::ReadOnly(_) => Change::Kind(Kind::Volume),
    })
}
