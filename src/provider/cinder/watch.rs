//! Hearing of changes: those from here at once, those from elsewhere by asking now and then, more often while
//! something changes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;

use super::Shared;
use super::session::Ask;
use crate::model::{Change, Kind};
use crate::wire::cinder::Microversion;

/// The pause after a change was seen.
const SHORT: Duration = Duration::from_secs(3);
/// The pause when nothing has changed for long.
const LONG: Duration = Duration::from_secs(30);

/// What a look at a kind of things shows: how many there are, and which was changed last.
pub(in crate::provider) type Sight = Vec<String>;

/// One who looks.
#[async_trait]
pub(in crate::provider) trait Looker: Send + Sync + 'static {
    /// What is changed from here.
    fn changes(&self) -> broadcast::Receiver<Change>;

    /// Looks at volumes or snapshots; `None` where nothing was answered.
    async fn look(&self, kind: Kind) -> Option<Sight>;
}

pub(in crate::provider) fn watch(looker: Arc<dyn Looker>) -> BoxStream<'static, Change> {
    let own = BroadcastStream::new(looker.changes()).flat_map(|change| match change {
        Ok(change) => stream::iter(vec![change]),
        // Fell behind: what was missed can be anything.
        Err(_) => stream::iter(everything()),
    });
    let looks = Looks {
        looker,
        pause: SHORT,
        seen: [None, None],
    };
    let others = stream::unfold(looks, |mut looks| async move {
        let changes = looks.next().await;
        Some((stream::iter(changes), looks))
    })
    .flatten();
    stream::select(own, others).boxed()
}

fn everything() -> Vec<Change> {
    [Kind::Volume, Kind::Snapshot, Kind::Group]
        .map(Change::Kind)
        .to_vec()
}

struct Looks {
    looker: Arc<dyn Looker>,
    pause: Duration,
    seen: [Option<Sight>; 2],
}

impl Looks {
    /// Waits, looks, and tells what is not as it was.
    async fn next(&mut self) -> Vec<Change> {
        tokio::time::sleep(self.pause).await;
        let mut changes = Vec::new();
        for (n, kind) in [Kind::Volume, Kind::Snapshot].into_iter().enumerate() {
            let Some(sight) = self.looker.look(kind).await else {
                continue;
            };
            let seen = &mut self.seen[n];
            if seen.as_ref().is_some_and(|seen| *seen != sight) {
                changes.push(Change::Kind(kind));
                if kind == Kind::Snapshot {
                    changes.push(Change::Kind(Kind::Group));
                    changes.push(Change::Kind(Kind::Volume));
                }
            }
            *seen = Some(sight);
        }
        self.pause = match changes.is_empty() {
            true => (self.pause * 2).min(LONG),
            false => SHORT,
        };
        changes
    }
}

#[async_trait]
impl Looker for Shared {
    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn look(&self, kind: Kind) -> Option<Sight> {
        let session = &self.session;
        let many = kind.many();
        let counts = session.version >= Microversion::COUNT;
        let count = if counts { "&with_count=true" } else { "" };
        let of = session.of_whom();
        let mut sight = Sight::default();
        for key in ["updated_at", "created_at"] {
            let ask = Ask::get(format!(
                "/{many}/detail?limit=1&sort={key}%3Adesc{count}{of}"
            ));
            // What is not answered now is asked again; lists tell what is wrong.
            let answer = session.read(&ask, "looking for changes").await.ok()?;
            let body: Value = serde_json::from_slice(&answer.body).ok()?;
            let newest = body.get(many)?.get(0);
            let of = |name: &str| newest.and_then(|one| one.get(name)).map(Value::to_string);
            sight.extend(["id", "updated_at", "status"].into_iter().filter_map(of));
            sight.extend(body.get("count").map(Value::to_string));
        }
        Some(sight)
    }
}
