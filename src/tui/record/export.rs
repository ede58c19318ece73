//! Makes something else of a recording, without a terminal: an asciicast, or a picture of one moment.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::cast::{Pace, cast};
use super::picture::picture;
use super::player::Player;
use super::reader::Recording;
use crate::model::Problem;
use crate::tui::event::PictureForm;

/// What to make of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Export {
    /// An asciicast.
    Cast {
        /// So many times as fast; above 0.
        speed: f64,
        /// No pause is longer than this.
        pause: Option<Duration>,
    },
    /// A picture of one moment.
    Picture(PictureForm),
}

/// Makes it of what happened from `at` on, or at that moment; at the end where none is said for a picture.
///
/// # Errors
/// Where the file is no recording.
pub fn export(file: &Path, export: Export, at: Option<Duration>) -> Result<String, Problem> {
    let recording = Arc::new(Recording::read(file)?);
    let mut player = Player::new(recording);
    Ok(match export {
        Export::Cast { speed, pause } => {
            if let Some(at) = at {
                player.seek(at);
            }
            cast(&mut player, Pace { speed, pause })
        }
        Export::Picture(form) => {
            player.seek(at.unwrap_or(Duration::MAX));
            picture(&player.frame().0, form)
        }
    })
}
