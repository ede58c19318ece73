//! Giving room that is free within the store back to the file system.
//!
//! The data files are looked at in granules. In a granule that is trimmed, what is free
//! has been punched out of the file; before a block of it is taken again, room for all
//! of it is reserved anew, so that a full disk fails a write before it is acknowledged.
//! What state a granule is in is not kept on disk: after a restart none is taken to
//! have room before it has been reserved once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::core::Core;
use super::disk::FileName;
use super::error::{EngineError, Result};
use super::page::BLOCK;
use super::space::{Run, Space};

/// How long closing a store may take for the sake of room.
const AT_THE_END: Duration = Duration::from_secs(2);

/// What is known of the room of the granules.
#[derive(Default)]
pub(super) struct Trim {
    /// Granules that have room for all their blocks.
    reserved: BTreeSet<u64>,
    /// Free blocks that were punched out, by granule, and in all.
    trimmed: BTreeMap<u64, u64>,
    punched: u64,
    /// Granules that were looked at since blocks in use last changed, and how many these were.
    seen: BTreeSet<u64>,
    used: u64,
    /// All of them were.
    idle: bool,
    /// The file system has no way to punch holes.
    unsupported: bool,
    /// When blocks taken from the map were last counted, how many these were, and how many the
    /// time before; that there was a time before.
    counted: Option<Instant>,
    taken: [u64; 2],
    known: bool,
}

impl Trim {
    fn note(&mut self, index: u64, blocks: u64) {
        let before = match blocks {
            0 => self.trimmed.remove(&index),
            _ => self.trimmed.insert(index, blocks),
        };
        self.punched = self.punched + blocks - before.unwrap_or(0);
    }
}

impl Core {
    fn granule(&self, index: u64) -> (u64, u64) {
        let size = self.tuning.trim_blocks;
        (index * size, (index + 1) * size)
    }

    /// Sees that there is room on the medium for blocks that are about to be written.
    ///
    /// # Errors
    /// [`EngineError::NoSpace`] if the disk is full.
    pub(super) fn back(&self, runs: &[Run], backed: u64) -> Result<()> {
        let size = self.tuning.trim_blocks;
        for run in runs {
            for index in run.start / size..(run.start + run.len).div_ceil(size) {
                let mut trim = self.trim.lock();
                if trim.reserved.contains(&index) {
                    continue;
                }
                let (first, end) = self.granule(index);
                self.each_stretch(first, end.min(backed), |file, offset, len| {
                    self.disk.reserve(file, offset, len)
                })?;
                trim.reserved.insert(index);
                trim.note(index, 0);
            }
        }
        Ok(())
    }

    /// Calls `act` with the stretches of files that blocks `first..end` are in.
    fn each_stretch(
        &self,
        mut first: u64,
        end: u64,
        mut act: impl FnMut(FileName, u64, u64) -> std::io::Result<()>,
    ) -> Result<()> {
        let chunk = u64::from(self.chunk_blocks);
        while first < end {
            let n = (end - first).min(chunk - first % chunk);
            let file = FileName::Data((first / chunk) as u32);
            act(file, first % chunk * BLOCK, n * BLOCK)
                .map_err(|e| EngineError::io(format!("changing the room of {file}"), e))?;
            first += n;
        }
        Ok(())
    }

    /// Blocks that were taken of late; none while that is not known yet. Whoever writes on will
    /// want as many again, and what was punched out would have to be reserved and to come into
    /// memory anew.
    pub(super) fn taken_lately(&self) -> Option<u64> {
        let now = Instant::now();
        let taken = self.space.lock().taken;
        let mut trim = self.trim.lock();
        let calm = self.tuning.calm;
        if trim.counted.is_none_or(|at| now.duration_since(at) >= calm) {
            trim.known = trim.counted.is_some();
            trim.counted = Some(now);
            trim.taken = [taken, trim.taken[0]];
        }
        trim.known.then(|| taken - trim.taken[1])
    }

    /// Gives room back before the store is closed, if this process made some and wrote nothing:
    /// whoever only deletes does not keep the store open until it is calm. Bounded in time.
    pub(super) fn trim_at_the_end(&self) {
        let writable = self.check_not_failed().is_ok();
        if !writable || !self.jobs.has_reclaimed() || self.space.lock().taken > 0 {
            return;
        }
        let begun = Instant::now();
        while begun.elapsed() < AT_THE_END && self.trim_step(0).unwrap_or(false) {}
    }

    /// Punches out what is free in one granule, if more is free than is kept for what is
    /// written next: `lately` blocks at least. False if there is nothing to do.
    pub(super) fn trim_step(&self, lately: u64) -> Result<bool> {
        let _alone = self.reclaiming.lock();
        let Some((index, runs)) = self.choose_granule(lately)? else {
            return Ok(false);
        };
        let punched = self.punch(&runs);
        {
            let mut trim = self.trim.lock();
            match &punched {
                Ok(()) => {
                    trim.reserved.remove(&index);
                    trim.note(index, runs.iter().map(|run| run.len).sum());
                }
                Err(_) => trim.unsupported = true,
            }
        }
        let mut space = self.space.lock();
        for run in runs {
            space.put_back(run);
        }
        match punched {
            Err(EngineError::Io { source, .. })
                if source.kind() == std::io::ErrorKind::Unsupported =>
            {
                Ok(false)
            }
            other => other.map(|()| true),
        }
    }

    fn punch(&self, runs: &[Run]) -> Result<()> {
        for run in runs {
            self.each_stretch(run.start, run.start + run.len, |file, offset, len| {
                self.disk.punch(file, offset, len)
            })?;
        }
        Ok(())
    }

    /// The granule to trim next, from the end, and what is free in it, which is held back from now on.
    fn choose_granule(&self, lately: u64) -> Result<Option<(u64, Vec<Run>)>> {
        let size = self.tuning.trim_blocks;
        let mut space = self.space.lock();
        let mut trim = self.trim.lock();
        let keep = self.tuning.keep_blocks.max(space.used / 16).max(lately);
        if trim.unsupported || space.free() <= trim.punched + keep {
            return Ok(None);
        }
        if trim.used != space.used {
            trim.used = space.used;
            trim.idle = false;
            trim.seen.clear();
        }
        if trim.idle {
            return Ok(None);
        }
        let next = space.next_taken() / size;
        for index in (0..space.backed.div_ceil(size)).rev() {
            // Where blocks are being taken they would be needed again at once.
            if index == next || !trim.seen.insert(index) {
                continue;
            }
            let runs = self.free_in(&mut space, index)?;
            let blocks: u64 = runs.iter().map(|run| run.len).sum();
            if blocks > trim.trimmed.get(&index).copied().unwrap_or(0) {
                return Ok(Some((index, runs)));
            }
            runs.into_iter().for_each(|run| space.put_back(run));
        }
        trim.idle = true;
        Ok(None)
    }

    fn free_in(&self, space: &mut Space, index: u64) -> Result<Vec<Run>> {
        let (first, end) = self.granule(index);
        let end = end.min(space.backed);
        space.claim(&self.pages, (first, end), self.tuning.trim_run)
    }
}
