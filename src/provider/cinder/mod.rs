//! OpenStack Block Storage as a provider: volumes, snapshots, group snapshots, and machines by what is attached to them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::Connection;
use crate::config::Account;
use crate::http::Client;
use crate::model::{Capabilities, Change, Problem};
use crate::wire::cinder::{Microversion, Snapshot, Volume};

pub(in crate::provider) mod act;
pub(in crate::provider) mod convert;
pub(in crate::provider) mod dialect;
pub(in crate::provider) mod doctor;
pub(in crate::provider) mod labels;
pub(in crate::provider) mod look;
pub(in crate::provider) mod machines;
pub(in crate::provider) mod plan;
mod plan_edits;
mod plan_groups;
mod plan_snapshots;
pub(in crate::provider) mod plan_volumes;
pub(in crate::provider) mod probe;
pub(in crate::provider) mod reader;
pub(in crate::provider) mod run;
pub(in crate::provider) mod scan;
pub(in crate::provider) mod session;
pub(in crate::provider) mod specs;
pub(in crate::provider) mod watch;
pub(in crate::provider) mod writer;

pub use doctor::examine;

/// The key of metadata under which the idempotency key of what made a thing is kept.
pub(in crate::provider) const KEY: &str = "snapdeck_key";
/// What the keys of metadata begin with that are this program's own.
pub(in crate::provider) const OWN: &str = "snapdeck_";
/// The key of metadata under which a snapshot says that a volume is being taken back to it.
const REVERT: &str = "snapdeck_revert";
/// What stands before the key in the description of what has no metadata.
pub(in crate::provider) const MARK: &str = "[snapdeck ";

/// A service that is signed in to. All handles of its connection share it.
pub(in crate::provider) struct Shared {
    pub(in crate::provider) session: Arc<session::Session>,
    pub(in crate::provider) capabilities: Capabilities,
    volumes: Arc<scan::Shared<Volume>>,
    snapshots: Arc<scan::Shared<Snapshot>>,
    pub(in crate::provider) machines: machines::Machines,
    /// How many snapshots each volume had when they were last counted.
    tallies: Mutex<Option<Arc<HashMap<String, convert::Tally>>>>,
    /// How many changes were made from here.
    changed: AtomicU64,
    changes: broadcast::Sender<Change>,
}

impl Shared {
    /// Notes that something was or may have been changed from here: no list that was begun before is good any more.
    pub(in crate::provider) fn note_change(&self) {
        self.changed.fetch_add(1, Ordering::SeqCst);
    }

    pub(in crate::provider) fn changes_so_far(&self) -> u64 {
        self.changed.load(Ordering::SeqCst)
    }
}

/// What a service of the latest version that is known here has and does.
#[must_use]
pub fn capabilities() -> Capabilities {
    specs::capabilities(Microversion::OURS, 1)
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
    let session = session::Session::open(client, account).await?;
    Ok(over(name, session, read_only))
}

/// The connection of a session that is open.
fn over(name: &str, session: session::Session, read_only: bool) -> Connection {
    let shared = share(session);
    Connection {
        name: name.to_owned(),
        reader: Arc::new(reader::CinderReader::new(shared.clone())),
        trace: Some(shared.session.client.trace().clone()),
        writer: (!read_only).then(|| Arc::new(writer::CinderWriter::new(shared)) as _),
    }
}

/// What all handles of a connection share.
pub(in crate::provider) fn share(session: session::Session) -> Arc<Shared> {
    let session = Arc::new(session);
    let (changes, _) = broadcast::channel(256);
    Arc::new(Shared {
        capabilities: specs::capabilities(session.version, session.client.concurrency()),
        volumes: Arc::default(),
        snapshots: Arc::default(),
        machines: machines::Machines::default(),
        tallies: Mutex::default(),
        changed: AtomicU64::new(0),
        changes,
        session,
    })
}
