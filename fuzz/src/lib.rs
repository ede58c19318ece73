//! What the fuzz targets share.

pub mod bodies;
pub mod entry;
pub mod format;
