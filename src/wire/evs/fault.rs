//! Errors in all their shapes (section 6), and what they are in the user's words.

use serde_json::{Map, Value};

use crate::model::{Problem, ProblemKind};

/// How deep an error is looked for.
const DEPTH: u32 = 8;

/// What an error says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its code (`EVS.1047`, `APIGW.0301`), or the name of its wrapper (`itemNotFound`) where it has none of its own.
    pub code: String,
    /// Its text.
    pub message: String,
    /// The id of the call, where the body tells it.
    pub request_id: Option<String>,
}

/// Reads an error, whatever its shape; `None` where the body is none.
///
/// "It looks for `encoded_authorization_message`; then `error_code`+`error_msg`; then `errorCode`+`errorMsg`; then
/// `code`+`message` at the top level; then it descends into every object value of the body and repeats" (6).
#[must_use]
pub fn fault(body: &[u8]) -> Option<Fault> {
    let value: Value = serde_json::from_slice(body).ok()?;
    find(value.as_object()?, "", DEPTH)
}

fn find(map: &Map<String, Value>, wrapper: &str, depth: u32) -> Option<Fault> {
    let request_id = map
        .get("request_id")
        .and_then(Value::as_str)
        .map(str::to_owned);
    if map.contains_key("encoded_authorization_message") {
        // It is long, and for the administrator's tools alone.
        return Some(Fault {
            code: word(map, "error_code").unwrap_or_else(|| wrapper.to_owned()),
            message: word(map, "error_msg")
                .unwrap_or_else(|| "the policy does not allow it".to_owned()),
            request_id,
        });
    }
    for (code, message) in [
        ("error_code", "error_msg"),
        ("errorCode", "errorMsg"),
        ("code", "message"),
    ] {
        if let (Some(code), Some(message)) = (word(map, code), word(map, message)) {
            // A number is the status over again; the wrapper's name says more.
            let number = code.parse::<u32>().is_ok();
            let title = map.get("title").and_then(Value::as_str);
            let code = match (number, title, wrapper) {
                (true, Some(title), _) => title.to_owned(),
                (true, None, "") | (false, ..) => code,
                (true, None, wrapper) => wrapper.to_owned(),
            };
            return Some(Fault {
                code,
                message,
                request_id,
            });
        }
    }
    if depth == 0 {
        return None;
    }
    map.iter()
        .filter_map(|(name, value)| Some((name, value.as_object()?)))
        .find_map(|(name, inner)| find(inner, name, depth - 1))
}

/// "Accept integer or string codes."
fn word(map: &Map<String, Value>, key: &str) -> Option<String> {
    match map.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The code without what the gateway is called: "dedicated gateways use the prefix `APIG.` instead of `APIGW.`" (6.1).
fn gateway(code: &str) -> Option<&str> {
    code.strip_prefix("APIGW.")
        .or_else(|| code.strip_prefix("APIG."))
}

/// Whether the proof of who calls was not taken, so that another one may be: 401, or a token that is none (`EVS.0002`,
/// `Common.0013`). A token of another project (`Common.0018`) does not become better.
#[must_use]
pub fn is_stale(status: u16, body: &[u8]) -> bool {
    let code = || fault(body).map(|fault| fault.code);
    match status {
        401 => true,
        400 => matches!(code().as_deref(), Some("EVS.0002" | "Common.0013")),
        _ => false,
    }
}

fn kind(status: u16, code: &str) -> ProblemKind {
    match code {
        "EVS.0001" | "EVS.0002" | "EVS.0003" | "EVS.1027" | "EVS.2056" | "EVS.2144"
        | "EVS.2145" | "Common.0013" | "Common.0018" => return ProblemKind::Auth,
        // "Disk id that is not a UUID → 400 `EVS.1002` or 404: treat both as no such disk" (3.1).
        "EVS.1002" | "EVS.1032" | "EVS.2045" | "EVS.5404" | "Common.0011" => {
            return ProblemKind::NotFound;
        }
        "EVS.1031" | "EVS.1046" | "EVS.1047" | "EVS.1048" | "EVS.1064" | "EVS.2019"
        | "EVS.2020" | "EVS.2043" | "EVS.2068" | "EVS.2130" => return ProblemKind::Conflict,
        "EVS.1034" | "EVS.1042" | "EVS.5413" => return ProblemKind::Quota,
        _ => {}
    }
    match status {
        400 | 405 | 406 | 415 => ProblemKind::User,
        401 | 403 => ProblemKind::Auth,
        404 => ProblemKind::NotFound,
        409 => ProblemKind::Conflict,
        413 => ProblemKind::Quota,
        429 => ProblemKind::Network,
        _ => ProblemKind::System,
    }
}

/// The problem that an answer is, while `what` was being done.
#[must_use]
pub fn problem(status: u16, body: &[u8], what: impl Into<String>) -> Problem {
    let fault = fault(body);
    let code = fault.as_ref().map_or("", |fault| fault.code.as_str());
    let mut problem = Problem::new(kind(status, code), what);
    problem = match &fault {
        Some(fault) => problem.because(format!("{} ({status} {})", fault.message, fault.code)),
        None => problem.because(format!("the answer was {status}, and said nothing of use")),
    };
    let message = fault.as_ref().map_or("", |fault| fault.message.as_str());
    problem.request_id = fault.as_ref().and_then(|fault| fault.request_id.clone());
    match (status, code) {
        _ if message.contains("signature expired") => problem.hint(
            "the clocks are too far apart: a signature holds for 15 minutes; set this machine's clock",
        ),
        _ if message.contains("aksk signature") => problem.hint(
            "look at access-key and its secret: the service does not say which is wrong",
        ),
        (_, "Common.0018" | "EVS.0001") => problem.hint(
            "what is signed in for is another project than that of the call: set project or project-id in the profile",
        ),
        (_, "EVS.2144" | "EVS.2145") => problem.hint("the account must be paid for before anything is done"),
        (401, _) => problem.hint(
            "neither what was signed in with nor a new token was taken: `snapdeck doctor PROFILE` looks into it",
        ),
        (403, _) => problem.hint("the account may not do this; ask who gives the roles"),
        (404, code) if gateway(code).is_some() => problem.hint(
            "there is a gateway at this address, and no block storage behind it: look at region and service-endpoint",
        ),
        (413, _) | (_, "EVS.1034" | "EVS.1042") => {
            problem.hint("delete what is not needed, or ask for a larger quota")
        }
        (429 | 503, _) => problem.hint("the system is busy: try again in a while"),
        (500 | 502 | 504, _) => {
            problem.hint("the provider's support finds more by the id of the request")
        }
        _ => problem,
    }
}
