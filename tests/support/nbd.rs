//! The real program as an NBD server, and the real tools as its clients.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says so by ending"
)]
#![allow(unreachable_pub, reason = "the test file uses it")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ExitStatus, Stdio};
use std::thread::JoinHandle;

use super::Deck;
use super::tools::{have, run};

/// Whether the tools are here that these tests need.
pub fn ready() -> bool {
    have(&[
        "nbdinfo",
        "nbdcopy",
        "qemu-img",
        "qemu-io",
        "fio",
        "mkfs.ext4",
        "e2fsck",
    ])
}

/// Runs qemu-io with these commands, and every one of them succeeds.
pub fn qemu_io(uri: &str, commands: &[&str]) -> String {
    let mut args = vec!["-f", "raw"];
    for command in commands {
        args.extend(["-c", command]);
    }
    args.push(uri);
    let said = run("qemu-io", &args);
    assert!(!said.contains("failed"), "{commands:?}: {said}");
    said
}

/// What `nbdinfo --map` says: offset, length and type of each stretch.
pub fn map(uri: &str, context: &str) -> Vec<(u64, u64, u64)> {
    let context = format!("--map={context}");
    let text = run("nbdinfo", &[&context, "--json", uri]);
    let stretches: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let number = |v: &serde_json::Value, key: &str| v[key].as_u64().unwrap();
    stretches
        .iter()
        .map(|v| (number(v, "offset"), number(v, "length"), number(v, "type")))
        .collect()
}

/// A server that runs.
pub struct Serving {
    child: Child,
    pub uri: String,
    rest: Option<JoinHandle<String>>,
}

impl Serving {
    /// At a Unix socket beside the store.
    pub fn unix(deck: &Deck, source: &str) -> Self {
        let socket = deck.path("nbd.sock");
        Self::start(deck, &["nbd", source, "--unix", &socket.to_string_lossy()])
    }

    /// With these arguments; it runs once it has said where.
    pub fn start(deck: &Deck, args: &[&str]) -> Self {
        let mut child = deck.command(args).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let uri = line.trim().rsplit(" at ").next().unwrap().to_owned();
        assert!(
            line.starts_with("serving ") && uri.starts_with("nbd"),
            "{line}"
        );
        let rest = std::thread::spawn(move || {
            let mut rest = String::new();
            stderr.read_to_string(&mut rest).unwrap();
            rest
        });
        Self {
            child,
            uri,
            rest: Some(rest),
        }
    }

    /// Asks it to stop; how it ended, and what it said after its first line.
    pub fn signal(mut self, signal: rustix::process::Signal) -> (ExitStatus, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
        let status = self.child.wait().unwrap();
        (status, self.rest.take().unwrap().join().unwrap())
    }

    /// Stops it, and it ends well.
    pub fn stop(self) -> String {
        let (status, said) = self.signal(rustix::process::Signal::TERM);
        assert!(status.success(), "{status}: {said}");
        said
    }

    /// Kills it in the midst of what it does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // A test that ends early leaves no server behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
