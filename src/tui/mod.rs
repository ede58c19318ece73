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
mod overlay;
mod page;
mod rows;
mod runtime;
mod skin;
mod state;
mod terminal;
#[cfg(test)]
mod tests;
mod text;
mod update;
mod view;

use std::sync::Arc;

use crate::config::Theme;
use crate::model::{Problem, Task};
use crate::provider::Connection;
use crate::task::Tracker;

pub use terminal::ColorTier;

/// What the console works on.
pub struct Setup {
    /// The system.
    pub connection: Connection,
    /// The tasks on it.
    pub tracker: Tracker,
    /// How it looks and what it may do.
    pub options: Options,
}

/// How the console looks and what it may do.
#[derive(Clone, Debug)]
pub struct Options {
    /// What everything looks like.
    pub theme: Theme,
    /// Nothing may be changed, whatever the connection can do.
    pub read_only: bool,
    /// Only ASCII is shown; `None` tells from `LANG` and `TERM`.
    pub ascii: Option<bool>,
    /// How many colours are shown; `None` tells from `NO_COLOR`, `COLORTERM` and `TERM`.
    pub colors: Option<ColorTier>,
    /// The mouse is taken, so that rows and keys can be pressed with it.
    pub mouse: bool,
    /// A line that is shown first.
    pub welcome: Option<String>,
}

/// How the console ended.
#[derive(Debug)]
pub struct Farewell {
    /// What was under way.
    pub unfinished: Vec<Arc<Task>>,
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
