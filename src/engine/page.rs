//! The pages of a mapping tree: leaves that map 1 MiB each, inner pages with a
//! fan-out of 64. A page on disk never changes; a page in memory may be shared
//! between trees and is then copied before it is changed.

use std::sync::{Arc, OnceLock};

/// Bytes in a block, the unit of mapping.
pub const BLOCK: u64 = 4096;
/// The same, for buffers.
pub(super) const BLOCK_LEN: usize = 4096;
/// Blocks that one leaf maps.
pub(super) const LEAF_BLOCKS: u64 = 256;
/// Children of an inner page, as a power of two.
pub(super) const FAN_BITS: u32 = 6;
/// The highest level a tree can have: its root then covers 1 PiB.
pub(super) const MAX_LEVEL: u8 = 5;

/// Memory an empty page takes, in bytes (about).
pub(super) const PAGE_BASE: u64 = 160;

/// Leaves below one page of this level (a leaf has level 0).
pub(super) fn span(level: u8) -> u64 {
    1 << (FAN_BITS * u32::from(level))
}

const KIND_DATA: u64 = 1;
const KIND_ZERO: u64 = 2;
const BLOCK_MASK: u64 = (1 << 40) - 1;

/// What one block of a volume is mapped to. 16 bytes: block 40 bits, kind 8,
/// birth 48, checksum 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Block, kind, low 16 bits of birth.
    pub(super) low: u64,
    /// High 32 bits of birth, checksum.
    pub(super) high: u64,
}

impl Entry {
    fn new(block: u64, kind: u64, birth: u64, crc: u32) -> Self {
        Self {
            low: (block & BLOCK_MASK) | kind << 40 | (birth & 0xffff) << 48,
            high: (birth >> 16 & 0xffff_ffff) | u64::from(crc) << 32,
        }
    }

    /// Data in a block of the store, written by the record `birth`.
    pub(super) fn data(block: u64, birth: u64, crc: u32) -> Self {
        Self::new(block, KIND_DATA, birth, crc)
    }

    /// Zeroes, written by the record `birth`.
    pub(super) fn zero(birth: u64) -> Self {
        Self::new(0, KIND_ZERO, birth, 0)
    }

    /// The block of the store that holds the data; `None` for zeroes.
    pub(super) fn block(self) -> Option<u64> {
        (self.low >> 40 & 0xff == KIND_DATA).then_some(self.low & BLOCK_MASK)
    }

    /// The record that wrote it.
    pub(super) fn birth(self) -> u64 {
        self.low >> 48 | (self.high & 0xffff_ffff) << 16
    }

    /// The checksum (CRC-32C) of the data.
    pub(super) fn crc(self) -> u32 {
        (self.high >> 32) as u32
    }

    /// Whether the kind is one that there is.
    pub(super) fn is_known(self) -> bool {
        matches!(self.low >> 40 & 0xff, KIND_DATA | KIND_ZERO)
    }
}

/// Maps 256 blocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaf {
    pub(super) present: [u64; 4],
    pub(super) entries: Vec<Entry>,
}

impl Leaf {
    fn rank(&self, i: usize) -> usize {
        let (word, bit) = (i / 64, i % 64);
        let before: u32 = self.present[..word].iter().map(|w| w.count_ones()).sum();
        (before + (self.present[word] & ((1 << bit) - 1)).count_ones()) as usize
    }

    fn has(&self, i: usize) -> bool {
        self.present[i / 64] >> (i % 64) & 1 == 1
    }

    /// The entry of block `i` (below 256).
    pub(super) fn get(&self, i: usize) -> Option<Entry> {
        if self.has(i) {
            self.entries.get(self.rank(i)).copied()
        } else {
            None
        }
    }

    /// Maps block `i`; what it was mapped to is returned.
    pub(super) fn set(&mut self, i: usize, entry: Entry) -> Option<Entry> {
        let at = self.rank(i);
        if self.has(i) {
            return Some(std::mem::replace(&mut self.entries[at], entry));
        }
        self.present[i / 64] |= 1 << (i % 64);
        self.entries.insert(at, entry);
        None
    }

    /// Forgets block `i`; what it was mapped to is returned.
    pub(super) fn remove(&mut self, i: usize) -> Option<Entry> {
        if !self.has(i) {
            return None;
        }
        let at = self.rank(i);
        self.present[i / 64] &= !(1 << (i % 64));
        Some(self.entries.remove(at))
    }

    /// What is mapped, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, Entry)> + '_ {
        (0..256)
            .filter(|&i| self.has(i))
            .zip(self.entries.iter().copied())
    }
}

/// Whether a page is on disk twice, and how far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Twin {
    /// Once.
    None,
    /// The second copy follows the first.
    Next,
    /// There is so much between the two that no block of 4 KiB of the medium holds both.
    Apart,
}

/// Where a page is on disk, and what must be found there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageRef {
    /// First sector (512 bytes) in the metadata file.
    pub(super) addr: u64,
    /// Bytes, the header included.
    pub(super) len: u32,
    pub(super) twin: Twin,
    /// CRC-32C of these bytes.
    pub(super) crc: u32,
    /// The record that first made it what it is.
    pub(super) birth: u64,
}

impl PageRef {
    /// Sectors it takes, with its second copy.
    pub(super) fn sectors(&self) -> u64 {
        let one = u64::from(self.len).div_ceil(512);
        self.second().map_or(one, |distance| distance + one)
    }

    /// Sectors from the first copy to the second, if there is one.
    pub(super) fn second(&self) -> Option<u64> {
        let one = u64::from(self.len).div_ceil(512);
        match self.twin {
            Twin::None => None,
            Twin::Next => Some(one),
            Twin::Apart => Some((one + 7).next_multiple_of(8)),
        }
    }

    /// The sectors of each copy.
    pub(super) fn copies(&self) -> impl Iterator<Item = u64> {
        [Some(0), self.second()]
            .into_iter()
            .flatten()
            .map(|distance| self.addr + distance)
    }
}

/// A child of an inner page, or the root of a tree.
#[derive(Clone, Debug)]
pub(super) enum Child {
    /// On disk, to be had through the cache.
    Disk(PageRef),
    /// In memory; on disk only if the page says so.
    Mem(Arc<Page>),
}

impl Child {
    /// The record that first made the page what it is.
    pub(super) fn birth(&self) -> u64 {
        match self {
            Self::Disk(r) => r.birth,
            Self::Mem(page) => page.birth,
        }
    }

    /// Where it is on disk, if it is.
    pub(super) fn disk(&self) -> Option<PageRef> {
        match self {
            Self::Disk(r) => Some(*r),
            Self::Mem(page) => page.disk.get().copied(),
        }
    }

    /// Whether both are the same page, and so all below them.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mem(a), Self::Mem(b)) if Arc::ptr_eq(a, b) => true,
            _ => self
                .disk()
                .is_some_and(|a| other.disk().is_some_and(|b| a == b)),
        }
    }
}

/// An inner page.
#[derive(Clone, Debug, Default)]
pub(super) struct Inner {
    pub(super) present: u64,
    pub(super) children: Vec<Child>,
}

impl Inner {
    fn rank(&self, i: usize) -> usize {
        (self.present & ((1 << i) - 1)).count_ones() as usize
    }

    /// The child at `i` (below 64).
    pub(super) fn get(&self, i: usize) -> Option<&Child> {
        if self.present >> i & 1 == 1 {
            self.children.get(self.rank(i))
        } else {
            None
        }
    }

    /// The child at `i`; if there is none, `make` makes it.
    pub(super) fn get_or_insert(&mut self, i: usize, make: impl FnOnce() -> Child) -> &mut Child {
        let at = self.rank(i);
        if self.present >> i & 1 == 0 {
            self.present |= 1 << i;
            self.children.insert(at, make());
        }
        &mut self.children[at]
    }

    /// The child at `i`, to be changed.
    pub(super) fn get_mut(&mut self, i: usize) -> Option<&mut Child> {
        if self.present >> i & 1 == 0 {
            return None;
        }
        let at = self.rank(i);
        self.children.get_mut(at)
    }

    /// Drops the child at `i`.
    pub(super) fn remove(&mut self, i: usize) -> Option<Child> {
        if self.present >> i & 1 == 0 {
            return None;
        }
        let at = self.rank(i);
        self.present &= !(1 << i);
        Some(self.children.remove(at))
    }

    /// The children, in order, with their places.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &Child)> + '_ {
        (0..64)
            .filter(|&i| self.present >> i & 1 == 1)
            .zip(&self.children)
    }
}

/// What a page holds.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Level 0.
    Leaf(Leaf),
    /// Level 1 and up.
    Inner(Inner),
}

/// A page in memory.
#[derive(Debug)]
pub(super) struct Page {
    /// The record that first made it what it is. Later changes by the same sole
    /// owner do not alter it.
    pub(super) birth: u64,
    pub(super) body: Body,
    /// Set once it is on disk; it does not change from then on.
    pub(super) disk: OnceLock<PageRef>,
}

impl Page {
    /// A page that is not on disk.
    pub(super) fn new(birth: u64, body: Body) -> Self {
        Self {
            birth,
            body,
            disk: OnceLock::new(),
        }
    }

    /// An empty page of a level.
    pub(super) fn empty(birth: u64, level: u8) -> Self {
        let body = if level == 0 {
            Body::Leaf(Leaf::default())
        } else {
            Body::Inner(Inner::default())
        };
        Self::new(birth, body)
    }

    /// Memory it takes, in bytes (about).
    pub(super) fn bytes(&self) -> u64 {
        let body = match &self.body {
            Body::Leaf(leaf) => leaf.entries.len() * 16,
            Body::Inner(inner) => inner.children.len() * 32,
        };
        body as u64 + PAGE_BASE
    }
}

/// Something on disk that is no longer needed once the next checkpoint is done.
#[derive(Clone, Debug)]
pub(super) enum Freed {
    /// A page on disk.
    Extent(PageRef),
    /// A page in memory that a checkpoint may be writing just now.
    Page(Arc<Page>),
}

impl From<Child> for Freed {
    fn from(child: Child) -> Self {
        match child {
            Child::Disk(r) => Self::Extent(r),
            Child::Mem(page) => Self::Page(page),
        }
    }
}
