//! FlashCopy mappings: asked for volume by volume, of the storage that has them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;

use super::Shared;
use super::convert::Beside;
use crate::http::Method;
use crate::model::{LinkedTarget, Problem, ProblemKind};
use crate::provider::cinder::look::is_id;
use crate::provider::cinder::session::{Ask, not_understood};
use crate::wire::powervc::{CopyDetails, CopyProgress, Mapping};

/// A volume whose storage has no mappings is asked for them again after this long.
const AGAIN: Duration = Duration::from_secs(600);

/// The call that asks for the mappings of a volume. It only reads, whatever its method is called.
pub(super) fn ask(volume: &str, body: &CopyProgress) -> Result<Ask, Problem> {
    let body = serde_json::to_value(body).map_err(|e| {
        Problem::new(ProblemKind::Bug, "the mappings cannot be asked for").caused_by(&e)
    })?;
    let ask = Ask::new(Method::Post, format!("/volumes/{volume}/action"));
    Ok(ask.body(body).reading())
}

impl Shared {
    /// The mappings of a volume; none where its storage knows none.
    pub(super) async fn mappings(&self, volume: &str) -> Result<Vec<Mapping>, Problem> {
        if !is_id(volume) {
            return Ok(Vec::new());
        }
        let what = format!("the FlashCopy mappings of {volume} cannot be asked for");
        match self
            .session()
            .read(&ask(volume, &CopyProgress::detailed())?, &what)
            .await
        {
            Ok(answer) => {
                CopyDetails::read(&answer.body).map_err(|why| not_understood(&answer, what, &why))
            }
            // Other storage than Storwize answers so.
            Err(problem) if matches!(problem.kind, ProblemKind::User | ProblemKind::Conflict) => {
                let mut without = self.without_copies.lock();
                without.retain(|_, at| at.elapsed() < AGAIN);
                without.insert(volume.to_owned(), Instant::now());
                Ok(Vec::new())
            }
            Err(problem) if problem.kind == ProblemKind::NotFound => Ok(Vec::new()),
            Err(problem) => Err(problem),
        }
    }

    /// Whether its storage has said lately that it knows no mappings.
    fn is_without(&self, volume: &str) -> bool {
        let without = self.without_copies.lock();
        without.get(volume).is_some_and(|at| at.elapsed() < AGAIN)
    }

    /// All mappings of volumes that have snapshots or were made from one: no other can have any.
    pub(super) async fn all_mappings(self: &Arc<Self>) -> Result<Vec<LinkedTarget>, Problem> {
        let (volumes, snapshots) = tokio::join!(self.cinder.volumes(), self.cinder.snapshots());
        let (volumes, snapshots) = (volumes?, snapshots?);
        let beside = Beside::new(&volumes, &snapshots);
        let with: std::collections::HashSet<&str> = snapshots
            .iter()
            .flat_map(|page| page.iter())
            .map(|snapshot| snapshot.volume_id.as_str())
            .collect();
        let asked: Vec<String> = volumes
            .iter()
            .flat_map(|page| page.iter())
            .filter(|volume| volume.snapshot_id.is_some() || with.contains(volume.id.as_str()))
            .map(|volume| volume.id.clone())
            .filter(|id| !self.is_without(id))
            .collect();
        let mut answers = stream::iter(asked.into_iter().map(|volume| {
            let shared = self.clone();
            async move {
                let found = shared.mappings(&volume).await;
                (volume, found)
            }
        }))
        .buffered(self.session().client.concurrency().max(1));
        let mut all: Vec<LinkedTarget> = Vec::new();
        while let Some((volume, found)) = answers.next().await {
            for mapping in found? {
                let target = beside.mapping(&mapping, &volume);
                // It is told of its source and of its target.
                if all.iter().all(|other| other.id != target.id) {
                    all.push(target);
                }
            }
        }
        all.sort_by(|a, b| (&a.source_name, &a.id).cmp(&(&b.source_name, &b.id)));
        Ok(all)
    }
}
