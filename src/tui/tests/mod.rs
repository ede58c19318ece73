//! The console driven by events, looked at through its state and its frames.

mod actions;
mod browse;
mod change;
mod driver;
pub(super) mod fixtures;
mod frames;
mod honest;
mod keys_doc;
mod random;
mod recordings;

pub(super) use fixtures::moment;
