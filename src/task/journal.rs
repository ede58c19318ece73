//! The journal: one line of JSON for each thing that happened to a task, appended and
//! synced before what it announces is done. Nothing is ever rewritten.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{Plan, StepEvent, Task, TaskId, Time};

/// What one line holds.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// When, in UTC.
    at: Time,
    /// Which task.
    task: TaskId,
    /// What.
    #[serde(flatten)]
    entry: Entry,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Entry {
    Accepted { plan: Box<Plan>, by: String },
    Event(StepEvent),
}

/// Why the journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be opened or read.
    #[error("the journal {} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line could not be written to the medium.
    #[error("the journal {} cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Room that is kept behind the journal's end, in bytes, so that what makes room on a full disk
/// can still be written down.
const RESERVE: u64 = 256 << 10;

impl JournalError {
    /// What the system said.
    #[must_use]
    pub fn kind(&self) -> std::io::ErrorKind {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => source.kind(),
        }
    }
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// `None` where the journal is only looked at.
    file: Option<File>,
    /// Up to where there is room, in bytes.
    reserved: u64,
}

/// What a journal held when it was opened.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Every task, folded.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Lines that could not be understood: hurt, or of a later version.
    pub skipped: usize,
}

impl Journal {
    /// Opens the journal at `path` for appending, and reads what it holds. A last line
    /// that a crash cut short is taken away; nothing that it announced was begun.
    ///
    /// # Errors
    /// [`JournalError::Read`].
    pub fn open(path: &Path) -> Result<(Self, Loaded), JournalError> {
        let read = |source| JournalError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)
            .map_err(read)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(read)?;
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(read)?;
            file.seek(SeekFrom::End(0)).map_err(read)?;
        }
        let mut journal = Self {
            path: path.to_owned(),
            file: Some(file),
            reserved: 0,
        };
        journal.reserve(whole as u64);
        Ok((journal, fold(&bytes[..whole])))
    }

    /// Reads the journal at `path` and changes nothing. One that is not there is empty.
    ///
    /// # Errors
    /// [`JournalError::Read`].
    pub fn look(path: &Path) -> Result<(Self, Loaded), JournalError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => {
                return Err(JournalError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let journal = Self {
            path: path.to_owned(),
            file: None,
            reserved: 0,
        };
        Ok((journal, fold(&bytes)))
    }

    /// Keeps room behind the end at `len`, where there is some to be had.
    fn reserve(&mut self, len: u64) {
        let Some(file) = &self.file else {
            return;
        };
        if self.reserved >= len + RESERVE / 2 {
            return;
        }
        let keep = rustix::fs::FallocateFlags::KEEP_SIZE;
        // Without it all goes well until the disk is full.
        if rustix::fs::fallocate(file, keep, len, RESERVE).is_ok() {
            self.reserved = len + RESERVE;
        }
    }

    /// Records that a task was accepted.
    ///
    /// # Errors
    /// [`JournalError::Write`]: then nothing may be begun.
    pub fn accepted(&mut self, task: &Task) -> Result<(), JournalError> {
        self.append(&Line {
            at: task.created,
            task: task.id.clone(),
            entry: Entry::Accepted {
                plan: Box::new(task.plan.clone()),
                by: task.by.clone(),
            },
        })
    }

    /// Records an event of a task.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn event(
        &mut self,
        task: &TaskId,
        event: &StepEvent,
        at: Time,
    ) -> Result<(), JournalError> {
        self.append(&Line {
            at,
            task: task.clone(),
            entry: Entry::Event(event.clone()),
        })
    }

    fn append(&mut self, line: &Line) -> Result<(), JournalError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let write = |source| JournalError::Write {
            path: self.path.clone(),
            source,
        };
        let mut text = serde_json::to_vec(line).map_err(|e| write(e.into()))?;
        text.push(b'\n');
        let before = file.metadata().map_err(write)?.len();
        file.write_all(&text)
            .and_then(|()| file.sync_data())
            .map_err(|e| {
                // Half a line would spoil the next one; what cannot be taken back is
                // skipped as a hurt line by the next reader.
                let _ = file.set_len(before);
                write(e)
            })?;
        self.reserve(before + text.len() as u64);
        Ok(())
    }
}

fn fold(bytes: &[u8]) -> Loaded {
    let mut loaded = Loaded::default();
    for line in bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        let Ok(line) = serde_json::from_slice::<Line>(line) else {
            loaded.skipped += 1;
            continue;
        };
        match line.entry {
            Entry::Accepted { plan, by } => {
                let task = Task::new(line.task.clone(), *plan, by, line.at);
                loaded.tasks.insert(line.task, task);
            }
            Entry::Event(event) => match loaded.tasks.get_mut(&line.task) {
                Some(task) => task.apply(&event, line.at),
                None => loaded.skipped += 1,
            },
        }
    }
    loaded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Bytes, Operation, OperationKind, PlannedStep, StepOutcome, TaskState, Undo,
    };

    fn task(id: &str) -> Task {
        let step = PlannedStep {
            name: "make".into(),
            title: "making".into(),
            call: String::new(),
            follows: false,
            pauses: false,
        };
        let plan = Plan {
            operation: Operation::new(OperationKind::CreateVolume).text("name", "db"),
            subject: "db".into(),
            summary: "make db".into(),
            steps: vec![step],
            touches: Vec::new(),
            losses: Vec::new(),
            copies: Bytes(0),
            undo: Undo::Never("it is a test".into()),
            notes: Vec::new(),
            confirm: None,
        };
        Task::new(id.into(), plan, "test".into(), Time::UNIX_EPOCH)
    }

    #[test]
    fn what_was_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let (mut journal, loaded) = Journal::open(&path).unwrap();
        assert!(loaded.tasks.is_empty());
        let mut want = task("1");
        journal.accepted(&want).unwrap();
        let at = Time::from_second(5).unwrap();
        for event in [
            StepEvent::Started { step: 0 },
            StepEvent::Done {
                step: 0,
                outcome: StepOutcome::default(),
            },
            StepEvent::Finished {
                state: TaskState::Succeeded,
            },
        ] {
            journal.event(&want.id, &event, at).unwrap();
            want.apply(&event, at);
        }
        drop(journal);
        let (_, loaded) = Journal::open(&path).unwrap();
        assert_eq!(loaded.tasks.values().collect::<Vec<_>>(), [&want]);
        assert_eq!(loaded.skipped, 0);
    }

    #[test]
    fn every_cut_loses_at_most_the_last_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.accepted(&task("1")).unwrap();
        journal
            .event(
                &"1".into(),
                &StepEvent::Started { step: 0 },
                Time::UNIX_EPOCH,
            )
            .unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let first = bytes.iter().position(|&b| b == b'\n').unwrap() + 1;
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let (mut journal, loaded) = Journal::open(&path).unwrap();
            assert_eq!(
                loaded.tasks.len(),
                usize::from(cut >= first),
                "cut at {cut}"
            );
            assert_eq!(loaded.skipped, 0);
            // And it can be written on.
            journal.accepted(&task("2")).unwrap();
            let (_, loaded) = Journal::look(&path).unwrap();
            assert!(loaded.tasks.contains_key(&TaskId::from("2")));
            assert_eq!(loaded.skipped, 0);
        }
    }

    #[test]
    fn a_hurt_line_hurts_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.accepted(&task("1")).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(b"\xff\xfe{nonsense\n");
        std::fs::write(&path, &bytes).unwrap();
        let (mut journal, loaded) = Journal::open(&path).unwrap();
        assert_eq!((loaded.tasks.len(), loaded.skipped), (1, 1));
        journal.accepted(&task("2")).unwrap();
        assert_eq!(Journal::look(&path).unwrap().1.tasks.len(), 2);
    }
}
