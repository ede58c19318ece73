//! Errors (section 6): of a call, and of a task.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::form::Form;
use crate::model::{Problem, ProblemKind};

/// An error as the system tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Its number, which does not change with the language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// What it is in general.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// Whether the same may be done later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Fault {
    /// What an error body says; `None` where it is none.
    #[must_use]
    pub fn read(media: &str, bytes: &[u8]) -> Option<Self> {
        let body = Form::of(media)?.read(&["error"], bytes).ok()?;
        let fault: Self = serde_json::from_value(body).ok()?;
        let says = fault.code.is_some() || fault.description.is_some() || fault.details.is_some();
        says.then_some(fault)
    }

    /// In the system's words: what it is in general, what it is here, and its number.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let texts = [&self.description, &self.details];
        let mut told: Vec<String> = texts
            .into_iter()
            .flatten()
            .map(|text| text.trim().trim_end_matches('.').to_owned())
            .filter(|text| !text.is_empty())
            .collect();
        told.dedup();
        if let Some(code) = self.code {
            let said = format!("error {code} of the system");
            match told.last_mut() {
                Some(last) => last.push_str(&format!(" ({said})")),
                None => told.push(said),
            }
        }
        told
    }
}

/// Whose matter an answer is (6.2 and 6.3).
fn kind(status: u16, fault: Option<&Fault>) -> ProblemKind {
    let code = fault.and_then(|fault| fault.code).unwrap_or_default();
    let again = fault.is_some_and(|fault| fault.retryable == Some(true));
    match (status, code) {
        (401, _) | (403, _) | (_, 1026 | 3000 | 3001 | 4000 | 10_000 | 10_001) => ProblemKind::Auth,
        // An id that names nothing is found missing in the path, and wrong in the body.
        (404, _) | (_, 1004 | 1006 | 2000 | 2001) => ProblemKind::NotFound,
        (_, 1013 | 1020 | 1042 | 1056) => ProblemKind::Conflict,
        (503 | 429, _) => ProblemKind::Network,
        (500.., _) if again => ProblemKind::Network,
        (400 | 405 | 406 | 415, _) => ProblemKind::User,
        _ => ProblemKind::System,
    }
}

/// The problem that an answer is, while `what` was being done.
#[must_use]
pub fn problem(status: u16, media: &str, bytes: &[u8], what: impl Into<String>) -> Problem {
    let fault = Fault::read(media, bytes);
    let mut problem = Problem::new(kind(status, fault.as_ref()), what);
    let Some(fault) = fault else {
        let problem = problem.because(format!("the system answered {status}"));
        return match bytes.is_empty() || Form::of(media).is_some() {
            true => problem,
            false => problem
                .because(format!(
                    "the answer is of the type \"{media}\", which is none of its own"
                ))
                .hint("a proxy or a portal may stand before the system; look at the endpoint"),
        };
    };
    problem.causes = fault.told();
    let hint = match fault.code {
        Some(1056) => "a task is under way on it: wait until it is over",
        Some(1020) => "take it away from its hosts first",
        Some(3001) => "the product has no licence there",
        Some(3000) => "it takes the role TENANT_ADMIN, or OWN or ALL on the project",
        Some(1007) => "the array does not have this",
        _ if fault.retryable == Some(true) => "the same may work later",
        _ => return problem,
    };
    problem.hint(hint)
}
