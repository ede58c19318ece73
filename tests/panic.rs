//! A fault of our own gives the terminal back, and is told on it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

#[path = "support/pty.rs"]
mod pty;
mod support;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use portable_pty::CommandBuilder;
use snapdeck::model::{
    Capabilities, Change, Object, ObjectRef, Operation, Page, Plan, Problem, Query, Raw,
};
use snapdeck::provider::embedded::{Embedded, Options};
use snapdeck::provider::{Connection, Content, Reader};
use snapdeck::task::Tracker;
use snapdeck::tui;

use pty::{Terminal, restored};
use support::Deck;

/// Where the store of the child is.
const CHILD: &str = "SNAPDECK_TEST_PANIC_STORE";

/// The real reader, but for a fault: once there is a file of this path, a list panics.
struct Broken {
    real: Arc<dyn Reader>,
    trap: PathBuf,
}

#[async_trait]
impl Reader for Broken {
    fn capabilities(&self) -> &Capabilities {
        self.real.capabilities()
    }

    fn list(&self, query: Query) -> BoxStream<'static, Result<Page, Problem>> {
        assert!(
            !self.trap.exists(),
            "a fault on purpose, in the middle of the screen"
        );
        self.real.list(query)
    }

    async fn show(&self, object: &ObjectRef) -> Result<Object, Problem> {
        self.real.show(object).await
    }

    async fn raw(&self, object: &ObjectRef) -> Result<Raw, Problem> {
        self.real.raw(object).await
    }

    async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        self.real.plan(operation).await
    }

    fn watch(&self) -> BoxStream<'static, Change> {
        self.real.watch()
    }

    fn content(&self, object: &ObjectRef) -> Result<Arc<dyn Content>, Problem> {
        self.real.content(object)
    }
}

/// What the child lends the console.
struct Lent(Connection, Tracker);

#[async_trait]
impl tui::Lease for Lent {
    fn site(&self) -> tui::Site {
        tui::Site::Store
    }

    fn connection(&self) -> Connection {
        self.0.clone()
    }

    fn tracker(&self) -> Tracker {
        self.1.clone()
    }

    fn support(&self) -> Option<snapdeck::support::Places> {
        None
    }

    async fn renew(&mut self) -> Result<(), Problem> {
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<(), Problem> {
        self.1.close().await;
        Ok(())
    }
}

/// Not a test by itself: what the test below runs in a terminal.
#[test]
fn child() {
    let Some(store) = std::env::var_os(CHILD).map(PathBuf::from) else {
        return;
    };
    let options = Options {
        create: true,
        ..Options::default()
    };
    let embedded = Embedded::open(&store, &options).unwrap();
    let tracker = Tracker::open(&embedded.connection, &embedded.journal, "test").unwrap();
    let connection = Connection {
        reader: Arc::new(Broken {
            real: embedded.connection.reader.clone(),
            trap: store.with_file_name("trap"),
        }),
        ..embedded.connection.clone()
    };
    let setup = tui::Setup {
        first: Some(Box::new(Lent(connection, tracker))),
        open: Vec::new(),
        opener: None,
        options: tui::Options {
            state: Some(store.with_file_name("state")),
            ..tui::Options::default()
        },
        tours: tui::Tours::default(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _ = runtime.block_on(tui::run(setup));
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told() {
    let deck = Deck::new();
    let store = deck.store();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    for arg in ["child", "--exact", "--nocapture", "--test-threads=1"] {
        command.arg(arg);
    }
    let store = store.to_string_lossy();
    let mut terminal = Terminal::run(
        &deck,
        command,
        100,
        30,
        &[(CHILD, &store), ("RUST_BACKTRACE", "0")],
    );
    terminal.sees("Volumes");
    std::fs::write(deck.path("trap"), "").unwrap();
    terminal.send("r");
    let (code, screen, bytes) = terminal.end();
    assert_ne!(code, 0);
    assert!(
        bytes.windows(8).any(|w| w == b"\x1b[?1049h"),
        "the screen was never taken"
    );
    restored(&bytes);
    assert!(screen.contains("a fault on purpose"), "{screen}");
    // The last that happened is kept, and the report says where.
    let crashes: Vec<_> = std::fs::read_dir(deck.path("state/crashes"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(crashes.len(), 1);
    let name = crashes[0]
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    let unbroken = screen.replace('\n', "");
    assert!(unbroken.contains(&name), "{screen}");
    let left = std::fs::read_to_string(&crashes[0]).unwrap();
    assert!(
        left.contains("a fault on purpose") && left.contains("key r\n"),
        "{left}"
    );
    let told = bytes.windows(18).rposition(|w| w == b"a fault on purpose");
    let back = bytes.windows(8).rposition(|w| w == b"\x1b[?1049l");
    assert!(back < told, "it was told to a screen that is gone");
}
