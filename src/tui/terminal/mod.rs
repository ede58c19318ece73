//! The terminal itself: what it can show, how a frame becomes bytes, and how it is
//! taken over and given back.

mod pen;
mod screen;
mod session;
mod tier;
mod writer;

pub(crate) use screen::Screen;
pub(crate) use session::{Session, faults, give_back, here};
pub use tier::ColorTier;
pub(crate) use tier::{is_ascii, tier};
pub(crate) use writer::Writer;
