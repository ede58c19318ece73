//! Reading everything there is and checking it.

use std::collections::HashSet;

use super::catalog::{Node, Role};
use super::core::{Core, Ticket};
use super::disk::FileName;
use super::error::Result;
use super::info::{Hurt, ScrubReport, Source};
use super::page::{BLOCK, BLOCK_LEN, Child, Entry, LEAF_BLOCKS, PageRef};
use super::page_codec::PageKind;
use super::store::Store;
use super::tree::as_leaf;
use super::walk::{Next, next_in, page_at};

/// What was found, and what may be done about it.
pub(super) struct Scrub<'a> {
    pub(super) core: &'a Core,
    /// What can be put right is.
    pub(super) repair: bool,
    pub(super) report: ScrubReport,
    progress: &'a mut dyn FnMut(u64, u64) -> bool,
    total: u64,
    go_on: bool,
    /// Inner pages whose copies were compared.
    compared: HashSet<u64>,
    /// Copies were written in `meta`.
    rewritten: bool,
}

/// A leaf of a node, as it was at one moment.
struct Stretch<'a> {
    leaf: u64,
    blocks: Vec<(u64, Entry)>,
    _ticket: Ticket<'a>,
}

enum Found<'a> {
    Leaf(Stretch<'a>),
    /// A page cannot be read: first leaf and number of leaves below it.
    Hurt {
        page: Child,
        level: u8,
        range: (u64, u64),
        what: String,
    },
}

fn source_of(node: &Node) -> Option<Source> {
    match node.role {
        Role::Head(id) => Some(Source::Volume(id)),
        Role::Point { id, .. } => Some(Source::Point(id)),
        Role::Hidden { .. } => None,
    }
}

impl Core {
    /// What is hurt, named by each that has it: the node, and those that descend from it and
    /// have it still. Deleted ones only where there is no other.
    fn sharers(
        &self,
        id: u64,
        (lba, count): (u64, u64),
        what: &str,
        has: &dyn Fn(&Node) -> bool,
    ) -> Vec<Hurt> {
        let guarded = self.guarded.read();
        let catalog = &guarded.state.catalog;
        let mut found = Vec::new();
        let mut look = vec![id];
        while let Some(node) = look.pop().and_then(|id| catalog.nodes.get(&id)) {
            if node.id != id && !has(node) {
                continue;
            }
            look.extend(catalog.children(node.id));
            let len = (count * BLOCK).min(node.size.saturating_sub(lba * BLOCK));
            // Beyond its end nobody reads, whatever is there.
            if len > 0 || node.id == id {
                found.push(Hurt {
                    of: catalog.describe(node),
                    source: source_of(node),
                    offset: Some(lba * BLOCK),
                    len,
                    what: what.to_owned(),
                    repaired: false,
                });
            }
        }
        if found.iter().any(|hurt| hurt.source.is_some()) {
            found.retain(|hurt| hurt.source.is_some());
        } else {
            found.truncate(1);
        }
        found
    }

    fn block_sharers(&self, id: u64, lba: u64, block: u64, what: &str) -> Vec<Hurt> {
        self.sharers(id, (lba, 1), what, &|node| {
            let leaf = node.tree.leaf(&self.pages, lba / LEAF_BLOCKS);
            let Ok(Some(page)) = leaf else { return false };
            let at = (lba % LEAF_BLOCKS) as usize;
            let entry = as_leaf(&page).ok().and_then(|leaf| leaf.get(at));
            entry.and_then(Entry::block) == Some(block)
        })
    }

    fn page_sharers(
        &self,
        id: u64,
        page: &Child,
        level: u8,
        (first, leaves): (u64, u64),
        what: &str,
    ) -> Vec<Hurt> {
        let range = (first * LEAF_BLOCKS, leaves.saturating_mul(LEAF_BLOCKS));
        self.sharers(id, range, what, &|node| {
            page_at(&self.pages, &node.tree, level, first).is_some_and(|other| other.same(page))
        })
    }
}

impl<'a> Scrub<'a> {
    /// Notes what is hurt; what follows the same that was noted before is put together with it.
    pub(super) fn note(&mut self, hurt: Hurt) {
        let before = self.report.hurt.iter_mut().rev().take(64);
        for last in before.filter(|last| last.source == hurt.source && last.of == hurt.of) {
            let end = last.offset.map(|offset| offset + last.len);
            let same = last.what == hurt.what && last.repaired == hurt.repaired;
            if same && hurt.offset.is_some() && end == hurt.offset {
                last.len += hurt.len;
                return;
            }
        }
        self.report.hurt.push(hurt);
    }

    /// Notes something that is no volume's and no snapshot's.
    pub(super) fn note_store(&mut self, of: &str, what: impl Into<String>, repaired: bool) {
        self.note(Hurt {
            of: of.to_owned(),
            source: None,
            offset: None,
            len: 0,
            what: what.into(),
            repaired,
        });
    }

    fn told(&mut self) -> bool {
        self.go_on &= (self.progress)(self.report.blocks * BLOCK, self.total);
        self.go_on
    }

    /// Compares the copies of an extent that is in use. False if none is whole.
    pub(super) fn compare_copies(&mut self, r: &PageRef, kind: PageKind, level: u8) -> bool {
        let copies = self.core.pages.copies(r, kind, level);
        let good = copies.iter().find_map(|(_, copy)| copy.as_ref().ok());
        let Some(good) = good.cloned() else {
            return false;
        };
        for (sector, copy) in copies {
            let Err(e) = copy else { continue };
            let mended = self.repair && self.core.pages.rewrite(sector, good.clone()).is_ok();
            self.rewritten |= mended;
            self.note_store("the metadata", format!("one of two copies: {e}"), mended);
        }
        true
    }

    /// The next leaf of a node, from `from` on, that it does not share with its parent.
    fn next_stretch(&mut self, id: u64, from: u64) -> Option<Found<'a>> {
        let core = self.core;
        let guarded = core.guarded.read();
        let catalog = &guarded.state.catalog;
        let node = catalog.nodes.get(&id)?;
        let from = match node.role {
            Role::Hidden { cursor, .. } => from.max(cursor),
            _ => from,
        };
        let owner = catalog.owner(id);
        let limit = owner.swept.map_or(owner.freeze, |(_, above)| above);
        let root = (node.tree.root.as_ref()?, node.tree.level, 0);
        let mut passed = Vec::new();
        let next = next_in(&core.pages, root, (from, limit), &mut |r, level| {
            if r.second().is_some() {
                passed.push((*r, level));
            }
        });
        // While the state is held, what it refers to stays in its place.
        for (r, level) in passed {
            if self.compared.insert(r.addr) {
                self.compare_copies(&r, PageKind::Inner, level);
            }
        }
        let (leaf, page) = match next? {
            Next::Leaf(leaf, page) => (leaf, page),
            Next::Hurt {
                page,
                level,
                first,
                leaves,
                error,
            } => {
                return Some(Found::Hurt {
                    page,
                    level,
                    range: (first, leaves),
                    what: format!("its mapping cannot be read: {error}"),
                });
            }
        };
        let own = |(_, entry): &(usize, Entry)| entry.birth() > limit && entry.block().is_some();
        let blocks = match as_leaf(&page) {
            Ok(leaf) => leaf.iter().filter(own).collect(),
            Err(_) => Vec::new(),
        };
        Some(Found::Leaf(Stretch {
            leaf,
            blocks: blocks
                .into_iter()
                .map(|(at, entry)| (leaf * LEAF_BLOCKS + at as u64, entry))
                .collect(),
            _ticket: core.ticket(&guarded.state),
        }))
    }

    fn check_block(&mut self, id: u64, lba: u64, entry: Entry) {
        let Some(block) = entry.block() else { return };
        let mut buf = [0; BLOCK_LEN];
        let what = match self.core.read_blocks(block, &mut buf) {
            Ok(()) if crc32c::crc32c(&buf) == entry.crc() => None,
            Ok(()) => Some("its content does not match its checksum".to_owned()),
            Err(e) => Some(e.to_string()),
        };
        self.report.blocks += 1;
        if let Some(what) = what {
            let mended = self.repair && self.restore(block, entry.crc());
            for mut hurt in self.core.block_sharers(id, lba, block, &what) {
                hurt.repaired = mended;
                self.note(hurt);
            }
        }
    }

    /// Writes a block once more from the log, if the log has its content.
    fn restore(&self, block: u64, crc: u32) -> bool {
        let Ok(Some(data)) = self.core.logged(block, crc) else {
            return false;
        };
        self.core.write_blocks(block, &data).is_ok() && self.core.sync_data().is_ok()
    }

    fn scrub_node(&mut self, id: u64) {
        let mut from = 0;
        while let Some(next) = self.next_stretch(id, from) {
            match next {
                Found::Leaf(stretch) => {
                    for (lba, entry) in &stretch.blocks {
                        self.check_block(id, *lba, *entry);
                    }
                    from = stretch.leaf + 1;
                }
                Found::Hurt {
                    page,
                    level,
                    range,
                    what,
                } => {
                    for hurt in self.core.page_sharers(id, &page, level, range, &what) {
                        self.note(hurt);
                    }
                    from = range.0.saturating_add(range.1).max(from + 1);
                }
            }
            if !self.told() {
                return;
            }
        }
    }

    fn run(&mut self) -> Result<()> {
        self.core.pages.clear();
        self.check_super()?;
        self.check_log()?;
        let lost = self.check_fixed();
        let nodes: Vec<u64> = {
            let guarded = self.core.guarded.read();
            guarded
                .state
                .catalog
                .nodes
                .iter()
                .map(|node| node.id)
                .collect()
        };
        for id in nodes {
            self.scrub_node(id);
            if !self.go_on {
                return Ok(());
            }
        }
        if self.rewritten {
            let sync = self.core.disk.sync(FileName::Meta);
            sync.map_err(|e| self.core.poison("syncing meta", e))?;
        }
        self.account(&lost)?;
        self.report.complete = true;
        Ok(())
    }
}

impl Store {
    /// Reads all data and all metadata from the disk and checks them, and holds the maps of
    /// free space and the counters against what is there; reads and writes go on meanwhile.
    /// `progress` is called with bytes checked and bytes in all (as they were at the start);
    /// it stops when that returns false.
    ///
    /// While the maps are held against the mappings, at the end, no checkpoint is written: on a
    /// large store that is a matter of seconds, in which those who write much may have to wait.
    ///
    /// A block or a mapping that several snapshots and volumes share is checked once, and
    /// named by each of them.
    ///
    /// # Errors
    /// None for what is hurt, which is in the report.
    pub fn scrub(&self, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<ScrubReport> {
        self.look_through(false, progress)
    }

    /// The same, and puts right what can be: copies of metadata of which another is whole, what is
    /// held in memory, data that the log has, maps and counters. Space that nothing refers to comes back.
    ///
    /// # Errors
    /// [`ReadOnly`](super::EngineError::ReadOnly), [`NoSpace`](super::EngineError::NoSpace) and those of the system, where
    /// something could not be written.
    pub fn repair(&self, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<ScrubReport> {
        self.core().check_writable()?;
        self.look_through(true, progress)
    }

    fn look_through(
        &self,
        repair: bool,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<ScrubReport> {
        let mut scrub = Scrub {
            core: self.core(),
            repair,
            report: ScrubReport::default(),
            progress,
            total: self.stats().data_bytes,
            go_on: true,
            compared: HashSet::new(),
            rewritten: false,
        };
        scrub.run()?;
        Ok(scrub.report)
    }
}
