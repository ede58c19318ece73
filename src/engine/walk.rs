//! Walking trees side by side: what one has and others have not. Subtrees that
//! are the same page are passed over.

use std::sync::Arc;

use super::error::Result;
use super::page::{Body, Child, Entry, LEAF_BLOCKS, Leaf, Page, span};
use super::pages::Pages;
use super::tree::{Tree, resident};

/// What a tree has at one place of one level.
#[derive(Clone)]
enum View {
    Nothing,
    /// A page of this level.
    At(Child),
    /// The tree is lower than this level: its root is the first of the first of ... the children.
    Lower(Child, u8),
}

/// A view with its page in memory.
enum Open {
    Nothing,
    Page(Arc<Page>),
    Lower(Child, u8),
}

impl View {
    fn of(tree: &Tree, level: u8) -> Self {
        match &tree.root {
            None => Self::Nothing,
            Some(root) if tree.level == level => Self::At(root.clone()),
            Some(root) => Self::Lower(root.clone(), tree.level),
        }
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) => true,
            (Self::At(a), Self::At(b)) => a.same(b),
            (Self::Lower(a, i), Self::Lower(b, k)) => i == k && a.same(b),
            _ => false,
        }
    }

    fn open(&self, pages: &Pages, level: u8) -> Result<Open> {
        Ok(match self {
            Self::Nothing => Open::Nothing,
            Self::At(child) => Open::Page(resident(pages, child, level)?),
            Self::Lower(child, at) => Open::Lower(child.clone(), *at),
        })
    }
}

impl Open {
    fn child(&self, level: u8, i: usize) -> View {
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

    fn leaf(&self) -> Option<&Leaf> {
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

/// What one tree holds alone.
#[derive(Default)]
pub(super) struct Alone {
    /// Blocks of the store; only if they are to be collected.
    pub(super) blocks: Vec<u64>,
    /// How many blocks.
    pub(super) count: u64,
    /// Pages whose range ends within what was walked.
    pub(super) pages: Vec<Child>,
    /// Where the walk stopped because its budget was used up; a leaf number.
    pub(super) stopped: Option<u64>,
}

struct AloneWalk<'a> {
    pages: &'a Pages,
    /// What was born up to here the parent has too.
    limit: u64,
    from: u64,
    to: u64,
    /// Leaves that may still be visited.
    budget: u64,
    collect: bool,
    out: Alone,
}

/// What `tree` has in leaves `from..to` that was born after `limit` and that
/// none of `others` has: blocks and pages. After `budget` leaves it stops.
pub(super) fn alone(
    pages: &Pages,
    tree: &Tree,
    others: &[&Tree],
    limit: u64,
    range: (u64, u64),
    budget: u64,
) -> Result<Alone> {
    run(pages, tree, others, limit, range, budget, true)
}

/// How many blocks `tree` has that were born after `limit` and that none of `others` has.
pub(super) fn count_alone(pages: &Pages, tree: &Tree, others: &[&Tree], limit: u64) -> Result<u64> {
    let all = (0, u64::MAX);
    Ok(run(pages, tree, others, limit, all, u64::MAX, false)?.count)
}

fn run(
    pages: &Pages,
    tree: &Tree,
    others: &[&Tree],
    limit: u64,
    (from, to): (u64, u64),
    budget: u64,
    collect: bool,
) -> Result<Alone> {
    let top = others
        .iter()
        .map(|other| other.level)
        .fold(tree.level, u8::max);
    let others: Vec<View> = others.iter().map(|other| View::of(other, top)).collect();
    let mut walk = AloneWalk {
        pages,
        limit,
        from,
        to,
        budget,
        collect,
        out: Alone::default(),
    };
    walk.visit(&View::of(tree, top), &others, top, 0)?;
    Ok(walk.out)
}

impl AloneWalk<'_> {
    fn visit(&mut self, view: &View, others: &[View], level: u8, base: u64) -> Result<()> {
        let end = base + span(level);
        if self.out.stopped.is_some()
            || end <= self.from
            || base >= self.to
            || others.iter().any(|o| o.same(view))
        {
            return Ok(());
        }
        match view {
            View::Nothing => return Ok(()),
            View::At(child) if child.birth() <= self.limit => return Ok(()),
            _ => {}
        }
        if level == 0 && self.budget == 0 {
            self.out.stopped = Some(base);
            return Ok(());
        }
        let open = view.open(self.pages, level)?;
        let others = others
            .iter()
            .map(|o| o.open(self.pages, level))
            .collect::<Result<Vec<_>>>()?;
        if level == 0 {
            self.budget -= 1;
            let others: Vec<&Leaf> = others.iter().filter_map(Open::leaf).collect();
            for (k, (i, entry)) in open.leaf().iter().flat_map(|leaf| leaf.iter()).enumerate() {
                let Some(block) = entry.block().filter(|_| entry.birth() > self.limit) else {
                    continue;
                };
                let has = |other: &&Leaf| {
                    // Most often the same places are mapped in both.
                    let at_k = other.entries.get(k).copied().and_then(Entry::block);
                    at_k == Some(block) || other.get(i).and_then(Entry::block) == Some(block)
                };
                if !others.iter().any(has) {
                    self.out.count += 1;
                    if self.collect {
                        self.out.blocks.push(block);
                    }
                }
            }
        } else {
            for i in 0..64 {
                let below = open.child(level, i);
                if !matches!(below, View::Nothing) {
                    let others: Vec<View> = others.iter().map(|o| o.child(level, i)).collect();
                    self.visit(
                        &below,
                        &others,
                        level - 1,
                        base + i as u64 * span(level - 1),
                    )?;
                }
            }
        }
        if let View::At(child) = view
            && self.collect
            && self.out.stopped.is_none()
            && end <= self.to
        {
            self.out.pages.push(child.clone());
        }
        Ok(())
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
