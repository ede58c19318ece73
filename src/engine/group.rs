//! Who writes the next group of the log, and who waits for it. One leads, the others sleep until
//! their records are durable. Where several commit again and again, the last of them to come
//! leads: so a group holds the records of all, and the disk syncs once for them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How long a group waits for those who are likely to come, at most.
const LONGEST: Duration = Duration::from_millis(1);

/// How long someone sleeps who is not the one to look whether the group is to wait any longer.
const LONG: Duration = Duration::from_millis(20);

/// Someone who sleeps until record `lsn` is durable.
struct Waiter {
    lsn: u64,
    thread: Thread,
    /// Looks whether the group is to wait any longer.
    watches: bool,
}

#[derive(Default)]
struct State {
    /// Someone is writing a group.
    leading: bool,
    /// When the last group was begun and when it was done, and what that took.
    begun: Option<Instant>,
    done: Option<Instant>,
    took: Duration,
    /// How many are likely to come: those whom the last group served, and those who had come
    /// by the time it was done. One who is alone is not waited for.
    expected: usize,
    waiting: Vec<Waiter>,
}

impl State {
    /// How long a group is held up: a fraction of what writing it takes.
    fn patience(&self) -> Duration {
        (self.took / 2).min(LONGEST)
    }

    /// Whether all have come who are likely to, or have been waited for.
    fn is_complete(&self, come: usize) -> bool {
        come >= self.expected
            || self
                .done
                .is_none_or(|done| done.elapsed() >= self.patience())
    }

    /// Puts the caller among those who wait. Returns how long it may sleep.
    fn wait(&mut self, lsn: u64) -> Duration {
        // One who watches is enough, if it is one of the next group.
        let watches = !self.waiting.iter().any(|w| w.watches);
        self.waiting.push(Waiter {
            lsn,
            thread: std::thread::current(),
            watches,
        });
        if watches { self.nap() } else { LONG }
    }

    /// How long the one who watches sleeps before looking whether to lead.
    fn nap(&self) -> Duration {
        let begun = self
            .begun
            .filter(|_| self.leading)
            .map_or(Duration::ZERO, |at| self.took.saturating_sub(at.elapsed()));
        (begun + self.patience()).max(Duration::from_micros(20))
    }

    fn begin(&mut self) {
        self.leading = true;
        self.begun = Some(Instant::now());
    }
}

/// Those who want records to be durable.
#[derive(Default)]
pub(super) struct Group {
    state: Mutex<State>,
}

/// The one who writes the next group. The others go on once this is dropped.
pub(super) struct Leader<'a> {
    group: &'a Group,
    durable: &'a AtomicU64,
    failed: bool,
}

impl Group {
    /// Waits until record `lsn` is durable, or until it is the caller's turn to see to that.
    pub(super) fn join<'a>(&'a self, durable: &'a AtomicU64, lsn: u64) -> Option<Leader<'a>> {
        let is_durable = || durable.load(Ordering::Acquire) >= lsn;
        let leader = || Leader {
            group: self,
            durable,
            failed: true,
        };
        let mut nap = {
            let mut state = self.state.lock();
            if is_durable() {
                return None;
            }
            if !state.leading && state.is_complete(state.waiting.len() + 1) {
                state.begin();
                return Some(leader());
            }
            state.wait(lsn)
        };
        let me = std::thread::current().id();
        loop {
            std::thread::park_timeout(nap);
            if is_durable() {
                return None;
            }
            let mut state = self.state.lock();
            let listed = state.waiting.iter().position(|w| w.thread.id() == me);
            // One who was taken off the list without being durable is to see for itself.
            if !state.leading && (listed.is_none() || state.is_complete(state.waiting.len())) {
                listed.map(|at| state.waiting.swap_remove(at));
                state.begin();
                return Some(leader());
            }
            nap = match listed.and_then(|at| state.waiting.get_mut(at)) {
                Some(waiter) => {
                    waiter.watches = true;
                    state.nap()
                }
                None => state.wait(lsn),
            };
        }
    }
}

impl Leader<'_> {
    /// The group was written.
    pub(super) fn succeed(mut self) {
        self.failed = false;
    }
}

impl Drop for Leader<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let durable = self.durable.load(Ordering::Acquire);
        let (served, next) = {
            let mut state = self.group.state.lock();
            state.leading = false;
            state.took = state.begun.map_or(state.took, |begun| now - begun);
            state.done = Some(now);
            let failed = self.failed;
            let served = state.waiting.extract_if(.., |w| failed || w.lsn <= durable);
            let served: Vec<Waiter> = served.collect();
            state.expected = served.len() + 1 + state.waiting.len();
            let watched = state.waiting.iter().any(|w| w.watches);
            let next = state.waiting.first().filter(|_| !watched);
            (served, next.map(|w| w.thread.clone()))
        };
        let served = served.into_iter().map(|waiter| waiter.thread);
        for thread in served.chain(next) {
            thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_is_alone_leads_at_once_each_time() {
        let (group, durable) = (Group::default(), AtomicU64::new(0));
        for lsn in 1..100 {
            let leader = group.join(&durable, lsn).expect("nobody else would lead");
            durable.store(lsn, Ordering::Release);
            leader.succeed();
            assert_eq!(group.state.lock().expected, 1);
        }
        assert!(group.join(&durable, 99).is_none());
    }

    #[test]
    fn those_who_come_while_a_group_is_written_are_one_group_together() {
        let (group, durable) = (Group::default(), AtomicU64::new(0));
        let led = AtomicU64::new(0);
        let first = group.join(&durable, 1).unwrap();
        std::thread::scope(|scope| {
            for lsn in 2..10 {
                let (group, durable, led) = (&group, &durable, &led);
                scope.spawn(move || {
                    if let Some(leader) = group.join(durable, lsn) {
                        led.fetch_add(1, Ordering::Relaxed);
                        durable.store(9, Ordering::Release);
                        leader.succeed();
                    }
                });
            }
            while group.state.lock().waiting.len() < 8 {
                std::thread::yield_now();
            }
            durable.store(1, Ordering::Release);
            first.succeed();
        });
        assert_eq!(led.load(Ordering::Relaxed), 1);
        assert!(group.state.lock().waiting.is_empty());
    }

    #[test]
    fn after_a_failure_everyone_sees_for_himself() {
        let (group, durable) = (Group::default(), AtomicU64::new(0));
        let led = AtomicU64::new(0);
        let first = group.join(&durable, 1).unwrap();
        std::thread::scope(|scope| {
            for lsn in 2..6 {
                let (group, durable, led) = (&group, &durable, &led);
                scope.spawn(move || {
                    // It fails as well.
                    assert!(group.join(durable, lsn).is_some());
                    led.fetch_add(1, Ordering::Relaxed);
                });
            }
            while group.state.lock().waiting.len() < 4 {
                std::thread::yield_now();
            }
            drop(first);
        });
        assert_eq!(led.load(Ordering::Relaxed), 4);
        assert!(!group.state.lock().leading);
    }
}
