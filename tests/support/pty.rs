//! The real program in a real pseudo-terminal, with a terminal's screen behind it.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test says so by ending"
)]

use std::ffi::OsStr;
use std::io::{Read as _, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::support::Deck;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// Longer than anything takes on a busy machine; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

struct Screen {
    parser: vt100::Parser,
    /// Every byte that came, for what the screen does not tell.
    bytes: Vec<u8>,
    ended: bool,
}

/// A program that runs in a terminal.
pub struct Terminal {
    screen: Arc<(Mutex<Screen>, Condvar)>,
    input: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    /// Starts the program in a terminal of this size.
    pub fn start<S: AsRef<OsStr>>(deck: &Deck, args: &[S], cols: u16, rows: u16) -> Self {
        Self::start_with(deck, args, cols, rows, &[])
    }

    /// The same with other variables in its environment.
    pub fn start_with<S: AsRef<OsStr>>(
        deck: &Deck,
        args: &[S],
        cols: u16,
        rows: u16,
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_snapdeck"));
        command.arg("--store");
        command.arg(deck.store());
        for arg in args {
            command.arg(arg);
        }
        Self::run(deck, command, cols, rows, variables)
    }

    /// Runs any command so.
    pub fn run(
        deck: &Deck,
        mut command: CommandBuilder,
        cols: u16,
        rows: u16,
        variables: &[(&str, &str)],
    ) -> Self {
        let pair = native_pty_system()
            .openpty(PtySize {
                rows,
                cols,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", deck.dir.path());
        command.env("XDG_CONFIG_HOME", deck.path("config"));
        command.env("XDG_DATA_HOME", deck.path("data"));
        command.env("XDG_STATE_HOME", deck.path("state"));
        for name in ["NO_COLOR", "LC_ALL", "COLORTERM", "SNAPDECK_STORE"] {
            command.env_remove(name);
        }
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let input = pair.master.take_writer().unwrap();
        let screen = Arc::new((
            Mutex::new(Screen {
                parser: vt100::Parser::new(cells(rows), cells(cols), 0),
                bytes: Vec::new(),
                ended: false,
            }),
            Condvar::new(),
        ));
        let shared = screen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            loop {
                let n = output.read(&mut buffer).unwrap_or(0);
                let (screen, changed) = &*shared;
                let mut screen = screen.lock().unwrap();
                if n == 0 {
                    screen.ended = true;
                    changed.notify_all();
                    return;
                }
                screen.parser.process(&buffer[..n]);
                screen.bytes.extend_from_slice(&buffer[..n]);
                changed.notify_all();
            }
        });
        Self {
            screen,
            input,
            child,
            master: pair.master,
        }
    }

    /// What is on the screen, line by line.
    pub fn text(&self) -> String {
        let screen = self.screen.0.lock().unwrap();
        screen.parser.screen().contents()
    }

    /// Every byte that the program has written.
    pub fn bytes(&self) -> Vec<u8> {
        self.screen.0.lock().unwrap().bytes.clone()
    }

    /// Types.
    pub fn send(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// Types once a dialog takes input: it takes none for its first 300 ms.
    pub fn answer(&mut self, keys: &str) {
        std::thread::sleep(Duration::from_millis(350));
        self.send(keys);
    }

    /// Waits until the screen satisfies `want`; returns it.
    pub fn until(&self, what: &str, want: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let (screen, changed) = &*self.screen;
        let mut guard = screen.lock().unwrap();
        loop {
            let text = guard.parser.screen().contents();
            if want(&text) {
                return text;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero() && !guard.ended,
                "waited for {what}; {}the screen was:\n{text}",
                if guard.ended {
                    "the program ended; "
                } else {
                    ""
                }
            );
            guard = changed.wait_timeout(guard, left).unwrap().0;
        }
    }

    /// Waits until the program ends, or asks this; whether it asks.
    pub fn asks(&self, question: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let (screen, changed) = &*self.screen;
        let mut guard = screen.lock().unwrap();
        loop {
            if guard.ended || guard.parser.screen().contents().contains(question) {
                return !guard.ended;
            }
            assert!(
                Instant::now() < deadline,
                "it neither ends nor asks; the screen is:\n{}",
                guard.parser.screen().contents()
            );
            guard = changed
                .wait_timeout(guard, Duration::from_millis(100))
                .unwrap()
                .0;
        }
    }

    /// Waits until this text is on the screen; returns the screen.
    pub fn sees(&self, text: &str) -> String {
        self.until(text, |screen| screen.contains(text))
    }

    /// Waits until this text is gone from the screen.
    pub fn misses(&self, text: &str) -> String {
        self.until(&format!("no {text}"), |screen| !screen.contains(text))
    }

    /// Gives the terminal another size.
    pub fn resize(&self, cols: u16, rows: u16) {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.screen
            .0
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(cells(rows), cells(cols));
        self.master.resize(size).unwrap();
    }

    /// The process.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().unwrap()).unwrap()
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.pid()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the end; the exit code, and the terminal's last words.
    pub fn end(mut self) -> (u32, String, Vec<u8>) {
        let deadline = Instant::now() + PATIENCE;
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.exit_code();
            }
            assert!(
                Instant::now() < deadline,
                "it does not end:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        };
        let (screen, changed) = &*self.screen;
        let mut guard = screen.lock().unwrap();
        while !guard.ended && Instant::now() < deadline {
            guard = changed
                .wait_timeout(guard, Duration::from_millis(200))
                .unwrap()
                .0;
        }
        (code, guard.parser.screen().contents(), guard.bytes.clone())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn cells(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).unwrap()
}

/// The terminal was given back: main screen, cursor shown, no bracketed paste, no mouse.
pub fn restored(bytes: &[u8]) {
    let last = |sequence: &str| {
        let sequence = sequence.as_bytes();
        bytes.windows(sequence.len()).rposition(|w| w == sequence)
    };
    for (on, off) in [
        ("\x1b[?1049h", "\x1b[?1049l"),
        ("\x1b[?25l", "\x1b[?25h"),
        ("\x1b[?2004h", "\x1b[?2004l"),
        ("\x1b[?1000h", "\x1b[?1000l"),
        ("\x1b[?1006h", "\x1b[?1006l"),
        ("\x1b[?2026h", "\x1b[?2026l"),
    ] {
        assert!(last(on) <= last(off), "{on:?} was left on");
    }
    assert!(
        last("\x1b[?1049l").is_some(),
        "the screen was never given back"
    );
}
