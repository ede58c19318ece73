//! One packed snapshot, to be looked at.

use std::cmp::Ordering;

use super::record::{self, Reader};
use super::{Origin, Shared, part};
use crate::model::{Bytes, Snapshot, SnapshotId, SnapshotState, Time, VolumeId};

/// One of them, to be looked at where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// Its id, to be compared.
    pub(super) id: record::Id<'a>,
    origin: &'a Origin,
    parts: u16,
    /// The point in time before it in the tree.
    pub(super) parent: Option<record::Id<'a>>,
    /// Its name; need not be unique.
    pub(crate) name: &'a str,
    /// What a host would see, in bytes.
    pub(crate) size: Bytes,
    /// Bytes that its mapping refers to, shared or not.
    pub(crate) used: Option<Bytes>,
    /// Bytes that it alone holds.
    pub(crate) exclusive: Option<Bytes>,
    /// Bytes written between its parent and it.
    pub(crate) written: Option<Bytes>,
    /// Free text.
    pub(crate) description: &'a str,
    /// When it was taken.
    pub(crate) created: Option<Time>,
    /// The places of its volume, and of its description if it is shared, among what is.
    numbers: (usize, Option<usize>),
    rest: Reader<'a>,
}

/// What few snapshots have.
struct Rare {
    state: SnapshotState,
    clones: Vec<VolumeId>,
    group: Option<String>,
    session: Option<String>,
    metadata: Vec<(String, String)>,
}

impl<'a> Row<'a> {
    /// Takes a record apart.
    pub(super) fn read(mut reader: Reader<'a>, shared: &'a Shared) -> Self {
        let parts = reader.parts();
        let created = reader.time();
        let id = reader.id();
        let name = reader.text();
        let volume = reader.number() as usize;
        let origin = &shared.origins[volume];
        let has = |part: u16| parts & part != 0;
        let parent = has(part::PARENT).then(|| reader.id());
        let shift = if has(part::BLOCKS) { 12 } else { 0 };
        let size = Bytes(reader.number() << shift);
        let mut figure = |part| has(part).then(|| Bytes(reader.number() << shift));
        let used = figure(part::USED);
        let exclusive = figure(part::EXCLUSIVE);
        let written = figure(part::WRITTEN);
        let text = has(part::SHARED).then(|| reader.number() as usize);
        let description = match text {
            Some(text) => &*shared.texts[text],
            None if has(part::DESCRIPTION) => reader.text(),
            None => "",
        };
        Row {
            id,
            origin,
            parts,
            parent,
            name,
            size,
            used,
            exclusive,
            written,
            description,
            created,
            numbers: (volume, text),
            rest: reader,
        }
    }

    /// Its id.
    pub(crate) fn id(&self) -> SnapshotId {
        SnapshotId(self.id.to_string())
    }

    /// Whether this is its id.
    pub(crate) fn is(&self, id: &str) -> bool {
        self.id.order(&record::Wanted::new(id)) == Ordering::Equal
    }

    /// The volume whose history it belongs to.
    pub(crate) fn volume(&self) -> &'a VolumeId {
        &self.origin.id
    }

    /// That volume's name, where it is known.
    pub(crate) fn volume_name(&self) -> Option<&'a str> {
        self.origin.name.as_deref()
    }

    /// A number that stands for its volume and that one's name as long as the list is what it is.
    pub(crate) fn volume_number(&self) -> usize {
        2 * self.numbers.0
    }

    /// The same for its description, where others have it too.
    pub(crate) fn description_number(&self) -> Option<usize> {
        self.numbers.1.map(|text| 2 * text + 1)
    }

    /// Whether the program took it by itself, to guard what a restore replaced.
    pub(crate) fn guard(&self) -> bool {
        self.has(part::GUARD)
    }

    /// Whether it is a member of a group.
    pub(crate) fn in_group(&self) -> bool {
        self.has(part::GROUP)
    }

    /// Whether it is a point in time of a session.
    pub(crate) fn in_session(&self) -> bool {
        self.has(part::SESSION)
    }

    /// Whether anything was made from it that still shares with it.
    pub(crate) fn is_cloned(&self) -> bool {
        self.has(part::CLONES)
    }

    /// Whether there is nothing about it that is not in its plain fields.
    pub(crate) fn is_plain(&self) -> bool {
        let rare = part::GUARD | part::STATE | part::CLONES | part::GROUP | part::SESSION;
        self.parts & rare == 0
    }

    /// Its state.
    pub(crate) fn state(&self) -> SnapshotState {
        match self.has(part::STATE) {
            true => self.rare().state,
            false => SnapshotState::Available,
        }
    }

    /// How many volumes were made from it and still share with it.
    pub(crate) fn clone_count(&self) -> usize {
        match self.has(part::CLONES) {
            true => self.rare().clones.len(),
            false => 0,
        }
    }

    fn has(&self, part: u16) -> bool {
        self.parts & part != 0
    }

    fn rare(&self) -> Rare {
        let mut rest = self.rest;
        let mut text = |there: bool| there.then(|| rest.text().to_owned());
        let state = text(self.has(part::STATE));
        let group = text(self.has(part::GROUP));
        let session = text(self.has(part::SESSION));
        let mut texts = |there: bool| match there {
            true => (0..rest.number()).map(|_| rest.text().to_owned()).collect(),
            false => Vec::new(),
        };
        let clones = texts(self.has(part::CLONES));
        let mut pairs = texts(self.has(part::METADATA)).into_iter();
        Rare {
            state: state.map_or(SnapshotState::Available, |word| word.as_str().into()),
            clones: clones.into_iter().map(VolumeId).collect(),
            group,
            session,
            metadata: std::iter::from_fn(|| Some((pairs.next()?, pairs.next()?))).collect(),
        }
    }

    /// All of it.
    pub(crate) fn unpack(&self) -> Snapshot {
        let rare = self.rare();
        Snapshot {
            id: self.id(),
            name: self.name.to_owned(),
            state: rare.state,
            volume: self.origin.id.clone(),
            volume_name: self.origin.name.clone(),
            parent: self.parent.map(|id| SnapshotId(id.to_string())),
            size: self.size,
            used: self.used,
            exclusive: self.exclusive,
            written: self.written,
            description: self.description.to_owned(),
            created: self.created,
            guard: self.guard(),
            clones: rare.clones,
            group: rare.group.as_deref().map(Into::into),
            session: rare.session.as_deref().map(Into::into),
            metadata: rare.metadata.into_iter().collect(),
        }
    }

    /// Its id, to be compared.
    pub(crate) fn key(&self) -> record::Id<'a> {
        self.id
    }
}
