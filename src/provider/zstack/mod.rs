//! ZStack Cloud as a provider: volumes, their snapshot trees, snapshot groups of VM instances. Signing in once, lists and
//! looking for what was sent are done as for OpenStack Block Storage; what the calls are, and that each is a job, is its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::Connection;
use super::cinder::scan;
use super::cinder::session::{Ask, Session};
use crate::config::Account;
use crate::http::Client;
use crate::model::{Capabilities, Change, Problem};
use crate::wire::zstack::{Snapshot, Tree, Vm, Volume, Zone};

mod act;
mod convert;
mod dialect;
mod doctor;
mod errand;
mod job;
mod long;
mod look;
mod plan;
mod plan_groups;
mod plan_snapshots;
mod reader;
mod sight;
mod specs;
mod watch;
mod writer;

pub use doctor::examine;

/// A guard's name begins so.
const GUARD: &str = "guard-";
/// What a guard says of itself; by it, it is known.
const GUARDS: &str = "what was there before it was taken back";

/// A system that is signed in to. All handles of its connection share it.
struct Shared {
    session: Arc<Session>,
    /// The time zone of its dates.
    zone: Zone,
    capabilities: Capabilities,
    volumes: Arc<scan::Shared<Volume>>,
    snapshots: Arc<scan::Shared<Snapshot>>,
    trees: Arc<scan::Shared<Tree>>,
    machines: Arc<scan::Shared<Vm>>,
    /// The trees and machines when volumes were last drawn.
    drawn: Mutex<Option<Arc<sight::Sight>>>,
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

/// What such a system has and does.
#[must_use]
pub fn capabilities() -> Capabilities {
    specs::capabilities(1)
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
    session.signed().await?;
    let zone = zone(&session).await.unwrap_or_default();
    Ok(over(name, session, zone, read_only))
}

/// A session that has not signed in yet.
fn session(client: Client, account: Account) -> Session {
    let dialect = Arc::new(dialect::ZStack::new(&account));
    Session::new(client, account, dialect)
}

/// The time zone of the system's dates; `None` where it does not tell.
async fn zone(session: &Session) -> Option<Zone> {
    let ask = Ask::get("/management-nodes/platform-timezone");
    let answer = session.read(&ask, "the time zone cannot be read").await;
    Zone::read(&answer.ok()?.body)
}

/// The connection of a session that is open.
fn over(name: &str, session: Session, zone: Zone, read_only: bool) -> Connection {
    let session = Arc::new(session);
    let (changes, _) = broadcast::channel(256);
    let shared = Arc::new(Shared {
        capabilities: specs::capabilities(session.client.concurrency()),
        zone,
        volumes: Arc::default(),
        snapshots: Arc::default(),
        trees: Arc::default(),
        machines: Arc::default(),
        drawn: Mutex::default(),
        changed: AtomicU64::new(0),
        changes,
        session: session.clone(),
    });
    Connection {
        name: name.to_owned(),
        reader: Arc::new(reader::ZStackReader::new(shared.clone())),
        writer: (!read_only).then(|| Arc::new(writer::ZStackWriter::new(shared)) as _),
        trace: Some(session.client.trace().clone()),
    }
}
