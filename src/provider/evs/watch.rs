//! What a look shows by which changes elsewhere are noticed. Only disks can be listed by when they were changed; that
//! something is gone shows in what is used of the quota.

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::broadcast;

use super::Shared;
use super::look::quota_set;
use crate::model::{Change, Kind};
use crate::provider::cinder::session::Ask;
use crate::provider::cinder::watch::{Looker, Sight};

#[async_trait]
impl Looker for Shared {
    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn look(&self, kind: Kind) -> Option<Sight> {
        let (path, many) = match kind {
            Kind::Volume => (self.family.volumes(), "volumes"),
            _ => (self.family.snapshots(), "snapshots"),
        };
        let ask = Ask::get(format!("{path}/detail?limit=1"));
        // What is not answered now is asked again; lists tell what is wrong.
        let answer = self.session.read(&ask, "looking for changes").await.ok()?;
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        let newest = body.get(many)?.get(0);
        let of = |name: &str| newest.and_then(|one| one.get(name)).map(Value::to_string);
        let mut sight: Sight = ["id", "updated_at", "status"]
            .into_iter()
            .filter_map(of)
            .collect();
        sight.extend(body.get("count").map(Value::to_string));
        sight.extend(self.used(many).await);
        Some(sight)
    }
}

impl Shared {
    /// How many of these there are by the quota, where it is told.
    async fn used(&self, many: &str) -> Option<String> {
        let quotas = quota_set(&self.session).await.ok()?;
        quotas.0.get(many).map(|quota| quota.in_use.to_string())
    }
}
