//! EMC ViPR Controller (CoprHD) as a provider: volumes, their snapshots, snapshot sessions and linked targets.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::Connection;
use crate::config::{Account, BodyFormat, Scope};
use crate::http::Client;
use crate::model::{Capabilities, Change, Problem};
use crate::wire::vipr::{Form, Urn};

mod act;
mod convert;
mod doctor;
mod errand;
mod follow;
mod inventory;
mod look;
mod plan;
mod plan_sessions;
mod plan_snapshots;
mod plan_targets;
mod plan_volumes;
mod reader;
mod session;
mod specs;
mod watch;
mod writer;

pub use doctor::examine;

/// What a tag begins with that tells the copy mode of a target.
const MODE: &str = "snapdeck:mode=";
/// What a tag begins with that tells which step has made a thing.
const KEY: &str = "snapdeck:key=";
/// What the name of a guard begins with.
const GUARD: &str = "guard-";

/// A system that is signed in to. All handles of its connection share it.
struct Shared {
    session: Arc<session::Session>,
    /// The project that the profile is for, by name or id; all where it names none.
    project: Option<String>,
    project_names: Mutex<HashMap<Urn, String>>,
    capabilities: Capabilities,
    kept: inventory::Kept,
    /// The tasks that were begun from here, by the key of the step.
    begun: Mutex<HashMap<String, Vec<Urn>>>,
    /// How many changes were made from here.
    changed: AtomicU64,
    changes: broadcast::Sender<Change>,
}

impl Shared {
    /// Notes that something was or may have been changed from here: nothing that was read before is good any more.
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

/// The dialect that a profile asks for.
fn form(said: BodyFormat) -> Form {
    match said {
        BodyFormat::Json => Form::Json,
        BodyFormat::Xml => Form::Xml,
    }
}

/// Signs in, and makes the connection.
///
/// # Errors
/// Why nothing can be listed there.
pub async fn open(
    name: &str,
    client: Client,
    account: Account,
    format: BodyFormat,
    read_only: bool,
) -> Result<Connection, Problem> {
    let session = session::Session::new(client, account, form(format));
    session.token().await?;
    let (connection, shared) = over(name, session, read_only);
    // A token that was given may be none; a project that is named may not be there.
    shared.project_ids().await?;
    Ok(connection)
}

/// The connection of a session.
fn over(name: &str, session: session::Session, read_only: bool) -> (Connection, Arc<Shared>) {
    let session = Arc::new(session);
    let (changes, _) = broadcast::channel(256);
    let project = match &session.account.scope {
        Scope::Project(project) => project.id.clone().or_else(|| project.name.clone()),
        _ => None,
    };
    let shared = Arc::new(Shared {
        capabilities: specs::capabilities(session.client.concurrency()),
        project,
        project_names: Mutex::default(),
        kept: inventory::Kept::default(),
        begun: Mutex::default(),
        changed: AtomicU64::new(0),
        changes,
        session: session.clone(),
    });
    let connection = Connection {
        name: name.to_owned(),
        reader: Arc::new(reader::ViprReader::new(shared.clone())),
        writer: (!read_only).then(|| Arc::new(writer::ViprWriter::new(shared.clone())) as _),
        trace: Some(session.client.trace().clone()),
    };
    (connection, shared)
}
