//! Errors in all their shapes (section 5), and what they are in the user's words. "Never branch on text; branch on `code`."

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{Problem, ProblemKind};

/// How deep causes are followed.
const DEPTH: usize = 16;
/// How many causes are told.
const TOLD: usize = 40;

/// What went wrong (5.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorCode {
    /// "`PREFIX.number`; always present".
    pub code: String,
    /// "Fixed text of the code."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// "This occurrence."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// "Nested; follow to the end for the root."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<ErrorCode>>,
    /// "Several parallel causes; may sit where `cause` would."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causes: Option<Vec<ErrorCode>>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl ErrorCode {
    /// One line: what happened, with the code.
    #[must_use]
    pub fn line(&self) -> String {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let text = match (said(&self.description), said(&self.details)) {
            (Some(what), Some(details)) if what != details => format!("{what}: {details}"),
            (_, Some(only)) | (Some(only), None) => only,
            (None, None) => "no text".to_owned(),
        };
        let about = match self
            .rest
            .get("opaque")
            .and_then(|opaque| opaque.get("SNAPSHOT_UUID"))
        {
            Some(Value::String(snapshot)) => format!(" of snapshot {snapshot}"),
            _ => String::new(),
        };
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{text} ({}){about}", self.code)
    }

    /// The whole chain, the root last.
    #[must_use]
    pub fn chain(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.collect(&mut lines, DEPTH);
        lines.dedup();
        lines
    }

    fn collect(&self, lines: &mut Vec<String>, depth: usize) {
        lines.push(self.line());
        let below = self.cause.as_deref().into_iter();
        for cause in below.chain(self.causes.iter().flatten()) {
            if depth == 0 || lines.len() >= TOLD {
                return;
            }
            cause.collect(lines, depth - 1);
        }
    }

    /// This code, or one of its causes, begins so.
    #[must_use]
    pub fn has(&self, prefix: &str) -> bool {
        let mut all = vec![self];
        while let Some(one) = all.pop() {
            if one.code.starts_with(prefix) {
                return true;
            }
            all.extend(one.cause.as_deref());
            all.extend(one.causes.iter().flatten());
        }
        false
    }

    /// The problem that it is, while `what` was being done.
    #[must_use]
    pub fn problem(&self, what: impl Into<String>) -> Problem {
        let mut problem = Problem::new(self.kind(), what);
        problem.causes = self.chain();
        match self.code.as_str() {
            "ID.1000" => problem.hint("look at user and secret: the system does not say which is wrong"),
            "ID.1001" => problem.hint("neither the session nor a new one was taken: `snapdeck doctor PROFILE` looks into it"),
            "ID.1002" => problem.hint("the account may not do this; ask an administrator"),
            "ID.1003" => problem.hint("delete what is not needed, or ask for a larger quota"),
            "ID.1006" => problem.hint("sessions that are not used end after two hours; sign out elsewhere, or use an access key"),
            "ID.2001" => problem.hint("the account needs a further factor: use an access key"),
            "SYS.1010" | "SYS.1012" => problem.hint("the management server is starting, or gone: try again in a while"),
            _ => problem,
        }
    }

    fn kind(&self) -> ProblemKind {
        match self.code.as_str() {
            "ID.1000" | "ID.1001" | "ID.1002" | "ID.1006" | "ID.2001" => ProblemKind::Auth,
            "ID.1003" => ProblemKind::Quota,
            "SYS.1003" => ProblemKind::NotFound,
            "SYS.1006"
            | "VOLUME_SNAPSHOT.1000"
            | "VOLUME_SNAPSHOT.1001"
            | "VOLUME.1000"
            | "VM.1010" => ProblemKind::Conflict,
            "SYS.1007" => ProblemKind::User,
            "SYS.1010" | "SYS.1012" => ProblemKind::Network,
            _ => ProblemKind::System,
        }
    }
}

/// What an answer says that went wrong; `None` where it is no error of the API.
#[must_use]
pub fn fault(body: &[u8]) -> Option<ErrorCode> {
    #[derive(Deserialize)]
    struct Said {
        error: Option<ErrorCode>,
    }
    serde_json::from_slice::<Said>(body).ok()?.error
}

/// Whether it is the API that says no, as "anything" is said with 503 (1.4), and not somebody before it who is busy. A
/// server that is not ready may be in a moment.
#[must_use]
pub fn is_answer(status: u16, body: &[u8]) -> bool {
    status == 503
        && fault(body).is_some_and(|fault| !matches!(fault.code.as_str(), "SYS.1010" | "SYS.1012"))
}

/// Whether the session is none any more.
#[must_use]
pub fn is_stale(status: u16, body: &[u8]) -> bool {
    status == 503 && fault(body).is_some_and(|fault| fault.code == "ID.1001")
}

/// The problem that an answer is, while `what` was being done. "Protocol errors (400, 404, 405, 500) are **plain text, not
/// JSON**."
#[must_use]
pub fn problem(status: u16, body: &[u8], what: impl Into<String>) -> Problem {
    if let Some(fault) = fault(body) {
        return fault.problem(what);
    }
    let kind = match status {
        400 | 405 => ProblemKind::User,
        403 => ProblemKind::Auth,
        404 => ProblemKind::NotFound,
        429 | 502..=504 => ProblemKind::Network,
        _ => ProblemKind::System,
    };
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let problem = Problem::new(kind, what);
    let problem = match text.is_empty() || text.starts_with('<') {
        true => problem.because(format!("the answer was {status}, and said nothing of use")),
        false => problem.because(format!(
            "{} ({status})",
            text.chars().take(400).collect::<String>()
        )),
    };
    match status {
        403 => problem.hint(
            "the access key's time is more than 15 minutes from the server's: look at both clocks",
        ),
        404 => problem.hint("look at endpoint: as a rule the port is 8080 and the path is zstack"),
        429 | 502..=504 => problem.hint("the system is busy or away: try again in a while"),
        _ => problem,
    }
}
