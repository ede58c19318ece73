//! Finding out how far a step has come, by looking at what is there. A restore is known by the object's link to its latest long
//! operation, which is a new one for each: the plan has kept the one that was there before.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::Shared;
use super::act::{Act, How, Taking};
use super::convert::Beside;
use crate::model::{
    Kind, ObjectRef, Operation, Part, PartState, Problem, ProblemKind, SnapshotId, StepOutcome,
};
use crate::provider::cinder::MARK;
use crate::provider::cinder::convert::without_mark;
use crate::provider::cinder::probe::{Probe, done, if_there};
use crate::provider::{StepContext, Told};
use crate::wire::powervc::{InstanceSnapshot, Outcome, Progress, StatusKind};

/// A step that is looked for.
pub(super) struct Search<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) act: &'a Act,
    pub(super) operation: &'a Operation,
    /// The idempotency key.
    pub(super) key: &'a str,
    /// The id of what was made, where the service has told it.
    pub(super) made: Option<&'a str>,
    /// The link to the progress of what was sent just now.
    pub(super) link: Option<&'a str>,
    /// Whether the call was sent just now, so that what is wrong now came of it.
    pub(super) sent: bool,
    /// Where the parts are told that the service works through.
    pub(super) context: Option<&'a StepContext>,
    /// The names and sizes of volumes, once they were read.
    pub(super) beside: &'a OnceCell<Beside>,
}

impl Search<'_> {
    /// Looks.
    pub(super) async fn probe(&self) -> Result<Probe, Problem> {
        match self.act {
            Act::Take(..) | Act::Guard(..) => self.taken().await,
            Act::Edit => self.edited().await,
            Act::Drop => self.dropped().await,
            Act::Restore(taking) => self.restored(taking).await,
        }
    }

    async fn the_group(&self) -> Result<InstanceSnapshot, Problem> {
        let id = self.operation.object("group", Kind::Group)?;
        self.shared.instance_snapshot(id).await
    }

    async fn taken(&self) -> Result<Probe, Problem> {
        let found = match self.made {
            Some(id) => if_there(self.shared.instance_snapshot(id).await)?,
            None => {
                let mark = format!("{MARK}{}]", self.act.mark(self.key));
                let all = self.shared.instance_snapshots().await?;
                let bears = |one: &InstanceSnapshot| {
                    let said = one.description.as_deref().unwrap_or_default();
                    said.ends_with(&mark)
                };
                all.into_iter().find(bears)
            }
        };
        let Some(found) = found else {
            return Ok(Probe::NotDone);
        };
        let progress = self.progress(&found).await;
        match found.status.kind() {
            StatusKind::Error => {
                let problem = Problem::new(
                    ProblemKind::System,
                    "the instance snapshot could not be taken",
                );
                let problem = with_failures(problem, progress.as_ref());
                Err(self.said(problem, &found).hint(format!(
                    "{} is in error there and can only be deleted: `snapdeck run delete-group --group {}`",
                    found.id, found.id
                )))
            }
            StatusKind::Creating | StatusKind::Unknown => {
                Ok(Probe::Running(self.bytes(&found, progress.as_ref()).await))
            }
            // Whatever is done with it now, it was taken.
            _ => {
                let mut made = vec![ObjectRef::new(Kind::Group, found.id.clone())];
                let members = found.members().map(|(_, snapshot)| snapshot);
                made.extend(members.map(|id| ObjectRef::from(&SnapshotId::from(id))));
                let message = match found.members().count() {
                    1 => "1 volume".to_owned(),
                    n => format!("{n} volumes"),
                };
                Ok(Probe::Done(StepOutcome { message, made }))
            }
        }
    }

    async fn edited(&self) -> Result<Probe, Problem> {
        let now = self.the_group().await?;
        let described = without_mark(now.description.as_deref().unwrap_or_default());
        let same = |field: &str, now: &str| {
            let wanted = self.operation.find_text(field);
            wanted.is_none_or(|wanted| wanted.trim() == now.trim())
        };
        let name = now.name.as_deref().unwrap_or_default();
        Ok(
            match same("name", name) && same("description", &described) {
                true => done(None),
                false => Probe::NotDone,
            },
        )
    }

    async fn dropped(&self) -> Result<Probe, Problem> {
        let id = self.operation.object("group", Kind::Group)?;
        let Some(found) = if_there(self.shared.instance_snapshot(id).await)? else {
            return Ok(done(None));
        };
        let kind = found.status.kind();
        if kind == StatusKind::Deleting {
            let progress = self.progress(&found).await;
            return Ok(Probe::Running(self.bytes(&found, progress.as_ref()).await));
        }
        if !self.sent {
            return Ok(Probe::NotDone);
        }
        let progress = self.progress(&found).await;
        let failed = progress.as_ref().map(Progress::outcome) == Some(Outcome::Failed);
        let in_words = kind == StatusKind::Error && found.status.word().contains("delet");
        if failed || in_words {
            let problem = Problem::new(
                ProblemKind::System,
                "the instance snapshot could not be deleted",
            );
            let problem = with_failures(problem, progress.as_ref());
            return Ok(Probe::Failed(self.said(problem, &found)));
        }
        Ok(Probe::NotDone)
    }

    async fn restored(&self, taking: &Taking) -> Result<Probe, Problem> {
        let found = self.the_group().await?;
        let begun = found.task().unwrap_or_default() != taking.task;
        let rolled = found.action().is_some_and(|a| a.contains("rollback"));
        if begun && rolled != (taking.how == How::Rollback) && !self.sent {
            // Of restore and retry the service itself does not keep the names apart.
            let what = found.action().unwrap_or_default();
            return Ok(Probe::Unknown(Problem::conflict(format!(
                "somebody has begun something else with it meanwhile ({what})"
            ))));
        }
        let progress = self.progress(&found).await;
        let outcome = progress.as_ref().map(Progress::outcome);
        Ok(match found.status.kind() {
            StatusKind::Restoring | StatusKind::RollingBack | StatusKind::Unknown => {
                Probe::Running(self.bytes(&found, progress.as_ref()).await)
            }
            StatusKind::RestoreReverted if begun || self.sent => {
                let problem = Problem::new(
                    ProblemKind::System,
                    "the storage has refused the restore; nothing was changed",
                );
                Probe::Failed(self.said(with_failures(problem, progress.as_ref()), &found))
            }
            // Where the status lags behind the link, its flow knows.
            StatusKind::Available if begun && outcome == Some(Outcome::Running) => {
                Probe::Running(self.bytes(&found, progress.as_ref()).await)
            }
            StatusKind::RestoreError
                if begun && taking.how != How::Plain && outcome == Some(Outcome::Running) =>
            {
                Probe::Running(self.bytes(&found, progress.as_ref()).await)
            }
            StatusKind::Available | StatusKind::RestoreReverted => {
                let changed = found.updated_at.as_deref().unwrap_or_default() != taking.updated;
                let through = outcome == Some(Outcome::Finished) && self.link.is_some();
                match begun || (self.sent && (changed || through)) {
                    true => done(None),
                    false => Probe::NotDone,
                }
            }
            StatusKind::RestoreError => {
                let first = taking.how == How::Plain && self.sent;
                let through = self.link.is_some() && outcome == Some(Outcome::Failed);
                match begun || first || through {
                    true => Probe::Failed(self.not_restored(&found, progress.as_ref()).await),
                    false => Probe::NotDone,
                }
            }
            StatusKind::Creating | StatusKind::Error | StatusKind::Deleting => {
                Probe::Failed(Problem::conflict(format!(
                    "it cannot be restored: it is {}",
                    found.status.word()
                )))
            }
        })
    }

    /// What is said of a restore that failed: which volumes, and what can be done.
    async fn not_restored(&self, found: &InstanceSnapshot, progress: Option<&Progress>) -> Problem {
        let beside = self.beside().await;
        let of = found.members().count();
        let failed: Vec<&str> = found
            .failed()
            .map(|(volume, _)| beside.volume(volume))
            .collect();
        let what = match failed.len() {
            0 => "the machine could not be taken back".to_owned(),
            n => format!(
                "{n} of {of} volumes could not be taken back: {}",
                failed.join(", ")
            ),
        };
        let problem = with_failures(Problem::new(ProblemKind::System, what), progress);
        self.said(problem, found).hint(
            "look at what failed, then retry it, or roll back: all volumes go back to what they held before",
        )
    }

    /// The status in the service's own words beside what is said here.
    fn said(&self, problem: Problem, found: &InstanceSnapshot) -> Problem {
        problem.because(format!("PowerVC says {}", found.status.word()))
    }

    /// How far it has come, told to who follows it; `None` where the service does not tell.
    async fn progress(&self, found: &InstanceSnapshot) -> Option<Progress> {
        let link = self.link.or(found.task_uri.as_deref())?;
        let progress = self.shared.progress(link).await?;
        if let Some(context) = self.context {
            (context.progress)(Told::Parts(progress.parts()));
        }
        Some(progress)
    }

    async fn bytes(
        &self,
        found: &InstanceSnapshot,
        progress: Option<&Progress>,
    ) -> Option<crate::model::Progress> {
        let percent = progress?.progress.percent()?;
        // Nobody is told where nobody follows.
        self.context.is_some().then_some(())?;
        Some(self.beside().await.progress(found, percent))
    }

    /// The names and sizes of volumes; without them ids stand for names.
    async fn beside(&self) -> &Beside {
        let read = async || match self.shared.cinder.volumes().await {
            Ok(volumes) => Beside::new(&volumes, &[]),
            Err(_) => Beside::default(),
        };
        self.beside.get_or_init(read).await
    }
}

/// The parts that failed, in the service's own words.
fn with_failures(mut problem: Problem, progress: Option<&Progress>) -> Problem {
    let parts = progress.map(Progress::parts).unwrap_or_default();
    let failed = |part: &&Part| part.state == PartState::Failed;
    for part in parts.iter().filter(failed) {
        problem = problem.because(format!("{}: {}", part.name, part.said));
    }
    problem
}
