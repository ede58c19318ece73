//! Recordings: the events of a console as they came, so that what happened can be seen again, searched for
//! faults, and made into pictures. One line of JSON each; the first says what the console began with.
//!
//! A recording holds everything that was on the screen. What is typed into a field marked secret is never in
//! it: as many `*` stand for it.

mod cast;
pub(crate) mod crash;
mod export;
mod picture;
mod player;
mod reader;
mod recorder;
mod svg;
mod theatre;
mod withhold;

pub use export::{Export, export};
pub(crate) use picture::picture;
#[cfg(test)]
pub(crate) use player::Player;
#[cfg(test)]
pub(crate) use reader::Recording;
pub(crate) use recorder::Recorder;
pub use theatre::{Playback, play};

use serde::{Deserialize, Serialize};

use super::event::{Event, Moment};
use super::state::Beginning;

/// The form of recordings that this program writes and reads.
const FORM: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    /// The form of the rest.
    #[serde(rename = "snapdeck-recording")]
    form: u32,
    /// The version of the program that wrote it.
    program: String,
    /// What the console began with.
    beginning: Beginning,
}

/// Every other line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When.
    at: Moment,
    /// What.
    event: Event,
}
