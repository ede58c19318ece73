//! A raw image: the bytes of the disk as they are, holes where the file has some.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::ImageError;
use super::storage::ReadAt;
use super::{Run, push_run};

/// Runs that one call tells at most.
const MOST: usize = 1024;

/// A raw image.
pub(super) struct Raw {
    path: PathBuf,
    file: Arc<dyn ReadAt>,
    size: u64,
}

impl Raw {
    pub(super) fn open(path: &Path, file: Arc<dyn ReadAt>) -> Result<Self, ImageError> {
        let size = file.length().map_err(|e| ImageError::io(path, e))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            size,
        })
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn runs(&self, offset: u64, end: u64) -> Result<Vec<Run>, ImageError> {
        let mut runs = Vec::new();
        let mut at = offset;
        while at < end && runs.len() < MOST {
            let (data, stop) = self
                .file
                .next_data(at, end)
                .map_err(|e| ImageError::io(&self.path, e))?;
            for (from, to, data) in [(at, data, false), (data, stop, true)] {
                if from < to {
                    push_run(
                        &mut runs,
                        Run {
                            offset: from,
                            length: to - from,
                            data,
                        },
                    );
                }
            }
            at = stop;
        }
        Ok(runs)
    }

    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ImageError> {
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|e| match e.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    ImageError::damaged(&self.path, "it became shorter while it was read")
                }
                _ => ImageError::io(&self.path, e),
            })
    }
}
