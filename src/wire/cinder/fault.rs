//! Errors as they are sent, in the three shapes that there are, and what they are in the user's words.

use serde_json::Value;

use crate::model::{Problem, ProblemKind};

/// What an error says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its name (`itemNotFound`), where it has one.
    pub name: String,
    /// Its text.
    pub message: String,
}

/// Reads an error; `None` where the body is none.
#[must_use]
pub fn fault(body: &[u8]) -> Option<Fault> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let map = value.as_object()?;
    // Of the layers before the service.
    if let Some(message) = map.get("message").and_then(Value::as_str) {
        let name = map.get("title").and_then(Value::as_str).unwrap_or_default();
        return Some(Fault {
            name: name.to_owned(),
            message: without_markup(message),
        });
    }
    // Of the service, of what checks tokens, and of Keystone: by a name.
    let (name, inner) = map
        .iter()
        .find(|(_, inner)| inner.get("message").is_some())?;
    Some(Fault {
        name: name.clone(),
        message: inner.get("message")?.as_str()?.to_owned(),
    })
}

fn without_markup(text: &str) -> String {
    let plain = text.replace("<br />", " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The problem that an answer is, while `what` was being done.
#[must_use]
pub fn problem(status: u16, body: &[u8], what: impl Into<String>) -> Problem {
    let fault = fault(body);
    let message = fault.as_ref().map_or("", |fault| fault.message.as_str());
    // A thing that is in no state for it is told as a bad request.
    let state = message.starts_with("Invalid ") && !message.starts_with("Invalid input");
    let kind = match status {
        400 if state => ProblemKind::Conflict,
        400 | 405 | 406 | 415 => ProblemKind::User,
        401 | 403 => ProblemKind::Auth,
        404 => ProblemKind::NotFound,
        409 => ProblemKind::Conflict,
        413 => ProblemKind::Quota,
        429 => ProblemKind::Network,
        _ => ProblemKind::System,
    };
    let mut problem = Problem::new(kind, what);
    problem = match fault {
        Some(fault) => problem.because(format!("{} ({status} {})", fault.message, fault.name)),
        None => problem.because(format!("the answer was {status}, and said nothing of use")),
    };
    match status {
        401 => problem.hint(
            "the token was not taken, nor a new one: `snapdeck doctor PROFILE` looks into it",
        ),
        403 => problem.hint("the account may not do this; ask who gives the roles"),
        413 => problem.hint("delete what is not needed, or ask for a larger quota"),
        429 | 503 => problem.hint("the system is busy: try again in a while"),
        500 | 502 | 504 => problem.hint("the system's own log says more, by the id of the request"),
        _ => problem,
    }
}
