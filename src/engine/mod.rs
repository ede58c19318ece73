//! The embedded copy-on-write block engine.
