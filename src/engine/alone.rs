//! What a line of trees holds alone. In a line each tree is what became of the
//! one before; what one of them no longer has, none after it has again.
//! Subtrees that are the same page are passed over.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Result;
use super::page::{Child, Entry, Leaf, Page, span};
use super::pages::Pages;
use super::tree::{Tree, as_leaf};
use super::walk::{Open, View};

/// Trees of a line, oldest first, and what is asked of them.
pub(super) struct Line<'a> {
    pub(super) trees: Vec<&'a Tree>,
    /// What comes after the last: none, one, or several that went apart.
    pub(super) others: Vec<&'a Tree>,
    /// What was born up to here came before the line.
    pub(super) limit: u64,
}

/// How far a walk goes.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) from: u64,
    pub(super) to: u64,
    /// Leaf numbers that may be visited.
    pub(super) leaves: u64,
    /// Leaf pages that may be visited; the last leaf may go beyond.
    pub(super) pages: u64,
}

impl Bounds {
    /// From leaf `from` up to leaf `to`, all of it.
    pub(super) fn whole(from: u64, to: u64) -> Self {
        Self {
            from,
            to,
            leaves: u64::MAX,
            pages: u64::MAX,
        }
    }
}

/// What the line holds alone.
#[derive(Default)]
pub(super) struct Alone {
    pub(super) blocks: Vec<u64>,
    /// Pages whose range ends within what was walked.
    pub(super) pages: Vec<Child>,
    /// The bounds were reached: there may be more.
    pub(super) stopped: bool,
}

/// What is known of one leaf of a line without looking at what comes after.
pub(super) struct Draft {
    /// Blocks that were replaced within the line.
    gone: Vec<u64>,
    /// The leaf as the last has it.
    last: Option<Arc<Page>>,
}

/// Leaves of a line that were looked at beforehand, by their numbers.
pub(super) type Drafts = BTreeMap<u64, Draft>;

/// The leaf pages that a stretch of a line is about.
pub(super) struct Plan {
    leaves: Vec<(u64, Vec<Option<Child>>)>,
    /// Where the stretch ends because the bounds were reached; a leaf number.
    pub(super) stopped: Option<u64>,
}

/// Called for each leaf number with what the line and the others have there.
type Found<'f> = dyn FnMut(u64, &[View], &[View]) -> Result<()> + 'f;

/// A walk of a line.
struct Walk<'a, 'f> {
    pages: &'a Pages,
    limit: u64,
    bounds: Bounds,
    found: &'a mut Found<'f>,
    gone: Vec<Child>,
    stopped: Option<u64>,
}

fn walk(
    pages: &Pages,
    line: &Line<'_>,
    bounds: Bounds,
    found: &mut Found<'_>,
) -> Result<(Vec<Child>, Option<u64>)> {
    let all = || line.trees.iter().chain(&line.others);
    let top = all().map(|tree| tree.level).max().unwrap_or(0);
    let views = |trees: &[&Tree]| trees.iter().map(|tree| View::of(tree, top)).collect();
    let mut walk = Walk {
        pages,
        limit: line.limit,
        bounds,
        found,
        gone: Vec::new(),
        stopped: None,
    };
    let others: Vec<View> = views(&line.others);
    walk.visit(views(&line.trees), &others, top, 0)?;
    Ok((walk.gone, walk.stopped))
}

impl Walk<'_, '_> {
    /// Whether the view may hold something that came with the line.
    fn counts(&self, view: &View) -> bool {
        match view {
            View::Nothing => false,
            View::At(child) => child.birth() > self.limit,
            View::Lower(..) => true,
        }
    }

    fn visit(&mut self, mut line: Vec<View>, others: &[View], level: u8, base: u64) -> Result<()> {
        let end = base + span(level);
        if self.stopped.is_some() || end <= self.bounds.from || base >= self.bounds.to {
            return Ok(());
        }
        line.dedup_by(|later, earlier| later.same(earlier));
        let kept = |view: &View| others.iter().any(|other| other.same(view));
        let last_kept = line.last().is_some_and(kept);
        let own = line.len() - usize::from(last_kept);
        if !line[..own].iter().any(|view| self.counts(view)) {
            return Ok(());
        }
        if level == 0 {
            if self.bounds.leaves == 0 || self.bounds.pages == 0 {
                self.stopped = Some(base);
                return Ok(());
            }
            self.bounds.leaves -= 1;
            self.bounds.pages = self.bounds.pages.saturating_sub(line.len() as u64);
            (self.found)(base, &line, others)?;
        } else {
            self.descend(&line, others, level, base)?;
        }
        if self.stopped.is_none() && end <= self.bounds.to {
            for view in &line[..own] {
                if let View::At(child) = view
                    && self.counts(view)
                {
                    self.gone.push(child.clone());
                }
            }
        }
        Ok(())
    }

    fn descend(&mut self, line: &[View], others: &[View], level: u8, base: u64) -> Result<()> {
        let open = |views: &[View]| {
            let pages = views.iter().map(|view| view.open(self.pages, level));
            pages.collect::<Result<Vec<Open>>>()
        };
        let (line, others) = (open(line)?, open(others)?);
        for i in 0..64 {
            let below = |pages: &[Open]| -> Vec<View> {
                pages.iter().map(|page| page.child(level, i)).collect()
            };
            self.visit(
                below(&line),
                &below(&others),
                level - 1,
                base + i as u64 * span(level - 1),
            )?;
        }
        Ok(())
    }
}

/// Which leaf pages a stretch of the line is about. Reads inner pages only.
pub(super) fn plan(pages: &Pages, line: &Line<'_>, bounds: Bounds) -> Result<Plan> {
    let mut leaves = Vec::new();
    let (_, stopped) = walk(pages, line, bounds, &mut |leaf, line, _| {
        leaves.push((leaf, children(line)));
        Ok(())
    })?;
    Ok(Plan { leaves, stopped })
}

impl Plan {
    /// Looks at the leaves. No lock is needed: what a line has does not change.
    pub(super) fn draft(self, pages: &Pages, limit: u64) -> Result<Drafts> {
        let leaves = self.leaves.into_iter();
        leaves
            .map(|(leaf, line)| Ok((leaf, draft(pages, &line, limit)?)))
            .collect()
    }
}

/// The pages that the line has for one leaf.
fn children(line: &[View]) -> Vec<Option<Child>> {
    let child = |view: &View| match view {
        View::At(child) => Some(child.clone()),
        _ => None,
    };
    line.iter().map(child).collect()
}

fn draft(pages: &Pages, line: &[Option<Child>], limit: u64) -> Result<Draft> {
    let mut out = Draft {
        gone: Vec::new(),
        last: None,
    };
    for child in line {
        let next = match child {
            Some(Child::Mem(page)) => Some(page.clone()),
            Some(Child::Disk(r)) => Some(pages.load_once(r, 0)?),
            None => None,
        };
        if let Some(before) = &out.last {
            let after = next.as_deref().map(as_leaf).transpose()?;
            replaced(as_leaf(before)?, after.as_slice(), limit, &mut out.gone);
        }
        out.last = next;
    }
    Ok(out)
}

/// Blocks of a leaf, born after `limit`, that none of those after it has.
fn replaced(leaf: &Leaf, after: &[&Leaf], limit: u64, out: &mut Vec<u64>) {
    let own = |entry: &Entry| entry.block().filter(|_| entry.birth() > limit);
    // Most often the same places are mapped in both.
    if let [after] = after
        && after.present == leaf.present
    {
        let pairs = leaf.entries.iter().zip(&after.entries);
        let changed = pairs.filter(|(entry, now)| entry != now && entry.block() != now.block());
        out.extend(changed.filter_map(|(entry, _)| own(entry)));
        return;
    }
    for (i, entry) in leaf.iter() {
        let has = |other: &&Leaf| other.get(i).and_then(Entry::block) == entry.block();
        if let Some(block) = own(&entry)
            && !after.iter().any(has)
        {
            out.push(block);
        }
    }
}

/// What the line holds alone within the bounds. Leaves in `drafts` are not read again.
pub(super) fn alone(
    pages: &Pages,
    line: &Line<'_>,
    bounds: Bounds,
    mut drafts: Drafts,
) -> Result<Alone> {
    let mut blocks = Vec::new();
    let (gone, stopped) = walk(pages, line, bounds, &mut |leaf, views, others| {
        let draft = match drafts.remove(&leaf) {
            Some(draft) => draft,
            None => draft(pages, &children(views), line.limit)?,
        };
        blocks.extend(draft.gone);
        let kept = |view: &View| others.iter().any(|other| other.same(view));
        if let Some(last) = draft.last.filter(|_| !views.last().is_some_and(kept)) {
            let open = others.iter().map(|other| other.open(pages, 0));
            let open = open.collect::<Result<Vec<Open>>>()?;
            let after: Vec<&Leaf> = open.iter().filter_map(Open::leaf).collect();
            replaced(as_leaf(&last)?, &after, line.limit, &mut blocks);
        }
        Ok(())
    })?;
    Ok(Alone {
        blocks,
        pages: gone,
        stopped: stopped.is_some(),
    })
}
