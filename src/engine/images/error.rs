//! What can be wrong with an image, in words a person can act on.

use std::io;
use std::path::{Path, PathBuf};

/// Why an image cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The system failed a request.
    #[error("{} cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not a file that an image can be read from.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// The image holds nothing.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The image is of a format that is not read here.
    #[error("{} is a {format} image, which is not read here", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The format's name.
        format: &'static str,
    },
    /// The image uses what is not read here, or is not to be trusted; it says so itself.
    #[error("{} cannot be used: {what}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The feature, by its name.
        what: String,
    },
    /// The image is read through another file that its header names, and that was not allowed.
    #[error(
        "{} is read through the {role} {name:?} that it names itself, and an image can name any file of this machine", path.display()
    )]
    Reference {
        /// The file.
        path: PathBuf,
        /// What the other one is to it: a backing file, an external data file.
        role: &'static str,
        /// The name in the header.
        name: String,
    },
    /// What the image says of itself cannot be.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        what: String,
    },
}

impl ImageError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::damaged(path, "it ends too early"),
            _ => Self::Io {
                path: path.to_owned(),
                source,
            },
        }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    pub(super) fn unsupported(path: &Path, what: impl Into<String>) -> Self {
        Self::Unsupported {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}
