//! Groups, sessions and linked targets: what is shown of them, what is read, what is done.

use super::driver::{Driver, Start};
use crate::model::{Change, Kind, ObjectRef, Operation, OperationKind, Value};
use crate::tui::event::{Effect, Event};
use crate::tui::state::Place;

/// The operations that were planned last.
fn planned(d: &Driver) -> Vec<Operation> {
    let plans = d.asked.iter().rev().find_map(|effect| match effect {
        Effect::Plan(_, operations) => Some(operations.clone()),
        _ => None,
    });
    plans.unwrap_or_default()
}

/// How often all of a kind was asked for.
fn lists(d: &Driver, kind: Kind) -> usize {
    let of = |e: &&Effect| matches!(e, Effect::List(_, q) if q.kind == kind && q.volume.is_none());
    d.asked.iter().filter(of).count()
}

fn objects(operation: &Operation, field: &str) -> Vec<String> {
    match &operation.values[field] {
        Value::Objects(objects) => objects.iter().map(|o| o.id.clone()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn marked_volumes_become_one_group() {
    let mut d = Driver::new();
    d.keys("space j space M");
    assert_eq!(d.top(), "form");
    assert!(
        d.screen().contains("2: db01-data, scratch"),
        "{}",
        d.screen()
    );
    d.keys("F2");
    let operation = planned(&d).remove(0);
    assert_eq!(operation.kind, OperationKind::CreateGroup);
    assert_eq!(objects(&operation, "volumes"), ["v-db01-data", "v-scratch"]);
}

#[test]
fn volumes_are_chosen_from_a_list_with_a_search() {
    let mut d = Driver::new();
    // With a group in hand, its volumes would be there already.
    d.groups.clear();
    d.keys("3 c tab space");
    assert_eq!(d.top(), "chooser");
    d.keys("space").typed("web");
    assert!(d.screen().contains("[ ] web-root"), "{}", d.screen());
    d.keys("space");
    assert!(d.screen().contains("2 chosen of 4"), "{}", d.screen());
    d.keys("enter F2");
    let mut ids = objects(&planned(&d)[0], "volumes");
    ids.sort();
    assert_eq!(ids, ["v-db01-data", "v-web-root"]);
}

#[test]
fn a_word_is_chosen_by_turning_and_a_session_by_searching() {
    let mut d = Driver::new();
    d.keys("5 L");
    // On a target it is put on another session.
    assert!(d.screen().contains("Relink a target"), "{}", d.screen());
    d.keys("space").typed("rep");
    d.keys("enter F2");
    let operation = planned(&d).remove(0);
    assert_eq!(operation.kind, OperationKind::RelinkTarget);
    assert_eq!(
        operation.object("session", Kind::Session).unwrap(),
        "e-reports"
    );
    assert_eq!(
        operation.object("target", Kind::Target).unwrap(),
        "t-audit-copy"
    );

    let mut d = Driver::new();
    d.keys("4 L tab");
    assert!(
        d.screen().contains("(x) nocopy  ( ) copy"),
        "{}",
        d.screen()
    );
    d.keys("right F2");
    let operation = planned(&d).remove(0);
    assert_eq!(operation.get_text("mode").unwrap(), "copy");
    d.keys("esc esc");
    d.wait(400);
    d.keys("esc esc 4 L tab left left left F2");
    assert_eq!(planned(&d)[0].get_text("mode").unwrap(), "copy");
}

#[test]
fn the_keys_mean_what_is_in_hand() {
    use OperationKind as O;
    for (keys, kind) in [
        ("3 D", O::DeleteGroup),
        ("3 R F2", O::RestoreGroup),
        ("3 U", O::Ungroup),
        ("4 D", O::DeleteSession),
        ("4 R F2", O::RestoreSession),
        ("4 j U", O::UnlinkTarget),
        ("4 enter j j U", O::UnlinkTarget),
        ("5 U", O::UnlinkTarget),
        ("3 enter j D", O::DeleteSnapshot),
    ] {
        let mut d = Driver::new();
        d.keys(keys);
        let planned: Vec<_> = planned(&d).iter().map(|o| o.kind).collect();
        assert_eq!(planned, [kind], "{keys}\n{}", d.screen());
    }
}

#[test]
fn several_targets_are_unlinked_at_once_and_kinds_are_not_mixed() {
    let mut d = Driver::new();
    d.keys("5 space space U");
    assert_eq!(planned(&d).len(), 2);
    let mut d = Driver::new();
    d.keys("4 * U");
    assert_eq!(d.top(), "none");
    assert!(
        d.screen()
            .contains("it is done to a target, and this is a session")
    );
}

#[test]
fn members_stand_below_their_group_and_targets_below_their_session() {
    let mut d = Driver::sized(200, 40);
    d.keys("3 enter");
    let screen = d.screen();
    for line in [
        "before-upgrade",
        "├─○ db01-data",
        "└─○ db01-log",
        "2 members",
    ] {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
    d.keys("esc j enter");
    assert!(d.screen().contains("2 of 3 members"));
    d.keys("4");
    let screen = d.screen();
    for line in ["├─◇ audit-copy", "└─◇ audit-test", "37 %", "nocopy"] {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
}

#[test]
fn a_session_and_its_targets_are_never_parted() {
    let mut d = Driver::sized(80, 24);
    d.keys("4 /").typed("reports");
    assert_eq!(d.state.screen().shown.len(), 1);
    d.keys("esc /").typed("audit-test");
    assert_eq!(
        d.state.screen().shown.len(),
        2,
        "with the session that it stands below"
    );
    d.keys("esc s").typed("name");
    d.keys("enter s enter");
    let names = d.screen();
    let at = |name: &str| names.find(name).unwrap();
    assert!(at("reports ") < at(" audit "), "{names}");
    assert!(at(" audit ") < at("audit-copy") && at("audit-copy") < at("audit-test"));
}

#[test]
fn what_nobody_looks_at_is_not_read_and_changes_are_gathered() {
    let mut d = Driver::new();
    let sets = [Kind::Group, Kind::Session, Kind::Target];
    for _ in 0..20 {
        for kind in sets {
            d.event(Event::Changed(Change::Kind(kind)));
        }
        d.wait(30);
    }
    assert_eq!(sets.map(|kind| lists(&d, kind)), [0, 0, 0]);
    d.keys("4");
    assert_eq!(sets.map(|kind| lists(&d, kind)), [0, 1, 1]);
    // A copy tells of itself all the time.
    let begun = d.ms;
    while d.ms < begun + 2_000 {
        d.event(Event::Changed(Change::Kind(Kind::Target)));
        d.wait(20);
    }
    let read = lists(&d, Kind::Target);
    assert!((5..=10).contains(&read), "{read}");
    assert_eq!(lists(&d, Kind::Session), 1);
}

#[test]
fn what_was_done_is_taken_back_by_its_inverse() {
    use crate::model::{StepOutcome, Task, TaskId, TaskState};
    use crate::tui::tests::fixtures::{before, plan};
    let mut d = Driver::new();
    let take = Operation::new(OperationKind::CreateGroup);
    let mut task = Task::new(
        TaskId("t9".into()),
        plan(&take),
        "console".into(),
        before(9),
    );
    let outcome = StepOutcome {
        message: String::new(),
        made: vec![ObjectRef::new(Kind::Group, "g-weekly")],
    };
    for step in 0..2 {
        let outcome = outcome.clone();
        task.steps[step].state = crate::model::StepState::Done(outcome);
    }
    task.steps[1].state = crate::model::StepState::Done(StepOutcome::default());
    task.state = TaskState::Succeeded;
    d.tasks([task]);
    assert!(d.screen().contains("<u> undo"), "{}", d.screen());
    d.keys("u");
    let operation = planned(&d).remove(0);
    assert_eq!(operation.kind, OperationKind::DeleteGroup);
    assert_eq!(operation.object("group", Kind::Group).unwrap(), "g-weekly");
    assert_eq!(d.top(), "review");
    d.wait(400);
    d.keys("esc");
    assert_eq!((d.top(), d.submitted()), ("none", 0));
}

#[test]
fn the_journal_keeps_what_the_tasks_of_now_do_not_show() {
    use crate::model::TaskState;
    use crate::tui::tests::fixtures::task;
    let mut d = Driver::new();
    // As if it had been over before this console began.
    d.state.tasks =
        crate::tui::state::TaskList::new(vec![std::sync::Arc::new(task(1, TaskState::Succeeded))]);
    d.tasks([task(2, TaskState::Running)]);
    d.keys("7");
    assert!(!d.screen().contains("nightly-01"));
    assert!(d.screen().contains("nightly-02"));
    d.keys("8");
    assert!(d.screen().contains("nightly-01") && d.screen().contains("nightly-02"));
    d.keys("/").typed("state:running");
    d.keys("enter");
    assert!(!d.screen().contains("nightly-01"));
}

#[test]
fn a_call_that_is_looked_for_says_so_until_it_is_found() {
    use crate::model::{Part, PartState, StepEvent, TaskState};
    use crate::tui::tests::fixtures::{before, task};
    let mut d = Driver::new();
    let mut task = task(1, TaskState::Running);
    task.apply(&StepEvent::Lost, before(9));
    d.tasks([task.clone()]);
    assert!(d.screen().contains("unknown, looking"), "{}", d.screen());
    assert!(!d.screen().contains("64 %"), "{}", d.screen());
    task.apply(&StepEvent::Found, before(8));
    let part = |name: &str, said: &str, state| Part {
        name: name.into(),
        said: said.into(),
        state,
    };
    let parts = vec![
        part("InstRestoreFlow", "RUNNING", PartState::Running),
        part("Revert\u{1b}[31mVolume", "FAILURE", PartState::Failed),
    ];
    task.apply(&StepEvent::Parts { step: 1, parts }, before(7));
    d.tasks([task]);
    assert!(!d.screen().contains("unknown, looking"), "{}", d.screen());
    assert!(d.screen().contains("64 %"), "{}", d.screen());
    d.keys("T");
    let screen = d.screen();
    assert!(
        screen.contains("InstRestoreFlow  RUNNING") && screen.contains("Volume  FAILURE"),
        "{screen}"
    );
    assert!(!screen.contains('\u{1b}'), "{screen}");
}

#[test]
fn a_copy_is_paused_and_goes_on_with_the_same_key() {
    use crate::model::TaskState;
    use crate::tui::tests::fixtures::task;
    let mut d = Driver::new();
    let mut running = task(1, TaskState::Running);
    running.plan.steps[1].pauses = true;
    d.tasks([running.clone()]);
    d.keys("z");
    let asked = |d: &Driver| match d.asked.last() {
        Some(Effect::Control(_, _, control)) => Some(*control),
        _ => None,
    };
    assert_eq!(asked(&d), Some(crate::task::Control::Pause));
    running.state = TaskState::Suspended;
    d.tasks([running]);
    d.keys("z");
    assert_eq!(asked(&d), Some(crate::task::Control::Resume));
}

#[test]
fn a_view_without_data_is_not_there() {
    let mut start = Driver::start(Start::default(), false);
    start.state.system.kinds = vec![Kind::Volume, Kind::Snapshot];
    start.state.views = crate::tui::state::Views::new(&start.state.system);
    start.answers = true;
    start.keys("3");
    assert!(
        start.screen().contains("testing has no groups"),
        "{}",
        start.screen()
    );
    assert_eq!(*start.place(), Place::Volumes);
    start.keys("tab tab tab");
    assert_eq!(*start.place(), Place::Tasks);
    assert!(!start.screen().contains("Sessions"));
}

#[test]
fn a_snapshot_that_no_list_has_is_asked_for_once() {
    let mut d = Driver::new();
    d.keys("3 enter j j");
    let shown = |d: &Driver| {
        let of = |e: &&Effect| matches!(e, Effect::Show(_, o) if o.kind == Kind::Snapshot);
        d.asked.iter().filter(of).count()
    };
    assert_eq!(shown(&d), 1);
    d.keys("enter");
    assert!(
        d.screen().contains("it is not known any more"),
        "the estate has none of it"
    );
    d.keys("esc k j enter");
    assert_eq!(shown(&d), 1);
}

#[test]
fn the_tree_names_the_group_and_counts_the_targets() {
    let mut d = Driver::start(Start::default(), false);
    for snapshot in &mut d.snapshots {
        match snapshot.name.as_str() {
            "nightly-03" => snapshot.group = Some("g-weekly".into()),
            "before-upgrade" => snapshot.session = Some("e-audit".into()),
            _ => {}
        }
    }
    for target in &mut d.targets {
        target.snapshot = Some("s-db01-data-before-upgrade".into());
    }
    d.answers = true;
    let list = d.asked[0].clone();
    d.answer(&list);
    d.keys("enter");
    let screen = d.screen();
    for line in ["▣ weekly", "◈ audit ◇ 2 targets"] {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
}

#[test]
fn a_group_that_is_deleted_takes_its_open_screen_with_it() {
    let mut d = Driver::new();
    d.keys("3 enter");
    d.groups.remove(0);
    d.event(Event::Changed(Change::Kind(Kind::Group)));
    d.wait(400);
    assert_eq!(*d.place(), Place::Groups);
    let first = d.state.object();
    assert_eq!(first, Some(ObjectRef::new(Kind::Group, "g-weekly")));
}
