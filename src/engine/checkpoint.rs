//! Checkpoints: the state as of a certain record, written beside the one before
//! and put in its place by one superblock. The log before it is needed no more.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::bytes::{In, Out};
use super::catalog::{CHUNK_NODES, Catalog, Node, Volume};
use super::catalog_codec::{encode_jobs, put_node};
use super::core::{Core, Guarded};
use super::disk::{Disk, FileName};
use super::error::{EngineError, Result};
use super::log::LogHead;
use super::page::{Body, Child, Freed, Inner, Page, PageRef};
use super::page_codec::{
    HEADER, PageKind, REF_LEN, encode_inner, encode_leaf, put_ref, seal, take_ref,
};
use super::space::{
    BITS_LEN, Bits, Space, TABLE_LEN, TABLE_PAGES, Table, encode_bits, encode_table,
};
use super::superblock::Superblock;

/// What the last checkpoint left on disk.
#[derive(Clone, Default)]
pub(super) struct Checkpoints {
    /// Sectors of the metadata file.
    pub(super) meta: Space,
    pub(super) generation: u64,
    pub(super) root: Option<PageRef>,
    /// Chunks of nodes.
    pub(super) chunks: BTreeMap<u64, PageRef>,
    pub(super) jobs: Option<PageRef>,
}

/// What the root of a checkpoint says.
pub(super) struct Root {
    pub(super) lsn: u64,
    pub(super) next_node: u64,
    pub(super) data_backed: u64,
    pub(super) meta_backed: u64,
    pub(super) chunks: BTreeMap<u64, PageRef>,
    pub(super) jobs: Option<PageRef>,
    pub(super) data_tables: Vec<Option<PageRef>>,
    pub(super) meta_tables: Vec<Option<PageRef>>,
}

fn put_opt_ref(out: &mut Out, r: Option<&PageRef>) {
    out.flag(r.is_some());
    if let Some(r) = r {
        put_ref(out, r);
    }
}

fn take_opt_ref(input: &mut In<'_>) -> Result<Option<PageRef>> {
    Ok(if input.flag()? {
        Some(take_ref(input)?)
    } else {
        None
    })
}

impl Root {
    fn encode(&self, len: usize) -> Vec<u8> {
        let mut out = Out(Vec::with_capacity(len));
        out.u64(self.lsn);
        out.u64(self.next_node);
        out.u64(self.data_backed);
        out.u64(self.meta_backed);
        out.u32(self.chunks.len() as u32);
        for (chunk, r) in &self.chunks {
            out.u64(*chunk);
            put_ref(&mut out, r);
        }
        put_opt_ref(&mut out, self.jobs.as_ref());
        for tables in [&self.data_tables, &self.meta_tables] {
            out.u32(tables.len() as u32);
            for table in tables {
                put_opt_ref(&mut out, table.as_ref());
            }
        }
        // Its length was fixed before all of it was known.
        out.0.resize(len.max(out.0.len()), 0);
        out.0
    }

    /// A bound of the length of what `encode` has to say.
    fn bound(chunks: usize, tables: usize) -> usize {
        64 + chunks * (REF_LEN + 8) + (tables + 8) * (REF_LEN + 1)
    }

    pub(super) fn decode(body: &[u8]) -> Result<Self> {
        let mut input = In::new(body, "the root of the checkpoint");
        let i = &mut input;
        let (lsn, next_node, data_backed, meta_backed) = (i.u64()?, i.u64()?, i.u64()?, i.u64()?);
        let mut chunks = BTreeMap::new();
        for _ in 0..i.u32()? {
            chunks.insert(i.u64()?, take_ref(i)?);
        }
        let jobs = take_opt_ref(i)?;
        let mut tables = || {
            (0..i.u32()?)
                .map(|_| take_opt_ref(i))
                .collect::<Result<Vec<_>>>()
        };
        let (data_tables, meta_tables) = (tables()?, tables()?);
        Ok(Self {
            lsn,
            next_node,
            data_backed,
            meta_backed,
            chunks,
            jobs,
            data_tables,
            meta_tables,
        })
    }
}

/// Where the pages of the data map that were written are, and where all its tables are.
type DataMapRefs = (Vec<(usize, PageRef)>, Vec<Option<PageRef>>);

/// Tree pages that a checkpoint has written, by where they are in memory.
type Written = HashMap<*const Page, (Arc<Page>, PageRef)>;

/// What a checkpoint writes, as it was at one moment.
struct Capture {
    head: LogHead,
    lsn: u64,
    next_node: u64,
    /// Trees with pages in memory.
    trees: Vec<(u64, Child, u8)>,
    /// The nodes of chunks that changed, and the volumes of heads among them.
    chunks: BTreeMap<u64, Vec<(Node, Option<Volume>)>>,
    jobs: Option<Vec<u8>>,
    freed: Vec<Freed>,
    dirty: u64,
    data_backed: u64,
    data_pages: Vec<(usize, Arc<Bits>)>,
    data_tables: BTreeMap<usize, Table>,
    all_tables: Vec<Option<PageRef>>,
}

impl Capture {
    fn take(core: &Core, guarded: &mut Guarded, head: LogHead) -> Self {
        let state = &mut guarded.state;
        let catalog = &mut state.catalog;
        let dirty_chunks = std::mem::take(&mut catalog.dirty_chunks);
        let chunks = dirty_chunks
            .into_iter()
            .map(|chunk| (chunk, chunk_nodes(catalog, chunk)))
            .collect();
        let trees = catalog
            .in_memory
            .iter()
            .filter_map(|id| catalog.nodes.get(id))
            .filter_map(|node| Some((node.id, node.tree.root.clone()?, node.tree.level)))
            .collect();
        let jobs = std::mem::take(&mut catalog.jobs_dirty).then(|| encode_jobs(catalog));
        let mut space = core.space.lock();
        let mut data_pages = Vec::new();
        let mut data_tables = BTreeMap::new();
        for index in space.dirty_pages() {
            let page = &mut space.pages[index];
            page.dirty = false;
            if let Some(bits) = &page.bits {
                data_pages.push((index, bits.clone()));
            }
            data_tables.insert(index / TABLE_PAGES, Table::new());
        }
        for (index, table) in &mut data_tables {
            *table = space.table(*index);
        }
        Self {
            head,
            lsn: state.lsn,
            next_node: catalog.next_node,
            trees,
            chunks,
            jobs,
            freed: std::mem::take(&mut state.freed),
            dirty: std::mem::take(&mut state.dirty),
            data_backed: space.backed,
            data_pages,
            data_tables,
            all_tables: space.tables.clone(),
        }
    }

    /// The checkpoint did not come to be: what was captured is to be written by the next.
    fn undo(self, core: &Core) {
        let mut guarded = core.guarded.write();
        let state = &mut guarded.state;
        state.catalog.dirty_chunks.extend(self.chunks.keys());
        state.catalog.jobs_dirty |= self.jobs.is_some();
        state.freed.extend(self.freed);
        state.dirty += self.dirty;
        let mut space = core.space.lock();
        for (index, _) in self.data_pages {
            space.pages[index].dirty = true;
        }
    }
}

fn chunk_nodes(catalog: &Catalog, chunk: u64) -> Vec<(Node, Option<Volume>)> {
    catalog
        .nodes
        .range(chunk * CHUNK_NODES..(chunk + 1) * CHUNK_NODES)
        .map(|(_, node)| {
            let volume = match node.role {
                super::catalog::Role::Head(id) => catalog.volumes.get(&id).cloned(),
                _ => None,
            };
            (node.clone(), volume)
        })
        .collect()
}

/// Writes extents of metadata, those next to each other in one go.
struct Writer<'a> {
    disk: &'a dyn Disk,
    core: &'a Core,
    next: &'a mut Checkpoints,
    store: u64,
    buffer: Vec<u8>,
    buffer_at: u64,
}

impl Writer<'_> {
    /// Sectors for an extent of `len` bytes.
    fn place(&mut self, len: usize) -> Result<u64> {
        let sectors = (len as u64).div_ceil(512);
        self.next.take_sectors(self.core, sectors)
    }

    fn write(&mut self, kind: PageKind, level: u8, birth: u64, body: &[u8]) -> Result<PageRef> {
        let addr = self.place(HEADER + body.len())?;
        self.write_at(addr, kind, level, birth, body)
    }

    fn write_at(
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
            crc: crc32c::crc32c(&bytes),
            birth,
        };
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        if self.buffer_at + self.buffer.len() as u64 != addr * 512 || self.buffer.len() > 1 << 20 {
            self.flush()?;
            self.buffer_at = addr * 512;
        }
        self.buffer.extend_from_slice(&bytes);
        Ok(r)
    }

    fn flush(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.disk
                .write_at(FileName::Meta, self.buffer_at, &self.buffer)
                .map_err(|e| EngineError::io("writing meta", e))?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn tree(&mut self, child: &Child, level: u8, written: &mut Written) -> Result<PageRef> {
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

    fn free(&mut self, r: &PageRef) -> Result<()> {
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

    fn free_opt(&mut self, r: Option<PageRef>) -> Result<()> {
        r.map_or(Ok(()), |r| self.free(&r))
    }

    /// Writes the map of the metadata file itself. Placing its pages changes
    /// it, so all are placed before any is written.
    fn meta_map(&mut self, root: &mut Root) -> Result<PageRef> {
        let bits_len = HEADER + BITS_LEN;
        let mut pages: BTreeMap<usize, u64> = BTreeMap::new();
        let mut tables: BTreeMap<usize, u64> = BTreeMap::new();
        self.free_opt(self.next.root)?;
        let root_len = Root::bound(
            root.chunks.len(),
            root.data_tables.len() + self.next.meta.tables.len(),
        );
        let root_at = self.place(HEADER + root_len)?;
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
                let at = self.place(bits_len)?;
                pages.insert(index, at);
                let table = index / TABLE_PAGES;
                if let Entry::Vacant(slot) = tables.entry(table) {
                    self.free_opt(self.next.meta.tables[table])?;
                    slot.insert(self.place(HEADER + TABLE_LEN)?);
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
    fn take_sectors(&mut self, core: &Core, sectors: u64) -> Result<u64> {
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

    fn grow(&mut self, core: &Core, sectors: u64) -> Result<()> {
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

impl Core {
    /// Writes a checkpoint. Reads and writes go on meanwhile.
    ///
    /// # Errors
    /// [`EngineError::NoSpace`] if there is no room for it: all stays as it was.
    /// Any other error turns the store read-only.
    pub(super) fn checkpoint(&self) -> Result<()> {
        let mut checkpoints = self.checkpoints.lock();
        self.checkpoint_locked(&mut checkpoints)
    }

    fn checkpoint_locked(&self, checkpoints: &mut Checkpoints) -> Result<()> {
        let capture = {
            let mut log = self.log.lock();
            self.check_not_failed()?;
            let mut guarded = self.guarded.write();
            let batch = Self::take_batch(&mut log, &mut guarded)?;
            let capture = Capture::take(self, &mut guarded, log.head());
            drop(guarded);
            self.write_batch(&mut log, batch, false)?;
            Capture {
                head: log.head(),
                ..capture
            }
        };
        let mut next = checkpoints.clone();
        next.generation += 1;
        let mut written = HashMap::new();
        match self.write_checkpoint(&mut next, &capture, &mut written) {
            Ok(data_refs) => {
                self.finish_checkpoint(&mut next, &capture, &written, data_refs);
                *checkpoints = next;
                Ok(())
            }
            Err(EngineError::NoSpace) => {
                capture.undo(self);
                Err(EngineError::NoSpace)
            }
            Err(e) => {
                self.turn_read_only(&format!("writing a checkpoint failed ({e})"));
                Err(e)
            }
        }
    }

    fn check_not_failed(&self) -> Result<()> {
        match self.check_writable() {
            // A checkpoint is the last thing a closing store does.
            Err(EngineError::Closed) => Ok(()),
            other => other,
        }
    }

    /// Writes all that was captured and the superblock. Returns where the data
    /// map's pages and tables are now.
    fn write_checkpoint(
        &self,
        next: &mut Checkpoints,
        capture: &Capture,
        written: &mut Written,
    ) -> Result<DataMapRefs> {
        self.sync_data()?;
        let generation = next.generation;
        let store = self.pages.store;
        let mut writer = Writer {
            disk: &*self.disk,
            core: self,
            next,
            store,
            buffer: Vec::new(),
            buffer_at: 0,
        };
        for freed in &capture.freed {
            match freed {
                Freed::Extent(r) => writer.free(r)?,
                Freed::Page(page) => writer.free_opt(page.disk.get().copied())?,
            }
        }
        for (_, root, level) in &capture.trees {
            writer.tree(root, *level, written)?;
        }
        for (chunk, nodes) in &capture.chunks {
            let old = writer.next.chunks.remove(chunk);
            writer.free_opt(old)?;
            if nodes.is_empty() {
                continue;
            }
            let mut out = Out::default();
            out.u32(nodes.len() as u32);
            for (node, volume) in nodes {
                let root = match &node.tree.root {
                    Some(root) => Some(writer.tree(root, node.tree.level, written)?),
                    None => None,
                };
                put_node(&mut out, node, volume.as_ref(), root);
            }
            let r = writer.write(PageKind::Nodes, 0, generation, &out.0)?;
            writer.next.chunks.insert(*chunk, r);
        }
        if let Some(body) = &capture.jobs {
            writer.free_opt(writer.next.jobs)?;
            writer.next.jobs = Some(writer.write(PageKind::Jobs, 0, generation, body)?);
        }
        let (data_refs, data_tables) = self.write_data_map(&mut writer, capture)?;
        let mut root = Root {
            lsn: capture.lsn,
            next_node: capture.next_node,
            data_backed: capture.data_backed,
            meta_backed: 0,
            chunks: writer.next.chunks.clone(),
            jobs: writer.next.jobs,
            data_tables: data_tables.clone(),
            meta_tables: Vec::new(),
        };
        let root = writer.meta_map(&mut root)?;
        let sync = |e| EngineError::Io {
            what: "syncing meta".into(),
            source: e,
        };
        self.disk.sync(FileName::Meta).map_err(sync)?;
        let superblock = Superblock {
            store: self.store,
            generation,
            created: self.created,
            chunk_blocks: self.chunk_blocks,
            root,
            log: capture.head,
        };
        let write = |e| EngineError::Io {
            what: "writing super".into(),
            source: e,
        };
        superblock.write(&*self.disk).map_err(write)?;
        Ok((data_refs, data_tables))
    }

    fn write_data_map(&self, writer: &mut Writer<'_>, capture: &Capture) -> Result<DataMapRefs> {
        let generation = writer.next.generation;
        let mut tables = capture.data_tables.clone();
        let mut refs = Vec::new();
        for (index, bits) in &capture.data_pages {
            let slot = tables
                .get_mut(&(index / TABLE_PAGES))
                .and_then(|table| table.get_mut(index % TABLE_PAGES));
            if let Some((_, slot)) = slot {
                writer.free_opt(*slot)?;
                let r = writer.write(PageKind::Bitmap, 0, generation, &encode_bits(bits))?;
                *slot = Some(r);
                refs.push((*index, r));
            }
        }
        let mut all = capture.all_tables.clone();
        for (index, table) in &tables {
            writer.free_opt(all[*index])?;
            all[*index] =
                Some(writer.write(PageKind::Table, 0, generation, &encode_table(table))?);
        }
        Ok((refs, all))
    }

    /// The checkpoint counts: what was written is clean now, what it replaces is free.
    fn finish_checkpoint(
        &self,
        next: &mut Checkpoints,
        capture: &Capture,
        written: &Written,
        (data_refs, data_tables): DataMapRefs,
    ) {
        for (page, r) in written.values() {
            // Pages in the cache name their children by where they are on disk.
            let clean = match &page.body {
                Body::Leaf(_) => page.clone(),
                Body::Inner(inner) => {
                    let at = |child: &Child| match child {
                        Child::Disk(r) => Child::Disk(*r),
                        Child::Mem(page) => {
                            let r = page
                                .disk
                                .get()
                                .copied()
                                .or_else(|| written.get(&Arc::as_ptr(page)).map(|w| w.1));
                            r.map_or_else(|| child.clone(), Child::Disk)
                        }
                    };
                    let children = inner.children.iter().map(at).collect();
                    let clean = Page::new(
                        page.birth,
                        Body::Inner(Inner {
                            present: inner.present,
                            children,
                        }),
                    );
                    let _ = clean.disk.set(*r);
                    Arc::new(clean)
                }
            };
            self.pages.insert(*r, clean);
            let _ = page.disk.set(*r);
        }
        let mut guarded = self.guarded.write();
        let catalog = &mut guarded.state.catalog;
        for (id, root, _) in &capture.trees {
            if let Some(node) = catalog.nodes.get_mut(id)
                && let (Some(Child::Mem(now)), Child::Mem(then)) = (&node.tree.root, root)
                && Arc::ptr_eq(now, then)
                && let Some(r) = then.disk.get()
            {
                node.tree.root = Some(Child::Disk(*r));
                catalog.in_memory.remove(id);
            }
        }
        drop(guarded);
        let mut space = self.space.lock();
        for (index, r) in data_refs {
            space.pages[index].disk = Some(r);
        }
        space.tables[..data_tables.len()].copy_from_slice(&data_tables);
        space.trim(4096);
        drop(space);
        next.meta.release_until(next.generation);
        next.meta.trim(1024);
        self.meta_room
            .store(next.meta.free() * 512, Ordering::Relaxed);
        self.meta_bytes
            .store(next.meta.used * 512, Ordering::Relaxed);
        self.settled.store(capture.lsn, Ordering::Relaxed);
        let mut log = self.log.lock();
        log.recycle(&capture.head);
        self.look_for_room(&mut log);
    }
}
