//! The protocol: its bytes pinned, and hostile clients.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod client;
mod hostile;
mod pinned;
mod requests;
