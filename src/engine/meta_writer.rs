//! Writing metadata: extents in free sectors, trees from their leaves up, and
//! last of all the map of these sectors.

use super::checkpoint::Checkpoints;
use super::core::Core;
use super::disk::{Disk, FileName};
use super::error::{EngineError, Result};
use super::page::{Body, Child, Page, PageRef};
use super::page_codec::{HEADER, PageKind, encode_inner, encode_leaf, seal};
use super::root::Root;
use super::space::{BITS_LEN, TABLE_LEN, TABLE_PAGES, encode_bits, encode_table};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Tree pages that a checkpoint has written, by where they are in memory.
pub(super) type Written = HashMap<*const Page, (Arc<Page>, PageRef)>;

/// Writes extents of metadata, those next to each other in one go.
pub(super) struct Writer<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) core: &'a Core,
    pub(super) next: &'a mut Checkpoints,
    pub(super) store: u64,
    pub(super) buffer: Vec<u8>,
    pub(super) buffer_at: u64,
}

impl Writer<'_> {
    /// Sectors for an extent of `len` bytes.
    pub(super) fn place(&mut self, kind: PageKind, len: usize) -> Result<u64> {
        let extent = PageRef {
            addr: 0,
            len: len as u32,
            twin: kind.twin(),
            crc: 0,
            birth: 0,
        };
        self.next.take_sectors(self.core, extent.sectors())
    }

    pub(super) fn write(
        &mut self,
        kind: PageKind,
        level: u8,
        birth: u64,
        body: &[u8],
    ) -> Result<PageRef> {
        let addr = self.place(kind, HEADER + body.len())?;
        self.write_at(addr, kind, level, birth, body)
    }

    pub(super) fn write_at(
        &mut self,
        addr: u64,
        kind: PageKind,
        level: u8,
        birth: u64,
        body: &[u8],
    ) -> Result<PageRef> {
        let mut bytes = seal(kind, level, self.store, addr, birth, body);
        let r = PageRef {
            addr,
            len: bytes.len() as u32,
            twin: kind.twin(),
            crc: crc32c::crc32c(&bytes),
            birth,
        };
        if let Some(distance) = r.second() {
            let copy = bytes.clone();
            bytes.resize(distance as usize * 512, 0);
            bytes.extend_from_slice(&copy);
        }
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        if self.buffer_at + self.buffer.len() as u64 != addr * 512 || self.buffer.len() > 1 << 20 {
            self.flush()?;
            self.buffer_at = addr * 512;
        }
        self.buffer.extend_from_slice(&bytes);
        Ok(r)
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.disk
                .write_at(FileName::Meta, self.buffer_at, &self.buffer)
                .map_err(|e| EngineError::io("writing meta", e))?;
            self.buffer.clear();
        }
        Ok(())
    }

    pub(super) fn tree(
        &mut self,
        child: &Child,
        level: u8,
        written: &mut Written,
    ) -> Result<PageRef> {
        let page = match child {
            Child::Disk(r) => return Ok(*r),
            Child::Mem(page) => page,
        };
        if let Some(r) = page.disk.get() {
            return Ok(*r);
        }
        let key = Arc::as_ptr(page);
        if let Some((_, r)) = written.get(&key) {
            return Ok(*r);
        }
        let (kind, body) = match &page.body {
            Body::Leaf(leaf) => (PageKind::Leaf, encode_leaf(leaf)),
            Body::Inner(inner) => {
                let mut children = Vec::with_capacity(inner.children.len());
                for (i, below) in inner.iter() {
                    children.push((i, self.tree(below, level.saturating_sub(1), written)?));
                }
                (PageKind::Inner, encode_inner(&children))
            }
        };
        let r = self.write(kind, level, page.birth, &body)?;
        written.insert(key, (page.clone(), r));
        Ok(r)
    }

    pub(super) fn free(&mut self, r: &PageRef) -> Result<()> {
        let generation = self.next.generation;
        let sectors = r.addr..r.addr + r.sectors();
        self.next
            .meta
            .prepare(&self.core.pages, sectors.clone(), true)?;
        for sector in sectors {
            self.next.meta.clear(sector, generation);
        }
        Ok(())
    }

    pub(super) fn free_opt(&mut self, r: Option<PageRef>) -> Result<()> {
        r.map_or(Ok(()), |r| self.free(&r))
    }

    /// Writes the map of the metadata file itself. Placing its pages changes
    /// it, so all are placed before any is written.
    pub(super) fn meta_map(&mut self, root: &mut Root) -> Result<PageRef> {
        let bits_len = HEADER + BITS_LEN;
        let mut pages: BTreeMap<usize, u64> = BTreeMap::new();
        let mut tables: BTreeMap<usize, u64> = BTreeMap::new();
        self.free_opt(self.next.root)?;
        let root_len = Root::bound(
            root.chunks.len(),
            root.data_tables.len() + self.next.meta.tables.len(),
        );
        let root_at = self.place(PageKind::Root, HEADER + root_len)?;
        loop {
            let fresh: Vec<usize> = self
                .next
                .meta
                .dirty_pages()
                .into_iter()
                .filter(|i| !pages.contains_key(i))
                .collect();
            if fresh.is_empty() {
                break;
            }
            for index in fresh {
                self.free_opt(self.next.meta.pages[index].disk)?;
                let at = self.place(PageKind::Bitmap, bits_len)?;
                pages.insert(index, at);
                let table = index / TABLE_PAGES;
                if let Entry::Vacant(slot) = tables.entry(table) {
                    self.free_opt(self.next.meta.tables[table])?;
                    slot.insert(self.place(PageKind::Table, HEADER + TABLE_LEN)?);
                }
            }
        }
        let generation = self.next.generation;
        for (index, at) in pages {
            let Some(bits) = self.next.meta.pages[index].bits.clone() else {
                continue;
            };
            let r = self.write_at(at, PageKind::Bitmap, 0, generation, &encode_bits(&bits))?;
            let page = &mut self.next.meta.pages[index];
            page.disk = Some(r);
            page.dirty = false;
        }
        for (index, at) in tables {
            let body = encode_table(&self.next.meta.table(index));
            self.next.meta.tables[index] =
                Some(self.write_at(at, PageKind::Table, 0, generation, &body)?);
        }
        root.meta_tables.clone_from(&self.next.meta.tables);
        root.meta_backed = self.next.meta.backed;
        let body = root.encode(root_len);
        let r = self.write_at(root_at, PageKind::Root, 0, generation, &body)?;
        self.next.root = Some(r);
        self.flush()?;
        Ok(r)
    }
}

impl Checkpoints {
    /// Takes sectors next to each other, and more of the disk if need be.
    pub(super) fn take_sectors(&mut self, core: &Core, sectors: u64) -> Result<u64> {
        let first = match self.meta.take_run(&core.pages, sectors)? {
            Some(first) => first,
            None => {
                self.grow(core, sectors)?;
                self.meta
                    .take_run(&core.pages, sectors)?
                    .ok_or(EngineError::NoSpace)?
            }
        };
        for sector in first..first + sectors {
            self.meta.set(sector);
        }
        Ok(first)
    }

    pub(super) fn grow(&mut self, core: &Core, sectors: u64) -> Result<()> {
        let step = (core.tuning.grow_meta / 512).max(sectors);
        core.disk
            .reserve(FileName::Meta, self.meta.backed * 512, step * 512)
            .map_err(|e| EngineError::io("growing meta", e))?;
        self.meta.extend(self.meta.backed + step);
        Ok(())
    }

    /// Sees that there are `bytes` of free sectors.
    pub(super) fn make_room(&mut self, core: &Core, bytes: u64) -> Result<()> {
        let have = self.meta.free() * 512;
        if have < bytes {
            self.grow(core, (bytes - have).div_ceil(512))?;
        }
        core.meta_room
            .store(self.meta.free() * 512, Ordering::Relaxed);
        Ok(())
    }
}
