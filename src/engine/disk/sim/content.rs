//! What a simulated file holds: pages that images of the same disk share, and
//! a fingerprint that tells images apart.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, OnceLock};

use crate::engine::disk::FileName;

/// Bytes of a page.
pub(in crate::engine) const PAGE: usize = 4096;

#[derive(Debug)]
struct Page {
    bytes: [u8; PAGE],
    fingerprint: OnceLock<u64>,
}

impl Page {
    fn of(bytes: [u8; PAGE]) -> Arc<Self> {
        Arc::new(Self {
            bytes,
            fingerprint: OnceLock::new(),
        })
    }

    fn fingerprint(&self) -> u64 {
        *self.fingerprint.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            hasher.write(&self.bytes);
            hasher.finish()
        })
    }
}

/// A page of a file. Both without content read as zeroes; only one takes room.
#[derive(Clone, Debug)]
enum Slot {
    Hole,
    Reserved,
    Data(Arc<Page>),
}

/// A file.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Content {
    slots: Vec<Slot>,
    len: usize,
}

/// All files of a disk.
pub(in crate::engine) type Files = BTreeMap<FileName, Content>;

impl Content {
    pub(in crate::engine) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that it takes on the medium.
    pub(in crate::engine) fn allocated(&self) -> usize {
        let taken = |slot: &&Slot| !matches!(slot, Slot::Hole);
        self.slots.iter().filter(taken).count() * PAGE
    }

    /// Bytes by which a write or a reservation of this range makes it take more.
    pub(in crate::engine) fn growth(&self, offset: usize, len: usize) -> usize {
        let pages = offset / PAGE..(offset + len).div_ceil(PAGE);
        let hole = |i: &usize| matches!(self.slots.get(*i), None | Some(Slot::Hole));
        pages.filter(hole).count() * PAGE
    }

    fn page(&self, index: usize) -> Option<&[u8; PAGE]> {
        match self.slots.get(index) {
            Some(Slot::Data(page)) => Some(&page.bytes),
            _ => None,
        }
    }

    /// `None` if the range reaches beyond the end.
    pub(in crate::engine) fn read(&self, offset: usize, buf: &mut [u8]) -> Option<()> {
        if offset + buf.len() > self.len {
            return None;
        }
        let mut at = offset;
        let mut rest = buf;
        while !rest.is_empty() {
            let skip = at % PAGE;
            let n = (PAGE - skip).min(rest.len());
            let (now, later) = rest.split_at_mut(n);
            match self.page(at / PAGE) {
                Some(page) => now.copy_from_slice(&page[skip..skip + n]),
                None => now.fill(0),
            }
            rest = later;
            at += n;
        }
        Some(())
    }

    /// All bytes.
    pub(in crate::engine) fn bytes(&self) -> Vec<u8> {
        let mut out = vec![0; self.len];
        self.read(0, &mut out);
        out
    }

    pub(in crate::engine) fn write(&mut self, offset: usize, data: &[u8]) {
        self.extend(offset + data.len());
        let mut at = offset;
        let mut rest = data;
        while !rest.is_empty() {
            let (index, skip) = (at / PAGE, at % PAGE);
            let n = (PAGE - skip).min(rest.len());
            let mut bytes = self.page(index).copied().unwrap_or([0; PAGE]);
            bytes[skip..skip + n].copy_from_slice(&rest[..n]);
            self.slots[index] = if bytes == [0; PAGE] {
                Slot::Reserved
            } else {
                Slot::Data(Page::of(bytes))
            };
            rest = &rest[n..];
            at += n;
        }
    }

    /// It reaches to `len` at least; what is new takes no room.
    pub(in crate::engine) fn extend(&mut self, len: usize) {
        self.len = self.len.max(len);
        self.slots.resize(self.len.div_ceil(PAGE), Slot::Hole);
    }

    /// The range has room on the medium.
    pub(in crate::engine) fn reserve(&mut self, offset: usize, len: usize) {
        self.extend(offset + len);
        for slot in &mut self.slots[offset / PAGE..(offset + len).div_ceil(PAGE)] {
            if matches!(slot, Slot::Hole) {
                *slot = Slot::Reserved;
            }
        }
    }

    /// The range reads as zeroes, and whole pages of it take no room.
    pub(in crate::engine) fn punch(&mut self, offset: usize, len: usize) {
        let end = (offset + len).min(self.len);
        let (first, last) = (offset.div_ceil(PAGE), end / PAGE);
        if first > last {
            return self.write(offset, &vec![0; end.saturating_sub(offset)]);
        }
        if first * PAGE > offset {
            self.write(offset, &vec![0; first * PAGE - offset]);
        }
        if end > last * PAGE {
            self.write(last * PAGE, &vec![0; end - last * PAGE]);
        }
        self.slots[first..last].fill(Slot::Hole);
    }

    pub(in crate::engine) fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.punch(len, self.len - len);
            self.len = len;
            self.slots.truncate(len.div_ceil(PAGE));
        }
    }
}

/// A number that is, for all that matters, another for each content of the disk.
pub(in crate::engine) fn fingerprint(files: &Files) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, content) in files {
        hasher.write(name.to_string().as_bytes());
        hasher.write_usize(content.len);
        for slot in &content.slots {
            hasher.write_u64(match slot {
                Slot::Data(page) => page.fingerprint(),
                _ => 0,
            });
        }
    }
    hasher.finish()
}
