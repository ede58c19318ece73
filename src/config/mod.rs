//! Where things are kept, and what the user has set: pure data and its reading from text.

mod check;
pub mod contrast;
mod document;
mod fault;
pub mod kept;
mod paths;
mod settings;
mod source;
pub mod theme;
mod watch;

pub use document::document;
pub use fault::{Fault, nearest};
pub use kept::Kept;
pub use paths::Paths;
pub use settings::{Clipboard, Colors, GlyphChoice, Keys, LogLevel, LogSettings, Settings, schema};
pub use source::{Config, Flags, Source, parse};
pub use theme::Theme;
pub use watch::Watch;
