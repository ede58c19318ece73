//! The console driven by events, looked at through its state and its frames.

pub(super) mod fixtures;
