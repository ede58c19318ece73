//! The console. One queue of events, a pure `update`, a pure `view`; the runtime performs
//! what the update asks for and sends back what came of it.
//!
//! It knows no system: what can be done it learns from
//! [`Capabilities`](crate::model::Capabilities) and operation specs.

mod actions;
mod event;
mod glyphs;
mod key;
mod layout;
mod linear;
mod log;
mod overlay;
mod page;
mod record;
mod rows;
mod runtime;
mod site;
mod skin;
mod state;
mod tabs;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod tour;
mod update;
mod view;

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{Config, Fault, Source};
use crate::model::{Problem, Task};

pub use event::PictureForm;
pub use log::LogTap;
pub use record::{Export, Playback, export, play};
pub use site::{Lease, Listed, Opener, Site};
pub use terminal::ColorTier;
pub use tour::{Act, Begin, Tour};

/// What the console works on.
pub struct Setup {
    /// What is open already, in the first tab.
    pub first: Option<Box<dyn Lease>>,
    /// What is opened once the console is there, a tab for each; one at least where nothing is open.
    pub open: Vec<Site>,
    /// What opens others; without it there is but what is open.
    pub opener: Option<Arc<dyn Opener>>,
    /// How it looks and what it may do.
    pub options: Options,
    /// What there is to be led through.
    pub tours: Tours,
}

/// Lets something happen in the estate, and says it in a line.
pub type Stage = Arc<dyn Fn(&Act) -> Result<String, Problem> + Send + Sync>;

/// The walkthroughs of an estate.
#[derive(Clone, Default)]
pub struct Tours {
    /// Those that can be taken.
    pub all: Vec<Tour>,
    /// Why none can, where none can.
    pub none: Option<String>,
    /// With which the console begins.
    pub begin: Option<Begin>,
    /// What lets happen what happens on them.
    pub stage: Option<Stage>,
}

/// How the console looks and what it may do.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the user has set.
    pub config: Config,
    /// Where that is read from again when it is written.
    pub source: Option<Source>,
    /// A line that is shown first.
    pub welcome: Option<String>,
    /// Everything that happens is recorded into this file, which is not there yet.
    pub record: Option<PathBuf>,
    /// What each frame costs is shown.
    pub perf: bool,
    /// The folder in which pictures of the screen and crash files are kept.
    pub state: Option<PathBuf>,
    /// What was chosen the last time is read from this file, and kept in it.
    pub kept: Option<PathBuf>,
    /// What the parts of the program say.
    pub log: Option<LogTap>,
}

/// How the console ended.
#[derive(Debug)]
pub struct Farewell {
    /// What was under way, each with what its tab was open on and is called.
    pub unfinished: Vec<(Site, String, Arc<Task>)>,
    /// The signal that ended it, where one did.
    pub signal: Option<i32>,
}

/// Runs the console until the user leaves or a signal ends it. The terminal is as it was
/// when this returns.
///
/// # Errors
/// Where there is no terminal, or it is lost.
pub async fn run(setup: Setup) -> Result<Farewell, Problem> {
    runtime::run(setup).await
}

/// Runs the console as lines that are appended to standard output, answered by lines of standard input, until the
/// user leaves, the input ends or a signal ends it.
///
/// # Errors
/// Where signals cannot be listened for.
pub async fn linear(setup: Setup) -> Result<Farewell, Problem> {
    linear::run(setup).await
}

/// Looks whether the console can take a configuration; what it does with the keys of others, as notes.
///
/// # Errors
/// Everything that is wrong with its keys.
pub fn check(config: &Config) -> Result<Vec<String>, Vec<Fault>> {
    let keymap = actions::Keymap::new(config)?;
    Ok(keymap.losses().collect())
}

/// The actions that can have keys: their names, the keys that they have, and what they do.
#[must_use]
pub fn keys() -> Vec<(String, Vec<String>, String)> {
    let lines = actions::ACTIONS.iter().map(|action| {
        let keys = action.defaults.iter().map(ToString::to_string);
        (action.id.name(), keys.collect(), action.doc.to_owned())
    });
    lines.collect()
}

/// What the terminal is taken for, and from which of its variables, for whoever looks for a fault.
#[must_use]
pub fn terminal() -> String {
    let lookup = |name: &str| std::env::var(name).ok();
    terminal::report(&lookup, crossterm::terminal::size().ok())
}
