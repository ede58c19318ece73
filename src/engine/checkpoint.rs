//! Checkpoints: the state as of a certain record, written beside the one before
//! and put in its place by one superblock. The log before it is needed no more.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::bytes::Out;
use super::capture::Capture;
use super::catalog_codec::put_node;
use super::core::{Core, Guarded};
use super::disk::FileName;
use super::error::{EngineError, Result};
use super::meta_writer::{Writer, Written};
use super::page::{Body, Child, Freed, Inner, Page, PageRef};
use super::page_codec::PageKind;
use super::root::Root;
use super::space::{Space, TABLE_PAGES, encode_bits, encode_table};
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

/// What is to be done just before a checkpoint takes what it writes.
type Prepare<'a> = dyn FnMut(&mut Guarded, &mut Checkpoints) -> Result<()> + 'a;

/// Where the pages of the data map that were written are, and where all its tables are.
type DataMapRefs = (Vec<(usize, PageRef)>, Vec<Option<PageRef>>);

impl Core {
    /// Writes a checkpoint. Reads and writes go on meanwhile.
    ///
    /// # Errors
    /// [`EngineError::NoSpace`] if there is no room for it: all stays as it was.
    /// Any other error turns the store read-only.
    pub(super) fn checkpoint(&self) -> Result<()> {
        self.checkpoint_after(&mut |_, _| Ok(()))
    }

    /// The same; `prepare` changes what it writes beforehand, while all else stands still.
    pub(super) fn checkpoint_after(&self, prepare: &mut Prepare<'_>) -> Result<()> {
        let checkpoints = &mut *self.checkpoints.lock();
        let capture = {
            let mut log = self.log.lock();
            self.check_not_failed()?;
            let mut guarded = self.guarded.write();
            prepare(&mut guarded, checkpoints)?;
            let batch = self
                .take_batch(&mut log, &mut guarded)
                .map_err(|e| self.log_failed(e))?;
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
        log.shed(self.tuning.log_limit);
        self.look_for_room(&mut log);
    }
}
