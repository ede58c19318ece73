//! Linked targets: volumes that say by attributes which session they show.

use std::collections::{BTreeMap, HashMap};

use super::sets::{self, SetKind};
use super::{Shared, attributes, convert, error};
use crate::engine::{Attrs, JobState, PointId, VolumeId, VolumeInfo};
use crate::model::{
    Bytes, CopyMode, LinkedTarget, Problem, SessionId, SnapshotId, TargetId, TargetState, Time,
};

/// What links a volume to a session.
pub(super) struct Link {
    /// The session's id.
    pub(super) session: String,
    /// The point in time that it showed when it was linked.
    pub(super) point: PointId,
    /// The volume of that.
    pub(super) source: VolumeId,
    pub(super) mode: CopyMode,
    linked: Option<Time>,
}

impl Link {
    /// What links the volume with these attributes; `None` where nothing does.
    pub(super) fn of(attrs: &Attrs) -> Option<Self> {
        Some(Self {
            session: attrs.get(attributes::LINK)?.clone(),
            point: attrs.get(attributes::LINK_POINT)?.parse().ok()?,
            source: attrs.get(attributes::LINK_SOURCE)?.parse().ok()?,
            mode: CopyMode::from(attrs.get(attributes::LINK_MODE)?.as_str()),
            linked: attrs
                .get(attributes::LINKED)
                .and_then(|text| text.parse().ok()),
        })
    }

    /// A link that is made now.
    pub(super) fn new(session: &str, point: PointId, source: VolumeId, mode: CopyMode) -> Self {
        Self {
            session: session.to_owned(),
            point,
            source,
            mode,
            linked: Some(Time::now()),
        }
    }

    /// Puts it on a volume.
    pub(super) fn put(&self, attrs: &mut Attrs) {
        let mut put = |name: &str, text: String| attrs.insert(name.to_owned(), text);
        put(attributes::LINK, self.session.clone());
        put(attributes::LINK_POINT, self.point.to_string());
        put(attributes::LINK_SOURCE, self.source.to_string());
        put(attributes::LINK_MODE, self.mode.word().to_owned());
        if let Some(linked) = self.linked {
            put(attributes::LINKED, linked.to_string());
        }
    }

    /// Takes whatever link there is off a volume.
    pub(super) fn remove(attrs: &mut Attrs) {
        for name in attributes::LINK_ALL {
            attrs.remove(name);
        }
    }
}

/// The targets of all sessions, by session.
pub(super) struct Linked(HashMap<String, Vec<TargetId>>);

impl Linked {
    /// Those of a session.
    pub(super) fn of(&self, session: &str) -> Vec<TargetId> {
        self.0.get(session).cloned().unwrap_or_default()
    }
}

/// Who is linked to which session.
pub(super) fn linked(shared: &Shared) -> Linked {
    let mut by_session: HashMap<String, Vec<TargetId>> = HashMap::new();
    for info in shared.store.volumes() {
        if let Some(link) = Link::of(&info.attrs) {
            let target = TargetId(info.id.to_string());
            by_session.entry(link.session).or_default().push(target);
        }
    }
    Linked(by_session)
}

/// Whether a volume stands on something that is not its own: it shares blocks with it.
pub(super) fn shares(shared: &Shared, info: &VolumeInfo) -> bool {
    let mut next = info.parent;
    while let Some(point) = next.and_then(|id| shared.store.point(id).ok()) {
        if point.volume != info.id {
            return true;
        }
        next = point.parent;
    }
    false
}

/// All linked targets, by name.
pub(super) fn all(shared: &Shared) -> Vec<LinkedTarget> {
    let names = sets::volume_names(shared);
    let sessions: HashMap<String, String> = sets::all(shared, SetKind::Session, &names)
        .into_iter()
        .map(|set| (set.id.clone(), set.name()))
        .collect();
    let mut targets: Vec<LinkedTarget> = shared
        .store
        .volumes()
        .iter()
        .filter_map(|info| {
            Some(target(
                shared,
                info,
                Link::of(&info.attrs)?,
                &sessions,
                &names,
            ))
        })
        .collect();
    targets.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
    targets
}

/// The volume that is a linked target of this id, and its link.
pub(super) fn find(shared: &Shared, id: &str) -> Result<(VolumeInfo, Link), Problem> {
    let none = || Problem::not_found(format!("there is no linked target {id}"));
    let volume = id.parse().map_err(|_| none())?;
    let info = shared
        .store
        .volume(volume)
        .map_err(|e| error::problem(&e, format!("linked target {id} cannot be looked at")))?;
    let link = Link::of(&info.attrs).ok_or_else(none)?;
    Ok((info, link))
}

/// One linked target.
pub(super) fn show(shared: &Shared, id: &str) -> Result<LinkedTarget, Problem> {
    let (info, link) = find(shared, id)?;
    let sessions = sets::find(shared, SetKind::Session, &link.session)
        .map(|set| HashMap::from([(set.id.clone(), set.name())]))
        .unwrap_or_default();
    let names = sets::volume_names(shared);
    Ok(target(shared, &info, link, &sessions, &names))
}

fn target(
    shared: &Shared,
    info: &VolumeInfo,
    link: Link,
    sessions: &HashMap<String, String>,
    names: &sets::Names,
) -> LinkedTarget {
    let shares = shares(shared, info);
    let state = match &info.copy {
        Some(job) if job.state == JobState::Paused => TargetState::Paused,
        Some(_) => TargetState::Copying,
        None if shares => TargetState::Linked,
        None => TargetState::Copied,
    };
    let shared_bytes = match shares {
        true => info.usage.referenced.saturating_sub(info.usage.written),
        false => 0,
    };
    let session_name = sessions.get(&link.session).cloned();
    LinkedTarget {
        id: TargetId(info.id.to_string()),
        name: info.name.clone(),
        state,
        mode: link.mode,
        session: session_name.is_some().then_some(SessionId(link.session)),
        session_name,
        snapshot: Some(SnapshotId(link.point.to_string())),
        source: Some(convert::volume_id(link.source)),
        source_name: names.get(&link.source).cloned(),
        volume: convert::volume_id(info.id),
        size: Bytes(info.size),
        shared: Some(Bytes(shared_bytes)),
        // What a copy wrote cannot be told from what a host did.
        written: (info.copy.is_none() && shares).then_some(Bytes(info.usage.written)),
        copy: info.copy.as_ref().map(convert::progress),
        created: link.linked,
        metadata: BTreeMap::new(),
    }
}
