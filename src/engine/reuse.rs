//! Blocks that were taken and given up again since the last batch was sealed. Nothing on the
//! medium speaks of them, and nothing will: the records that took them and those that gave
//! them up become durable as one group. So they are used again at once, the last first: what
//! was written a moment ago is in the page cache still, and need not have been on its way to
//! the disk at all.

use std::collections::VecDeque;

use super::space::Run;

/// Runs that are kept. Beyond that the oldest go back to the map.
const KEPT: usize = 4096;
/// Blocks that a run must have for a write of as many or more, which would be torn to pieces otherwise.
const LONG: u64 = 64;

/// Blocks of the open batch that can be used again.
#[derive(Clone, Default)]
pub(super) struct Reuse {
    /// What was born up to this record may be durable, or about to be. None: nothing is to be
    /// used again before its record is durable.
    sealed: Option<u64>,
    /// Given up by a record; readers may still look at them.
    waiting: VecDeque<(u64, Run)>,
    /// Nobody looks at them. The last given up comes last.
    ready: VecDeque<Run>,
    /// Blocks in `ready`.
    units: u64,
}

/// Adds a unit given up by record `lsn` to a list.
pub(super) fn push(list: &mut VecDeque<(u64, Run)>, unit: u64, lsn: u64) {
    match list.back_mut() {
        Some((last, run)) if *last == lsn && run.start + run.len == unit => run.len += 1,
        _ => list.push_back((
            lsn,
            Run {
                start: unit,
                len: 1,
            },
        )),
    }
}

impl Reuse {
    /// The batch with all records up to `lsn` is about to be written.
    pub(super) fn seal(&mut self, lsn: u64) {
        self.sealed = Some(lsn);
    }

    /// Takes a unit that record `lsn` gave up, if it was born in the open batch.
    pub(super) fn give_up(&mut self, unit: u64, birth: u64, lsn: u64) -> bool {
        let own = self.sealed.is_some_and(|sealed| birth > sealed);
        if own {
            push(&mut self.waiting, unit, lsn);
        }
        own
    }

    /// No one looks any more at what was given up to and with record `lsn`.
    pub(super) fn release_until(&mut self, lsn: u64) {
        while let Some(&(freed, run)) = self.waiting.front()
            && freed <= lsn
        {
            self.waiting.pop_front();
            self.units += run.len;
            self.ready.push_back(run);
        }
    }

    /// A run that is not to be kept any longer.
    pub(super) fn surplus(&mut self) -> Option<Run> {
        if self.ready.len() <= KEPT {
            return None;
        }
        let run = self.ready.pop_front()?;
        self.units -= run.len;
        Some(run)
    }

    /// Takes up to `want` units.
    pub(super) fn take(&mut self, want: u64) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut left = want;
        while left > 0
            && let Some(run) = self.ready.back_mut()
            && run.len >= left.min(LONG)
        {
            let len = run.len.min(left);
            runs.push(Run {
                start: run.start,
                len,
            });
            run.start += len;
            run.len -= len;
            if run.len == 0 {
                self.ready.pop_back();
            }
            self.units -= len;
            left -= len;
        }
        runs
    }

    /// Takes all that is ready.
    pub(super) fn drain(&mut self) -> VecDeque<Run> {
        self.units = 0;
        std::mem::take(&mut self.ready)
    }

    /// Units that are ready.
    pub(super) fn ready(&self) -> u64 {
        self.units
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(start: u64, len: u64) -> Run {
        Run { start, len }
    }

    #[test]
    fn only_what_was_born_in_the_open_batch_is_used_again() {
        let mut reuse = Reuse::default();
        assert!(!reuse.give_up(1, 9, 10), "nothing was sealed yet");
        reuse.seal(7);
        assert!(!reuse.give_up(2, 7, 10));
        assert!(reuse.give_up(3, 8, 10));
        reuse.seal(10);
        assert!(!reuse.give_up(4, 9, 11));
        // It was given up before the batch was sealed: no record will ever speak of it.
        reuse.release_until(10);
        assert_eq!(reuse.take(1), [run(3, 1)]);
    }

    #[test]
    fn a_reader_holds_back_what_it_may_look_at() {
        let mut reuse = Reuse::default();
        reuse.seal(0);
        for (unit, lsn) in [(5, 10), (6, 10), (9, 11)] {
            assert!(reuse.give_up(unit, 1, lsn));
        }
        reuse.release_until(9);
        assert_eq!(reuse.ready(), 0);
        reuse.release_until(10);
        assert_eq!(reuse.ready(), 2);
        assert_eq!(reuse.take(10), []);
        assert_eq!(reuse.take(2), [run(5, 2)]);
        reuse.release_until(u64::MAX);
        assert_eq!(reuse.take(3), []);
        assert_eq!(reuse.take(1), [run(9, 1)]);
        assert_eq!(reuse.ready(), 0);
    }

    #[test]
    fn the_last_given_up_is_the_first_used_and_long_writes_stay_whole() {
        let mut reuse = Reuse::default();
        reuse.seal(0);
        for unit in (0..256).chain(1000..1256) {
            assert!(reuse.give_up(unit, 1, 2 + unit / 1000));
        }
        assert!(reuse.give_up(5000, 1, 4));
        reuse.release_until(4);
        assert_eq!(reuse.take(256), [], "a short run lies on top");
        assert_eq!(reuse.take(1), [run(5000, 1)]);
        assert_eq!(reuse.take(256), [run(1000, 256)]);
        assert_eq!(reuse.take(100), [run(0, 100)]);
        assert_eq!(reuse.take(200), [run(100, 156)]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut reuse = Reuse::default();
        reuse.seal(0);
        for i in 0..KEPT as u64 + 10 {
            assert!(reuse.give_up(2 * i, 1, 2));
        }
        reuse.release_until(2);
        let mut surplus = Vec::new();
        while let Some(run) = reuse.surplus() {
            surplus.push(run.start);
        }
        assert_eq!(surplus, (0..10).map(|i| 2 * i).collect::<Vec<_>>());
        assert_eq!(reuse.ready(), KEPT as u64);
    }
}
