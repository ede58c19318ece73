//! Running one step.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::Shared;
use super::act::{Act, How, Taking};
use super::convert::Beside;
use super::probe::Search;
use crate::model::{Kind, Operation, Problem, ProblemKind, StepOutcome};
use crate::provider::StepContext;
use crate::provider::cinder::follow::{Doing, follow};
use crate::provider::cinder::probe::Probe;
use crate::provider::cinder::session::Failed;
use crate::wire::powervc::{Begun, StatusKind, Updated};

/// A step as it is followed to its end.
struct Running<'a> {
    shared: &'a Arc<Shared>,
    act: Act,
    operation: &'a Operation,
    key: &'a str,
    context: &'a StepContext,
    begun: Begun,
    /// Names and sizes of volumes, read once.
    beside: OnceCell<Beside>,
    /// It was under way when the program was started, and what fails of it is not tried again unasked.
    followed: bool,
}

impl Doing for Running<'_> {
    async fn look(&mut self, sent: bool) -> Result<Probe, Problem> {
        let made = match self.act {
            Act::Take(..) | Act::Guard(..) => self.begun.id.as_deref(),
            _ => None,
        };
        let search = Search {
            shared: self.shared,
            act: &self.act,
            operation: self.operation,
            key: self.key,
            made,
            link: self.begun.task_uri.as_deref(),
            sent,
            context: Some(self.context),
            beside: &self.beside,
        };
        Ok(match search.probe().await? {
            Probe::Failed(problem) if self.followed => return Err(problem),
            other => other,
        })
    }

    async fn send(&mut self) -> Result<(), Failed> {
        self.again().await.map_err(Failed::Refused)?;
        let ask = self
            .act
            .ask(self.operation, self.key)
            .map_err(Failed::Refused)?;
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
        match self.act {
            Act::Edit => {
                if Updated::read(&answer.body).is_none() {
                    tracing::warn!(
                        "a change was accepted with an answer that cannot be understood"
                    );
                }
            }
            _ => self.begun = Begun::read(&answer.body),
        }
        Ok(())
    }

    fn longest(&self) -> Duration {
        // Terabytes take hours.
        Duration::from_secs(30)
    }
}

impl Running<'_> {
    /// A restore that this step has begun before and that failed is tried again as PowerVC has it: what failed, alone.
    async fn again(&mut self) -> Result<(), Problem> {
        let Act::Restore(taking) = &self.act else {
            return Ok(());
        };
        let id = self.operation.object("group", Kind::Group)?;
        let now = self.shared.instance_snapshot(id).await?;
        let task = now.task().unwrap_or_default();
        if task == taking.task || now.status.kind() != StatusKind::RestoreError {
            return Ok(());
        }
        let how = match taking.how {
            How::Plain => How::Retry,
            other => other,
        };
        self.act = Act::Restore(Taking {
            how,
            server: taking.server.clone(),
            task: task.to_owned(),
            updated: now.updated_at.unwrap_or_default(),
        });
        Ok(())
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
    let mut running = Running {
        shared,
        act,
        operation,
        key,
        context,
        begun: Begun::default(),
        beside: OnceCell::new(),
        followed: shared.followed.lock().remove(key),
    };
    follow(&mut running, context).await
}
