//! What records do to the mapping of a volume's blocks, and to the counts.

use super::apply::{Env, State, missing};
use super::catalog::{Exclusive, Node, Role};
use super::error::{EngineError, Result};
use super::page::{Entry, LEAF_BLOCKS};
use super::record::{CopiedBlock, Piece};
use super::tree::{Cow, as_leaf};

/// A change of one block's entry.
struct Swap {
    at: usize,
    new: Option<Entry>,
}

impl State {
    pub(super) fn write(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        node: u64,
        lba: u64,
        pieces: &[Piece],
    ) -> Result<()> {
        let mut at = (lba % LEAF_BLOCKS) as usize;
        let mut swaps = Vec::new();
        for piece in pieces {
            for i in 0..piece.len() {
                let entry = match piece {
                    Piece::Zero(_) => Entry::zero(lsn),
                    Piece::Data { block, crcs } => Entry::data(block + i, lsn, crcs[i as usize]),
                };
                swaps.push(Swap {
                    at,
                    new: Some(entry),
                });
                at += 1;
            }
        }
        self.swap(env, lsn, node, lba / LEAF_BLOCKS, &swaps)
    }

    pub(super) fn copied(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        node: u64,
        leaf: u64,
        blocks: &[CopiedBlock],
    ) -> Result<()> {
        let swaps: Vec<Swap> = blocks
            .iter()
            .map(|b| Swap {
                at: usize::from(b.at),
                new: Some(Entry::data(b.block, lsn, b.crc)),
            })
            .collect();
        self.swap(env, lsn, node, leaf, &swaps)
    }

    /// Replaces entries of a leaf in a range; those there are not stay away.
    pub(super) fn forget(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        node: u64,
        lba: u64,
        count: u64,
        new: impl Fn(Entry) -> Option<Entry>,
    ) -> Result<()> {
        let leaf = lba / LEAF_BLOCKS;
        let first = (lba % LEAF_BLOCKS) as usize;
        let head = self
            .catalog
            .nodes
            .get(&node)
            .ok_or_else(|| missing("a node"))?;
        let Some(page) = head.tree.leaf(env.pages, leaf)? else {
            return Ok(());
        };
        let swaps: Vec<Swap> = as_leaf(&page)?
            .iter()
            .filter(|(at, _)| (first..first + count as usize).contains(at))
            .map(|(at, entry)| Swap {
                at,
                new: new(entry),
            })
            .filter(|swap| swap.new.is_none_or(|new| new.block().is_none()))
            .collect();
        drop(page);
        if swaps.is_empty() {
            return Ok(());
        }
        self.swap(env, lsn, node, leaf, &swaps)
    }

    /// Changes entries of one leaf of a head; keeps the counts, frees what the
    /// head had alone.
    fn swap(&mut self, env: Env<'_>, lsn: u64, id: u64, leaf: u64, swaps: &[Swap]) -> Result<()> {
        if swaps.iter().any(|swap| swap.at >= LEAF_BLOCKS as usize) {
            return Err(EngineError::damaged("a log record reaches beyond its leaf"));
        }
        if !matches!(
            self.catalog.nodes.get(&id),
            Some(Node {
                role: Role::Head(_),
                ..
            })
        ) {
            return Err(missing("a head"));
        }
        let result = self.swap_in(env, lsn, id, leaf, swaps);
        self.catalog.note_root(id);
        result
    }

    fn swap_in(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        id: u64,
        leaf: u64,
        swaps: &[Swap],
    ) -> Result<()> {
        let owner = self.catalog.owner(id);
        let limit = owner.limit(leaf + 1);
        let parent = self.catalog.nodes.get(&id);
        let parent = parent.and_then(|node| node.parent.get());
        let above = parent.map_or(0, |parent| self.catalog.parent_freeze(parent));
        let only_child = parent.is_some_and(|parent| self.catalog.child_count(parent) == 1);

        let mut space = env.space.lock();
        let node = self.catalog.node_mut(id).ok_or_else(|| missing("a node"))?;
        let mut cow = Cow {
            pages: env.pages,
            lsn,
            owner,
            freed: &mut self.freed,
            dirtied: &mut self.dirty,
        };
        let page = node.tree.leaf_mut(&mut cow, leaf)?;
        let old = |at: usize| page.get(at).filter(|entry| entry.block().is_some());
        let mine = swaps
            .iter()
            .filter_map(|s| old(s.at))
            .filter(|e| e.birth() > limit);
        space.prepare(env.pages, mine.filter_map(Entry::block), true)?;
        space.prepare(
            env.pages,
            swaps.iter().filter_map(|s| s.new?.block()),
            false,
        )?;
        let before = page.entries.len();

        let (mut passed, mut lost) = (0, 0);
        for swap in swaps {
            let old = match swap.new {
                Some(entry) => page.set(swap.at, entry),
                None => page.remove(swap.at),
            };
            if let Some(block) = swap.new.and_then(Entry::block) {
                space.set(block);
                node.referenced += 1;
                node.written += 1;
            }
            let Some(old) = old else { continue };
            let Some(block) = old.block() else { continue };
            node.referenced = node.referenced.saturating_sub(1);
            if old.birth() > owner.freeze {
                node.written = node.written.saturating_sub(1);
            }
            if old.birth() > limit {
                space.give_up(block, old.birth(), lsn);
                passed += u64::from(old.birth() <= owner.freeze);
            } else if old.birth() > above {
                lost += 1;
            }
        }
        let after = page.entries.len();
        *cow.dirtied += after.saturating_sub(before) as u64 * 16;
        if before > 0 && after == 0 {
            // Nothing is mapped; a failure to drop the page leaves it there, empty.
            drop(space);
            let _ = node.tree.remove_leaf(&mut cow, leaf);
        }
        if let Some(parent) = parent.filter(|_| passed + lost > 0)
            && let Some(parent) = self.catalog.node_mut(parent)
        {
            // What the parent had passed on was counted as written by the parent.
            parent.written = parent.written.saturating_sub(passed);
            if lost > 0 {
                match parent.exclusive.get() {
                    Some(blocks) if only_child => parent.exclusive.set(blocks + lost),
                    _ => parent.exclusive = Exclusive::from_disk(None),
                }
            }
        }
        Ok(())
    }
}
