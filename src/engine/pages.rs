//! Reading metadata pages: a cache of clean tree pages with a bound in bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::disk::{Disk, FileName};
use super::error::{EngineError, Result};
use super::page::{Page, PageRef};
use super::page_codec::{PageKind, decode_tree_page, unseal};

const SHARDS: usize = 16;

/// Clean pages, and the way to those that are not in memory.
pub(super) struct Pages {
    disk: Arc<dyn Disk>,
    /// Half of the store's id, found in every page.
    pub(super) store: u64,
    shards: Vec<Mutex<Shard>>,
    shard_limit: u64,
    bytes: AtomicU64,
}

#[derive(Default)]
struct Shard {
    slots: HashMap<u64, Slot>,
    /// Second chance: a page used since it was last looked at stays.
    queue: VecDeque<u64>,
    bytes: u64,
}

struct Slot {
    page: Arc<Page>,
    r: PageRef,
    used: bool,
}

impl Pages {
    /// A cache of at most `limit` bytes.
    pub(super) fn new(disk: Arc<dyn Disk>, store: u64, limit: u64) -> Self {
        Self {
            disk,
            store,
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            shard_limit: limit / SHARDS as u64,
            bytes: AtomicU64::new(0),
        }
    }

    /// Bytes in the cache.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Forgets all pages, so that each is read and checked anew.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            self.bytes.fetch_sub(shard.bytes, Ordering::Relaxed);
            *shard = Shard::default();
        }
    }

    /// The body of any metadata extent, checked.
    pub(super) fn read_body(&self, r: &PageRef, kind: PageKind, level: u8) -> Result<Vec<u8>> {
        self.with_body(r, kind, level, |body| Ok(body.to_vec()))
    }

    /// The same, to be looked at where it is.
    pub(super) fn with_body<T>(
        &self,
        r: &PageRef,
        kind: PageKind,
        level: u8,
        look: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let mut first = None;
        for sector in r.copies() {
            let hurt = match self.read_copy(r, sector, kind) {
                Err(e) => e,
                Ok(bytes) => match unseal(&bytes, r, kind, level, self.store) {
                    Ok(body) => return look(body),
                    Err(e) => e,
                },
            };
            first.get_or_insert(hurt);
        }
        Err(first.unwrap_or_else(|| EngineError::damaged("a page has no copy")))
    }

    /// Each copy of an extent, by its sector, or what is wrong with it.
    pub(super) fn copies(
        &self,
        r: &PageRef,
        kind: PageKind,
        level: u8,
    ) -> Vec<(u64, Result<Vec<u8>>)> {
        let copy = |sector| {
            let bytes = self.read_copy(r, sector, kind);
            let bytes = bytes.and_then(|bytes| {
                unseal(&bytes, r, kind, level, self.store)?;
                Ok(bytes)
            });
            (sector, bytes)
        };
        r.copies().map(copy).collect()
    }

    /// Writes a copy of an extent once more. The extent must be in use.
    pub(super) fn rewrite(&self, sector: u64, mut bytes: Vec<u8>) -> Result<()> {
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        self.disk
            .write_at(FileName::Meta, sector * 512, &bytes)
            .map_err(|e| EngineError::io("writing meta", e))
    }

    fn read_copy(&self, r: &PageRef, sector: u64, kind: PageKind) -> Result<Vec<u8>> {
        let beyond = || {
            let of = format!("the {kind:?} page at sector {sector} is beyond the end of meta");
            EngineError::damaged(of)
        };
        // What claims to be long is believed only if there is as much.
        if r.len > 1 << 20 {
            let end = sector * 512 + u64::from(r.len);
            match self.disk.len(FileName::Meta) {
                Ok(Some(len)) if len >= end => {}
                _ => return Err(beyond()),
            }
        }
        let mut bytes = vec![0; r.len as usize];
        let read = self.disk.read_at(FileName::Meta, sector * 512, &mut bytes);
        read.map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => beyond(),
            _ => EngineError::io(format!("reading sector {sector} of meta"), e),
        })?;
        Ok(bytes)
    }

    /// A tree page.
    pub(super) fn load(&self, r: &PageRef, level: u8) -> Result<Arc<Page>> {
        if let Some(page) = self.cached(r) {
            return Ok(page);
        }
        let page = self.read_page(r, level)?;
        self.insert(*r, page.clone());
        Ok(page)
    }

    /// A tree page that is not needed again: it takes no one's place in the cache.
    pub(super) fn load_once(&self, r: &PageRef, level: u8) -> Result<Arc<Page>> {
        match self.cached(r) {
            Some(page) => Ok(page),
            None => self.read_page(r, level),
        }
    }

    fn cached(&self, r: &PageRef) -> Option<Arc<Page>> {
        let mut shard = self.shard(r).lock();
        let slot = shard.slots.get_mut(&r.addr).filter(|slot| slot.r == *r)?;
        slot.used = true;
        Some(slot.page.clone())
    }

    fn read_page(&self, r: &PageRef, level: u8) -> Result<Arc<Page>> {
        let kind = if level == 0 {
            PageKind::Leaf
        } else {
            PageKind::Inner
        };
        self.with_body(r, kind, level, |body| {
            Ok(Arc::new(decode_tree_page(body, level, *r)?))
        })
    }

    /// Puts a clean page into the cache.
    pub(super) fn insert(&self, r: PageRef, page: Arc<Page>) {
        let size = page.bytes();
        let mut guard = self.shard(&r).lock();
        let shard = &mut *guard;
        let before = shard.bytes;
        match shard.slots.insert(
            r.addr,
            Slot {
                page,
                r,
                used: false,
            },
        ) {
            Some(old) => shard.bytes -= old.page.bytes(),
            None => shard.queue.push_back(r.addr),
        }
        shard.bytes += size;
        while shard.bytes > self.shard_limit
            && let Some(addr) = shard.queue.pop_front()
        {
            let Some(slot) = shard.slots.get_mut(&addr) else {
                continue;
            };
            if slot.used {
                slot.used = false;
                shard.queue.push_back(addr);
            } else if let Some(slot) = shard.slots.remove(&addr) {
                shard.bytes -= slot.page.bytes();
            }
        }
        self.bytes
            .fetch_add(shard.bytes.wrapping_sub(before), Ordering::Relaxed);
    }

    fn shard(&self, r: &PageRef) -> &Mutex<Shard> {
        &self.shards[(r.addr.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60) as usize % SHARDS]
    }
}
