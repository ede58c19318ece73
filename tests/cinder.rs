//! The provider of block storage against a stand-in for the service (`tests/cloud/`): the conformance suite, faults of
//! every kind, unknown outcomes, one renewal of a token, long lists.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod cloud;
#[path = "support/tools.rs"]
mod tools;

use cloud::drive::{self, context, run, take};
use cloud::{Answer, Cloud, Fault};
use futures_util::StreamExt as _;
use serde_json::json;
use snapdeck::model::{
    Change, Kind, Object, ObjectRef, Operation, OperationKind, ProblemKind, Query, TaskId, Undo,
    Value, VolumeState,
};
use snapdeck::provider::{Connection, Fate, cinder, conformance, list_all};

async fn open(cloud: &Cloud) -> Connection {
    cinder::open("test", cloud.client(), cloud.account(), false)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms() {
    let cloud = Cloud::start().await;
    let connection = open(&cloud).await;
    let (run, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    assert_eq!(run.len(), 11, "{run:?}");
    // Nothing is left, and no token was asked for twice.
    let left = ["volumes", "snapshots", "groups", "group_snapshots"]
        .map(|many| cloud.state.lock().cinder.count(many));
    assert_eq!(left, [0; 4]);
    assert_eq!(cloud.sign_ins(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_while_tokens_run_out_and_the_service_is_busy() {
    let cloud = Cloud::start().await;
    let connection = open(&cloud).await;
    cloud.befall("GET", "/volumes", 1, Fault::Expire);
    cloud.befall("PUT", "/volumes", 1, Fault::Expire);
    cloud.befall("DELETE", "/snapshots", 1, Fault::Expire);
    let busy = Answer::fault(429, "overLimit", "slow down").with("Retry-After", "1");
    cloud.befall("POST", "/snapshots", 1, Fault::Say(busy));
    let storm = Answer::fault(500, "computeFault", "The server has either erred");
    cloud.befall("GET", "/snapshots", 2, Fault::Say(storm));
    cloud.befall("POST", "/volumes", 1, Fault::LoseAnswer);
    cloud.befall("DELETE", "/volumes", 1, Fault::LoseAnswer);
    let (_, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    assert_eq!(cloud.state.lock().cinder.count("volumes"), 0);
    assert_eq!(
        cloud.sign_ins(),
        4,
        "each end of a token was met with one renewal"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_profile_has_nothing_to_change_with() {
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.seed("db01", 3);
    let connection = cinder::open("test", cloud.client(), cloud.account(), true)
        .await
        .unwrap();
    assert!(connection.writer.is_none());
    let (run, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    assert_eq!(run.len(), 3);
    assert!(cloud.heard("POST", "/volume/").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_snapshots_come_in_pages_and_none_twice() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("big", 10_000);
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
    let calls = cloud.heard("GET", "/snapshots/detail");
    assert_eq!(calls.len(), 10, "no page more than there are");
    assert!(calls.iter().all(|call| call.query("limit") == Some("1000")));
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

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_early_and_what_was_counted_later_is_told() {
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.seed("db01", 3);
    let connection = open(&cloud).await;
    let mut changes = connection.reader.watch();
    // Counting waits for an answer that does not come at once.
    cloud.befall("GET", "/snapshots/detail", 1, Fault::Hang);
    let begun = std::time::Instant::now();
    let counts = |all: Vec<Object>| -> Vec<Option<u64>> {
        let volumes = all.into_iter().map(|object| match object {
            Object::Volume(volume) => volume.snapshots,
            other => panic!("{other:?}"),
        });
        volumes.collect()
    };
    let early = Query::all(Kind::Volume).early();
    let first = list_all(&*connection.reader, early.clone()).await.unwrap();
    assert_eq!(counts(first), [None]);
    assert!(
        begun.elapsed() < std::time::Duration::from_millis(900),
        "it was not waited for"
    );
    while changes.next().await.unwrap() != Change::Kind(Kind::Volume) {}
    let then = list_all(&*connection.reader, early).await.unwrap();
    assert_eq!(counts(then), [Some(3)]);
    let whole = list_all(&*connection.reader, Query::all(Kind::Volume))
        .await
        .unwrap();
    assert_eq!(counts(whole), [Some(3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_at_once_share_one_reading_and_one_token() {
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.seed("db01", 2_500);
    let connection = open(&cloud).await;
    cloud.befall("GET", "/volumes/detail", 1, Fault::Expire);
    let lists = [Kind::Volume, Kind::Snapshot, Kind::Group, Kind::Snapshot].map(|kind| {
        let reader = connection.reader.clone();
        tokio::spawn(async move { list_all(&*reader, Query::all(kind)).await.unwrap().len() })
    });
    let mut found = Vec::new();
    for list in lists {
        found.push(list.await.unwrap());
    }
    assert_eq!(found, [1, 2_500, 0, 2_500]);
    assert_eq!(
        cloud.sign_ins(),
        2,
        "one renewal, however many met the end of the token"
    );
    assert!(cloud.heard("GET", "/snapshots/detail").len() <= 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_and_not_answered_is_found_and_not_done_twice() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("db01", 0);
    let connection = open(&cloud).await;
    let plan = connection
        .reader
        .plan(&take(&volume, "nightly"))
        .await
        .unwrap();
    cloud.befall("POST", "/snapshots", 1, Fault::LoseAnswer);
    let made = run(&connection, &plan, "t1").await.unwrap();
    assert_eq!(made.len(), 1);
    assert_eq!(cloud.heard("POST", "/snapshots").len(), 1, "sent once");
    assert_eq!(cloud.state.lock().cinder.count("snapshots"), 1);

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
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_heard_is_looked_for_and_then_said() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("db01", 0);
    let connection = open(&cloud).await;
    let plan = connection
        .reader
        .plan(&take(&volume, "nightly"))
        .await
        .unwrap();
    cloud.befall("POST", "/snapshots", 1, Fault::LoseCall);
    let problem = run(&connection, &plan, "t1").await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Network, "{problem}");
    assert!(
        problem.to_string().contains("nothing of it is there"),
        "{problem}"
    );
    assert_eq!(cloud.heard("POST", "/snapshots").len(), 1);
    assert!(
        cloud.heard("GET", "/snapshots/detail").len() > 3,
        "it was looked for"
    );
    // Retried, it is done.
    assert_eq!(run(&connection, &plan, "t1").await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revert_that_was_interrupted_is_not_taken_for_one_that_was_not_begun() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("db01", 1);
    let connection = open(&cloud).await;
    let all = list_all(&*connection.reader, Query::all(Kind::Snapshot))
        .await
        .unwrap();
    let revert = Operation::new(OperationKind::Restore)
        .on_volume(&volume.as_str().into())
        .with("snapshot", Value::Object(all[0].reference()));
    let plan = connection.reader.plan(&revert).await.unwrap();
    assert!(matches!(plan.undo, Undo::Never(_)) && plan.is_destructive());
    let call = &plan.steps[0].call;
    assert!(
        call.contains("\"revert\":{\"snapshot_id\":") && call.contains("$TOKEN"),
        "{call}"
    );
    assert!(!call.contains("TOKEN-1"), "{call}");

    // The program ended between the answer and the note of the end.
    cloud.befall("POST", "/action", 1, Fault::LoseAnswer);
    let context = context("t1", Vec::new());
    let writer = connection.writer.clone().unwrap();
    let detach = context.detach.clone();
    let stop = async {
        while cloud.heard("POST", "/action").is_empty() {
            tokio::task::yield_now().await;
        }
        detach.cancel();
    };
    let (result, ()) = tokio::join!(writer.run(&plan, 0, context), stop);
    assert!(result.is_err(), "{result:?}");
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    let fate = writer.fate(&plan, 0, &TaskId("t1".into())).await;
    let problem = fate.unwrap_err();
    assert!(
        problem.what.contains("does not say whether it was done"),
        "{problem}"
    );
    // Somebody decides to take it up, and it is done once more.
    run(&connection, &plan, "t1").await.unwrap();
    let fate = writer.fate(&plan, 0, &TaskId("t1".into())).await.unwrap();
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_latest_is_gone_back_to_and_a_size_that_changed_is_told() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("db01", 2);
    let connection = open(&cloud).await;
    let all = list_all(&*connection.reader, Query::all(Kind::Snapshot))
        .await
        .unwrap();
    let revert = |to: &Object| {
        Operation::new(OperationKind::Restore)
            .on_volume(&volume.as_str().into())
            .with("snapshot", Value::Object(to.reference()))
    };
    let problem = connection.reader.plan(&revert(&all[0])).await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Conflict);
    assert!(problem.what.contains("which is s1"), "{problem}");
    cloud.state.lock().cinder.set(&volume, "size", json!(2));
    let problem = connection.reader.plan(&revert(&all[1])).await.unwrap_err();
    assert!(problem.what.contains("extended"), "{problem}");
    cloud.state.lock().cinder.set(&volume, "size", json!(1));
    cloud
        .state
        .lock()
        .cinder
        .set(&volume, "status", json!("in-use"));
    let problem = connection.reader.plan(&revert(&all[1])).await.unwrap_err();
    assert!(problem.hints[0].contains("detach"), "{problem:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_list_ends_in_a_clear_problem() {
    let html = Fault::Say(Answer::html(200));
    let elsewhere = Fault::Say(Answer::empty(302).with("Location", "http://127.0.0.2:9/steal"));
    let denied = Fault::Say(Answer::fault(403, "forbidden", "Policy doesn't allow it."));
    let storm = Fault::Say(Answer::fault(
        500,
        "computeFault",
        "The server has either erred",
    ));
    let cases = [
        (html, ProblemKind::System, "not JSON"),
        (elsewhere, ProblemKind::Network, "127.0.0.2"),
        (denied, ProblemKind::Auth, "Policy"),
        (storm, ProblemKind::System, "500"),
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
        cloud.state.lock().cinder.seed("db01", 1);
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
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("db01", 1_500);
    cloud
        .state
        .lock()
        .cinder
        .set(&volume, "status", json!("melting"));
    let connection = open(&cloud).await;
    let all = list_all(&*connection.reader, Query::all(Kind::Volume))
        .await
        .unwrap();
    let Object::Volume(seen) = &all[0] else {
        panic!("{all:?}")
    };
    assert_eq!(seen.state, VolumeState::Unknown("melting".into()));

    cloud.state.lock().cinder.repeats = true;
    tokio::time::sleep(std::time::Duration::from_millis(1_300)).await;
    let problem = list_all(&*connection.reader, Query::all(Kind::Snapshot))
        .await
        .unwrap_err();
    assert!(problem.to_string().contains("again and again"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_over_there_says_why() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("db01", 0);
    let connection = open(&cloud).await;
    let plan = connection
        .reader
        .plan(&take(&volume, "nightly"))
        .await
        .unwrap();
    assert!(
        plan.notes.iter().any(|note| note.contains("4 of 1000 GiB")),
        "{:?}",
        plan.notes
    );
    cloud.state.lock().cinder.quota = 0;
    let problem = run(&connection, &plan, "t0").await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Quota, "{problem}");
    assert_eq!(problem.request_id.as_deref(), Some("req-of-the-cloud"));
    assert_eq!(
        cloud.heard("POST", "/snapshots").len(),
        1,
        "waiting does not help"
    );
    cloud.state.lock().cinder.quota = 10;
    cloud.state.lock().cinder.fails = true;
    let problem = run(&connection, &plan, "t1").await.unwrap_err();
    assert!(
        problem.to_string().contains("weighted backend"),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_password_is_not_tried_again_and_again() {
    let cloud = Cloud::start().await;
    cloud.refuse_sign_in();
    let opened = cinder::open("test", cloud.client(), cloud.account(), false).await;
    let problem = opened.err().unwrap();
    assert_eq!(problem.kind, ProblemKind::Auth);
    assert_eq!(cloud.sign_ins(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_service_says_what_it_has_not() {
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.set_version("3.12");
    let volume = cloud.state.lock().cinder.seed("db01", 1);
    cloud
        .state
        .lock()
        .cinder
        .set(&volume, "status", json!("in-use"));
    let attached =
        json!([{"server_id": "11111111-2222-4333-8444-555555555555", "device": "/dev/vdb"}]);
    cloud
        .state
        .lock()
        .cinder
        .set(&volume, "attachments", attached);
    let connection = open(&cloud).await;
    let capabilities = connection.reader.capabilities();
    assert!(!capabilities.kinds.contains(&Kind::Group));
    let restore = Operation::new(OperationKind::Restore);
    let problem = connection.reader.plan(&restore).await.unwrap_err();
    assert!(problem.to_string().contains("3.40"), "{problem}");
    let plan = connection.reader.plan(&take(&volume, "n")).await.unwrap();
    assert!(
        plan.steps[0].call.contains("\"force\":true"),
        "{}",
        plan.steps[0].call
    );
    run(&connection, &plan, "t").await.unwrap();
    let all = list_all(&*connection.reader, Query::all(Kind::Volume))
        .await
        .unwrap();
    let Object::Volume(seen) = &all[0] else {
        panic!("{all:?}")
    };
    assert_eq!(
        (seen.instance.as_deref(), seen.device.as_deref()),
        (Some("web05"), Some("vdb"))
    );
    assert_eq!(seen.snapshots, Some(2));
    let asked = cloud.heard("GET", "/snapshots/detail");
    assert!(
        asked
            .iter()
            .all(|call| call.header("openstack-api-version") == Some("volume 3.12"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_and_a_status_are_changed_and_taken_back() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("db01", 1);
    let connection = open(&cloud).await;
    let all = list_all(&*connection.reader, Query::all(Kind::Snapshot))
        .await
        .unwrap();
    let id = all[0].id().to_owned();
    let before = json!({"tier": "tin", "a:b c": "x"});
    for of in [&volume, &id] {
        cloud
            .state
            .lock()
            .cinder
            .set(of, "metadata", before.clone());
    }
    let kept = |many: &str, member: &str| {
        let mut state = cloud.state.lock();
        let of = if many == "volumes" { &volume } else { &id };
        state.cinder.find(many, of).unwrap().json[member].clone()
    };
    let edits = [
        (
            "volumes",
            Operation::new(OperationKind::UpdateVolume).on_volume(&volume.as_str().into()),
        ),
        (
            "snapshots",
            Operation::new(OperationKind::UpdateSnapshot).on_snapshot(&id.as_str().into()),
        ),
    ];
    for (n, (many, edit)) in edits.into_iter().enumerate() {
        let change = edit.clone().text("metadata", "tier=gold, a:b c-, new=1");
        let plan = connection.reader.plan(&change).await.unwrap();
        assert_eq!(plan.steps.len(), 2, "{plan:?}");
        run(&connection, &plan, &format!("t{n}")).await.unwrap();
        assert_eq!(kept(many, "metadata"), json!({"tier": "gold", "new": "1"}));
        let Undo::By {
            operation: Some(undo),
            ..
        } = plan.undo
        else {
            panic!("{:?}", plan.undo)
        };
        let plan = connection.reader.plan(&undo).await.unwrap();
        run(&connection, &plan, &format!("u{n}")).await.unwrap();
        assert_eq!(kept(many, "metadata"), before);

        // Who may not is told so; who may does it, and takes it back.
        let reset = edit.text("status", "error");
        let plan = connection.reader.plan(&reset).await.unwrap();
        assert!(
            plan.notes
                .iter()
                .any(|note| note.contains("administrators"))
        );
        cloud.state.lock().cinder.resets = false;
        let refused = run(&connection, &plan, &format!("v{n}")).await;
        let problem = refused.unwrap_err();
        assert_eq!(problem.kind, ProblemKind::Auth, "{problem}");
        cloud.state.lock().cinder.resets = true;
        run(&connection, &plan, &format!("v{n}")).await.unwrap();
        assert_eq!(kept(many, "status"), "error");
        let Undo::By {
            operation: Some(undo),
            ..
        } = plan.undo
        else {
            panic!("{:?}", plan.undo)
        };
        let plan = connection.reader.plan(&undo).await.unwrap();
        run(&connection, &plan, &format!("w{n}")).await.unwrap();
        assert_eq!(kept(many, "status"), "available");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn things_of_all_projects_are_listed_where_the_profile_says_so() {
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.seed("own", 1);
    let foreign = cloud.state.lock().cinder.seed("foreign", 0);
    cloud
        .state
        .lock()
        .cinder
        .set(&foreign, "os-vol-tenant-attr:tenant_id", json!("blue"));
    let names = async |account| {
        let connection = cinder::open("test", cloud.client(), account, true).await;
        let connection = connection.unwrap();
        let mut all = Vec::new();
        for kind in [Kind::Volume, Kind::Snapshot, Kind::Group] {
            all.extend(
                list_all(&*connection.reader, Query::all(kind))
                    .await
                    .unwrap(),
            );
        }
        all
    };
    let own = names(cloud.account()).await;
    assert_eq!(own.len(), 2, "a volume and its snapshot: {own:?}");
    assert!(
        cloud
            .heard("GET", "/detail")
            .iter()
            .all(|call| call.query("all_tenants").is_none())
    );
    let mut account = cloud.account();
    account.all_tenants = true;
    let all = names(account).await;
    assert_eq!(all.len(), 3, "{all:?}");
    let Object::Volume(seen) = &all[1] else {
        panic!("{all:?}")
    };
    assert_eq!(seen.metadata["project"], "blue");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_walks_to_where_it_ends() {
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.seed("db01", 2);
    let mut steps = Vec::new();
    cinder::examine(cloud.client(), cloud.account(), false, |finding| {
        steps.push(finding);
    })
    .await;
    let names: Vec<_> = steps.iter().map(|finding| finding.step).collect();
    assert_eq!(
        names,
        [
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
            "groups"
        ],
        "{steps:?}"
    );
    assert!(
        steps.iter().all(|finding| finding.problem.is_none()),
        "{steps:?}"
    );
    assert!(
        steps[9].told[0].starts_with("2 of 2 on the first page"),
        "{steps:?}"
    );

    cloud.refuse_sign_in();
    let mut steps = Vec::new();
    cinder::examine(cloud.client(), cloud.account(), false, |finding| {
        steps.push(finding);
    })
    .await;
    let last = steps.last().unwrap();
    assert_eq!(last.step, "sign-in");
    assert!(!last.problem.as_ref().unwrap().hints.is_empty());

    let mut account = cloud.account();
    account.endpoint = "http://no-such-host.invalid:5000/v3".to_owned();
    let mut steps = Vec::new();
    cinder::examine(cloud.client(), account, false, |finding| {
        steps.push(finding);
    })
    .await;
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].step, "name");
}

/// The profile for this cloud.
fn profile(cloud: &Cloud) -> String {
    format!(
        "[profiles.lab]\nendpoint = \"{}\"\nuser = \"demo\"\nuser-domain = \"Default\"\n\
         project = \"demo\"\nproject-domain = \"Default\"\nsecret.env = \"LAB\"\n",
        cloud.endpoint()
    )
}

fn command(home: &std::path::Path, cloud: &Cloud, args: &[&str]) -> std::process::Command {
    drive::command(home, &profile(cloud), args)
}

async fn snapdeck(home: &std::path::Path, cloud: &Cloud, args: &[&str]) -> (i32, String, String) {
    drive::snapdeck(home, &profile(cloud), args).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_program_has_left_is_found_out_and_taken_up() {
    let take = [
        "--profile",
        "lab",
        "run",
        "create-snapshot",
        "--volume",
        "db01",
        "--name",
        "n",
    ];
    // Heard and not done, and done and not answered.
    for (fault, done) in [(Fault::Hang, false), (Fault::HoldAnswer, true)] {
        let cloud = Cloud::start().await;
        cloud.state.lock().cinder.seed("db01", 0);
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        cloud.befall("POST", "/snapshots", 1, fault);
        let mut child = command(home, &cloud, &take).spawn().unwrap();
        while cloud.heard("POST", "/snapshots").is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let (code, _, err) = snapdeck(home, &cloud, &["--profile", "lab", "follow"]).await;
        if !done {
            assert_eq!(code, 11, "it waits for a decision: {err}");
            assert_eq!(
                cloud.heard("POST", "/snapshots").len(),
                1,
                "nothing was sent again"
            );
            let list = ["--profile", "lab", "get", "tasks", "-o", "json"];
            let (_, out, _) = snapdeck(home, &cloud, &list).await;
            let tasks: serde_json::Value = serde_json::from_str(&out).unwrap();
            let id = tasks[0]["id"].as_str().unwrap();
            let retry = ["--profile", "lab", "task", "retry", id];
            let (code, _, err) = snapdeck(home, &cloud, &retry).await;
            assert_eq!(code, 0, "{err}");
        } else {
            assert_eq!(code, 0, "it was done, and that is found: {err}");
            assert_eq!(
                cloud.heard("POST", "/snapshots").len(),
                1,
                "nothing was sent again"
            );
        }
        assert_eq!(cloud.state.lock().cinder.count("snapshots"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_used_from_the_command_line() {
    let cloud = Cloud::start().await;
    let volume = cloud.state.lock().cinder.seed("db01", 2);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (code, out, err) = snapdeck(
        home,
        &cloud,
        &["--profile", "lab", "get", "volumes", "-o", "json"],
    )
    .await;
    assert_eq!(code, 0, "{err}");
    let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&listed[0]["name"], &listed[0]["snapshots"]),
        (&json!("db01"), &json!(2))
    );

    let take = [
        "--profile",
        "lab",
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
        out.contains("curl -sS -X POST") && out.contains("$TOKEN"),
        "{out}"
    );
    assert!(cloud.heard("POST", "/snapshots").is_empty());
    let (code, _, err) = snapdeck(home, &cloud, &take).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!(cloud.state.lock().cinder.count("snapshots"), 3);
    let (_, out, _) = snapdeck(
        home,
        &cloud,
        &["--profile", "lab", "get", "tasks", "-o", "json"],
    )
    .await;
    let tasks: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(tasks[0]["state"], "succeeded", "{tasks}");

    let named = [
        "--profile",
        "lab",
        "describe",
        "snapshot",
        "db01@nightly",
        "-o",
        "raw",
    ];
    let (code, out, err) = snapdeck(home, &cloud, &named).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains(&volume) && out.contains("snapdeck_key"),
        "{out}"
    );
    let denied = [&["--read-only"], &take[..]].concat();
    let (code, _, err) = snapdeck(home, &cloud, &denied).await;
    assert_eq!(code, 4, "{err}");
    let (code, _, err) = snapdeck(home, &cloud, &["--profile", "lba", "get", "volumes"]).await;
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("there are lab"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_added_listed_tried_and_examined() {
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.seed("db01", 2);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let clouds = format!(
        "clouds:\n  yard:\n    auth:\n      auth_url: {}\n      username: demo\n      password: correct horse\n      \
         project_name: demo\n      user_domain_name: Default\n      project_domain_name: Default\n",
        cloud.endpoint()
    );
    std::fs::write(home.join("clouds.yaml"), clouds).unwrap();
    let add = [
        "profile",
        "add",
        "new",
        "--cloud",
        "yard",
        "--region",
        "RegionOne",
        "--read-only",
    ];
    let (code, out, err) = snapdeck(home, &cloud, &add).await;
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("snapdeck doctor new"), "{out}");
    let (code, _, err) = snapdeck(home, &cloud, &add).await;
    assert_eq!(code, 6, "twice: {err}");
    let (_, out, _) = snapdeck(home, &cloud, &["profile", "list", "-o", "json"]).await;
    assert!(!out.contains("correct horse"), "{out}");
    let listed: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    let names: Vec<_> = listed
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["lab", "new", "yard"]);
    assert_eq!(listed[1]["read_only"], true);
    for name in names {
        let (code, out, err) = snapdeck(home, &cloud, &["profile", "test", name]).await;
        assert_eq!(
            (code, out),
            (0, format!("{name} works: 1 volumes\n")),
            "{err}"
        );
    }
    let (code, out, err) = snapdeck(home, &cloud, &["doctor", "yard"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("microversion 3.70") && out.ends_with("everything works\n"),
        "{out}"
    );
    cloud.refuse_sign_in();
    let (code, out, err) = snapdeck(home, &cloud, &["doctor", "yard"]).await;
    assert_eq!(code, 4, "{err}");
    assert!(
        out.contains("FAILS  sign-in") && err.contains("  try: "),
        "{out}{err}"
    );
    assert!(!out.contains("correct horse") && !err.contains("correct horse"));
}

/// With a real keyring, on a bus of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_kept_in_the_keyring_and_found_there() {
    if !tools::have(&["secret-tool", "gnome-keyring-daemon", "dbus-run-session"]) {
        return;
    }
    let cloud = Cloud::start().await;
    cloud.state.lock().cinder.seed("db01", 0);
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path();
    let at = cloud.endpoint();
    let profiles = format!(
        "[profiles.lab]\nendpoint = \"{at}\"\nuser = \"demo\"\nuser-domain = \"Default\"\n\
         project = \"demo\"\nproject-domain = \"Default\"\nsecret.keyring = \"lab key\"\n\
         [profiles.other]\nendpoint = \"{at}\"\nsecret.env = \"LAB\"\n"
    );
    // Without a bus there is no keyring, and it is said.
    let (code, _, err) = drive::snapdeck(home, &profiles, &["profile", "test", "lab"]).await;
    assert_eq!(code, 3, "{err}");
    assert!(
        err.contains("the keyring gave no secret for \"lab key\""),
        "{err}"
    );
    let script = "printf pw | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null\n\
        \"$1\" profile test lab; echo \"none: $?\"\n\
        printf %s \"$LAB\" | \"$1\" profile secret lab\n\
        \"$1\" profile test lab\n\
        \"$1\" profile secret other; echo \"other: $?\"\n";
    let inner = drive::command(home, &profiles, &[]);
    let mut command = std::process::Command::new("dbus-run-session");
    command
        .args(["--", "sh", "-c", script, "sh"])
        .arg(inner.get_program())
        .env_clear()
        .envs(
            inner
                .get_envs()
                .filter_map(|(key, value)| Some((key, value?))),
        )
        .env("XDG_RUNTIME_DIR", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .stdin(std::process::Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(out.contains("none: 3\n"), "{out}{err}");
    assert!(err.contains("there is none of this name"), "{out}{err}");
    assert!(
        out.contains("the keyring has it, as lab key\n"),
        "{out}{err}"
    );
    assert!(out.contains("lab works: 1 volumes\n"), "{out}{err}");
    assert!(out.contains("other: 3\n"), "{out}{err}");
    assert!(!out.contains("correct horse") && !err.contains("correct horse"));
}
