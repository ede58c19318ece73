//! The tools of the system that tests hold the program against.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says so by ending"
)]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use std::process::{Command, Stdio};

/// The tools, and the Debian packages that they come in.
const PACKAGES: [(&str, &str); 11] = [
    ("nbdinfo", "libnbd-bin"),
    ("nbdcopy", "libnbd-bin"),
    ("qemu-img", "qemu-utils"),
    ("qemu-io", "qemu-utils"),
    ("fio", "fio"),
    ("mkfs.ext4", "e2fsprogs"),
    ("e2fsck", "e2fsprogs"),
    ("debugfs", "e2fsprogs"),
    ("secret-tool", "libsecret-tools"),
    ("gnome-keyring-daemon", "gnome-keyring"),
    ("dbus-run-session", "dbus"),
];

fn search_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{path}:/usr/sbin:/sbin")
}

/// Whether these tools are here. Where one is missing the test is not run and says which package
/// has it; on a CI machine, where all are to be installed, it fails.
pub fn have(tools: &[&str]) -> bool {
    let path = search_path();
    let there = |tool: &str| {
        path.split(':')
            .any(|dir| std::path::Path::new(dir).join(tool).exists())
    };
    let Some(tool) = tools.iter().find(|tool| !there(tool)) else {
        return true;
    };
    let package = PACKAGES.iter().find(|(name, _)| name == tool);
    let package = package.map_or(*tool, |(_, package)| *package);
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
