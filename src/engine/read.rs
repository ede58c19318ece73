//! Reading: entries are looked up at one moment, then blocks are read without
//! any lock and checked.

use super::core::{Core, Ticket};
use super::error::{EngineError, Result};
use super::ids::VolumeId;
use super::info::Source;
use super::page::{BLOCK, BLOCK_LEN, Entry, LEAF_BLOCKS};
use super::store::Store;
use super::tree::as_leaf;

/// Blocks looked up at a time.
const WINDOW: u64 = 1024;

/// Of so many stretches one is asked whether it is in memory: to ask costs a little more than to read.
const PROBE: usize = 8;

/// Entries of blocks next to each other, as they were at one moment.
pub(super) struct Looked<'a> {
    pub(super) entries: Vec<Option<Entry>>,
    /// Keeps their blocks from being used for something else.
    pub(super) ticket: Ticket<'a>,
}

/// An error unless the range lies within `size` bytes.
pub(super) fn check_range(offset: u64, len: u64, size: u64) -> Result<()> {
    if offset.checked_add(len).is_none_or(|end| end > size) {
        return Err(EngineError::OutOfRange { offset, len, size });
    }
    Ok(())
}

/// What entries consist of: the first block, and how many blocks lie next to each other from there
/// on; `None` for zeroes.
fn stretches(entries: &[Option<Entry>]) -> impl Iterator<Item = (Option<u64>, usize)> {
    let block_at = |i: usize| entries.get(i).copied().flatten().and_then(Entry::block);
    let mut i = 0;
    std::iter::from_fn(move || {
        if i >= entries.len() {
            return None;
        }
        let first = block_at(i);
        let follows = |n: &usize| match first {
            Some(block) => block_at(i + n) == Some(block + *n as u64),
            None => i + n < entries.len() && block_at(i + n).is_none(),
        };
        let n = (1..).take_while(follows).count() + 1;
        i += n;
        Some((first, n))
    })
}

/// The error for a source that is not there.
pub(super) fn no_source(source: Source) -> EngineError {
    match source {
        Source::Volume(id) => EngineError::NoVolume(id),
        Source::Point(id) => EngineError::NoPoint(id),
    }
}

impl Core {
    /// The size of a source, in bytes.
    pub(super) fn size_of(&self, source: Source) -> Result<u64> {
        let guarded = self.guarded.read();
        Ok(guarded
            .state
            .catalog
            .node_of(source)
            .ok_or_else(|| no_source(source))?
            .size)
    }

    /// What `count` blocks from `lba` on are mapped to.
    pub(super) fn look_up(&self, source: Source, lba: u64, count: u64) -> Result<Looked<'_>> {
        let guarded = self.guarded.read();
        let node = guarded
            .state
            .catalog
            .node_of(source)
            .ok_or_else(|| no_source(source))?;
        check_range(lba * BLOCK, count * BLOCK, node.size)?;
        let mut entries = Vec::with_capacity(count as usize);
        let mut at = lba;
        while at < lba + count {
            let (leaf, first) = (at / LEAF_BLOCKS, at % LEAF_BLOCKS);
            let n = (LEAF_BLOCKS - first).min(lba + count - at);
            match node.tree.leaf(&self.pages, leaf)? {
                Some(page) => {
                    let page = as_leaf(&page)?;
                    entries.extend((first..first + n).map(|i| page.get(i as usize)));
                }
                None => entries.resize(entries.len() + n as usize, None),
            }
            at += n;
        }
        Ok(Looked {
            entries,
            ticket: self.ticket(&guarded.state),
        })
    }

    /// Reads whole blocks from `lba` on into `buf`.
    pub(super) fn read_range(&self, source: Source, lba: u64, buf: &mut [u8]) -> Result<()> {
        let mut at = lba;
        for window in buf.chunks_mut(WINDOW as usize * BLOCK_LEN) {
            let looked = self.look_up(source, at, (window.len() / BLOCK_LEN) as u64)?;
            self.read_entries(source, at, &looked.entries, window, true)?;
            drop(looked.ticket);
            at += WINDOW;
        }
        Ok(())
    }

    /// Reads blocks from where they are. False, unless it is to `wait`: they are not in memory, and
    /// the disk was told to fetch them.
    fn read_entries(
        &self,
        source: Source,
        lba: u64,
        entries: &[Option<Entry>],
        buf: &mut [u8],
        wait: bool,
    ) -> Result<bool> {
        let mut stretches = stretches(entries).peekable();
        let mut rest = buf;
        let mut i = 0;
        let mut fetched = false;
        let mut asked = 0usize;
        while let Some((first, n)) = stretches.next() {
            let (now, later) = rest.split_at_mut(n * BLOCK_LEN);
            match first {
                None => now.fill(0),
                Some(block) => {
                    let look = asked.is_multiple_of(PROBE) && stretches.peek().is_some();
                    asked += 1;
                    if wait && (fetched || !look) {
                        self.read_blocks(block, now)?;
                    } else if !self.read_blocks_at_hand(block, now)? {
                        // The disk is to look for all of them at once.
                        for (first, n) in self::stretches(entries.get(i..).unwrap_or_default()) {
                            first.inspect(|block| self.fetch_blocks(*block, n as u64));
                        }
                        fetched = true;
                        if !wait {
                            return Ok(false);
                        }
                        self.read_blocks(block, now)?;
                    }
                    for (k, data) in now.chunks_exact(BLOCK_LEN).enumerate() {
                        let entry = entries.get(i + k).copied().flatten();
                        if entry.is_some_and(|entry| entry.crc() != crc32c::crc32c(data)) {
                            return Err(self.hurt(source, lba + (i + k) as u64));
                        }
                    }
                }
            }
            rest = later;
            i += n;
        }
        Ok(true)
    }

    /// The error for a block whose content is not what was written.
    fn hurt(&self, source: Source, lba: u64) -> EngineError {
        let guarded = self.guarded.read();
        let catalog = &guarded.state.catalog;
        let of = catalog
            .node_of(source)
            .map_or_else(|| format!("{source:?}"), |node| catalog.describe(node));
        EngineError::HurtBlock {
            of,
            offset: lba * BLOCK,
        }
    }

    /// Reads one block of a volume, and says what it was mapped to.
    pub(super) fn read_block(
        &self,
        volume: VolumeId,
        lba: u64,
        buf: &mut [u8],
    ) -> Result<Option<Entry>> {
        let source = Source::Volume(volume);
        let looked = self.look_up(source, lba, 1)?;
        self.read_entries(source, lba, &looked.entries, buf, true)?;
        Ok(looked.entries.first().copied().flatten())
    }
}

impl Store {
    /// Reads `buf.len()` bytes from `offset` on. What was never written reads as zeroes.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::NoPoint`], [`EngineError::OutOfRange`];
    /// [`EngineError::HurtBlock`] or [`EngineError::Damaged`] where what is on disk is not what
    /// was written: wrong bytes are never returned as right, `buf` is not to be used then.
    pub fn read(&self, source: Source, offset: u64, buf: &mut [u8]) -> Result<()> {
        let core = self.core();
        let len = buf.len() as u64;
        check_range(offset, len, core.size_of(source)?)?;
        if len == 0 {
            return Ok(());
        }
        if offset.is_multiple_of(BLOCK) && len.is_multiple_of(BLOCK) {
            return core.read_range(source, offset / BLOCK, buf);
        }
        let first = offset / BLOCK;
        let blocks = (offset + len).div_ceil(BLOCK) - first;
        let mut whole = vec![0; blocks as usize * BLOCK_LEN];
        core.read_range(source, first, &mut whole)?;
        let skip = (offset - first * BLOCK) as usize;
        buf.copy_from_slice(&whole[skip..skip + buf.len()]);
        Ok(())
    }

    /// The same, if that need not wait for the disk. False: `buf` holds anything, and the disk was
    /// told to fetch it, so that it is at hand a little later. Long ranges are not read so.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_at_hand(&self, source: Source, offset: u64, buf: &mut [u8]) -> Result<bool> {
        let core = self.core();
        let len = buf.len() as u64;
        let whole = offset.is_multiple_of(BLOCK) && len.is_multiple_of(BLOCK);
        if !whole || len == 0 || len > WINDOW * BLOCK {
            return Ok(false);
        }
        let looked = core.look_up(source, offset / BLOCK, len / BLOCK)?;
        core.read_entries(source, offset / BLOCK, &looked.entries, buf, false)
    }
}
