//! Where things are kept, and what the user has set: pure data and its reading from text.

mod account;
mod check;
mod clouds;
pub mod contrast;
mod document;
mod fault;
pub mod kept;
pub mod keyring;
mod paths;
mod profile;
mod secret;
mod settings;
mod source;
pub mod theme;
mod watch;

pub use account::{AccessKey, Account, Auth, Named, Scope};
pub use clouds::{Cloud, Clouds, Surroundings};
pub use document::document;
pub use fault::{Fault, nearest};
pub use kept::Kept;
pub use paths::Paths;
pub use profile::{CallLimits, Profile, Profiles, ProviderKind, SecretSource};
pub use settings::{Clipboard, Colors, GlyphChoice, Keys, LogLevel, LogSettings, Settings, schema};
pub use source::{Config, Flags, Source, parse};
pub use theme::Theme;
pub use watch::Watch;
