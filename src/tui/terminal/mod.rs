//! The terminal itself: what it can show, how a frame becomes bytes, and how it is
//! taken over and given back.

mod clipboard;
mod pen;
mod screen;
mod session;
mod tier;
mod writer;

pub(crate) use clipboard::copy;
pub(crate) use pen::{Pen, ansi};
pub(crate) use screen::Screen;
pub(crate) use session::{Session, faults, give_back, here, take_mouse};
pub use tier::ColorTier;
pub(crate) use tier::{CopyRoute, Features, report};
pub(crate) use writer::Writer;
