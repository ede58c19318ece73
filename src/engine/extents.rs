//! What there is where, and what differs between two points in time.

use super::core::Core;
use super::error::Result;
use super::info::{Extent, ExtentKind, Source};
use super::page::{BLOCK, BLOCK_LEN, Entry, LEAF_BLOCKS};
use super::read::{check_range, no_source};
use super::store::Store;
use super::tree::as_leaf;
use super::walk::differences;

/// Leaves that one call looks into at most.
const LEAVES: usize = 4096;

fn kind(entry: Option<Entry>) -> ExtentKind {
    match entry {
        None => ExtentKind::Absent,
        Some(entry) if entry.block().is_some() => ExtentKind::Data,
        Some(_) => ExtentKind::Zero,
    }
}

/// A block, what it is now, and both entries if it was data before and after.
type Changed = (u64, ExtentKind, Option<(Entry, Entry)>);

/// Stretches put together block by block, cut to a range of bytes.
struct Stretches {
    from: u64,
    to: u64,
    out: Vec<Extent>,
}

impl Stretches {
    fn push(&mut self, lba: u64, blocks: u64, kind: ExtentKind) {
        let offset = (lba * BLOCK).max(self.from);
        let end = ((lba + blocks) * BLOCK).min(self.to);
        if offset >= end {
            return;
        }
        match self.out.last_mut() {
            Some(last) if last.kind == kind && last.offset + last.len == offset => {
                last.len = end - last.offset;
            }
            _ => self.out.push(Extent {
                offset,
                len: end - offset,
                kind,
            }),
        }
    }
}

impl Core {
    /// Whether two blocks of data hold the same bytes.
    fn same_content(&self, a: Entry, b: Entry) -> Result<bool> {
        let (Some(left), Some(right)) = (a.block(), b.block()) else {
            return Ok(false);
        };
        if a.crc() != b.crc() {
            return Ok(false);
        }
        let (mut x, mut y) = (vec![0; BLOCK_LEN], vec![0; BLOCK_LEN]);
        self.read_blocks(left, &mut x)?;
        self.read_blocks(right, &mut y)?;
        Ok(x == y)
    }
}

impl Store {
    /// What a range holds, in order and without gaps, neighbours of one kind
    /// put together. A call looks into 4 GiB of mapped space at most: what is
    /// returned can end before the range does; go on from there.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`](super::EngineError::NoVolume), `NoPoint`, `OutOfRange`, `Damaged`.
    pub fn extents(&self, source: Source, offset: u64, len: u64) -> Result<Vec<Extent>> {
        let core = self.core();
        let guarded = core.guarded.read();
        let node = guarded
            .state
            .catalog
            .node_of(source)
            .ok_or_else(|| no_source(source))?;
        check_range(offset, len, node.size)?;
        let end = offset + len;
        let last = end.div_ceil(BLOCK);
        let mut out = Stretches {
            from: offset,
            to: end,
            out: Vec::new(),
        };
        let mut at = offset / BLOCK;
        for _ in 0..LEAVES {
            if at >= last {
                break;
            }
            let Some((leaf, page)) = node.tree.next_leaf(&core.pages, at / LEAF_BLOCKS)? else {
                out.push(at, last - at, ExtentKind::Absent);
                break;
            };
            let first = leaf * LEAF_BLOCKS;
            if first > at {
                out.push(at, first.min(last) - at, ExtentKind::Absent);
            }
            let page = as_leaf(&page)?;
            for i in 0..LEAF_BLOCKS {
                out.push(first + i, 1, kind(page.get(i as usize)));
            }
            at = first + LEAF_BLOCKS;
        }
        Ok(out.out)
    }

    /// The ranges in which `new` reads differently from `old`, in order, with
    /// what `new` holds there. Exact to the block of 4 KiB: a block that was
    /// written again with what it held is no difference. What lies beyond the
    /// end of the smaller one counts as never written there.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`](super::EngineError::NoVolume), `NoPoint`, `OutOfRange` (of the
    /// larger of the two), `Damaged`, `Io`.
    pub fn difference(
        &self,
        old: Source,
        new: Source,
        offset: u64,
        len: u64,
    ) -> Result<Vec<Extent>> {
        let core = self.core();
        // Blocks whose checksums agree are compared byte by byte, without holding up writes.
        let mut changed: Vec<Changed> = Vec::new();
        let guarded = core.guarded.read();
        let node = |source| {
            guarded
                .state
                .catalog
                .node_of(source)
                .ok_or_else(|| no_source(source))
        };
        let (a, b) = (node(old)?, node(new)?);
        check_range(offset, len, a.size.max(b.size))?;
        let (old_end, new_end) = (a.size / BLOCK, b.size / BLOCK);
        let end = offset + len;
        let leaves = (
            offset / BLOCK / LEAF_BLOCKS,
            end.div_ceil(BLOCK).div_ceil(LEAF_BLOCKS),
        );
        differences(
            &core.pages,
            &a.tree,
            &b.tree,
            leaves,
            &mut |lba, left, right| {
                let left = left.filter(|_| lba < old_end);
                let right = right.filter(|_| lba < new_end);
                match (
                    left.filter(|e| e.block().is_some()),
                    right.filter(|e| e.block().is_some()),
                ) {
                    (None, None) => {}
                    (Some(a), Some(b)) if a.block() == b.block() => {}
                    (Some(a), Some(b)) => changed.push((lba, ExtentKind::Data, Some((a, b)))),
                    _ => changed.push((lba, kind(right), None)),
                }
            },
        )?;
        let ticket = core.ticket(&guarded.state);
        drop(guarded);
        let mut out = Stretches {
            from: offset,
            to: end,
            out: Vec::new(),
        };
        for (lba, kind, both) in changed {
            let same = match both {
                Some((a, b)) => core.same_content(a, b)?,
                None => false,
            };
            if !same {
                out.push(lba, 1, kind);
            }
        }
        drop(ticket);
        Ok(out.out)
    }
}
