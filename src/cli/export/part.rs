//! What an export writes to: a file beside its place, moved there when it is whole, or
//! standard output.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::model::{Problem, ProblemKind};

/// Zeroes are written to a stream in pieces of this, in bytes.
static ZEROES: [u8; 1 << 16] = [0; 1 << 16];

/// What is known of an export that has not come to its end; kept beside the part that is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The id of the snapshot.
    pub(super) source: String,
    /// The id of the snapshot that the difference is since.
    pub(super) since: Option<String>,
    /// The format.
    pub(super) format: String,
    /// All before this is in the part and on the medium, in bytes of the snapshot.
    pub(super) position: u64,
    /// How long the part is then, where it is written from its first byte to its last.
    pub(super) length: u64,
    /// The SHA-256 of so much of it, in hexadecimal digits.
    pub(super) digest: Option<String>,
}

/// A file that is being written, under a name of its own beside its place.
pub(super) struct Part {
    place: PathBuf,
    path: PathBuf,
    file: File,
    /// What was there of it already.
    found: Option<State>,
}

/// What an export writes to.
pub(super) enum Output {
    /// A file.
    File(Part),
    /// Standard output, from the first byte to the last.
    Stream {
        /// Where it is.
        out: io::Stdout,
        /// How much was written.
        at: u64,
    },
}

/// The problem that a path cannot be written.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Problem {
    use io::ErrorKind as E;
    let kind = match error.kind() {
        E::StorageFull | E::QuotaExceeded | E::FileTooLarge => ProblemKind::Quota,
        E::NotFound | E::PermissionDenied => ProblemKind::User,
        _ => ProblemKind::System,
    };
    Problem::new(kind, format!("{} cannot be written", path.display())).caused_by(error)
}

/// A name beside the file.
fn beside(file: &Path, ending: &str) -> Result<PathBuf, Problem> {
    let name = file
        .file_name()
        .ok_or_else(|| Problem::user(format!("{} is not the name of a file", file.display())))?;
    let mut part = OsString::from(".");
    part.push(name);
    part.push(ending);
    Ok(file.with_file_name(part))
}

impl Part {
    /// Opens the part of `place`; nobody else writes it meanwhile. With `resume` what is there of
    /// it is kept.
    ///
    /// # Errors
    /// Where the place is taken and is not to be replaced, or the part cannot be written.
    pub(super) fn open(place: &Path, force: bool, resume: bool) -> Result<Self, Problem> {
        match std::fs::symlink_metadata(place) {
            Ok(there) if !there.is_file() => {
                return Err(Problem::user(format!(
                    "{} is not a regular file",
                    place.display()
                )));
            }
            Ok(there) if there.len() > 0 && !force => {
                return Err(
                    Problem::conflict(format!("{} is there already", place.display()))
                        .hint("name another file, or say --force to replace it"),
                );
            }
            _ => {}
        }
        let path = beside(place, ".part")?;
        let failed = |e: &io::Error| unwritable(&path, e);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| failed(&e))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Problem::conflict(format!(
                "{} is being written by another export",
                place.display()
            ))
            .hint("wait for it, or name another file"));
        }
        let mut part = Self {
            place: place.to_owned(),
            path,
            file,
            found: None,
        };
        if resume {
            part.found = part.state_path().ok().and_then(|path| {
                let text = std::fs::read(path).ok()?;
                serde_json::from_slice(&text).ok()
            });
        }
        if part.found.is_none() {
            part.forget();
            part.file
                .set_len(0)
                .map_err(|e| unwritable(&part.path, &e))?;
        }
        Ok(part)
    }

    /// What was there already.
    pub(super) fn found(&self) -> Option<&State> {
        self.found.as_ref()
    }

    /// Where it is written.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it is to be.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// The file itself.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    fn state_path(&self) -> Result<PathBuf, Problem> {
        beside(&self.place, ".part.state")
    }

    fn forget(&self) {
        if let Ok(state) = self.state_path() {
            let _ = std::fs::remove_file(state);
        }
    }

    /// Brings what was written to the medium, then how far it has come.
    pub(super) fn keep(&self, state: &State) -> Result<(), Problem> {
        self.file
            .sync_data()
            .map_err(|e| unwritable(&self.path, &e))?;
        let path = self.state_path()?;
        let new = beside(&self.place, ".part.state.new")?;
        let write = || -> io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec(state).map_err(io::Error::other)?)?;
            file.sync_data()?;
            std::fs::rename(&new, &path)
        };
        write().map_err(|e| {
            let _ = std::fs::remove_file(&new);
            unwritable(&path, &e)
        })
    }

    /// Removes what was written.
    pub(super) fn remove(&self) {
        self.forget();
        let _ = std::fs::remove_file(&self.path);
    }

    /// Brings all to the medium, and moves it to its place.
    fn finish(&self) -> Result<(), Problem> {
        let failed = |e: &io::Error| unwritable(&self.place, e);
        self.file.sync_all().map_err(|e| failed(&e))?;
        std::fs::rename(&self.path, &self.place).map_err(|e| failed(&e))?;
        self.forget();
        // The name is on the medium once its folder is; not every file system can be asked.
        let folder = match self.place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Output {
    /// Standard output.
    pub(super) fn stream() -> Self {
        Self::Stream {
            out: io::stdout(),
            at: 0,
        }
    }

    /// Writes at an offset; what is left out before it reads as zeroes.
    pub(super) fn put(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File(part) => part.file.write_all_at(bytes, offset),
            Self::Stream { out, at } => {
                let mut out = out.lock();
                while *at < offset {
                    let n = (offset - *at).min(ZEROES.len() as u64);
                    out.write_all(ZEROES.get(..n as usize).unwrap_or(&ZEROES))?;
                    *at += n;
                }
                out.write_all(bytes)?;
                *at += bytes.len() as u64;
                Ok(())
            }
        }
    }

    /// Makes it so long, with zeroes at the end.
    pub(super) fn end_at(&mut self, length: u64) -> io::Result<()> {
        match self {
            Self::File(part) => part.file.set_len(length),
            Self::Stream { .. } => {
                self.put(length, &[])?;
                io::stdout().flush()
            }
        }
    }

    /// The part of a file.
    pub(super) fn part(&self) -> Option<&Part> {
        match self {
            Self::File(part) => Some(part),
            Self::Stream { .. } => None,
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(&self) -> Result<(), Problem> {
        match self {
            Self::File(part) => part.finish(),
            Self::Stream { .. } => Ok(()),
        }
    }

    /// The problem that it cannot be written.
    pub(super) fn failed(&self, error: &io::Error) -> Problem {
        Self::failure(self.part().map(Part::place), error)
    }

    /// The problem that a file, or standard output, cannot be written.
    pub(super) fn failure(place: Option<&Path>, error: &io::Error) -> Problem {
        match place {
            Some(place) => unwritable(place, error),
            None if error.kind() == io::ErrorKind::BrokenPipe => Problem::new(
                ProblemKind::System,
                "whoever reads standard output has gone away: the export is not whole",
            ),
            None => unwritable(Path::new("standard output"), error),
        }
    }
}
