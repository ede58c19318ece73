//! Becoming a guest of the process that has the store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::client::{Asked, AttachedReader, ask};
use super::mirror::Mirror;
use super::socket::Place;
use super::wire::{Hello, NbdRequest, PROTOCOL, Request};
use crate::model::Problem;
use crate::provider::{Connection, embedded};
use crate::task::Tracker;

/// A store that another process has open.
pub struct Attached {
    /// The means to look. Changes go through the tracker alone.
    pub connection: Connection,
    /// The tasks, which the other process runs.
    pub tracker: Tracker,
    /// The other process.
    pub pid: u32,
    dir: PathBuf,
}

/// Asks to be let in to the store in `dir` by the process that has it; `None` where nobody
/// lets others in there. `by` says who asks for what is submitted.
///
/// # Errors
/// Where it is of another version, or does not answer as it should.
pub async fn attach(dir: &Path, read_only: bool, by: &str) -> Result<Option<Attached>, Problem> {
    let reachable = match Place::of(dir) {
        Ok(place) => tokio::net::UnixStream::connect(&place.path).await.is_ok(),
        Err(_) => false,
    };
    if !reachable {
        return Ok(None);
    }
    let protocol = PROTOCOL;
    let hello: Hello = ask(dir, &Request::Hello { protocol }).await?;
    let read_only = read_only || hello.read_only;
    let capabilities = embedded::capabilities();
    let known = hello.system == capabilities.system && hello.protocol == PROTOCOL;
    if !known {
        return Err(Problem::conflict(format!(
            "process {} has the store open and speaks another language",
            hello.pid
        )));
    }
    let mirror = Mirror::follow(dir, read_only).await?;
    Ok(Some(Attached {
        connection: Connection {
            name: hello.name,
            reader: Arc::new(AttachedReader::new(dir, capabilities)),
            writer: None,
            trace: None,
        },
        tracker: Tracker::over(Arc::new(mirror), by),
        pid: hello.pid,
        dir: dir.to_owned(),
    }))
}

impl Attached {
    /// Has something served over NBD until `said` returns false, or for good; `said` is
    /// called with each note.
    ///
    /// # Errors
    /// Why it cannot be served.
    pub async fn nbd(
        &self,
        request: NbdRequest,
        mut said: impl FnMut(String) + Send,
    ) -> Result<(), Problem> {
        let mut asked = Asked::new(&self.dir, &Request::Nbd(request)).await?;
        while let Some(note) = asked.next().await? {
            said(note);
        }
        Ok(())
    }
}
