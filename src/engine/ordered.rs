//! Entries in the order of their keys, for hundreds of thousands of them: they lie close together in
//! runs. Ids grow, so that most of what is added comes at the end, where a run is filled before the
//! next begins; a B-tree would leave half of each of its nodes empty.

use std::fmt::Debug;
use std::ops::Bound;

/// The most entries of a run.
const RUN: usize = 64;

/// What is kept by a key that it has itself.
pub(super) trait Keyed {
    /// What it is found by.
    type Key: Copy + Ord + Debug;
    /// Its key.
    fn key(&self) -> Self::Key;
}

impl<K: Copy + Ord + Debug, V> Keyed for (K, V) {
    type Key = K;

    fn key(&self) -> K {
        self.0
    }
}

#[derive(Clone, Debug)]
struct Run<E: Keyed> {
    /// At most the key of its first entry, and greater than all keys of the run before.
    from: E::Key,
    /// Never empty.
    entries: Vec<E>,
}

/// Entries in the order of their keys, one for each key.
#[derive(Clone, Debug)]
pub(super) struct Ordered<E: Keyed> {
    runs: Vec<Run<E>>,
    len: usize,
}

impl<E: Keyed> Default for Ordered<E> {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            len: 0,
        }
    }
}

impl<E: Keyed> Ordered<E> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The run that has the key, if any has, and the place in it, or where it would be.
    fn find(&self, key: &E::Key) -> Option<(usize, Result<usize, usize>)> {
        let run = self.runs.partition_point(|run| run.from <= *key);
        let run = run.checked_sub(1)?;
        let entries = &self.runs[run].entries;
        Some((run, entries.binary_search_by(|entry| entry.key().cmp(key))))
    }

    fn place(&self, key: &E::Key) -> Option<(usize, usize)> {
        let (run, at) = self.find(key)?;
        Some((run, at.ok()?))
    }

    /// The entry with this key.
    pub(super) fn get(&self, key: &E::Key) -> Option<&E> {
        let (run, at) = self.place(key)?;
        self.runs[run].entries.get(at)
    }

    /// The same, to change anything but its key.
    pub(super) fn get_mut(&mut self, key: &E::Key) -> Option<&mut E> {
        let (run, at) = self.place(key)?;
        self.runs[run].entries.get_mut(at)
    }

    /// Whether there is an entry with this key.
    pub(super) fn contains(&self, key: &E::Key) -> bool {
        self.place(key).is_some()
    }

    /// Adds an entry; the one that had its key before is returned.
    pub(super) fn insert(&mut self, entry: E) -> Option<E> {
        let key = entry.key();
        let last = self.runs.last_mut();
        let follows = |run: &Run<E>| run.entries.last().is_none_or(|last| last.key() < key);
        match last {
            Some(run) if !follows(run) => {}
            Some(run) if run.entries.len() < RUN => {
                run.entries.push(entry);
                self.len += 1;
                return None;
            }
            _ => {
                // Where one was filled, the next will be; a short list takes no more than it needs.
                let room = if self.runs.is_empty() { 1 } else { RUN };
                let mut entries = Vec::with_capacity(room);
                entries.push(entry);
                self.runs.push(Run { from: key, entries });
                self.len += 1;
                return None;
            }
        }
        let (mut run, place) = self.find(&key).unwrap_or((0, Err(0)));
        let mut at = match place {
            Ok(at) => return Some(std::mem::replace(&mut self.runs[run].entries[at], entry)),
            Err(at) => at,
        };
        if self.runs[run].entries.len() >= RUN {
            let upper = self.runs[run].entries.split_off(RUN / 2);
            let from = upper[0].key();
            let entries = upper;
            self.runs.insert(run + 1, Run { from, entries });
            if at > RUN / 2 {
                (run, at) = (run + 1, at - RUN / 2);
            }
        }
        let into = &mut self.runs[run];
        into.from = into.from.min(key);
        into.entries.insert(at, entry);
        self.len += 1;
        None
    }

    /// Adds others that follow all that are here. Others are returned, all of them.
    pub(super) fn append(&mut self, others: Self) -> Vec<E> {
        let last = self.runs.last().and_then(|run| run.entries.last());
        let first = others.runs.first().map(|run| run.from);
        match (last.map(Keyed::key), first) {
            (Some(last), Some(first)) if last >= first => {
                let entries = others.runs.into_iter().flat_map(|run| run.entries);
                entries.collect()
            }
            _ => {
                self.len += others.len;
                self.runs.extend(others.runs);
                Vec::new()
            }
        }
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, key: &E::Key) -> Option<E> {
        let (run, at) = self.place(key)?;
        let entry = self.runs[run].entries.remove(at);
        self.len -= 1;
        let left = self.runs[run].entries.len();
        if left == 0 {
            self.runs.remove(run);
        } else if left < RUN / 4 {
            self.join(run);
        }
        Some(entry)
    }

    /// Puts a run that has become short together with the one behind it, where both are.
    fn join(&mut self, run: usize) {
        let next = self.runs.get(run + 1).map_or(RUN, |run| run.entries.len());
        if self.runs[run].entries.len() + next <= RUN / 2 {
            let mut next = self.runs.remove(run + 1);
            self.runs[run].entries.append(&mut next.entries);
        }
    }

    /// Keeps those of which `keep` says so.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&E) -> bool) {
        for run in &mut self.runs {
            run.entries.retain(&mut keep);
        }
        self.runs.retain(|run| !run.entries.is_empty());
        self.len = self.runs.iter().map(|run| run.entries.len()).sum();
    }

    /// All, in order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &E> {
        self.runs.iter().flat_map(|run| &run.entries)
    }

    /// Those from a key on, in order.
    pub(super) fn from(&self, from: Bound<E::Key>) -> impl Iterator<Item = &E> {
        let (run, at) = match from {
            Bound::Unbounded => (0, 0),
            Bound::Included(key) | Bound::Excluded(key) => match self.find(&key) {
                None => (0, 0),
                Some((run, Ok(at))) => (run, at + usize::from(from == Bound::Excluded(key))),
                Some((run, Err(at))) => (run, at),
            },
        };
        let mut runs = self.runs.iter().skip(run);
        let first = runs.next().map_or(&[][..], |run| &run.entries[at..]);
        first.iter().chain(runs.flat_map(|run| &run.entries))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u16),
        Append,
        Remove(u16),
        Shift(u16, u16),
        Keep(u16),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..2000u16).prop_map(Step::Insert),
            4 => Just(Step::Append),
            3 => (0..2000u16).prop_map(Step::Remove),
            2 => (0..2000u16, 0..300u16).prop_map(|(from, n)| Step::Shift(from, n)),
            1 => (2..5u16).prop_map(Step::Keep),
        ]
    }

    fn is_sound(all: &Ordered<(u16, usize)>) {
        assert!(all.runs.iter().all(|run| !run.entries.is_empty()));
        assert!(all.runs.iter().all(|run| run.entries.len() <= RUN));
        assert!(all.runs.iter().all(|run| run.from <= run.entries[0].0));
        let ends = all
            .runs
            .iter()
            .map(|run| run.entries[run.entries.len() - 1].0);
        let next = all.runs.iter().skip(1).map(|run| run.from);
        assert!(ends.zip(next).all(|(end, from)| end < from));
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_holds(steps in prop::collection::vec(step(), 0..400)) {
            let mut plain = BTreeMap::new();
            let mut all = Ordered::default();
            for (n, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Insert(key) => {
                        prop_assert_eq!(all.insert((key, n)).map(|e| e.1), plain.insert(key, n));
                    }
                    Step::Append => {
                        let key = plain.keys().next_back().map_or(0, |last| last + 1);
                        prop_assert!(all.insert((key, n)).is_none());
                        plain.insert(key, n);
                    }
                    Step::Remove(key) => {
                        prop_assert_eq!(all.remove(&key).map(|e| e.1), plain.remove(&key));
                    }
                    // A stretch that goes leaves short runs behind.
                    Step::Shift(from, count) => for key in from..from + count {
                        prop_assert_eq!(all.remove(&key).map(|e| e.1), plain.remove(&key));
                    },
                    Step::Keep(part) => {
                        all.retain(|(key, _)| key % part != 0);
                        plain.retain(|key, _| key % part != 0);
                    }
                }
                is_sound(&all);
                prop_assert_eq!(all.len(), plain.len());
            }
            prop_assert!(all.iter().copied().eq(plain.iter().map(|(k, v)| (*k, *v))));
            prop_assert!(all.iter().rev().copied().eq(plain.iter().rev().map(|(k, v)| (*k, *v))));
            for key in 0..2100u16 {
                prop_assert_eq!(all.get(&key).map(|e| e.1), plain.get(&key).copied());
                prop_assert_eq!(all.contains(&key), plain.contains_key(&key));
                for bound in [Bound::Included(key), Bound::Excluded(key)] {
                    let after = plain.range((bound, Bound::Unbounded)).map(|(k, _)| *k);
                    prop_assert!(all.from(bound).map(|e| e.0).take(3).eq(after.take(3)));
                }
            }
        }
    }

    #[test]
    fn what_comes_in_order_fills_its_runs() {
        let mut all = Ordered::default();
        for key in 0..1000u32 {
            all.insert((key, ()));
        }
        assert_eq!(all.runs.len(), 1000usize.div_ceil(RUN));
        assert_eq!(all.from(Bound::Unbounded).count(), 1000);
        all.get_mut(&500).unwrap().1 = ();
    }
}
