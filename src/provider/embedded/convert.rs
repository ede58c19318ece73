//! The engine's volumes and points as the things of the house.

use std::collections::HashMap;

use super::attributes::{self, Lookup};
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
pub(super) type PointCounts = HashMap<engine::VolumeId, Counted>;

/// Points in time of a volume.
#[derive(Default)]
pub(super) struct Counted {
    points: u64,
    newest: Option<Time>,
    /// The newest as its attribute says it, to the second.
    said: Option<[u8; SECOND]>,
}

/// Bytes of a time as attributes say it, to the second.
const SECOND: usize = "2026-01-01T00:00:00".len();

/// A time in UTC of four digits for the year, to the second: such are in the order of their texts.
fn to_the_second(text: &str) -> Option<[u8; SECOND]> {
    let bytes = text.as_bytes();
    let plain = bytes.get(4) == Some(&b'-') && bytes.get(10) == Some(&b'T') && text.ends_with('Z');
    bytes.first_chunk().copied().filter(|_| plain)
}

impl Counted {
    fn count(&mut self, attrs: &impl Lookup, created: Time) {
        self.points += 1;
        let said = attrs.value(attributes::TAKEN).and_then(to_the_second);
        // Most are older than the newest so far, and need not be read to know it.
        if said.is_some() && said < self.said {
            return;
        }
        let taken = attributes::taken(attrs, created);
        if self.newest.is_none_or(|newest| newest < taken) {
            self.newest = Some(taken);
            self.said = said;
        }
    }
}

/// Counts the points in a store: all, or those of one volume.
pub(super) fn count_points(store: &engine::Store, of: Option<engine::VolumeId>) -> PointCounts {
    let mut counts = PointCounts::new();
    store.each_point(|volume, attrs, created| {
        if of.is_none_or(|of| of == volume) {
            counts.entry(volume).or_default().count(attrs, created);
        }
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
    let counted = counts.get(&info.id);
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
        snapshots: Some(counted.map_or(0, |counted| counted.points)),
        last_snapshot: counted.and_then(|counted| counted.newest),
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
