//! Reading everything there is and checking it.

use super::catalog::{Node, Role};
use super::core::{Core, Ticket};
use super::error::Result;
use super::info::{Hurt, ScrubReport, Source};
use super::page::{BLOCK, BLOCK_LEN, Entry, LEAF_BLOCKS};
use super::store::Store;
use super::tree::as_leaf;

/// Where a scrub stands in a node, and what it found there.
struct Stretch<'a> {
    leaf: u64,
    blocks: Vec<(u64, Entry)>,
    _ticket: Ticket<'a>,
}

fn source_of(node: &Node) -> Option<Source> {
    match node.role {
        Role::Head(id) => Some(Source::Volume(id)),
        Role::Point { id, .. } => Some(Source::Point(id)),
        Role::Hidden { .. } => None,
    }
}

impl Core {
    /// The next leaf of a node, from `from` on, that it does not share with its parent.
    fn next_stretch(&self, id: u64, from: u64) -> Result<Option<Stretch<'_>>> {
        let guarded = self.guarded.read();
        let catalog = &guarded.state.catalog;
        let Some(node) = catalog.nodes.get(&id) else {
            return Ok(None);
        };
        let from = match node.role {
            Role::Hidden { cursor, .. } => from.max(cursor),
            _ => from,
        };
        let owner = catalog.owner(id);
        let limit = owner.swept.map_or(owner.freeze, |(_, above)| above);
        let tree = &node.tree;
        let Some((leaf, page)) = tree.next_leaf_born_after(&self.pages, from, limit)? else {
            return Ok(None);
        };
        let own = |(_, entry): &(usize, Entry)| entry.birth() > limit && entry.block().is_some();
        let blocks = as_leaf(&page)?.iter().filter(own);
        Ok(Some(Stretch {
            leaf,
            blocks: blocks
                .map(|(at, entry)| (leaf * LEAF_BLOCKS + at as u64, entry))
                .collect(),
            _ticket: self.ticket(&guarded.state),
        }))
    }

    /// A hurt block, named by each that has it: the node, and those that descend
    /// from it and have not replaced it. Deleted ones only where there is no other.
    fn sharers(&self, id: u64, lba: u64, block: u64, what: &str) -> Vec<Hurt> {
        let guarded = self.guarded.read();
        let catalog = &guarded.state.catalog;
        let has = |node: &Node| {
            let Ok(Some(page)) = node.tree.leaf(&self.pages, lba / LEAF_BLOCKS) else {
                return false;
            };
            let entry = as_leaf(&page)
                .ok()
                .and_then(|leaf| leaf.get((lba % LEAF_BLOCKS) as usize));
            entry.and_then(Entry::block) == Some(block)
        };
        let mut found = Vec::new();
        let mut look = vec![id];
        while let Some(node) = look.pop().and_then(|id| catalog.nodes.get(&id)) {
            if node.id != id && !has(node) {
                continue;
            }
            found.push(Hurt {
                of: catalog.describe(node),
                source: source_of(node),
                offset: Some(lba * BLOCK),
                what: what.to_owned(),
            });
            look.extend(catalog.children(node.id));
        }
        if found.iter().any(|hurt| hurt.source.is_some()) {
            found.retain(|hurt| hurt.source.is_some());
        } else {
            found.truncate(1);
        }
        found
    }

    fn scrub_node(&self, id: u64, report: &mut ScrubReport, progress: &mut dyn FnMut(u64)) {
        let mut buf = [0; BLOCK_LEN];
        let mut from = 0;
        loop {
            let stretch = match self.next_stretch(id, from) {
                Ok(Some(stretch)) => stretch,
                Ok(None) => return,
                Err(e) => {
                    let guarded = self.guarded.read();
                    let catalog = &guarded.state.catalog;
                    let node = catalog.nodes.get(&id);
                    report.hurt.push(Hurt {
                        of: node.map_or_else(String::new, |node| catalog.describe(node)),
                        source: node.and_then(source_of),
                        offset: None,
                        what: e.to_string(),
                    });
                    return;
                }
            };
            for (lba, entry) in &stretch.blocks {
                let Some(block) = entry.block() else { continue };
                let what = match self.read_blocks(block, &mut buf) {
                    Ok(()) if crc32c::crc32c(&buf) == entry.crc() => None,
                    Ok(()) => Some("its content does not match its checksum".to_owned()),
                    Err(e) => Some(e.to_string()),
                };
                report.blocks += 1;
                if let Some(what) = what {
                    report.hurt.extend(self.sharers(id, *lba, block, &what));
                }
            }
            progress(report.blocks * BLOCK);
            from = stretch.leaf + 1;
        }
    }
}

impl Store {
    /// Reads all data and all mappings from the disk and checks them; reads and
    /// writes go on meanwhile. `progress` is called with bytes checked and bytes
    /// in all (as they were at the start); it stops when that returns false.
    ///
    /// A block that several snapshots and volumes share is checked once, and named
    /// by each of them; a page that is hurt by the oldest, those that descend from it have it too.
    ///
    /// # Errors
    /// None for what is hurt, which is in the report.
    pub fn scrub(&self, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<ScrubReport> {
        let core = self.core();
        core.pages.clear();
        let total = self.stats().data_bytes;
        let nodes: Vec<u64> = {
            let guarded = core.guarded.read();
            guarded.state.catalog.nodes.keys().copied().collect()
        };
        let mut report = ScrubReport::default();
        for id in nodes {
            let mut go_on = true;
            core.scrub_node(id, &mut report, &mut |done| go_on &= progress(done, total));
            if !go_on {
                return Ok(report);
            }
        }
        report.complete = true;
        Ok(report)
    }
}
