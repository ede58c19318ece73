//! The provider of ZStack Cloud against a stand-in for the system (`tests/cloud/`): the conformance suite by both ways to
//! prove who calls, faults of every kind, preconditions, what is lost, results of each snapshot, unknown outcomes.

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
use cloud::zstack::{ACCOUNT, CLEAR, KEY, KEY_SECRET};
use cloud::{Answer, Cloud, Fault};
use futures_util::StreamExt as _;
use serde_json::json;
use snapdeck::config::{AccessKey, Account, Auth, Named};
use snapdeck::model::{
    Change, GroupState, Kind, Object, ObjectRef, Operation, OperationKind, Plan, Problem,
    ProblemKind, Query, SnapshotTree, TaskId, TreeRowKind, Undo, Value, VolumeId, VolumeState,
};
use snapdeck::provider::{Connection, Fate, Told, conformance, list_all, zstack};

fn password(clear: &str) -> Auth {
    Auth::Password {
        user: Named {
            id: None,
            name: Some(ACCOUNT.to_owned()),
            domain_id: None,
            domain_name: None,
        },
        password: clear.to_owned().into(),
    }
}

fn key() -> Auth {
    Auth::Keys(AccessKey {
        id: KEY.to_owned(),
        secret: KEY_SECRET.to_owned().into(),
        token: None,
    })
}

/// Waits until no session is left: what has read until now lets go of its own in a moment.
async fn signs_out(cloud: &Cloud) {
    let gone = async {
        while !cloud.state.lock().zstack.sessions.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), gone).await;
    assert!(waited.is_ok(), "nobody signed out");
}

fn account(cloud: &Cloud) -> Account {
    cloud.zstack_account(password(CLEAR))
}

async fn open(cloud: &Cloud) -> Connection {
    open_as(cloud, account(cloud)).await
}

async fn open_as(cloud: &Cloud, account: Account) -> Connection {
    zstack::open("test", cloud.client(), account, false)
        .await
        .unwrap()
}

/// A stopped VM with a root volume and one for data, by their ids.
fn seed(cloud: &Cloud) -> (String, String, String) {
    seed_as(cloud, "web-01", "Stopped")
}

fn seed_as(cloud: &Cloud, name: &str, state: &str) -> (String, String, String) {
    let mut state_of = cloud.state.lock();
    let (vm, ids) = state_of
        .zstack
        .seed(name, state, &format!("ROOT-for-{name}"), &["pgdata"]);
    (vm, ids[0].clone(), ids[1].clone())
}

fn lend(cloud: &Cloud) {
    let root = "conformance-root";
    cloud
        .state
        .lock()
        .zstack
        .seed("spare", "Stopped", root, &["conformance-second"]);
}

fn ids(volumes: &[&str]) -> Value {
    Value::Objects(
        volumes
            .iter()
            .map(|id| ObjectRef::new(Kind::Volume, *id))
            .collect(),
    )
}

fn take_group(name: &str, volumes: &[&str]) -> Operation {
    Operation::new(OperationKind::CreateGroup)
        .text("name", name)
        .with("volumes", ids(volumes))
}

fn on_group(kind: OperationKind, group: &str) -> Operation {
    Operation::new(kind).with("group", Value::Object(ObjectRef::new(Kind::Group, group)))
}

fn on(kind: OperationKind, snapshot: &str) -> Operation {
    Operation::new(kind).on_snapshot(&snapshot.into())
}

fn back(volume: &str, snapshot: &str, guard: bool) -> Operation {
    on(OperationKind::Restore, snapshot)
        .on_volume(&volume.into())
        .with("guard", Value::Flag(guard))
}

async fn plan(connection: &Connection, operation: &Operation) -> Plan {
    connection.reader.plan(operation).await.unwrap()
}

async fn change(connection: &Connection, operation: &Operation, task: &str) -> Vec<ObjectRef> {
    run(connection, &plan(connection, operation).await, task)
        .await
        .unwrap()
}

async fn everything(connection: &Connection, kind: Kind) -> Vec<Object> {
    list_all(&*connection.reader, Query::all(kind))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_by_either_proof() {
    for (auth, clock) in [(password(CLEAR), 0), (key(), 0), (key(), 8)] {
        let signs = matches!(auth, Auth::Keys(_));
        let cloud = Cloud::start().await;
        lend(&cloud);
        cloud.state.lock().zstack.clock = clock;
        let connection = open_as(&cloud, cloud.zstack_account(auth)).await;
        let (run, violations) = conformance::check(&connection).await;
        assert_eq!(violations, [], "keys {signs}, clock {clock}");
        assert_eq!(run.len(), 9, "{run:?}");
        let state = cloud.state.lock();
        assert!(state.zstack.snapshots.is_empty() && state.zstack.groups.is_empty());
        assert_eq!(state.zstack.logins, usize::from(!signs));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_while_sessions_end_and_the_system_is_busy() {
    let cloud = Cloud::start().await;
    lend(&cloud);
    let connection = open(&cloud).await;
    cloud.befall("GET", "/volumes", 1, Fault::Expire);
    cloud.befall("POST", "/volume-snapshots", 1, Fault::Expire);
    cloud.befall("DELETE", "/volume-snapshots", 1, Fault::Expire);
    let busy = Answer::html(429).with("Retry-After", "1");
    cloud.befall("PUT", "/actions", 1, Fault::Say(busy));
    cloud.befall("GET", "/volume-snapshots", 1, Fault::Say(Answer::html(500)));
    let starting = json!({"error": {"code": "SYS.1010", "details": "starting"}});
    cloud.befall("GET", "/trees", 1, Fault::Say(Answer::new(503, starting)));
    cloud.befall("POST", "/group", 1, Fault::LoseAnswer);
    cloud.befall("PUT", "/group/", 1, Fault::LoseAnswer);
    cloud.befall("DELETE", "/group/", 1, Fault::LoseAnswer);
    cloud.befall("GET", "/api-jobs/", 1, Fault::Truncate);
    let (_, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    let state = cloud.state.lock();
    assert!(state.zstack.snapshots.is_empty());
    assert_eq!(
        state.zstack.logins, 4,
        "each end of a session was met with one renewal"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_profile_has_nothing_to_change_with() {
    let cloud = Cloud::start().await;
    let (_, root, _) = seed(&cloud);
    cloud.state.lock().zstack.group(&root, "friday");
    let connection = zstack::open("test", cloud.client(), account(&cloud), true)
        .await
        .unwrap();
    assert!(connection.writer.is_none());
    let (run, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    assert_eq!(run.len(), 3);
    for method in ["POST", "DELETE"] {
        assert!(cloud.heard(method, "/zstack").is_empty());
    }
    assert!(cloud.heard("PUT", "/actions").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_serves_many_calls_and_is_signed_out_of() {
    let cloud = Cloud::start().await;
    let (_, root, _) = seed(&cloud);
    cloud.state.lock().zstack.take(&root, 2);
    let connection = open(&cloud).await;
    let session = cloud
        .state
        .lock()
        .zstack
        .sessions
        .iter()
        .next()
        .unwrap()
        .clone();
    cloud.state.lock().zstack.sessions.clear();
    let many = (0..20).map(|_| list_all(&*connection.reader, Query::all(Kind::Group)));
    for all in futures_util::future::join_all(many).await {
        assert!(all.unwrap().is_empty());
    }
    assert_eq!(
        cloud.state.lock().zstack.logins,
        2,
        "however many calls met its end"
    );
    let trace = connection.trace.clone().unwrap();
    let now = cloud
        .state
        .lock()
        .zstack
        .sessions
        .iter()
        .next()
        .unwrap()
        .clone();
    drop(connection);
    signs_out(&cloud).await;
    let left = cloud.heard("DELETE", "/accounts/sessions/");
    assert!(left.len() == 1 && left[0].header("authorization").is_none());
    let told = format!("{:?}", trace.since(0));
    let hash = snapdeck::wire::zstack::password(CLEAR);
    for secret in [CLEAR, &hash, &session, &now] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    assert!(told.contains("/accounts/login"));

    let wrong = cloud.zstack_account(password("wrong"));
    let problem = zstack::open("test", cloud.client(), wrong, false)
        .await
        .err()
        .unwrap();
    assert_eq!(problem.kind, ProblemKind::Auth);
    assert!(problem.to_string().contains("ID.1000"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_lists_come_in_pages_and_none_twice() {
    let cloud = Cloud::start().await;
    let (_, root, _) = seed(&cloud);
    cloud.state.lock().zstack.take(&root, 2_500);
    let connection = open(&cloud).await;
    let mut pages = connection.reader.list(Query::all(Kind::Snapshot));
    let (mut seen, mut sizes) = (std::collections::HashSet::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert_eq!(page.total, Some(2_500));
        sizes.push(page.items.len());
        assert!(
            page.items
                .iter()
                .all(|one| seen.insert(one.id().to_owned()))
        );
    }
    assert_eq!(sizes, [1000, 1000, 500]);
    let calls = cloud.heard("GET", "/zstack/v1/volume-snapshots");
    let starts: Vec<_> = calls
        .iter()
        .map(|call| call.query("start").unwrap_or("0"))
        .collect();
    assert_eq!(starts, ["0", "1000", "2000"]);
    assert!(calls.iter().all(|call| call.query("sort") == Some("+uuid")));
    // 65 in the first tree and 66 in each after: deeper than readers of JSON go down.
    let shown = connection
        .reader
        .show(&ObjectRef::new(Kind::Volume, root.clone()))
        .await
        .unwrap();
    let Object::Volume(shown) = shown else {
        panic!("{shown:?}")
    };
    assert_eq!(shown.snapshots, Some(2_500));
    let plan = plan(&connection, &take(&root, "next")).await;
    assert_eq!(plan.steps.len(), 1);

    cloud.state.lock().zstack.repeats = true;
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    let problem = list_all(&*connection.reader, Query::all(Kind::Snapshot))
        .await
        .unwrap_err();
    assert!(problem.to_string().contains("again and again"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_is_the_systems_own() {
    let cloud = Cloud::start().await;
    let (_, _, data) = seed(&cloud);
    cloud.state.lock().zstack.max = 2;
    let connection = open(&cloud).await;
    // The worked example of 10.7, and a chain that is at its end.
    for name in ["a", "b", "c"] {
        change(&connection, &take(&data, name), name).await;
    }
    let first = {
        let state = cloud.state.lock();
        state.zstack.snapshots[0]["uuid"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    change(&connection, &back(&data, &first, false), "back").await;
    change(&connection, &take(&data, "d"), "d").await;
    let of = Query::snapshots_of(VolumeId(data.clone()));
    let all = list_all(&*connection.reader, of).await.unwrap();
    let snapshots: Vec<_> = all
        .into_iter()
        .map(|object| match object {
            Object::Snapshot(snapshot) => snapshot,
            other => panic!("{other:?}"),
        })
        .collect();
    let parent = |name: &str| {
        let one = snapshots.iter().find(|one| one.name == name).unwrap();
        let parent = snapshots
            .iter()
            .find(|p| Some(&p.id) == one.parent.as_ref());
        parent.map(|parent| parent.name.clone())
    };
    let names: Vec<_> = ["a", "b", "c", "d"]
        .iter()
        .map(|name| parent(name))
        .collect();
    let a = Some("a".to_owned());
    assert_eq!(
        names,
        [None, a.clone(), None, a],
        "c is a full one in a tree of its own"
    );
    let shown = connection
        .reader
        .show(&ObjectRef::new(Kind::Volume, data))
        .await
        .unwrap();
    let Object::Volume(volume) = shown else {
        panic!("{shown:?}")
    };
    let tree = SnapshotTree::build(&volume, &snapshots);
    let at = tree
        .rows
        .iter()
        .position(|row| row.kind == TreeRowKind::Here)
        .unwrap();
    let TreeRowKind::Snapshot(before) = tree.rows[at - 1].kind else {
        panic!("{tree:?}")
    };
    assert_eq!(snapshots[before].name, "d");
    assert_eq!(volume.size.0, 10 << 30);
    assert_eq!(volume.used.unwrap().0, 1 << 30, "a double is a size");
    let taken = snapshots[0].created.unwrap();
    assert_eq!(
        taken.to_string().get(..10),
        Some("2024-11-14"),
        "in the zone of the server"
    );
    assert_eq!(volume.instance.as_deref(), Some("web-01"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_taken_told_renamed_taken_back_to_and_parted() {
    let cloud = Cloud::start().await;
    let (_, root, data) = seed(&cloud);
    let connection = open(&cloud).await;
    let taken = plan(&connection, &take_group("friday", &[&data, &root])).await;
    let call = &taken.steps[0].call;
    assert!(call.starts_with("curl -sS -X POST"), "{call}");
    for part in [
        "OAuth $SESSION",
        "X-Job-UUID: $JOB",
        "/zstack/v1/volume-snapshots/group'",
        "\"rootVolumeUuid\":",
        "\"resourceUuid\":\"$UUID\"",
    ] {
        assert!(call.contains(part), "{part} in {call}");
    }
    let made = run(&connection, &taken, "t1").await.unwrap();
    assert_eq!(
        made.iter().map(|one| one.kind).collect::<Vec<_>>(),
        [Kind::Group, Kind::Snapshot, Kind::Snapshot]
    );
    let sent = cloud.heard("POST", "/volume-snapshots/group").remove(0);
    assert_eq!(sent.body["params"]["rootVolumeUuid"], root.as_str());
    assert_eq!(sent.body["params"]["resourceUuid"], made[0].id.as_str());
    let Object::Group(group) = &everything(&connection, Kind::Group).await[0] else {
        panic!()
    };
    assert_eq!(
        (group.name.as_str(), group.taken, group.instance.as_deref()),
        ("friday", 2, Some("web-01"))
    );
    let names: Vec<_> = group.members.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        ["friday-ROOT-for-web-01", "friday-pgdata"],
        "the root disk first"
    );

    let id = made[0].id.clone();
    change(
        &connection,
        &on_group(OperationKind::UpdateGroup, &id).text("name", "friday, verified"),
        "t2",
    )
    .await;
    assert_eq!(
        cloud.state.lock().zstack.groups[0]["name"],
        "friday, verified"
    );

    let revert = on_group(OperationKind::RestoreGroup, &id);
    let guarded = plan(
        &connection,
        &revert
            .clone()
            .with("guard", Value::Flag(true))
            .with("stop", Value::Flag(false)),
    )
    .await;
    assert!(!guarded.is_destructive() && matches!(guarded.undo, Undo::By { .. }));
    assert_eq!(guarded.steps.len(), 2);
    let made = run(&connection, &guarded, "t3").await.unwrap();
    assert_eq!(made.len(), 3, "the guard group and its snapshots");
    let guards = everything(&connection, Kind::Group).await;
    let guards = guards
        .iter()
        .filter(|one| matches!(one, Object::Group(group) if group.guard));
    assert_eq!(guards.count(), 1);
    assert_eq!(
        cloud.state.lock().zstack.here(&root).as_deref(),
        Some("friday-ROOT-for-web-01")
    );

    let bare = plan(&connection, &revert.with("guard", Value::Flag(false))).await;
    assert!(bare.losses.len() == 2 && bare.confirm.as_deref() == Some("friday, verified"));
    change(&connection, &on_group(OperationKind::Ungroup, &id), "t4").await;
    assert_eq!(cloud.state.lock().zstack.snapshots.len(), 4);
    assert!(
        cloud.heard("DELETE", "/volume-snapshots/ungroup/")[0]
            .query("deleteMode")
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_with_a_group_is_told_before() {
    let cloud = Cloud::start().await;
    let (_, root, data) = seed(&cloud);
    let (first, second) = {
        let state = &mut cloud.state.lock().zstack;
        let first = state.group(&root, "first");
        (first, state.group(&root, "second"))
    };
    cloud.state.lock().zstack.take(&data, 1);
    let connection = open(&cloud).await;
    let delete = on_group(OperationKind::DeleteGroup, &first);
    let planned = plan(&connection, &delete).await;
    let lost: Vec<&str> = planned
        .losses
        .iter()
        .map(|loss| loss.what.as_str())
        .collect();
    assert_eq!(lost.len(), 6, "{lost:#?}");
    for part in [
        "ROOT-for-web-01@first-ROOT-for-web-01",
        "@second-pgdata",
        "pgdata@s0",
        "the snapshot group second",
    ] {
        assert!(
            lost.iter().any(|what| what.contains(part)),
            "{part} in {lost:#?}"
        );
    }
    assert!(
        planned.notes.iter().any(|note| note.contains("merged")),
        "{:?}",
        planned.notes
    );
    assert!(planned.steps[0].call.contains("deleteMode=Permissive"));
    assert!(
        planned
            .touches
            .iter()
            .any(|touched| touched.object.id == second)
    );
    let writer = connection.writer.clone().unwrap();
    let outcome = writer
        .run(&planned, 0, context("t1", Vec::new()))
        .await
        .unwrap();
    assert!(outcome.message.starts_with("2: "), "{}", outcome.message);
    let state = cloud.state.lock();
    assert!(state.zstack.groups.is_empty() && state.zstack.snapshots.is_empty());
    drop(state);
    let sent = cloud.heard("DELETE", "/volume-snapshots/group/").remove(0);
    assert!(sent.bytes.is_empty() && sent.query("deleteMode") == Some("Permissive"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_result_of_each_snapshot_is_shown() {
    let cloud = Cloud::start().await;
    let (_, root, data) = seed(&cloud);
    let group = cloud.state.lock().zstack.group(&root, "friday");
    let connection = open(&cloud).await;
    cloud.state.lock().zstack.stuck.insert(data.clone());

    let revert = on_group(OperationKind::RestoreGroup, &group).with("guard", Value::Flag(false));
    let planned = plan(&connection, &revert).await;
    let problem = run(&connection, &planned, "t1").await.unwrap_err();
    let told = problem.to_string();
    assert!(
        problem
            .what
            .contains("1 of 2 snapshots were not taken back to"),
        "{told}"
    );
    for part in [
        "pgdata@friday-pgdata: ",
        "storage refused",
        "no room on vg_a (PRIMARY_STORAGE.1002)",
        "1 were: ROOT-for-web-01@",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    // The reason gone, the same step is sent again as another job, and none twice.
    cloud.state.lock().zstack.stuck.clear();
    run(&connection, &planned, "t1").await.unwrap();
    let jobs: Vec<_> = cloud
        .heard("PUT", "/actions")
        .iter()
        .map(|call| call.header("x-job-uuid").unwrap().to_owned())
        .collect();
    assert!(jobs.len() == 2 && jobs[0] != jobs[1]);

    cloud.state.lock().zstack.stuck.insert(data.clone());
    let delete = on_group(OperationKind::DeleteGroup, &group);
    let planned = plan(&connection, &delete).await;
    let problem = run(&connection, &planned, "t2").await.unwrap_err();
    let told = problem.to_string();
    for part in [
        "were not deleted",
        "Unable to delete a resource (SYS.1004)",
        "VOLUME_SNAPSHOT.1002",
        "a clone depends on it",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let single = on(
        OperationKind::DeleteSnapshot,
        cloud.state.lock().zstack.snapshots[0]["uuid"]
            .as_str()
            .unwrap(),
    );
    let problem = run(&connection, &plan(&connection, &single).await, "t3")
        .await
        .unwrap_err();
    assert_eq!(problem.causes.len(), 3, "the whole chain: {problem:?}");
    let enforcing = single.text("mode", "Enforcing");
    let planned = plan(&connection, &enforcing).await;
    assert!(
        planned
            .notes
            .iter()
            .any(|note| note.contains("failures are not told"))
    );
    run(&connection, &planned, "t4").await.unwrap();
    let last = cloud.heard("DELETE", "/volume-snapshots/").pop().unwrap();
    assert_eq!(last.query("deleteMode"), Some("Enforcing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_precondition_is_told_before_anything_is_sent() {
    let cloud = Cloud::start().await;
    let (vm, root, data) = seed(&cloud);
    let (_, other, _) = seed_as(&cloud, "db-01", "Running");
    let lone = cloud.state.lock().zstack.volume("lone", "Data", 1 << 30);
    let memory = cloud
        .state
        .lock()
        .zstack
        .volume("memory", "Memory", 1 << 30);
    let group = cloud.state.lock().zstack.group(&root, "friday");
    let foreign = cloud.state.lock().zstack.take(&other, 1).remove(0);
    let own = cloud.state.lock().zstack.take(&data, 1).remove(0);
    let connection = open(&cloud).await;
    let fails = async |operation: Operation, kind: ProblemKind, words: &str| {
        let problem: Problem = connection.reader.plan(&operation).await.unwrap_err();
        let told = format!("{problem} {:?}", problem.hints);
        assert!(
            problem.kind == kind && told.contains(words),
            "{words}: {problem:?}"
        );
    };
    let set = |id: &str, name: &str, value| cloud.state.lock().zstack.set(id, name, value);
    use OperationKind as O;
    use ProblemKind as P;
    fails(take(&memory, "n"), P::Conflict, "of the type Memory").await;
    fails(take(&data, &"n".repeat(256)), P::User, "at most 255").await;
    let long = Operation::new(O::UpdateSnapshot)
        .on_snapshot(&own.as_str().into())
        .text("description", "d".repeat(2_049));
    fails(long, P::User, "at most 2048").await;
    for (name, value, words) in [
        ("status", json!("Migrating"), "is Migrating"),
        ("status", json!("NotInstantiated"), "attach it to a VM"),
        ("status", json!("Deleted"), "recycle bin"),
        ("status", json!("Melting"), "is Melting"),
        ("state", json!("Disabled"), "is Disabled"),
    ] {
        set(&data, name, value);
        fails(take(&data, "n"), P::Conflict, words).await;
        fails(take_group("n", &[&root, &data]), P::Conflict, words).await;
        set(&data, "status", json!("Ready"));
        set(&data, "state", json!("Enabled"));
    }
    set(&vm, "state", json!("Stopping"));
    fails(take(&data, "n"), P::Conflict, "the VM web-01 is Stopping").await;
    set(&vm, "state", json!("Stopped"));
    fails(take_group("n", &[&lone]), P::Conflict, "attached to no VM").await;
    fails(take_group("n", &[&root]), P::Conflict, "pgdata too").await;
    fails(
        take_group("n", &[&root, &other]),
        P::Conflict,
        "of several VMs",
    )
    .await;
    let with_memory = take_group("n", &[&root, &data]).with("memory", Value::Flag(true));
    fails(with_memory, P::User, "it is Stopped").await;
    fails(
        back(&data, &foreign, false),
        P::User,
        "no snapshot of pgdata",
    )
    .await;
    set(&own, "state", json!("Disabled"));
    fails(back(&data, &own, false), P::Conflict, "Disabled").await;
    set(&own, "state", json!("Enabled"));
    set(&own, "status", json!("Creating"));
    fails(back(&data, &own, false), P::Conflict, "Creating").await;
    fails(
        on(O::Clone, &own).text("name", "n"),
        P::Conflict,
        "it is Creating",
    )
    .await;
    set(&own, "status", json!("Odd"));
    fails(on(O::DeleteSnapshot, &own), P::Conflict, "is Odd").await;
    set(&own, "status", json!("Ready"));
    set(&vm, "state", json!("Running"));
    fails(back(&data, &own, false), P::Conflict, "must be Stopped").await;
    fails(on_group(O::RestoreGroup, &group), P::Conflict, "--stop").await;
    set(&vm, "state", json!("Starting"));
    let stop = on_group(O::RestoreGroup, &group).with("stop", Value::Flag(true));
    fails(stop, P::Conflict, "cannot be stopped").await;
    set(&vm, "state", json!("Stopped"));
    // "After 'attach another disk': not available until that one is detached."
    set(&lone, "vmInstanceUuid", json!(vm));
    fails(
        on_group(O::RestoreGroup, &group),
        P::Conflict,
        "a new disk is attached",
    )
    .await;
    let shown = connection
        .reader
        .show(&ObjectRef::new(Kind::Group, group.clone()))
        .await
        .unwrap();
    let Object::Group(shown) = shown else {
        panic!("{shown:?}")
    };
    assert_eq!(
        shown.metadata["cannot be gone back to"],
        "a volume was attached since"
    );
    fails(on(O::DeleteSnapshot, "nothing"), P::NotFound, "there is no").await;
    fails(
        Operation::new(O::DeleteVolume).on_volume(&data.as_str().into()),
        P::User,
        "own console",
    )
    .await;
    assert!(
        cloud.heard("POST", "/zstack").is_empty() && cloud.heard("DELETE", "/zstack").is_empty()
    );
    assert!(cloud.heard("PUT", "/actions").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_is_stopped_and_started_again_where_that_is_asked_for() {
    let cloud = Cloud::start().await;
    let (vm, root, data) = seed_as(&cloud, "web-01", "Running");
    let connection = open(&cloud).await;
    let group = change(&connection, &take_group("live", &[&root, &data]), "t1")
        .await
        .remove(0)
        .id;
    let revert = on_group(OperationKind::RestoreGroup, &group)
        .with("stop", Value::Flag(true))
        .with("guard", Value::Flag(true));
    let planned = plan(&connection, &revert).await;
    let names: Vec<&str> = planned
        .steps
        .iter()
        .map(|step| step.name.split(':').next().unwrap())
        .collect();
    assert_eq!(
        names,
        ["stop-vm", "make-guard-group", "revert-group", "start-vm"]
    );
    run(&connection, &planned, "t2").await.unwrap();
    assert_eq!(cloud.state.lock().zstack.vms[0]["state"], "Running");
    let calls = cloud.heard("PUT", &format!("/vm-instances/{vm}"));
    assert_eq!(calls[0].body, json!({"stopVmInstance": {"type": "grace"}}));

    let memory = take_group("memory", &[&root, &data]).with("memory", Value::Flag(true));
    let group = change(&connection, &memory, "t3").await.remove(0).id;
    let sent = cloud
        .heard("POST", "/volume-snapshots/group")
        .pop()
        .unwrap();
    assert_eq!(sent.body["params"]["withMemory"], true);
    let revert = on_group(OperationKind::RestoreGroup, &group)
        .with("stop", Value::Flag(true))
        .with("guard", Value::Flag(false));
    let planned = plan(&connection, &revert).await;
    let names: Vec<&str> = planned
        .steps
        .iter()
        .map(|step| step.name.split(':').next().unwrap())
        .collect();
    assert_eq!(
        names,
        ["stop-vm-cold", "revert-group"],
        "it is started from its memory"
    );
    assert!(planned.steps[0].call.contains("\"stopHA\":\"true\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_and_not_answered_is_found_and_not_done_twice() {
    let cloud = Cloud::start().await;
    let (_, root, data) = seed(&cloud);
    let connection = open(&cloud).await;
    let planned = plan(&connection, &take(&data, "nightly")).await;
    for fault in [Fault::LoseAnswer, Fault::HoldAnswer] {
        let task = format!("{fault:?}");
        cloud.befall("POST", "/volume-snapshots", 1, fault);
        assert_eq!(run(&connection, &planned, &task).await.unwrap().len(), 1);
    }
    assert_eq!(
        cloud.heard("POST", "/volume-snapshots").len(),
        2,
        "each was sent once"
    );
    assert_eq!(cloud.state.lock().zstack.snapshot_names(&data).len(), 2);

    // Another program finds it, also when its job is long forgotten.
    let other = open(&cloud).await;
    let writer = other.writer.as_ref().unwrap();
    let (known, never) = (TaskId("LoseAnswer".into()), TaskId("never".into()));
    for forgetful in [false, true] {
        cloud.state.lock().zstack.forgetful = forgetful;
        let fate = writer.fate(&planned, 0, &known).await.unwrap();
        let Fate::Done(outcome) = fate else {
            panic!("{fate:?}")
        };
        assert_eq!(outcome.made.len(), 1);
        assert_eq!(
            writer.fate(&planned, 0, &never).await.unwrap(),
            Fate::NotDone
        );
    }
    cloud.state.lock().zstack.forgetful = false;

    // A call that was never heard is not taken for one that was.
    cloud.befall("POST", "/volume-snapshots", 1, Fault::LoseCall);
    let problem = run(&connection, &planned, "lost").await.unwrap_err();
    assert!(
        problem.to_string().contains("nothing of it is there"),
        "{problem}"
    );
    assert_eq!(run(&connection, &planned, "lost").await.unwrap().len(), 1);
    assert_eq!(cloud.state.lock().zstack.snapshot_names(&data).len(), 3);

    // Going back leaves its mark on the tree where no job tells of it any more.
    let first = cloud.state.lock().zstack.take(&root, 2).remove(0);
    let planned = plan(&connection, &back(&root, &first, false)).await;
    let task = TaskId("back".into());
    assert_eq!(
        writer.fate(&planned, 0, &task).await.unwrap(),
        Fate::NotDone
    );
    run(&connection, &planned, "back").await.unwrap();
    cloud.state.lock().zstack.forgetful = true;
    let fate = writer.fate(&planned, 0, &task).await.unwrap();
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    cloud.state.lock().zstack.forgetful = false;
    // To where it stands already: it lies elsewhere afterwards.
    let again = plan(&connection, &back(&root, &first, false)).await;
    cloud.state.lock().zstack.forgetful = true;
    let task = TaskId("again".into());
    assert_eq!(writer.fate(&again, 0, &task).await.unwrap(), Fate::NotDone);
    cloud.state.lock().zstack.forgetful = false;
    run(&connection, &again, "again").await.unwrap();
    cloud.state.lock().zstack.forgetful = true;
    let fate = writer.fate(&again, 0, &task).await.unwrap();
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_followed_at_home_with_progress_and_its_end_is_told() {
    let cloud = Cloud::start().await;
    let (_, _, data) = seed(&cloud);
    cloud.state.lock().zstack.host = Some("http://127.0.0.2:9".to_owned());
    cloud.state.lock().zstack.polls = 3;
    let connection = open(&cloud).await;
    let planned = plan(&connection, &take(&data, "nightly")).await;
    let (tell, told) = std::sync::mpsc::channel();
    let mut context = context("t1", Vec::new());
    context.progress = std::sync::Arc::new(move |progress| {
        if let Told::Progress(progress) = progress {
            let _ = tell.send(progress.fraction().unwrap());
        }
    });
    let writer = connection.writer.clone().unwrap();
    writer.run(&planned, 0, context).await.unwrap();
    let told: Vec<f64> = told.try_iter().collect();
    assert!(
        !told.is_empty() && told.iter().all(|part| (part - 0.4).abs() < 0.001),
        "{told:?}"
    );
    let polls = cloud.heard("GET", "/api-jobs/");
    assert!(
        polls.len() >= 4,
        "it was followed here, and nothing was sent elsewhere"
    );
    let trace = format!("{:?}", connection.trace.clone().unwrap().since(0));
    assert!(!trace.contains("GET http://127.0.0.2"), "{trace}");

    // Whoever no longer waits leaves it to the system.
    let drop = on(
        OperationKind::DeleteSnapshot,
        cloud.state.lock().zstack.snapshots[0]["uuid"]
            .as_str()
            .unwrap(),
    );
    let planned = plan(&connection, &drop).await;
    cloud.state.lock().zstack.polls = 1_000;
    let context = drive::context("t2", Vec::new());
    let cancel = context.cancel.clone();
    let stop = async {
        while cloud.heard("DELETE", "/volume-snapshots/").is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(writer.run(&planned, 0, context), stop);
    assert!(result.unwrap_err().what.contains("goes on with it"));
    let fate = writer
        .fate(&planned, 0, &TaskId("t2".into()))
        .await
        .unwrap();
    assert_eq!(fate, Fate::Running);

    let denied = json!({"error": {"code": "ID.1002", "description": "permission denied", "details": "not yours"}});
    cloud.state.lock().zstack.polls = 0;
    cloud.state.lock().zstack.fails = Some(denied);
    let planned = plan(&connection, &take(&data, "n")).await;
    let problem = run(&connection, &planned, "t3").await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Auth);
    assert!(
        problem
            .to_string()
            .contains("permission denied: not yours (ID.1002)"),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_and_a_revert_can_be_long_jobs() {
    let cloud = Cloud::start().await;
    let (_, _, data) = seed(&cloud);
    let all = cloud.state.lock().zstack.take(&data, 3);
    let connection = open(&cloud).await;
    let long = |operation: Operation| operation.with("long", Value::Flag(true));
    let revert = plan(&connection, &long(back(&data, &all[0], false))).await;
    let call = &revert.steps[0].call;
    assert!(
        call.contains("/zstack/v1/longjobs'") && call.contains("APIRevertVolumeFromSnapshotMsg"),
        "{call}"
    );
    cloud.befall("POST", "/longjobs", 1, Fault::LoseAnswer);
    run(&connection, &revert, "t1").await.unwrap();
    assert_eq!(cloud.state.lock().zstack.here(&data).as_deref(), Some("s0"));
    assert_eq!(cloud.heard("POST", "/longjobs").len(), 1);
    // It is found long after the jobs of calls are gone.
    cloud.state.lock().zstack.forgetful = true;
    let writer = connection.writer.clone().unwrap();
    let fate = writer.fate(&revert, 0, &TaskId("t1".into())).await.unwrap();
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    cloud.state.lock().zstack.forgetful = false;

    let delete = plan(
        &connection,
        &long(on(OperationKind::DeleteSnapshot, &all[1])),
    )
    .await;
    cloud.state.lock().zstack.stuck.insert(data.clone());
    let problem = run(&connection, &delete, "t2").await.unwrap_err();
    assert!(
        problem
            .to_string()
            .contains("it failed: VOLUME_SNAPSHOT.1002: the long job is Failed"),
        "{problem}"
    );
    cloud.state.lock().zstack.stuck.clear();
    run(&connection, &delete, "t2").await.unwrap();
    assert_eq!(cloud.state.lock().zstack.snapshot_names(&data), ["s0"]);
    assert_eq!(
        cloud.state.lock().zstack.long_jobs.len(),
        3,
        "the revert, a deletion that failed, and one more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_is_made_from_a_snapshot_and_a_snapshot_is_measured() {
    let cloud = Cloud::start().await;
    let (_, _, data) = seed(&cloud);
    let snapshot = cloud.state.lock().zstack.take(&data, 1).remove(0);
    let connection = open(&cloud).await;
    let made = change(
        &connection,
        &on(OperationKind::Clone, &snapshot).text("name", "copy"),
        "t1",
    )
    .await;
    let shown = connection.reader.show(&made[0]).await.unwrap();
    let Object::Volume(shown) = shown else {
        panic!("{shown:?}")
    };
    assert_eq!(
        (shown.name.as_str(), &shown.state, shown.instance),
        ("copy", &VolumeState::Available, None)
    );
    let measure = on(OperationKind::UpdateSnapshot, &snapshot).with("measure", Value::Flag(true));
    let planned = plan(&connection, &measure).await;
    let writer = connection.writer.clone().unwrap();
    let outcome = writer
        .run(&planned, 0, context("t2", Vec::new()))
        .await
        .unwrap();
    assert_eq!(outcome.message, "it takes 700 MiB of 10 GiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn states_and_members_that_nobody_knows_are_shown() {
    let cloud = Cloud::start().await;
    let (vm, root, data) = seed(&cloud);
    let group = cloud.state.lock().zstack.group(&root, "friday");
    {
        let state = &mut cloud.state.lock().zstack;
        state.set(&data, "status", json!("Melting"));
        state.set(&data, "futureMember", json!({"a": [1, 2.5]}));
        state.set(&vm, "state", json!("Dreaming"));
        let first = state.snapshots[0]["uuid"].as_str().unwrap().to_owned();
        state.set(&first, "status", json!("Evaporating"));
        // A node that the account may not see.
        state
            .snapshots
            .push(json!({"uuid": "7ac8675cd8a9389ca343a2a7d49c47d7", "distance": 0}));
    }
    let connection = open(&cloud).await;
    let volumes = everything(&connection, Kind::Volume).await;
    let Some(Object::Volume(seen)) = volumes.iter().find(|one| one.id() == data) else {
        panic!()
    };
    assert_eq!(seen.state, VolumeState::Unknown("Melting".into()));
    let raw = connection
        .reader
        .raw(&ObjectRef::new(Kind::Volume, data))
        .await
        .unwrap();
    assert!(raw.text.contains("futureMember") && raw.text.contains("2.5"));
    let snapshots = everything(&connection, Kind::Snapshot).await;
    assert_eq!(snapshots.len(), 3);
    let odd = snapshots
        .iter()
        .any(|one| matches!(one, Object::Snapshot(s) if s.state.word() == "Evaporating"));
    assert!(odd, "{snapshots:?}");
    // A member that is gone leaves a tombstone.
    let last = cloud.state.lock().zstack.snapshots[1]["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    change(&connection, &on(OperationKind::DeleteSnapshot, &last), "t").await;
    let shown = connection
        .reader
        .show(&ObjectRef::new(Kind::Group, group))
        .await
        .unwrap();
    let Object::Group(shown) = shown else {
        panic!("{shown:?}")
    };
    assert_eq!(
        (shown.state, shown.members.len(), shown.taken),
        (GroupState::Incomplete, 1, 2)
    );
    assert!(shown.metadata["cannot be gone back to"].contains("deleted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_list_ends_in_a_clear_problem() {
    let elsewhere = Fault::Say(Answer::empty(302).with("Location", "http://127.0.0.2:9/steal"));
    let error = |code: &str| {
        let body = json!({"error": {"code": code, "details": "as it is", "cause": {"code": "DB.1", "details": "the root"}}});
        Fault::Say(Answer::new(503, body))
    };
    let cases = [
        (
            Fault::Say(Answer::html(200)),
            ProblemKind::System,
            "not JSON",
        ),
        (elsewhere, ProblemKind::Network, "127.0.0.2"),
        (error("ID.1002"), ProblemKind::Auth, "the root (DB.1)"),
        (error("SYS.1000"), ProblemKind::System, "SYS.1000"),
        (Fault::Say(Answer::html(503)), ProblemKind::Network, "503"),
        (Fault::Say(Answer::html(500)), ProblemKind::System, "500"),
        (Fault::Hang, ProblemKind::Network, "longer than"),
        (Fault::Drip, ProblemKind::Network, "longer than"),
        (Fault::Truncate, ProblemKind::Network, "broke off"),
        (Fault::Flood, ProblemKind::Network, "larger than"),
        (Fault::LoseCall, ProblemKind::Network, "broke off"),
        (
            Fault::Say(Answer::ok(json!({"schema": {}}))),
            ProblemKind::System,
            "inventories",
        ),
        (
            Fault::Say(Answer::ok(json!({"inventories": [{"name": "x"}]}))),
            ProblemKind::System,
            "missing field `uuid`",
        ),
    ];
    let each = cases.map(|(fault, kind, words)| async move {
        let cloud = Cloud::start().await;
        seed(&cloud);
        let connection = open(&cloud).await;
        cloud.befall("GET", "/v1/volumes", 100, fault.clone());
        let result = list_all(&*connection.reader, Query::all(Kind::Volume)).await;
        let problem = result.unwrap_err();
        assert_eq!(problem.kind, kind, "{fault:?}: {problem}");
        assert!(problem.to_string().contains(words), "{fault:?}: {problem}");
        // What the interface itself says is not asked for again.
        if words.contains("SYS.1000") {
            assert_eq!(cloud.heard("GET", "/v1/volumes").len(), 1);
        }
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changes_is_noticed() {
    let cloud = Cloud::start().await;
    let (_, _, data) = seed(&cloud);
    cloud.state.lock().zstack.take(&data, 2);
    let connection = open(&cloud).await;
    let mut changes = connection.reader.watch();
    let seen = async {
        let heard = tokio::time::timeout(Duration::from_secs(60), changes.next()).await;
        heard.unwrap().unwrap()
    };
    let take = async {
        while cloud.heard("GET", "/v1/volume-snapshots").is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        cloud.state.lock().zstack.take(&data, 1);
    };
    let (change, ()) = tokio::join!(seen, take);
    assert!(
        matches!(change, Change::Kind(Kind::Volume | Kind::Snapshot)),
        "{change:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_walks_to_where_it_ends() {
    let steps = [
        "name",
        "connection",
        "tls",
        "clock",
        "sign-in",
        "versions",
        "dates",
        "permissions",
        "volumes",
        "snapshots",
        "groups",
    ];
    let cloud = Cloud::start().await;
    seed(&cloud);
    for auth in [password(CLEAR), key()] {
        let mut found = Vec::new();
        zstack::examine(
            cloud.client(),
            cloud.zstack_account(auth),
            true,
            |finding| found.push(finding),
        )
        .await;
        let names: Vec<_> = found.iter().map(|finding| finding.step).collect();
        assert_eq!(names, steps, "{found:?}");
        assert!(found.iter().all(|finding| finding.problem.is_none()));
        assert!(
            found[5].told[0].contains("5.2.1") && found[6].told[0].contains("Asia/Shanghai"),
            "{found:?}"
        );
        assert!(found[8].told[0].starts_with("2 of 2 on the first page"));
        assert!(!format!("{found:?}").contains(KEY_SECRET));
    }
    let mut found = Vec::new();
    let wrong = cloud.zstack_account(password("wrong"));
    zstack::examine(cloud.client(), wrong, false, |finding| found.push(finding)).await;
    let last = found.last().unwrap();
    assert_eq!(last.step, "sign-in");
    assert!(!last.problem.as_ref().unwrap().hints.is_empty());
}

fn profile(cloud: &Cloud) -> String {
    format!(
        "[profiles.zs]\nprovider = \"zstack\"\nendpoint = \"{}\"\nuser = \"{ACCOUNT}\"\nsecret.env = \"LAB\"\n",
        cloud.zstack()
    )
}

async fn snapdeck(home: &Path, cloud: &Cloud, args: &[&str]) -> (i32, String, String) {
    drive::snapdeck(home, &profile(cloud), args).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_used_from_the_command_line() {
    let cloud = Cloud::start().await;
    seed(&cloud);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let take = [
        "--profile",
        "zs",
        "run",
        "create-group",
        "--name",
        "friday",
        "--volumes",
        "ROOT-for-web-01",
        "pgdata",
    ];
    let (code, out, err) = snapdeck(home, &cloud, &[&take[..], &["--plan"]].concat()).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("curl -sS -X POST") && out.contains("OAuth $SESSION"),
        "{out}"
    );
    assert!(cloud.heard("POST", "/zstack").is_empty());
    let (code, _, err) = snapdeck(home, &cloud, &take).await;
    assert_eq!(code, 0, "{err}");
    let (_, out, _) = snapdeck(
        home,
        &cloud,
        &["--profile", "zs", "get", "groups", "-o", "json"],
    )
    .await;
    let listed: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert_eq!(listed.len(), 1, "{out}");
    let back = [
        "--profile",
        "zs",
        "run",
        "restore-group",
        "--group",
        "friday",
        "--yes",
    ];
    let (code, _, err) = snapdeck(home, &cloud, &back).await;
    assert_eq!(code, 0, "{err}");
    let denied = [&["--read-only"], &take[..]].concat();
    let (code, _, err) = snapdeck(home, &cloud, &denied).await;
    assert_eq!(code, 4, "{err}");
    let state = cloud.state.lock();
    assert!(state.zstack.logins >= 4);
    assert!(
        state.zstack.sessions.is_empty(),
        "every program has signed out"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_added_listed_tried_and_examined() {
    let cloud = Cloud::start().await;
    seed(&cloud);
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let at = cloud.zstack();
    let add = [
        "profile",
        "add",
        "new",
        "--provider",
        "zstack",
        "--endpoint",
        &at,
        "--user",
        ACCOUNT,
        "--secret-env",
        "LAB",
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
    assert_eq!(of("name"), ["\"new\"", "\"zs\""]);
    assert_eq!(of("provider"), ["\"zstack\"", "\"zstack\""]);
    let (code, out, err) = snapdeck(home, &cloud, &["profile", "test", "new"]).await;
    assert_eq!(
        (code, out),
        (0, "new works: 2 volumes\n".to_owned()),
        "{err}"
    );
    let (code, out, err) = snapdeck(home, &cloud, &["doctor", "new"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("signed in as admin") && out.ends_with("everything works\n"),
        "{out}"
    );
    assert!(!out.contains(CLEAR));
    assert!(cloud.state.lock().zstack.sessions.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_words_stand_on_the_screen() {
    let cloud = Cloud::start().await;
    let (_, root, _) = seed(&cloud);
    {
        let state = &mut cloud.state.lock().zstack;
        state.group(&root, "thursday");
        state.group(&root, "friday");
    }
    let deck = support::Deck::new();
    let config = deck.path("config/snapdeck/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(config, profile(&cloud)).unwrap();
    let journey = tokio::task::spawn_blocking(move || {
        let mut t =
            pty::Terminal::start_with(&deck, &["--profile", "zs"], 120, 36, &[("LAB", CLEAR)]);
        t.sees("pgdata");
        t.send("\r");
        let tree = t.until("the tree with both snapshots", |s| {
            [
                "thursday-ROOT",
                "friday-ROOT",
                "you are here",
                "Descends from",
            ]
            .iter()
            .all(|part| s.contains(part))
        });
        t.send("a");
        let menu = t.sees("Revert a volume");
        t.send("\x1b");
        t.misses("Revert a volume");
        t.send("3");
        t.until("the groups", |s| {
            !s.contains("you are here")
                && ["thursday", "friday", "web-01"]
                    .iter()
                    .all(|part| s.contains(part))
        });
        t.send("a");
        let actions = t.sees("Revert a VM");
        assert!(actions.contains("Delete a snapshot group"), "{actions}");
        t.send("\x1b");
        t.misses("Revert a VM");
        t.send("q");
        if t.asks("Leave while") {
            t.answer("y");
        }
        assert_eq!(t.end().0, 0);
        (tree, menu)
    });
    let (tree, menu) = journey.await.unwrap();
    let place = |text: &str| tree.find(text).unwrap();
    assert!(
        place("thursday-ROOT") < place("friday-ROOT")
            && place("friday-ROOT") < place("you are here"),
        "{tree}"
    );
    assert!(menu.contains("Make a volume from a snapshot"), "{menu}");
    signs_out(&cloud).await;
}
