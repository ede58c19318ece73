//! Snapshots as the console keeps them: there may be a hundred thousand of them, and of each a screen shows a
//! line. One takes about eighty bytes here, where the same as an object takes seven hundred. Nothing is lost.

mod record;
mod row;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use super::items::Items;
use crate::model::{Snapshot, SnapshotId, SnapshotState, SnapshotTree, TreePoint, VolumeId};
use record::{Reader, put_id, put_number, put_text};
pub(crate) use row::Row;

/// Bytes that are asked for at once.
const PIECE: usize = 1 << 16;
/// So many different descriptions are kept once each; what is more is kept with each snapshot.
const SHARED: usize = 1024;

/// Which parts a record has, and how.
mod part {
    pub(super) const PARENT: u16 = 1;
    pub(super) const USED: u16 = 1 << 1;
    pub(super) const EXCLUSIVE: u16 = 1 << 2;
    pub(super) const WRITTEN: u16 = 1 << 3;
    /// Figures are counted in blocks of 4 KiB.
    pub(super) const BLOCKS: u16 = 1 << 4;
    pub(super) const DESCRIPTION: u16 = 1 << 5;
    /// The description is one of those that are shared.
    pub(super) const SHARED: u16 = 1 << 6;
    pub(super) const GUARD: u16 = 1 << 7;
    pub(super) const STATE: u16 = 1 << 8;
    pub(super) const CLONES: u16 = 1 << 9;
    pub(super) const GROUP: u16 = 1 << 10;
    pub(super) const SESSION: u16 = 1 << 11;
    pub(super) const METADATA: u16 = 1 << 12;
}

/// A volume that snapshots are of, and its name as they tell it.
#[derive(Debug)]
struct Origin {
    id: VolumeId,
    name: Option<String>,
}

/// What many snapshots have in common.
#[derive(Debug, Default)]
struct Shared {
    origins: Vec<Origin>,
    /// The last one of each volume.
    origin_of: HashMap<VolumeId, usize>,
    texts: Vec<Arc<str>>,
    text_of: HashMap<Arc<str>, usize>,
}

impl Shared {
    fn origin(&mut self, id: &VolumeId, name: Option<&str>) -> usize {
        if let Some(&at) = self.origin_of.get(id)
            && self.origins[at].name.as_deref() == name
        {
            return at;
        }
        let at = self.origins.len();
        self.origins.push(Origin {
            id: id.clone(),
            name: name.map(str::to_owned),
        });
        self.origin_of.insert(id.clone(), at);
        at
    }

    fn text(&mut self, text: &str) -> Option<usize> {
        if let Some(&at) = self.text_of.get(text) {
            return Some(at);
        }
        let at = self.texts.len();
        if at >= SHARED {
            return None;
        }
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.text_of.insert(text, at);
        Some(at)
    }
}

/// Where a record is: its piece, and the first byte of it there.
#[derive(Clone, Copy, Debug)]
struct Spot(u32);

impl Spot {
    fn new(piece: usize, at: usize) -> Self {
        Self((piece << 16 | at) as u32)
    }
}

/// Snapshots, in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    spots: Vec<Spot>,
    pieces: Vec<Vec<u8>>,
    shared: Shared,
    /// How many records were replaced or removed, and are there still.
    dead: usize,
    /// Where a record is put together.
    room: Vec<u8>,
}

impl Packed {
    /// The one at this place.
    pub(crate) fn row(&self, at: usize) -> Row<'_> {
        Row::read(self.reader(at), &self.shared)
    }

    /// The one at this place, if there is one.
    pub(crate) fn get(&self, at: usize) -> Option<Row<'_>> {
        (at < self.spots.len()).then(|| self.row(at))
    }

    /// All of them, in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.spots.len()).map(|at| self.row(at))
    }

    /// The tree that they are, of a volume that descends from `here` now.
    pub(crate) fn tree(&self, here: Option<&SnapshotId>) -> SnapshotTree {
        let points = self.iter().map(|row| TreePoint {
            id: row.id,
            parent: row.parent,
            created: row.created,
        });
        let points: Vec<_> = points.collect();
        SnapshotTree::grow(here.map(|id| record::Id::new(id.as_str())), &points)
    }

    /// When the one at this place was taken, to be compared: the later is the greater, none is the least.
    pub(crate) fn taken(&self, at: usize) -> [u8; record::TIME] {
        self.reader(at).taken()
    }

    fn reader(&self, at: usize) -> Reader<'_> {
        let Spot(spot) = self.spots[at];
        let piece = &self.pieces[(spot >> 16) as usize];
        Reader::new(&piece[(spot & 0xffff) as usize..])
    }

    /// Puts a record together and says where it is.
    fn put(&mut self, snapshot: &Snapshot) -> Spot {
        let Self { shared, room, .. } = self;
        room.clear();
        let figures = [
            Some(snapshot.size),
            snapshot.used,
            snapshot.exclusive,
            snapshot.written,
        ];
        let blocks = figures.iter().flatten().all(|bytes| bytes.0 % 4096 == 0);
        let text = snapshot.description.as_str();
        let known = (!text.is_empty()).then(|| shared.text(text)).flatten();
        let mut parts = 0;
        for (part, there) in [
            (part::PARENT, snapshot.parent.is_some()),
            (part::USED, snapshot.used.is_some()),
            (part::EXCLUSIVE, snapshot.exclusive.is_some()),
            (part::WRITTEN, snapshot.written.is_some()),
            (part::BLOCKS, blocks),
            (part::DESCRIPTION, !text.is_empty()),
            (part::SHARED, known.is_some()),
            (part::GUARD, snapshot.guard),
            (part::STATE, snapshot.state != SnapshotState::Available),
            (part::CLONES, !snapshot.clones.is_empty()),
            (part::GROUP, snapshot.group.is_some()),
            (part::SESSION, snapshot.session.is_some()),
            (part::METADATA, !snapshot.metadata.is_empty()),
        ] {
            parts |= if there { part } else { 0 };
        }
        record::put_parts(room, parts);
        record::put_time(room, snapshot.created);
        put_id(room, snapshot.id.as_str());
        put_text(room, &snapshot.name);
        let origin = shared.origin(&snapshot.volume, snapshot.volume_name.as_deref());
        put_number(room, origin as u64);
        if let Some(parent) = &snapshot.parent {
            put_id(room, parent.as_str());
        }
        for bytes in figures.into_iter().flatten() {
            put_number(room, bytes.0 >> if blocks { 12 } else { 0 });
        }
        match known {
            Some(at) => put_number(room, at as u64),
            None if !text.is_empty() => put_text(room, text),
            None => {}
        }
        if parts & part::STATE != 0 {
            put_text(room, snapshot.state.word());
        }
        for id in snapshot.group.iter().map(crate::model::GroupId::as_str) {
            put_text(room, id);
        }
        for id in snapshot.session.iter().map(crate::model::SessionId::as_str) {
            put_text(room, id);
        }
        if !snapshot.clones.is_empty() {
            put_number(room, snapshot.clones.len() as u64);
            for clone in &snapshot.clones {
                put_text(room, clone.as_str());
            }
        }
        if !snapshot.metadata.is_empty() {
            put_number(room, 2 * snapshot.metadata.len() as u64);
            for (key, value) in &snapshot.metadata {
                put_text(room, key);
                put_text(room, value);
            }
        }
        self.keep()
    }

    fn keep(&mut self) -> Spot {
        let fits = |piece: &Vec<u8>| piece.len() + self.room.len() <= PIECE;
        if !self.pieces.last().is_some_and(fits) {
            // A short list takes no more than it needs.
            let first = self.pieces.is_empty();
            let room = if first { 0 } else { PIECE };
            self.pieces.push(Vec::with_capacity(room));
        }
        let piece = self.pieces.len() - 1;
        let at = self.pieces[piece].len();
        self.pieces[piece].extend_from_slice(&self.room);
        Spot::new(piece, at)
    }

    /// Writes all anew where more records are dead than not.
    fn tidy(&mut self) {
        if self.dead > self.spots.len() + 64 {
            let mut fresh = Self::default();
            for row in self.iter() {
                let spot = fresh.put(&row.unpack());
                fresh.spots.push(spot);
            }
            *self = fresh;
        }
    }
}

impl Items for Packed {
    type Item = Snapshot;
    type Found<'a> = Snapshot;

    fn len(&self) -> usize {
        self.spots.len()
    }

    fn push(&mut self, item: Snapshot) {
        let spot = self.put(&item);
        self.spots.push(spot);
    }

    fn sort(&mut self, from: usize) -> bool {
        let keys = || (from..self.spots.len()).map(|at| self.row(at).id);
        if keys().is_sorted() {
            return false;
        }
        let mut spots = std::mem::take(&mut self.spots);
        spots.sort_by_cached_key(|spot| self.at(*spot));
        self.spots = spots;
        true
    }

    fn find(&self, id: &str) -> Result<usize, usize> {
        let wanted = record::Wanted::new(id);
        self.spots
            .binary_search_by(|spot| self.at(*spot).order(&wanted))
    }

    fn found(&self, at: usize) -> Snapshot {
        self.row(at).unpack()
    }

    fn set(&mut self, at: usize, item: Snapshot) {
        self.spots[at] = self.put(&item);
        self.dead += 1;
        self.tidy();
    }

    fn insert(&mut self, at: usize, item: Snapshot) {
        let spot = self.put(&item);
        self.spots.insert(at, spot);
    }

    fn remove(&mut self, at: usize) {
        self.spots.remove(at);
        self.dead += 1;
        self.tidy();
    }

    fn shrink(&mut self) {
        self.spots.shrink_to_fit();
        if let Some(last) = self.pieces.last_mut() {
            last.shrink_to_fit();
        }
        self.room = Vec::new();
    }
}

impl Packed {
    fn at(&self, Spot(spot): Spot) -> record::Id<'_> {
        let piece = &self.pieces[(spot >> 16) as usize];
        let mut reader = Reader::new(&piece[(spot & 0xffff) as usize..]);
        reader.parts();
        reader.time();
        reader.id()
    }
}
