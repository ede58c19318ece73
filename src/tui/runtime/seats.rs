//! What stands behind the tabs: a system for each that is open, with whoever performs what is asked of it. Each goes
//! with its tab: its questions are given up, its watchers end, and it is closed while the others go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, SelectAll};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::perform::{House, Performer};
use crate::config::Config;
use crate::model::{Problem, ProblemKind, Task};
use crate::tui::event::{Effect, Event, Opened};
use crate::tui::state::TabId;
use crate::tui::{Lease, Opener, Setup, Site, Stage};

/// How long a system that is called is waited for when it is closed: what it does goes on there anyway.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells the console what happened to one tab. When that is closed nobody hears it.
#[derive(Clone)]
pub(in crate::tui) struct Teller {
    tab: TabId,
    events: mpsc::Sender<Event>,
}

/// Nobody listens any more.
pub(in crate::tui) struct Unheard;

impl Teller {
    pub(in crate::tui) fn new(tab: TabId, events: mpsc::Sender<Event>) -> Self {
        Self { tab, events }
    }

    /// Tells something, once there is room.
    pub(super) async fn send(&self, event: Event) -> Result<(), Unheard> {
        let event = Event::Tab(self.tab, Box::new(event));
        self.events.send(event).await.map_err(|_| Unheard)
    }

    /// The same from a thread that may wait.
    pub(super) fn blocking_send(&self, event: Event) -> Result<(), Unheard> {
        let event = Event::Tab(self.tab, Box::new(event));
        self.events.blocking_send(event).map_err(|_| Unheard)
    }
}

/// What came of opening, or of opening again.
pub(in crate::tui) enum Arrival {
    Opened(Result<Box<dyn Lease>, Problem>),
    Renewed(Box<dyn Lease>, Result<(), Problem>),
}

/// What comes from the tabs.
pub(in crate::tui) enum Incoming {
    Tasks(TabId, Vec<Arc<Task>>),
    Arrived(TabId, Arrival),
    Event(Box<Event>),
}

type Updates = SelectAll<BoxStream<'static, (TabId, Vec<Arc<Task>>)>>;

/// Where all of it comes in.
pub(in crate::tui) struct Inbox {
    tasks: Updates,
    arrivals: mpsc::UnboundedReceiver<(TabId, Arrival)>,
    queue: mpsc::Receiver<Event>,
}

impl Inbox {
    /// Whatever comes first; what comes at once is taken in this order.
    pub(in crate::tui) async fn next(&mut self) -> Incoming {
        loop {
            tokio::select! {
                biased;
                Some((tab, batch)) = self.tasks.next(), if !self.tasks.is_empty() => {
                    return Incoming::Tasks(tab, batch);
                }
                Some((tab, arrival)) = self.arrivals.recv() => {
                    return Incoming::Arrived(tab, arrival);
                }
                Some(event) = self.queue.recv() => return Incoming::Event(Box::new(event)),
                // The last of the systems stopped telling of its tasks.
                else => std::future::pending::<()>().await,
            }
        }
    }
}

/// What stands behind one tab.
enum Seat {
    /// It is being opened.
    Opening(AbortHandle),
    /// It is open. While it is signed in to again it is not here.
    Open(Box<Performer>, Option<Box<dyn Lease>>),
}

/// What stands behind all of them.
pub(in crate::tui) struct Seats {
    opener: Option<Arc<dyn Opener>>,
    events: mpsc::Sender<Event>,
    arrivals: mpsc::UnboundedSender<(TabId, Arrival)>,
    house: House,
    /// Nothing is to be changed, whatever is opened.
    locked: bool,
    seats: BTreeMap<TabId, Seat>,
    closing: JoinSet<Result<(), Problem>>,
}

impl Seats {
    /// Takes what a console has, and what is open already for the first tab.
    pub(in crate::tui) fn of(
        setup: &mut Setup,
        events: mpsc::Sender<Event>,
        queue: mpsc::Receiver<Event>,
    ) -> (Self, Inbox) {
        let options = &setup.options;
        let pictures = options.state.as_ref().map(|state| state.join("pictures"));
        let house = House::new(pictures, options.kept.clone());
        let (arrivals, arrived) = mpsc::unbounded_channel();
        let mut inbox = Inbox {
            tasks: SelectAll::new(),
            arrivals: arrived,
            queue,
        };
        let mut seats = Self {
            opener: setup.opener.clone(),
            events,
            arrivals,
            house,
            locked: options.config.settings.read_only,
            seats: BTreeMap::new(),
            closing: JoinSet::new(),
        };
        if let Some(lease) = setup.first.take() {
            let stage = setup.tours.stage.clone();
            seats.seat(&mut inbox, TabId::default(), lease, stage);
        }
        (seats, inbox)
    }

    /// What the console is told of a system that is open.
    pub(in crate::tui) fn told(lease: &dyn Lease, locked: bool) -> Opened {
        let (connection, tracker) = (lease.connection(), lease.tracker());
        let read_only = match (tracker.is_read_only(), locked) {
            (_, true) => Some("this is read-only, as it was started".to_owned()),
            (true, false) => Some("this is read-only, as the profile says".to_owned()),
            (false, false) => None,
        };
        Opened {
            profile: connection.name.clone(),
            system: connection.reader.capabilities().clone(),
            read_only,
            tasks: tracker.tasks(),
        }
    }

    /// Takes what is open for a tab; follows what happens in it from [`Seats::follow`] on.
    pub(in crate::tui) fn seat(
        &mut self,
        inbox: &mut Inbox,
        tab: TabId,
        lease: Box<dyn Lease>,
        stage: Option<Stage>,
    ) {
        let (connection, tracker) = (lease.connection(), lease.tracker());
        let writable = Self::told(&*lease, self.locked).read_only.is_none();
        let updates = tracker.updates();
        inbox
            .tasks
            .push(updates.map(move |batch| (tab, batch)).boxed());
        let teller = Teller::new(tab, self.events.clone());
        let house = self.house.clone();
        let support = lease.support();
        let performer =
            Performer::new(connection, tracker, writable, teller, house, support).with_stage(stage);
        self.seats
            .insert(tab, Seat::Open(Box::new(performer), Some(lease)));
    }

    /// Follows what happens in the system of a tab.
    pub(in crate::tui) fn follow(&mut self, tab: TabId) {
        if let Some(Seat::Open(performer, _)) = self.seats.get_mut(&tab) {
            performer.watch();
            performer.follow_on();
        }
    }

    /// The tasks of a tab as they are now: they may have changed since it was first looked at them.
    pub(in crate::tui) fn tasks(&self, tab: TabId) -> Option<Event> {
        match self.seats.get(&tab) {
            Some(Seat::Open(performer, _)) => {
                let tasks = Event::Tasks(performer.tasks());
                Some(Event::Tab(tab, Box::new(tasks)))
            }
            _ => None,
        }
    }

    /// Takes in what came of opening. Returns what the console is to be told, in this order.
    pub(in crate::tui) fn arrived(
        &mut self,
        inbox: &mut Inbox,
        tab: TabId,
        arrival: Arrival,
    ) -> Vec<Event> {
        let wanted = self.seats.contains_key(&tab);
        let told = match arrival {
            // It was closed meanwhile.
            Arrival::Opened(Ok(lease)) | Arrival::Renewed(lease, _) if !wanted => {
                self.close_lease(lease);
                return Vec::new();
            }
            Arrival::Opened(Err(problem)) => {
                tracing::warn!(tab = tab.0, kind = ?problem.kind, "is not open");
                self.seats.remove(&tab);
                return vec![Event::Tab(tab, Box::new(Event::NotOpened(problem)))];
            }
            Arrival::Opened(Ok(lease)) => {
                tracing::info!(tab = tab.0, "is open");
                let told = Event::Opened(Box::new(Self::told(&*lease, self.locked)));
                self.seat(inbox, tab, lease, None);
                told
            }
            Arrival::Renewed(lease, Err(problem)) => {
                if let Some(Seat::Open(_, away)) = self.seats.get_mut(&tab) {
                    *away = Some(lease);
                }
                return vec![Event::Tab(tab, Box::new(Event::Renewed(Err(problem))))];
            }
            Arrival::Renewed(lease, Ok(())) => {
                tracing::info!(tab = tab.0, "signed in again");
                let told = Event::Renewed(Ok(Box::new(Self::told(&*lease, self.locked))));
                // The one before goes with all that it watched.
                self.seat(inbox, tab, lease, None);
                told
            }
        };
        self.follow(tab);
        let mut events = vec![Event::Tab(tab, Box::new(told))];
        events.extend(self.tasks(tab));
        events
    }

    pub(in crate::tui) fn perform(&mut self, tab: TabId, effect: Effect) {
        while self.closing.try_join_next().is_some() {}
        match effect {
            Effect::Open(site) => self.open(tab, site),
            Effect::Renew => self.renew(tab),
            Effect::Close => self.close(tab),
            Effect::Profiles => self.list(),
            Effect::Keep(kept) => {
                let teller = Teller::new(tab, self.events.clone());
                self.house.keep(*kept, teller);
            }
            effect => {
                self.locked |= effect == Effect::Lock;
                match self.seats.get_mut(&tab) {
                    Some(Seat::Open(performer, _)) => performer.perform(effect),
                    Some(Seat::Opening(_)) | None if effect == Effect::Bundle => {
                        self.tell(tab, Event::Told(Err(nothing_open())));
                    }
                    Some(Seat::Opening(_)) | None => {}
                }
            }
        }
    }

    /// Gathers what would be in a support bundle.
    pub(in crate::tui) fn gather(&self, tab: TabId, config: &Config) {
        match self.seats.get(&tab) {
            Some(Seat::Open(performer, _)) => performer.gather(config),
            _ => self.tell(tab, Event::Gathered(Err(nothing_open()))),
        }
    }

    /// What keeps pictures, and what was chosen.
    pub(in crate::tui) fn house(&self) -> &House {
        &self.house
    }

    /// Who tells of one tab.
    pub(in crate::tui) fn teller(&self, tab: TabId) -> Teller {
        Teller::new(tab, self.events.clone())
    }

    fn tell(&self, tab: TabId, event: Event) {
        let teller = self.teller(tab);
        tokio::spawn(async move {
            let _ = teller.send(event).await;
        });
    }

    fn open(&mut self, tab: TabId, site: Site) {
        let Some(opener) = self.opener.clone() else {
            let none = Problem::user("nothing else can be opened here");
            self.tell(tab, Event::NotOpened(none));
            return;
        };
        tracing::info!(tab = tab.0, "opens");
        let arrivals = self.arrivals.clone();
        let job = tokio::spawn(async move {
            let opened = opener.open(&site).await;
            let _ = arrivals.send((tab, Arrival::Opened(opened)));
        });
        self.seats.insert(tab, Seat::Opening(job.abort_handle()));
    }

    fn renew(&mut self, tab: TabId) {
        let Some(Seat::Open(_, lease)) = self.seats.get_mut(&tab) else {
            return;
        };
        let Some(mut lease) = lease.take() else {
            return;
        };
        let arrivals = self.arrivals.clone();
        tokio::spawn(async move {
            let renewed = lease.renew().await;
            let _ = arrivals.send((tab, Arrival::Renewed(lease, renewed)));
        });
    }

    fn close(&mut self, tab: TabId) {
        tracing::info!(tab = tab.0, "closes");
        match self.seats.remove(&tab) {
            Some(Seat::Opening(job)) => job.abort(),
            Some(Seat::Open(_, Some(lease))) => self.close_lease(lease),
            // It comes back from being signed in to, and is closed then.
            Some(Seat::Open(_, None)) | None => {}
        }
    }

    fn close_lease(&mut self, lease: Box<dyn Lease>) {
        let events = self.events.clone();
        self.closing.spawn(async move {
            let closed = close(lease).await;
            if let Err(problem) = &closed {
                let _ = events.send(Event::Fault(problem.clone())).await;
            }
            closed
        });
    }

    /// Reads again what can be opened.
    fn list(&self) {
        let (events, opener) = (self.events.clone(), self.opener.clone());
        if let Some(opener) = opener {
            tokio::task::spawn_blocking(move || {
                for event in listed(&*opener) {
                    let _ = events.blocking_send(event);
                }
            });
        }
    }

    /// What reads again, where the configuration did, what can be opened.
    pub(in crate::tui) fn rereads(&self) -> Option<Arc<dyn Opener>> {
        self.opener.clone()
    }

    /// Closes everything, side by side; the first problem that one had with it.
    ///
    /// # Errors
    /// Where what was written may not be kept.
    pub(in crate::tui) async fn close_all(mut self) -> Result<(), Problem> {
        self.house.keep_at_last();
        let tabs: Vec<TabId> = self.seats.keys().copied().collect();
        // Nobody hears any more what is told.
        let (events, _) = mpsc::channel(1);
        self.events = events;
        for tab in tabs {
            self.close(tab);
        }
        let mut first = Ok(());
        while let Some(closed) = self.closing.join_next().await {
            let closed = closed.unwrap_or_else(|e| {
                let what = "a part of the program ended abruptly";
                Err(Problem::new(ProblemKind::Bug, what).caused_by(&e))
            });
            first = first.and(closed);
        }
        first
    }
}

/// What can be opened, as it is read now; and why not all of it is known, where it is not.
pub(in crate::tui) fn listed(opener: &dyn Opener) -> Vec<Event> {
    let (listed, problem) = opener.list();
    let told = problem.map(Event::Fault);
    std::iter::once(Event::Profiles(listed))
        .chain(told)
        .collect()
}

/// Closes one. A store is waited for, since what it holds is at stake; what is called goes on without us.
async fn close(lease: Box<dyn Lease>) -> Result<(), Problem> {
    let here = lease.site() == Site::Store;
    let closing = lease.close();
    match here {
        true => closing.await,
        false => tokio::time::timeout(PATIENCE, closing)
            .await
            .unwrap_or(Ok(())),
    }
}

fn nothing_open() -> Problem {
    Problem::user("there is nothing to gather: this is not open")
        .hint("`snapdeck support` gathers from the command line")
}
