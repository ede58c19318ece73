//! IBM PowerVC as a provider: volumes and their snapshots as block storage has them, machines by the compute service, and
//! snapshots of whole machines, which are begun by the one and kept by the other.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::cinder::reader::CinderReader;
use super::cinder::session::Session;
use super::cinder::writer::CinderWriter;
use super::cinder::{self, specs as volumes};
use super::{Connection, Finding};
use crate::config::Account;
use crate::http::Client;
use crate::model::{Capabilities, Change, Problem};
use crate::wire::cinder::Microversion;

mod act;
mod convert;
mod copies;
mod doctor;
mod look;
mod plan;
mod plan_restore;
mod probe;
mod reader;
mod run;
mod specs;
mod watch;
mod writer;

/// What all handles of a connection share.
struct Shared {
    /// Volumes and their snapshots.
    cinder: Arc<cinder::Shared>,
    /// The means to look at those.
    volumes: CinderReader,
    capabilities: Capabilities,
    /// Volumes that have no FlashCopy mappings since their storage knows none, and when that was said.
    without_copies: Mutex<HashMap<String, std::time::Instant>>,
    /// Steps that were found under way after a restart: what fails of them is not tried again unasked.
    followed: Mutex<std::collections::HashSet<String>>,
    changes: broadcast::Sender<Change>,
}

impl Shared {
    fn session(&self) -> &Arc<Session> {
        &self.cinder.session
    }
}

/// What a PowerVC of the latest version that is known here has and does.
#[must_use]
pub fn capabilities() -> Capabilities {
    specs::capabilities(volumes::capabilities(Microversion::OURS, 1))
}

/// Signs in, and makes the connection.
///
/// # Errors
/// Why nothing can be listed there.
pub async fn open(
    name: &str,
    client: Client,
    account: Account,
    read_only: bool,
) -> Result<Connection, Problem> {
    let session = Session::open(client, account).await?;
    Ok(over(name, session, read_only))
}

/// Looks step by step where using it ends, and tells each finding.
pub async fn examine(
    client: Client,
    account: Account,
    read_only: bool,
    tell: impl FnMut(Finding) + Send,
) {
    doctor::examine(client, account, read_only, tell).await;
}

/// The connection of a session that is open.
fn over(name: &str, session: Session, read_only: bool) -> Connection {
    let shared = share(session);
    Connection {
        name: name.to_owned(),
        reader: Arc::new(reader::PowerReader::new(shared.clone())),
        trace: Some(shared.session().client.trace().clone()),
        writer: (!read_only).then(|| {
            let volumes = CinderWriter::new(shared.cinder.clone());
            Arc::new(writer::PowerWriter::new(shared, volumes)) as _
        }),
    }
}

fn share(session: Session) -> Arc<Shared> {
    let cinder = cinder::share(session);
    let (changes, _) = broadcast::channel(256);
    Arc::new(Shared {
        capabilities: specs::capabilities(cinder.capabilities.clone()),
        volumes: CinderReader::new(cinder.clone()),
        cinder,
        without_copies: Mutex::default(),
        followed: Mutex::default(),
        changes,
    })
}
