//! What must hold of a store at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::MutexGuard;

use crate::engine::catalog::{Node, Role};
use crate::engine::checkpoint::Checkpoints;
use crate::engine::page::{Body, Child, Entry, LEAF_BLOCKS, Page, PageRef, span};
use crate::engine::store::Store;
use crate::engine::tree::resident;
use crate::engine::usage::held_alone;

/// What a tree maps, block by block, and the pages it is made of.
struct Content {
    entries: BTreeMap<u64, Entry>,
    pages: Vec<Child>,
    /// Blocks of the nodes that were joined with it.
    joined: BTreeSet<u64>,
    is_joined: bool,
    /// Leaves below have been given back; what is left of them means nothing.
    cursor: u64,
}

fn content(store: &Store, node: &Node) -> Content {
    fn visit(store: &Store, child: &Child, level: u8, base: u64, out: &mut Content) {
        if base + span(level) <= out.cursor {
            return;
        }
        let page: Arc<Page> = resident(&store.core().pages, child, level).unwrap();
        out.pages.push(child.clone());
        match &page.body {
            Body::Leaf(leaf) => {
                out.entries
                    .extend(leaf.iter().map(|(i, e)| (base * LEAF_BLOCKS + i as u64, e)));
            }
            Body::Inner(inner) => {
                assert!(!inner.children.is_empty(), "an inner page without children");
                for (i, below) in inner.iter() {
                    visit(
                        store,
                        below,
                        level - 1,
                        base + i as u64 * span(level - 1),
                        out,
                    );
                }
            }
        }
    }
    let (cursor, older) = match &node.role {
        Role::Hidden { cursor, older } => (*cursor, older.as_slice()),
        _ => (0, &[][..]),
    };
    let mut out = Content {
        entries: BTreeMap::new(),
        pages: Vec::new(),
        joined: BTreeSet::new(),
        is_joined: !older.is_empty(),
        cursor,
    };
    for tree in older {
        if let Some(root) = &tree.root {
            visit(store, root, tree.level, 0, &mut out);
        }
        let entries = std::mem::take(&mut out.entries);
        out.joined
            .extend(entries.values().filter_map(|e| e.block()));
    }
    if let Some(root) = &node.tree.root {
        visit(store, root, node.tree.level, 0, &mut out);
    }
    out
}

/// Checks counts, owners and maps of a store against a full walk.
pub(in crate::engine) fn check(store: &Store) {
    let core = store.core();
    // No checkpoint comes between what the trees hold and what the file does.
    let checkpoints = core.checkpoints.lock();
    let guarded = core.guarded.read();
    let catalog = &guarded.state.catalog;
    let contents: BTreeMap<u64, Content> = catalog
        .nodes
        .iter()
        .map(|node| (node.id, content(store, node)))
        .collect();
    let mut mapped: BTreeSet<u64> = BTreeSet::new();
    let mut extents: BTreeSet<(u64, u64)> = BTreeSet::new();
    for node in catalog.nodes.iter() {
        let mine = &contents[&node.id];
        let cursor = mine.cursor;
        let data = |content: &Content| -> BTreeMap<u64, Entry> {
            content
                .entries
                .iter()
                .filter(|(_, e)| e.block().is_some())
                .map(|(l, e)| (*l, *e))
                .collect()
        };
        let blocks = data(mine);
        mapped.extend(blocks.values().filter_map(|e| e.block()));
        mapped.extend(&mine.joined);
        for page in &mine.pages {
            if let Some(r) = page.disk() {
                extents.insert((r.addr, r.sectors()));
            }
        }
        if cursor > 0 || mine.is_joined {
            continue;
        }
        if matches!(node.role, Role::Head(_)) {
            assert_eq!(
                node.referenced,
                blocks.len() as u64,
                "referenced of node {}",
                node.id
            );
        }
        let freeze = catalog.parent_freeze(node.id);
        let parent = node.parent.get().map(|id| &contents[&id]);
        let swept = node
            .parent
            .get()
            .and_then(|id| match catalog.nodes.get(&id).unwrap().role {
                Role::Hidden { cursor, .. } => Some(cursor),
                _ => None,
            });
        for (lba, entry) in &blocks {
            let in_parent =
                parent.is_some_and(|p| p.entries.get(lba).and_then(|e| e.block()) == entry.block());
            if swept.is_none_or(|cursor| lba / LEAF_BLOCKS >= cursor) {
                assert_eq!(
                    entry.birth() <= freeze,
                    in_parent,
                    "block {lba} of node {} and its parent",
                    node.id
                );
            }
        }
        let written = blocks.values().filter(|e| e.birth() > freeze).count() as u64;
        assert_eq!(node.written, written, "written of node {}", node.id);
        // Half given back, a neighbour is not to be compared with.
        if swept.is_some_and(|cursor| cursor > 0)
            || catalog
                .children(node.id)
                .any(|id| contents[&id].cursor > 0 || contents[&id].is_joined)
        {
            continue;
        }
        let children: Vec<_> = catalog
            .children(node.id)
            .map(|id| data(&contents[&id]))
            .collect();
        let alone = blocks
            .iter()
            .filter(|(lba, e)| {
                e.birth() > freeze
                    && !children
                        .iter()
                        .any(|c| c.get(lba).and_then(|o| o.block()) == e.block())
            })
            .count() as u64;
        if let Some(known) = held_alone(catalog, node) {
            assert_eq!(known, alone, "exclusive of node {}", node.id);
        }
        let usage = core.usage(&guarded.state, node);
        assert_eq!(
            usage.exclusive,
            Some(alone * 4096),
            "exclusive of node {} as it is told",
            node.id
        );
    }
    let used = core.space.lock().all_used(&core.pages).unwrap();
    if !contents.values().any(|c| c.cursor > 0 || c.is_joined) {
        let mut holders: BTreeMap<u64, u64> = BTreeMap::new();
        for content in contents.values() {
            for block in content.entries.values().filter_map(|e| e.block()) {
                *holders.entry(block).or_default() += 1;
            }
        }
        let shared = holders.values().filter(|n| **n > 1).count() as u64;
        let exclusive = catalog.nodes.iter().map(|node| {
            let usage = core.usage(&guarded.state, node);
            usage.exclusive.unwrap() / 4096
        });
        assert_eq!(
            exclusive.sum::<u64>() + shared,
            used.len() as u64,
            "what is held alone and what is shared is not what is used"
        );
    }
    let leaked: Vec<_> = used.difference(&mapped).collect();
    let lost: Vec<_> = mapped.difference(&used).collect();
    assert!(
        leaked.is_empty() && lost.is_empty(),
        "blocks leaked: {leaked:?}, in use but free: {lost:?}"
    );
    drop(guarded);
    check_meta(store, checkpoints, extents);
}

/// Every sector of metadata is in use by a page, a chunk, a map or the root, or
/// waits for the next checkpoint.
fn check_meta(
    store: &Store,
    mut checkpoints: MutexGuard<'_, Checkpoints>,
    mut extents: BTreeSet<(u64, u64)>,
) {
    use crate::engine::page::Freed;
    let core = store.core();
    let guarded = core.guarded.read();
    let mut add = |r: &PageRef| {
        extents.insert((r.addr, r.sectors()));
    };
    for freed in &guarded.state.freed {
        match freed {
            Freed::Extent(r) => add(r),
            Freed::Page(page) => {
                if let Some(r) = page.disk.get() {
                    add(r);
                }
            }
        }
    }
    checkpoints.chunks.values().for_each(&mut add);
    checkpoints.root.iter().for_each(&mut add);
    checkpoints.jobs.iter().for_each(&mut add);
    let space = core.space.lock();
    for map in [&*space, &checkpoints.meta] {
        map.tables.iter().flatten().for_each(&mut add);
        map.pages
            .iter()
            .filter_map(|page| page.disk.as_ref())
            .for_each(&mut add);
    }
    drop(space);
    let mut sectors = BTreeSet::new();
    for (addr, n) in extents {
        for sector in addr..addr + n {
            assert!(sectors.insert(sector), "sector {sector} is used twice");
        }
    }
    let used = checkpoints.meta.all_used(&core.pages).unwrap();
    let leaked: Vec<_> = used.difference(&sectors).collect();
    let lost: Vec<_> = sectors.difference(&used).collect();
    assert!(
        leaked.is_empty() && lost.is_empty(),
        "sectors leaked: {leaked:?}, in use but free: {lost:?}"
    );
}
