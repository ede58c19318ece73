//! Jobs, with which the vendor's own family answers what is done to disks (5.2, 5.3).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::words::words;

words! {
    /// "`status`: `INIT`, `RUNNING`, `SUCCESS`, `FAIL`" (5.3).
    JobStatus {
        Init => "INIT",
        Running => "RUNNING",
        Success => "SUCCESS",
        Fail => "FAIL",
    }
}

/// The answer of a call that begins a job: "`{"job_id":…}` (+ `volume_ids` in v2.1)" (5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The job.
    pub job_id: String,
    /// The disks that it makes, where they are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volume_ids: Vec<String>,
}

/// `GET /v1/{p}/jobs/{job_id}` (5.3).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub job_id: String,
    /// "`createVolume`, `batchCreateVolume`, `deleteVolume`, …".
    pub job_type: String,
    /// How far it is.
    pub status: JobStatus,
    /// "Times here have **milliseconds and a `Z`**, unlike the rest of the API".
    #[serde(default)]
    pub begin_time: Option<String>,
    /// "`end_time` is `""` while running".
    #[serde(default)]
    pub end_time: Option<String>,
    /// The code of what went wrong.
    #[serde(default)]
    pub error_code: Option<String>,
    /// "`fail_reason` is text on failure".
    #[serde(default)]
    pub fail_reason: Option<String>,
    /// What it is about: "`volume_id`, `name`, `size`, `volume_type`"; "batch jobs carry `entities.sub_jobs[]` with the
    /// same shape".
    #[serde(default)]
    pub entities: Value,
}

impl Job {
    /// The disk that it is about.
    #[must_use]
    pub fn volume(&self) -> Option<&str> {
        let of = |entities: &Value| entities.get("volume_id").and_then(Value::as_str).is_some();
        if of(&self.entities) {
            return self.entities.get("volume_id")?.as_str();
        }
        let subs = self.entities.get("sub_jobs")?.as_array()?;
        let inner = subs.iter().find_map(|sub| sub.get("entities"));
        inner?.get("volume_id")?.as_str()
    }

    /// Why it failed.
    #[must_use]
    pub fn reason(&self) -> String {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        match (said(&self.fail_reason), said(&self.error_code)) {
            (Some(reason), Some(code)) => format!("{reason} ({code})"),
            (Some(reason), None) => reason,
            (None, Some(code)) => format!("the job failed with {code}"),
            (None, None) => "the job failed, and gives no reason".to_owned(),
        }
    }
}
