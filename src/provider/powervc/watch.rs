//! Hearing of changes: those of block storage as it tells them, those of instance snapshots from here at once and from elsewhere by
//! asking now and then.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio_stream::wrappers::BroadcastStream;

use super::Shared;
use crate::model::{Change, Kind};
use crate::provider::Reader as _;

/// The pause after a change was seen.
const SHORT: Duration = Duration::from_secs(3);
/// The pause when nothing has changed for long.
const LONG: Duration = Duration::from_secs(30);

/// What a look shows: each with its status, its name and its latest change.
type Sight = Vec<String>;

pub(super) fn watch(shared: Arc<Shared>) -> BoxStream<'static, Change> {
    let own = BroadcastStream::new(shared.changes.subscribe()).map(|change| match change {
        Ok(change) => change,
        // Fell behind: what was missed can be anything of these.
        Err(_) => Change::Kind(Kind::Group),
    });
    let volumes = shared.volumes.watch();
    let others = stream::unfold(
        (shared, SHORT, None::<Sight>),
        |(shared, pause, seen)| async move {
            tokio::time::sleep(pause).await;
            let now = look(&shared).await;
            let changed = matches!((&seen, &now), (Some(seen), Some(now)) if seen != now);
            let pause = match changed {
                true => SHORT,
                false => (pause * 2).min(LONG),
            };
            let changes: Vec<Change> = match changed {
                true => vec![Change::Kind(Kind::Group), Change::Kind(Kind::Snapshot)],
                false => Vec::new(),
            };
            Some((stream::iter(changes), (shared, pause, now.or(seen))))
        },
    )
    .flatten();
    stream::select(volumes, stream::select(own, others)).boxed()
}

async fn look(shared: &Shared) -> Option<Sight> {
    // What is not answered now is asked again; lists tell what is wrong.
    let all = shared.instance_snapshots().await.ok()?;
    let mut sight: Sight = all
        .iter()
        .map(|one| {
            let name = one.name.as_deref().unwrap_or_default();
            let updated = one.updated_at.as_deref().unwrap_or_default();
            format!("{}|{}|{name}|{updated}", one.id, one.status.word())
        })
        .collect();
    sight.sort();
    Some(sight)
}
