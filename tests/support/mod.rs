//! The real program, and a store of its own for each test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A store in a folder that goes with the test.
pub struct Deck {
    pub dir: tempfile::TempDir,
}

impl Deck {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A path beside the store.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The store's directory.
    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// The program on this store, with no terminal and nothing of this user's.
    pub fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_snapdeck"));
        command
            .arg("--store")
            .arg(self.store())
            .args(args)
            .env_remove("SNAPDECK_STORE")
            .env("HOME", self.dir.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("XDG_STATE_HOME", self.path("state"))
            .stdin(std::process::Stdio::null());
        command
    }

    /// Runs it.
    pub fn output<S: AsRef<OsStr>>(&self, args: &[S]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs it, and it succeeds; its standard output.
    pub fn ok<S: AsRef<OsStr> + std::fmt::Debug>(&self, args: &[S]) -> String {
        let output = self.output(args);
        assert!(
            output.status.success(),
            "{args:?} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs it, and it fails with this exit code; its standard error. Nothing is on its
    /// standard output.
    pub fn fails<S: AsRef<OsStr> + std::fmt::Debug>(&self, code: i32, args: &[S]) -> String {
        let output = self.output(args);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(
            output.stdout.is_empty(),
            "{args:?} wrote to standard output"
        );
        stderr
    }

    /// A list as JSON.
    pub fn get(&self, kind: &str) -> Vec<serde_json::Value> {
        let text = self.ok(&["get", kind, "-o", "json"]);
        serde_json::from_str(&text).unwrap()
    }

    /// The one thing of this name in a list.
    pub fn one(&self, kind: &str, name: &str) -> serde_json::Value {
        let mut found: Vec<_> = self
            .get(kind)
            .into_iter()
            .filter(|v| v["name"] == name)
            .collect();
        assert_eq!(found.len(), 1, "{kind} called {name}");
        found.remove(0)
    }
}

/// Runs a tool of the system, and it succeeds.
pub fn tool(program: &str, args: &[&OsStr]) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new(program)
        .args(args)
        .env("PATH", format!("{path}:/usr/sbin:/sbin"))
        .output()
        .unwrap_or_else(|e| panic!("{program} cannot be run ({e}); install e2fsprogs"));
    assert!(
        output.status.success(),
        "{program} {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether two files hold the same bytes.
pub fn same(a: &Path, b: &Path) -> bool {
    std::fs::read(a).unwrap() == std::fs::read(b).unwrap()
}
