//! Blocks of the data files: taking free ones, writing and reading them.

use std::sync::atomic::Ordering;

use super::core::Core;
use super::disk::FileName;
use super::error::{EngineError, Result};
use super::page::{BLOCK, BLOCK_LEN};
use super::space::{LONG, Run, Space};

impl Core {
    /// Makes durable what was written to the data files.
    ///
    /// # Errors
    /// Those of the system, which turn the store read-only; also where another's sync met them.
    pub(super) fn sync_data(&self) -> Result<()> {
        // Whoever finds nothing to sync must not go on before the one who took it is done.
        let _alone = self.syncing.lock();
        self.check_not_failed()?;
        let files = std::mem::take(&mut *self.dirty_files.lock());
        for file in files {
            self.disk
                .sync(FileName::Data(file))
                .map_err(|e| self.poison("syncing the data", e))?;
        }
        Ok(())
    }

    /// Takes blocks of the store for `want` blocks of data, as few runs as may be.
    ///
    /// # Errors
    /// [`EngineError::NoSpace`] if the disk is full; none are taken then.
    pub(super) fn take_blocks(&self, want: u64) -> Result<Vec<Run>> {
        match self.try_take(want) {
            Err(EngineError::NoSpace) => {
                // What was freed lately may only wait for its record to be durable.
                let lsn = self.guarded.read().state.lsn;
                self.commit(lsn)?;
                self.try_take(want)
            }
            other => other,
        }
    }

    fn try_take(&self, want: u64) -> Result<Vec<Run>> {
        let until = self
            .durable
            .load(Ordering::Acquire)
            .min(self.readers.oldest());
        let mut space = self.space.lock();
        space.release_until(until);
        // Asked while the map is locked: a record that gave something up by now was applied
        // after those who read what it gave up had come.
        space.reuse_until(self.readers.oldest());
        let mut runs = Vec::new();
        let taken = self
            .gather(&mut space, want, &mut runs)
            .and_then(|()| self.back(&runs, space.backed));
        if let Err(e) = taken {
            for run in runs {
                space.put_back(run);
            }
            return Err(e);
        }
        Ok(runs)
    }

    fn gather(&self, space: &mut Space, want: u64, runs: &mut Vec<Run>) -> Result<()> {
        let missing = |runs: &[Run]| want - runs.iter().map(|run| run.len).sum::<u64>();
        if want >= LONG {
            runs.extend(space.take_long(&self.pages, want)?);
            let left = missing(runs);
            // Where what is free lies in splinters, a long write gets fresh room, within bounds:
            // it is read and written over in one piece, and leaves the splinters whole again.
            if left >= LONG && space.may_spread() && self.grow_data(space, left + LONG).is_ok() {
                runs.extend(space.take_long(&self.pages, left)?);
            }
        }
        runs.extend(space.take(&self.pages, missing(runs))?);
        while missing(runs) > 0 {
            self.grow_data(space, missing(runs))?;
            runs.extend(space.take(&self.pages, missing(runs))?);
        }
        Ok(())
    }

    /// Takes room on the disk for more blocks; a little at least.
    fn grow_data(&self, space: &mut Space, need: u64) -> Result<()> {
        let chunk = u64::from(self.chunk_blocks);
        let (number, at) = ((space.backed / chunk) as u32, space.backed % chunk);
        let file = FileName::Data(number);
        let mut step = self.tuning.grow_blocks.max(need).min(chunk - at);
        loop {
            let grown = self.disk.reserve(file, at * BLOCK, step * BLOCK);
            match grown.map_err(|e| EngineError::io(format!("growing {file}"), e)) {
                Ok(()) => {
                    // Its length is to be durable before the log speaks of its new blocks.
                    self.dirty_files.lock().insert(number);
                    self.grown.store(true, Ordering::Release);
                    space.extend(space.backed + step);
                    return Ok(());
                }
                Err(EngineError::NoSpace) if step > need.min(16) => {
                    step = (step / 4).max(need.min(16)).min(step - 1);
                }
                Err(e) => return Err(e),
            }
        }
    }

    /// Gives back blocks that were taken and are not needed.
    pub(super) fn put_back(&self, runs: &[Run]) {
        let mut space = self.space.lock();
        for run in runs {
            space.put_back(*run);
        }
    }

    /// The file that holds a block, the byte it begins at, and how many blocks follow in that file.
    pub(super) fn locate(&self, block: u64) -> (u32, u64, u64) {
        let chunk = u64::from(self.chunk_blocks);
        (
            (block / chunk) as u32,
            block % chunk * BLOCK,
            chunk - block % chunk,
        )
    }

    /// Writes data to blocks next to each other.
    pub(super) fn write_blocks(&self, mut block: u64, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() {
            let (file, offset, room) = self.locate(block);
            let n = (data.len() / BLOCK_LEN).min(room as usize);
            let (now, rest) = data.split_at(n * BLOCK_LEN);
            let name = FileName::Data(file);
            self.disk
                .write_at(name, offset, now)
                .map_err(|e| EngineError::io(format!("writing block {block} to {name}"), e))?;
            // Noted after the write and before the record: whoever commits the record syncs the file.
            self.dirty_files.lock().insert(file);
            data = rest;
            block += n as u64;
        }
        Ok(())
    }

    /// Reads blocks next to each other.
    pub(super) fn read_blocks(&self, block: u64, buf: &mut [u8]) -> Result<()> {
        self.each_piece(block, buf, |name, offset, now| {
            self.disk.read_at(name, offset, now).map(|()| true)
        })
        .map(|_| ())
    }

    /// The same, if that need not wait for the disk. False: `buf` holds anything.
    pub(super) fn read_blocks_at_hand(&self, block: u64, buf: &mut [u8]) -> Result<bool> {
        self.each_piece(block, buf, |name, offset, now| {
            self.disk.read_at_hand(name, offset, now)
        })
    }

    /// Reads with `read`, a piece for each file that the blocks lie in, until it is false.
    fn each_piece(
        &self,
        mut block: u64,
        mut buf: &mut [u8],
        read: impl Fn(FileName, u64, &mut [u8]) -> std::io::Result<bool>,
    ) -> Result<bool> {
        while !buf.is_empty() {
            let (file, offset, room) = self.locate(block);
            let n = (buf.len() / BLOCK_LEN).min(room as usize);
            let (now, rest) = buf.split_at_mut(n * BLOCK_LEN);
            let name = FileName::Data(file);
            let more = read(name, offset, now)
                .map_err(|e| EngineError::io(format!("reading block {block} from {name}"), e))?;
            if !more {
                return Ok(false);
            }
            buf = rest;
            block += n as u64;
        }
        Ok(true)
    }

    /// Blocks next to each other are about to be read.
    pub(super) fn fetch_blocks(&self, mut block: u64, mut count: u64) {
        while count > 0 {
            let (file, offset, room) = self.locate(block);
            let n = count.min(room);
            self.disk.fetch(FileName::Data(file), offset, n * BLOCK);
            count -= n;
            block += n;
        }
    }
}
