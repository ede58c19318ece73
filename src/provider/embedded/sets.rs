//! Groups and sessions: points in time of several volumes that were taken in one record and
//! say by an attribute that they belong together.

use std::collections::{BTreeMap, HashMap};

use super::attributes::Lookup;
use super::{Shared, attributes, convert, targets};
use crate::engine::{Attrs, PointInfo, VolumeId, VolumeInfo};
use crate::model::{
    Bytes, Group, GroupId, GroupState, Kind, Member, ObjectRef, Problem, Session, SessionId,
    SnapshotState,
};

/// Which of the two a set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetKind {
    /// A group: one point in time across volumes.
    Group,
    /// A session: the same, for targets to be linked to.
    Session,
}

impl SetKind {
    /// The kind as the house has it.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Group => Kind::Group,
            Self::Session => Kind::Session,
        }
    }

    /// What the attribute begins with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Group => "group:",
            Self::Session => "session:",
        }
    }

    /// The value of the attribute of a member.
    pub(super) fn attribute(self, id: &str) -> String {
        format!("{}{id}", self.prefix())
    }

    /// The set's id, where the point in time is a member of one of this kind.
    pub(super) fn of(self, attrs: &impl Lookup) -> Option<&str> {
        attrs.value(attributes::SET)?.strip_prefix(self.prefix())
    }
}

/// A set, with the members that are there.
pub(super) struct Set {
    pub(super) kind: SetKind,
    pub(super) id: String,
    /// By the names of their volumes; never empty.
    pub(super) members: Vec<PointInfo>,
}

impl Set {
    fn attribute(&self, name: &str) -> String {
        self.members
            .first()
            .map(|point| attributes::text(&point.attrs, name))
            .unwrap_or_default()
    }

    pub(super) fn name(&self) -> String {
        self.attribute(attributes::SET_NAME)
    }

    /// How many members it had when it was taken.
    pub(super) fn taken(&self) -> u64 {
        let said = self.attribute(attributes::SET_SIZE).parse().unwrap_or(0);
        said.max(self.members.len() as u64)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.taken() == self.members.len() as u64
    }

    pub(super) fn reference(&self) -> ObjectRef {
        ObjectRef::new(self.kind.kind(), self.id.clone())
    }

    fn state(&self) -> GroupState {
        match self.is_whole() {
            true => GroupState::Available,
            false => GroupState::Incomplete,
        }
    }

    fn members(&self, names: &Names) -> Vec<Member> {
        self.members
            .iter()
            .map(|point| Member {
                snapshot: convert::snapshot_id(point.id),
                name: point.name.clone(),
                state: SnapshotState::Available,
                volume: convert::volume_id(point.volume),
                volume_name: names.get(&point.volume).cloned(),
                size: Bytes(point.size),
                exclusive: point.usage.exclusive.map(Bytes),
                failed: false,
                safety: None,
            })
            .collect()
    }

    /// The attributes by which points in time of these volumes are members of one set.
    pub(super) fn put(
        attrs: &mut Attrs,
        kind: SetKind,
        id: &str,
        name: &str,
        infos: &[VolumeInfo],
    ) {
        let instance = |info: &VolumeInfo| attributes::text(&info.attrs, attributes::INSTANCE);
        let machine = infos.first().map(instance).unwrap_or_default();
        let one_machine = infos.iter().all(|info| instance(info) == machine);
        let mut put = |name, text: &str| attributes::put(attrs, name, Some(text));
        put(attributes::SET, &kind.attribute(id));
        put(attributes::SET_NAME, name);
        put(attributes::SET_SIZE, &infos.len().to_string());
        if one_machine {
            put(attributes::INSTANCE, &machine);
        }
    }

    /// It as a group.
    pub(super) fn group(&self, names: &Names) -> Group {
        let first = self.members.first();
        let instance = self.attribute(attributes::INSTANCE);
        Group {
            id: GroupId(self.id.clone()),
            name: self.name(),
            state: self.state(),
            members: self.members(names),
            taken: self.taken(),
            instance: Some(instance).filter(|name| !name.is_empty()),
            description: self.attribute(attributes::DESCRIPTION),
            created: first.map(|point| attributes::taken(&point.attrs, point.created)),
            guard: !self.attribute(attributes::GUARD).is_empty(),
            metadata: BTreeMap::new(),
        }
    }

    /// It as a session.
    pub(super) fn session(&self, names: &Names, linked: &targets::Linked) -> Session {
        let first = self.members.first();
        Session {
            id: SessionId(self.id.clone()),
            name: self.name(),
            state: self.state(),
            members: self.members(names),
            taken: self.taken(),
            targets: linked.of(&self.id),
            description: self.attribute(attributes::DESCRIPTION),
            created: first.map(|point| attributes::taken(&point.attrs, point.created)),
            metadata: BTreeMap::new(),
        }
    }
}

/// The names of volumes.
pub(super) type Names = HashMap<VolumeId, String>;

/// The names of all volumes of a store.
pub(super) fn volume_names(shared: &Shared) -> Names {
    let volumes = shared.store.volumes().into_iter();
    volumes.map(|info| (info.id, info.name)).collect()
}

/// All sets of a kind, the oldest first.
pub(super) fn all(shared: &Shared, kind: SetKind, names: &Names) -> Vec<Set> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut sets: Vec<Set> = Vec::new();
    for point in shared.store.points_where(|attrs| kind.of(attrs).is_some()) {
        let Some(id) = kind.of(&point.attrs) else {
            continue;
        };
        match places.get(id).and_then(|&n| sets.get_mut(n)) {
            Some(set) => set.members.push(point),
            None => {
                let id = id.to_owned();
                places.insert(id.clone(), sets.len());
                let members = vec![point];
                sets.push(Set { kind, id, members });
            }
        }
    }
    for set in &mut sets {
        let key = |point: &PointInfo| (names.get(&point.volume).cloned(), point.volume);
        set.members.sort_by_cached_key(key);
    }
    sets
}

/// The set with this id.
pub(super) fn find(shared: &Shared, kind: SetKind, id: &str) -> Result<Set, Problem> {
    all(shared, kind, &volume_names(shared))
        .into_iter()
        .find(|set| set.id == id)
        .ok_or_else(|| Problem::not_found(format!("there is no {} {id}", kind.kind().one())))
}
