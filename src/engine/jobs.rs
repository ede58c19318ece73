//! Jobs as they are seen from outside: how they stand, how fast they go, what
//! keeps them, and the limit of their rate.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use uuid::Uuid;

use super::apply::State;
use super::catalog::CopyJob;
use super::core::Core;
use super::error::{EngineError, Result};
use super::ids::JobId;
use super::info::{Change, JobInfo, JobKind, JobState};
use super::page::BLOCK;
use super::record::Record;
use super::usage::held_alone;

/// What is known of jobs besides what is in the store.
pub(super) struct JobBoard {
    /// The job that gives back space: one, while there is space to be given back.
    pub(super) reclaim: JobId,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    reclaim_paused: bool,
    reclaim_done: u64,
    /// Some was given back since the store was opened.
    reclaimed: bool,
    rates: BTreeMap<JobId, Rate>,
    trouble: BTreeMap<JobId, Trouble>,
    limit: Option<u64>,
    /// When the next copy may begin under the limit.
    next_copy: Option<Instant>,
}

/// What keeps a job from going on.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) what: String,
    /// It may pass by itself, as a full disk does.
    pub(super) passing: bool,
}

/// Bytes a second over about the last two seconds.
struct Rate {
    since: Instant,
    bytes: u64,
    last: u64,
}

impl JobBoard {
    pub(super) fn new(store: Uuid) -> Self {
        Self {
            reclaim: JobId(store),
            notes: Mutex::default(),
        }
    }

    /// Notes that a job did `bytes`; a copy pays for them under the limit.
    pub(super) fn did(&self, job: JobId, bytes: u64) {
        let now = Instant::now();
        let mut notes = self.notes.lock();
        if job == self.reclaim {
            notes.reclaim_done += bytes;
            notes.reclaimed = true;
        } else if let Some(limit) = notes.limit {
            let pause = Duration::from_secs_f64(bytes as f64 / limit.max(1) as f64);
            let from = notes.next_copy.map_or(now, |at| at.max(now));
            notes.next_copy = Some(from + pause);
        }
        // The first stretch only says when the counting began.
        let Some(rate) = notes.rates.get_mut(&job) else {
            let (since, bytes, last) = (now, 0, 0);
            notes.rates.insert(job, Rate { since, bytes, last });
            return;
        };
        rate.bytes += bytes;
        let elapsed = now - rate.since;
        if elapsed > Duration::from_secs(2) {
            *rate = Rate {
                since: now,
                bytes: 0,
                last: (rate.bytes as f64 / elapsed.as_secs_f64()) as u64,
            };
        }
    }

    /// Whether space was given back since the store was opened.
    pub(super) fn has_reclaimed(&self) -> bool {
        self.notes.lock().reclaimed
    }

    fn rate(&self, job: JobId) -> u64 {
        let notes = self.notes.lock();
        let Some(rate) = notes.rates.get(&job) else {
            return 0;
        };
        let elapsed = rate.since.elapsed();
        if elapsed > Duration::from_secs(10) {
            0
        } else if rate.last == 0 {
            (rate.bytes as f64 / elapsed.as_secs_f64().max(0.05)) as u64
        } else {
            // Steady, also where stretches come seconds apart.
            rate.last
        }
    }

    /// What keeps the job from going on, in words.
    fn trouble(&self, job: JobId) -> Option<String> {
        let notes = self.notes.lock();
        notes.trouble.get(&job).map(|trouble| trouble.what.clone())
    }

    /// Whether the job waits for someone to resume it.
    pub(super) fn stuck(&self, job: JobId) -> bool {
        let notes = self.notes.lock();
        notes
            .trouble
            .get(&job)
            .is_some_and(|trouble| !trouble.passing)
    }

    /// Notes what keeps a job from going on, or that nothing does. True if that is news.
    pub(super) fn set_trouble(&self, job: JobId, trouble: Option<Trouble>) -> bool {
        let mut notes = self.notes.lock();
        let old = match trouble.clone() {
            Some(trouble) => notes.trouble.insert(job, trouble),
            None => notes.trouble.remove(&job),
        };
        old != trouble
    }

    pub(super) fn forget(&self, job: JobId) {
        let mut notes = self.notes.lock();
        notes.trouble.remove(&job);
        notes.rates.remove(&job);
        if job == self.reclaim {
            notes.reclaim_done = 0;
        }
    }

    /// When the next copy may begin; `None`: now.
    pub(super) fn next_copy(&self) -> Option<Instant> {
        self.notes
            .lock()
            .next_copy
            .filter(|at| *at > Instant::now())
    }

    pub(super) fn set_limit(&self, bytes_a_second: Option<u64>) {
        let mut notes = self.notes.lock();
        notes.limit = bytes_a_second;
        notes.next_copy = None;
    }

    pub(super) fn reclaim_paused(&self) -> bool {
        self.notes.lock().reclaim_paused
    }
}

impl Core {
    /// How a copy stands.
    pub(super) fn copy_info(&self, job: &CopyJob) -> JobInfo {
        let trouble = self.jobs.trouble(job.id);
        let state = match (job.paused, self.tuning.background && trouble.is_none()) {
            (true, _) => JobState::Paused,
            (false, true) => JobState::Running,
            (false, false) => JobState::Waiting,
        };
        JobInfo {
            id: job.id,
            kind: JobKind::Copy,
            volume: Some(job.volume),
            state,
            done: job.done * BLOCK,
            // Writes during the copy can make it less or more than it was at the start.
            total: job.total.max(job.done) * BLOCK,
            rate: self.jobs.rate(job.id),
            trouble,
            stuck: self.jobs.stuck(job.id),
        }
    }

    /// How giving back space stands; `None` if there is nothing to be given back.
    pub(super) fn reclaim_info(&self, state: &State) -> Option<JobInfo> {
        let catalog = &state.catalog;
        if catalog.hidden.is_empty() {
            return None;
        }
        let id = self.jobs.reclaim;
        let left = catalog.hidden.iter().filter_map(|id| catalog.nodes.get(id));
        let left: u64 = left
            .map(|node| held_alone(catalog, node).unwrap_or(0))
            .sum();
        let trouble = self.jobs.trouble(id);
        let can = catalog.sweeping.is_some()
            || catalog
                .hidden
                .iter()
                .any(|id| catalog.child_count(*id) <= 1);
        let notes = self.jobs.notes.lock();
        let state = match (
            notes.reclaim_paused,
            can && self.tuning.background && trouble.is_none(),
        ) {
            (true, _) => JobState::Paused,
            (false, true) => JobState::Running,
            (false, false) => JobState::Waiting,
        };
        let done = notes.reclaim_done;
        drop(notes);
        Some(JobInfo {
            id,
            kind: JobKind::Reclaim,
            volume: None,
            state,
            done,
            total: done + left * BLOCK,
            rate: self.jobs.rate(id),
            trouble,
            stuck: self.jobs.stuck(id),
        })
    }

    /// All jobs.
    pub(super) fn job_infos(&self) -> Vec<JobInfo> {
        let guarded = self.guarded.read();
        let copies = guarded
            .state
            .catalog
            .jobs
            .values()
            .map(|job| self.copy_info(job));
        copies.chain(self.reclaim_info(&guarded.state)).collect()
    }

    /// Pauses a job, or lets it go on.
    pub(super) fn pause(&self, id: JobId, paused: bool) -> Result<()> {
        if id == self.jobs.reclaim {
            self.jobs.notes.lock().reclaim_paused = paused;
            self.jobs.set_trouble(id, None);
            self.nudge();
            return Ok(());
        }
        let (lsn, info) = {
            let mut guarded = self.guarded.write();
            if !guarded.state.catalog.jobs.contains_key(&id) {
                return Err(EngineError::NoJob(id));
            }
            let lsn = self.record(&mut guarded, &Record::PauseCopy { id, paused })?;
            self.jobs.set_trouble(id, None);
            (
                lsn,
                guarded
                    .state
                    .catalog
                    .jobs
                    .get(&id)
                    .map(|job| self.copy_info(job)),
            )
        };
        self.durable(lsn)?;
        self.nudge();
        self.tell(&info.into_iter().map(Change::Job).collect::<Vec<_>>());
        Ok(())
    }

    /// Ends a copy where it stands: the volume is whole, and shares what is not copied.
    pub(super) fn cancel(&self, id: JobId) -> Result<()> {
        let (lsn, volume) = {
            let mut guarded = self.guarded.write();
            let Some(volume) = guarded.state.catalog.jobs.get(&id).map(|job| job.volume) else {
                return Err(if id == self.jobs.reclaim {
                    EngineError::BadRequest(
                        "giving back space cannot be cancelled; it can be paused".into(),
                    )
                } else {
                    EngineError::NoJob(id)
                });
            };
            (
                self.record(&mut guarded, &Record::EndCopy { id, cut: false })?,
                volume,
            )
        };
        self.durable(lsn)?;
        self.jobs.forget(id);
        self.tell(&[
            Change::JobEnded {
                id,
                completed: false,
            },
            Change::Volume(volume),
        ]);
        Ok(())
    }
}
