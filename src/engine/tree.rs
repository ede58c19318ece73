//! A persistent radix tree from blocks of a volume to blocks of the store.
//! Trees share pages; a change copies what is shared on its path.

use std::sync::Arc;

use super::error::{EngineError, Result};
use super::page::{Body, Child, FAN_BITS, Freed, Inner, Leaf, MAX_LEVEL, PAGE_BASE, Page, span};
use super::pages::Pages;

/// A mapping. Cheap to clone: the pages are shared.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) root: Option<Child>,
    /// The root's level; it grows as far as is needed.
    pub(super) level: u8,
}

/// Tells what a node holds alone from what it shares with its parent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Owner {
    /// What was born up to here is shared with the parent.
    pub(super) freeze: u64,
    /// The parent is being given back: what ends at or below this leaf is shared
    /// with the parent's parent only, if it was born up to that one's freeze.
    pub(super) swept: Option<(u64, u64)>,
}

impl Owner {
    /// What was born up to here and ends at leaf `end` is shared.
    pub(super) fn limit(&self, end: u64) -> u64 {
        match self.swept {
            Some((cursor, above)) if end <= cursor => above,
            _ => self.freeze,
        }
    }
}

/// What a change to a tree needs and leaves behind.
pub(super) struct Cow<'a> {
    pub(super) pages: &'a Pages,
    /// The record that makes the change.
    pub(super) lsn: u64,
    pub(super) owner: Owner,
    /// Pages the tree needs no more.
    pub(super) freed: &'a mut Vec<Freed>,
    /// Bytes of new pages, all of them not on disk.
    pub(super) dirtied: &'a mut u64,
}

/// A page that is in memory, and may hold children.
pub(super) fn resident(pages: &Pages, child: &Child, level: u8) -> Result<Arc<Page>> {
    match child {
        Child::Mem(page) => Ok(page.clone()),
        Child::Disk(r) => pages.load(r, level),
    }
}

fn kind_error() -> EngineError {
    EngineError::damaged("a page of a mapping tree is of the wrong level")
}

/// The page as a leaf.
pub(super) fn as_leaf(page: &Page) -> Result<&Leaf> {
    match &page.body {
        Body::Leaf(leaf) => Ok(leaf),
        Body::Inner(_) => Err(kind_error()),
    }
}

/// The page as an inner page.
pub(super) fn as_inner(page: &Page) -> Result<&Inner> {
    match &page.body {
        Body::Inner(inner) => Ok(inner),
        Body::Leaf(_) => Err(kind_error()),
    }
}

fn slot(leaf: u64, level: u8) -> usize {
    (leaf >> (FAN_BITS * u32::from(level - 1)) & 63) as usize
}

impl Tree {
    /// The leaf of this number, if there is one.
    pub(super) fn leaf(&self, pages: &Pages, leaf: u64) -> Result<Option<Arc<Page>>> {
        let Some(root) = &self.root else {
            return Ok(None);
        };
        if leaf >= span(self.level) {
            return Ok(None);
        }
        let mut page = resident(pages, root, self.level)?;
        for level in (1..=self.level).rev() {
            let Some(child) = as_inner(&page)?.get(slot(leaf, level)) else {
                return Ok(None);
            };
            let next = resident(pages, child, level - 1)?;
            page = next;
        }
        Ok(Some(page))
    }

    /// The first leaf from number `from` on that there is, and its number.
    pub(super) fn next_leaf(&self, pages: &Pages, from: u64) -> Result<Option<(u64, Arc<Page>)>> {
        self.next_leaf_born_after(pages, from, 0)
    }

    /// The same of those born after `limit`.
    pub(super) fn next_leaf_born_after(
        &self,
        pages: &Pages,
        from: u64,
        limit: u64,
    ) -> Result<Option<(u64, Arc<Page>)>> {
        let Some(root) = &self.root else {
            return Ok(None);
        };
        if from >= span(self.level) {
            return Ok(None);
        }
        next_below(pages, root, self.level, 0, (from, limit))
    }

    /// The leaf of this number, alone in this tree and in memory, to be changed;
    /// made if there is none. A failure leaves the tree with the same content.
    pub(super) fn leaf_mut(&mut self, cow: &mut Cow<'_>, leaf: u64) -> Result<&mut Leaf> {
        while leaf >= span(self.level) {
            if self.level == MAX_LEVEL {
                return Err(EngineError::damaged("a mapping reaches beyond 1 PiB"));
            }
            self.level += 1;
            if let Some(old) = self.root.take() {
                let inner = Inner {
                    present: 1,
                    children: vec![old],
                };
                *cow.dirtied += PAGE_BASE;
                self.root = Some(Child::Mem(Arc::new(Page::new(cow.lsn, Body::Inner(inner)))));
            }
        }
        let top = self.level;
        let lsn = cow.lsn;
        let mut child = self.root.get_or_insert_with(|| {
            *cow.dirtied += PAGE_BASE;
            Child::Mem(Arc::new(Page::empty(lsn, top)))
        });
        for level in (1..=top).rev() {
            let body = writable(child, cow, level, leaf)?;
            let Body::Inner(inner) = body else {
                return Err(kind_error());
            };
            child = inner.get_or_insert(slot(leaf, level), || {
                *cow.dirtied += PAGE_BASE;
                Child::Mem(Arc::new(Page::empty(lsn, level - 1)))
            });
        }
        match writable(child, cow, 0, leaf)? {
            Body::Leaf(leaf) => Ok(leaf),
            Body::Inner(_) => Err(kind_error()),
        }
    }

    /// Holds pages that are on disk by where they are there, not in memory. Those that
    /// another tree holds too are left to the next time.
    pub(super) fn let_go(&mut self) {
        if let Some(root) = &mut self.root {
            let_go(root);
        }
    }

    /// Drops a leaf, and the inner pages above it that are then empty.
    pub(super) fn remove_leaf(&mut self, cow: &mut Cow<'_>, leaf: u64) -> Result<()> {
        if leaf >= span(self.level) {
            return Ok(());
        }
        let level = self.level;
        if let Some(root) = &mut self.root
            && prune(root, cow, level, leaf)?
        {
            self.root = None;
            self.level = 0;
        }
        Ok(())
    }
}

fn let_go(child: &mut Child) {
    let Child::Mem(page) = child else { return };
    if let Some(r) = page.disk.get() {
        *child = Child::Disk(*r);
    } else if let Some(Body::Inner(inner)) = Arc::get_mut(page).map(|page| &mut page.body) {
        inner.children.iter_mut().for_each(let_go);
    }
}

fn next_below(
    pages: &Pages,
    child: &Child,
    level: u8,
    base: u64,
    (from, limit): (u64, u64),
) -> Result<Option<(u64, Arc<Page>)>> {
    // What a node shares with its parent it shares with all below.
    if child.birth() <= limit {
        return Ok(None);
    }
    let page = resident(pages, child, level)?;
    if level == 0 {
        return Ok(Some((base, page)));
    }
    for (i, below) in as_inner(&page)?.iter() {
        let start = base + i as u64 * span(level - 1);
        if start + span(level - 1) > from
            && let Some(found) = next_below(pages, below, level - 1, start, (from, limit))?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Gives up a page that this tree has had; it is free if the tree had it alone.
fn give_up(child: Child, cow: &mut Cow<'_>, level: u8, leaf: u64) {
    let end = (leaf / span(level) + 1) * span(level);
    if child.birth() > cow.owner.limit(end) {
        cow.freed.push(child.into());
    }
}

/// The body of a page, to be changed: copied first if it is on disk or shared.
fn writable<'t>(
    child: &'t mut Child,
    cow: &mut Cow<'_>,
    level: u8,
    leaf: u64,
) -> Result<&'t mut Body> {
    let alone = match child {
        Child::Mem(page) => page.disk.get().is_none() && Arc::get_mut(page).is_some(),
        Child::Disk(_) => false,
    };
    if !alone {
        let page = resident(cow.pages, child, level)?;
        let copy = Page::new(cow.lsn, page.body.clone());
        *cow.dirtied += copy.bytes();
        give_up(
            std::mem::replace(child, Child::Mem(Arc::new(copy))),
            cow,
            level,
            leaf,
        );
    }
    match child {
        Child::Mem(page) => Arc::get_mut(page).map(|page| &mut page.body),
        Child::Disk(_) => None,
    }
    .ok_or_else(|| EngineError::damaged("a page that was just copied is shared"))
}

/// Removes the leaf below `child`; true if nothing is left and the page is given up.
fn prune(child: &mut Child, cow: &mut Cow<'_>, level: u8, leaf: u64) -> Result<bool> {
    if level > 0 {
        let page = resident(cow.pages, child, level)?;
        let at = slot(leaf, level);
        let inner = as_inner(&page)?;
        if inner.get(at).is_none() {
            return Ok(false);
        }
        drop(page);
        let Body::Inner(inner) = writable(child, cow, level, leaf)? else {
            return Err(kind_error());
        };
        if let Some(below) = inner.get_mut(at)
            && prune(below, cow, level - 1, leaf)?
        {
            inner.remove(at);
        }
        return Ok(inner.children.is_empty());
    }
    let gone = child.clone();
    give_up(gone, cow, level, leaf);
    Ok(true)
}
