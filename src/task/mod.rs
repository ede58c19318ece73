//! Plans, runs and follows operations. A [`Tracker`] writes each step to a journal on
//! disk before it is run; started again, it finds what was under way, asks the
//! system what came of it, and follows it on.

mod backend;
mod board;
mod journal;
mod local;
mod place;
mod runner;
mod tracker;
mod undo;

pub use backend::{Backend, Control};
pub use journal::{Journal, JournalError};
pub use place::Place;
pub use tracker::Tracker;
pub use undo::{puts_right, roll_back, undo};
