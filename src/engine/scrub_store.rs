//! Checking what belongs to no volume: the superblocks, the log, the pages that are in no
//! tree, the maps of free space, the counters; and putting right what can be.

use super::account::{Tally, wrong_counters};
use super::checkpoint::Checkpoints;
use super::core::{Core, Guarded};
use super::disk::FileName;
use super::error::Result;
use super::page::{BLOCK, PageRef};
use super::page_codec::PageKind;
use super::scrub::Scrub;
use super::space::{Bits, Run, Space, TABLE_PAGES};
use super::superblock::Superblock;

/// A page that is in no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fixed {
    Root,
    Chunk(u64),
    Jobs,
    DataTable(usize),
    DataBits(usize),
    MetaTable(usize),
    MetaBits(usize),
}

impl Fixed {
    fn kind(self) -> PageKind {
        match self {
            Self::Root => PageKind::Root,
            Self::Chunk(_) => PageKind::Nodes,
            Self::Jobs => PageKind::Jobs,
            Self::DataTable(_) | Self::MetaTable(_) => PageKind::Table,
            Self::DataBits(_) | Self::MetaBits(_) => PageKind::Bitmap,
        }
    }
}

fn fixed_pages(checkpoints: &Checkpoints, space: &Space) -> Vec<(Fixed, PageRef)> {
    let mut out = Vec::new();
    out.extend(checkpoints.root.map(|r| (Fixed::Root, r)));
    out.extend(checkpoints.jobs.map(|r| (Fixed::Jobs, r)));
    let chunks = checkpoints.chunks.iter();
    out.extend(chunks.map(|(chunk, r)| (Fixed::Chunk(*chunk), *r)));
    type Name = fn(usize) -> Fixed;
    let maps: [(&Space, Name, Name); 2] = [
        (space, Fixed::DataTable, Fixed::DataBits),
        (&checkpoints.meta, Fixed::MetaTable, Fixed::MetaBits),
    ];
    for (map, table, bits) in maps {
        let tables = map.tables.iter().enumerate();
        out.extend(tables.filter_map(|(i, r)| Some((table(i), (*r)?))));
        let pages = map.pages.iter().enumerate();
        out.extend(pages.filter_map(|(i, page)| Some((bits(i), page.disk?))));
    }
    out
}

/// What is wrong with the map of a file.
#[derive(Default)]
struct MapFaults {
    /// Units in use that nothing refers to, and units not in use that something refers to.
    leaked: u64,
    free: u64,
    /// Pages that are not as they should be, with what they should be.
    pages: Vec<(usize, Bits)>,
}

/// Holds a map against what is in use. Where not all mappings could be read, nothing counts as leaked.
fn faults(
    core: &Core,
    map: &mut Space,
    in_use: impl Fn(usize) -> Bits,
    complete: bool,
) -> MapFaults {
    let mut out = MapFaults::default();
    for index in 0..map.pages.len() {
        let mut should = in_use(index);
        let Ok(is) = map.bits(&core.pages, index) else {
            if !complete {
                // What is not known to be free is not taken.
                should = [u64::MAX; 512];
            }
            out.pages.push((index, should));
            continue;
        };
        let (mut leaked, mut free) = (0, 0);
        for (should, is) in should.iter_mut().zip(is.iter()) {
            free += u64::from((*should & !is).count_ones());
            leaked += u64::from((is & !*should).count_ones());
            if !complete {
                *should |= is;
            }
        }
        out.free += free;
        out.leaked += if complete { leaked } else { 0 };
        let counted = should.iter().map(|word| word.count_ones()).sum::<u32>();
        if *is != should || map.pages[index].used != counted {
            out.pages.push((index, should));
        }
    }
    out
}

impl Core {
    /// The content of a block that the log has, if it is what it should be.
    pub(super) fn logged(&self, block: u64, crc: u32) -> Result<Option<Vec<u8>>> {
        let checkpoints = self.checkpoints.lock();
        let copies = Superblock::copies(&*self.disk)?.into_iter().flatten();
        let current = copies.filter(|copy| copy.generation == checkpoints.generation);
        let Some(head) = current.map(|copy| copy.log).next() else {
            return Ok(None);
        };
        let mut found = None;
        self.log.lock().reread(head, &mut |group| {
            let same = |(at, data): &(u64, Vec<u8>)| *at == block && crc32c::crc32c(data) == crc;
            found = group.inline.into_iter().find(same).or(found.take());
        })?;
        Ok(found.map(|(_, data)| data))
    }

    /// Tallies what is in use. The caller holds the checkpoints, so that no page is used again meanwhile.
    fn tally(
        &self,
        guarded: &Guarded,
        checkpoints: &Checkpoints,
        space: &Space,
    ) -> Result<(Tally, Vec<super::account::Counters>)> {
        let state = &guarded.state;
        let ends = (space.backed, checkpoints.meta.backed);
        let mut tally = Tally::take(&self.pages, &state.catalog, ends);
        for (_, r) in fixed_pages(checkpoints, space) {
            tally.add_extent(&r, ends.1, true);
        }
        for freed in &state.freed {
            tally.add_freed(freed, ends.1);
        }
        let wrong = if tally.unreadable == 0 {
            wrong_counters(&self.pages, &state.catalog, &tally)?
        } else {
            Vec::new()
        };
        Ok((tally, wrong))
    }
}

impl Scrub<'_> {
    /// The copies of the superblock. Those of the checkpoint before the last count for as much.
    pub(super) fn check_super(&mut self) -> Result<()> {
        let core = self.core;
        let checkpoints = core.checkpoints.lock();
        let copies = Superblock::copies(&*core.disk)?;
        let now = checkpoints.generation;
        let mut all = copies.iter().flatten();
        let current = all.find(|copy| copy.store == core.store && copy.generation == now);
        let Some(current) = current else {
            // It was read when the store was opened, or written since.
            self.note_store(
                "the superblock",
                "no copy of the last is whole",
                self.repair,
            );
            drop(checkpoints);
            return if self.repair {
                core.checkpoint()
            } else {
                Ok(())
            };
        };
        let mut mended = false;
        for (n, copy) in copies.iter().enumerate() {
            if copy.as_ref().is_some_and(|copy| current.follows(copy)) {
                continue;
            }
            if self.repair {
                let write = current.rewrite(&*core.disk, n);
                write.map_err(|e| core.poison("writing super", e))?;
                mended = true;
            }
            let what = format!("copy {} of 4 is hurt", n + 1);
            self.note_store("the superblock", what, self.repair);
        }
        if mended {
            let sync = core.disk.sync(FileName::Super);
            sync.map_err(|e| core.poison("syncing super", e))?;
        }
        Ok(())
    }

    /// What a crash would be recovered from.
    pub(super) fn check_log(&mut self) -> Result<()> {
        let core = self.core;
        let checkpoints = core.checkpoints.lock();
        let copies = Superblock::copies(&*core.disk)?;
        let current = copies.iter().flatten();
        let head = current
            .clone()
            .find(|c| c.generation == checkpoints.generation);
        let Some(head) = head.map(|copy| copy.log) else {
            return Ok(());
        };
        let hurt = core.log.lock().reread(head, &mut |_| {})?;
        drop(checkpoints);
        if let Some((slot, offset)) = hurt {
            let what = format!(
                "log.{slot} is hurt at byte {offset}: what was changed since the last checkpoint would not outlive a crash"
            );
            self.note_store("the log", what, self.repair);
            if self.repair {
                core.checkpoint()?;
            }
        }
        Ok(())
    }

    /// The pages that are in no tree. Returns those of which no copy is whole.
    pub(super) fn check_fixed(&mut self) -> Vec<Fixed> {
        let core = self.core;
        let checkpoints = core.checkpoints.lock();
        let pages = fixed_pages(&checkpoints, &core.space.lock());
        let mut lost = Vec::new();
        for (fixed, r) in pages {
            if !self.compare_copies(&r, fixed.kind(), 0) {
                let what = format!(
                    "both copies of a page ({:?}) at sector {} of meta are hurt",
                    fixed.kind(),
                    r.addr
                );
                self.note_store("the metadata", what, self.repair);
                lost.push(fixed);
            }
        }
        lost
    }

    fn note_maps(&mut self, data: &MapFaults, meta: &MapFaults, tally: &Tally, mended: bool) {
        let maps = [
            ("the map of the data files", data, BLOCK),
            ("the map of meta", meta, 512),
        ];
        for (of, faults, unit) in maps {
            if faults.leaked > 0 {
                let bytes = faults.leaked * unit;
                let what = format!("{bytes} bytes are marked as used and nothing refers to them");
                self.note_store(of, what, mended);
            }
            if faults.free > 0 {
                let bytes = faults.free * unit;
                let what = format!("{bytes} bytes are in use and marked as free");
                self.note_store(of, what, mended);
            }
        }
        if tally.twice > 0 {
            let what = format!("{} blocks or pages belong to two at once", tally.twice);
            self.note_store("the mappings", what, false);
        }
        if tally.beyond > 0 {
            let what = format!("{} references go beyond the end of a file", tally.beyond);
            self.note_store("the mappings", what, false);
        }
    }

    fn note_counters(
        &mut self,
        guarded: &Guarded,
        wrong: &[super::account::Counters],
        mended: bool,
    ) {
        for counters in wrong {
            if let Some(node) = guarded.state.catalog.nodes.get(&counters.id) {
                let of = guarded.state.catalog.describe(node);
                self.note_store(&of, "its counters of space are not what it takes", mended);
            }
        }
    }

    /// Holds the maps and the counters against all mappings.
    pub(super) fn account(&mut self, lost: &[Fixed]) -> Result<()> {
        let core = self.core;
        if core.space.lock().is_unknown() {
            self.note_store(
                "the maps of free space",
                "they were not read: the store was opened to save what can be read",
                false,
            );
            return Ok(());
        }
        let _alone = core.reclaiming.lock();
        if self.repair {
            return self.account_and_mend(lost);
        }
        let checkpoints = core.checkpoints.lock();
        // As it is at one moment; then others go on.
        let (snapshot, mut space) = {
            let guarded = core.guarded.read();
            let space = core.space.lock().clone();
            let mut snapshot = Guarded::default();
            snapshot.state.catalog = guarded.state.catalog.clone();
            snapshot.state.freed.clone_from(&guarded.state.freed);
            (snapshot, space)
        };
        let (tally, wrong) = core.tally(&snapshot, &checkpoints, &space)?;
        let complete = tally.unreadable == 0;
        let data = faults(core, &mut space, |i| tally.blocks.page(i), complete);
        let mut meta = checkpoints.meta.clone();
        let meta = faults(core, &mut meta, |i| tally.sectors.page(i), complete);
        self.note_maps(&data, &meta, &tally, false);
        self.note_counters(&snapshot, &wrong, false);
        Ok(())
    }

    /// The same while all else stands still, and puts right what is not as it should be in the
    /// one checkpoint that follows.
    fn account_and_mend(&mut self, lost: &[Fixed]) -> Result<()> {
        let core = self.core;
        let mut gone: Vec<u64> = Vec::new();
        let mut gone_sectors: Vec<u64> = Vec::new();
        core.checkpoint_after(&mut |guarded, checkpoints| {
            let mut space = core.space.lock();
            let (tally, wrong) = core.tally(guarded, checkpoints, &space)?;
            let complete = tally.unreadable == 0;
            let data = faults(core, &mut space, |i| tally.blocks.page(i), complete);
            let meta = faults(
                core,
                &mut checkpoints.meta,
                |i| tally.sectors.page(i),
                complete,
            );
            self.note_maps(&data, &meta, &tally, true);
            self.note_counters(guarded, &wrong, true);
            for (index, bits) in &data.pages {
                gone.extend(space.replace(*index, bits));
            }
            for (index, bits) in &meta.pages {
                gone_sectors.extend(checkpoints.meta.replace(*index, bits));
            }
            let catalog = &mut guarded.state.catalog;
            for counters in &wrong {
                if let Some(node) = catalog.node_mut(counters.id) {
                    node.referenced = counters.referenced;
                    node.written = counters.written;
                    if counters.exclusive_wrong {
                        node.exclusive.forget();
                    }
                }
            }
            for fixed in lost {
                match *fixed {
                    // Written anew in any case, or just now put together anew.
                    Fixed::Root => {}
                    Fixed::Chunk(chunk) => {
                        catalog.dirty_chunks.insert(chunk);
                    }
                    Fixed::Jobs => catalog.jobs_dirty = true,
                    Fixed::DataTable(table) => space.rewrite(&core.pages, table * TABLE_PAGES)?,
                    Fixed::DataBits(index) => space.rewrite(&core.pages, index)?,
                    Fixed::MetaTable(table) => {
                        checkpoints.meta.rewrite(&core.pages, table * TABLE_PAGES)?;
                    }
                    Fixed::MetaBits(index) => checkpoints.meta.rewrite(&core.pages, index)?,
                }
            }
            Ok(())
        })?;
        // Nothing durable speaks of them now.
        let one = |start: u64| Run { start, len: 1 };
        let mut checkpoints = core.checkpoints.lock();
        for sector in gone_sectors {
            checkpoints.meta.put_back(one(sector));
        }
        drop(checkpoints);
        let mut space = core.space.lock();
        gone.into_iter()
            .for_each(|block| space.put_back(one(block)));
        Ok(())
    }
}
