//! What a checkpoint is to write, as it was at one moment. Taking it is quick:
//! trees and bitmaps are shared until someone changes them.

use super::catalog::{CHUNK_NODES, Catalog, Node, Volume};
use super::catalog_codec::encode_jobs;
use super::core::{Core, Guarded};
use super::log::LogHead;
use super::page::{Child, Freed, PageRef};
use super::space::{Bits, TABLE_PAGES, Table};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// What a checkpoint writes, as it was at one moment.
pub(super) struct Capture {
    pub(super) head: LogHead,
    pub(super) lsn: u64,
    pub(super) next_node: u64,
    /// Trees with pages in memory.
    pub(super) trees: Vec<(u64, Child, u8)>,
    /// The nodes of chunks that changed, and the volumes of heads among them.
    pub(super) chunks: BTreeMap<u64, Vec<(Node, Option<Volume>)>>,
    pub(super) jobs: Option<Vec<u8>>,
    pub(super) freed: Vec<Freed>,
    pub(super) dirty: u64,
    pub(super) data_backed: u64,
    pub(super) data_pages: Vec<(usize, Arc<Bits>)>,
    pub(super) data_tables: BTreeMap<usize, Table>,
    pub(super) all_tables: Vec<Option<PageRef>>,
}

impl Capture {
    pub(super) fn take(core: &Core, guarded: &mut Guarded, head: LogHead) -> Self {
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
    pub(super) fn undo(self, core: &Core) {
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
        .from(Bound::Included(chunk * CHUNK_NODES))
        .take_while(|node| node.id / CHUNK_NODES == chunk)
        .map(|node| {
            let volume = match node.role {
                super::catalog::Role::Head(id) => catalog.volumes.get(&id).cloned(),
                _ => None,
            };
            (node.clone(), volume)
        })
        .collect()
}
