//! Letting others in.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{Stream, StreamExt as _};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::content::serve_content;
use super::difference::serve_difference;
use super::socket::Place;
use super::wire::{Hello, LINE, NbdRequest, PROTOCOL, Reply, Request, WirePage};
use crate::model::{Problem, ProblemKind, Query, Task, Thing};
use crate::provider::Connection;
use crate::task::Tracker;

/// What only the process that has the store can do, beside looking and changing.
#[async_trait]
pub trait Services: Send + Sync {
    /// Serves something over NBD until `stop`; says where on `notes`.
    ///
    /// # Errors
    /// Why it cannot be served.
    async fn nbd(
        &self,
        request: NbdRequest,
        notes: mpsc::UnboundedSender<String>,
        stop: CancellationToken,
    ) -> Result<(), Problem>;
}

struct Shared {
    connection: Connection,
    tracker: Tracker,
    services: Arc<dyn Services>,
    stop: CancellationToken,
}

/// A socket that others are let in by. It goes when this is dropped.
pub struct Host {
    place: Place,
    stop: CancellationToken,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop.cancel();
        // What is left behind is taken away by the next who has the store.
        let _ = std::fs::remove_file(&self.place.path);
    }
}

impl Host {
    /// Lets others in to the store in `dir`, which this process has open.
    ///
    /// # Errors
    /// Where no socket can be made there.
    pub fn start(
        dir: &Path,
        connection: &Connection,
        tracker: &Tracker,
        services: Arc<dyn Services>,
    ) -> std::io::Result<Self> {
        let place = Place::of(dir)?;
        // Whoever has the store's lock has this name too: what is there is left from a crash.
        match std::fs::remove_file(&place.path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let listener = UnixListener::bind(&place.path)?;
        std::fs::set_permissions(&place.path, std::fs::Permissions::from_mode(0o600))?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            connection: connection.clone(),
            tracker: tracker.clone(),
            services,
            stop: stop.clone(),
        });
        tokio::spawn(accept(listener, shared));
        Ok(Self { place, stop })
    }
}

async fn accept(listener: UnixListener, shared: Arc<Shared>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shared.stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) if is_ours(&stream) => {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let stop = shared.stop.clone();
                    tokio::select! {
                        // A peer that goes away in the middle needs no answer.
                        _ = serve(stream, &shared) => {}
                        () = stop.cancelled() => {}
                    }
                });
            }
            Ok(_) => {}
            // Out of descriptors or the like: it may pass.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}

/// Whether the peer is this user, or root.
fn is_ours(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

/// Writes a line.
pub(super) async fn say<T: Serialize>(
    to: &mut OwnedWriteHalf,
    reply: &Reply<T>,
) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    to.write_all(&line).await
}

async fn answer<T: Serialize>(
    to: &mut OwnedWriteHalf,
    result: Result<T, Problem>,
) -> std::io::Result<()> {
    match result {
        Ok(value) => say(to, &Reply::Item(value)).await,
        Err(problem) => say(to, &Reply::<()>::Failed(problem)).await,
    }
}

/// Writes what comes until it ends or the peer is gone.
async fn tell<T: Serialize>(
    to: &mut OwnedWriteHalf,
    from: &mut BufReader<OwnedReadHalf>,
    items: impl Stream<Item = T>,
) -> std::io::Result<()> {
    let mut items = std::pin::pin!(items);
    loop {
        let item = tokio::select! {
            item = items.next() => item,
            () = gone(from) => return Ok(()),
        };
        match item {
            Some(item) => say(to, &Reply::Item(item)).await?,
            None => return say(to, &Reply::<()>::End).await,
        }
    }
}

/// Waits until the peer closes; what it says meanwhile means nothing.
async fn gone(from: &mut BufReader<OwnedReadHalf>) {
    let mut byte = [0; 1];
    while matches!(from.read(&mut byte).await, Ok(n) if n > 0) {}
}

async fn serve(stream: UnixStream, shared: &Shared) -> std::io::Result<()> {
    let (read, mut to) = stream.into_split();
    let mut from = BufReader::new(read);
    let mut line = String::new();
    (&mut from).take(LINE).read_line(&mut line).await?;
    let request = match serde_json::from_str(&line) {
        Ok(request) => request,
        Err(e) => {
            let problem = Problem::user("the request is not understood").caused_by(&e);
            return say(&mut to, &Reply::<()>::Failed(problem)).await;
        }
    };
    let reader = &*shared.connection.reader;
    let tracker = &shared.tracker;
    match request {
        Request::Hello { protocol } if protocol != PROTOCOL => {
            let version = env!("CARGO_PKG_VERSION");
            let problem = Problem::new(
                ProblemKind::Conflict,
                format!("the program that has the store open is another version ({version})"),
            )
            .hint("use the same version, or end that program first");
            say(&mut to, &Reply::<()>::Failed(problem)).await
        }
        Request::Hello { .. } => {
            let hello = Hello {
                protocol: PROTOCOL,
                system: reader.capabilities().system.to_owned(),
                name: shared.connection.name.clone(),
                read_only: tracker.is_read_only(),
                pid: std::process::id(),
            };
            say(&mut to, &Reply::Item(hello)).await
        }
        Request::List { kind, volume } => {
            let mut pages = reader.list(Query {
                kind,
                volume,
                early: false,
            });
            while let Some(page) = pages.next().await {
                match page {
                    Ok(page) => {
                        let page = WirePage {
                            items: page.items.into_iter().map(Thing::from).collect(),
                            total: page.total,
                        };
                        say(&mut to, &Reply::Item(page)).await?;
                    }
                    Err(problem) => return say(&mut to, &Reply::<()>::Failed(problem)).await,
                }
            }
            say(&mut to, &Reply::<()>::End).await
        }
        Request::Show(object) => {
            let shown = reader.show(&object).await;
            answer(&mut to, shown.map(Thing::from)).await
        }
        Request::Raw(object) => answer(&mut to, reader.raw(&object).await).await,
        Request::Plan(operation) => answer(&mut to, tracker.plan(&operation).await).await,
        Request::Watch => {
            let changes = reader.watch();
            tell(&mut to, &mut from, changes).await
        }
        Request::Content(object) => serve_content(&mut from, &mut to, reader, &object).await,
        Request::Difference { from: old, to: new } => {
            serve_difference(&mut from, &mut to, reader, (&old, &new)).await
        }
        Request::Tasks => {
            let updates = tracker.updates();
            say(&mut to, &Reply::Item(bare(&tracker.tasks()))).await?;
            let updates = updates.map(|batch| bare(&batch));
            tell(&mut to, &mut from, updates).await
        }
        Request::Submit { plan, by } => {
            let submitted = tracker.as_asked_by(&by).submit(*plan).await;
            answer(&mut to, submitted).await
        }
        Request::Control { id, control } => {
            answer(&mut to, tracker.control(&id, control).await).await
        }
        Request::FollowOn => answer(&mut to, Ok(tracker.follow_on().await)).await,
        Request::Nbd(request) => nbd(&mut to, &mut from, shared, request).await,
    }
}

fn bare(tasks: &[Arc<Task>]) -> Vec<Task> {
    tasks.iter().map(|task| Task::clone(task)).collect()
}

/// Serves until it fails or the peer is gone; the notes are told.
async fn nbd(
    to: &mut OwnedWriteHalf,
    from: &mut BufReader<OwnedReadHalf>,
    shared: &Shared,
    request: NbdRequest,
) -> std::io::Result<()> {
    let (notes, mut heard) = mpsc::unbounded_channel::<String>();
    let stop = shared.stop.child_token();
    // It ends with this connection, however that ends.
    let _guard = stop.clone().drop_guard();
    let mut serving = shared.services.nbd(request, notes, stop.clone());
    let mut told = true;
    loop {
        tokio::select! {
            Some(note) = heard.recv(), if told => {
                told = say(to, &Reply::Item(note)).await.is_ok();
            }
            ended = &mut serving => {
                while let Ok(note) = heard.try_recv() {
                    say(to, &Reply::Item(note)).await?;
                }
                return match ended {
                    Ok(()) => say(to, &Reply::<()>::End).await,
                    Err(problem) => say(to, &Reply::<()>::Failed(problem)).await,
                };
            }
            () = gone(from), if !stop.is_cancelled() => stop.cancel(),
        }
    }
}
