//! The system's keyring: the Secret Service that desktops have (GNOME Keyring, KWallet, KeePassXC), asked by libsecret's
//! own `secret-tool`, so that no D-Bus client comes along. A secret is found by two attributes, `service` (`snapdeck`) and
//! `profile`; it goes through pipes and the terminal alone, and never stands among the arguments of a process.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use super::secret::LONGEST;
use crate::model::{Problem, ProblemKind};

const TOOL: &str = "secret-tool";

fn attributes(name: &str) -> [&str; 4] {
    ["service", "snapdeck", "profile", name]
}

/// The tool is not there, or cannot be run.
fn not_run(error: &std::io::Error) -> Problem {
    let problem = Problem::new(ProblemKind::Config, "the keyring cannot be asked");
    match error.kind() {
        ErrorKind::NotFound => problem
            .because(format!("there is no {TOOL}"))
            .hint("install it (libsecret-tools, libsecret), or keep the secret elsewhere"),
        _ => problem.caused_by(error),
    }
}

/// The secret that the keyring holds under this name. Waits while the user unlocks it.
pub(super) fn find(name: &str) -> Result<String, Problem> {
    let output = Command::new(TOOL)
        .arg("lookup")
        .args(attributes(name))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| not_run(&e))?;
    let failed = |why: String| {
        let what = format!("the keyring gave no secret for \"{name}\"");
        Problem::new(ProblemKind::Config, what).because(why)
    };
    let said = String::from_utf8_lossy(&output.stderr);
    match said.lines().map(str::trim).find(|line| !line.is_empty()) {
        _ if output.status.success() && !output.stdout.is_empty() => {}
        // It says nothing where it has looked and there is none.
        None => {
            return Err(failed("there is none of this name".to_owned())
                .hint("put it there with `snapdeck profile secret`"));
        }
        Some(line) => {
            return Err(failed(line.to_owned())
                .hint("over SSH there is no keyring as a rule: keep the secret elsewhere"));
        }
    }
    if output.stdout.len() > LONGEST {
        return Err(failed(format!("it is longer than {LONGEST} bytes")));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("it is no text".to_owned()))
}

/// Puts a secret into the keyring under this name. The tool itself asks for it where standard input is a terminal, and
/// shows nothing of what is typed; otherwise it reads all of standard input.
///
/// # Errors
/// Where there is no keyring, or it does not take it.
pub fn keep(name: &str) -> Result<(), Problem> {
    let status = Command::new(TOOL)
        .args(["store", "--label", &format!("snapdeck: {name}")])
        .args(attributes(name))
        .status()
        .map_err(|e| not_run(&e))?;
    match status.success() {
        true => Ok(()),
        false => Err(
            Problem::new(ProblemKind::Config, "the keyring did not take the secret")
                .because(format!("{TOOL} ended with {status}"))
                .hint("over SSH there is no keyring as a rule: keep the secret elsewhere"),
        ),
    }
}
