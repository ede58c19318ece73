//! Jobs, what comes of them, long jobs and progress (sections 4, 8.6 and 13).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fault::ErrorCode;
use super::number::Number;
use super::status::LongJobState;

/// An asynchronous call was taken (4.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// "Built from the server's **own** address, so it may be unreachable from the client. Take the last path segment and
    /// build your own URL."
    pub location: String,
    /// "Milliseconds and may be absent on old servers."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_timeout: Option<Number>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Accepted {
    /// The id of the job; `None` where there is none in it.
    #[must_use]
    pub fn job(&self) -> Option<&str> {
        let path = self.location.split(['?', '#']).next()?;
        let last = path.trim_end_matches('/').rsplit('/').next()?;
        let fits = last.len() == 32 && last.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then_some(last)
    }
}

/// What came of one snapshot: "200 does not mean every item succeeded" (4.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The snapshot; the seeds leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_uuid: Option<String>,
    /// The volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_uuid: Option<String>,
    /// Whether it was done.
    pub success: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorCode>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What came of several (9.8, 9.16, 9.17).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Each; none where there was nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<Item>>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Whether a group can be gone back to (9.15).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Availability {
    /// The group.
    pub uuid: String,
    /// Whether.
    pub available: bool,
    /// "`\"\"` when available, else one or more lines."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How much a snapshot takes (9.6).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// What a host would see, in bytes.
    pub size: Number,
    /// What it takes, in bytes.
    pub actual_size: Number,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A job that outlives the others (13).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LongJob {
    /// Its id.
    pub uuid: String,
    /// "Equals the job id of the submit call and is the key for progress."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_id: Option<String>,
    /// How it stands.
    pub state: LongJobState,
    /// "On success the JSON text of the result message, or the word `Succeeded`; on failure JSON text."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_result: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How far a job has come (13.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskProgress {
    /// `Progress` (a percentage as text) or `Task` (a phrase).
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The percentage or the phrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl TaskProgress {
    /// How far, from 0 to 100.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        if self.kind.as_deref() != Some("Progress") {
            return None;
        }
        let percent: f64 = self
            .content
            .as_deref()?
            .trim()
            .trim_end_matches('%')
            .parse()
            .ok()?;
        (0.0..=100.0).contains(&percent).then_some(percent as u64)
    }
}
