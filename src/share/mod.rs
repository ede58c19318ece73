//! One store for several programs of one user: whoever has it open lets the others in by a
//! Unix socket beside it. They look, plan and follow tasks through that one, which runs them.
//!
//! A [`Host`] serves a connection and its tracker; [`attach`] gives another process a
//! [`Connection`](crate::provider::Connection) and a [`Tracker`](crate::task::Tracker) that are
//! the same to everybody above. A request is a line of JSON, its answer one line or a stream of
//! them; every request has a connection of its own, so that nothing waits for another.

mod attach;
mod client;
mod content;
mod difference;
mod host;
mod mirror;
mod socket;
mod wire;

pub use attach::{Attached, attach};
pub use host::{Host, Services};
pub use wire::NbdRequest;
