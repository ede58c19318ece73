//! The names of machines, from the compute service where the catalog has one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::scan::Scan;
use super::session::Session;
use crate::wire::cinder::{Server, Volume};

/// A machine that is not among the names is asked for again after this long.
const AGAIN: Duration = Duration::from_secs(60);

/// Names by ids.
#[derive(Default)]
pub(in crate::provider) struct Machines {
    names: Mutex<HashMap<String, String>>,
    asked: Mutex<Option<Instant>>,
}

impl Machines {
    /// The name of a machine; its id where no name is known.
    pub(in crate::provider) fn name(&self, id: &str) -> String {
        let names = self.names.lock();
        names.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }

    /// Learns the names of the machines that these volumes are attached to. What cannot be learned stays an id.
    /// Says whether there is a name more.
    pub(super) async fn learn(&self, session: &Arc<Session>, volumes: &[Volume]) -> bool {
        let attached = volumes
            .iter()
            .flat_map(|volume| &volume.attachments)
            .filter_map(|attachment| attachment.server_id.as_deref());
        self.learn_these(session, attached).await
    }

    /// Learns the names of these machines.
    pub(in crate::provider) async fn learn_these(
        &self,
        session: &Arc<Session>,
        mut ids: impl Iterator<Item = &str> + Send,
    ) -> bool {
        let unknown = {
            let names = self.names.lock();
            ids.any(|id| !names.contains_key(id))
        };
        let lately = self.asked.lock().is_some_and(|at| at.elapsed() < AGAIN);
        if !unknown || lately {
            return false;
        }
        *self.asked.lock() = Some(Instant::now());
        let has = matches!(session.signed().await, Ok(signed) if signed.compute.is_some());
        if !has {
            return false;
        }
        match Scan::<Server>::start(session, "").all().await {
            Ok(pages) => {
                let mut names = self.names.lock();
                let before = names.len();
                for server in pages.iter().flat_map(|page| page.iter()) {
                    if !server.name.is_empty() {
                        names.insert(server.id.clone(), server.name.clone());
                    }
                }
                names.len() > before
            }
            Err(problem) => {
                tracing::warn!(%problem, "machines are shown by their ids");
                false
            }
        }
    }
}
