//! Writes a recording while the console runs, on a thread of its own: a slow disk makes no key wait.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use super::withhold::Secrets;
use super::{Entry, FORM, Header, crash};
use crate::model::{Problem, ProblemKind};
use crate::tui::event::{Event, Moment};
use crate::tui::state::{Beginning, State};

/// What happened last is always kept for a crash file; all of it where a recording was asked for.
pub(crate) struct Recorder {
    secrets: Mutex<Secrets>,
    to: Option<Tape>,
}

/// A file that is being written.
struct Tape {
    entries: Option<Sender<Entry>>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<Mutex<Option<Problem>>>,
}

impl Recorder {
    /// Begins. A file that is there is not written over.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub(crate) fn start(beginning: &Beginning, file: Option<&Path>) -> Result<Self, Problem> {
        let secrets = Secrets::of(&beginning.system);
        let mut beginning = beginning.clone();
        beginning.listed = Secrets::listed(&beginning.listed);
        for task in &mut beginning.tasks {
            *task = Arc::new(secrets.task(task));
        }
        let to = file.map(|path| Tape::start(beginning, path)).transpose()?;
        Ok(Self {
            secrets: Mutex::new(secrets),
            to,
        })
    }

    /// Takes in what happens to a console in this state.
    pub(crate) fn keep(&self, state: &State, at: Moment, event: &Event) {
        let typing = state.takes_secret();
        if let Some(entries) = self.to.as_ref().and_then(|tape| tape.entries.as_ref()) {
            let event = self.secrets.lock().withhold(event, typing);
            // Once the thread has failed, that is told and nothing more is kept.
            let _ = entries.send(Entry { at, event });
        }
        crash::note(at, event, typing);
    }

    /// Why it could not be written on, told once.
    pub(crate) fn failed(&self) -> Option<Problem> {
        self.to.as_ref()?.failed.lock().take()
    }
}

impl Tape {
    fn start(beginning: Beginning, path: &Path) -> Result<Self, Problem> {
        let file = File::options()
            .write(true)
            .create_new(true)
            // It holds whatever was on the screen.
            .mode(0o600)
            .open(path)
            .map_err(|e| problem(path, &e))?;
        let header = Header {
            form: FORM,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            beginning,
        };
        let failed = Arc::new(Mutex::new(None));
        let (sender, entries) = mpsc::channel();
        let (tell, path) = (failed.clone(), path.to_owned());
        let thread = std::thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || {
                if let Err(e) = write(&file, &header, &entries) {
                    *tell.lock() = Some(problem(&path, &e));
                }
            })
            .map_err(|e| Problem::new(ProblemKind::System, "nothing is recorded").caused_by(&e))?;
        Ok(Self {
            entries: Some(sender),
            thread: Some(thread),
            failed,
        })
    }
}

/// Writes each line as it comes, and all of them out whenever there is none to come at once.
fn write(file: &File, header: &Header, entries: &Receiver<Entry>) -> std::io::Result<()> {
    let mut out = BufWriter::new(file);
    serde_json::to_writer(&mut out, header)?;
    out.write_all(b"\n")?;
    loop {
        let entry = match entries.try_recv() {
            Ok(entry) => entry,
            Err(TryRecvError::Disconnected) => return out.flush(),
            Err(TryRecvError::Empty) => {
                out.flush()?;
                match entries.recv() {
                    Ok(entry) => entry,
                    Err(_) => return Ok(()),
                }
            }
        };
        serde_json::to_writer(&mut out, &entry)?;
        out.write_all(b"\n")?;
    }
}

fn problem(path: &Path, error: &std::io::Error) -> Problem {
    let path: PathBuf = path.to_owned();
    let problem = Problem::new(
        ProblemKind::System,
        format!("the recording {} cannot be written", path.display()),
    )
    .caused_by(error);
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        return problem.hint("name a file that is not there yet");
    }
    problem
}

impl Drop for Tape {
    fn drop(&mut self) {
        // Ends the thread, once it has written what there is.
        self.entries = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
