//! Hearing of changes. Whatever changes has a task, so the tasks tell whether there is anything to read again.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::broadcast;

use super::Shared;
use super::session::Ask;
use crate::model::{Change, Kind};
use crate::provider::cinder::watch::{Looker, Sight, watch as looking};

/// So many of the latest tasks are looked at.
const LATEST: usize = 20;

pub(super) fn watch(shared: Arc<Shared>) -> BoxStream<'static, Change> {
    let changes = looking(shared).flat_map(|change| {
        let more: &[Kind] = match change {
            Change::Kind(Kind::Snapshot) => &[Kind::Session, Kind::Target],
            _ => &[],
        };
        let more = more.iter().copied().map(Change::Kind);
        stream::iter(std::iter::once(change).chain(more).collect::<Vec<_>>())
    });
    changes.boxed()
}

#[async_trait]
impl Looker for Shared {
    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn look(&self, kind: Kind) -> Option<Sight> {
        // One look is enough for all; what is seen of snapshots is told of volumes too.
        if kind != Kind::Snapshot {
            return None;
        }
        let what = "looking for changes";
        let stats = Ask::get("/vdc/tasks/stats");
        let stats = self
            .session
            .read(&stats, &["task_stats"], what)
            .await
            .ok()?;
        let latest = format!("/vdc/tasks?max_count={LATEST}");
        let latest = self
            .references(&latest, &["tasks_ids"], "task")
            .await
            .ok()?;
        let mut sight = vec![stats.to_string()];
        sight.extend(latest.into_iter().map(|task| task.id.to_string()));
        Some(sight)
    }
}
