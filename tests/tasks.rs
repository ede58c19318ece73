//! The task tracker over the real engine, with a writer that fails where it is told to.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use snapdeck::model::{
    Bytes, Kind, Object, Operation, OperationKind, Plan, Problem, ProblemKind, Query, StepOutcome,
    StepState, Task, TaskId, TaskState, Value, VolumeId,
};
use snapdeck::provider::embedded::{Embedded, Options};
use snapdeck::provider::{Connection, Fate, Steer, StepContext, Writer, list_all};
use snapdeck::task::{Control, Tracker, undo};

fn open(dir: &Path) -> Embedded {
    let options = Options {
        create: true,
        ..Options::default()
    };
    Embedded::open(&dir.join("store"), &options).unwrap()
}

fn tracker(embedded: &Embedded) -> Tracker {
    Tracker::open(&embedded.connection, &embedded.journal, "test").unwrap()
}

fn create(name: &str) -> Operation {
    Operation::new(OperationKind::CreateVolume)
        .text("name", name)
        .with("size", Value::Size(Bytes::mib(64)))
}

async fn done(tracker: &Tracker, operation: &Operation) -> Arc<Task> {
    let plan = tracker.plan(operation).await.unwrap();
    let id = tracker.submit(plan).await.unwrap();
    let task = tracker.wait(&id, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Succeeded, "{}", task.reason);
    task
}

async fn volume(embedded: &Embedded, tracker: &Tracker, name: &str) -> VolumeId {
    done(tracker, &create(name)).await;
    let all = list_all(&*embedded.connection.reader, Query::all(Kind::Volume))
        .await
        .unwrap();
    let found = all
        .into_iter()
        .find(|object| object.name() == name)
        .unwrap();
    VolumeId(found.id().to_owned())
}

/// The real writer, but for a number of failures or losses before it.
struct Faulty {
    real: Arc<dyn Writer>,
    /// So many calls fail before anything is done.
    fail: AtomicU32,
    /// So many calls do their work, and never answer.
    hang: AtomicU32,
}

fn faulty(embedded: &Embedded, fail: u32, hang: u32) -> Connection {
    let mut connection = embedded.connection.clone();
    connection.writer = Some(Arc::new(Faulty {
        real: connection.writer.take().unwrap(),
        fail: AtomicU32::new(fail),
        hang: AtomicU32::new(hang),
    }));
    connection
}

fn take(count: &AtomicU32) -> bool {
    count
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
        .is_ok()
}

#[async_trait]
impl Writer for Faulty {
    async fn run(
        &self,
        plan: &Plan,
        step: usize,
        context: StepContext,
    ) -> Result<StepOutcome, Problem> {
        if take(&self.fail) {
            return Err(Problem::new(ProblemKind::System, "the array is on fire"));
        }
        let detach = context.detach.clone();
        let result = self.real.run(plan, step, context).await;
        if take(&self.hang) {
            detach.cancelled().await;
            return Err(Problem::new(ProblemKind::Network, "no answer came"));
        }
        result
    }

    async fn fate(&self, plan: &Plan, step: usize, task: &TaskId) -> Result<Fate, Problem> {
        self.real.fate(plan, step, task).await
    }

    async fn steer(
        &self,
        plan: &Plan,
        step: usize,
        before: &[StepOutcome],
        steer: Steer,
    ) -> Result<(), Problem> {
        self.real.steer(plan, step, before, steer).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_says_why_and_is_retried_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let connection = faulty(&embedded, 1, 0);
    let tracker = Tracker::open(&connection, &embedded.journal, "test").unwrap();
    let plan = tracker.plan(&create("v")).await.unwrap();
    let id = tracker.submit(plan).await.unwrap();
    let task = tracker.wait(&id, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Failed);
    assert_eq!(task.problem().unwrap().what, "the array is on fire");
    assert!(tracker.can(&id, Control::Cancel).is_err(), "it is over");
    tracker.control(&id, Control::Retry).await.unwrap();
    let task = tracker.wait(&id, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Succeeded);
    assert_eq!(task.steps[0].attempts, 2);
    assert!(
        tracker.can(&id, Control::Retry).is_err(),
        "it has succeeded"
    );
    tracker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_and_never_answered_is_found_and_not_done_twice() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let connection = faulty(&embedded, 0, 1);
    let first = Tracker::open(&connection, &embedded.journal, "test").unwrap();
    let plan = first.plan(&create("v")).await.unwrap();
    let id = first.submit(plan).await.unwrap();
    // The volume is there, and the step does not end.
    loop {
        let volumes = list_all(&*connection.reader, Query::all(Kind::Volume))
            .await
            .unwrap();
        if !volumes.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.close().await;
    assert!(
        !first.task(&id).unwrap().state.is_over(),
        "its end was not made up"
    );

    let second = tracker(&embedded);
    assert_eq!(second.task(&id).unwrap().state, TaskState::Suspended);
    assert_eq!(second.follow_on().await, 1);
    let task = second.wait(&id, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Succeeded);
    let volumes = list_all(&*connection.reader, Query::all(Kind::Volume))
        .await
        .unwrap();
    assert_eq!(volumes.len(), 1);
    second.close().await;
    // And a third start finds nothing left to do.
    assert_eq!(tracker(&embedded).follow_on().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_no_longer_holds_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let tracker = tracker(&embedded);
    let id = volume(&embedded, &tracker, "v").await;
    let rename = |name: &str| {
        Operation::new(OperationKind::UpdateVolume)
            .on_volume(&id)
            .text("name", name)
    };
    let plan = tracker.plan(&rename("late")).await.unwrap();
    done(&tracker, &rename("early")).await;
    let refused = tracker.submit(plan).await.unwrap_err();
    assert_eq!(refused.kind, ProblemKind::Conflict);
    assert!(
        refused
            .to_string()
            .contains("volume early is not as it was"),
        "{refused}"
    );
    let Object::Volume(seen) = embedded
        .connection
        .reader
        .show(&(&id).into())
        .await
        .unwrap()
    else {
        panic!("no volume");
    };
    assert_eq!(seen.name, "early");
    tracker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_cancelled_and_leaves_a_whole_volume() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let tracker = tracker(&embedded);
    let id = volume(&embedded, &tracker, "v").await;
    let engine_id = id.as_str().parse().unwrap();
    embedded
        .store()
        .write(engine_id, 0, &vec![7; 32 << 20])
        .unwrap();
    embedded.store().set_copy_rate(Some(1 << 20));
    let snapshot = Operation::new(OperationKind::CreateSnapshot)
        .on_volume(&id)
        .text("name", "s");
    let made = done(&tracker, &snapshot).await;
    let point = made.made().next().unwrap().clone();
    let clone = Operation::new(OperationKind::Clone)
        .with("snapshot", Value::Object(point))
        .text("name", "copy")
        .with("copy", Value::Flag(true));
    let mut updates = std::pin::pin!(tracker.updates());
    let plan = tracker.plan(&clone).await.unwrap();
    let task = tracker.submit(plan).await.unwrap();
    // It is seen to move on.
    loop {
        let batch = updates.next().await.unwrap();
        let progress = batch
            .iter()
            .find(|t| t.id == task)
            .and_then(|t| t.progress());
        if progress.is_some_and(|p| p.total.0 > 0) {
            break;
        }
    }
    tracker.control(&task, Control::Cancel).await.unwrap();
    let task = tracker.wait(&task, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Cancelled);
    assert!(matches!(task.steps[0].state, StepState::Done(_)));
    assert!(
        embedded.store().jobs().is_empty(),
        "the engine goes on copying"
    );
    let copy = task.made().next().unwrap().id.parse().unwrap();
    let mut bytes = vec![0; 32 << 20];
    let source = snapdeck::engine::Source::Volume(copy);
    embedded.store().read(source, 0, &mut bytes).unwrap();
    assert!(bytes.iter().all(|&b| b == 7), "the volume is not whole");
    tracker.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_outlives_the_program_and_is_followed_on() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let first = tracker(&embedded);
    let id = volume(&embedded, &first, "v").await;
    embedded
        .store()
        .write(id.as_str().parse().unwrap(), 0, &vec![9; 16 << 20])
        .unwrap();
    embedded.store().set_copy_rate(Some(1 << 20));
    let snapshot = Operation::new(OperationKind::CreateSnapshot)
        .on_volume(&id)
        .text("name", "s");
    done(&first, &snapshot).await;
    let plan = first
        .plan(&Operation::new(OperationKind::Flatten).on_volume(&id))
        .await
        .unwrap();
    let task = first.submit(plan).await.unwrap();
    first.wait(&task, |t| t.progress().is_some()).await.unwrap();
    first.close().await;
    embedded.close().unwrap();

    let embedded = open(dir.path());
    let second = tracker(&embedded);
    assert_eq!(second.follow_on().await, 1);
    let task = second.wait(&task, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Succeeded, "{}", task.reason);
    let Object::Volume(seen) = embedded
        .connection
        .reader
        .show(&(&id).into())
        .await
        .unwrap()
    else {
        panic!("no volume");
    };
    assert_eq!(seen.parent, None, "it stands alone");
    second.close().await;
}

/// A volume whose flattening goes on for long, and the plan of it.
async fn slow_flatten(embedded: &Embedded, tracker: &Tracker) -> (VolumeId, Plan) {
    let id = volume(embedded, tracker, "v").await;
    let engine_id = id.as_str().parse().unwrap();
    let data = vec![9; 16 << 20];
    embedded.store().write(engine_id, 0, &data).unwrap();
    embedded.store().set_copy_rate(Some(1 << 20));
    let snapshot = Operation::new(OperationKind::CreateSnapshot)
        .on_volume(&id)
        .text("name", "s");
    done(tracker, &snapshot).await;
    let flatten = Operation::new(OperationKind::Flatten).on_volume(&id);
    let plan = tracker.plan(&flatten).await.unwrap();
    (id, plan)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_copy_stands_still_over_a_restart_until_it_is_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let first = tracker(&embedded);
    let (id, plan) = slow_flatten(&embedded, &first).await;
    let task = first.submit(plan).await.unwrap();
    assert!(
        first.can(&task, Control::Resume).is_err(),
        "it is not paused"
    );
    first.wait(&task, |t| t.progress().is_some()).await.unwrap();
    first.control(&task, Control::Pause).await.unwrap();
    let seen = first.task(&task).unwrap();
    assert_eq!(seen.state, TaskState::Suspended);
    assert_eq!(seen.reason, "paused");
    assert!(first.can(&task, Control::Pause).is_err(), "it is paused");
    first.close().await;
    embedded.close().unwrap();

    let embedded = open(dir.path());
    let second = tracker(&embedded);
    assert_eq!(second.follow_on().await, 0, "it waits for somebody");
    let job = embedded.store().jobs().into_iter().next().unwrap();
    assert_eq!(job.state, snapdeck::engine::JobState::Paused);
    second.control(&task, Control::Resume).await.unwrap();
    let task = second.wait(&task, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Succeeded, "{}", task.reason);
    let object = embedded.connection.reader.show(&(&id).into()).await;
    let Object::Volume(seen) = object.unwrap() else {
        panic!("no volume");
    };
    assert_eq!(seen.parent, None, "it stands alone");
    second.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_copy_that_is_cancelled_later_ends_in_the_engine_too() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let first = tracker(&embedded);
    let (_, plan) = slow_flatten(&embedded, &first).await;
    let task = first.submit(plan).await.unwrap();
    first.wait(&task, |t| t.progress().is_some()).await.unwrap();
    first.control(&task, Control::Pause).await.unwrap();
    first.close().await;
    embedded.close().unwrap();

    let embedded = open(dir.path());
    let second = tracker(&embedded);
    second.control(&task, Control::Cancel).await.unwrap();
    assert_eq!(second.task(&task).unwrap().state, TaskState::Cancelled);
    assert!(
        embedded.store().jobs().is_empty(),
        "the engine has it still"
    );
    second.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_being_cancelled_when_the_program_died_is_not_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let first = tracker(&embedded);
    let (id, plan) = slow_flatten(&embedded, &first).await;
    let task = first.submit(plan).await.unwrap();
    first.wait(&task, |t| t.progress().is_some()).await.unwrap();
    first.close().await;
    // It died after it had written down that the task is to end, and had ended the copy.
    let job = embedded.store().jobs().into_iter().next().unwrap();
    embedded.store().cancel_job(job.id).unwrap();
    embedded.close().unwrap();
    let journal = dir.path().join("store/journal.jsonl");
    let lines = std::fs::read_to_string(&journal).unwrap();
    let last = lines.lines().last().unwrap();
    let mut line: serde_json::Value = serde_json::from_str(last).unwrap();
    line["event"] = serde_json::json!({ "what": "cancelling" });
    std::fs::write(&journal, format!("{lines}{line}\n")).unwrap();

    let embedded = open(dir.path());
    let second = tracker(&embedded);
    assert_eq!(second.follow_on().await, 1);
    let task = second.wait(&task, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Cancelled, "{}", task.reason);
    assert!(embedded.store().jobs().is_empty(), "it was begun again");
    let engine_id = id.as_str().parse().unwrap();
    assert!(embedded.store().volume(engine_id).unwrap().parent.is_some());
    second.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_begun_that_is_not_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let tracker = tracker(&embedded);
    done(&tracker, &create("v")).await;
    let journal = std::fs::read_to_string(&embedded.journal).unwrap();
    let kinds: Vec<_> = journal
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            match line.get("accepted") {
                Some(_) => "accepted".to_owned(),
                None => line["event"]["what"].as_str().unwrap().to_owned(),
            }
        })
        .collect();
    assert_eq!(kinds, ["accepted", "started", "done", "finished"]);
    tracker.close().await;

    let mut read_only = embedded.connection.clone();
    read_only.writer = None;
    let looker = Tracker::open(&read_only, &embedded.journal, "test").unwrap();
    let plan = looker.plan(&create("w")).await.unwrap();
    assert_eq!(
        looker.submit(plan).await.unwrap_err().kind,
        ProblemKind::Auth
    );
    assert_eq!(std::fs::read_to_string(&embedded.journal).unwrap(), journal);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_step_made_is_known_after_later_changes() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let connection = faulty(&embedded, 0, 1);
    let first = Tracker::open(&connection, &embedded.journal, "test").unwrap();
    let plan = first.plan(&create("v")).await.unwrap();
    let id = first.submit(plan).await.unwrap();
    let made = loop {
        let volumes = list_all(&*connection.reader, Query::all(Kind::Volume))
            .await
            .unwrap();
        if let Some(volume) = volumes.into_iter().next() {
            break VolumeId(volume.id().to_owned());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    first.close().await;
    // Changed by hand before anybody asked what came of its making.
    let second = tracker(&embedded);
    let rename = Operation::new(OperationKind::UpdateVolume)
        .on_volume(&made)
        .text("name", "w");
    done(&second, &rename).await;
    second.follow_on().await;
    let task = second.wait(&id, Task::is_settled).await.unwrap();
    assert_eq!(task.state, TaskState::Succeeded, "{}", task.reason);
    let volumes = list_all(&*connection.reader, Query::all(Kind::Volume))
        .await
        .unwrap();
    assert_eq!(volumes.len(), 1, "it was made twice");
    second.close().await;
}

/// The only thing of a kind that a task made.
fn made(task: &Task, kind: Kind) -> snapdeck::model::ObjectRef {
    let mut all = task.made().filter(|object| object.kind == kind);
    let one = all.next().unwrap().clone();
    assert_eq!(all.next(), None);
    one
}

async fn shown(embedded: &Embedded, object: &snapdeck::model::ObjectRef) -> Object {
    embedded.connection.reader.show(object).await.unwrap()
}

/// What the first block of a volume holds.
fn first_byte(embedded: &Embedded, volume: &VolumeId) -> u8 {
    let id = volume.as_str().parse().unwrap();
    let mut block = vec![0; 4096];
    let source = snapdeck::engine::Source::Volume(id);
    embedded.store().read(source, 0, &mut block).unwrap();
    block[0]
}

fn fill(embedded: &Embedded, volume: &VolumeId, byte: u8) {
    let id = volume.as_str().parse().unwrap();
    embedded.store().write(id, 0, &[byte; 4096]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_restore_of_several_volumes_is_taken_back_as_one() {
    for (take, restore, kind) in [
        (
            OperationKind::CreateGroup,
            OperationKind::RestoreGroup,
            Kind::Group,
        ),
        (
            OperationKind::CreateSession,
            OperationKind::RestoreSession,
            Kind::Session,
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let embedded = open(dir.path());
        let tracker = tracker(&embedded);
        let a = volume(&embedded, &tracker, "a").await;
        let b = volume(&embedded, &tracker, "b").await;
        let volumes = Value::Objects(vec![(&a).into(), (&b).into()]);
        let take = Operation::new(take)
            .text("name", "first")
            .with("volumes", volumes);
        let set = made(&*done(&tracker, &take).await, kind);
        fill(&embedded, &a, 1);
        fill(&embedded, &b, 2);
        let restore = Operation::new(restore)
            .with(kind.one(), Value::Object(set))
            .with("guard", Value::Flag(true));
        let restored = done(&tracker, &restore).await;
        assert_eq!(
            [first_byte(&embedded, &a), first_byte(&embedded, &b)],
            [0, 0]
        );
        let guards = made(&restored, Kind::Group);
        let Object::Group(group) = shown(&embedded, &guards).await else {
            panic!("no group")
        };
        assert!(group.guard && group.name.starts_with("guard-"));
        assert_eq!(group.members.len(), 2);

        let back = done(&tracker, &undo(&restored).unwrap()).await;
        assert_eq!(
            [first_byte(&embedded, &a), first_byte(&embedded, &b)],
            [1, 2]
        );
        // And that is taken back again.
        done(&tracker, &undo(&back).unwrap()).await;
        assert_eq!(
            [first_byte(&embedded, &a), first_byte(&embedded, &b)],
            [0, 0]
        );

        // Without guards it is gone for good, and that is said.
        let bare = restore.with("guard", Value::Flag(false));
        let why = undo(&*done(&tracker, &bare).await).unwrap_err();
        assert!(why.contains("is not kept"), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relinked_target_goes_back_to_what_it_showed_and_held() {
    let dir = tempfile::tempdir().unwrap();
    let embedded = open(dir.path());
    let tracker = tracker(&embedded);
    let source = volume(&embedded, &tracker, "source").await;
    let mut sessions = Vec::new();
    for (name, byte) in [("first", 1), ("second", 2)] {
        fill(&embedded, &source, byte);
        let volumes = Value::Objects(vec![(&source).into()]);
        let take = Operation::new(OperationKind::CreateSession).text("name", name);
        let take = take.with("volumes", volumes);
        sessions.push(made(&*done(&tracker, &take).await, Kind::Session));
    }
    let link = Operation::new(OperationKind::LinkTarget)
        .with("session", Value::Object(sessions[0].clone()))
        .text("name", "shown")
        .text("mode", "nocopy");
    let linked = done(&tracker, &link).await;
    let target = made(&linked, Kind::Target);
    let own = VolumeId(made(&linked, Kind::Volume).id);
    fill(&embedded, &own, 7);
    let session = || async {
        match shown(&embedded, &target).await {
            Object::Target(target) => target.session_name,
            _ => panic!("no target"),
        }
    };
    let relink = Operation::new(OperationKind::RelinkTarget)
        .with("target", Value::Object(target.clone()))
        .with("session", Value::Object(sessions[1].clone()))
        .with("guard", Value::Flag(true));
    let relinked = done(&tracker, &relink).await;
    assert_eq!(first_byte(&embedded, &own), 2);
    assert_eq!(session().await.as_deref(), Some("second"));

    let back = undo(&relinked).unwrap();
    let plan = tracker.plan(&back).await.unwrap();
    let said = plan
        .notes
        .iter()
        .any(|note| note.contains("linked to first then"));
    assert!(said, "{:?}", plan.notes);
    let back = done(&tracker, &back).await;
    assert_eq!(first_byte(&embedded, &own), 7);
    assert_eq!(session().await.as_deref(), Some("first"));
    done(&tracker, &undo(&back).unwrap()).await;
    assert_eq!(first_byte(&embedded, &own), 2);
    assert_eq!(session().await.as_deref(), Some("second"));
}
