//! Opening the store that a command is about, or being let in by the program that has it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::args::GlobalOptions;
use super::nbd_service::NbdService;
use super::profile;
use crate::config::Paths;
use crate::engine::Store;
use crate::model::{Problem, ProblemKind};
use crate::provider::Connection;
use crate::provider::embedded::{Embedded, Options};
use crate::share::{Attached, Host, attach};
use crate::task::{Place, Tracker};

/// How often, and how many times, a store is tried that another command has for a moment.
const AGAIN: (Duration, u32) = (Duration::from_millis(50), 60);

/// What a command does with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Looks, and ends at once; background work stays where it is.
    Look,
    /// Changes something in a store that is there, or makes one.
    Change,
    /// Follows what is under way in a store that is there.
    Follow,
}

/// Who has the store.
enum Held {
    /// This process.
    Here(Embedded),
    /// Another, which lets this one in.
    There(Box<Attached>),
    /// Nobody: it is a system that is called. The place of the journal is kept where one is written.
    Called(Option<Place>),
}

/// A store that is open, and the tracker of its tasks.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) tracker: Tracker,
    held: Held,
    host: Option<Host>,
}

/// The store's directory: the one that was said, else this user's.
pub(super) fn store_dir(options: &GlobalOptions) -> Result<PathBuf, Problem> {
    match &options.store {
        Some(dir) => Ok(dir.clone()),
        None => Ok(Paths::of_user()?.store),
    }
}

/// Opens the store for a command of the command line.
pub(super) async fn open(options: &GlobalOptions, purpose: Purpose) -> Result<Opened, Problem> {
    if let Some(name) = options.profile.first() {
        let read_only = options.read_only || purpose == Purpose::Look;
        return open_profile(options, name, read_only, "command line").await;
    }
    let how = Options {
        read_only: options.read_only || purpose == Purpose::Look,
        create: purpose == Purpose::Change,
        idle: purpose == Purpose::Look,
        salvage: options.salvage,
        hasty: false,
        bad_blocks: None,
        copy_rate: options.copy_rate.map(|rate| rate.0),
        cache: options.cache.map(|bytes| bytes.0),
    };
    open_in(&store_dir(options)?, &how, "command line").await
}

/// Opens the store in `dir` for somebody who is called `by`; where another program has it,
/// that one lets this one in. One that has it for a moment only is waited for.
pub(super) async fn open_in(dir: &Path, how: &Options, by: &str) -> Result<Opened, Problem> {
    let (pause, mut left) = AGAIN;
    loop {
        let kept_out = match Embedded::open(dir, how) {
            Ok(embedded) => return with_tracker(embedded, by),
            Err(problem) if problem.kind == ProblemKind::Conflict => problem,
            Err(problem) => return Err(problem),
        };
        match attach(dir, how.read_only && !how.idle, by).await {
            Ok(Some(attached)) => return Ok(Opened::guest(attached)),
            Ok(None) => {}
            // It was just ending.
            Err(problem) if problem.kind == ProblemKind::Network => {}
            Err(problem) => return Err(problem),
        }
        if left == 0 {
            return Err(kept_out);
        }
        left -= 1;
        tokio::time::sleep(pause).await;
    }
}

/// Opens the system that a profile is for.
pub(super) async fn open_profile(
    options: &GlobalOptions,
    name: &str,
    read_only: bool,
    by: &str,
) -> Result<Opened, Problem> {
    let chosen = profile::find(options, name)?;
    let connection = crate::provider::open(name, &chosen, read_only).await?;
    let (tracker, place) = track(&connection, name, None, by)?;
    Ok(Opened {
        connection,
        tracker,
        held: Held::Called(place),
        host: None,
    })
}

/// Opens the tracker of a profile's connection, with a journal that no other program uses: this one, or the first.
fn track(
    connection: &Connection,
    name: &str,
    place: Option<Place>,
    by: &str,
) -> Result<(Tracker, Option<Place>), Problem> {
    let dir = Paths::of_user()?.of_profile(name);
    let place = match (&connection.writer, place) {
        (Some(_), None) => Some(Place::take(&dir)?),
        (Some(_), place) => place,
        (None, _) => None,
    };
    let journal = match &place {
        Some(place) => place.journal.clone(),
        None => Place::first(&dir),
    };
    let tracker = Tracker::open(connection, &journal, by)?;
    Ok((tracker, place))
}

/// Opens the tracker of a store that is open.
pub(super) fn with_tracker(embedded: Embedded, by: &str) -> Result<Opened, Problem> {
    let tracker = Tracker::open(&embedded.connection, &embedded.journal, by)?;
    Ok(Opened {
        connection: embedded.connection.clone(),
        tracker,
        held: Held::Here(embedded),
        host: None,
    })
}

impl Opened {
    /// A store that another program lets this one in to.
    pub(super) fn guest(attached: Attached) -> Self {
        Self {
            connection: attached.connection.clone(),
            tracker: attached.tracker.clone(),
            held: Held::There(Box::new(attached)),
            host: None,
        }
    }

    /// Lets other programs of this user in, for as long as the store is open here. Where
    /// that cannot be done they are kept out.
    pub(super) fn let_others_in(&mut self) {
        if let Held::Here(embedded) = &self.held
            && let Some(dir) = embedded.journal.parent()
        {
            let services = Arc::new(NbdService::new(embedded.store()));
            match Host::start(dir, &self.connection, &self.tracker, services) {
                Ok(host) => self.host = Some(host),
                Err(e) => tracing::warn!(error = %e, "no other program can use the store"),
            }
        }
    }

    /// Signs in to the system of a profile again. Until that has come off everything stays as it is; then what is under way
    /// is found in the journal, and followed on over the new connection.
    ///
    /// # Errors
    /// Why it cannot be signed in to.
    pub(super) async fn sign_in_again(
        &mut self,
        options: &GlobalOptions,
        name: &str,
        by: &str,
    ) -> Result<(), Problem> {
        let chosen = profile::find(options, name)?;
        let connection = crate::provider::open(name, &chosen, options.read_only).await?;
        self.tracker.close().await;
        let place = match std::mem::replace(&mut self.held, Held::Called(None)) {
            Held::Called(place) => place,
            Held::Here(_) | Held::There(_) => return Err(no_store()),
        };
        let (tracker, place) = track(&connection, name, place, by)?;
        self.held = Held::Called(place);
        (self.connection, self.tracker) = (connection, tracker);
        Ok(())
    }

    /// The program that has the store, where it is not this one.
    pub(super) fn guest_of(&self) -> Option<&Attached> {
        match &self.held {
            Held::Here(_) | Held::Called(_) => None,
            Held::There(attached) => Some(attached),
        }
    }

    /// The engine, where this process has the store.
    ///
    /// # Errors
    /// Where another one has.
    pub(super) fn store(&self) -> Result<&Store, Problem> {
        match &self.held {
            Held::Here(embedded) => Ok(embedded.store()),
            Held::Called(_) => Err(no_store()),
            Held::There(attached) => Err(Problem::conflict(format!(
                "process {} has the store open",
                attached.pid
            ))
            .hint("this needs the store for itself: end that program first")),
        }
    }

    /// Lets one import of `-` read this stream.
    ///
    /// # Errors
    /// Where it cannot be read, or another process has the store.
    pub(super) fn offer_input(&self, input: Box<dyn std::io::Read + Send>) -> Result<(), Problem> {
        match &self.held {
            Held::Here(embedded) => embedded.offer_input(input),
            Held::Called(_) => Err(no_store()),
            Held::There(attached) => Err(Problem::conflict(format!(
                "process {} has the store open, and cannot read this one's standard input",
                attached.pid
            ))
            .hint("name a file, or end that program first")),
        }
    }

    /// Stops following tasks, and closes the store where it is open here.
    pub(super) async fn close(self) -> Result<(), Problem> {
        drop(self.host);
        self.tracker.close().await;
        match self.held {
            Held::There(_) => Ok(()),
            // Nothing is written to the journal any more: the next may have it.
            Held::Called(place) => {
                drop(place);
                Ok(())
            }
            Held::Here(embedded) => tokio::task::spawn_blocking(move || embedded.close())
                .await
                .map_err(|e| Problem::new(ProblemKind::Bug, e.to_string()))?,
        }
    }
}

fn no_store() -> Problem {
    Problem::user("this needs an embedded store, and a profile has none")
        .hint("leave out --profile")
}
