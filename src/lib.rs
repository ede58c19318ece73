//! snapdeck: one terminal console for the snapshots of every block store an
//! administrator runs. See `docs/architecture.md` for the rooms and floors.

pub mod cli;
pub mod config;
pub mod engine;
pub mod model;
pub mod provider;
pub mod share;
pub mod support;
pub mod task;
pub mod tui;
