//! The thread in the background: checkpoints when they are due, giving back
//! space, copies. One step at a time, so that none waits long for another.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::core::Core;
use super::error::{EngineError, Result};
use super::ids::JobId;
use super::info::Change;
use super::jobs::Trouble;
use super::reclaim::Step;

/// How long the thread sleeps if no one wakes it.
const NAP: Duration = Duration::from_millis(500);
/// How long it sleeps where nothing was done for a while and nothing waits: an idle store is no load.
const REST: Duration = Duration::from_secs(10);
/// That while.
const CALM: Duration = Duration::from_secs(3);

/// Starts the thread. It ends once the store is closed.
pub(super) fn start(core: Arc<Core>) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("snapdeck-engine".into())
        .spawn(move || {
            // Who fails at it says so by turning read-only.
            let _ = core.pay();
            let mut busy = Instant::now();
            while !core.closed.load(Ordering::Acquire) {
                match core.background_round() {
                    true => busy = Instant::now(),
                    false => core.sleep(busy.elapsed() >= CALM),
                }
            }
        })
        .map_err(|e| EngineError::io("starting the engine's thread", e))
}

impl Core {
    fn sleep(&self, calm: bool) {
        let longest = if calm && self.may_rest() { REST } else { NAP };
        let until = self.jobs.next_copy().map_or(longest, |at| {
            at.saturating_duration_since(Instant::now()).min(longest)
        });
        let mut flag = self.wake.0.lock();
        if !*flag {
            self.wake.1.wait_for(&mut flag, until);
        }
        *flag = false;
        self.resting.store(false, Ordering::Release);
    }

    /// Whether nothing will be due soon. Whoever records something from now on wakes the thread: it is looked at what
    /// waits only after that was said.
    fn may_rest(&self) -> bool {
        self.resting.store(true, Ordering::SeqCst);
        let guarded = self.guarded.read();
        let catalog = &guarded.state.catalog;
        let may = guarded.batch.since.is_none()
            && catalog.jobs.is_empty()
            && catalog.hidden.is_empty()
            && self.log.try_lock().is_some_and(|log| log.is_sealed());
        if !may {
            self.resting.store(false, Ordering::SeqCst);
        }
        may
    }

    /// One step of everything. False if there was nothing to do.
    fn background_round(&self) -> bool {
        if self.check_writable().is_err() {
            return false;
        }
        // A full disk is no reason to stop: those who flush are told, deleting goes on.
        let _ = self.commit_old();
        let _ = self.seal_log();
        if self.checkpoint_due() && self.checkpoint().is_err() {
            return false;
        }
        let reclaimed = self.background_reclaim();
        let copied = self.background_copy();
        // Room is not in a hurry; a disk that refuses is asked again another time.
        let lately = self.taken_lately().filter(|_| !reclaimed && !copied);
        let trimmed = lately.is_some_and(|lately| self.trim_step(lately).unwrap_or(false));
        reclaimed || copied || trimmed
    }

    /// Notes a failure of a job; true if it can go on.
    fn note(&self, job: JobId, result: Result<bool>) -> bool {
        let (more, trouble) = match result {
            Ok(more) => (more, None),
            Err(e) => {
                let passing = matches!(e, EngineError::NoSpace);
                let what = e.to_string();
                (false, Some(Trouble { what, passing }))
            }
        };
        if self.jobs.set_trouble(job, trouble) {
            let info = self.job_infos().into_iter().find(|info| info.id == job);
            self.tell(&info.into_iter().map(Change::Job).collect::<Vec<_>>());
        }
        more
    }

    fn background_reclaim(&self) -> bool {
        let id = self.jobs.reclaim;
        if self.jobs.reclaim_paused() || self.jobs.stuck(id) {
            return false;
        }
        let step = self.reclaim_step().and_then(|step| {
            match step {
                Step::AfterCheckpoint => self.checkpoint()?,
                // What was given back can be used once its record is durable.
                Step::Idle => return Ok(false),
                Step::More => {
                    if self.guarded.read().state.catalog.hidden.is_empty() {
                        let lsn = self.guarded.read().state.lsn;
                        self.commit(lsn)?;
                    }
                }
            }
            Ok(true)
        });
        self.note(id, step)
    }

    fn background_copy(&self) -> bool {
        let ids: Vec<JobId> = {
            let guarded = self.guarded.read();
            guarded
                .state
                .catalog
                .jobs
                .values()
                .filter(|job| !job.paused)
                .map(|job| job.id)
                .collect()
        };
        let mut more = false;
        for id in ids {
            if self.jobs.next_copy().is_some() {
                return more;
            }
            if !self.jobs.stuck(id) {
                let step = self.copy_step(id).map(|step| step != Step::Idle);
                more |= self.note(id, step);
            }
        }
        more
    }

    /// Does all that the background would do, here and now; paused jobs stay paused.
    pub(super) fn settle(&self) -> Result<()> {
        loop {
            match self.reclaim_step()? {
                Step::More => continue,
                Step::AfterCheckpoint => {
                    self.checkpoint()?;
                    continue;
                }
                Step::Idle => {}
            }
            let ids: Vec<JobId> = {
                let guarded = self.guarded.read();
                guarded
                    .state
                    .catalog
                    .jobs
                    .values()
                    .filter(|job| !job.paused)
                    .map(|job| job.id)
                    .collect()
            };
            if ids.is_empty() {
                let lsn = self.guarded.read().state.lsn;
                self.commit(lsn)?;
                while self.trim_step(0)? {}
                return Ok(());
            }
            for id in ids {
                while self.copy_step(id)? == Step::More {}
            }
        }
    }
}
