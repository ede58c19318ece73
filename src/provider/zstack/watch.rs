//! What a look shows by which changes elsewhere are noticed: how many there are, and which was changed last.

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::broadcast;

use super::Shared;
use super::look::Place;
use crate::model::{Change, Kind};
use crate::provider::cinder::session::Ask;
use crate::provider::cinder::watch::{Looker, Sight};
use crate::wire::zstack::{Snapshot, Volume};

#[async_trait]
impl Looker for Shared {
    fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    async fn look(&self, kind: Kind) -> Option<Sight> {
        let path = match kind {
            Kind::Volume => Volume::PATH,
            _ => Snapshot::PATH,
        };
        let ask = Ask::get(format!(
            "{path}?limit=1&replyWithCount=true&sort=-lastOpDate"
        ));
        // What is not answered now is asked again; lists tell what is wrong.
        let answer = self.session.read(&ask, "looking for changes").await.ok()?;
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        let newest = body.get("inventories")?.get(0);
        let of = |name: &str| newest.and_then(|one| one.get(name)).map(Value::to_string);
        let seen = ["uuid", "name", "lastOpDate", "status"].into_iter();
        let mut sight: Sight = seen.filter_map(of).collect();
        sight.extend(body.get("total").map(Value::to_string));
        Some(sight)
    }
}
