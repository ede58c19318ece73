//! Where things are kept, and what the user has set: pure data and its reading from text.

mod paths;
pub mod theme;

pub use paths::Paths;
pub use theme::Theme;
