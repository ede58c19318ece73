//! Lines in and lines out, each on a thread of its own: a terminal that takes nothing, or gives nothing, holds nobody up.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::model::{Problem, ProblemKind};

/// A line is no longer than this, in bytes.
const LONGEST: u64 = 64 << 10;
/// So long somebody is waited for at the end who reads slowly.
const PARTING: Duration = Duration::from_secs(5);

fn no_thread(e: &std::io::Error) -> Problem {
    Problem::new(ProblemKind::System, "no thread can be started").caused_by(e)
}

/// Drops what was typed ahead on a terminal: it was not meant for the question that comes now.
pub(super) fn drop_typed() {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let _ = rustix::termios::tcflush(&stdin, rustix::termios::QueueSelector::IFlush);
    }
}

/// Lines that are typed, each taken when it is asked for.
pub(super) struct Input {
    asks: Sender<()>,
    lines: mpsc::Receiver<Option<String>>,
    /// A line was asked for, and did not come yet.
    asked: bool,
}

impl Input {
    /// Begins; nothing is read before a line is asked for.
    pub(super) fn start() -> Result<Self, Problem> {
        let (asks, asked) = channel::<()>();
        let (told, lines) = mpsc::channel(1);
        let read = move || {
            let stdin = std::io::stdin();
            let mut stdin = stdin.lock();
            while asked.recv().is_ok() {
                let mut line = Vec::new();
                let read = stdin.by_ref().take(LONGEST).read_until(b'\n', &mut line);
                let line = match read {
                    Ok(1..) => Some(
                        String::from_utf8_lossy(&line)
                            .trim_end_matches(['\n', '\r'])
                            .to_owned(),
                    ),
                    Ok(0) | Err(_) => None,
                };
                let ended = line.is_none();
                if told.blocking_send(line).is_err() || ended {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("input".to_owned());
        thread.spawn(read).map_err(|e| no_thread(&e))?;
        Ok(Self {
            asks,
            lines,
            asked: false,
        })
    }

    /// Asks for a line, where none is asked for yet.
    pub(super) fn ask(&mut self) {
        if !self.asked {
            self.asked = true;
            let _ = self.asks.send(());
        }
    }

    /// The line that was asked for; `None` at the end of the input.
    pub(super) async fn next(&mut self) -> Option<String> {
        if !self.asked {
            return std::future::pending().await;
        }
        let line = self.lines.recv().await.flatten();
        self.asked = false;
        line
    }
}

/// Lines that are appended.
pub(super) struct Output {
    lines: Option<Sender<String>>,
    thread: Option<JoinHandle<()>>,
    broken: Arc<AtomicBool>,
}

impl Output {
    /// Begins.
    pub(super) fn start() -> Result<Self, Problem> {
        let (lines, told) = channel::<String>();
        let broken = Arc::new(AtomicBool::new(false));
        let tell = broken.clone();
        let thread = std::thread::Builder::new().name("output".to_owned());
        let thread = thread.spawn(move || {
            if write(&told).is_err() {
                tell.store(true, Ordering::Relaxed);
            }
        });
        Ok(Self {
            lines: Some(lines),
            thread: Some(thread.map_err(|e| no_thread(&e))?),
            broken,
        })
    }

    /// Appends a clean line.
    pub(super) fn line(&self, clean: &str) {
        if let Some(lines) = &self.lines {
            let _ = lines.send(format!("{clean}\n"));
        }
    }

    /// Whether nobody reads any more.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Lets out what is left.
    pub(super) fn close(&mut self) {
        self.lines = None;
        let until = Instant::now() + PARTING;
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// Writes what comes; what is there at once goes out at once.
fn write(lines: &Receiver<String>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    while let Ok(line) = lines.recv() {
        out.write_all(line.as_bytes())?;
        while let Ok(more) = lines.try_recv() {
            out.write_all(more.as_bytes())?;
        }
        out.flush()?;
    }
    Ok(())
}
