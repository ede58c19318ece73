//! What the fuzz targets share.

pub mod answers;
pub mod entry;
pub mod format;
