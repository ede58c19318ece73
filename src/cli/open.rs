//! Opening the store that a command is about.

use std::path::PathBuf;

use super::args::GlobalOptions;
use crate::config::Paths;
use crate::model::Problem;
use crate::provider::embedded::{Embedded, Options};
use crate::task::Tracker;

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

/// A store that is open, and the tracker of its tasks.
pub(super) struct Opened {
    pub(super) embedded: Embedded,
    pub(super) tracker: Tracker,
}

/// The store's directory: the one that was said, else this user's.
pub(super) fn store_dir(options: &GlobalOptions) -> Result<PathBuf, Problem> {
    match &options.store {
        Some(dir) => Ok(dir.clone()),
        None => Ok(Paths::of_user()?.store),
    }
}

/// Opens the store for a command of the command line.
pub(super) fn open(options: &GlobalOptions, purpose: Purpose) -> Result<Opened, Problem> {
    let dir = store_dir(options)?;
    let embedded = Embedded::open(
        &dir,
        &Options {
            read_only: options.read_only || purpose == Purpose::Look,
            create: purpose == Purpose::Change,
            idle: purpose == Purpose::Look,
            hasty: false,
            copy_rate: options.copy_rate.map(|rate| rate.0),
        },
    )?;
    with_tracker(embedded, "command line")
}

/// Opens the tracker of a store that is open.
pub(super) fn with_tracker(embedded: Embedded, by: &str) -> Result<Opened, Problem> {
    let tracker = Tracker::open(&embedded.connection, &embedded.journal, by)?;
    Ok(Opened { embedded, tracker })
}

impl Opened {
    /// Stops following tasks, and closes the store.
    pub(super) async fn close(self) -> Result<(), Problem> {
        self.tracker.close().await;
        tokio::task::spawn_blocking(move || self.embedded.close())
            .await
            .map_err(|e| Problem::new(crate::model::ProblemKind::Bug, e.to_string()))?
    }
}
