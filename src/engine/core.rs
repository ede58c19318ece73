//! What all parts of an open store share, and the way a change takes: applied
//! to the state and put on the log's batch in one step, made durable by a commit.
//!
//! Locks are taken in this order: reclaiming, checkpoint, log, syncing, state, space; the others
//! are held for moments and take no further ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, RwLock};
use uuid::Uuid;

use super::apply::{Env, State};
use super::checkpoint::Checkpoints;
use super::disk::Disk;
use super::error::{EngineError, Result};
use super::group::Group;
use super::info::{Change, StoreStats};
use super::jobs::JobBoard;
use super::log::{Batch, Log};
use super::page::BLOCK;
use super::pages::Pages;
use super::space::Space;
use super::trim::Trim;

/// Sizes that shape a store's work. Tests make them small.
#[derive(Clone, Debug)]
pub(super) struct Tuning {
    /// Bytes of a log segment.
    pub(super) segment_bytes: u64,
    /// Bytes of log after which a checkpoint is due.
    pub(super) log_limit: u64,
    /// Bytes of metadata that is only in memory after which a checkpoint is due.
    pub(super) dirty_limit: u64,
    /// Bytes of records that may wait before they are committed; the background begins at half of it.
    pub(super) batch_limit: usize,
    /// How long records may wait before the background commits them.
    pub(super) commit_after: Duration,
    /// Bytes of data up to which a commit puts them into the log.
    pub(super) inline_limit: usize,
    /// The log is sealed when nothing was written to it for so long.
    pub(super) seal_after: Duration,
    /// Blocks by which the data files grow.
    pub(super) grow_blocks: u64,
    /// Bytes by which the metadata file grows.
    pub(super) grow_meta: u64,
    /// Blocks of a data file, for a new store.
    pub(super) chunk_blocks: u32,
    /// Leaves that one step of a sweep or a copy visits.
    pub(super) step_leaves: u64,
    /// Blocks of which free ones are given back to the file system together.
    pub(super) trim_blocks: u64,
    /// Free blocks next to each other that are worth it.
    pub(super) trim_run: u64,
    /// Free blocks that are kept for what is written next; a sixteenth of what is in use at least.
    pub(super) keep_blocks: u64,
    /// What was written within this time, and up to twice of it, is likely to be written again:
    /// as much free room is kept. None is given back before so much time has passed.
    pub(super) calm: Duration,
    /// Bytes of the page cache.
    pub(super) cache_bytes: u64,
    /// Whether metadata operations are durable when they return.
    pub(super) durable_ops: bool,
    /// Whether there are threads in the background.
    pub(super) background: bool,
}

impl Tuning {
    /// For a cache of this many bytes.
    pub(super) fn for_cache(cache_bytes: u64) -> Self {
        let cache_bytes = cache_bytes.max(4 << 20);
        Self {
            segment_bytes: 16 << 20,
            log_limit: 32 << 20,
            // Twice that may wait, and as much be on its way to the disk.
            dirty_limit: (cache_bytes / 8).min(32 << 20),
            batch_limit: 8 << 20,
            commit_after: Duration::from_secs(5),
            inline_limit: 128 << 10,
            seal_after: Duration::from_millis(400),
            grow_blocks: 16 << 10,
            grow_meta: 4 << 20,
            chunk_blocks: 4 << 20,
            step_leaves: 256,
            trim_blocks: 4096,
            trim_run: 16,
            keep_blocks: 16 << 10,
            calm: Duration::from_secs(30),
            cache_bytes: cache_bytes / 2,
            durable_ops: true,
            background: true,
        }
    }
}

/// The state and the records that are not in the log yet.
#[derive(Default)]
pub(super) struct Guarded {
    pub(super) state: State,
    pub(super) batch: Batch,
    /// Bytes that the batch may grow to: a group of this size can be written
    /// without needing room on the disk.
    pub(super) room: u64,
}

/// Those who read blocks that they looked up at a certain record.
#[derive(Default)]
pub(super) struct Readers(Mutex<BTreeMap<u64, usize>>);

impl Readers {
    pub(super) fn oldest(&self) -> u64 {
        self.0.lock().keys().next().copied().unwrap_or(u64::MAX)
    }
}

/// Holds back the blocks that were in use at a certain record.
pub(super) struct Ticket<'a>(&'a Readers, u64);

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut readers = self.0.0.lock();
        if let Some(count) = readers.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                readers.remove(&self.1);
            }
        }
    }
}

/// One who wants to hear of changes.
pub(super) type Listener = Arc<dyn Fn(&Change) + Send + Sync>;

/// An open store.
pub(super) struct Core {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) store: Uuid,
    pub(super) created: i64,
    pub(super) chunk_blocks: u32,
    pub(super) tuning: Tuning,
    pub(super) pages: Pages,
    /// Held while a stretch is given back: its pages are read without the state.
    pub(super) reclaiming: Mutex<()>,
    pub(super) checkpoints: Mutex<Checkpoints>,
    pub(super) log: Mutex<Log>,
    pub(super) guarded: RwLock<Guarded>,
    pub(super) space: Mutex<Space>,
    pub(super) readers: Readers,
    /// Data files written to since they were last synced.
    pub(super) dirty_files: Mutex<BTreeSet<u32>>,
    /// One of them has grown since.
    pub(super) grown: AtomicBool,
    /// Held while they are synced.
    pub(super) syncing: Mutex<()>,
    /// The room of the data files. Taken after `space`.
    pub(super) trim: Mutex<Trim>,
    /// Those who wait for records to be durable.
    pub(super) group: Group,
    /// The last record that is known to be durable.
    pub(super) durable: AtomicU64,
    /// The last record that was there when the store was opened.
    pub(super) opened: u64,
    /// The last record that was there at the last checkpoint or when the store was opened.
    pub(super) settled: AtomicU64,
    /// Bytes of log since the last checkpoint.
    pub(super) log_bytes: AtomicU64,
    /// Bytes there are in the metadata file that no page uses.
    pub(super) meta_room: AtomicU64,
    pub(super) meta_bytes: AtomicU64,
    /// The log has a spare segment.
    pub(super) log_room: AtomicBool,
    read_only: Mutex<Option<String>>,
    pub(super) failed: AtomicBool,
    pub(super) closed: AtomicBool,
    pub(super) listeners: RwLock<Vec<Listener>>,
    pub(super) jobs: JobBoard,
    /// Set when the background has something to do.
    pub(super) wake: (Mutex<bool>, Condvar),
    /// The background sleeps long, and wants to be woken by the first record.
    pub(super) resting: AtomicBool,
}

/// What [`Core::new`] puts together.
pub(super) struct Parts {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) store: Uuid,
    pub(super) created: i64,
    pub(super) chunk_blocks: u32,
    pub(super) pages: Pages,
    pub(super) checkpoints: Checkpoints,
    pub(super) log: Log,
    pub(super) state: State,
    pub(super) space: Space,
    pub(super) dirty_files: BTreeSet<u32>,
}

impl Core {
    pub(super) fn new(mut parts: Parts, tuning: Tuning) -> Self {
        let lsn = parts.state.lsn;
        parts.space.seal(lsn);
        let room = parts.log.room(0);
        Self {
            log_bytes: AtomicU64::new(parts.log.live_bytes()),
            meta_room: AtomicU64::new(parts.checkpoints.meta.free() * 512),
            meta_bytes: AtomicU64::new(parts.checkpoints.meta.used * 512),
            disk: parts.disk,
            store: parts.store,
            created: parts.created,
            chunk_blocks: parts.chunk_blocks,
            jobs: JobBoard::new(parts.store),
            tuning,
            pages: parts.pages,
            reclaiming: Mutex::default(),
            checkpoints: Mutex::new(parts.checkpoints),
            log: Mutex::new(parts.log),
            guarded: RwLock::new(Guarded {
                state: parts.state,
                batch: Batch::default(),
                room,
            }),
            space: Mutex::new(parts.space),
            readers: Readers::default(),
            dirty_files: Mutex::new(parts.dirty_files),
            grown: AtomicBool::new(false),
            syncing: Mutex::default(),
            trim: Mutex::default(),
            group: Group::default(),
            durable: AtomicU64::new(0),
            opened: lsn,
            settled: AtomicU64::new(lsn),
            log_room: AtomicBool::new(false),
            read_only: Mutex::new(None),
            failed: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            listeners: RwLock::default(),
            wake: (Mutex::new(false), Condvar::new()),
            resting: AtomicBool::new(false),
        }
    }

    pub(super) fn env(&self) -> Env<'_> {
        Env {
            pages: &self.pages,
            space: &self.space,
        }
    }

    /// An error if the store takes no changes.
    pub(super) fn check_writable(&self) -> Result<()> {
        if self.failed.load(Ordering::Acquire) {
            let reason = self.read_only.lock().clone().unwrap_or_default();
            return Err(EngineError::ReadOnly { reason });
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(EngineError::Closed);
        }
        Ok(())
    }

    /// An error if it is not known any more what is on disk. A store that closes may still write.
    pub(super) fn check_not_failed(&self) -> Result<()> {
        match self.check_writable() {
            Err(EngineError::Closed) => Ok(()),
            other => other,
        }
    }

    /// The store takes no changes from now on: what is on disk is not known any more.
    pub(super) fn turn_read_only(&self, reason: &str) {
        let mut slot = self.read_only.lock();
        if slot.is_none() {
            *slot = Some(reason.to_owned());
            self.failed.store(true, Ordering::Release);
            drop(slot);
            self.tell(&[Change::ReadOnly(reason.to_owned())]);
        }
    }

    /// Turns read-only because of a system error, and returns it.
    pub(super) fn poison(&self, what: &str, error: std::io::Error) -> EngineError {
        self.turn_read_only(&format!("{what} failed ({error})"));
        EngineError::Io {
            what: what.to_owned(),
            source: error,
        }
    }

    /// Tells all listeners.
    pub(super) fn tell(&self, changes: &[Change]) {
        let listeners = self.listeners.read().clone();
        for listener in listeners {
            for change in changes {
                listener(change);
            }
        }
    }

    /// Wakes the background.
    pub(super) fn nudge(&self) {
        *self.wake.0.lock() = true;
        self.wake.1.notify_all();
    }

    /// A ticket for what the state maps now. The caller holds the state.
    pub(super) fn ticket(&self, state: &State) -> Ticket<'_> {
        *self.readers.0.lock().entry(state.lsn).or_default() += 1;
        Ticket(&self.readers, state.lsn)
    }

    /// Whether there were changes since the last checkpoint or since the store was opened.
    pub(super) fn has_changed(&self) -> bool {
        self.guarded.read().state.lsn > self.settled.load(Ordering::Relaxed)
    }

    /// Whether a checkpoint is due.
    pub(super) fn checkpoint_due(&self) -> bool {
        self.log_bytes.load(Ordering::Relaxed) >= self.tuning.log_limit
            || self.guarded.read().state.dirty >= self.tuning.dirty_limit
    }

    /// What there is, in numbers.
    pub(super) fn stats(&self) -> StoreStats {
        let guarded = self.guarded.read();
        let catalog = &guarded.state.catalog;
        let hidden = catalog.hidden.iter().filter_map(|id| catalog.nodes.get(id));
        let reclaimable: u64 = hidden
            .map(|node| super::usage::held_alone(catalog, node).unwrap_or(0))
            .sum();
        let data = self.space.lock().used;
        StoreStats {
            data_bytes: data * BLOCK,
            reclaimable: reclaimable * BLOCK,
            metadata_bytes: self.meta_bytes.load(Ordering::Relaxed),
            cache_bytes: self.pages.bytes() + guarded.state.dirty,
            log_bytes: self.log_bytes.load(Ordering::Relaxed),
            volumes: catalog.volumes.len(),
            points: catalog.points.len(),
            read_only: self.read_only.lock().clone(),
        }
    }
}
