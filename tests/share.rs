//! Several programs on one store.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use snapdeck::model::{
    Bytes, Kind, Operation, OperationKind, ProblemKind, Query, Task, TaskState, Value,
};
use snapdeck::provider::embedded::{Embedded, Options};
use snapdeck::provider::{Resolver, list_all};
use snapdeck::share::{Host, NbdRequest, Services, attach};
use snapdeck::task::{Control, Tracker};
use support::Deck;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Serves nothing.
struct Nothing;

#[async_trait::async_trait]
impl Services for Nothing {
    async fn nbd(
        &self,
        _: NbdRequest,
        _: mpsc::UnboundedSender<String>,
        _: CancellationToken,
    ) -> Result<(), snapdeck::model::Problem> {
        Err(snapdeck::model::Problem::user("nothing is served"))
    }
}

fn open(dir: &Path) -> (Embedded, Tracker) {
    let options = Options {
        create: true,
        ..Options::default()
    };
    let embedded = Embedded::open(dir, &options).unwrap();
    let tracker = Tracker::open(&embedded.connection, &embedded.journal, "host").unwrap();
    (embedded, tracker)
}

fn host(dir: &Path, embedded: &Embedded, tracker: &Tracker) -> Host {
    let services = std::sync::Arc::new(Nothing);
    Host::start(dir, &embedded.connection, tracker, services).unwrap()
}

fn create(name: &str) -> Operation {
    Operation::new(OperationKind::CreateVolume)
        .text("name", name)
        .with("size", Value::Size(Bytes::mib(8)))
}

async fn done(tracker: &Tracker, operation: &Operation) -> std::sync::Arc<Task> {
    let plan = tracker.plan(operation).await.unwrap();
    let id = tracker.submit(plan).await.unwrap();
    let task = tracker.wait(&id, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Succeeded, "{}", task.reason);
    task
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sees_and_does_what_the_host_can() {
    let folder = tempfile::tempdir().unwrap();
    // Longer than the path of a socket may be.
    let dir = folder.path().join("d".repeat(120)).join("store");
    std::fs::create_dir_all(&dir).unwrap();
    let (embedded, tracker) = open(&dir);
    assert!(attach(&dir, false, "guest").await.unwrap().is_none());
    let host = host(&dir, &embedded, &tracker);
    let socket = dir.join("control.sock");
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let guest = attach(&dir, false, "guest").await.unwrap().unwrap();
    assert_eq!(guest.pid, std::process::id());
    let reader = &*guest.connection.reader;
    let mut changes = reader.watch();
    // The stream is asked for when it is first polled.
    let heard = tokio::spawn(async move { changes.next().await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let task = done(&guest.tracker, &create("v")).await;
    assert_eq!(task.by, "guest");
    assert_eq!(tracker.task(&task.id).unwrap().by, "guest");
    assert!(heard.await.unwrap().is_some());

    let volume = Resolver::new(reader).find(Kind::Volume, "v", None).await;
    let volume = volume.unwrap();
    let id = volume.id().parse().unwrap();
    let data: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
    embedded.store().write(id, 1 << 20, &data).unwrap();
    let volumes = Value::Objects(vec![volume.reference()]);
    let session = Operation::new(OperationKind::CreateSession)
        .text("name", "s")
        .with("volumes", volumes);
    done(&guest.tracker, &session).await;
    // Each kind keeps being what it is on its way.
    for kind in Kind::ALL {
        let here = list_all(&*embedded.connection.reader, Query::all(kind)).await;
        let there = list_all(reader, Query::all(kind)).await;
        assert_eq!(here.unwrap(), there.unwrap(), "{kind:?}");
    }
    let raw = reader.raw(&volume.reference()).await.unwrap();
    assert!(raw.text.contains(volume.id()));

    let (reference, content) = (volume.reference(), guest.connection.reader.clone());
    let read = tokio::task::spawn_blocking(move || {
        let content = content.content(&reference).unwrap();
        assert_eq!(content.size(), 8 << 20);
        let ranges = content.ranges(0).unwrap();
        let data: Vec<_> = ranges.iter().filter(|range| range.data).collect();
        assert_eq!((data[0].offset, data[0].length), (1 << 20, 1 << 20));
        let beyond = content.read(8 << 20, &mut [0; 1]).unwrap_err();
        let mut bytes = vec![0; 1 << 20];
        content.read(1 << 20, &mut bytes).unwrap();
        (bytes, beyond.kind)
    });
    let (bytes, beyond) = read.await.unwrap();
    assert_eq!(bytes, data);
    assert_eq!(beyond, ProblemKind::User);

    let nowhere = Operation::new(OperationKind::Flatten).on_volume(&"nothing".into());
    let refused = guest.tracker.plan(&nowhere).await.unwrap_err();
    assert_eq!(refused.kind, ProblemKind::NotFound, "{refused}");
    drop(host);
    assert!(!socket.exists());
    let lost = reader.show(&volume.reference()).await.unwrap_err();
    assert_eq!(lost.kind, ProblemKind::Network);
    tracker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_controls_the_hosts_tasks_and_a_read_only_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (embedded, tracker) = open(&dir);
    let _host = host(&dir, &embedded, &tracker);
    let guest = attach(&dir, false, "guest").await.unwrap().unwrap();
    let made = done(&guest.tracker, &create("v")).await;
    let id = made.made().next().unwrap().id.clone();
    let store = embedded.store();
    store
        .write(id.parse().unwrap(), 0, &vec![3; 8 << 20])
        .unwrap();
    let volume = id.as_str().into();
    let snapshot = Operation::new(OperationKind::CreateSnapshot)
        .on_volume(&volume)
        .text("name", "s");
    done(&guest.tracker, &snapshot).await;
    store.set_copy_rate(Some(64 << 10));
    let flatten = Operation::new(OperationKind::Flatten).on_volume(&volume);
    let plan = guest.tracker.plan(&flatten).await.unwrap();
    let task = guest.tracker.submit(plan).await.unwrap();
    let moves = |task: &Task| task.progress().is_some();
    guest.tracker.wait(&task, moves).await.unwrap();
    guest.tracker.control(&task, Control::Pause).await.unwrap();
    let paused = |task: &Task| task.state == TaskState::Suspended;
    guest.tracker.wait(&task, paused).await.unwrap();

    let other = attach(&dir, true, "other").await.unwrap().unwrap();
    assert!(other.tracker.is_read_only());
    assert_eq!(other.tracker.tasks().len(), tracker.tasks().len());
    let refused = other.tracker.control(&task, Control::Cancel).await;
    assert_eq!(refused.unwrap_err().kind, ProblemKind::Auth);
    guest.tracker.control(&task, Control::Cancel).await.unwrap();
    let task = other.tracker.wait(&task, Task::is_settled).await.unwrap();
    let settled = |task: &Task| task.state.is_over();
    let task = other.tracker.wait(&task.id, settled).await.unwrap();
    assert_eq!(task.state, TaskState::Cancelled);
    tracker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_at_the_socket_harms_nobody() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("store");
    let (embedded, tracker) = open(&dir);
    let _host = host(&dir, &embedded, &tracker);
    for said in [
        &b"\n"[..],
        b"{\"Hello\":{\"protocol\":0}}\n",
        b"{\"Show\":{\"kind\":\"volume\",\"id\":\"\\u0000\"}}\n",
        b"{\"Content\":{\"kind\":\"group\",\"id\":\"x\"}}\n",
        b"\xff\xfe\n",
        b"[[[[[[[[[[[[",
    ] {
        let mut stream = tokio::net::UnixStream::connect(dir.join("control.sock"))
            .await
            .unwrap();
        stream.write_all(said).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || text.contains("Failed"), "{text}");
    }
    let guest = attach(&dir, false, "guest").await.unwrap().unwrap();
    done(&guest.tracker, &create("v")).await;
    tracker.close().await;
}

#[test]
fn snapshots_are_taken_while_a_volume_is_served() {
    let deck = Deck::new();
    deck.ok(&["run", "create-volume", "--name", "v", "--size", "8MiB"]);
    let socket = deck.path("nbd.sock");
    let socket = socket.to_str().unwrap();
    let mut first = deck
        .command(&["nbd", "v", "--unix", socket])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let wait = |path: &str| {
        for _ in 0..400 {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("nothing listens at {path}");
    };
    wait(socket);
    deck.ok(&["run", "create-snapshot", "--volume", "v", "--name", "one"]);
    assert_eq!(deck.get("snapshots").len(), 1);
    deck.ok(&["run", "create-volume", "--name", "w", "--size", "8MiB"]);
    // A second volume is served by the first program for the second.
    let other = deck.path("other.sock");
    let other = other.to_str().unwrap();
    let mut second = deck
        .command(&["nbd", "w", "--unix", other])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    wait(other);
    for child in [&mut second, &mut first] {
        let pid = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut said = String::new();
        std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut said).unwrap();
        assert!(child.wait().unwrap().success(), "{said}");
        assert!(said.contains("serving"), "{said}");
    }
    assert_eq!(deck.get("volumes").len(), 2);
}
