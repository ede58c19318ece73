//! One process at a time: an advisory lock on the file `LOCK`.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::engine::error::{EngineError, Result};

/// The name of the lock file in a store's directory.
pub(in crate::engine) const LOCK_FILE: &str = "LOCK";

/// The lock, held until it is dropped. The system drops it when the process dies.
#[derive(Debug)]
pub(in crate::engine) struct StoreLock {
    _file: File,
}

impl StoreLock {
    /// Takes the lock of the store in `dir`.
    ///
    /// # Errors
    /// [`EngineError::Locked`] with the holder's process id if it is taken.
    pub(in crate::engine) fn take(dir: &Path) -> Result<Self> {
        let path = dir.join(LOCK_FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| EngineError::io(format!("opening {}", path.display()), e))?;
        if let Err(errno) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if errno == rustix::io::Errno::WOULDBLOCK {
                let mut text = String::new();
                // A holder that has not written itself down yet is shown as 0.
                let pid = match file.read_to_string(&mut text) {
                    Ok(_) => text.trim().parse().unwrap_or(0),
                    Err(_) => 0,
                };
                return Err(EngineError::Locked {
                    pid,
                    dir: dir.to_owned(),
                });
            }
            return Err(EngineError::io(
                format!("locking {}", path.display()),
                errno.into(),
            ));
        }
        let mut note = || -> std::io::Result<()> {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            writeln!(file, "{}", std::process::id())
        };
        // On a full disk the number cannot be written; the lock holds all the same.
        let _ = note();
        Ok(Self { _file: file })
    }
}
