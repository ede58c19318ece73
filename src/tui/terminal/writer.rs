//! Writes frames on a thread of its own, one at a time: a slow terminal makes the console skip
//! frames, and never makes it deaf.

use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use super::session::{output, write_frame};
use crate::model::{Problem, ProblemKind};

#[derive(Default)]
struct Shared {
    state: Mutex<Status>,
    idle: Condvar,
    told: Notify,
}

#[derive(Default)]
struct Status {
    busy: bool,
    failed: Option<String>,
}

/// The thread that writes to the terminal.
pub(crate) struct Writer {
    frames: SyncSender<Vec<u8>>,
    shared: Arc<Shared>,
}

impl Writer {
    /// Starts the thread. It ends when the writer is dropped.
    ///
    /// # Errors
    /// Where there is no terminal or no thread to be had.
    pub(crate) fn start() -> Result<Self, Problem> {
        let problem = |e: std::io::Error| {
            Problem::new(ProblemKind::System, "the terminal cannot be written to").caused_by(&e)
        };
        let mut terminal = output().map_err(problem)?;
        let shared = Arc::new(Shared::default());
        let (frames, queue) = mpsc::sync_channel::<Vec<u8>>(1);
        let told = shared.clone();
        std::thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(move || {
                while let Ok(frame) = queue.recv() {
                    let result = write_frame(&mut terminal, &frame);
                    let mut state = told.state.lock();
                    state.busy = false;
                    if let Err(error) = result {
                        state.failed = Some(error.to_string());
                    }
                    drop(state);
                    told.idle.notify_all();
                    told.told.notify_one();
                }
            })
            .map_err(problem)?;
        Ok(Self { frames, shared })
    }

    /// Whether the frame before is out.
    pub(crate) fn is_idle(&self) -> bool {
        !self.shared.state.lock().busy
    }

    /// Why writing failed, where it did: the terminal is gone.
    pub(crate) fn failed(&self) -> Option<String> {
        self.shared.state.lock().failed.clone()
    }

    /// Waits until the frame before is out.
    pub(crate) async fn ready(&self) {
        while !self.is_idle() {
            self.shared.told.notified().await;
        }
    }

    /// Writes a frame. To be called only when idle.
    pub(crate) fn send(&self, frame: Vec<u8>) {
        self.shared.state.lock().busy = true;
        if self.frames.send(frame).is_err() {
            let mut state = self.shared.state.lock();
            state.busy = false;
            state.failed = Some("the terminal's thread has ended".to_owned());
        }
    }

    /// Waits at most so long until all is out, and says whether it is.
    pub(crate) fn drain(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut state = self.shared.state.lock();
        while state.busy {
            if self.shared.idle.wait_until(&mut state, until).timed_out() {
                return !state.busy;
            }
        }
        true
    }
}
