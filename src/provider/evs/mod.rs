//! Huawei Cloud EVS as a provider: disks, their snapshots, rolling back. What it has in common with OpenStack Block
//! Storage (signing in, lists, looking for what was sent) is that room's.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::Connection;
use super::cinder::scan;
use super::cinder::session::Session;
use crate::config::Account;
use crate::http::Client;
use crate::model::{Capabilities, Change, Problem};
use crate::wire::evs::{Snapshot, Volume};

mod act;
mod convert;
mod dialect;
mod doctor;
mod errand;
mod family;
mod line;
mod look;
mod plan;
mod plan_snapshots;
mod plan_volumes;
mod reader;
mod specs;
mod watch;
mod writer;

pub use doctor::examine;
use family::Family;

/// The key of metadata under which a snapshot says that its disk was rolled back to it, and when.
const ROLLBACK: &str = "snapdeck_rollback";
/// The key of metadata under which a guard says to which snapshot its disk was rolled back then.
const GUARD: &str = "snapdeck_guard";

/// A service that is signed in to. All handles of its connection share it.
struct Shared {
    session: Arc<Session>,
    family: Family,
    capabilities: Capabilities,
    volumes: Arc<scan::Shared<Volume>>,
    snapshots: Arc<scan::Shared<Snapshot>>,
    /// The lines of the disks when they were last drawn.
    lines: Mutex<Option<Arc<HashMap<String, line::Line>>>>,
    /// The keys of rollbacks that were seen done from here: over there not every service can keep them.
    done: Mutex<HashSet<String>>,
    /// How many changes were made from here.
    changed: AtomicU64,
    changes: broadcast::Sender<Change>,
}

impl Shared {
    /// Notes that something was or may have been changed from here: no list that was begun before is good any more.
    fn note_change(&self) {
        self.changed.fetch_add(1, Ordering::SeqCst);
    }

    fn changes_so_far(&self) -> u64 {
        self.changed.load(Ordering::SeqCst)
    }
}

/// What such a service has and does.
#[must_use]
pub fn capabilities() -> Capabilities {
    specs::capabilities(Family::NATIVE, 1)
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
    let session = session(client, account);
    let family = Family::find(&session).await?;
    Ok(over(name, session, family, read_only))
}

/// A session that has not signed in yet.
fn session(client: Client, account: Account) -> Session {
    let dialect = Arc::new(dialect::Evs::new(&account));
    Session::new(client, account, dialect)
}

/// The connection of a session that is open.
fn over(name: &str, session: Session, family: Family, read_only: bool) -> Connection {
    let session = Arc::new(session);
    let (changes, _) = broadcast::channel(256);
    let shared = Arc::new(Shared {
        capabilities: specs::capabilities(family, session.client.concurrency()),
        family,
        volumes: Arc::default(),
        snapshots: Arc::default(),
        lines: Mutex::default(),
        done: Mutex::default(),
        changed: AtomicU64::new(0),
        changes,
        session: session.clone(),
    });
    Connection {
        name: name.to_owned(),
        reader: Arc::new(reader::EvsReader::new(shared.clone())),
        writer: (!read_only).then(|| Arc::new(writer::EvsWriter::new(shared)) as _),
        trace: Some(session.client.trace().clone()),
    }
}
