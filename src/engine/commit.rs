//! The way of a change: admitted while there is room for all it leads to,
//! applied and put on the batch in one step, made durable with others in one group.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::alone::Drafts;
use super::core::{Core, Guarded};
use super::error::{EngineError, Result};
use super::log::{Batch, Log};
use super::record::Record;

impl Core {
    /// Applies a record and puts it on the batch. Returns its number.
    ///
    /// # Errors
    /// [`EngineError::NoSpace`] if the log has no room to make it durable.
    /// After any error nothing has changed.
    pub(super) fn record(&self, guarded: &mut Guarded, record: &Record) -> Result<u64> {
        self.record_with(guarded, record, Drafts::new())
    }

    /// The same; for a sweep, with what was found out about its leaves beforehand.
    pub(super) fn record_with(
        &self,
        guarded: &mut Guarded,
        record: &Record,
        drafts: Drafts,
    ) -> Result<u64> {
        self.check_writable()?;
        let before = guarded.batch.records.0.len();
        record.encode(&mut guarded.batch.records);
        let done = if guarded.batch.size(0) > guarded.room {
            Err(EngineError::NoSpace)
        } else {
            guarded.state.apply_with(self.env(), record, drafts)
        };
        if let Err(e) = done {
            guarded.batch.records.0.truncate(before);
            return Err(e);
        }
        guarded.batch.count += 1;
        if guarded.batch.since.is_none() {
            guarded.batch.since = Some(Instant::now());
            if self.resting.swap(false, Ordering::SeqCst) {
                self.nudge();
            }
        }
        Ok(guarded.state.lsn)
    }

    /// Makes all records up to this one durable, with those of others who want the same.
    pub(super) fn commit(&self, lsn: u64) -> Result<()> {
        self.pay()?;
        if self.durable.load(Ordering::Acquire) >= lsn {
            return Ok(());
        }
        let Some(leader) = self.group.join(&self.durable, lsn) else {
            return Ok(());
        };
        let mut log = self.log.lock();
        // A checkpoint may have taken this one's records along.
        if self.durable.load(Ordering::Acquire) < lsn {
            if self.failed.load(Ordering::Acquire) {
                return self.check_writable();
            }
            let taken = self.take_batch(&mut log, &mut self.guarded.write());
            let batch = taken.map_err(|e| self.log_failed(e))?;
            self.write_batch(&mut log, batch, true)?;
        }
        drop(log);
        leader.succeed();
        Ok(())
    }

    /// Sees that what was read when the store was opened is durable.
    pub(super) fn pay(&self) -> Result<()> {
        let paid = self.disk.pay();
        paid.map_err(|e| self.poison("making durable what was there", e))?;
        self.durable.fetch_max(self.opened, Ordering::AcqRel);
        Ok(())
    }

    /// Makes durable what has waited for long, or has become much. The data goes to the disk
    /// first, without a lock: those who flush or write meanwhile are not held up by it.
    pub(super) fn commit_old(&self) -> Result<()> {
        let lsn = {
            let guarded = self.guarded.read();
            let batch = &guarded.batch;
            let old = |since: Instant| since.elapsed() >= self.tuning.commit_after;
            if !batch.since.is_some_and(old) && batch.records.0.len() <= self.tuning.batch_limit / 2
            {
                return Ok(());
            }
            guarded.state.lsn
        };
        self.sync_data()?;
        self.commit(lsn)
    }

    /// Sees that damage to the last records can be told from a crash, once nothing is written for
    /// a while.
    pub(super) fn seal_log(&self) -> Result<()> {
        let Some(mut log) = self.log.try_lock() else {
            return Ok(());
        };
        self.check_not_failed()?;
        let sealed = log.seal(self.tuning.seal_after);
        if sealed.map_err(|e| self.poison("writing the log", e))? {
            self.look_for_room(&mut log);
        }
        Ok(())
    }

    /// Takes what is to be written next, once there is room for it.
    pub(super) fn take_batch(&self, log: &mut Log, guarded: &mut Guarded) -> Result<Batch> {
        if guarded.batch.count == 0 {
            // No segment is begun for nothing: its header would not be synced.
            return Ok(Batch::default());
        }
        let size = guarded.batch.size(0);
        log.ensure_room(size)?;
        guarded.room = log.room(size);
        self.space.lock().seal(guarded.state.lsn);
        Ok(std::mem::take(&mut guarded.batch))
    }

    /// Writes a batch that was just taken.
    pub(super) fn write_batch(&self, log: &mut Log, batch: Batch, may_inline: bool) -> Result<()> {
        if batch.count == 0 {
            return Ok(());
        }
        let inline = may_inline && !batch.overflow;
        // The records may speak of room that a data file has only just gained.
        if self.grown.swap(false, Ordering::AcqRel) || !inline {
            self.sync_data()?;
        }
        log.write(&batch, inline)
            .map_err(|e| self.poison("writing the log", e))?;
        self.durable.store(log.head().lsn, Ordering::Release);
        self.release();
        self.look_for_room(log);
        Ok(())
    }

    /// Notes how much room the log has; makes a spare segment if there is none.
    pub(super) fn look_for_room(&self, log: &mut Log) {
        let spare = log.ensure_spare(0);
        let spare = spare.map_err(|e| self.log_failed(e)).is_ok();
        self.log_room.store(spare, Ordering::Release);
        self.log_bytes.store(log.live_bytes(), Ordering::Relaxed);
        self.guarded.write().room = log.room(0);
    }

    /// A segment could not be made. Unless the disk is full, what is in its file is not known.
    pub(super) fn log_failed(&self, error: EngineError) -> EngineError {
        if let EngineError::Io { what, source } = &error {
            self.turn_read_only(&format!("{what} failed ({source})"));
        }
        error
    }

    /// Makes room in the log for a record of `bytes`, which may be more than a segment takes.
    pub(super) fn reserve_log(&self, bytes: u64) -> Result<()> {
        let mut log = self.log.lock();
        let waiting = (self.tuning.batch_limit + self.tuning.inline_limit) as u64 * 2;
        log.ensure_spare(bytes + waiting)
            .map_err(|e| self.log_failed(e))?;
        self.look_for_room(&mut log);
        Ok(())
    }

    /// Lets blocks be used again that no one needs any more.
    fn release(&self) {
        let until = self.durable.load(Ordering::Acquire);
        let until = until.min(self.readers.oldest());
        self.space.lock().release_until(until);
    }

    /// Sees that the batch does not outgrow the log, and that the log has a spare segment.
    fn make_log_room(&self) -> Result<()> {
        let (waiting, lsn) = {
            let guarded = self.guarded.read();
            (guarded.batch.records.0.len(), guarded.state.lsn)
        };
        if waiting > self.tuning.batch_limit {
            self.commit(lsn)?;
        }
        if self.log_room.load(Ordering::Acquire) {
            return Ok(());
        }
        self.look_for_room(&mut self.log.lock());
        if self.log_room.load(Ordering::Acquire) {
            return Ok(());
        }
        // A checkpoint frees segments.
        self.checkpoint()?;
        if self.log_room.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(EngineError::NoSpace)
        }
    }

    /// The same for what gives space back: it may use the last that there is.
    pub(super) fn admit_delete(&self) -> Result<()> {
        match self.make_log_room() {
            Err(EngineError::NoSpace) => self.check_writable(),
            other => other,
        }
    }

    /// Sees that what a write leaves to be done later will find room: a spare
    /// segment for the log, sectors for the next checkpoint. Brings about a
    /// checkpoint when one is due.
    ///
    /// # Errors
    /// [`EngineError::NoSpace`] if the disk is full. Deleting does not come here.
    pub(super) fn admit(&self) -> Result<()> {
        self.check_writable()?;
        self.make_log_room()?;
        let dirty = self.guarded.read().state.dirty;
        let due = self.log_bytes.load(Ordering::Relaxed) / self.tuning.log_limit.max(1)
            + dirty / self.tuning.dirty_limit.max(1);
        if due > 0 {
            if self.tuning.background && due == 1 {
                self.nudge();
            } else {
                self.checkpoint()?;
            }
        }
        if self.meta_room.load(Ordering::Relaxed) < self.meta_need(dirty) {
            self.checkpoints
                .lock()
                .make_room(self, self.meta_need(dirty))?;
        }
        Ok(())
    }

    /// Bytes of metadata that a checkpoint may write (at most, about).
    fn meta_need(&self, dirty: u64) -> u64 {
        dirty * 4 + self.tuning.grow_meta / 4
    }
}
