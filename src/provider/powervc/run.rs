//! Running one step.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::Shared;
use super::act::{Act, How, Taking};
use super::convert::Beside;
use super::probe::Search;
use crate::model::{Kind, Operation, Problem, ProblemKind, StepOutcome};
use crate::provider::StepContext;
use crate::provider::cinder::probe::Probe;
use crate::provider::cinder::run::{Step, pursue};
use crate::provider::cinder::session::Failed;
use crate::wire::powervc::{Begun, StatusKind, Updated};

/// A step as it is followed to its end.
struct Running<'a> {
    shared: &'a Arc<Shared>,
    act: Mutex<Act>,
    operation: &'a Operation,
    key: &'a str,
    context: &'a StepContext,
    /// The link to the progress of what was sent.
    link: Mutex<Option<String>>,
    /// Names and sizes of volumes, read once.
    beside: OnceCell<Beside>,
    /// It was under way when the program was started, and what fails of it is not tried again unasked.
    followed: bool,
}

#[async_trait]
impl Step for Running<'_> {
    async fn probe(&self, made: Option<&str>, sent: bool) -> Result<Probe, Problem> {
        let (act, link) = (self.act.lock().clone(), self.link.lock().clone());
        let search = Search {
            shared: self.shared,
            act: &act,
            operation: self.operation,
            key: self.key,
            made,
            link: link.as_deref(),
            sent,
            context: Some(self.context),
            beside: &self.beside,
        };
        Ok(match search.probe().await? {
            Probe::Failed(problem) if self.followed => return Err(problem),
            other => other,
        })
    }

    async fn send(&self) -> Result<Option<String>, Failed> {
        let act = self.again().await.map_err(Failed::Refused)?;
        let ask = act.ask(self.operation, self.key).map_err(Failed::Refused)?;
        let what = format!("{} cannot be done", self.operation.kind);
        let answer = match self.shared.session().call(&ask, &what).await {
            Ok(answer) => answer,
            Err(Failed::Refused(mut problem)) => {
                // A state that does not suit is told as a bad request.
                if problem.kind == ProblemKind::User {
                    problem.kind = ProblemKind::Conflict;
                }
                return Err(Failed::Refused(problem));
            }
            Err(unknown) => return Err(unknown),
        };
        if act == Act::Edit {
            if Updated::read(&answer.body).is_none() {
                tracing::warn!("a change was accepted with an answer that cannot be understood");
            }
            return Ok(None);
        }
        let begun = Begun::read(&answer.body);
        *self.link.lock() = begun.task_uri;
        Ok(match act {
            Act::Take(..) | Act::Guard(..) => begun.id,
            _ => None,
        })
    }

    fn longest(&self) -> Duration {
        // Terabytes take hours.
        Duration::from_secs(30)
    }
}

impl Running<'_> {
    /// What is to be sent. A restore that this step has begun before and that failed is tried again as PowerVC has it: what
    /// failed, alone.
    async fn again(&self) -> Result<Act, Problem> {
        let act = self.act.lock().clone();
        let Act::Restore(taking) = &act else {
            return Ok(act);
        };
        let id = self.operation.object("group", Kind::Group)?;
        let now = self.shared.instance_snapshot(id).await?;
        let task = now.task().unwrap_or_default();
        if task == taking.task || now.status.kind() != StatusKind::RestoreError {
            return Ok(act);
        }
        let how = match taking.how {
            How::Plain => How::Retry,
            other => other,
        };
        let again = Act::Restore(Taking {
            how,
            server: taking.server.clone(),
            task: task.to_owned(),
            updated: now.updated_at.unwrap_or_default(),
        });
        *self.act.lock() = again.clone();
        Ok(again)
    }
}

/// Runs a step to its end.
pub(super) async fn run(
    shared: &Arc<Shared>,
    act: Act,
    operation: &Operation,
    key: &str,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let running = Running {
        shared,
        act: Mutex::new(act),
        operation,
        key,
        context,
        link: Mutex::default(),
        beside: OnceCell::new(),
        followed: shared.followed.lock().remove(key),
    };
    pursue(&running, context).await
}
