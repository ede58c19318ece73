//! The provider of PowerVC against a stand-in (`tests/cloud/`): the conformance suite, restores that fail in mid-way and are retried
//! or rolled back, unknown outcomes, links to other hosts, faults of every kind, and what is odd about the documentation.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod cloud;
#[path = "support/pty.rs"]
mod pty;
mod support;

use std::sync::Arc;

use cloud::{Answer, Cloud, Fault};
use parking_lot::Mutex;
use serde_json::json;
use snapdeck::model::{
    Group, GroupState, Kind, Object, ObjectRef, Operation, OperationKind, PartState, Plan, Problem,
    ProblemKind, Query, StepOutcome, TaskId, Undo, Value,
};
use snapdeck::provider::{Connection, Fate, StepContext, Told, conformance, list_all, powervc};
use tokio_util::sync::CancellationToken;

async fn open(cloud: &Cloud) -> Connection {
    powervc::open("test", cloud.client(), cloud.account(), false)
        .await
        .unwrap()
}

/// What a step tells while it runs.
type Heard = Arc<Mutex<Vec<Told>>>;

fn context(task: &str, before: Vec<StepOutcome>, heard: &Heard) -> StepContext {
    let heard = heard.clone();
    StepContext {
        task: TaskId(task.to_owned()),
        before,
        progress: Arc::new(move |told| heard.lock().push(told)),
        cancel: CancellationToken::new(),
        detach: CancellationToken::new(),
    }
}

/// Runs a plan to its end; what was told, and what was made.
async fn run_heard(
    connection: &Connection,
    plan: &Plan,
    task: &str,
) -> (Vec<Told>, Result<Vec<ObjectRef>, Problem>) {
    let heard = Heard::default();
    let mut before = Vec::new();
    let mut result = Ok(());
    for step in 0..plan.steps.len() {
        let writer = connection.writer.as_ref().unwrap();
        match writer
            .run(plan, step, context(task, before.clone(), &heard))
            .await
        {
            Ok(outcome) => before.push(outcome),
            Err(problem) => {
                result = Err(problem);
                break;
            }
        }
    }
    let made = before
        .into_iter()
        .flat_map(|outcome: StepOutcome| outcome.made);
    let made: Vec<ObjectRef> = made.collect();
    let told = heard.lock().clone();
    (told, result.map(|()| made))
}

async fn run(connection: &Connection, plan: &Plan, task: &str) -> Result<Vec<ObjectRef>, Problem> {
    run_heard(connection, plan, task).await.1
}

fn on(kind: OperationKind, group: &str) -> Operation {
    Operation::new(kind).with("group", Value::Object(ObjectRef::new(Kind::Group, group)))
}

fn take(name: &str, machine: &str) -> Operation {
    Operation::new(OperationKind::CreateGroup)
        .text("name", name)
        .text("instance", machine)
}

fn restore(group: &str) -> Operation {
    on(OperationKind::RestoreGroup, group)
        .with("guard", Value::Flag(false))
        .with("force", Value::Flag(false))
}

/// A machine `db01` with three volumes, and an instance snapshot `before` of what they held then; now they hold `newer`.
async fn estate(cloud: &Cloud) -> (Connection, Vec<String>, String) {
    let volumes = cloud.machine("db01", &["root", "data", "log"]);
    let connection = open(cloud).await;
    let plan = connection
        .reader
        .plan(&take("before", "db01"))
        .await
        .unwrap();
    run(&connection, &plan, "taking").await.unwrap();
    let mut state = cloud.state.lock();
    for volume in &volumes {
        state
            .power
            .content
            .insert(volume.clone(), "newer".to_owned());
    }
    let group = state.power.find("before");
    drop(state);
    (connection, volumes, group)
}

async fn group(connection: &Connection, id: &str) -> Group {
    let object = ObjectRef::new(Kind::Group, id);
    match connection.reader.show(&object).await.unwrap() {
        Object::Group(group) => group,
        other => panic!("{other:?}"),
    }
}

impl Cloud {
    /// A machine that is shut off, with volumes of these names.
    fn machine(&self, name: &str, volumes: &[&str]) -> Vec<String> {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.power.seed(&mut state.cinder, name, volumes)
    }

    /// What the volumes hold.
    fn held(&self, volumes: &[String]) -> Vec<String> {
        let state = self.state.lock();
        volumes
            .iter()
            .map(|id| state.power.content[id].clone())
            .collect()
    }

    /// The bodies of restores that were sent.
    fn restores(&self) -> Vec<serde_json::Value> {
        let calls = self.heard("POST", "/servers/").into_iter();
        let bodies = calls.map(|call| call.body["vm-restore"].clone());
        bodies.filter(serde_json::Value::is_object).collect()
    }

    fn mapping(&self, volume: &str, name: &str, status: &str) {
        let (source, target) = (&volume[..8], "snapshot-before-00000000");
        let mapping = json!({"status": status, "name": name, "progress": "42", "restore_progress": null,
            "source_vdisk_name": format!("volume-data-{source}"), "target_vdisk_name": target,
            "incremental": "off", "copyrate": null, "restoring": "no", "clean_progress": "9"});
        let mut state = self.state.lock();
        state
            .power
            .mappings
            .insert(volume.to_owned(), vec![mapping]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms() {
    for odd in [false, true] {
        let cloud = Cloud::start().await;
        cloud.state.lock().power.odd = odd;
        let lent = cloud.machine("conformance", &["one", "two"]);
        let (connection, volumes, kept) = estate(&cloud).await;
        cloud.mapping(&volumes[1], "fcmap31", "idle_or_copied");
        let (run, violations) = conformance::check(&connection).await;
        assert_eq!(violations, [], "odd: {odd}");
        assert_eq!(run.len(), 11, "{run:?}");
        assert!(run.contains(&"instance snapshots"));
        // Nothing is left but what was there.
        let state = cloud.state.lock();
        assert_eq!(state.cinder.count("volumes"), lent.len() + volumes.len());
        assert_eq!(state.cinder.count("snapshots"), volumes.len());
        assert_eq!((state.power.count(), state.power.find("before")), (1, kept));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms_while_tokens_run_out_and_the_service_is_busy() {
    let cloud = Cloud::start().await;
    cloud.machine("conformance", &["one", "two"]);
    let connection = open(&cloud).await;
    let busy = Answer::fault(429, "overLimit", "slow down").with("Retry-After", "1");
    let storm = Answer::fault(500, "computeFault", "The server has either erred");
    cloud.befall("POST", "/servers/", 1, Fault::Expire);
    cloud.befall("POST", "/servers/", 1, Fault::Say(busy));
    cloud.befall("POST", "/servers/", 2, Fault::LoseAnswer);
    cloud.befall("GET", "/instance-snapshots", 2, Fault::Say(storm.clone()));
    cloud.befall("GET", "/get_progress", 2, Fault::Say(storm));
    cloud.befall("GET", "/get_progress", 1, Fault::Truncate);
    cloud.befall("GET", "/get_progress", 1, Fault::Say(Answer::html(200)));
    cloud.befall("PUT", "/instance-snapshots", 1, Fault::LoseAnswer);
    cloud.befall("DELETE", "/instance-snapshots", 1, Fault::LoseAnswer);
    let (_, violations) = conformance::check(&connection).await;
    assert_eq!(violations, []);
    assert_eq!(cloud.state.lock().power.count(), 0);
    assert_eq!(cloud.sign_ins(), 2, "the end of a token was met once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_profile_has_nothing_to_change_with() {
    let cloud = Cloud::start().await;
    let (_, volumes, _) = estate(&cloud).await;
    cloud.mapping(&volumes[0], "fcmap1", "copying");
    let before = cloud.heard("POST", "/servers/").len();
    let connection = powervc::open("test", cloud.client(), cloud.account(), true)
        .await
        .unwrap();
    assert!(connection.writer.is_none());
    let (run, violations) = conformance::check(&connection).await;
    assert_eq!((violations, run.len()), (Vec::new(), 3));
    assert_eq!(cloud.heard("POST", "/servers/").len(), before);
    // Mappings are asked for by a POST that changes nothing.
    let asked = cloud.heard("POST", "/volume/");
    assert!(
        asked
            .iter()
            .all(|call| call.body["copy-progress"].is_object())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_flow_are_told_while_it_runs() {
    let cloud = Cloud::start().await;
    cloud.machine("db01", &["root", "data"]);
    let connection = open(&cloud).await;
    let plan = connection.reader.plan(&take("n", "db01")).await.unwrap();
    assert!(
        plan.steps[0].call.contains("\"vm-snapshot\"") && plan.steps[0].call.contains("$TOKEN"),
        "{}",
        plan.steps[0].call
    );
    assert!(
        !plan.steps[0].call.contains("\"volumes\""),
        "all are left to PowerVC"
    );
    let (told, made) = run_heard(&connection, &plan, "t").await;
    let made = made.unwrap();
    assert_eq!((made[0].kind, made.len()), (Kind::Group, 3));
    let parts = |told: &Told| match told {
        Told::Parts(parts) => Some(parts.clone()),
        _ => None,
    };
    let parts: Vec<_> = told.iter().filter_map(parts).collect();
    let first = parts.first().unwrap();
    assert_eq!(
        (first[0].name.as_str(), first[0].state),
        ("InstSnapshotFlow", PartState::Running)
    );
    let last = parts.last().unwrap();
    assert!(last.iter().all(|part| part.said == "SUCCESS"), "{last:?}");
    assert!(
        last.iter()
            .any(|part| part.name.ends_with("snapshots.CreateSnapshot"))
    );
    // Links were followed as they stand: the host's own paths, not those below the address of the catalog.
    let polled = cloud.heard("GET", "/get_progress");
    assert!(
        !polled.is_empty()
            && polled
                .iter()
                .all(|call| call.query("action") == Some("snapshot"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_fails_in_mid_way_says_what_failed_and_is_retried() {
    let cloud = Cloud::start().await;
    let (connection, volumes, id) = estate(&cloud).await;
    let second = volumes
        .iter()
        .min_by_key(|id| (*id != &volumes[1], *id))
        .unwrap();
    cloud.state.lock().power.stubborn.insert(second.clone(), 2);
    let plan = connection.reader.plan(&restore(&id)).await.unwrap();
    assert!(plan.is_destructive() && plan.confirm.is_some());
    let (told, result) = run_heard(&connection, &plan, "t1").await;
    let problem = result.unwrap_err();
    let text = format!("{problem} {problem:?}");
    for words in [
        "1 of 3 volumes",
        "data",
        "restore-error",
        "RevertVolume-",
        "FAILURE",
        "retry it, or roll back",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(told.iter().any(|told| matches!(told, Told::Parts(parts) if parts.iter().any(|p| p.state == PartState::Failed))));
    assert_eq!(cloud.held(&volumes), ["new", "newer", "new"]);

    // It is shown: what failed, and what is kept of before.
    let seen = group(&connection, &id).await;
    assert_eq!(seen.state, GroupState::RestoreError);
    let failed: Vec<_> = seen.members.iter().filter(|m| m.failed).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].volume.as_str(), second);
    assert!(seen.members.iter().all(|member| member.safety.is_some()));

    // It is not restored once more as if nothing had been.
    let refused = connection.reader.plan(&restore(&id)).await.unwrap_err();
    assert_eq!(refused.kind, ProblemKind::Conflict);
    assert!(
        format!("{refused:?}").contains("retry-restore"),
        "{refused:?}"
    );

    // The task is retried: PowerVC is told to try what failed, and fails again; then it does not.
    let problem = run(&connection, &plan, "t1").await.unwrap_err();
    assert!(problem.to_string().contains("1 of 3"), "{problem}");
    let retry = on(OperationKind::RetryRestore, &id).with("force", Value::Flag(true));
    let again = connection.reader.plan(&retry).await.unwrap();
    assert!(again.summary.contains("data"), "{}", again.summary);
    assert!(
        again.steps[0].call.contains("\"retry\":true"),
        "{}",
        again.steps[0].call
    );
    run(&connection, &again, "t2").await.unwrap();
    assert_eq!(cloud.held(&volumes), ["new", "new", "new"]);
    let sent = cloud.restores();
    let retries: Vec<_> = sent.iter().map(|body| body["retry"] == true).collect();
    assert_eq!(retries, [false, true, true]);
    assert_eq!(sent[2]["force"], true);
    let seen = group(&connection, &id).await;
    assert_eq!(seen.state, GroupState::Available);
    assert!(seen.members.iter().all(|m| !m.failed && m.safety.is_none()));
    // Run once more with the same key, nothing is sent.
    run(&connection, &again, "t2").await.unwrap();
    assert_eq!(cloud.restores().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_failed_is_rolled_back_whole() {
    for odd in [false, true] {
        let cloud = Cloud::start().await;
        cloud.state.lock().power.odd = odd;
        let (connection, volumes, id) = estate(&cloud).await;
        cloud
            .state
            .lock()
            .power
            .stubborn
            .insert(volumes[1].clone(), 1);
        let plan = connection.reader.plan(&restore(&id)).await.unwrap();
        run(&connection, &plan, "t1").await.unwrap_err();
        assert_eq!(cloud.held(&volumes), ["new", "newer", "new"]);
        let back = on(OperationKind::RollBackRestore, &id).with("force", Value::Flag(false));
        let back = connection.reader.plan(&back).await.unwrap();
        assert!(back.steps[0].call.contains("\"rollback\":true"));
        let Undo::By {
            operation: Some(undo),
            ..
        } = &back.undo
        else {
            panic!("{:?}", back.undo)
        };
        assert_eq!(undo.kind, OperationKind::RestoreGroup);
        run(&connection, &back, "t2").await.unwrap();
        assert_eq!(
            cloud.held(&volumes),
            ["newer"; 3],
            "all of them, not only what failed"
        );
        assert_eq!(cloud.state.lock().power.status("before"), "available");
        // Safety snapshots are gone; those of the instance snapshot are not.
        assert_eq!(cloud.state.lock().cinder.count("snapshots"), 3);
        let fate = connection.writer.as_ref().unwrap();
        let fate = fate.fate(&back, 0, &TaskId("t2".into())).await.unwrap();
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_is_taken_first_and_restored_from() {
    let cloud = Cloud::start().await;
    let (connection, volumes, id) = estate(&cloud).await;
    let guarded = restore(&id).with("guard", Value::Flag(true));
    let plan = connection.reader.plan(&guarded).await.unwrap();
    assert_eq!(plan.steps.len(), 2);
    assert!(!plan.is_destructive() && plan.confirm.is_none());
    let made = run(&connection, &plan, "t").await.unwrap();
    assert_eq!(cloud.held(&volumes), ["new"; 3]);
    let guard = group(&connection, &made[0].id).await;
    assert!(
        guard.guard && guard.name == "guard before before",
        "{guard:?}"
    );
    assert!(
        !guard.description.contains("snapdeck"),
        "{}",
        guard.description
    );
    let plan = connection.reader.plan(&restore(&guard.id.0)).await.unwrap();
    run(&connection, &plan, "back").await.unwrap();
    assert_eq!(cloud.held(&volumes), ["newer"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_and_not_answered_is_found_and_not_done_twice() {
    let cloud = Cloud::start().await;
    let (connection, volumes, id) = estate(&cloud).await;
    let plan = connection
        .reader
        .plan(&take("second", "db01"))
        .await
        .unwrap();
    cloud.befall("POST", "/servers/", 1, Fault::LoseAnswer);
    let (told, made) = run_heard(&connection, &plan, "t1").await;
    let made = made.unwrap();
    // It is said while it is looked for, and that it was found.
    let lost = told.iter().position(|told| *told == Told::Lost).unwrap();
    let found = told.iter().position(|told| *told == Told::Found).unwrap();
    assert!(lost < found);
    assert_eq!(cloud.state.lock().power.count(), 2);
    let other = open(&cloud).await;
    let writer = other.writer.as_ref().unwrap();
    let Fate::Done(outcome) = writer.fate(&plan, 0, &TaskId("t1".into())).await.unwrap() else {
        panic!("it was done")
    };
    assert_eq!(outcome.made, made);
    let fate = writer.fate(&plan, 0, &TaskId("t9".into())).await.unwrap();
    assert_eq!(fate, Fate::NotDone);

    let plan = connection.reader.plan(&restore(&id)).await.unwrap();
    cloud.befall("POST", "/servers/", 1, Fault::LoseAnswer);
    let fate = writer.fate(&plan, 0, &TaskId("t2".into())).await.unwrap();
    assert_eq!(fate, Fate::NotDone);
    run(&connection, &plan, "t2").await.unwrap();
    assert_eq!(
        (cloud.restores().len(), cloud.held(&volumes)),
        (1, vec!["new".to_owned(); 3])
    );
    let fate = writer.fate(&plan, 0, &TaskId("t2".into())).await.unwrap();
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");

    cloud.befall("POST", "/servers/", 1, Fault::LoseCall);
    let plan = connection.reader.plan(&restore(&id)).await.unwrap();
    let problem = run(&connection, &plan, "t3").await.unwrap_err();
    assert!(
        problem.to_string().contains("nothing of it is there"),
        "{problem}"
    );
    assert_eq!(cloud.restores().len(), 2, "not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_after_a_restart_is_followed_and_not_tried_again_unasked() {
    let cloud = Cloud::start().await;
    let (connection, volumes, id) = estate(&cloud).await;
    cloud
        .state
        .lock()
        .power
        .stubborn
        .insert(volumes[1].clone(), 1);
    let plan = connection.reader.plan(&restore(&id)).await.unwrap();
    let heard = Heard::default();
    let context = context("t1", Vec::new(), &heard);
    let (writer, detach) = (connection.writer.clone().unwrap(), context.detach.clone());
    let stop = async {
        while cloud.restores().is_empty() {
            tokio::task::yield_now().await;
        }
        detach.cancel();
    };
    let (result, ()) = tokio::join!(writer.run(&plan, 0, context), stop);
    assert!(result.is_err());
    let other = open(&cloud).await;
    let writer = other.writer.as_ref().unwrap();
    let fate = writer.fate(&plan, 0, &TaskId("t1".into())).await.unwrap();
    assert_eq!(fate, Fate::Running);
    // By the time that it is looked at again it has failed.
    while cloud.state.lock().power.status("before") != "restore-error" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        group(&other, &id).await;
    }
    let problem = run(&other, &plan, "t1").await.unwrap_err();
    assert!(problem.to_string().contains("1 of 3"), "{problem}");
    assert_eq!(cloud.restores().len(), 1);
    // Somebody asks for it.
    run(&other, &plan, "t1").await.unwrap();
    assert_eq!(cloud.restores()[1]["retry"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_follows_a_link_to_another_host() {
    let cloud = Cloud::start().await;
    let thief = Cloud::start().await;
    let elsewhere = thief.endpoint().replace("/identity/v3", "");
    cloud.state.lock().power.elsewhere = Some(elsewhere);
    cloud.machine("db01", &["root"]);
    let connection = open(&cloud).await;
    let plan = connection.reader.plan(&take("n", "db01")).await.unwrap();
    let (told, made) = run_heard(&connection, &plan, "t").await;
    made.unwrap();
    assert!(
        told.iter().any(|told| matches!(told, Told::Parts(_))),
        "it is asked for at home"
    );
    assert!(!cloud.heard("GET", "/get_progress").is_empty());
    assert!(thief.heard("GET", "").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_against_it_is_said_before_anything_is_sent() {
    let cloud = Cloud::start().await;
    let (connection, volumes, id) = estate(&cloud).await;
    let plan = |operation: Operation| {
        let reader = connection.reader.clone();
        async move { reader.plan(&operation).await }
    };
    let refused = async |operation: Operation, words: &str| {
        let problem = plan(operation).await.unwrap_err();
        assert_eq!(problem.kind, ProblemKind::Conflict, "{words}: {problem:?}");
        assert!(
            format!("{problem:?}").contains(words),
            "{words}: {problem:?}"
        );
    };
    let set_machine = |state: &str| {
        let mut locked = cloud.state.lock();
        locked.power.set_machine("db01", "status", json!(state));
    };
    let set = |volume: &str, member: &str, value: serde_json::Value| {
        cloud.state.lock().cinder.set(volume, member, value);
    };
    set_machine("ACTIVE");
    refused(restore(&id), "db01 is ACTIVE, and must be shut off").await;
    let forced = || restore(&id).with("force", Value::Flag(true));
    let allowed = plan(forced()).await.unwrap();
    assert!(allowed.steps[0].call.contains("\"force\":true"));
    assert!(
        allowed
            .notes
            .iter()
            .any(|note| note.contains("you warrant"))
    );
    set(&volumes[0], "metadata", json!({"is_boot_volume": "True"}));
    refused(forced(), "root is the disk that it starts from").await;
    set_machine("SHUTOFF");
    assert!(plan(restore(&id)).await.is_ok());

    cloud.mapping(&volumes[2], "fcmap7", "copying");
    refused(restore(&id), "fcmap7 is copying, 42 %").await;
    cloud.mapping(&volumes[2], "fcmap7", "idle_or_copied");
    set(&volumes[1], "status", json!("error"));
    refused(restore(&id), "data is error").await;
    refused(take("n", "db01"), "data is error").await;
    set(&volumes[1], "status", json!("in-use"));
    refused(
        on(OperationKind::RetryRestore, &id),
        "is for a restore that failed",
    )
    .await;
    refused(
        on(OperationKind::RollBackRestore, &id),
        "is for a restore that failed",
    )
    .await;

    let of = |volume: &str| Operation::new(OperationKind::DeleteVolume).on_volume(&volume.into());
    refused(of(&volumes[0]), "is in the instance snapshot before").await;
    let alone = cloud.state.lock().cinder.seed("alone", 0);
    let volumes_of = |ids: [&String; 2]| {
        let all = ids.map(|id| ObjectRef::new(Kind::Volume, id.clone()));
        Operation::new(OperationKind::CreateGroup)
            .text("name", "n")
            .with("volumes", Value::Objects(all.to_vec()))
    };
    refused(
        volumes_of([&volumes[0], &alone]),
        "alone is not attached to db01",
    )
    .await;
    refused(volumes_of([&alone, &volumes[0]]), "attached to no machine").await;
    let nothing = Operation::new(OperationKind::CreateGroup).text("name", "n");
    let problem = plan(nothing).await.unwrap_err();
    assert_eq!(
        (problem.kind, problem.what.as_str()),
        (ProblemKind::User, "of which machine?")
    );
    let problem = plan(take("n", "db99")).await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::NotFound);
    cloud.machine("db01", &["other"]);
    refused(take("n", "db01"), "is the name of 2 machines").await;
    assert!(cloud.restores().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_powervc_refuses_keeps_its_words() {
    let cloud = Cloud::start().await;
    let (connection, _, id) = estate(&cloud).await;
    let plan = connection.reader.plan(&restore(&id)).await.unwrap();
    cloud
        .state
        .lock()
        .power
        .set_machine("db01", "status", json!("ACTIVE"));
    let problem = run(&connection, &plan, "t1").await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Conflict, "{problem}");
    assert!(
        problem.to_string().contains("must be shut off"),
        "{problem}"
    );
    assert_eq!(problem.request_id.as_deref(), Some("req-of-the-cloud"));
    let denied = Answer::fault(403, "forbidden", "Policy doesn't allow it.");
    cloud.befall("POST", "/servers/", 1, Fault::Say(denied));
    let problem = run(&connection, &plan, "t2").await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Auth, "{problem}");
    let take = connection
        .reader
        .plan(&take("doomed", "db01"))
        .await
        .unwrap();
    cloud.state.lock().power.fails = true;
    let problem = run(&connection, &take, "t3").await.unwrap_err();
    let text = format!("{problem:?}");
    assert!(
        text.contains("PowerVC says error") && text.contains("creating_snapshot: FAILURE"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_shown_and_a_storage_without_them_is_not_asked_again() {
    let cloud = Cloud::start().await;
    let (connection, volumes, _) = estate(&cloud).await;
    let list = || async {
        list_all(&*connection.reader, Query::all(Kind::Target))
            .await
            .unwrap()
    };
    assert!(list().await.is_empty());
    let asked = cloud.heard("POST", "/volumes/").len();
    assert_eq!(asked, 3, "each volume that has a snapshot");
    assert!(list().await.is_empty());
    assert_eq!(cloud.heard("POST", "/volumes/").len(), asked);

    let other = open(&cloud).await;
    cloud.mapping(&volumes[1], "fcmap31", "copying");
    let all = list_all(&*other.reader, Query::all(Kind::Target))
        .await
        .unwrap();
    let [Object::Target(seen)] = all.as_slice() else {
        panic!("{all:?}")
    };
    assert_eq!(
        (seen.name.as_str(), seen.state.word()),
        ("fcmap31", "copying")
    );
    assert_eq!(seen.source_name.as_deref(), Some("data"));
    assert_eq!(
        seen.session_name.as_deref(),
        Some("snapshot-before-00000000")
    );
    let part = seen.copy.and_then(|copy| copy.fraction()).unwrap();
    assert!((0.41..0.43).contains(&part), "{part}");
    assert_eq!(
        seen.metadata["clean_progress"], "9",
        "what is not documented is kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_list_ends_in_a_clear_problem() {
    let html = Fault::Say(Answer::html(200));
    let elsewhere = Fault::Say(Answer::empty(302).with("Location", "http://127.0.0.2:9/steal"));
    let denied = Fault::Say(Answer::fault(403, "forbidden", "Policy doesn't allow it."));
    let storm = Fault::Say(Answer::fault(500, "computeFault", "erred"));
    let odd = Fault::Say(Answer::ok(json!({"instance_snapshots": [{"id": "x"}]})));
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
        (odd, ProblemKind::System, "missing field `status`"),
    ];
    let each = cases.map(|(fault, kind, words)| async move {
        let cloud = Cloud::start().await;
        let connection = open(&cloud).await;
        cloud.befall("GET", "/instance-snapshots", 100, fault.clone());
        let result = list_all(&*connection.reader, Query::all(Kind::Group)).await;
        let problem = result.unwrap_err();
        assert_eq!(problem.kind, kind, "{fault:?}: {problem}");
        assert!(problem.to_string().contains(words), "{fault:?}: {problem}");
        // What snapshots belong to is then not known; they are shown all the same.
        let snapshots = list_all(&*connection.reader, Query::all(Kind::Snapshot)).await;
        assert!(snapshots.is_ok(), "{fault:?}");
        let told = format!("{:?}", connection.trace.unwrap().since(0));
        assert!(!told.contains("correct horse") && !told.contains("TOKEN-1"));
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_progress_that_is_not_told_or_makes_no_sense_leaves_it_to_the_status() {
    let with_body = Answer {
        status: 204,
        ..Answer::ok(json!({"details": {"progress": 100}}))
    };
    let faults = [
        Fault::Say(with_body),
        Fault::Say(Answer::empty(204)),
        Fault::Say(Answer::html(200)),
        Fault::Say(Answer::fault(
            404,
            "itemNotFound",
            "Task could not be found.",
        )),
        Fault::Say(Answer::ok(
            json!({"details": {"progress": "soon", "flow_details": null}}),
        )),
        Fault::Say(Answer::empty(302).with("Location", "http://127.0.0.2:9/steal")),
        Fault::Truncate,
        Fault::Hang,
        Fault::Drip,
    ];
    let each = faults.map(|fault| async move {
        let cloud = Cloud::start().await;
        let volumes = cloud.machine("db01", &["root"]);
        let connection = open(&cloud).await;
        cloud.befall("GET", "/get_progress", 4, fault.clone());
        let plan = connection.reader.plan(&take("n", "db01")).await.unwrap();
        let made = run(&connection, &plan, "t").await;
        let made = made.unwrap_or_else(|problem| panic!("{fault:?}: {problem}"));
        assert_eq!(made.len(), 1 + volumes.len(), "{fault:?}");
    });
    futures_util::future::join_all(each).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_walks_to_where_it_ends() {
    let cloud = Cloud::start().await;
    cloud.machine("db01", &["root"]);
    let walk = || async {
        let mut steps = Vec::new();
        powervc::examine(cloud.client(), cloud.account(), false, |finding| {
            steps.push(finding);
        })
        .await;
        steps
    };
    let steps = walk().await;
    let names: Vec<_> = steps.iter().map(|finding| finding.step).collect();
    assert_eq!(
        names[4..],
        [
            "sign-in",
            "catalog",
            "versions",
            "permissions",
            "volumes",
            "snapshots",
            "groups",
            "targets",
            "machines"
        ]
    );
    assert!(
        steps.iter().all(|finding| finding.problem.is_none()),
        "{steps:?}"
    );
    cloud.state.lock().without_compute = true;
    let steps = walk().await;
    let last = steps.last().unwrap();
    let problem = last.problem.as_ref().unwrap();
    assert_eq!((last.step, problem.kind), ("machines", ProblemKind::Config));
    cloud.state.lock().without_compute = false;
    let denied = Answer::fault(403, "forbidden", "Policy doesn't allow it.");
    cloud.befall("GET", "/instance-snapshots", 100, Fault::Say(denied));
    let steps = walk().await;
    let last = steps.last().unwrap();
    assert_eq!(last.step, "groups", "{steps:?}");
    assert_eq!(last.problem.as_ref().unwrap().kind, ProblemKind::Auth);
}

const F2: &str = "\x1bOQ";

/// The console on a profile for this cloud.
fn console(deck: &support::Deck, cloud: &Cloud, args: &[&str]) -> pty::Terminal {
    write_profile(deck, cloud);
    let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_snapdeck"));
    command.arg("--profile");
    command.arg("pvc");
    command.args(args);
    command.env_remove("SNAPDECK_PROFILE");
    pty::Terminal::run(deck, command, 120, 36, &[("LAB", "correct horse")])
}

fn write_profile(deck: &support::Deck, cloud: &Cloud) {
    let config = deck.path("config/snapdeck/config.toml");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    let profile = format!(
        "[profiles.pvc]\nprovider = \"powervc\"\nendpoint = \"{}\"\nuser = \"demo\"\nuser-domain = \"Default\"\n\
         project = \"demo\"\nproject-domain = \"Default\"\nsecret.env = \"LAB\"\n",
        cloud.endpoint()
    );
    std::fs::write(config, profile).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_fails_is_retried_and_rolled_back_in_the_console() {
    let cloud = Cloud::start().await;
    let (_, volumes, _) = estate(&cloud).await;
    cloud
        .state
        .lock()
        .power
        .stubborn
        .insert(volumes[1].clone(), 2);
    let held = tokio::task::spawn_blocking(move || {
        let deck = support::Deck::new();
        let mut t = console(&deck, &cloud, &[]);
        t.sees("data");
        // The machine with its volumes and its instance snapshots.
        t.send("6");
        t.sees("db01");
        t.send("3");
        t.until("instance snapshots", |s| {
            s.contains("before") && s.contains("Instance snapshots")
        });
        t.send("R");
        t.sees("Guard snapshot");
        // Without a guard, so that the name must be typed.
        t.answer(" ");
        t.send(F2);
        t.sees("what was written to data since before");
        t.answer("before\r");
        // PowerVC's own words, and what can be done next.
        t.until("what failed", |s| {
            s.contains("1 of 3 volumes could not be taken back") && s.contains("restore-error")
        });
        let screen = t.until("the keys", |s| {
            s.contains("<t> retry") && s.contains("<b> roll back")
        });
        assert!(screen.contains("failed"), "{screen}");
        t.send("\r");
        t.sees("not restored");
        t.sees("before: 01");
        t.send("h");
        t.misses("▸ before");
        // Retried, it fails again; the steps of the flow stand in the enlarged pane.
        t.send("T");
        t.send("t");
        t.sees("Retry a restore");
        t.answer(F2);
        t.sees("\"retry\":true");
        t.answer("before\r");
        t.until("the failed part", |s| {
            s.contains("RevertVolume-1") && s.contains("FAILURE")
        });
        // Rolled back, all hold what they held before.
        t.until("the state", |s| {
            s.contains("✗ restore-error") && s.matches("failed  <t> retry").count() == 2
        });
        t.send("b");
        t.sees("Roll a restore back");
        t.answer(F2);
        t.sees("\"rollback\":true");
        t.answer("y");
        t.until("it is available", |s| {
            s.contains("available") && !s.contains("restore-error")
        });
        t.send("q");
        if t.asks("Leave while") {
            t.answer("y");
        }
        let (code, _, bytes) = t.end();
        assert_eq!(code, 0);
        pty::restored(&bytes);
        let sent = cloud.restores();
        assert_eq!(sent.len(), 3, "{sent:?}");
        cloud.held(&volumes)
    })
    .await
    .unwrap();
    assert_eq!(held, ["newer"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_does_all_of_it() {
    let cloud = Cloud::start().await;
    let (_, volumes, id) = estate(&cloud).await;
    tokio::task::spawn_blocking(move || {
        let deck = support::Deck::new();
        write_profile(&deck, &cloud);
        let run = |args: &[&str]| {
            let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_snapdeck"));
            command
                .args(["--profile", "pvc"])
                .args(args)
                .env("HOME", deck.dir.path())
                .env("XDG_CONFIG_HOME", deck.path("config"))
                .env("XDG_STATE_HOME", deck.path("state"))
                .env("LAB", "correct horse")
                .env_remove("SNAPDECK_STORE");
            let output = command.output().unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (
                output.status.code().unwrap(),
                text(&output.stdout),
                text(&output.stderr),
            )
        };
        let (code, out, err) = run(&["get", "groups", "-o", "json"]);
        assert_eq!(code, 0, "{err}");
        let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (&listed[0]["name"], &listed[0]["instance"]),
            (&json!("before"), &json!("db01"))
        );
        let some = [
            "run",
            "create-group",
            "--name",
            "part",
            "--volumes",
            "data",
            "--volumes",
            "log",
        ];
        let (code, out, err) = run(&[&some[..], &["--plan"]].concat());
        assert_eq!(code, 0, "{err}");
        assert!(
            out.contains("\"volumes\":[") && out.contains("$TOKEN"),
            "{out}"
        );
        let (code, _, err) = run(&some);
        assert_eq!(code, 0, "{err}");
        let (code, _, err) = run(&["run", "update-group", "--group", "part", "--name", "some"]);
        assert_eq!(code, 0, "{err}");
        cloud
            .state
            .lock()
            .power
            .stubborn
            .insert(volumes[1].clone(), 1);
        let (code, _, err) = run(&[
            "run",
            "restore-group",
            "--group",
            "before",
            "--guard",
            "no",
            "--yes",
        ]);
        assert_ne!(code, 0, "{err}");
        assert!(
            err.contains("1 of 3 volumes") && err.contains("PowerVC says restore-error"),
            "{err}"
        );
        let (_, out, _) = run(&["describe", "group", "before"]);
        assert!(
            out.contains("not restored") && out.contains("before the restore: snapshot"),
            "{out}"
        );
        let (code, _, err) = run(&["run", "retry-restore", "--group", "before", "--yes"]);
        assert_eq!(code, 0, "{err}");
        assert_eq!(cloud.held(&volumes), ["new"; 3]);
        let (code, _, err) = run(&["run", "roll-back-restore", "--group", "before", "--yes"]);
        assert_ne!(code, 0);
        assert!(err.contains("is for a restore that failed"), "{err}");
        let (code, _, err) = run(&["run", "delete-group", "--group", &id, "--yes"]);
        assert_eq!(code, 0, "{err}");
        let (code, out, err) = run(&["doctor", "pvc"]);
        assert_eq!(code, 0, "{err}{out}");
        assert!(out.contains("2 machines"), "{out}");
        let (code, out, err) = run(&["profile", "test", "pvc"]);
        assert_eq!((code, out.as_str()), (0, "pvc works: 3 volumes\n"), "{err}");
        let add = [
            "profile",
            "add",
            "new",
            "--provider",
            "powervc",
            "--endpoint",
            "http://k/v3",
        ];
        let (code, _, err) = run(&add);
        assert_eq!(code, 0, "{err}");
        let (_, out, _) = run(&["profile", "list", "-o", "json"]);
        let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(listed[0]["provider"], "powervc", "{out}");
        let (code, _, err) = run(&[
            "profile",
            "add",
            "x",
            "--provider",
            "powervx",
            "--endpoint",
            "http://k",
        ]);
        assert_ne!(code, 0);
        assert!(err.contains("powervc"), "{err}");
    })
    .await
    .unwrap();
}
