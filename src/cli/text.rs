//! Foreign text on the terminal.

use crate::model::Bytes;

/// The text with everything that a terminal could take for more than text made visible.
pub(super) fn visible(text: &str) -> String {
    crate::model::visible(text).into_owned()
}

/// A size that may not be known.
pub(super) fn size(bytes: Option<Bytes>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string())
}

/// A figure that may not be known.
pub(super) fn count(count: Option<u64>) -> String {
    count.map_or_else(|| "-".to_owned(), |count| count.to_string())
}
