//! The console driven by events, looked at through its state and its frames.

mod actions;
mod browse;
mod change;
mod config_doc;
mod driver;
mod finding;
pub(super) mod fixtures;
mod frames;
mod honest;
mod kept;
mod keys_doc;
mod lie;
mod random;
mod recordings;
mod scale;
mod sets;
mod settings;
mod tabs;
mod themes;
mod tours;
mod trace;

pub(super) use fixtures::moment;
