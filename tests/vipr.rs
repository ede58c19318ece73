//! The provider of ViPR against a stand-in for the system (`tests/cloud/`): the conformance suite in both dialects,
//! signing in, groups, preconditions, faults of every kind, unknown outcomes, tasks that fail and that wait.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod cloud;
#[path = "support/pty.rs"]
mod pty;
mod support;

use cloud::drive::{self, context, run};
use cloud::vipr::{Ends, PROJECT, said, wrong};
use cloud::{Answer, Cloud, Fault};
use serde_json::json;
use snapdeck::config::{Account, Auth, BodyFormat, Login, Named, Scope};
use snapdeck::model::{
    CopyMode, Kind, Object, ObjectRef, Operation, OperationKind, Problem, ProblemKind, Query,
    TaskId, Value,
};
use snapdeck::provider::{Connection, Fate, conformance, list_all, vipr};
use snapdeck::wire::vipr::Form;

async fn open(cloud: &Cloud) -> Connection {
    open_as(cloud, cloud.root(), BodyFormat::Xml).await.unwrap()
}

async fn open_as(
    cloud: &Cloud,
    account: Account,
    format: BodyFormat,
) -> Result<Connection, Problem> {
    vipr::open("test", cloud.client(), account, format, false).await
}

async fn all(connection: &Connection, kind: Kind) -> Vec<Object> {
    list_all(&*connection.reader, Query::all(kind))
        .await
        .unwrap()
}

async fn plan_fails(connection: &Connection, operation: &Operation) -> Problem {
    connection.reader.plan(operation).await.unwrap_err()
}

fn on(kind: OperationKind, what: Kind, id: &str) -> Operation {
    Operation::new(kind).with(what.one(), Value::Object(ObjectRef::new(what, id)))
}

fn take(name: &str, volumes: &[&str]) -> Operation {
    let volumes = volumes.iter().map(|id| ObjectRef::new(Kind::Volume, *id));
    Operation::new(OperationKind::CreateSession)
        .text("name", name)
        .text("count", "0")
        .with("volumes", Value::Objects(volumes.collect()))
}

fn with_targets(operation: Operation, count: &str, name: &str, mode: &str) -> Operation {
    let operation = operation.text("count", count).text("mode", mode);
    operation.text("target-name", name)
}

/// Runs an operation as one task.
async fn change(connection: &Connection, operation: &Operation, task: &str) -> Vec<ObjectRef> {
    let plan = connection.reader.plan(operation).await.unwrap();
    run(connection, &plan, task).await.unwrap()
}

fn of(made: &[ObjectRef], kind: Kind) -> Vec<String> {
    let fits = made.iter().filter(|object| object.kind == kind);
    fits.map(|object| object.id.clone()).collect()
}

fn seed(cloud: &Cloud, name: &str) -> String {
    cloud.state.lock().vipr.seed(name, None)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_in_both_dialects() {
    for format in [BodyFormat::Xml, BodyFormat::Json] {
        let cloud = Cloud::start().await;
        let connection = open_as(&cloud, cloud.root(), format).await.unwrap();
        let (run, violations) = conformance::check(&connection).await;
        assert_eq!(violations, [], "{format:?}");
        assert_eq!(run.len(), 10, "{run:?}");
        let state = cloud.state.lock();
        for kind in ["Volume", "BlockSnapshot", "BlockSnapshotSession"] {
            assert_eq!(state.vipr.alive(kind).len(), 0, "{kind} {format:?}");
        }
        assert_eq!(state.vipr.logins, 1);
        drop(state);
        let media = if format == BodyFormat::Xml {
            "application/xml"
        } else {
            "application/json"
        };
        let calls = cloud.heard("POST", "/protection/");
        assert!(
            calls
                .iter()
                .all(|call| call.header("content-type") == Some(media))
        );
        assert!(calls.len() > 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_while_tokens_run_out_and_answers_are_lost() {
    let cloud = Cloud::start().await;
    let connection = open(&cloud).await;
    cloud.state.lock().vipr.redirects = false;
    cloud.befall("POST", "/volumes/bulk", 1, Fault::Expire);
    cloud.befall("POST", "/deactivate", 1, Fault::Expire);
    cloud.befall("GET", "/search", 1, Fault::Expire);
    let busy = wrong(Form::Xml, 503, 6000, "unavailable").with("Retry-After", "1");
    cloud.befall("GET", "/search", 2, Fault::Say(busy));
    let storm = wrong(Form::Xml, 500, 7000, "internal");
    cloud.befall("POST", "/snapshots/bulk", 2, Fault::Say(storm));
    cloud.befall(
        "POST",
        "/protection/snapshot-sessions",
        1,
        Fault::LoseAnswer,
    );
    cloud.befall("POST", "/protection/snapshots", 1, Fault::LoseAnswer);
    cloud.befall("POST", "/restore", 1, Fault::LoseAnswer);
    cloud.befall("POST", "link-targets", 3, Fault::LoseAnswer);
    cloud.befall("POST", "/deactivate", 1, Fault::LoseAnswer);
    let (_, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    assert_eq!(cloud.state.lock().vipr.alive("Volume").len(), 0);
    assert_eq!(
        cloud.state.lock().vipr.logins,
        4,
        "each end of a token met one renewal"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signs_in_as_the_system_wants_it() {
    let cloud = Cloud::start().await;
    seed(&cloud, "db01");
    let connection = open(&cloud).await;
    let calls = cloud.heard("GET", "/login");
    let shown: Vec<bool> = calls
        .iter()
        .map(|call| call.header("authorization").is_some())
        .collect();
    assert_eq!(shown, [false, true], "first bare, then with the password");
    // A token that has run out is one whether the answer is 401 or sends one to sign in.
    for redirects in [true, false] {
        cloud.state.lock().vipr.redirects = redirects;
        cloud.state.lock().vipr.tokens.clear();
        assert_eq!(all(&connection, Kind::Volume).await.len(), 1);
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    }
    assert_eq!(cloud.state.lock().vipr.logins, 3);
    assert!(
        cloud
            .heard("GET", "/login")
            .iter()
            .all(|call| call.query("service").is_none())
    );
    // No secret is in the trace.
    let trace = connection.trace.as_ref().unwrap();
    let text = format!("{:?}", trace.since(0));
    assert!(!text.contains("SDS-1") && !text.contains("cm9vd"), "{text}");

    let login = |password: &str, proxy: Option<&str>| Account {
        auth: Auth::Login(Login {
            user: "root".into(),
            password: password.to_owned().into(),
            proxy: proxy.map(|proxy| proxy.to_owned().into()),
        }),
        ..cloud.root()
    };
    let failed = open_as(&cloud, login("wrong", None), BodyFormat::Xml)
        .await
        .err()
        .unwrap();
    assert_eq!(failed.kind, ProblemKind::Auth, "{failed}");
    let proxied = open_as(
        &cloud,
        login("correct horse", Some("pr0xy")),
        BodyFormat::Xml,
    )
    .await
    .unwrap();
    all(&proxied, Kind::Volume).await;
    let with = |name: &str| {
        cloud
            .heard("GET", "/search")
            .iter()
            .filter(|call| call.header(name) == Some("pr0xy"))
            .count()
    };
    assert!(with("x-sds-auth-proxy-token") > 0);
    let stale = Account {
        auth: Auth::Token("none".to_owned().into()),
        ..cloud.root()
    };
    let failed = open_as(&cloud, stale, BodyFormat::Xml).await.err().unwrap();
    assert!(failed.to_string().contains("no longer, taken"), "{failed}");

    // Who does not refuse a call without credentials is not shown a password.
    let before = cloud.heard("GET", "/login").len();
    cloud.befall("GET", "/login", 1, Fault::Say(Answer::html(200)));
    let failed = open_as(&cloud, cloud.root(), BodyFormat::Xml)
        .await
        .err()
        .unwrap();
    assert_eq!(failed.kind, ProblemKind::Config, "{failed}");
    assert_eq!(cloud.heard("GET", "/login").len(), before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_profile_has_nothing_to_change_with_and_one_project_is_enough() {
    let cloud = Cloud::start().await;
    seed(&cloud, "db01");
    let account = |name: &str| Account {
        scope: Scope::Project(Named {
            id: None,
            name: Some(name.to_owned()),
            domain_id: None,
            domain_name: None,
        }),
        ..cloud.root()
    };
    let connection = vipr::open(
        "test",
        cloud.client(),
        account("erp"),
        BodyFormat::Xml,
        true,
    )
    .await
    .unwrap();
    assert!(connection.writer.is_none());
    let (run, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    assert_eq!(run.len(), 3);
    let changing = cloud
        .heard("POST", "/")
        .into_iter()
        .filter(|call| !call.path.ends_with("/bulk"));
    assert_eq!(changing.count(), 0);
    let failed = vipr::open(
        "test",
        cloud.client(),
        account("crm"),
        BodyFormat::Xml,
        true,
    )
    .await
    .err()
    .unwrap();
    assert!(
        failed.hints.iter().any(|hint| hint.contains("erp")),
        "{failed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_group_is_one_of_each_replication_group() {
    let cloud = Cloud::start().await;
    let (a, group) = {
        let vipr = &mut cloud.state.lock().vipr;
        let group = vipr.seed_group("oracg");
        let a = vipr.seed("ora-a", Some((&group, "rg1")));
        vipr.seed("ora-b", Some((&group, "rg1")));
        vipr.seed("ora-c", Some((&group, "rg2")));
        (a, group)
    };
    let connection = open(&cloud).await;
    let operation = with_targets(take("cg1", &[&a]), "1", "t", "copy");
    let plan = connection.reader.plan(&operation).await.unwrap();
    assert!(plan.summary.contains("ora-a, ora-b"), "{}", plan.summary);
    assert!(
        plan.notes.iter().any(|note| note.contains("oracg")),
        "{:?}",
        plan.notes
    );
    let call = &plan.steps[0].call;
    assert!(
        call.contains("<volumes><volume>") && call.contains("<copy_mode>copy</copy_mode>"),
        "{call}"
    );
    assert!(
        call.contains("-H \"X-SDS-AUTH-TOKEN: $TOKEN\"") && call.contains("application/xml"),
        "{call}"
    );
    let made = run(&connection, &plan, "t1").await.unwrap();
    let (sessions, targets) = (of(&made, Kind::Session), of(&made, Kind::Target));
    assert_eq!((sessions.len(), targets.len()), (1, 2));
    let Object::Session(seen) = connection
        .reader
        .show(&ObjectRef::new(Kind::Session, &sessions[0]))
        .await
        .unwrap()
    else {
        panic!("no session")
    };
    let names: Vec<_> = seen
        .members
        .iter()
        .filter_map(|member| member.volume_name.clone())
        .collect();
    assert_eq!(names, ["ora-a", "ora-b"]);
    let Object::Target(target) = connection
        .reader
        .show(&ObjectRef::new(Kind::Target, &targets[0]))
        .await
        .unwrap()
    else {
        panic!("no target")
    };
    assert_eq!(
        (target.mode, target.session_name.as_deref()),
        (CopyMode::Copy, Some("cg1"))
    );

    // Restored with a guard, which is of the same part of the group, by the group's path.
    let back = on(OperationKind::RestoreSession, Kind::Session, &sessions[0])
        .with("guard", Value::Flag(true));
    let made = change(&connection, &back, "t2").await;
    assert_eq!(of(&made, Kind::Session).len(), 1);
    assert_eq!(cloud.state.lock().vipr.restored, sessions);
    let path = format!(
        "/consistency-groups/{group}/protection/snapshot-sessions/{}/restore",
        sessions[0]
    );
    assert!(cloud.heard("POST", "/restore")[0].path.ends_with(&path));

    // One target named, the set goes; its devices live on as volumes.
    let unlink = on(OperationKind::UnlinkTarget, Kind::Target, &targets[0])
        .with("delete", Value::Flag(false));
    let made = change(&connection, &unlink, "t3").await;
    assert_eq!(of(&made, Kind::Volume).len(), 1);
    assert_eq!(all(&connection, Kind::Target).await.len(), 0);
    assert_eq!(all(&connection, Kind::Volume).await.len(), 5);
    // Volumes of no common group cannot be taken together.
    let alone = seed(&cloud, "alone");
    let refused = plan_fails(&connection, &take("x", &[&a, &alone])).await;
    assert_eq!(refused.kind, ProblemKind::User, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_and_not_answered_is_found_and_not_done_twice() {
    let cloud = Cloud::start().await;
    let volume = seed(&cloud, "db01");
    let connection = open(&cloud).await;
    let plan = connection
        .reader
        .plan(&take("nightly", &[&volume]))
        .await
        .unwrap();
    cloud.befall("POST", "/snapshot-sessions", 1, Fault::LoseAnswer);
    // What only reads in bulk goes by POST as well.
    let made = run(&connection, &plan, "t1").await.unwrap();
    assert_eq!(made.len(), 1);
    assert_eq!(
        cloud.state.lock().vipr.alive("BlockSnapshotSession").len(),
        1
    );

    // Another program that takes the task up finds it as well; another task does not.
    let other = open(&cloud).await;
    let writer = other.writer.as_ref().unwrap();
    let fate = writer.fate(&plan, 0, &TaskId("t1".into())).await.unwrap();
    assert!(
        matches!(&fate, Fate::Done(outcome) if outcome.made == made),
        "{fate:?}"
    );
    let fate = writer.fate(&plan, 0, &TaskId("t2".into())).await.unwrap();
    assert_eq!(fate, Fate::NotDone, "it bears the mark of another");

    // Of a restore nothing is to be seen but its task.
    let back = on(OperationKind::RestoreSession, Kind::Session, &made[0].id)
        .with("guard", Value::Flag(false));
    let plan = connection.reader.plan(&back).await.unwrap();
    cloud.befall("POST", "/restore", 1, Fault::HoldAnswer);
    run(&connection, &plan, "t3").await.unwrap();
    assert_eq!(cloud.state.lock().vipr.restored.len(), 1, "restored once");
    let fate = writer.fate(&plan, 0, &TaskId("t3".into())).await.unwrap();
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    // Planned anew it is another restore, and the old task is no sign of it.
    let again = connection.reader.plan(&back).await.unwrap();
    assert!(!again.still_holds(&plan));
    let fate = writer.fate(&again, 0, &TaskId("t4".into())).await.unwrap();
    assert_eq!(fate, Fate::NotDone);
    run(&connection, &again, "t4").await.unwrap();
    assert_eq!(cloud.state.lock().vipr.restored.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_says_why_and_one_that_waits_goes_on_when_it_is_retried() {
    let cloud = Cloud::start().await;
    let volume = seed(&cloud, "db01");
    let connection = open(&cloud).await;
    cloud.state.lock().vipr.ends.push(("CREATE", Ends::Fails));
    let plan = connection
        .reader
        .plan(&take("s1", &[&volume]))
        .await
        .unwrap();
    let failed = run(&connection, &plan, "t1").await.unwrap_err();
    assert_eq!(failed.kind, ProblemKind::System);
    assert!(
        failed
            .to_string()
            .contains("The array refused it (error 12000 of the system)"),
        "{failed}"
    );
    // Retried under the same key it is done, once.
    let made = run(&connection, &plan, "t1").await.unwrap();
    assert_eq!(made.len(), 1);

    let back = on(OperationKind::RestoreSession, Kind::Session, &made[0].id)
        .with("guard", Value::Flag(false));
    for (allowed, word, restored) in [
        ("retry_rollback", "/resume", 1),
        ("rollback_only", "/rollback", 1),
    ] {
        cloud
            .state
            .lock()
            .vipr
            .ends
            .push(("RESTORE", Ends::Waits(allowed)));
        let plan = connection.reader.plan(&back).await.unwrap();
        let waits = run(&connection, &plan, word).await.unwrap_err();
        assert!(
            waits.to_string().contains("suspended")
                && waits.to_string().contains("The array was busy"),
            "{waits}"
        );
        assert!(
            waits.hints.iter().any(|hint| hint.contains("retry it")),
            "{waits:?}"
        );
        let sent = cloud.heard("POST", "/restore").len();
        // Another program that takes it up knows as much.
        let other = open(&cloud).await;
        let retried = run(&other, &plan, word).await;
        assert_eq!(retried.is_ok(), word == "/resume", "{retried:?}");
        assert_eq!(cloud.heard("POST", word).len(), 1);
        assert_eq!(
            cloud.heard("POST", "/restore").len(),
            sent,
            "the call itself is not sent again"
        );
        assert_eq!(cloud.state.lock().vipr.restored.len(), restored);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_precondition_is_told_before_anything_is_sent() {
    let cloud = Cloud::start().await;
    let (volume, other) = (seed(&cloud, "db01"), seed(&cloud, "db02"));
    let connection = open(&cloud).await;
    let made = change(
        &connection,
        &with_targets(take("s1", &[&volume]), "1", "t", "nocopy"),
        "t1",
    )
    .await;
    let (session, target) = (
        of(&made, Kind::Session).remove(0),
        of(&made, Kind::Target).remove(0),
    );
    let made = change(&connection, &take("o1", &[&other]), "t2").await;
    let others = of(&made, Kind::Session).remove(0);
    let said = |problem: Problem| format!("{problem} {}", problem.hints.join("; "));
    let long = "x".repeat(32);
    let drop = on(OperationKind::DeleteSession, Kind::Session, &session);
    let relink = on(OperationKind::RelinkTarget, Kind::Target, &target).with(
        "session",
        Value::Object(ObjectRef::new(Kind::Session, &others)),
    );
    let link = |count: &str, name: &str| {
        on(OperationKind::LinkTarget, Kind::Session, &session)
            .text("count", count)
            .text("name", name)
            .text("mode", "nocopy")
    };
    let snapshot = Operation::new(OperationKind::CreateSnapshot).on_volume(&volume.as_str().into());
    let gone = Operation::new(OperationKind::DeleteVolume).on_volume(&volume.as_str().into());
    let posts = cloud.heard("POST", "/protection/").len();
    for (operation, why) in [
        (take(&long, &[&volume]), "at most 31"),
        (
            take("x{datetime}-aaaaaaaaaaaaaaaa", &[&volume]),
            "33 characters",
        ),
        (take("...", &[&volume]), "no character"),
        (take("s 1", &[&volume]), "taken by the snapshot session s1"),
        (take("t-1", &[&volume]), "taken by the snapshot t-1"),
        (
            with_targets(take("s2", &[&volume]), "1", "t", "copy"),
            "taken by the snapshot t-1",
        ),
        (
            with_targets(take("s2", &[&volume]), "1024", "u", "copy"),
            "1024 at most",
        ),
        (
            with_targets(take("s2", &[&volume]), "-1", "u", "copy"),
            "no number of targets",
        ),
        (take("s2", &[&volume]).text("count", "2"), "need a name"),
        (drop, "1 target is linked to s1"),
        (relink, "of another source"),
        (link("0", "v"), "at least one target"),
        (link("1", "t"), "taken by the snapshot t-1"),
        (snapshot.clone().text("name", "s1"), "taken by"),
        (
            gone,
            "1 snapshot sessions, and 1 snapshots and linked targets",
        ),
    ] {
        let told = said(plan_fails(&connection, &operation).await);
        assert!(told.contains(why), "{why}: {told}");
    }
    let unlink =
        on(OperationKind::UnlinkTarget, Kind::Target, &target).with("delete", Value::Flag(true));
    let plan = connection.reader.plan(&unlink).await.unwrap();
    assert!(plan.is_destructive() && plan.confirm.as_deref() == Some("t-1"));
    cloud.state.lock().vipr.exported.insert(target.clone());
    let told = said(plan_fails(&connection, &unlink).await);
    assert!(told.contains("exported to db-hosts"), "{told}");
    cloud.state.lock().vipr.exported.insert(volume.clone());
    let back = on(OperationKind::RestoreSession, Kind::Session, &session)
        .with("guard", Value::Flag(false));
    let plan = connection.reader.plan(&back).await.unwrap();
    assert!(
        plan.notes
            .iter()
            .any(|note| note.contains("must be unmounted")),
        "{:?}",
        plan.notes
    );
    assert!(!plan.losses.is_empty() && plan.confirm.is_some());

    let edit =
        |key: &str, value: serde_json::Value| cloud.state.lock().vipr.set(&volume, key, value);
    for (most, why) in [(0, "set to keep none"), (1, "keeps 1 of a volume")] {
        cloud.state.lock().vipr.most = most;
        let told = said(plan_fails(&connection, &take("s2", &[&volume])).await);
        assert!(told.contains(why), "{why}: {told}");
    }
    cloud.state.lock().vipr.most = -1;
    connection
        .reader
        .plan(&take("s2", &[&volume]))
        .await
        .unwrap();
    edit(
        "protection",
        json!({"mirrors": {"native_mirrors": [{"id": "m"}]}}),
    );
    let told = said(plan_fails(&connection, &back).await);
    assert!(told.contains("continuous copies"), "{told}");
    edit("supports_snapshot_sessions", json!(false));
    edit("system_type", json!("vnxblock"));
    let told = said(plan_fails(&connection, &take("s2", &[&volume])).await);
    assert!(told.contains("vnxblock"), "{told}");
    edit("supports_snapshot_sessions", json!(true));

    // While a task is pending on it.
    {
        let vipr = &mut cloud.state.lock().vipr;
        (vipr.most, vipr.slow) = (100, 1_000);
    }
    let plan = connection
        .reader
        .plan(&take("s3", &[&volume]))
        .await
        .unwrap();
    let writer = connection.writer.clone().unwrap();
    let held = context("t9", Vec::new());
    let stop = held.cancel.clone();
    let running = tokio::spawn(async move { writer.run(&plan, 0, held).await });
    while cloud.state.lock().vipr.alive("BlockSnapshotSession").len() < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let told = said(plan_fails(&connection, &take("s4", &[&volume])).await);
    assert!(told.contains("under way on db01"), "{told}");
    let sessions = all(&connection, Kind::Session).await;
    let states: Vec<String> = sessions
        .iter()
        .filter_map(|object| match object {
            Object::Session(session) => Some(session.state.word().to_owned()),
            _ => None,
        })
        .collect();
    assert!(states.contains(&"creating".to_owned()), "{states:?}");
    stop.cancel();
    let stopped = running.await.unwrap().unwrap_err();
    assert!(
        stopped.to_string().contains("goes on with it by itself"),
        "{stopped}"
    );
    assert_eq!(cloud.heard("POST", "/protection/").len(), posts + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_ends_in_words() {
    let cloud = Cloud::start().await;
    seed(&cloud, "db01");
    let connection = open(&cloud).await;
    let xml = |body: &str| {
        let mut answer = said(Form::Xml, 200, "results", &json!({}));
        answer.body = body.to_owned();
        Fault::Say(answer)
    };
    let elsewhere = Fault::Say(Answer::empty(302).with("Location", "http://127.0.0.2:9/steal"));
    let deep = "<results>".repeat(5_000);
    let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><results>&b;</results>";
    for (fault, kind, word) in [
        (Fault::Hang, ProblemKind::Network, "took longer"),
        (Fault::Drip, ProblemKind::Network, "took longer"),
        (Fault::Truncate, ProblemKind::Network, "broke off"),
        (Fault::Flood, ProblemKind::Network, "larger than"),
        (Fault::LoseAnswer, ProblemKind::Network, "broke off"),
        (
            Fault::Say(Answer::html(200)),
            ProblemKind::System,
            "text/html",
        ),
        (Fault::Say(Answer::html(502)), ProblemKind::System, "502"),
        (elsewhere, ProblemKind::Network, "127.0.0.2:9"),
        (xml(&deep), ProblemKind::System, "elements deep"),
        (xml(bomb), ProblemKind::System, "document type"),
        (
            xml("<results><resource>"),
            ProblemKind::System,
            "ends within",
        ),
        (
            xml("<volumes/>"),
            ProblemKind::System,
            "its root is <volumes>",
        ),
        (xml("{}"), ProblemKind::System, "outside of its root"),
        (
            Fault::Say(wrong(Form::Json, 403, 3000, "no")),
            ProblemKind::Auth,
            "error 3000",
        ),
        (
            Fault::Say(wrong(Form::Xml, 500, 999, "odd")),
            ProblemKind::System,
            "error 999",
        ),
        (
            Fault::Say(wrong(Form::Xml, 503, 6503, "away")),
            ProblemKind::Network,
            "error 6503",
        ),
    ] {
        cloud.heal();
        cloud.befall("GET", "/volumes/search", 4, fault);
        let failed = list_all(&*connection.reader, Query::all(Kind::Volume))
            .await
            .unwrap_err();
        assert_eq!(failed.kind, kind, "{word}: {failed}");
        assert!(failed.to_string().contains(word), "{word}: {failed}");
    }
    cloud.heal();
    assert_eq!(
        all(&connection, Kind::Volume).await.len(),
        1,
        "none of it stays"
    );
    assert_eq!(
        cloud.state.lock().vipr.logins,
        1,
        "no fault was taken for the end of a token"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_known_is_shown_and_what_is_deleted_or_internal_is_not() {
    let cloud = Cloud::start().await;
    let volumes: Vec<String> = (0..1_200)
        .map(|n| seed(&cloud, &format!("v{n:04}")))
        .collect();
    let connection = open(&cloud).await;
    {
        let vipr = &mut cloud.state.lock().vipr;
        vipr.set(&volumes[0], "inactive", true.into());
        vipr.set(&volumes[1], "internal", true.into());
        vipr.set(&volumes[2], "access_state", "NOT_READY".into());
        vipr.set(&volumes[3], "shade", "mauve".into());
        vipr.set(
            &volumes[4],
            "protection",
            json!({"full_copies": {"volumes": [{"id": volumes[5]}]}}),
        );
    }
    let listed = all(&connection, Kind::Volume).await;
    assert_eq!(listed.len(), 1_198);
    let bulks = cloud.heard("POST", "/volumes/bulk").len();
    assert_eq!(bulks, 3, "five hundred at a time");
    let Object::Volume(second) = &listed[0] else {
        panic!("{:?}", listed[0])
    };
    assert_eq!(
        (second.name.as_str(), second.state.word()),
        ("v0002", "not ready")
    );
    assert_eq!(second.size.to_string(), "50 GiB");
    let Object::Volume(copied) = &listed[2] else {
        panic!("{:?}", listed[2])
    };
    assert_eq!(copied.metadata["full copies"], "v0005");
    let deleted = ObjectRef::new(Kind::Volume, &volumes[0]);
    let failed = connection.reader.show(&deleted).await.unwrap_err();
    assert_eq!(
        failed.kind,
        ProblemKind::NotFound,
        "its record is left, and it is gone"
    );
    let odd = ObjectRef::new(Kind::Volume, &volumes[3]);
    let raw = connection.reader.raw(&odd).await.unwrap();
    assert!(raw.text.contains("<shade>mauve</shade>"), "{}", raw.text);
    // An id of a session is none of a snapshot, though it begins as one.
    let session = volumes[9].replace(":Volume:", ":BlockSnapshotSession:");
    let failed = connection
        .reader
        .show(&ObjectRef::new(Kind::Snapshot, session))
        .await;
    assert_eq!(failed.unwrap_err().kind, ProblemKind::NotFound);
    assert_eq!(cloud.heard("GET", "/block/snapshots/urn").len(), 0);
}

fn profile(cloud: &Cloud) -> String {
    format!(
        "[profiles.array]\nprovider = \"vipr\"\nendpoint = \"{}\"\nuser = \"root\"\nsecret.env = \"LAB\"\nformat = \"json\"\n",
        cloud.vipr()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_knows_it() {
    let cloud = Cloud::start().await;
    seed(&cloud, "db01");
    let home = tempfile::tempdir().unwrap();
    let (home, config) = (home.path(), profile(&cloud));
    let address = cloud.vipr();
    let add = [
        "profile",
        "add",
        "new",
        "--provider",
        "vipr",
        "--endpoint",
        &address,
        "--user",
        "root",
        "--secret-env",
        "LAB",
    ];
    let (code, _, err) = drive::snapdeck(home, &config, &add).await;
    assert_eq!(code, 0, "{err}");
    let (_, out, _) = drive::snapdeck(home, &config, &["profile", "list"]).await;
    assert_eq!(out.matches("vipr").count(), 4, "{out}");
    for name in ["array", "new"] {
        let (code, out, err) = drive::snapdeck(home, &config, &["profile", "test", name]).await;
        assert_eq!(code, 0, "{out}{err}");
        let (code, out, err) = drive::snapdeck(home, &config, &["doctor", name]).await;
        assert_eq!(code, 0, "{out}{err}");
        assert!(
            out.contains("Provider Tenant") && out.contains("erp"),
            "{out}"
        );
        assert!(!out.contains("correct horse") && !err.contains("correct horse"));
    }
    let take = [
        "--profile",
        "array",
        "run",
        "create-session",
        "--name",
        "s1",
        "--volumes",
        "db01",
        "--plan",
    ];
    let (code, out, err) = drive::snapdeck(home, &config, &take).await;
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("curl -sS -X POST") && out.contains("{\"name\":\"s1\"}"),
        "{out}"
    );
    assert!(PROJECT.starts_with("urn:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_own_words_stand_on_the_screen() {
    let cloud = Cloud::start().await;
    let volume = seed(&cloud, "db01");
    let connection = open(&cloud).await;
    change(
        &connection,
        &with_targets(take("nightly", &[&volume]), "2", "show", "nocopy"),
        "t1",
    )
    .await;
    let deck = support::Deck::new();
    let config = deck.path("config/snapdeck/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(config, profile(&cloud)).unwrap();
    let journey = tokio::task::spawn_blocking(move || {
        let args = ["--profile", "array"];
        let mut t = pty::Terminal::start_with(&deck, &args, 120, 36, &[("LAB", "correct horse")]);
        t.sees("db01");
        t.send(":sessions\r");
        let screen = t.sees("show-2");
        assert!(
            screen.contains("nightly") && screen.contains("2 targets") && screen.contains("nocopy"),
            "{screen}"
        );
        t.send("gga");
        let menu = t.sees("Restore a snapshot session");
        assert!(menu.contains("Link targets"), "{menu}");
        t.send("\x1b");
        t.misses("Link targets");
        t.send("q");
        t.end().0
    });
    assert_eq!(journey.await.unwrap(), 0);
}
