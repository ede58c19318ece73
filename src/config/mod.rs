//! Where things are kept, and what the user has set.

mod paths;

pub use paths::Paths;
