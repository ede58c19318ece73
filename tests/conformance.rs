//! The conformance suite against the embedded engine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

use snapdeck::provider::conformance;
use snapdeck::provider::embedded::{Embedded, Options, demo};

fn open(dir: &std::path::Path, read_only: bool) -> Embedded {
    let options = Options {
        read_only,
        create: true,
        ..Options::default()
    };
    Embedded::open(dir, &options).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(&dir.path().join("store"), false);
    let (run, violations) = conformance::check(&embedded.connection).await;
    assert_eq!(violations, []);
    assert_eq!(run.len(), 12, "{run:?}");
    embedded.close().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_estate_conforms_before_and_after_it_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let embedded = open(&store, false);
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let seeded = demo::seed(embedded.store(), 700, now, &|_, _| {}).unwrap();
    assert!(
        (650..800).contains(&seeded.snapshots),
        "{}",
        seeded.snapshots
    );
    let (_, violations) = conformance::check(&embedded.connection).await;
    assert_eq!(violations, []);
    let before = everything(&embedded).await;
    embedded.close().unwrap();

    let embedded = open(&store, true);
    assert!(embedded.connection.writer.is_none());
    let (run, violations) = conformance::check(&embedded.connection).await;
    assert_eq!(violations, []);
    assert_eq!(
        run.len(),
        3,
        "nothing that changes anything was run: {run:?}"
    );
    assert_eq!(everything(&embedded).await, before);
}

async fn everything(embedded: &Embedded) -> Vec<snapdeck::model::Object> {
    use snapdeck::model::{Kind, Query};
    let reader = &*embedded.connection.reader;
    let mut all = Vec::new();
    for kind in Kind::ALL {
        all.extend(
            snapdeck::provider::list_all(reader, Query::all(kind))
                .await
                .unwrap(),
        );
    }
    all
}
