//! Walking trees side by side: where they differ. Subtrees that are the same
//! page are passed over.

use std::sync::Arc;

use super::error::Result;
use super::page::{Body, Child, Entry, LEAF_BLOCKS, Leaf, Page, span};
use super::pages::Pages;
use super::tree::{Tree, resident};

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
