//! One client for every system that is reached over HTTP: time limits for each phase, bounded bodies, repeats only of
//! what is safe to repeat, no credential to another host, and a trace of every call without its secrets.
//!
//! It knows no dialect: what an answer means is said in `wire/` and in the provider's room.

mod again;
mod client;
mod error;
mod har;
mod redact;
mod request;
mod trace;

#[cfg(test)]
mod tests;

pub use client::{Client, Limits, Options};
pub use error::{HttpError, Phase};
pub use har::har;
pub use redact::REDACTED;
pub use request::{Body, Method, Request, Response};
pub use trace::{Call, Trace};
