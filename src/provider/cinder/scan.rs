//! Lists in pages, by markers: the next page is fetched while the one before it is made use of. Who wants the same list
//! at the same time shares one scan of it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::session::{Ask, Service, Session, not_understood};
use crate::model::{Problem, ProblemKind};
use crate::wire::cinder::{Microversion, Named};

/// How many things a page has at most.
pub(in crate::provider) const PAGE: usize = 1000;
/// A scan that has ended serves others for this long.
const SHARED: Duration = Duration::from_secs(1);

/// How a list is asked for.
#[derive(Clone, Debug)]
pub(in crate::provider) struct Way {
    /// Of whom.
    pub(in crate::provider) service: Service,
    /// The path of the first page, with a query.
    pub(in crate::provider) first: String,
    /// What is added for the first page, so that the number of all is told.
    pub(in crate::provider) count: &'static str,
    /// How one comes to the next page.
    pub(in crate::provider) next: Next,
    /// How many things a page has at most.
    pub(in crate::provider) size: usize,
}

/// How one comes to the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Next {
    /// There is none: the list comes whole.
    Never,
    /// After the last of this page, where a link says that there are more.
    Linked,
    /// After the last of this page, also where the page is full and the service writes no links at all.
    Full,
    /// By how many have come, likewise.
    Offset,
    /// The same by another name (`start`).
    Start,
}

/// How this service's lists are asked for.
fn way<T: Named>(version: Microversion, query: &str) -> Way {
    let compute = T::MANY == "servers";
    let pages = match T::MANY {
        // These were listed whole before, whatever was asked.
        "groups" | "group_snapshots" => version >= Microversion::GROUP_PAGES,
        "group_types" => false,
        _ => true,
    };
    let mut first = match T::MANY {
        "servers" | "group_types" => format!("/{}?limit={PAGE}", T::MANY),
        _ => format!("/{}/detail?limit={PAGE}", T::MANY),
    };
    if pages && !compute {
        // The oldest first: what is made meanwhile comes at the end, and no page shifts.
        first.push_str("&sort=created_at%3Aasc");
    }
    first.push_str(query);
    let counts = matches!(T::MANY, "volumes" | "snapshots") && version >= Microversion::COUNT;
    Way {
        service: if compute {
            Service::Compute
        } else {
            Service::Volume
        },
        first,
        count: if counts { "&with_count=true" } else { "" },
        next: if pages { Next::Linked } else { Next::Never },
        size: PAGE,
    }
}

/// A list that is being fetched, or was.
pub(in crate::provider) struct Scan<T> {
    state: Mutex<State<T>>,
    told: watch::Sender<usize>,
}

struct State<T> {
    pages: Vec<Arc<Vec<T>>>,
    total: Option<u64>,
    end: Option<Result<(), Problem>>,
}

/// A page, and how many things there are in all.
pub(in crate::provider) type Fetched<T> = (Arc<Vec<T>>, Option<u64>);

impl<T: Named> Scan<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                pages: Vec::new(),
                total: None,
                end: None,
            }),
            told: watch::Sender::new(0),
        })
    }

    /// Begins to fetch; `query` narrows it (`&volume_id=…`).
    pub(in crate::provider) fn start(session: &Arc<Session>, query: &str) -> Arc<Self> {
        let mut way = way::<T>(session.version, query);
        way.first.push_str(session.of_whom());
        Self::begin(session, way)
    }

    /// Begins to fetch in this way.
    pub(in crate::provider) fn begin(session: &Arc<Session>, way: Way) -> Arc<Self> {
        let scan = Self::new();
        let (session, filling) = (session.clone(), scan.clone());
        tokio::spawn(async move {
            let end = filling.fill(&session, &way).await;
            filling.state.lock().end = Some(end);
            filling.told.send_modify(|n| *n += 1);
        });
        scan
    }

    async fn fill(&self, session: &Session, way: &Way) -> Result<(), Problem> {
        let what = format!("{} cannot be listed", T::MANY);
        let mut seen: HashSet<String> = HashSet::new();
        let mut next: Option<String> = None;
        let (mut came, mut links) = (0, false);
        loop {
            let path = match &next {
                None => format!("{}{}", way.first, way.count),
                Some(next) => format!("{}{next}", way.first),
            };
            let mut ask = Ask::get(path);
            ask.service = way.service;
            let answer = session.read(&ask, &what).await?;
            let page = T::page(&answer.body).map_err(|why| not_understood(&answer, &what, &why))?;
            let fetched = page.items.len();
            came += fetched;
            let fresh: Vec<T> = page
                .items
                .into_iter()
                .filter(|item| seen.insert(item.id().to_owned()))
                .collect();
            if fetched > 0 && fresh.is_empty() {
                return Err(Problem::new(ProblemKind::System, what)
                    .because("the service sends the same page again and again")
                    .hint(
                        "a server that does not heed where a page begins cannot be listed whole",
                    ));
            }
            next = match (way.next, fresh.last()) {
                (Next::Offset, _) => Some(format!("&offset={came}")),
                (Next::Start, _) => Some(format!("&start={came}")),
                (_, Some(last)) => Some(format!("&marker={}", last.id())),
                (_, None) => next,
            };
            let total = {
                let mut state = self.state.lock();
                state.total = page.count.or(state.total);
                if !fresh.is_empty() || state.pages.is_empty() {
                    state.pages.push(Arc::new(fresh));
                }
                state.total
            };
            self.told.send_modify(|n| *n += 1);
            // A last page that is just full has a link to an empty one.
            let whole = total.is_some_and(|total| seen.len() as u64 >= total);
            links |= page.more;
            let more = match way.next {
                Next::Never => false,
                Next::Linked => page.more,
                Next::Full | Next::Offset | Next::Start => {
                    page.more || (!links && fetched >= way.size)
                }
            };
            if fetched == 0 || !more || whole {
                return Ok(());
            }
        }
    }

    /// The page of this number, as soon as it is there; `None` after the last.
    pub(in crate::provider) async fn page(
        &self,
        number: usize,
    ) -> Option<Result<Fetched<T>, Problem>> {
        let mut told = self.told.subscribe();
        loop {
            told.mark_unchanged();
            {
                let state = self.state.lock();
                if let Some(page) = state.pages.get(number) {
                    return Some(Ok((page.clone(), state.total)));
                }
                match &state.end {
                    Some(Ok(())) => return None,
                    Some(Err(problem)) => return Some(Err(problem.clone())),
                    None => {}
                }
            }
            told.changed().await.ok()?;
        }
    }

    /// All pages, once they are there.
    pub(in crate::provider) async fn all(&self) -> Result<Vec<Arc<Vec<T>>>, Problem> {
        let mut pages = Vec::new();
        while let Some(page) = self.page(pages.len()).await {
            pages.push(page?.0);
        }
        Ok(pages)
    }
}

/// The scan of a whole list that is under way, for all who want it.
pub(in crate::provider) struct Shared<T> {
    current: Mutex<Option<Current<T>>>,
}

struct Current<T> {
    scan: Arc<Scan<T>>,
    /// Changes that were made from here when it was begun.
    changes: u64,
    begun: Instant,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self {
            current: Mutex::new(None),
        }
    }
}

impl<T: Named> Shared<T> {
    /// The scan that is under way or has just ended, unless something was changed since from here; or a new one.
    pub(super) fn join(self: &Arc<Self>, session: &Arc<Session>, changes: u64) -> Arc<Scan<T>> {
        self.join_or(changes, || Scan::start(session, ""))
    }

    /// The same, with how a new one is begun.
    pub(in crate::provider) fn join_or(
        self: &Arc<Self>,
        changes: u64,
        begin: impl FnOnce() -> Arc<Scan<T>>,
    ) -> Arc<Scan<T>> {
        let mut current = self.current.lock();
        if let Some(current) = &*current
            && current.changes == changes
            && usable(&current.scan, current.begun)
        {
            return current.scan.clone();
        }
        let scan = begin();
        *current = Some(Current {
            scan: scan.clone(),
            changes,
            begun: Instant::now(),
        });
        drop(current);
        self.forget_later(&scan);
        scan
    }

    /// Lets go of the pages a while after the last has come.
    fn forget_later(self: &Arc<Self>, scan: &Arc<Scan<T>>) {
        let (shared, scan) = (self.clone(), scan.clone());
        tokio::spawn(async move {
            let mut told = scan.told.subscribe();
            while scan.state.lock().end.is_none() {
                if told.changed().await.is_err() {
                    return;
                }
            }
            tokio::time::sleep(SHARED).await;
            let mut current = shared.current.lock();
            if current
                .as_ref()
                .is_some_and(|c| Arc::ptr_eq(&c.scan, &scan))
            {
                *current = None;
            }
        });
    }
}

/// Whether a scan may serve somebody who comes now: it has not failed, and its first page is not old.
fn usable<T>(scan: &Scan<T>, begun: Instant) -> bool {
    match &scan.state.lock().end {
        Some(Err(_)) => false,
        // It is forgotten soon enough.
        Some(Ok(())) => true,
        None => begun.elapsed() < Duration::from_secs(30),
    }
}
