//! What is really in use: a walk of all mappings, held against the maps of free space
//! and the counters that are kept without one.

use std::collections::BTreeMap;

use super::alone::{Bounds, Drafts, Line, alone};
use super::catalog::{Catalog, Node, Role, SWEPT};
use super::error::Result;
use super::page::{Body, Child, Freed, PageRef, span};
use super::pages::Pages;
use super::space::{Bits, PAGE_UNITS};
use super::tree::{Owner, Tree};
use super::usage::held_alone;
use super::walk::differences;

/// A set of units of a file.
#[derive(Default)]
pub(super) struct Units(Vec<u64>);

impl Units {
    /// Adds a unit; false if it is there already.
    fn add(&mut self, unit: u64) -> bool {
        let (word, mask) = ((unit / 64) as usize, 1 << (unit % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let new = self.0[word] & mask == 0;
        self.0[word] |= mask;
        new
    }

    /// The units that page `index` of a map is about.
    pub(super) fn page(&self, index: usize) -> Bits {
        let words = PAGE_UNITS as usize / 64;
        let mut bits = [0; PAGE_UNITS as usize / 64];
        let mine = self.0.iter().skip(index * words).take(words);
        bits.iter_mut().zip(mine).for_each(|(to, from)| *to = *from);
        bits
    }
}

/// What a walk of all mappings found.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) blocks: Units,
    pub(super) sectors: Units,
    /// Blocks and pages that belong to two at once.
    pub(super) twice: u64,
    /// Pages that cannot be read: what is below them is not known.
    pub(super) unreadable: u64,
    /// What the map does not reach to.
    pub(super) beyond: u64,
    written: BTreeMap<u64, u64>,
}

/// How a node's own is told from what it shares.
struct Of {
    id: u64,
    owner: Owner,
    /// What was born up to here is shared wherever it is.
    least: u64,
    cursor: u64,
    /// Several trees: what one has, another may have too.
    joined: bool,
}

impl Tally {
    /// Walks all there is. `ends`: units of the data files and of `meta`.
    pub(super) fn take(pages: &Pages, catalog: &Catalog, ends: (u64, u64)) -> Self {
        let mut tally = Self::default();
        for node in catalog.nodes.iter() {
            let owner = catalog.owner(node.id);
            let (cursor, older) = match &node.role {
                Role::Hidden { cursor, older } => (*cursor, older.as_slice()),
                _ => (0, &[][..]),
            };
            let of = Of {
                id: node.id,
                owner,
                least: owner.swept.map_or(owner.freeze, |(_, above)| above),
                cursor,
                joined: !older.is_empty(),
            };
            tally.written.insert(node.id, 0);
            for tree in older.iter().chain([&node.tree]) {
                if let Some(root) = &tree.root {
                    tally.visit(pages, root, (tree.level, 0), &of, ends);
                }
            }
        }
        tally
    }

    /// An extent of metadata that is in no tree.
    pub(super) fn add_extent(&mut self, r: &PageRef, end: u64, once: bool) {
        for sector in r.addr..r.addr.saturating_add(r.sectors()) {
            if sector >= end {
                self.beyond += 1;
                return;
            }
            if !self.sectors.add(sector) && once {
                self.twice += 1;
            }
        }
    }

    /// What the next checkpoint frees.
    pub(super) fn add_freed(&mut self, freed: &Freed, end: u64) {
        let r = match freed {
            Freed::Extent(r) => Some(r),
            Freed::Page(page) => page.disk.get(),
        };
        if let Some(r) = r {
            self.add_extent(r, end, true);
        }
    }

    fn visit(
        &mut self,
        pages: &Pages,
        child: &Child,
        (level, base): (u8, u64),
        of: &Of,
        ends: (u64, u64),
    ) {
        let end = base + span(level);
        if end <= of.cursor || child.birth() <= of.least {
            return;
        }
        if child.birth() > of.owner.limit(end)
            && let Some(r) = child.disk()
        {
            self.add_extent(&r, ends.1, !of.joined);
        }
        let page = match child {
            Child::Mem(page) => page.clone(),
            Child::Disk(r) => match pages.load_once(r, level) {
                Ok(page) => page,
                Err(_) => {
                    self.unreadable += 1;
                    return;
                }
            },
        };
        match &page.body {
            Body::Inner(_) if level == 0 => self.unreadable += 1,
            Body::Inner(inner) => {
                for (i, below) in inner.iter() {
                    let base = base + i as u64 * span(level - 1);
                    self.visit(pages, below, (level - 1, base), of, ends);
                }
            }
            Body::Leaf(leaf) => {
                let limit = of.owner.limit(end);
                let mut written = 0;
                for entry in &leaf.entries {
                    let Some(block) = entry.block() else { continue };
                    written += u64::from(entry.birth() > of.owner.freeze);
                    if entry.birth() <= limit {
                        continue;
                    }
                    if block >= ends.0 {
                        self.beyond += 1;
                    } else if !self.blocks.add(block) && !of.joined {
                        self.twice += 1;
                    }
                }
                *self.written.entry(of.id).or_default() += written;
            }
        }
    }
}

/// What the counters of a node should be.
pub(super) struct Counters {
    pub(super) id: u64,
    pub(super) referenced: u64,
    pub(super) written: u64,
    /// Known and wrong.
    pub(super) exclusive_wrong: bool,
}

/// Data blocks that a tree maps, less those of another.
fn more_than(pages: &Pages, tree: &Tree, other: &Tree) -> Result<i64> {
    let mut more = 0;
    let all = (0, u64::MAX);
    differences(pages, other, tree, all, &mut |_, was, is| {
        more -= i64::from(was.is_some_and(|entry| entry.block().is_some()));
        more += i64::from(is.is_some_and(|entry| entry.block().is_some()));
    })?;
    Ok(more)
}

/// Nodes whose counters are not what a walk finds. Those that are being given back are passed over.
pub(super) fn wrong_counters(
    pages: &Pages,
    catalog: &Catalog,
    tally: &Tally,
) -> Result<Vec<Counters>> {
    let mut found: BTreeMap<u64, u64> = BTreeMap::new();
    let mut wrong = Vec::new();
    let whole = |node: &Node| match &node.role {
        Role::Hidden { cursor, older } => *cursor == 0 && older.is_empty(),
        _ => true,
    };
    for node in catalog.nodes.iter().filter(|node| whole(node)) {
        let parent = node.parent.get().and_then(|id| catalog.nodes.get(&id));
        let base = parent.and_then(|parent| Some((parent, *found.get(&parent.id)?)));
        let referenced = match base {
            Some((parent, blocks)) => {
                blocks.saturating_add_signed(more_than(pages, &node.tree, &parent.tree)?)
            }
            None => more_than(pages, &node.tree, &Tree::default())?.unsigned_abs(),
        };
        found.insert(node.id, referenced);
        let written = tally.written.get(&node.id).copied().unwrap_or(0);
        let children = catalog.children(node.id);
        let mut children = children.filter_map(|id| catalog.nodes.get(&id));
        let alone = match held_alone(catalog, node) {
            Some(known) if catalog.child_count(node.id) > 0 && children.all(whole) => {
                let line = Line {
                    trees: vec![&node.tree],
                    others: catalog
                        .children(node.id)
                        .filter_map(|id| catalog.nodes.get(&id))
                        .map(|node| &node.tree)
                        .collect(),
                    limit: catalog.parent_freeze(node.id),
                };
                let found = alone(pages, &line, Bounds::whole(0, SWEPT), Drafts::new())?;
                found.blocks.len() as u64 == known
            }
            _ => true,
        };
        let visible = !matches!(node.role, Role::Hidden { .. });
        if (visible && node.referenced != referenced) || node.written != written || !alone {
            wrong.push(Counters {
                id: node.id,
                referenced,
                written,
                exclusive_wrong: !alone,
            });
        }
    }
    Ok(wrong)
}
