//! Walking trees side by side: where they differ. Subtrees that are the same
//! page are passed over.

use std::sync::Arc;

use super::error::{EngineError, Result};
use super::page::{Body, Child, Entry, LEAF_BLOCKS, Leaf, Page, PageRef, span};
use super::pages::Pages;
use super::tree::{Tree, as_inner, resident};

/// What a tree has at one place of one level.
#[derive(Clone)]
pub(super) enum View {
    Nothing,
    /// A page of this level.
    At(Child),
    /// The tree is lower than this level: its root is the first of the first of ... the children.
    Lower(Child, u8),
}

/// A view with its page in memory.
pub(super) enum Open {
    Nothing,
    Page(Arc<Page>),
    Lower(Child, u8),
}

impl View {
    pub(super) fn of(tree: &Tree, level: u8) -> Self {
        match &tree.root {
            None => Self::Nothing,
            Some(root) if tree.level == level => Self::At(root.clone()),
            Some(root) => Self::Lower(root.clone(), tree.level),
        }
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::At(a), Self::At(b)) => a.same(b),
            (Self::Lower(a, i), Self::Lower(b, k)) => i == k && a.same(b),
            _ => false,
        }
    }

    pub(super) fn open(&self, pages: &Pages, level: u8) -> Result<Open> {
        Ok(match self {
            Self::Nothing => Open::Nothing,
            Self::At(child) => Open::Page(resident(pages, child, level)?),
            Self::Lower(child, at) => Open::Lower(child.clone(), *at),
        })
    }
}

impl Open {
    pub(super) fn child(&self, level: u8, i: usize) -> View {
        match self {
            Self::Page(page) => match &page.body {
                Body::Inner(inner) => inner
                    .get(i)
                    .map_or(View::Nothing, |child| View::At(child.clone())),
                Body::Leaf(_) => View::Nothing,
            },
            Self::Lower(child, at) if i == 0 && *at == level - 1 => View::At(child.clone()),
            Self::Lower(child, at) if i == 0 => View::Lower(child.clone(), *at),
            _ => View::Nothing,
        }
    }

    pub(super) fn leaf(&self) -> Option<&Leaf> {
        match self {
            Self::Page(page) => match &page.body {
                Body::Leaf(leaf) => Some(leaf),
                Body::Inner(_) => None,
            },
            _ => None,
        }
    }

    fn entry(&self, i: usize) -> Option<Entry> {
        self.leaf().and_then(|leaf| leaf.get(i))
    }
}

/// What comes next in a tree.
pub(super) enum Next {
    Leaf(u64, Arc<Page>),
    /// A page that cannot be read: so many leaves from `first` on are not known.
    Hurt {
        page: Child,
        level: u8,
        first: u64,
        leaves: u64,
        error: EngineError,
    },
}

/// The first leaf from `from` on that was born after `limit`, or a page on the way
/// to it that cannot be read. `passed` is called with each page on disk on the way.
pub(super) fn next_in(
    pages: &Pages,
    (child, level, base): (&Child, u8, u64),
    (from, limit): (u64, u64),
    passed: &mut dyn FnMut(&PageRef, u8),
) -> Option<Next> {
    if child.birth() <= limit || base + span(level) <= from {
        return None;
    }
    let hurt = |error| {
        let page = child.clone();
        let (first, leaves) = (base, span(level));
        Some(Next::Hurt {
            page,
            level,
            first,
            leaves,
            error,
        })
    };
    let page = match resident(pages, child, level) {
        Ok(page) => page,
        Err(error) => return hurt(error),
    };
    if let Some(r) = child.disk() {
        passed(&r, level);
    }
    if level == 0 {
        return Some(Next::Leaf(base, page));
    }
    let inner = match as_inner(&page) {
        Ok(inner) => inner,
        Err(error) => return hurt(error),
    };
    inner.iter().find_map(|(i, below)| {
        let start = base + i as u64 * span(level - 1);
        next_in(pages, (below, level - 1, start), (from, limit), passed)
    })
}

/// What a tree has at one place of one level, as far as it can be found.
pub(super) fn page_at(pages: &Pages, tree: &Tree, level: u8, leaf: u64) -> Option<Child> {
    let mut child = tree.root.clone()?;
    if leaf >= span(tree.level) || tree.level < level {
        return None;
    }
    for above in (level + 1..=tree.level).rev() {
        let page = resident(pages, &child, above).ok()?;
        let slot = leaf / span(above - 1) % 64;
        let next = as_inner(&page).ok()?.get(slot as usize)?.clone();
        child = next;
    }
    Some(child)
}

/// Calls `found` for each block below leaves `from..to` that the trees map
/// differently, in order, with what each maps it to.
pub(super) fn differences(
    pages: &Pages,
    a: &Tree,
    b: &Tree,
    range: (u64, u64),
    found: &mut dyn FnMut(u64, Option<Entry>, Option<Entry>),
) -> Result<()> {
    let top = a.level.max(b.level);
    differ(
        pages,
        (&View::of(a, top), &View::of(b, top)),
        top,
        0,
        range,
        found,
    )
}

fn differ(
    pages: &Pages,
    (a, b): (&View, &View),
    level: u8,
    base: u64,
    (from, to): (u64, u64),
    found: &mut dyn FnMut(u64, Option<Entry>, Option<Entry>),
) -> Result<()> {
    if base + span(level) <= from || base >= to || a.same(b) {
        return Ok(());
    }
    let (a, b) = (a.open(pages, level)?, b.open(pages, level)?);
    if level == 0 {
        for i in 0..LEAF_BLOCKS as usize {
            let (left, right) = (a.entry(i), b.entry(i));
            if left != right {
                found(base * LEAF_BLOCKS + i as u64, left, right);
            }
        }
        return Ok(());
    }
    for i in 0..64 {
        let below = (a.child(level, i), b.child(level, i));
        differ(
            pages,
            (&below.0, &below.1),
            level - 1,
            base + i as u64 * span(level - 1),
            (from, to),
            found,
        )?;
    }
    Ok(())
}
