//! The provider of EVS against a stand-in for the service (`tests/cloud/`): the conformance suite over both families of
//! paths and both ways to prove who calls, faults of every kind, limits, unknown outcomes, long lists.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod cloud;
#[path = "support/pty.rs"]
mod pty;
mod support;

use std::path::Path;
use std::time::Duration;

use cloud::drive::{self, context, run, take};
use cloud::{ACCESS_KEY, Answer, Cloud, Fault, PROJECT, SECRET_KEY};
use futures_util::StreamExt as _;
use serde_json::json;
use snapdeck::config::Account;
use snapdeck::model::{
    Bytes, Change, Kind, Object, ObjectRef, Operation, OperationKind, Problem, ProblemKind, Query,
    Snapshot, TaskId, Undo, Value, VolumeState,
};
use snapdeck::provider::{Connection, Fate, conformance, evs, list_all};

async fn open(cloud: &Cloud) -> Connection {
    open_as(cloud, cloud.account()).await
}

async fn open_as(cloud: &Cloud, account: Account) -> Connection {
    evs::open("test", cloud.client(), account, false)
        .await
        .unwrap()
}

async fn snapshots(connection: &Connection) -> Vec<Snapshot> {
    let all = list_all(&*connection.reader, Query::all(Kind::Snapshot)).await;
    let snapshot = |object| match object {
        Object::Snapshot(snapshot) => snapshot,
        other => panic!("{other:?}"),
    };
    all.unwrap().into_iter().map(snapshot).collect()
}

async fn plan_fails(connection: &Connection, operation: &Operation) -> Problem {
    connection.reader.plan(operation).await.unwrap_err()
}

fn back(volume: &str, snapshot: &str) -> Operation {
    Operation::new(OperationKind::Restore)
        .on_volume(&volume.into())
        .on_snapshot(&snapshot.into())
}

fn on(kind: OperationKind, snapshot: &str) -> Operation {
    Operation::new(kind).on_snapshot(&snapshot.into())
}

/// Runs an operation as one task.
async fn change(connection: &Connection, operation: &Operation, task: &str) -> Vec<ObjectRef> {
    let plan = connection.reader.plan(operation).await.unwrap();
    run(connection, &plan, task).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_by_either_family_and_either_proof() {
    for (native, keys) in [(true, false), (true, true), (false, false)] {
        let cloud = Cloud::start().await;
        cloud.state.lock().evs.native = native;
        let account = match keys {
            true => cloud.keys(None, Some(PROJECT)),
            false => cloud.account(),
        };
        let connection = open_as(&cloud, account).await;
        let (run, violations) = conformance::check(&connection).await;
        assert_eq!(violations, [], "native {native}, keys {keys}");
        assert_eq!(run.len(), 10, "{run:?}");
        let left = ["volumes", "snapshots"].map(|many| cloud.state.lock().evs.kept.count(many));
        assert_eq!(left, [0; 2], "native {native}, keys {keys}");
        assert_eq!(cloud.sign_ins(), usize::from(!keys));
        let vendors = cloud.heard("POST", "/cloudvolumes").len();
        assert_eq!(vendors == 0, native, "{vendors} disks by the vendor's path");
        let jobs = cloud.heard("GET", "/evs/v1/").len();
        assert_eq!(jobs == 0, native, "{jobs} looks at jobs");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_while_tokens_run_out_and_the_service_is_busy() {
    let cloud = Cloud::start().await;
    let connection = open(&cloud).await;
    cloud.befall("GET", "/volumes", 1, Fault::Expire);
    cloud.befall("PUT", "/volumes", 1, Fault::Expire);
    cloud.befall("DELETE", "/snapshots", 1, Fault::Expire);
    let throttled = json!({"error_code": "APIGW.0308", "error_msg": "The throttling threshold has been reached"});
    let busy = Answer::new(429, throttled).with("Retry-After", "1");
    cloud.befall("POST", "/snapshots", 1, Fault::Say(busy));
    let storm = json!({"error": {"code": "EVS.2002", "message": "internal error!"}});
    cloud.befall("GET", "/snapshots", 2, Fault::Say(Answer::new(500, storm)));
    cloud.befall("POST", "/evs/v2", 1, Fault::LoseAnswer);
    cloud.befall("POST", "/rollback", 1, Fault::LoseAnswer);
    cloud.befall("DELETE", "/volumes", 1, Fault::LoseAnswer);
    let (_, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    assert_eq!(cloud.state.lock().evs.kept.count("volumes"), 0);
    assert_eq!(
        cloud.sign_ins(),
        4,
        "each end of a token was met with one renewal"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_profile_has_nothing_to_change_with() {
    let cloud = Cloud::start().await;
    cloud.state.lock().evs.seed("db01", 3);
    let connection = evs::open("test", cloud.client(), cloud.account(), true)
        .await
        .unwrap();
    assert!(connection.writer.is_none());
    let (run, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    assert_eq!(run.len(), 3);
    for method in ["POST", "PUT", "DELETE"] {
        assert!(cloud.heard(method, "/evs").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_snapshots_come_in_pages_and_none_twice() {
    // By markers with links and without, and by offsets.
    for (native, links) in [(true, true), (true, false), (false, false)] {
        let cloud = Cloud::start().await;
        let volume = cloud.state.lock().evs.seed("big", 10_000);
        cloud.state.lock().evs.native = native;
        cloud.state.lock().evs.links = links;
        let connection = open(&cloud).await;
        let mut pages = connection.reader.list(Query::all(Kind::Snapshot));
        let mut ids = std::collections::HashSet::new();
        let mut number = 0;
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            number += 1;
            assert_eq!(page.total, Some(10_000));
            assert!(
                page.items
                    .iter()
                    .all(|object| ids.insert(object.id().to_owned()))
            );
        }
        assert_eq!((ids.len(), number), (10_000, 10));
        let calls: Vec<_> = cloud
            .heard("GET", "snapshots/detail")
            .into_iter()
            .filter(|call| call.query("limit") == Some("1000"))
            .collect();
        // Without links and a number of all, only an empty page is the end.
        let most = if native && !links { 11 } else { 10 };
        assert_eq!(calls.len(), most, "native {native}, links {links}");
        let offsets = calls.iter().filter(|call| call.query("offset").is_some());
        assert_eq!(offsets.count(), if native { 0 } else { 9 });
        let shown = connection
            .reader
            .show(&ObjectRef::new(Kind::Volume, volume))
            .await
            .unwrap();
        let Object::Volume(shown) = shown else {
            panic!("{shown:?}")
        };
        assert_eq!(shown.snapshots, Some(10_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_early_and_what_was_counted_later_is_told() {
    let cloud = Cloud::start().await;
    cloud.state.lock().evs.seed("db01", 3);
    let connection = open(&cloud).await;
    let mut changes = connection.reader.watch();
    cloud.befall("GET", "/snapshots/detail", 1, Fault::Hang);
    let counts = |all: Vec<Object>| -> Vec<Option<u64>> {
        let volumes = all.into_iter().map(|object| match object {
            Object::Volume(volume) => volume.snapshots,
            other => panic!("{other:?}"),
        });
        volumes.collect()
    };
    let early = Query::all(Kind::Volume).early();
    let first = list_all(&*connection.reader, early.clone()).await.unwrap();
    assert_eq!(counts(first), [None], "it was not waited for");
    while changes.next().await.unwrap() != Change::Kind(Kind::Volume) {}
    let then = list_all(&*connection.reader, early).await.unwrap();
    assert_eq!(counts(then), [Some(3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_deletes_is_noticed() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db01", 3);
    let connection = open(&cloud).await;
    let first = cloud.state.lock().evs.snapshots_of(&volume).remove(0);
    let mut changes = connection.reader.watch();
    let seen = async {
        // Two looks: one that remembers, and one that sees the difference.
        let heard = tokio::time::timeout(Duration::from_secs(60), changes.next()).await;
        heard.unwrap().unwrap()
    };
    let delete = async {
        while cloud.heard("GET", "/os-quota-sets/").len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut state = cloud.state.lock();
        state
            .evs
            .kept
            .snapshots
            .retain(|one| one.json["id"] != first.as_str());
    };
    let (change, ()) = tokio::join!(seen, delete);
    assert_eq!(change, Change::Kind(Kind::Snapshot));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_and_not_answered_is_found_and_not_done_twice() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db01", 0);
    let connection = open(&cloud).await;
    let take = take(&volume, "nightly");
    let plan = connection.reader.plan(&take).await.unwrap();
    cloud.befall("POST", "/snapshots", 1, Fault::LoseAnswer);
    let made = run(&connection, &plan, "t1").await.unwrap();
    assert_eq!(made.len(), 1);
    assert_eq!(cloud.heard("POST", "/snapshots").len(), 1, "sent once");
    assert_eq!(cloud.state.lock().evs.kept.count("snapshots"), 1);

    // Another program that takes the task up finds it as well.
    let other = open(&cloud).await;
    let writer = other.writer.as_ref().unwrap();
    let fate = writer.fate(&plan, 0, &TaskId("t1".into())).await.unwrap();
    let Fate::Done(outcome) = fate else {
        panic!("{fate:?}")
    };
    assert_eq!(outcome.made, made);
    let fate = writer.fate(&plan, 0, &TaskId("t2".into())).await.unwrap();
    assert_eq!(fate, Fate::NotDone);

    // A service that is away says so after it may have heard.
    let away = json!({"error": {"code": "EVS.5503", "message": "Service unavailable."}});
    let plan = connection.reader.plan(&take).await.unwrap();
    cloud.befall("POST", "/snapshots", 1, Fault::Say(Answer::new(503, away)));
    let problem = run(&connection, &plan, "t3").await.unwrap_err();
    assert!(
        problem.to_string().contains("nothing of it is there"),
        "{problem}"
    );
    assert_eq!(cloud.heard("POST", "/snapshots").len(), 2, "sent once");
    assert_eq!(run(&connection, &plan, "t3").await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_goes_to_any_snapshot_keeps_a_guard_and_shows_in_the_tree() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db01", 3);
    let ids = cloud.state.lock().evs.snapshots_of(&volume);
    let connection = open(&cloud).await;
    let guarded = back(&volume, &ids[0]).with("guard", Value::Flag(true));
    let plan = connection.reader.plan(&guarded).await.unwrap();
    assert!(matches!(plan.undo, Undo::By { .. }) && !plan.is_destructive());
    let calls: Vec<&str> = plan
        .steps
        .iter()
        .flat_map(|step| step.call.lines())
        .collect();
    assert_eq!(calls.len(), 3, "{calls:#?}");
    assert!(calls[0].contains("snapdeck_guard") && calls[0].contains("\"force\":false"));
    assert!(
        calls[1].contains("/rollback'") && calls[1].contains("{\"rollback\":{\"volume_id\":"),
        "{calls:#?}"
    );
    assert!(calls[2].contains("snapdeck_rollback"), "{calls:#?}");
    assert!(
        calls
            .iter()
            .all(|call| call.contains("X-Auth-Token: $TOKEN"))
    );
    assert!(
        plan.notes
            .iter()
            .any(|n| n.contains("3 of 7 snapshots of SSD")),
        "{:?}",
        plan.notes
    );
    let made = run(&connection, &plan, "t1").await.unwrap();
    assert_eq!(made.len(), 1, "the guard");
    change(&connection, &take(&volume, "branch"), "t2").await;

    let all = snapshots(&connection).await;
    let names: Vec<(&str, Option<&str>)> = all
        .iter()
        .map(|one| {
            let parent = all.iter().find(|p| Some(&p.id) == one.parent.as_ref());
            (one.name.as_str(), parent.map(|p| p.name.as_str()))
        })
        .map(|(name, parent)| match name.starts_with("guard-") {
            true => ("guard", parent),
            false => (name, parent),
        })
        .collect();
    assert_eq!(
        names,
        [
            ("s0", None),
            ("s1", Some("s0")),
            ("s2", Some("s1")),
            ("guard", Some("s2")),
            ("branch", Some("s0")),
        ]
    );
    let guard = all.iter().find(|one| one.guard).unwrap();
    assert!(
        guard
            .metadata
            .keys()
            .all(|key| !key.starts_with("snapdeck"))
    );

    // Without a guard it says what is lost, and asks.
    let bare = back(&volume, &ids[1]).with("guard", Value::Flag(false));
    let plan = connection.reader.plan(&bare).await.unwrap();
    assert!(plan.is_destructive() && plan.confirm.as_deref() == Some("db01"));
    assert_eq!(plan.steps.len(), 1);
    run(&connection, &plan, "t3").await.unwrap();
    let shown = connection
        .reader
        .show(&ObjectRef::new(Kind::Volume, volume.clone()))
        .await
        .unwrap();
    let Object::Volume(shown) = shown else {
        panic!("{shown:?}")
    };
    assert_eq!(shown.parent.unwrap().as_str(), ids[1]);
    // Other programs know of it too.
    let writer = open(&cloud).await.writer.unwrap();
    let fate = writer.fate(&plan, 0, &TaskId("t3".into())).await.unwrap();
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_was_interrupted_is_not_taken_for_one_that_was_not_begun() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db01", 2);
    let ids = cloud.state.lock().evs.snapshots_of(&volume);
    let connection = open(&cloud).await;
    let bare = back(&volume, &ids[0]).with("guard", Value::Flag(false));
    let plan = connection.reader.plan(&bare).await.unwrap();
    let writer = connection.writer.clone().unwrap();
    let task = TaskId("t1".into());
    assert_eq!(writer.fate(&plan, 0, &task).await.unwrap(), Fate::NotDone);

    cloud.befall("POST", "/rollback", 1, Fault::LoseAnswer);
    let context = context("t1", Vec::new());
    let detach = context.detach.clone();
    let stop = async {
        while cloud.heard("POST", "/rollback").is_empty() {
            tokio::task::yield_now().await;
        }
        detach.cancel();
    };
    let (result, ()) = tokio::join!(writer.run(&plan, 0, context), stop);
    assert!(result.is_err(), "{result:?}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let problem = writer.fate(&plan, 0, &task).await.unwrap_err();
    assert!(
        problem
            .what
            .contains("does not say whether it was rolled back"),
        "{problem}"
    );
    // Somebody decides to take it up, and it is done once more.
    run(&connection, &plan, "t1").await.unwrap();
    assert_eq!(cloud.heard("POST", "/rollback").len(), 2);
    let fate = writer.fate(&plan, 0, &task).await.unwrap();
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");

    // One that fails leaves the disk for another one to take up.
    cloud.state.lock().evs.kept.fails = true;
    let plan = connection.reader.plan(&bare).await.unwrap();
    let problem = run(&connection, &plan, "t2").await.unwrap_err();
    assert!(
        problem.hints.iter().any(|h| h.contains("retry")),
        "{problem:?}"
    );
    cloud.state.lock().evs.kept.fails = false;
    let guarded = back(&volume, &ids[0]).with("guard", Value::Flag(true));
    let plan = connection.reader.plan(&guarded).await.unwrap();
    assert_eq!(
        plan.steps.len(),
        1,
        "no guard of what is half one, half the other"
    );
    assert!(plan.is_destructive());
    run(&connection, &plan, "t3").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_limit_is_told_before_anything_is_sent() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db01", 1);
    let other = cloud.state.lock().evs.seed("db02", 1);
    let ids = cloud.state.lock().evs.snapshots_of(&volume);
    let foreign = cloud.state.lock().evs.snapshots_of(&other);
    let connection = open(&cloud).await;
    let fails = async |operation: Operation, kind: ProblemKind, words: &str| {
        let problem = plan_fails(&connection, &operation).await;
        assert_eq!(problem.kind, kind, "{problem}");
        let told = format!("{problem} {:?}", problem.hints);
        assert!(told.contains(words), "{told}");
    };
    let user = ProblemKind::User;
    let conflict = ProblemKind::Conflict;
    // 64 and 85 characters, not bytes.
    let fit = take(&volume, &"名".repeat(64)).text("description", "名".repeat(85));
    connection.reader.plan(&fit).await.unwrap();
    let long = take(&volume, &"n".repeat(65));
    fails(long, user, "at most 64 characters").await;
    let long = take(&volume, "n").text("description", "d".repeat(86));
    fails(long, user, "at most 85 characters").await;
    fails(take(&volume, "autobk_snapshot_1"), user, "backups of disks").await;
    let rename = on(OperationKind::UpdateSnapshot, &ids[0]).text("name", "autobk_snapshot_x");
    fails(rename, user, "another name").await;
    fails(back(&volume, &foreign[0]), user, "own snapshots only").await;
    for text in ["__system__x=1", "snapdeck_key-", "nothing"] {
        let edit = on(OperationKind::UpdateSnapshot, &ids[0]).text("metadata", text);
        fails(edit, user, "metadata").await;
    }
    let create = |size| {
        Operation::new(OperationKind::CreateVolume)
            .text("name", "n")
            .with("size", Value::Size(size))
    };
    fails(create(Bytes::gib(9)), user, "at least 10 GiB").await;
    fails(create(Bytes::tib(33)), user, "at most 32 TiB").await;
    cloud.state.lock().evs.zones = vec!["zone-b", "zone-c"];
    fails(create(Bytes::gib(10)), user, "zone-b, zone-c").await;
    let elsewhere = on(OperationKind::Clone, &ids[0])
        .text("name", "n")
        .text("zone", "zone-c");
    fails(elsewhere, user, "zone-b").await;
    let small = on(OperationKind::Clone, &ids[0])
        .text("name", "n")
        .with("size", Value::Size(Bytes::gib(39)));
    fails(small, user, "at least 40 GiB").await;

    let set = |id: &str, status: &str| cloud.state.lock().evs.kept.set(id, "status", json!(status));
    for status in ["in-use", "attaching"] {
        set(&volume, status);
        fails(take(&volume, "n"), conflict, "--force").await;
        let forced = take(&volume, "n").with("force", Value::Flag(true));
        let plan = connection.reader.plan(&forced).await.unwrap();
        assert!(plan.steps[0].call.contains("\"force\":true"));
        assert!(
            plan.notes[0].contains("not written yet"),
            "{:?}",
            plan.notes
        );
        fails(back(&volume, &ids[0]), conflict, "must be available").await;
    }
    set(&volume, "extending");
    let forced = take(&volume, "n").with("force", Value::Flag(true));
    fails(forced, conflict, "extending").await;
    set(&volume, "available");
    set(&ids[0], "backing-up");
    fails(back(&volume, &ids[0]), conflict, "backing-up").await;
    fails(
        on(OperationKind::DeleteSnapshot, &ids[0]),
        conflict,
        "backing-up",
    )
    .await;
    let clone = on(OperationKind::Clone, &ids[0]).text("name", "n");
    connection.reader.plan(&clone).await.unwrap();
    for method in ["POST", "PUT", "DELETE"] {
        assert!(cloud.heard(method, "/evs").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_made_by_itself_is_marked_and_protected() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db01", 2);
    let ids = cloud.state.lock().evs.snapshots_of(&volume);
    {
        let kept = &mut cloud.state.lock().evs.kept;
        kept.set(&ids[0], "name", json!("autobk_snapshot_17"));
        kept.set(&ids[1], "metadata", json!({"__system__enableActive": "x"}));
    }
    let connection = open(&cloud).await;
    let all = snapshots(&connection).await;
    assert_eq!(all[0].metadata["made by"], "a backup of its disk");
    assert_eq!(all[1].metadata["made by"], "a backup of its server");
    for id in &ids {
        for operation in [
            on(OperationKind::DeleteSnapshot, id),
            on(OperationKind::UpdateSnapshot, id).text("description", "x"),
            back(&volume, id),
        ] {
            let problem = plan_fails(&connection, &operation).await;
            assert_eq!(problem.kind, ProblemKind::Conflict);
            assert!(problem.what.contains("made by a backup"), "{problem}");
        }
    }
    let whole = Operation::new(OperationKind::DeleteVolume)
        .on_volume(&volume.as_str().into())
        .with("snapshots", Value::Flag(true));
    let problem = plan_fails(&connection, &whole).await;
    assert!(problem.hints[0].contains("backup"), "{problem:?}");
    // Who says that it is meant is taken at the word.
    let meant = on(OperationKind::DeleteSnapshot, &ids[1]).with("automatic", Value::Flag(true));
    let plan = connection.reader.plan(&meant).await.unwrap();
    assert!(
        plan.notes[0].contains("may not be whole"),
        "{:?}",
        plan.notes
    );
    run(&connection, &plan, "t").await.unwrap();
    assert_eq!(snapshots(&connection).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_is_set_and_taken_away_and_put_back() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db01", 1);
    let id = cloud.state.lock().evs.snapshots_of(&volume).remove(0);
    let before = json!({"tier": "tin", "old": "x", "__system__y": "1"});
    cloud
        .state
        .lock()
        .evs
        .kept
        .set(&id, "metadata", before.clone());
    let connection = open(&cloud).await;
    let edit = on(OperationKind::UpdateSnapshot, &id)
        .text("description", "gilded")
        .text("metadata", "tier=gold, new=1, old-");
    let plan = connection.reader.plan(&edit).await.unwrap();
    let names: Vec<&str> = plan.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        ["edit-snapshot", "set-metadata", "drop-metadata:old"]
    );
    run(&connection, &plan, "t1").await.unwrap();
    let one = &snapshots(&connection).await[0];
    assert_eq!(
        (one.description.as_str(), one.metadata["tier"].as_str()),
        ("gilded", "gold")
    );
    assert!(!one.metadata.contains_key("old") && one.metadata["new"] == "1");
    let Undo::By {
        operation: Some(undo),
        ..
    } = plan.undo
    else {
        panic!("{:?}", plan.undo)
    };
    // A description that was empty is so again, though the service wants one text of the two.
    change(&connection, &undo, "t2").await;
    let kept = cloud.state.lock().evs.kept.snapshots[0].json.clone();
    assert_eq!(
        (&kept["metadata"], &kept["description"]),
        (&before, &json!(""))
    );
    assert_eq!(kept["name"], "s0");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_signed_with_an_access_key_and_nothing_of_it_is_told() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db 01", 1);
    // By the name of the project, which is asked for once.
    let connection = open_as(&cloud, cloud.keys(Some("RegionOne"), None)).await;
    let plan = connection.reader.plan(&take(&volume, "n")).await.unwrap();
    let call = &plan.steps[0].call;
    assert!(
        call.contains("\"Authorization: $AUTHORIZATION\"")
            && call.contains("\"X-Sdk-Date: $DATE\""),
        "{call}"
    );
    assert_eq!(
        connection.reader.plan(&take(&volume, "n")).await.unwrap(),
        plan
    );
    run(&connection, &plan, "t").await.unwrap();
    assert_eq!(
        (cloud.sign_ins(), cloud.heard("GET", "/projects").len()),
        (0, 1)
    );
    let sent = cloud.heard("POST", "/snapshots").remove(0);
    let proof = sent.header("authorization").unwrap().to_owned();
    assert!(
        proof.starts_with(&format!(
            "SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders=content-type;host;x-project-id;x-sdk-date, "
        )),
        "{proof}"
    );
    let (_, signature) = proof.rsplit_once('=').unwrap();
    let told = format!(
        "{:?} {plan:?} {}",
        connection.trace.as_ref().unwrap().since(0),
        snapdeck::http::har(&connection.trace.as_ref().unwrap().since(0))
    );
    for secret in [SECRET_KEY, signature] {
        assert!(!told.contains(secret), "{told}");
    }

    // A secret that is not right is told, and not tried again.
    let mut wrong = cloud.keys(None, Some(PROJECT));
    if let snapdeck::config::Auth::Keys(key) = &mut wrong.auth {
        key.secret = "not it".to_owned().into();
    }
    let opened = evs::open("test", cloud.client(), wrong, false).await;
    let problem = opened.err().unwrap();
    assert_eq!(problem.kind, ProblemKind::Auth);
    assert!(problem.hints[0].contains("access-key"), "{problem:?}");
    let other = cloud.keys(Some("Nowhere"), None);
    let opened = evs::open("test", cloud.client(), other, false).await;
    assert!(opened.err().unwrap().hints[0].contains("project-id"));
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_apart_are_told_and_signed_over() {
    let cloud = Cloud::start().await;
    cloud.state.lock().evs.seed("db01", 1);
    cloud.state.lock().ahead = 3 * 3600;
    let connection = open_as(&cloud, cloud.keys(None, Some(PROJECT))).await;
    assert_eq!(snapshots(&connection).await.len(), 1);
    let mut steps = Vec::new();
    let account = cloud.keys(None, Some(PROJECT));
    evs::examine(cloud.client(), account, false, |finding| {
        steps.push(finding);
    })
    .await;
    let told: Vec<&String> = steps
        .iter()
        .filter(|finding| finding.step == "clock")
        .flat_map(|finding| &finding.told)
        .collect();
    assert!(told[0].contains("the clocks are 1"), "{told:?}");
    assert!(told[1].contains("15 minutes"), "{told:?}");
    assert!(
        steps.iter().all(|finding| finding.problem.is_none()),
        "{steps:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_list_ends_in_a_clear_problem() {
    let html = Fault::Say(Answer::html(200));
    let elsewhere = Fault::Say(Answer::empty(302).with("Location", "http://127.0.0.2:9/steal"));
    let error = |status, code: &str| {
        let body = json!({"error": {"code": code, "message": "as it is"}});
        Fault::Say(Answer::new(status, body))
    };
    let cases = [
        (html, ProblemKind::System, "not JSON"),
        (elsewhere, ProblemKind::Network, "127.0.0.2"),
        (error(403, "EVS.5403"), ProblemKind::Auth, "EVS.5403"),
        (error(400, "Common.0018"), ProblemKind::Auth, "Common.0018"),
        (error(500, "EVS.2002"), ProblemKind::System, "EVS.2002"),
        (Fault::Hang, ProblemKind::Network, "longer than"),
        (Fault::Drip, ProblemKind::Network, "longer than"),
        (Fault::Truncate, ProblemKind::Network, "broke off"),
        (Fault::Flood, ProblemKind::Network, "larger than"),
        (Fault::LoseCall, ProblemKind::Network, "broke off"),
        (
            Fault::Say(Answer::ok(
                json!({"volumes": [{"id": "x", "status": "available"}]}),
            )),
            ProblemKind::System,
            "missing field `size`",
        ),
    ];
    let each = cases.map(|(fault, kind, words)| async move {
        let cloud = Cloud::start().await;
        cloud.state.lock().evs.seed("db01", 1);
        let connection = open(&cloud).await;
        cloud.befall("GET", "/volumes/detail", 100, fault.clone());
        let result = list_all(&*connection.reader, Query::all(Kind::Volume)).await;
        let problem = result.unwrap_err();
        assert_eq!(problem.kind, kind, "{fault:?}: {problem}");
        assert!(problem.to_string().contains(words), "{fault:?}: {problem}");
        let told = format!("{:?}", connection.trace.unwrap().since(0));
        assert!(
            !told.contains("correct horse") && !told.contains("TOKEN-1"),
            "{told}"
        );
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_repeats_ends_and_a_state_nobody_knows_is_shown() {
    for native in [true, false] {
        let cloud = Cloud::start().await;
        let volume = cloud.state.lock().evs.seed("db01", 1_500);
        cloud.state.lock().evs.native = native;
        cloud
            .state
            .lock()
            .evs
            .kept
            .set(&volume, "status", json!("melting"));
        let attached = json!([{"server_id": "web05-id", "device": "/dev/vdb"}]);
        cloud
            .state
            .lock()
            .evs
            .kept
            .set(&volume, "attachments", attached);
        let connection = open(&cloud).await;
        let all = list_all(&*connection.reader, Query::all(Kind::Volume))
            .await
            .unwrap();
        let Object::Volume(seen) = &all[0] else {
            panic!("{all:?}")
        };
        assert_eq!(seen.state, VolumeState::Unknown("melting".into()));
        assert_eq!(
            (seen.instance.as_deref(), seen.device.as_deref()),
            (Some("web05-id"), Some("vdb"))
        );
        let raw = connection.reader.raw(&all[0].reference()).await.unwrap();
        assert!(raw.text.contains("melting") && raw.text.contains("multiattach"));

        cloud.state.lock().evs.kept.repeats = true;
        tokio::time::sleep(Duration::from_millis(1_300)).await;
        let problem = list_all(&*connection.reader, Query::all(Kind::Snapshot))
            .await
            .unwrap_err();
        assert!(problem.to_string().contains("again and again"), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_over_there_says_why() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db01", 0);
    let connection = open(&cloud).await;
    let plan = connection.reader.plan(&take(&volume, "n")).await.unwrap();
    assert!(
        plan.notes.iter().any(|n| n.contains("120 of 12500 GiB")),
        "{:?}",
        plan.notes
    );
    cloud.state.lock().evs.kept.quota = 0;
    let problem = run(&connection, &plan, "t0").await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Quota, "{problem}");
    assert!(problem.request_id.is_some());
    assert_eq!(cloud.heard("POST", "/snapshots").len(), 1);
    cloud.state.lock().evs.kept.quota = 10;
    cloud.state.lock().evs.kept.fails = true;
    let problem = run(&connection, &plan, "t1").await.unwrap_err();
    assert!(problem.to_string().contains("no reason"), "{problem}");

    // A job says why.
    let cloud = Cloud::start().await;
    cloud.state.lock().evs.native = false;
    cloud.state.lock().evs.job_fails = true;
    let connection = open(&cloud).await;
    let create = Operation::new(OperationKind::CreateVolume)
        .text("name", "n")
        .with("size", Value::Size(Bytes::gib(10)));
    let plan = connection.reader.plan(&create).await.unwrap();
    let call = &plan.steps[0].call;
    assert!(
        call.contains("/evs/v2.1/") && call.contains("/cloudvolumes'"),
        "{call}"
    );
    let problem = run(&connection, &plan, "t").await.unwrap_err();
    assert!(
        problem
            .to_string()
            .contains("no backend has room (EVS.2024)"),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_has_neither_family_says_so() {
    let cloud = Cloud::start().await;
    cloud.state.lock().evs.native = false;
    cloud.state.lock().evs.vendor = false;
    let opened = evs::open("test", cloud.client(), cloud.account(), false).await;
    let problem = opened.err().unwrap();
    assert_eq!(problem.kind, ProblemKind::NotFound);
    assert!(problem.hints[0].contains("service-endpoint"), "{problem:?}");
    cloud.refuse_sign_in();
    let opened = evs::open("test", cloud.client(), cloud.account(), false).await;
    assert_eq!(opened.err().unwrap().kind, ProblemKind::Auth);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_walks_to_where_it_ends() {
    let steps = [
        "name",
        "connection",
        "tls",
        "clock",
        "sign-in",
        "catalog",
        "versions",
        "permissions",
        "volumes",
        "snapshots",
    ];
    let cloud = Cloud::start().await;
    cloud.state.lock().evs.seed("db01", 2);
    for account in [cloud.account(), cloud.keys(None, Some(PROJECT))] {
        let mut found = Vec::new();
        evs::examine(cloud.client(), account, false, |finding| {
            found.push(finding);
        })
        .await;
        let names: Vec<_> = found.iter().map(|finding| finding.step).collect();
        assert_eq!(names, steps, "{found:?}");
        assert!(found.iter().all(|finding| finding.problem.is_none()));
        assert!(found[6].told[1].contains("v2.0"), "{found:?}");
        let quota = "the project uses 120 of 12500 GiB".to_owned();
        assert!(found[7].told.contains(&quota), "{found:?}");
        assert!(found[9].told[0].starts_with("2 of 2 on the first page"));
        assert!(!format!("{found:?}").contains(SECRET_KEY));
    }
    cloud.refuse_sign_in();
    let mut found = Vec::new();
    evs::examine(cloud.client(), cloud.account(), false, |finding| {
        found.push(finding);
    })
    .await;
    let last = found.last().unwrap();
    assert_eq!(last.step, "sign-in");
    assert!(!last.problem.as_ref().unwrap().hints.is_empty());
}

/// A profile with an access key.
fn profile(cloud: &Cloud) -> String {
    format!(
        "[profiles.hw]\nprovider = \"evs\"\nservice-endpoint = \"{}\"\nproject-id = \"{PROJECT}\"\n\
         access-key = \"{ACCESS_KEY}\"\nsecret.file = \"sk\"\n",
        cloud.evs()
    )
}

/// A home with the secret key in it.
fn home() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let key = home.path().join("sk");
    std::fs::write(&key, SECRET_KEY).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    home
}

async fn snapdeck(home: &Path, cloud: &Cloud, args: &[&str]) -> (i32, String, String) {
    drive::snapdeck(home, &profile(cloud), args).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_used_from_the_command_line() {
    let cloud = Cloud::start().await;
    cloud.state.lock().evs.seed("db01", 2);
    let home = home();
    let home = home.path();
    let take = [
        "--profile",
        "hw",
        "run",
        "create-snapshot",
        "--volume",
        "db01",
        "--name",
        "nightly",
    ];
    let (code, out, err) = snapdeck(home, &cloud, &[&take[..], &["--plan"]].concat()).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("curl -sS -X POST") && out.contains("$AUTHORIZATION"),
        "{out}"
    );
    assert!(!out.contains(SECRET_KEY));
    assert!(cloud.heard("POST", "/snapshots").is_empty());
    let (code, _, err) = snapdeck(home, &cloud, &take).await;
    assert_eq!(code, 0, "{err}");
    let back = [
        "--profile",
        "hw",
        "run",
        "restore",
        "--volume",
        "db01",
        "--snapshot",
        "s0",
        "--yes",
    ];
    let (code, _, err) = snapdeck(home, &cloud, &back).await;
    assert_eq!(code, 0, "{err}");
    let list = ["--profile", "hw", "get", "snapshots", "-o", "json"];
    let (_, out, _) = snapdeck(home, &cloud, &list).await;
    let listed: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(listed.len(), 4, "two, one more, and a guard: {out}");
    let denied = [&["--read-only"], &take[..]].concat();
    let (code, _, err) = snapdeck(home, &cloud, &denied).await;
    assert_eq!(code, 4, "{err}");
    let auto = [
        "--profile",
        "hw",
        "run",
        "create-snapshot",
        "--volume",
        "db01",
        "--name",
        "autobk_snapshot_1",
    ];
    let (code, _, err) = snapdeck(home, &cloud, &auto).await;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("backups of disks"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_added_listed_tried_and_examined() {
    let cloud = Cloud::start().await;
    cloud.state.lock().evs.seed("db01", 2);
    let home = home();
    let home = home.path();
    let service = cloud.evs();
    let add = [
        "profile",
        "add",
        "new",
        "--provider",
        "evs",
        "--service-endpoint",
        &service,
        "--project-id",
        PROJECT,
        "--access-key",
        ACCESS_KEY,
        "--secret-file",
        "sk",
        "--read-only",
    ];
    let (code, out, err) = snapdeck(home, &cloud, &add).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("snapdeck doctor new"), "{out}");
    let (_, out, _) = snapdeck(home, &cloud, &["profile", "list", "-o", "json"]).await;
    let listed: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let of = |key: &str| {
        listed
            .iter()
            .map(|row| row[key].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("name"), ["\"hw\"", "\"new\""]);
    assert_eq!(of("provider"), ["\"evs\"", "\"evs\""]);
    for name in ["hw", "new"] {
        let (code, out, err) = snapdeck(home, &cloud, &["profile", "test", name]).await;
        assert_eq!(
            (code, out),
            (0, format!("{name} works: 1 volumes\n")),
            "{err}"
        );
    }
    let (code, out, err) = snapdeck(home, &cloud, &["doctor", "new"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("calls are signed with the access key") && out.ends_with("everything works\n"),
        "{out}"
    );
    assert!(!out.contains(SECRET_KEY) && !err.contains(SECRET_KEY));
    let wrong = ["profile", "add", "x", "--provider", "evz", "--region", "r"];
    let (code, _, err) = snapdeck(home, &cloud, &wrong).await;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("evs"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_words_stand_on_the_screen() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().evs.seed("db01", 2);
    let deck = support::Deck::new();
    let config = deck.path("config/snapdeck/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    let by_variable = profile(&cloud).replace("secret.file = \"sk\"", "secret.env = \"SK\"");
    std::fs::write(config, by_variable).unwrap();
    let journey = tokio::task::spawn_blocking(move || {
        let args = ["--profile", "hw"];
        let mut t = pty::Terminal::start_with(&deck, &args, 120, 36, &[("SK", SECRET_KEY)]);
        t.sees("db01");
        t.send("\r");
        t.sees("you are here");
        t.send("a");
        let screen = t.sees("Roll a disk back");
        assert!(screen.contains("Make a disk from a snapshot"), "{screen}");
        t.send("\x1b");
        t.misses("Roll a disk back");
        // A rollback by the console's own keys, with its guard.
        t.send("ggR");
        t.sees("Roll a disk back");
        t.answer("\x1bOQ");
        let plan = t.sees("Plan");
        assert!(plan.contains("Roll db01 back to s0"), "{plan}");
        t.answer("y");
        let screen = t.until("the guard in the tree", |s| {
            s.contains("guard-") && !s.contains("Plan")
        });
        t.send("w");
        t.sees("/cloudsnapshots/");
        t.send("q");
        if t.asks("Leave while") {
            t.answer("y");
        }
        assert_eq!(t.end().0, 0);
        screen
    });
    let screen = journey.await.unwrap();
    assert!(screen.contains("s0"), "{screen}");
    assert_eq!(cloud.heard("POST", "/rollback").len(), 1);
    assert_eq!(cloud.state.lock().evs.snapshots_of(&volume).len(), 3);
}
