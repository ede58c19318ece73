//! Asking before something is done that nothing brings back.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::{plan_text, text};
use crate::model::{Plan, Problem};

/// Asks where the plan wants to be confirmed: for the name to be typed where nothing brings back
/// what would be gone, for a yes where what a volume holds is replaced.
///
/// # Errors
/// Where the answer was no, or nobody is there to ask.
#[allow(clippy::print_stderr, reason = "questions go to standard error")]
pub(super) fn confirm(plan: &Plan, yes: bool) -> Result<(), Problem> {
    let (question, answers) = match &plan.confirm {
        _ if yes => return Ok(()),
        Some(name) => (
            format!("type {} to do it: ", text::visible(name)),
            vec![name.as_str()],
        ),
        None if plan.replaces_content() => ("do it? [y/N] ".to_owned(), vec!["y", "Y", "yes"]),
        None => return Ok(()),
    };
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let what = match plan.confirm {
            Some(_) => "it cannot be undone",
            None => "it replaces what a volume holds",
        };
        return Err(Problem::user(format!("not done: {}", plan.summary))
            .because(what)
            .hint("look at it with --plan, then say --yes"));
    }
    eprint!("{}{question}", plan_text::plan(plan));
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    match stdin.lock().read_line(&mut line) {
        Ok(_) if answers.contains(&line.trim_end_matches(['\r', '\n'])) => Ok(()),
        _ => Err(Problem::user(
            "not done: the answer was not the one that does it",
        )),
    }
}
