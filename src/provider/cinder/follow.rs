//! Running one step of whatever is called: look, send if it was not done, look until it is.

use std::time::{Duration, Instant};

use super::probe::Probe;
use super::session::Failed;
use crate::model::{Problem, ProblemKind, StepOutcome};
use crate::provider::{StepContext, Told};

/// The first pause between two looks; each one after is longer.
const FIRST: Duration = Duration::from_millis(200);
/// What was sent and not answered is looked for this long.
const LOOKED_FOR: Duration = Duration::from_secs(10);
/// What was accepted must have begun after this.
const BEGUN: Duration = Duration::from_secs(60);
/// So many looks in a row may fail before waiting is given up.
const LOOKS: u32 = 5;

/// A step that is being done.
pub(in crate::provider) trait Doing: Send {
    /// Finds out how far it has come; `sent` says that it was sent just now, so that what is wrong came of it.
    fn look(&mut self, sent: bool) -> impl Future<Output = Result<Probe, Problem>> + Send;

    /// Sends what does it.
    fn send(&mut self) -> impl Future<Output = Result<(), Failed>> + Send;

    /// No pause between two looks is longer.
    fn longest(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// What is known of the call.
enum Sent {
    No,
    /// The service has accepted it.
    Accepted(Instant),
    /// No answer came.
    Lost(Instant, Problem),
}

/// Does a step to its end.
pub(in crate::provider) async fn follow(
    doing: &mut impl Doing,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let mut sent = Sent::No;
    let (mut pause, mut failures) = (FIRST, 0);
    // What was seen under way and fails is not tried again unasked.
    let mut under_way = false;
    loop {
        let is_sent = !matches!(sent, Sent::No);
        match doing.look(is_sent).await {
            Ok(Probe::Done(outcome)) => {
                if matches!(sent, Sent::Lost(..)) {
                    (context.progress)(Told::Found);
                }
                return Ok(outcome);
            }
            Ok(Probe::Running(progress)) => {
                failures = 0;
                under_way = true;
                if matches!(sent, Sent::Lost(..)) {
                    (context.progress)(Told::Found);
                    sent = Sent::Accepted(Instant::now());
                }
                if let Some(progress) = progress {
                    (context.progress)(progress.into());
                }
            }
            Ok(Probe::Failed(problem)) if is_sent || under_way => return Err(problem),
            Ok(Probe::NotDone | Probe::Unknown(_) | Probe::Failed(_)) => {
                failures = 0;
                match &sent {
                    Sent::No if context.should_stop() => return Err(stopped(false)),
                    Sent::No => match doing.send().await {
                        Ok(()) => {
                            sent = Sent::Accepted(Instant::now());
                            continue;
                        }
                        Err(Failed::Refused(problem)) => return Err(problem),
                        Err(Failed::Unknown(problem)) => {
                            tracing::warn!(%problem, "it is not known what came of a call; looking");
                            (context.progress)(Told::Lost);
                            sent = Sent::Lost(Instant::now(), problem);
                        }
                    },
                    Sent::Lost(at, problem) if at.elapsed() > LOOKED_FOR => {
                        return Err(problem
                            .clone()
                            .because("no answer came, and nothing of it is there")
                            .hint("retry it: it is looked for again before anything is sent"));
                    }
                    Sent::Accepted(at) if at.elapsed() > BEGUN => {
                        return Err(Problem::new(
                            ProblemKind::System,
                            "the service has accepted it, and does not begin it",
                        )
                        .hint("look at it there, then retry"));
                    }
                    Sent::Lost(..) | Sent::Accepted(_) => {}
                }
            }
            Err(problem) if problem.kind == ProblemKind::Network && failures < LOOKS => {
                failures += 1;
            }
            Err(problem) => return Err(problem),
        }
        if context.should_stop() {
            return Err(stopped(!matches!(sent, Sent::No)));
        }
        context.pause(pause).await;
        pause = (pause * 3 / 2).min(doing.longest());
    }
}

fn stopped(sent: bool) -> Problem {
    match sent {
        true => Problem::conflict("no longer waited for: the service goes on with it by itself"),
        false => Problem::conflict("not begun"),
    }
}
