//! Where the journal of a system is kept that many programs may use at once: each program that changes something has
//! a journal of its own, and takes up what an earlier one has left in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::model::{Problem, ProblemKind};

/// How many programs may change one system at once from this machine and user.
const SEATS: usize = 32;

/// A journal that no other program uses as long as this is kept.
#[derive(Debug)]
pub struct Place {
    /// The journal.
    pub journal: PathBuf,
    _lock: File,
}

impl Place {
    /// The first journal in `dir` that nobody uses; the folder is made where there is none.
    ///
    /// # Errors
    /// Where nothing can be written there, or too many programs are at it.
    pub fn take(dir: &Path) -> Result<Self, Problem> {
        let failed = |e: &std::io::Error| {
            let what = format!("no journal can be kept in {}", dir.display());
            Problem::new(ProblemKind::Config, what).caused_by(e)
        };
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .recursive(true)
            .create(dir)
            .map_err(|e| failed(&e))?;
        for seat in 1..=SEATS {
            let lock = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .open(dir.join(format!("{seat}.lock")))
                .map_err(|e| failed(&e))?;
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        journal: Self::journal(dir, seat),
                        _lock: lock,
                    });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(e)) => return Err(failed(&e)),
            }
        }
        Err(Problem::conflict(format!(
            "{SEATS} programs are changing this system from here already"
        )))
    }

    /// The first journal in `dir`, to be looked at.
    #[must_use]
    pub fn first(dir: &Path) -> PathBuf {
        Self::journal(dir, 1)
    }

    fn journal(dir: &Path, seat: usize) -> PathBuf {
        dir.join(format!("journal-{seat}.jsonl"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_and_what_is_left_is_taken_again() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("profiles/lab");
        let one = Place::take(&at).unwrap();
        let two = Place::take(&at).unwrap();
        assert_eq!(one.journal, Place::first(&at));
        assert_ne!(one.journal, two.journal);
        let left = one.journal.clone();
        drop(one);
        assert_eq!(Place::take(&at).unwrap().journal, left);
    }
}
