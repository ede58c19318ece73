//! What the system was last known to have: lists kept while they are read again, so that a slow
//! or failing system leaves the screen usable, with the age of what it shows.

use std::collections::BTreeMap;
use std::time::Duration;

use super::instances::Instances;
use super::items::{Item, Items};
use super::outline::Outline;
use crate::model::{
    Group, Kind, LinkedTarget, Object, Problem, Session, Snapshot, SnapshotId, SnapshotTree, Time,
    Volume, VolumeId,
};
use crate::tui::event::{Moment, Ticket};

/// A list that is being read is shown so often.
const PAGES: Duration = Duration::from_millis(100);
/// A list that changes all the time, as one of copies under way does, is read this often.
const AGAIN: Duration = Duration::from_millis(250);
/// How many snapshots that are in no list are kept.
const LOOKED_AT: usize = 200;
/// How many volumes' histories are kept.
const HISTORIES: usize = 12;

/// A list that is read page by page.
#[derive(Debug)]
pub(crate) struct Listing<T: Item> {
    /// What it holds, by id: one is found among many at once.
    pub(crate) items: T::List,
    /// Counts its changes.
    pub(crate) version: u64,
    /// When it was last read to its end.
    pub(crate) loaded: Option<Time>,
    /// Why reading it failed the last time.
    pub(crate) problem: Option<Problem>,
    /// It is known not to be up to date.
    pub(crate) stale: bool,
    /// Being read, with this ticket, since then.
    pub(crate) asked: Option<(Ticket, Duration)>,
    /// When it was last asked for.
    begun: Duration,
    /// Pages of a reading that will replace what is shown.
    incoming: T::List,
    /// When the pages of the first reading were last shown.
    shown: Duration,
    /// Pages came since.
    unshown: bool,
    /// No page of the reading under way came yet.
    anew: bool,
}

impl<T: Item> Default for Listing<T> {
    fn default() -> Self {
        Self {
            items: T::List::default(),
            version: 0,
            loaded: None,
            problem: None,
            stale: true,
            asked: None,
            begun: Duration::ZERO,
            incoming: T::List::default(),
            shown: Duration::ZERO,
            unshown: false,
            anew: true,
        }
    }
}

/// How a list stands, whatever it holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing<'a> {
    /// When it was last read to its end.
    pub(crate) loaded: Option<Time>,
    /// Why reading it failed the last time.
    pub(crate) problem: Option<&'a Problem>,
    /// Being read since then.
    pub(crate) asked: Option<Duration>,
    /// Counts its changes.
    pub(crate) version: u64,
}

impl<T: Item> Listing<T> {
    /// How it stands.
    pub(crate) fn standing(&self) -> Standing<'_> {
        Standing {
            loaded: self.loaded,
            problem: self.problem.as_ref(),
            asked: self.asked.map(|(_, since)| since),
            version: self.version,
        }
    }

    /// Whether it should be asked for: not up to date, not being read, and not just failed.
    pub(crate) fn wants(&self) -> bool {
        self.stale && self.asked.is_none()
    }

    /// When it should be asked for, where it should: changes that come one after another are
    /// gathered, so that they are not asked for one by one.
    pub(crate) fn wanted(&self) -> Option<Duration> {
        self.wants().then(|| match self.loaded {
            Some(_) => self.begun + AGAIN,
            None => Duration::ZERO,
        })
    }

    /// It is being read now.
    pub(crate) fn begin(&mut self, ticket: Ticket, at: Moment) {
        self.asked = Some((ticket, at.clock));
        self.begun = at.clock;
        self.stale = false;
        self.incoming = T::List::default();
        self.anew = true;
    }

    /// A page came. The first reading fills the screen as it goes, now and then: to put a long list
    /// in order at each page would take longer than to read it. A later one replaces it at its end.
    pub(crate) fn page(&mut self, objects: Vec<Object>, at: Moment) {
        let items = objects.into_iter().filter_map(T::from_object);
        if self.loaded.is_some() {
            items.for_each(|item| self.incoming.push(item));
            return;
        }
        let mut now = std::mem::take(&mut self.anew);
        if now {
            // What an earlier reading left when it failed half-way.
            self.items = T::List::default();
        }
        let from = self.items.len().saturating_sub(1);
        items.for_each(|item| self.items.push(item));
        // Rows are told by their places, which are others then.
        now |= self.items.sort(from);
        self.unshown = true;
        if now {
            self.shown = at.clock;
            self.unshown = false;
            self.version += 1;
        }
    }

    /// Shows the pages that came, where it is time.
    pub(crate) fn show_pages(&mut self, clock: Duration) {
        if self.due().is_some_and(|due| due <= clock) {
            self.shown = clock;
            self.unshown = false;
            self.version += 1;
        }
    }

    /// When the pages that came are to be shown.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.unshown.then_some(self.shown + PAGES)
    }

    /// The reading ended.
    pub(crate) fn end(&mut self, result: Result<(), Problem>, at: Moment) {
        self.asked = None;
        self.unshown = false;
        match result {
            Ok(()) => {
                if self.loaded.is_some() {
                    self.items = std::mem::take(&mut self.incoming);
                    self.items.sort(0);
                }
                self.items.shrink();
                self.loaded = Some(at.wall);
                self.problem = None;
            }
            Err(problem) => {
                self.incoming = T::List::default();
                self.problem = Some(problem);
            }
        }
        self.version += 1;
    }

    /// Puts one thing in its place.
    pub(crate) fn upsert(&mut self, id: &str, item: T) {
        match self.items.find(id) {
            Ok(at) => self.items.set(at, item),
            Err(at) => self.items.insert(at, item),
        }
        self.version += 1;
    }

    /// One thing is gone. Says whether it was there.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let Ok(at) = self.items.find(id) else {
            return false;
        };
        self.items.remove(at);
        self.version += 1;
        true
    }

    /// The thing with this id.
    pub(crate) fn get(&self, id: &str) -> Option<<T::List as Items>::Found<'_>> {
        self.items.find(id).ok().map(|at| self.items.found(at))
    }
}

/// The points in time of one volume.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Its snapshots.
    pub(crate) list: Listing<Snapshot>,
    /// The same as the tree that they are.
    pub(crate) tree: SnapshotTree,
    /// Counts the trees that were made.
    pub(crate) version: u64,
    /// Whether any of them belongs to a group, and any to a session.
    pub(crate) in_sets: (bool, bool),
    /// What the tree was made of: the list's version and the volume's parent.
    made_of: Option<(u64, Option<SnapshotId>)>,
    /// When it was last wanted.
    wanted: Duration,
}

/// Everything that is known of the system.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// All volumes.
    pub(crate) volumes: Listing<Volume>,
    /// All snapshots; read when a view of them is opened.
    pub(crate) snapshots: Listing<Snapshot>,
    /// All groups; read when they are shown or chosen from.
    pub(crate) groups: Listing<Group>,
    /// All sessions; as groups.
    pub(crate) sessions: Listing<Session>,
    /// All linked targets; as groups.
    pub(crate) targets: Listing<LinkedTarget>,
    /// Sessions with their targets.
    pub(crate) outline: Outline,
    /// The machines that volumes are attached to.
    pub(crate) instances: Instances,
    /// Snapshots that were asked for one by one, since no list that is read has them.
    looked_at: BTreeMap<SnapshotId, Option<Snapshot>>,
    histories: BTreeMap<VolumeId, History>,
}

impl Inventory {
    /// The history of a volume, as far as it is known.
    pub(crate) fn history(&self, volume: &VolumeId) -> Option<&History> {
        self.histories.get(volume)
    }

    /// The history of a volume that somebody looks at now.
    pub(crate) fn want_history(&mut self, volume: &VolumeId, at: Moment) -> &mut History {
        if !self.histories.contains_key(volume) && self.histories.len() >= HISTORIES {
            let idle = self
                .histories
                .iter()
                .filter(|(_, h)| h.list.asked.is_none());
            let oldest = idle.min_by_key(|(_, h)| h.wanted).map(|(id, _)| id.clone());
            if let Some(oldest) = oldest {
                self.histories.remove(&oldest);
            }
        }
        let history = self.histories.entry(volume.clone()).or_default();
        history.wanted = at.clock;
        history
    }

    /// The histories that are kept.
    pub(crate) fn histories_mut(&mut self) -> impl Iterator<Item = (&VolumeId, &mut History)> {
        self.histories.iter_mut()
    }

    /// Counts the changes of all that is shown.
    pub(crate) fn shown(&self) -> u64 {
        let lists = Kind::ALL.map(|kind| self.standing(kind).version);
        let histories = self.histories.values().map(|h| h.list.version);
        histories.chain(lists).sum()
    }

    /// Shows the pages that came, where it is time.
    pub(crate) fn show_pages(&mut self, clock: Duration) {
        self.volumes.show_pages(clock);
        self.snapshots.show_pages(clock);
        self.groups.show_pages(clock);
        self.sessions.show_pages(clock);
        self.targets.show_pages(clock);
        for history in self.histories.values_mut() {
            history.list.show_pages(clock);
        }
    }

    /// When pages that came are to be shown.
    pub(crate) fn due(&self) -> Option<Duration> {
        let histories = self.histories.values().filter_map(|h| h.list.due());
        let lists = [
            self.volumes.due(),
            self.snapshots.due(),
            self.groups.due(),
            self.sessions.due(),
            self.targets.due(),
        ];
        histories.chain(lists.into_iter().flatten()).min()
    }

    /// Nobody answers what was asked so far: it is to be asked anew.
    pub(crate) fn ask_anew(&mut self) {
        fn forget<T: Item>(list: &mut Listing<T>) {
            list.asked = None;
            list.stale = true;
            list.incoming = T::List::default();
        }
        forget(&mut self.volumes);
        forget(&mut self.snapshots);
        forget(&mut self.groups);
        forget(&mut self.sessions);
        forget(&mut self.targets);
        for history in self.histories.values_mut() {
            forget(&mut history.list);
        }
    }

    /// Makes the trees anew whose volume or snapshots changed.
    pub(crate) fn grow_trees(&mut self) {
        self.outline.grow(&self.sessions, &self.targets);
        self.instances.grow(&self.volumes, &self.groups);
        for (id, history) in &mut self.histories {
            let Some(volume) = self.volumes.get(id.as_str()) else {
                continue;
            };
            let of = (history.list.version, volume.parent.clone());
            if history.made_of.as_ref() != Some(&of) {
                let all = &history.list.items;
                history.tree = all.tree(volume.parent.as_ref());
                history.in_sets = (
                    all.iter().any(|snapshot| snapshot.in_group()),
                    all.iter().any(|snapshot| snapshot.in_session()),
                );
                history.version += 1;
                history.made_of = Some(of);
            }
        }
    }

    /// Something of this kind may have changed: it is read again once it is needed.
    pub(crate) fn outdate(&mut self, kind: Kind) {
        match kind {
            Kind::Volume => self.volumes.stale = true,
            Kind::Snapshot => {
                self.snapshots.stale = true;
                for history in self.histories.values_mut() {
                    history.list.stale = true;
                }
            }
            Kind::Group => self.groups.stale = true,
            Kind::Session => self.sessions.stale = true,
            Kind::Target => self.targets.stale = true,
        }
    }

    /// A page of all of a kind came.
    pub(crate) fn page(&mut self, kind: Kind, objects: Vec<Object>, at: Moment) {
        match kind {
            Kind::Volume => self.volumes.page(objects, at),
            Kind::Snapshot => self.snapshots.page(objects, at),
            Kind::Group => self.groups.page(objects, at),
            Kind::Session => self.sessions.page(objects, at),
            Kind::Target => self.targets.page(objects, at),
        }
    }

    /// All of a kind was read to its end, or was not.
    pub(crate) fn end(&mut self, kind: Kind, result: Result<(), Problem>, at: Moment) {
        match kind {
            Kind::Volume => self.volumes.end(result, at),
            Kind::Snapshot => self.snapshots.end(result, at),
            Kind::Group => self.groups.end(result, at),
            Kind::Session => self.sessions.end(result, at),
            Kind::Target => self.targets.end(result, at),
        }
    }

    /// All of a kind is being read.
    pub(crate) fn begin(&mut self, kind: Kind, ticket: Ticket, at: Moment) {
        match kind {
            Kind::Volume => self.volumes.begin(ticket, at),
            Kind::Snapshot => self.snapshots.begin(ticket, at),
            Kind::Group => self.groups.begin(ticket, at),
            Kind::Session => self.sessions.begin(ticket, at),
            Kind::Target => self.targets.begin(ticket, at),
        }
    }

    /// When all of a kind should be asked for, where it should.
    pub(crate) fn wanted(&self, kind: Kind) -> Option<Duration> {
        match kind {
            // Things of these are asked for one by one when they change.
            Kind::Volume => self.volumes.wants().then_some(Duration::ZERO),
            Kind::Snapshot => self.snapshots.wants().then_some(Duration::ZERO),
            Kind::Group => self.groups.wanted(),
            Kind::Session => self.sessions.wanted(),
            Kind::Target => self.targets.wanted(),
        }
    }

    /// How the list of a kind stands.
    pub(crate) fn standing(&self, kind: Kind) -> Standing<'_> {
        match kind {
            Kind::Volume => self.volumes.standing(),
            Kind::Snapshot => self.snapshots.standing(),
            Kind::Group => self.groups.standing(),
            Kind::Session => self.sessions.standing(),
            Kind::Target => self.targets.standing(),
        }
    }

    /// A snapshot, wherever it is known from.
    pub(crate) fn snapshot(&self, id: &str) -> Option<Snapshot> {
        self.snapshots
            .get(id)
            .or_else(|| self.histories.values().find_map(|h| h.list.get(id)))
            .or_else(|| self.looked_at.get(&SnapshotId(id.to_owned()))?.clone())
    }

    /// Whether a snapshot should be asked for by itself: it is in no list, and was not asked for.
    /// Remembers that it is.
    pub(crate) fn look_at(&mut self, id: &SnapshotId) -> bool {
        if self.looked_at.contains_key(id) || self.snapshot(id.as_str()).is_some() {
            return false;
        }
        while self.looked_at.len() >= LOOKED_AT {
            self.looked_at.pop_first();
        }
        self.looked_at.insert(id.clone(), None);
        true
    }

    /// A snapshot that was asked for by itself is like this now.
    pub(crate) fn seen(&mut self, snapshot: Snapshot) {
        if let Some(seen) = self.looked_at.get_mut(&snapshot.id) {
            *seen = Some(snapshot);
        }
    }

    /// A snapshot is gone from wherever it was known.
    pub(crate) fn forget_snapshot(&mut self, id: &str) {
        self.snapshots.remove(id);
        self.looked_at.insert(SnapshotId(id.to_owned()), None);
        for history in self.histories.values_mut() {
            history.list.stale |= history.list.items.find(id).is_ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::tests::fixtures::{moment, volume};

    #[test]
    fn the_first_reading_fills_and_a_later_one_replaces() {
        let mut list = Listing::<Volume>::default();
        let page = |names: &[&str]| names.iter().map(|n| Object::Volume(volume(n))).collect();
        assert!(list.wants());
        list.begin(Ticket(1), moment(0));
        assert!(!list.wants());
        list.page(page(&["a"]), moment(0));
        assert_eq!(list.items.len(), 1, "shown before the end");
        list.page(page(&["b"]), moment(0));
        list.end(Ok(()), moment(1));
        list.begin(Ticket(2), moment(2));
        list.page(page(&["c"]), moment(2));
        assert_eq!(list.items.len(), 2, "kept until the end");
        list.end(Ok(()), moment(3));
        assert_eq!(list.items.len(), 1);
    }

    #[test]
    fn pages_that_come_fast_are_shown_now_and_then() {
        let mut list = Listing::<Volume>::default();
        let page = |name: &str| vec![Object::Volume(volume(name))];
        list.begin(Ticket(1), moment(0));
        list.page(page("m"), moment(0));
        let first = list.version;
        list.page(page("y"), moment(1));
        list.page(page("z"), moment(2));
        list.show_pages(moment(3).clock);
        assert_eq!(list.version, first);
        assert_eq!(list.due(), Some(moment(100).clock));
        list.show_pages(moment(100).clock);
        assert_eq!(list.version, first + 1);
        list.page(page("a"), moment(101));
        assert_eq!(
            list.version,
            first + 2,
            "out of order: every place is another"
        );
        assert_eq!(list.get("v-a").unwrap().name, "a");
    }

    #[test]
    fn a_failed_reading_leaves_what_was_known() {
        let mut list = Listing::<Volume>::default();
        list.begin(Ticket(1), moment(0));
        list.page(vec![Object::Volume(volume("a"))], moment(0));
        list.end(Ok(()), moment(1));
        list.begin(Ticket(2), moment(2));
        list.end(Err(Problem::user("no")), moment(3));
        assert_eq!(list.items.len(), 1);
        assert!(list.problem.is_some());
        assert!(!list.wants(), "it is not asked again by itself");
    }
}
