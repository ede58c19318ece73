//! The real program as an NBD server, and the real tools as its clients.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says so by ending"
)]
#![allow(unreachable_pub, reason = "the test file uses it")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use super::Deck;

/// The tools, and the Debian packages that they come in.
const PACKAGES: [(&str, &str); 7] = [
    ("nbdinfo", "libnbd-bin"),
    ("nbdcopy", "libnbd-bin"),
    ("qemu-img", "qemu-utils"),
    ("qemu-io", "qemu-utils"),
    ("fio", "fio"),
    ("mkfs.ext4", "e2fsprogs"),
    ("e2fsck", "e2fsprogs"),
];

fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

/// Whether the tools are here. Where one is missing the test is not run and says which package
/// has it; on a CI machine, where all are to be installed, it fails.
pub fn ready() -> bool {
    let path = search_path();
    let there = |tool: &str| {
        path.split(':')
            .any(|dir| std::path::Path::new(dir).join(tool).exists())
    };
    let Some((tool, package)) = PACKAGES.iter().find(|(tool, _)| !there(tool)) else {
        return true;
    };
    let missing = format!("{tool} is missing: install the package {package}");
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    eprintln!("not run: {missing}");
    false
}

/// A tool of the system.
pub fn command(program: &str, args: &[&str]) -> Command {
    let path = search_path();
    let mut command = Command::new(program);
    command.args(args).env("PATH", path).stdin(Stdio::null());
    command
}

/// Runs a tool; whether it succeeded, and all that it said.
pub fn try_run(program: &str, args: &[&str]) -> (bool, String) {
    let output = command(program, args).output().unwrap();
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

/// Runs a tool, and it succeeds; its standard output.
pub fn run(program: &str, args: &[&str]) -> String {
    let output = command(program, args).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
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
