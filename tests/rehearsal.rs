//! A medium that really cannot read a block: what a restore says that reads back what it restored,
//! what a retry does, and the way back.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

use std::sync::Arc;

use snapdeck::engine::{BadBlocks, Source, VolumeId as EngineVolume};
use snapdeck::model::{
    Kind, ObjectRef, Operation, OperationKind, StepState, Task, TaskState, Value, VolumeId,
};
use snapdeck::provider::embedded::demo_stage::Stage;
use snapdeck::provider::embedded::{Embedded, Options, capabilities, demo};
use snapdeck::task::{Control, Tracker, roll_back, undo};

const MIB: usize = 1 << 20;

struct Estate {
    _dir: tempfile::TempDir,
    embedded: Embedded,
    tracker: Tracker,
    bad: BadBlocks,
    volumes: Vec<EngineVolume>,
}

impl Estate {
    /// Two volumes that hold `1`, and hold `2` since the group `before` was taken of them.
    async fn new() -> (Self, ObjectRef) {
        let dir = tempfile::tempdir().unwrap();
        let bad = BadBlocks::default();
        let options = Options {
            create: true,
            bad_blocks: Some(bad.clone()),
            ..Options::default()
        };
        let embedded = Embedded::open(&dir.path().join("store"), &options).unwrap();
        let tracker = Tracker::open(&embedded.connection, &embedded.journal, "test").unwrap();
        let store = embedded.store();
        let make = |name| {
            store
                .create_volume(name, 64 << 20, Default::default())
                .unwrap()
        };
        let volumes = vec![make("data"), make("log")];
        let estate = Self {
            _dir: dir,
            embedded,
            tracker,
            bad,
            volumes,
        };
        estate.fill(1);
        let objects: Vec<ObjectRef> = estate.volumes.iter().map(|id| reference(*id)).collect();
        let operation = Operation::new(OperationKind::CreateGroup)
            .text("name", "before")
            .with("volumes", Value::Objects(objects));
        let task = estate.run(&operation).await;
        assert_eq!(task.state, TaskState::Succeeded);
        let group = task.made().find(|o| o.kind == Kind::Group).unwrap().clone();
        estate.fill(2);
        (estate, group)
    }

    fn fill(&self, byte: u8) {
        for id in &self.volumes {
            self.embedded
                .store()
                .write(*id, 0, &vec![byte; 4 * MIB])
                .unwrap();
        }
        self.embedded.store().flush().unwrap();
    }

    /// The byte that each volume holds, at a place that is whole.
    fn bytes(&self) -> Vec<u8> {
        let read = |id: &EngineVolume| {
            let mut byte = [0];
            let store = self.embedded.store();
            store.read(Source::Volume(*id), 0, &mut byte).unwrap();
            byte[0]
        };
        self.volumes.iter().map(read).collect()
    }

    async fn run(&self, operation: &Operation) -> Arc<Task> {
        let plan = self.tracker.plan(operation).await.unwrap();
        let id = self.tracker.submit(plan).await.unwrap();
        self.tracker.wait(&id, Task::is_settled).await.unwrap()
    }

    async fn retry(&self, task: &Task) -> Arc<Task> {
        self.tracker
            .control(&task.id, Control::Retry)
            .await
            .unwrap();
        self.tracker.wait(&task.id, Task::is_settled).await.unwrap()
    }
}

fn reference(id: EngineVolume) -> ObjectRef {
    (&VolumeId(id.to_string())).into()
}

fn restore(group: &ObjectRef) -> Operation {
    Operation::new(OperationKind::RestoreGroup)
        .with("group", Value::Object(group.clone()))
        .with("guard", Value::Flag(true))
        .with("check", Value::Flag(true))
}

#[tokio::test]
async fn a_restore_that_cannot_be_read_back_fails_in_that_member_and_is_retried() {
    let (estate, group) = Estate::new().await;
    let stage = Stage::new(estate.embedded.store(), estate.bad.clone());
    stage.spoil("log").unwrap();
    let task = estate.run(&restore(&group)).await;
    assert_eq!(task.state, TaskState::Failed);
    assert_eq!(estate.bytes(), [1, 1], "the restore itself is done");
    let failed = |task: &Task| -> Vec<String> {
        let steps = task.plan.steps.iter().zip(&task.steps);
        let failed = steps.filter(|(_, step)| matches!(step.state, StepState::Failed(_)));
        failed.map(|(planned, _)| planned.title.clone()).collect()
    };
    assert_eq!(failed(&task), ["reading log back"]);
    let problem = task.problem().unwrap();
    assert_eq!(problem.what, "log cannot be read back");
    assert!(
        problem.causes[0].contains("Input/output error"),
        "{problem}"
    );

    let again = estate.retry(&task).await;
    assert_eq!(
        (again.state.clone(), failed(&again)),
        (TaskState::Failed, failed(&task))
    );
    stage.mend();
    let whole = estate.retry(&task).await;
    assert_eq!(whole.state, TaskState::Succeeded);
    let attempts: Vec<u32> = whole.steps.iter().map(|step| step.attempts).collect();
    assert_eq!(attempts, [1, 1, 3], "what was done is not done again");
    estate.tracker.close().await;
}

#[tokio::test]
async fn a_restore_of_a_group_is_rolled_back_and_undone_at_one_moment() {
    let (estate, group) = Estate::new().await;
    let stage = Stage::new(estate.embedded.store(), estate.bad.clone());
    stage.spoil("log").unwrap();
    let task = estate.run(&restore(&group)).await;
    assert_eq!(task.state, TaskState::Failed);
    assert!(
        undo(&task).is_err(),
        "what failed is rolled back, and not undone"
    );
    let back = roll_back(&task, &capabilities()).unwrap();
    assert_eq!(back.kind, OperationKind::RestoreGroup);
    let guards = back.object("group", Kind::Group).unwrap();
    assert_ne!(guards, group.id);
    let rolled = estate.run(&back).await;
    assert_eq!(rolled.state, TaskState::Succeeded);
    assert_eq!(estate.bytes(), [2, 2]);

    // The same from one that succeeded.
    stage.mend();
    let task = estate.run(&restore(&group)).await;
    assert_eq!(
        (task.state.clone(), estate.bytes()),
        (TaskState::Succeeded, vec![1, 1])
    );
    assert!(roll_back(&task, &capabilities()).is_err());
    let undone = estate.run(&undo(&task).unwrap()).await;
    assert_eq!(
        (undone.state.clone(), estate.bytes()),
        (TaskState::Succeeded, vec![2, 2])
    );
    estate.tracker.close().await;
}

#[tokio::test]
async fn what_fails_before_anything_is_done_has_nothing_to_roll_back() {
    let (estate, group) = Estate::new().await;
    let plan = estate.tracker.plan(&restore(&group)).await.unwrap();
    assert_eq!(plan.steps.len(), 3);
    let without = restore(&group).with("check", Value::Flag(false));
    assert_eq!(estate.tracker.plan(&without).await.unwrap().steps.len(), 1);
    let mut task = Task::new(
        "t".into(),
        plan,
        "test".into(),
        snapdeck::model::Time::now(),
    );
    task.state = TaskState::Failed;
    assert_eq!(
        roll_back(&task, &capabilities()).unwrap_err(),
        "nothing of it was done"
    );
    estate.tracker.close().await;
}

#[tokio::test]
async fn only_the_block_that_was_spoiled_is_unreadable() {
    let (estate, _) = Estate::new().await;
    let store = estate.embedded.store();
    let id = estate.volumes[0];
    store.spoil(&estate.bad, Source::Volume(id), 5000).unwrap();
    let mut buffer = vec![0; 4096];
    for (offset, fails) in [(0, false), (4096, true), (8191, true), (8192, false)] {
        let read = store.read(Source::Volume(id), offset, &mut buffer[..1]);
        assert_eq!(read.is_err(), fails, "{offset}");
    }
    assert!(
        store
            .spoil(&estate.bad, Source::Volume(id), 32 << 20)
            .is_err(),
        "nothing is there"
    );
    estate.bad.mend();
    store.read(Source::Volume(id), 4096, &mut buffer).unwrap();
    assert_eq!(buffer, [2; 4096]);
    estate.tracker.close().await;
}

#[tokio::test]
async fn a_copy_that_meets_an_unreadable_block_fails_and_goes_on_where_it_was() {
    let (estate, _) = Estate::new().await;
    let store = estate.embedded.store();
    let stage = Stage::new(store, estate.bad.clone());
    stage.spoil("data").unwrap();
    let point = store.volume(estate.volumes[0]).unwrap().parent.unwrap();
    let operation = Operation::new(OperationKind::Clone)
        .with("snapshot", Value::Object(demo::reference(point)))
        .text("name", "copy")
        .with("copy", Value::Flag(true));
    let task = estate.run(&operation).await;
    assert_eq!(task.state, TaskState::Failed);
    let problem = task.problem().unwrap();
    assert!(
        problem.causes[0].contains("Input/output error"),
        "{problem}"
    );
    assert!(store.jobs().is_empty(), "nothing waits for it");
    let id = task.made().find(|o| o.kind == Kind::Volume).unwrap();
    let info = || {
        store
            .volumes()
            .into_iter()
            .find(|v| v.id.to_string() == id.id)
    };
    assert!(info().unwrap().parent.is_some());
    assert_eq!(estate.retry(&task).await.state, TaskState::Failed);
    assert_eq!(
        roll_back(&task, &capabilities()).unwrap().kind,
        OperationKind::DeleteVolume
    );
    stage.mend();
    assert_eq!(estate.retry(&task).await.state, TaskState::Succeeded);
    assert_eq!(info().unwrap().parent, None, "it stands alone");
    estate.tracker.close().await;
}
