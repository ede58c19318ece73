//! What the fuzz targets share.

pub mod entry;
pub mod format;
