//! Jobs: what every change is over there (section 4). They are polled at the address that the profile says, by the id that was
//! chosen here, whatever host an answer names.

use super::Shared;
use crate::http::{Method, Request};
use crate::model::Problem;
use crate::provider::cinder::session::{Ask, not_understood};
use crate::wire::zstack::{ErrorCode, Inventories, TaskProgress, fault};

/// How a job stands.
#[derive(Debug)]
pub(super) enum Job {
    /// "Never existed, or cleaned up": finished ones are kept for three hours.
    Absent,
    /// The system is at it.
    Running,
    /// It has finished, and this is its result.
    Done(Vec<u8>),
    /// It has failed.
    Failed(ErrorCode),
}

impl Shared {
    /// How a job stands (4.2). An answer of 503 is the job's, and says nothing of the session that asks.
    pub(super) async fn poll(&self, id: &str) -> Result<Job, Problem> {
        let what = "the job cannot be followed";
        let signed = self.session.signed().await?;
        let url = format!("{}/api-jobs/{id}", signed.volume);
        let request = signed.proof.prove(Request::new(Method::Get, url));
        let sent = self.session.client.send(&request).await;
        let answer = sent.map_err(|e| e.problem(what))?;
        match (answer.status, fault(&answer.body)) {
            (202, _) => Ok(Job::Running),
            (404, _) => Ok(Job::Absent),
            // A result that bears an error is none, whatever its status.
            (200 | 503, Some(fault)) => Ok(Job::Failed(fault)),
            (200, None) => match serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body) {
                Ok(_) => Ok(Job::Done(answer.body)),
                Err(e) => Err(not_understood(&answer, what, &e.to_string())),
            },
            _ => Err(self.session.refused(&answer, what)),
        }
    }

    /// How far a job has come, in percent, where it tells (13.4): "read the **last** element".
    pub(super) async fn percent(&self, id: &str) -> Option<u64> {
        let ask = Ask::get(format!("/task-progresses/{id}"));
        let answer = self.session.read(&ask, "no progress is told").await.ok()?;
        let read: Inventories<TaskProgress> = serde_json::from_slice(&answer.body).ok()?;
        read.inventories?
            .iter()
            .rev()
            .find_map(TaskProgress::percent)
    }
}
