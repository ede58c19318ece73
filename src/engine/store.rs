//! The handle of an open store.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::background;
use super::core::{Core, Tuning};
use super::disk::{
    BadBlocks, BadDisk, Disk, FileDisk, FileName, LOCK_FILE, StoreLock, make_directory,
};
use super::error::{EngineError, Result};
use super::ids::JobId;
use super::info::{Change, JobInfo, StoreStats};
use super::superblock::Superblock;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Memory for metadata, in bytes: the cache of clean pages and those that
    /// wait to be written. 256 MiB unless told otherwise, 4 MiB at least.
    pub cache_bytes: u64,
    /// Whether a thread gives back space, copies and writes checkpoints. Without
    /// it nothing is advanced but what is asked; for programs that run briefly.
    pub background: bool,
    /// Open a damaged store as far as it can be read, for reading only: the newest checkpoint
    /// that is whole, and of the log what follows it without a gap. Nothing is written to it.
    /// [`StoreStats::read_only`](super::StoreStats) says what is hurt.
    pub salvage: bool,
    /// A limit for background copies, in bytes a second.
    pub copy_rate: Option<u64>,
    /// Whether an operation (not a write of data) is on the disk when it
    /// returns. Without it, it is once [`Store::flush`] has returned.
    pub durable_ops: bool,
    /// For rehearsals: blocks that can be made unreadable by [`Store::spoil`].
    pub bad_blocks: Option<BadBlocks>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 256 << 20,
            background: true,
            salvage: false,
            copy_rate: None,
            durable_ops: true,
            bad_blocks: None,
        }
    }
}

/// An open store. Clones are handles of the same store; it is closed by
/// [`Store::close`], or when the last is dropped.
#[derive(Clone)]
pub struct Store {
    handle: Arc<Handle>,
}

struct Handle {
    core: Arc<Core>,
    thread: Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<StoreLock>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("id", &self.core().store)
            .finish_non_exhaustive()
    }
}

/// Microseconds since 1970, now.
pub(super) fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

impl Store {
    /// Makes a store in `dir`, which is created if need be and must hold nothing else.
    ///
    /// # Errors
    /// [`EngineError::Exists`], [`EngineError::Foreign`], [`EngineError::Locked`], and those of the system.
    pub fn create(dir: &Path, options: &OpenOptions) -> Result<Self> {
        make_directory(dir).map_err(|e| EngineError::io(format!("making {}", dir.display()), e))?;
        check_vacant(dir)?;
        let lock = StoreLock::take(dir)?;
        // Another may have made one before the lock was had.
        check_vacant(dir)?;
        let core = Core::create(disk(dir, options), tuning(options), now())?;
        Self::start(core, options, Some(lock))
    }

    /// Opens the store in `dir`.
    ///
    /// # Errors
    /// [`EngineError::NoStore`], [`EngineError::Foreign`], [`EngineError::Locked`],
    /// [`EngineError::Version`], [`EngineError::Features`], [`EngineError::Truncated`],
    /// [`EngineError::Damaged`], and those of the system.
    pub fn open(dir: &Path, options: &OpenOptions) -> Result<Self> {
        match look(dir)? {
            Content::Store => {}
            Content::Foreign(found) => {
                return Err(EngineError::Foreign {
                    dir: dir.to_owned(),
                    found,
                });
            }
            Content::Empty | Content::Unfinished => {
                return Err(EngineError::NoStore {
                    dir: dir.to_owned(),
                });
            }
        }
        let lock = StoreLock::take(dir)?;
        let disk = disk(dir, options);
        let core = if options.salvage {
            Core::salvage(disk, tuning(options))?
        } else {
            Core::open(disk, tuning(options))?
        };
        Self::start(core, options, Some(lock))
    }

    /// Opens the store in `dir`, or makes one if there is none.
    ///
    /// # Errors
    /// As [`Store::create`] and [`Store::open`].
    pub fn open_or_create(dir: &Path, options: &OpenOptions) -> Result<Self> {
        match Self::open(dir, options) {
            Err(EngineError::NoStore { .. }) => Self::create(dir, options),
            other => other,
        }
    }

    fn start(core: Core, options: &OpenOptions, lock: Option<StoreLock>) -> Result<Self> {
        core.jobs.set_limit(options.copy_rate);
        let core = Arc::new(core);
        let thread = if core.tuning.background {
            Some(background::start(core.clone())?)
        } else {
            None
        };
        Ok(Self {
            handle: Arc::new(Handle {
                core,
                thread: Mutex::new(thread),
                lock: Mutex::new(lock),
            }),
        })
    }

    /// A store on any disk, for tests.
    #[cfg(test)]
    pub(super) fn on_disk(
        disk: Arc<dyn super::disk::Disk>,
        tuning: Tuning,
        create: bool,
    ) -> Result<Self> {
        let core = if create {
            Core::create(disk, tuning, now())?
        } else {
            Core::open(disk, tuning)?
        };
        Self::start(core, &OpenOptions::default(), None)
    }

    /// What can be read of a store on any disk, for tests.
    #[cfg(test)]
    pub(super) fn salvaged(disk: Arc<dyn super::disk::Disk>, tuning: Tuning) -> Result<Self> {
        Self::start(Core::salvage(disk, tuning)?, &OpenOptions::default(), None)
    }

    /// Closes the store: the background stops, everything is written, the lock
    /// is given back. Calls through other handles fail from then on.
    ///
    /// # Errors
    /// Those of writing; the store is closed all the same.
    pub fn close(&self) -> Result<()> {
        self.handle.close()
    }

    pub(super) fn core(&self) -> &Core {
        &self.handle.core
    }

    /// Makes all that was written and done so far durable.
    ///
    /// # Errors
    /// [`EngineError::NoSpace`]: nothing is lost, try again once there is room.
    /// [`EngineError::ReadOnly`] or [`EngineError::Io`]: it is not known what is on disk.
    pub fn flush(&self) -> Result<()> {
        self.core().check_writable()?;
        let lsn = self.core().guarded.read().state.lsn;
        self.core().commit(lsn)
    }

    /// Writes a checkpoint: the log is empty then.
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub fn checkpoint(&self) -> Result<()> {
        self.core().checkpoint()
    }

    /// Gives back the space of what was deleted and completes the copies that
    /// are not paused, here and now. For stores opened without background work.
    ///
    /// # Errors
    /// What keeps a job from going on.
    pub fn settle(&self) -> Result<()> {
        self.core().settle()
    }

    /// The store as a whole.
    pub fn stats(&self) -> StoreStats {
        self.core().stats()
    }

    /// Calls `listener` at every change from now on, from whatever thread makes
    /// it. It must be quick and must not call the store.
    pub fn subscribe(&self, listener: Box<dyn Fn(&Change) + Send + Sync>) {
        self.core().listeners.write().push(Arc::from(listener));
    }

    /// The jobs in the background.
    pub fn jobs(&self) -> Vec<JobInfo> {
        self.core().job_infos()
    }

    /// Pauses a job. A copy stays paused when the store is opened again.
    ///
    /// # Errors
    /// [`EngineError::NoJob`].
    pub fn pause_job(&self, id: JobId) -> Result<()> {
        self.core().pause(id, true)
    }

    /// Lets a job go on, also one that ran into trouble.
    ///
    /// # Errors
    /// [`EngineError::NoJob`].
    pub fn resume_job(&self, id: JobId) -> Result<()> {
        self.core().pause(id, false)
    }

    /// Ends a copy where it stands. The volume is whole and goes on sharing what was not copied.
    ///
    /// # Errors
    /// [`EngineError::NoJob`]; [`EngineError::BadRequest`] for the job that gives back space.
    pub fn cancel_job(&self, id: JobId) -> Result<()> {
        self.core().cancel(id)
    }

    /// Limits background copies to so many bytes a second in all, or lifts the limit.
    pub fn set_copy_rate(&self, bytes_a_second: Option<u64>) {
        self.core().jobs.set_limit(bytes_a_second);
        self.core().nudge();
    }
}

impl Handle {
    fn close(&self) -> Result<()> {
        if self.core.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        self.core.nudge();
        if let Some(thread) = self.thread.lock().take() {
            // A thread that panicked has said so already.
            let _ = thread.join();
        }
        self.core.trim_at_the_end();
        let result = if self.core.has_changed() {
            self.core.checkpoint()
        } else {
            Ok(())
        };
        self.lock.lock().take();
        result
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // There is no one left to tell; what was flushed is safe.
        let _ = self.close();
    }
}

/// The files in a directory.
fn disk(dir: &Path, options: &OpenOptions) -> Arc<dyn Disk> {
    let files = Arc::new(FileDisk::new(dir));
    match &options.bad_blocks {
        Some(bad) => Arc::new(BadDisk::new(files, bad.clone())),
        None => files,
    }
}

fn tuning(options: &OpenOptions) -> Tuning {
    Tuning {
        durable_ops: options.durable_ops,
        background: options.background,
        ..Tuning::for_cache(options.cache_bytes)
    }
}

fn check_vacant(dir: &Path) -> Result<()> {
    let dir = dir.to_owned();
    match look(&dir)? {
        Content::Store => Err(EngineError::Exists { dir }),
        Content::Foreign(found) => Err(EngineError::Foreign { dir, found }),
        Content::Empty | Content::Unfinished => Ok(()),
    }
}

enum Content {
    Empty,
    /// The beginnings of a store whose making did not come to its end.
    Unfinished,
    Store,
    Foreign(String),
}

/// What a directory holds.
fn look(dir: &Path) -> Result<Content> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Content::Empty),
        Err(e) => {
            return Err(EngineError::io(
                format!("looking into {}", dir.display()),
                e,
            ));
        }
    };
    let mut content = Content::Empty;
    let mut foreign = None;
    for entry in entries {
        let entry =
            entry.map_err(|e| EngineError::io(format!("looking into {}", dir.display()), e))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        match FileName::parse(&name) {
            Some(FileName::Super) => content = Content::Store,
            Some(_) if matches!(content, Content::Empty) => content = Content::Unfinished,
            Some(_) => {}
            None if name == LOCK_FILE => {}
            None => foreign = Some(name.into_owned()),
        }
    }
    // What others keep beside a store (a journal, lost+found) is theirs.
    match (content, foreign) {
        (Content::Store, None) if Superblock::unfinished(&FileDisk::new(dir))? => {
            Ok(Content::Unfinished)
        }
        (Content::Store, _) => Ok(Content::Store),
        (_, Some(found)) => Ok(Content::Foreign(found)),
        (content, None) => Ok(content),
    }
}
