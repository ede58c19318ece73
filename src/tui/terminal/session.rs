//! Taking the terminal over, and giving it back whatever happens.

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::{Problem, ProblemKind};
use crate::tui::record::crash;

/// Whether the terminal is ours now; the panic hook gives it back at most once.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Held while a frame is written, and true while frames may be: what is given back must not be
/// painted over by a frame that was on its way.
static GATE: Mutex<bool> = Mutex::new(false);
/// How long giving back waits for a frame on its way.
const PATIENCE: Duration = Duration::from_millis(500);
static MOUSE: AtomicBool = AtomicBool::new(false);
/// Presses and the wheel, told in decimal.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";
static HOOK: Once = Once::new();
/// The thread that the console runs on: a panic elsewhere does not end it.
static CONSOLE: Mutex<Option<ThreadId>> = Mutex::new(None);
/// What panicked on other threads and was not told yet.
static FAULTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The terminal, taken over. Given back when it is dropped.
pub(crate) struct Session;

impl Session {
    /// Takes the terminal over. The bytes that switch its screen are returned, so that they
    /// go out with the first frame.
    ///
    /// # Errors
    /// Where standard input or output is no terminal.
    pub(crate) fn enter(mouse: bool) -> Result<(Self, Vec<u8>), Problem> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(Problem::user("the console needs a terminal")
                .hint("in a script use \"snapdeck get\" and \"snapdeck run\""));
        }
        HOOK.call_once(install_hook);
        here();
        let opening = Self::resume(mouse)?;
        Ok((Self, opening))
    }

    /// Takes the terminal over again after [`give_back`].
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub(crate) fn resume(mouse: bool) -> Result<Vec<u8>, Problem> {
        MOUSE.store(mouse, Ordering::SeqCst);
        crossterm::terminal::enable_raw_mode().map_err(|e| {
            Problem::new(ProblemKind::System, "the terminal cannot be taken over").caused_by(&e)
        })?;
        TAKEN.store(true, Ordering::SeqCst);
        *GATE.lock() = true;
        let mut opening = b"\x1b[?1049h\x1b[?2004h".to_vec();
        if mouse {
            opening.extend_from_slice(MOUSE_ON);
        }
        Ok(opening)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        give_back(true);
    }
}

/// The bytes that take the mouse, or leave it to the terminal.
pub(crate) fn take_mouse(on: bool) -> &'static [u8] {
    MOUSE.store(on, Ordering::SeqCst);
    if on { MOUSE_ON } else { MOUSE_OFF }
}

/// Says that the console runs on this thread.
pub(crate) fn here() {
    *CONSOLE.lock() = Some(std::thread::current().id());
}

/// What panicked on other threads since the last call.
pub(crate) fn faults() -> Vec<String> {
    std::mem::take(&mut *FAULTS.lock())
}

/// Puts the terminal back as it was found. `write` is false where writing to it would wait
/// for ever.
pub(crate) fn give_back(write: bool) {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // A terminal that takes nothing holds its frame for ever: then it is closed behind it.
    let gate = GATE.try_lock_for(PATIENCE).map(|mut open| *open = false);
    let write = write && gate.is_some();
    if write {
        let mut closing = b"\x1b[?2026l\x1b[m".to_vec();
        if MOUSE.load(Ordering::SeqCst) {
            closing.extend_from_slice(MOUSE_OFF);
        }
        closing.extend_from_slice(b"\x1b[?2004l\x1b[?25h\x1b[?1049l");
        // A terminal that is gone takes no bytes, and needs none.
        let _ = output().and_then(|mut terminal| terminal.write_all(&closing));
    }
    let _ = crossterm::terminal::disable_raw_mode();
}

/// Writes a frame, unless the terminal has been given back.
pub(super) fn write_frame(terminal: &mut File, frame: &[u8]) -> io::Result<()> {
    let open = GATE.lock();
    if *open {
        terminal.write_all(frame)
    } else {
        Ok(())
    }
}

/// Standard output without the buffer that would cut a frame at its line feeds.
pub(super) fn output() -> io::Result<File> {
    io::stdout().as_fd().try_clone_to_owned().map(File::from)
}

#[allow(
    clippy::print_stderr,
    reason = "the terminal has been given back, and this is the last word"
)]
fn install_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let taken = TAKEN.load(Ordering::SeqCst);
        if taken && *CONSOLE.lock() != Some(std::thread::current().id()) {
            // The console goes on: it shows this itself, and nothing may be printed over it.
            let mut fault = info.to_string();
            if let Some(path) = crash::leave(&fault) {
                fault.push_str(&format!("; what happened before is in {}", path.display()));
            }
            FAULTS.lock().push(fault);
            return;
        }
        give_back(true);
        before(info);
        if taken && let Some(path) = crash::leave(&info.to_string()) {
            eprintln!("What happened before is in {}", path.display());
        }
    }));
}
