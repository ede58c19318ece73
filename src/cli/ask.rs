//! Asking before something is done that nothing brings back.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::{plan_text, text};
use crate::model::{Plan, Problem};

/// Asks where the plan wants to be confirmed.
///
/// # Errors
/// Where the answer was no, or nobody is there to ask.
#[allow(clippy::print_stderr, reason = "questions go to standard error")]
pub(super) fn confirm(plan: &Plan, yes: bool) -> Result<(), Problem> {
    let Some(name) = &plan.confirm else {
        return Ok(());
    };
    if yes {
        return Ok(());
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(
            Problem::user(format!("not done: {} cannot be undone", plan.summary))
                .hint("look at it with --plan, then say --yes"),
        );
    }
    eprint!(
        "{}type {} to do it: ",
        plan_text::plan(plan),
        text::visible(name)
    );
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    match stdin.lock().read_line(&mut line) {
        Ok(_) if line.trim_end_matches(['\r', '\n']) == name => Ok(()),
        _ => Err(Problem::user("not done: the name was not typed")),
    }
}
