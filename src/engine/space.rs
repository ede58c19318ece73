//! Which units of a file are in use: a bitmap in pages that are read when they
//! are needed and written, copy-on-write, at checkpoints.
//!
//! A unit may be taken if its bit is clear and it is not busy. Busy units are
//! those taken by a write that is not recorded yet, and those freed by a record
//! that is not durable yet or that a reader may still be looking at.

use std::collections::VecDeque;
use std::sync::Arc;

use super::bytes::{In, Out};
use super::error::{EngineError, Result};
use super::page::PageRef;
use super::page_codec::{PageKind, REF_LEN, put_ref, take_ref};
use super::pages::Pages;
use super::reuse::{Reuse, push};

/// Units that one bitmap page covers.
pub(super) const PAGE_UNITS: u64 = 32768;
const WORDS: usize = 512;
/// Bitmap pages that one table names.
pub(super) const TABLE_PAGES: usize = 128;

/// Bytes in the body of a table.
pub(super) const TABLE_LEN: usize = TABLE_PAGES * (REF_LEN + 5);
/// Bytes in the body of a bitmap page.
pub(super) const BITS_LEN: usize = WORDS * 8;

/// For each page of a table: units in use, and where its bits are.
pub(super) type Table = Vec<(u32, Option<PageRef>)>;

/// The bits of one page.
pub(super) type Bits = [u64; WORDS];

/// Units next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: u64,
    pub(super) len: u64,
}

/// One page of the map.
#[derive(Clone, Default)]
pub(super) struct SpacePage {
    pub(super) disk: Option<PageRef>,
    /// Bits set.
    pub(super) used: u32,
    /// In memory, if it is.
    pub(super) bits: Option<Arc<Bits>>,
    busy: Option<Box<Bits>>,
    busy_count: u32,
    /// Not on disk as it is in memory.
    pub(super) dirty: bool,
}

/// The map of one file.
#[derive(Clone, Default)]
pub(super) struct Space {
    pub(super) pages: Vec<SpacePage>,
    /// References of the tables on disk.
    pub(super) tables: Vec<Option<PageRef>>,
    /// Units for which there is room on the medium.
    pub(super) backed: u64,
    /// Bits set in all.
    pub(super) used: u64,
    /// Busy units in all.
    busy: u64,
    /// What is in use is not known.
    unknown: bool,
    /// Where the last unit was taken.
    cursor: u64,
    /// What was given up and is busy still, by record.
    pending: VecDeque<(u64, Run)>,
    /// What was given up and no durable record will ever speak of; busy too.
    reuse: Reuse,
}

fn place(unit: u64) -> (usize, usize, u64) {
    (
        (unit / PAGE_UNITS) as usize,
        (unit % PAGE_UNITS / 64) as usize,
        1 << (unit % 64),
    )
}

impl Space {
    /// A map of which nothing is known: what is in use and what is free is not looked at.
    pub(super) fn unknown() -> Self {
        Self {
            unknown: true,
            ..Self::default()
        }
    }

    /// Whether it is such a map.
    pub(super) fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// A map of `backed` units, none of them in use.
    pub(super) fn new(backed: u64) -> Self {
        let mut space = Self::default();
        space.extend(backed);
        space
    }

    /// There is room for `backed` units now.
    pub(super) fn extend(&mut self, backed: u64) {
        self.backed = self.backed.max(backed);
        let pages = self.backed.div_ceil(PAGE_UNITS) as usize;
        self.pages
            .resize_with(pages.max(self.pages.len()), SpacePage::default);
        let tables = self.pages.len().div_ceil(TABLE_PAGES);
        self.tables.resize(tables.max(self.tables.len()), None);
    }

    /// Units that can be taken.
    pub(super) fn free(&self) -> u64 {
        (self.backed + self.reuse.ready()).saturating_sub(self.used + self.busy)
    }

    /// The page, with its bits in memory.
    fn resident(&mut self, pages: &Pages, index: usize) -> Result<&mut SpacePage> {
        let Some(page) = self.pages.get_mut(index) else {
            return Err(EngineError::damaged("a unit is beyond the end of its file"));
        };
        if page.bits.is_none() {
            page.bits = Some(match &page.disk {
                Some(r) => Arc::new(read_bits(pages, r)?),
                None => Arc::new([0; WORDS]),
            });
        }
        Ok(page)
    }

    /// Brings into memory what `set` and `clear` need for these units, and sees
    /// that they are in use, or not, as they should be.
    pub(super) fn prepare(
        &mut self,
        pages: &Pages,
        units: impl IntoIterator<Item = u64>,
        used: bool,
    ) -> Result<()> {
        if self.unknown {
            return Ok(());
        }
        for unit in units {
            let (index, word, mask) = place(unit);
            if unit >= self.backed {
                return Err(EngineError::damaged(format!(
                    "block {unit} is beyond the end of the data files"
                )));
            }
            let page = self.resident(pages, index)?;
            if page
                .bits
                .as_ref()
                .is_some_and(|bits| (bits[word] & mask != 0) != used)
            {
                let (is, should) = if used {
                    ("free", "in use")
                } else {
                    ("in use", "free")
                };
                return Err(EngineError::damaged(format!(
                    "block {unit} is {is} where it should be {should}"
                )));
            }
        }
        Ok(())
    }

    fn with_bits(&mut self, unit: u64, set: bool) -> bool {
        let (index, word, mask) = place(unit);
        let Some(page) = self.pages.get_mut(index) else {
            return false;
        };
        let Some(bits) = &mut page.bits else {
            return false;
        };
        if (bits[word] & mask != 0) == set {
            return false;
        }
        let bits = Arc::make_mut(bits);
        bits[word] ^= mask;
        page.dirty = true;
        if set {
            page.used += 1;
            self.used += 1;
        } else {
            page.used -= 1;
            self.used -= 1;
        }
        true
    }

    fn with_busy(&mut self, unit: u64, set: bool) {
        let (index, word, mask) = place(unit);
        let Some(page) = self.pages.get_mut(index) else {
            return;
        };
        let busy = page.busy.get_or_insert_with(|| Box::new([0; WORDS]));
        if (busy[word] & mask != 0) == set {
            return;
        }
        busy[word] ^= mask;
        if set {
            page.busy_count += 1;
            self.busy += 1;
        } else {
            page.busy_count -= 1;
            self.busy -= 1;
            if page.busy_count == 0 {
                page.busy = None;
            }
        }
    }

    /// The unit is referred to: it is in use, and no longer just taken.
    pub(super) fn set(&mut self, unit: u64) {
        self.with_busy(unit, false);
        self.with_bits(unit, true);
    }

    /// The unit was given up by the record `lsn`. It stays busy until
    /// [`Self::release_until`] has come to that record.
    pub(super) fn clear(&mut self, unit: u64, lsn: u64) {
        self.with_bits(unit, false);
        self.with_busy(unit, true);
        push(&mut self.pending, unit, lsn);
    }

    /// The same, for a unit that record `birth` took. If that one is in the open batch, the unit
    /// waits for readers only.
    pub(super) fn give_up(&mut self, unit: u64, birth: u64, lsn: u64) {
        if self.reuse.give_up(unit, birth, lsn) {
            self.with_bits(unit, false);
            self.with_busy(unit, true);
        } else {
            self.clear(unit, lsn);
        }
    }

    /// The batch with all records up to `lsn` is about to be written: what they took is not
    /// used again before it is given up by a durable record.
    pub(super) fn seal(&mut self, lsn: u64) {
        self.reuse.seal(lsn);
    }

    /// What records of the open batch took and gave up may be taken again, as far as readers,
    /// the oldest at record `oldest`, do not look at it. To be asked for while the map is locked.
    pub(super) fn reuse_until(&mut self, oldest: u64) {
        self.reuse.release_until(oldest);
        while let Some(run) = self.reuse.surplus() {
            self.put_back(run);
        }
    }

    /// What was given up to and with record `lsn` may be taken again.
    pub(super) fn release_until(&mut self, lsn: u64) {
        while let Some(&(freed, run)) = self.pending.front()
            && freed <= lsn
        {
            self.pending.pop_front();
            self.put_back(run);
        }
    }

    /// The units were taken and are not needed.
    pub(super) fn put_back(&mut self, run: Run) {
        for unit in run.start..run.start + run.len {
            self.with_busy(unit, false);
        }
    }

    /// Takes up to `want` units as runs, none if there are none. They are busy.
    pub(super) fn take(&mut self, pages: &Pages, want: u64) -> Result<Vec<Run>> {
        let mut runs = self.reuse.take(want);
        let mut left = want - runs.iter().map(|run| run.len).sum::<u64>();
        if left > self.backed.saturating_sub(self.used + self.busy) {
            // What is left is scarce: short runs will do.
            for run in self.reuse.drain() {
                self.put_back(run);
            }
        }
        let start = self.cursor;
        let mut at = start;
        let mut wrapped = false;
        while left > 0 {
            let limit = if wrapped { start } else { self.backed };
            match self.next_free(pages, at, limit)? {
                Some(unit) => {
                    self.with_busy(unit, true);
                    match runs.last_mut() {
                        Some(run) if run.start + run.len == unit => run.len += 1,
                        _ => runs.push(Run {
                            start: unit,
                            len: 1,
                        }),
                    }
                    left -= 1;
                    at = unit + 1;
                    self.cursor = at;
                }
                None if wrapped => break,
                None => {
                    wrapped = true;
                    at = 0;
                }
            }
        }
        Ok(runs)
    }

    /// Takes `len` units next to each other, if there are such. They are busy.
    pub(super) fn take_run(&mut self, pages: &Pages, len: u64) -> Result<Option<u64>> {
        let origin = self.cursor;
        for (from, limit) in [(origin, self.backed), (0, (origin + len).min(self.backed))] {
            let mut at = from;
            while let Some(start) = self.next_free(pages, at, limit)? {
                if start + len > limit {
                    break;
                }
                let end = start + len;
                let mut next = start + 1;
                while next < end && self.next_free(pages, next, next + 1)?.is_some() {
                    next += 1;
                }
                if next == end {
                    for unit in start..end {
                        self.with_busy(unit, true);
                    }
                    self.cursor = end;
                    return Ok(Some(start));
                }
                at = next + 1;
            }
        }
        Ok(None)
    }

    fn next_free(&mut self, pages: &Pages, from: u64, limit: u64) -> Result<Option<u64>> {
        let mut at = from;
        while at < limit {
            let (index, mut word, _) = place(at);
            let page_end = (index as u64 + 1) * PAGE_UNITS;
            let page = &self.pages[index];
            if u64::from(page.used + page.busy_count) >= PAGE_UNITS {
                at = page_end;
                continue;
            }
            let page = self.resident(pages, index)?;
            let Some(bits) = &page.bits else {
                return Ok(None);
            };
            let mut mask = !0u64 << (at % 64);
            while word < WORDS {
                let taken = bits[word] | page.busy.as_ref().map_or(0, |busy| busy[word]);
                let free = !taken & mask;
                if free != 0 {
                    let unit = index as u64 * PAGE_UNITS
                        + word as u64 * 64
                        + u64::from(free.trailing_zeros());
                    return Ok((unit < limit).then_some(unit));
                }
                mask = !0;
                word += 1;
            }
            at = page_end;
        }
        Ok(None)
    }

    /// Drops bits that are on disk as they are, down to `keep` pages in memory.
    pub(super) fn trim(&mut self, keep: usize) {
        let mut resident = self.pages.iter().filter(|page| page.bits.is_some()).count();
        for page in &mut self.pages {
            if resident <= keep {
                break;
            }
            if page.bits.is_some() && !page.dirty && page.busy.is_none() {
                page.bits = None;
                resident -= 1;
            }
        }
    }

    /// What the table `index` says at present.
    pub(super) fn table(&self, index: usize) -> Table {
        let first = index * TABLE_PAGES;
        self.pages
            .iter()
            .skip(first)
            .take(TABLE_PAGES)
            .map(|page| (page.used, page.disk))
            .collect()
    }

    /// Pages that are not on disk as they are.
    pub(super) fn dirty_pages(&self) -> Vec<usize> {
        (0..self.pages.len())
            .filter(|&i| self.pages[i].dirty)
            .collect()
    }

    /// The map as a checkpoint has it: its tables are read, its pages later.
    pub(super) fn load(pages: &Pages, backed: u64, tables: Vec<Option<PageRef>>) -> Result<Self> {
        let mut space = Self::new(backed);
        for (index, table) in tables.iter().enumerate() {
            let Some(r) = table else { continue };
            let body = pages.read_body(r, PageKind::Table, 0)?;
            let mut input = In::new(&body, "a table of bitmap pages");
            for page in space
                .pages
                .iter_mut()
                .skip(index * TABLE_PAGES)
                .take(TABLE_PAGES)
            {
                page.used = input.u32()?;
                if u64::from(page.used) > PAGE_UNITS {
                    return Err(input.bad("a page has more units in use than it covers"));
                }
                if input.flag()? {
                    page.disk = Some(take_ref(&mut input)?);
                } else {
                    input.take(REF_LEN)?;
                }
                space.used += u64::from(page.used);
            }
        }
        if space.tables.len() < tables.len() {
            return Err(EngineError::damaged(
                "there are more bitmap tables than bitmap pages",
            ));
        }
        space.tables[..tables.len()].copy_from_slice(&tables);
        Ok(space)
    }

    /// The bits of a page.
    pub(super) fn bits(&mut self, pages: &Pages, index: usize) -> Result<Arc<Bits>> {
        let page = self.resident(pages, index)?;
        Ok(page.bits.clone().unwrap_or_else(|| Arc::new([0; WORDS])))
    }

    /// The page is to be written at the next checkpoint, with its table.
    pub(super) fn rewrite(&mut self, pages: &Pages, index: usize) -> Result<()> {
        self.resident(pages, index)?.dirty = true;
        Ok(())
    }

    /// Puts other bits in the place of a page's. Units that are in use no more are
    /// busy: they are to be put back once this is durable.
    pub(super) fn replace(&mut self, index: usize, bits: &Bits) -> Vec<u64> {
        let Some(page) = self.pages.get_mut(index) else {
            return Vec::new();
        };
        let old = page.bits.take();
        self.used -= u64::from(page.used);
        page.used = bits.iter().map(|word| word.count_ones()).sum();
        self.used += u64::from(page.used);
        page.bits = Some(Arc::new(*bits));
        page.dirty = true;
        let mut gone = Vec::new();
        for unit in 0..PAGE_UNITS {
            let (_, word, mask) = place(unit);
            let is = bits[word] & mask != 0;
            let was = old.as_ref().is_some_and(|old| old[word] & mask != 0);
            let unit = index as u64 * PAGE_UNITS + unit;
            if is {
                self.with_busy(unit, false);
            } else if was {
                self.with_busy(unit, true);
                gone.push(unit);
            }
        }
        gone
    }

    /// Where the next unit will be taken (about).
    pub(super) fn next_taken(&self) -> u64 {
        self.cursor
    }

    /// Takes the runs of at least `least` free units in a range. They are busy.
    pub(super) fn claim(
        &mut self,
        pages: &Pages,
        (first, end): (u64, u64),
        least: u64,
    ) -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        let mut at = first;
        while let Some(start) = self.next_free(pages, at, end)? {
            at = start + 1;
            while self.next_free(pages, at, (at + 1).min(end))? == Some(at) {
                at += 1;
            }
            if at - start >= least {
                for unit in start..at {
                    self.with_busy(unit, true);
                }
                let len = at - start;
                runs.push(Run { start, len });
            }
        }
        Ok(runs)
    }

    /// All units in use. For checks: it reads every page.
    #[cfg(test)]
    pub(super) fn all_used(&mut self, pages: &Pages) -> Result<std::collections::BTreeSet<u64>> {
        let mut units = std::collections::BTreeSet::new();
        for index in 0..self.pages.len() {
            let page = self.resident(pages, index)?;
            let Some(bits) = &page.bits else { continue };
            for unit in 0..PAGE_UNITS {
                if bits[(unit / 64) as usize] >> (unit % 64) & 1 == 1 {
                    units.insert(index as u64 * PAGE_UNITS + unit);
                }
            }
        }
        Ok(units)
    }
}

fn read_bits(pages: &Pages, r: &PageRef) -> Result<Bits> {
    let body = pages.read_body(r, PageKind::Bitmap, 0)?;
    let mut input = In::new(&body, "a bitmap page");
    let mut bits = [0; WORDS];
    for word in &mut bits {
        *word = input.u64()?;
    }
    Ok(bits)
}

/// The body of a table; its length is always the same.
pub(super) fn encode_table(table: &Table) -> Vec<u8> {
    let mut out = Out(Vec::with_capacity(TABLE_LEN));
    for (used, r) in table {
        out.u32(*used);
        out.flag(r.is_some());
        match r {
            Some(r) => put_ref(&mut out, r),
            None => out.0.extend_from_slice(&[0; REF_LEN]),
        }
    }
    out.0.resize(TABLE_LEN, 0);
    out.0
}

/// The body of a bitmap page.
pub(super) fn encode_bits(bits: &Bits) -> Vec<u8> {
    bits.iter().flat_map(|word| word.to_le_bytes()).collect()
}
