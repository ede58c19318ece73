//! Long jobs (section 13): jobs that the system keeps, and takes up again after it was restarted. "In this area" it has them for
//! deleting a snapshot and for taking a volume back.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::errand::{ATTEMPTS, Errand, Known, worn_out};
use super::job::Job;
use crate::model::{Operation, Problem, ProblemKind};
use crate::provider::cinder::probe::if_there;
use crate::wire::zstack::{LongJob, LongJobState, NewLongJob};

/// What is submitted for a deletion.
pub(super) fn deletion(snapshot: &str, mode: &str, id: &str) -> NewLongJob {
    let data = json!({"uuid": snapshot, "deleteMode": mode});
    new("APIDeleteVolumeSnapshotMsg", &data, snapshot, id)
}

/// What is submitted for taking a volume back.
pub(super) fn revert(snapshot: &str, id: &str) -> NewLongJob {
    new(
        "APIRevertVolumeFromSnapshotMsg",
        &json!({"uuid": snapshot}),
        snapshot,
        id,
    )
}

fn new(job: &str, data: &Value, snapshot: &str, id: &str) -> NewLongJob {
    NewLongJob {
        name: None,
        job_name: job.to_owned(),
        job_data: data.to_string(),
        target_resource_uuid: Some(snapshot.to_owned()),
        resource_uuid: Some(id.to_owned()),
    }
}

/// Whether an operation is to be done so.
pub(super) fn is_wanted(operation: &Operation) -> bool {
    operation.flag("long")
}

/// Why it failed: "JSON text `{"message":...,"detail":"...","cause":"..."}`. It is a string either way."
fn failure(job: &LongJob, what: String) -> Problem {
    let mut problem = Problem::new(ProblemKind::System, what);
    let said = job.job_result.clone().unwrap_or_default();
    match serde_json::from_str::<Value>(&said) {
        Ok(Value::Object(parts)) => {
            for name in ["message", "detail", "cause"] {
                match parts.get(name) {
                    Some(Value::String(text)) if !text.trim().is_empty() => {
                        problem = problem.because(text.trim());
                    }
                    Some(Value::Null) | Some(Value::String(_)) | None => {}
                    Some(other) => problem = problem.because(other.to_string()),
                }
            }
        }
        _ if said.trim().is_empty() => {}
        _ => problem = problem.because(said.trim()),
    }
    problem
        .because(format!("the long job is {}", job.state.word()))
        .hint(format!("it was the long job {}", job.uuid))
}

impl Errand<'_> {
    /// The long job of this step, the last that was begun.
    pub(super) async fn long_job(&self) -> Result<Known, Problem> {
        let sent = self.sent_job();
        let first = match &sent {
            Some(_) => self.next.load(Ordering::Relaxed),
            None => 0,
        };
        let mut last = Known::Nothing;
        for attempt in first..ATTEMPTS {
            self.next.store(attempt, Ordering::Relaxed);
            let id = self.long_id(attempt);
            let Some(job) = if_there(self.shared.one::<LongJob>(&id).await)? else {
                // It may be on its way, or have been refused.
                let submit = sent.clone().unwrap_or_else(|| self.job_id(attempt));
                match self.shared.poll(&submit).await? {
                    Job::Absent => return Ok(last),
                    // Somebody has deleted it.
                    Job::Done(_) if sent.is_none() => {}
                    Job::Done(_) => return Ok(Known::Nothing),
                    other => match self.judge(other, &submit) {
                        failed @ Known::Failed { .. } if sent.is_none() => last = failed,
                        other => return Ok(other),
                    },
                }
                continue;
            };
            match &job.state {
                LongJobState::Succeeded => return Ok(Known::Done(b"{}".to_vec())),
                LongJobState::Failed | LongJobState::Canceled => {
                    last = Known::Failed {
                        problem: failure(&job, self.what()),
                        stale: false,
                    };
                    if sent.is_some() {
                        return Ok(last);
                    }
                }
                // "`apiId` equals the job id of the submit call and is the key for progress."
                _ => return Ok(Known::Running(job.api_id.unwrap_or(id))),
            }
        }
        Err(worn_out())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_long_job_failed_is_told_whole() {
        let job = |result: &str| LongJob {
            uuid: "j".into(),
            api_id: None,
            state: LongJobState::Failed,
            job_result: Some(result.to_owned()),
            rest: serde_json::Map::new(),
        };
        let text = r#"{"message":"it failed","detail":"no room","cause":{"code":"SYS.1006"}}"#;
        let told = failure(&job(text), "it cannot be done".into()).to_string();
        assert_eq!(
            told,
            r#"it cannot be done: it failed: no room: {"code":"SYS.1006"}: the long job is Failed"#
        );
        let told = failure(&job("gone"), "it cannot be done".into()).to_string();
        assert_eq!(told, "it cannot be done: gone: the long job is Failed");
    }
}
