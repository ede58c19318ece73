//! Forms, plans and confirmations: nothing is sent that was not seen and agreed to.

use super::driver::{Driver, Start};
use super::fixtures::task;
use crate::model::{Kind, ObjectRef, Problem, StepOutcome, StepState, TaskState, Value};
use crate::tui::event::{Answer, Effect, Event};
use crate::tui::overlay::Overlay;

/// The operations that were planned last.
fn planned(d: &Driver) -> Vec<crate::model::Operation> {
    let plans = d.asked.iter().rev().find_map(|effect| match effect {
        Effect::Plan(_, operations) => Some(operations.clone()),
        _ => None,
    });
    plans.unwrap_or_default()
}

#[test]
fn limits_are_told_while_typing_and_nothing_is_planned_before_they_hold() {
    let mut d = Driver::new();
    d.keys("c").typed("far-too-long-a-name");
    assert!(d.screen().contains("at most 12 characters; this has 19"));
    d.keys("F2");
    assert!(planned(&d).is_empty());
    for _ in 0..10 {
        d.keys("backspace");
    }
    d.keys("enter").typed("5000");
    assert!(d.screen().contains("a multiple of 4 KiB"));
    d.keys("enter");
    assert!(planned(&d).is_empty());
    d.typed("M");
    d.keys("enter");
    let operation = planned(&d).remove(0);
    assert_eq!(operation.get_text("name").unwrap(), "far-too-l");
    assert_eq!(d.top(), "review");
    assert_eq!(d.submitted(), 0, "a plan is not a deed");
}

#[test]
fn the_safe_answer_has_the_focus_and_what_was_typed_ahead_confirms_nothing() {
    let mut d = Driver::new();
    // Typed at once, far faster than the dialog can be read.
    d.keys("S F2 enter y y tab enter enter");
    assert_eq!(d.top(), "review");
    assert_eq!(d.submitted(), 0);
    d.event(Event::Paste("y\ny\n".into()));
    assert_eq!(d.submitted(), 0);
    d.wait(300);
    d.keys("enter");
    assert_eq!(d.top(), "form", "enter on the safe answer goes back");
    assert_eq!(d.submitted(), 0);
    d.keys("F2");
    d.wait(400);
    d.event(Event::Paste("y".into()));
    assert_eq!(d.submitted(), 0, "a paste is never an answer");
    d.keys("y");
    assert_eq!(d.submitted(), 1);
    assert_eq!(d.top(), "none");
}

#[test]
fn what_cannot_be_undone_asks_for_the_name() {
    let mut d = Driver::new();
    d.keys("j j D");
    assert_eq!(
        d.top(),
        "review",
        "with nothing to fill in, the plan comes at once"
    );
    d.wait(400);
    let screen = d.screen();
    assert!(screen.contains("everything on v-scratch") && screen.contains("cannot be undone"));
    d.keys("y y y enter");
    assert_eq!(d.submitted(), 0);
    d.keys("backspace backspace backspace");
    d.typed("v-scratc");
    d.keys("enter tab tab enter");
    assert_eq!(d.submitted(), 0, "almost is not enough");
    d.typed("h");
    d.keys("enter");
    assert_eq!(d.submitted(), 1);
}

#[test]
fn esc_leaves_everything_as_it_was() {
    let mut d = Driver::new();
    d.keys("D");
    d.wait(400);
    d.keys("esc");
    assert_eq!((d.top(), d.submitted()), ("none", 0));
}

#[test]
fn a_form_is_pinned_to_its_thing_whatever_the_list_does() {
    let mut d = Driver::new();
    d.keys("S");
    d.volumes.remove(0);
    d.event(Event::Changed(crate::model::Change::Kind(Kind::Volume)));
    d.wait(100);
    d.keys("F2");
    let volume = planned(&d).remove(0).volume().unwrap();
    assert_eq!(volume.as_str(), "v-db01-data");
}

#[test]
fn a_refusal_is_shown_and_kept() {
    let mut d = Driver::new();
    d.keys("S F2");
    d.wait(400);
    d.answers = false;
    d.keys("y");
    let Some(Effect::Submit(ticket, _)) = d.asked.last().cloned() else {
        panic!("nothing was submitted");
    };
    let changed = Problem::conflict("not done: what it would touch has changed").hint("plan anew");
    d.event(Event::Answer(ticket, Answer::Submitted(vec![Err(changed)])));
    let screen = d.screen();
    assert!(screen.contains("what it would touch has changed") && screen.contains("plan anew"));
    assert_eq!(d.state.messages.items.len(), 1);
    d.keys("esc");
    assert_eq!(d.top(), "none");
}

#[test]
fn marked_rows_are_planned_in_one_and_answered_one_by_one() {
    let mut d = Driver::new();
    d.keys("j j space space D");
    assert_eq!(planned(&d).len(), 2);
    d.wait(400);
    let screen = d.screen();
    assert!(
        screen.contains("2 things at once")
            && screen.contains("Together")
            && screen.contains("type delete 2"),
        "{screen}"
    );
    d.typed("delete 2");
    d.answers = false;
    d.keys("enter");
    let Some(Effect::Submit(ticket, plans)) = d.asked.last().cloned() else {
        panic!("nothing was submitted");
    };
    assert_eq!(plans.len(), 2);
    let results = vec![Ok("t1".into()), Err(Problem::conflict("it is in use"))];
    d.event(Event::Answer(ticket, Answer::Submitted(results)));
    let screen = d.screen();
    assert!(
        screen.contains("v-scratch now: begun") && screen.contains("it is in use"),
        "{screen}"
    );
}

#[test]
fn a_restore_is_filled_from_the_snapshot_in_hand() {
    let mut d = Driver::new();
    d.keys("enter g R F2");
    let operation = planned(&d).remove(0);
    assert_eq!(operation.volume().unwrap().as_str(), "v-db01-data");
    assert_eq!(
        operation.snapshot().unwrap().as_str(),
        "s-db01-data-nightly-03"
    );
    assert!(operation.flag("guard"), "the default is the safe one");
}

#[test]
fn a_restore_from_the_volume_asks_which_snapshot_with_a_search() {
    let mut d = Driver::new();
    d.keys("R enter");
    assert_eq!(d.top(), "chooser");
    let screen = d.screen();
    assert!(
        screen.contains("before-upgrade") && !screen.contains("web-root@"),
        "{screen}"
    );
    d.typed("upgr");
    d.keys("enter F2");
    let operation = planned(&d).remove(0);
    assert_eq!(
        operation.snapshot().unwrap().as_str(),
        "s-db01-data-before-upgrade"
    );
}

#[test]
fn an_edit_begins_with_what_is_there_and_sends_only_what_changed() {
    let mut d = Driver::new();
    d.keys("e");
    assert!(d.screen().contains("the main cluster"));
    d.typed("2");
    d.keys("F2");
    let operation = planned(&d).remove(0);
    assert_eq!(operation.get_text("name").unwrap(), "db01-data2");
    assert_eq!(operation.find_text("description"), None);
}

#[test]
fn a_suggested_name_is_taken_where_none_is_typed() {
    let mut d = Driver::new();
    d.keys("S F2");
    let name = planned(&d).remove(0).values["name"].clone();
    assert!(matches!(name, Value::Text(_)), "{name:?}");
}

#[test]
fn a_paste_goes_into_the_field_in_hand_and_is_never_taken_as_keys() {
    let mut d = Driver::new();
    d.event(Event::Paste("q D y".into()));
    assert_eq!((d.top(), d.has_quit()), ("none", false));
    d.keys("c");
    d.event(Event::Paste("new\nname".into()));
    assert!(d.screen().contains("newname"));
    assert_eq!(d.top(), "form");
}

#[test]
fn an_answer_that_comes_too_late_is_dropped() {
    let mut d = Driver::new();
    d.answers = false;
    d.keys("S F2");
    let Some(Effect::Plan(ticket, operations)) = d.asked.last().cloned() else {
        panic!("nothing was planned");
    };
    d.keys("esc");
    assert!(d.asked.contains(&Effect::Forget(ticket)));
    let plans = operations
        .iter()
        .map(|o| Ok(super::fixtures::plan(o)))
        .collect();
    d.event(Event::Answer(ticket, Answer::Planned(plans)));
    assert_eq!(d.top(), "none");
}

#[test]
fn read_only_lets_nothing_through_and_says_so() {
    let start = Start {
        read_only: true,
        ..Start::default()
    };
    let mut d = Driver::start(start, true);
    d.tasks(super::driver::some_tasks());
    assert!(d.screen().contains("READ-ONLY"));
    for key in ["c", "S", "e", "D", "R", "C", "F", "+", "t", "x"] {
        d.keys(key);
        assert_eq!(d.top(), "none", "{key}");
        assert!(d.screen().contains("this is read-only"), "{key}");
    }
    d.keys("a");
    assert!(d.screen().contains("this is read-only"));
    let changes = |e: &Effect| {
        matches!(
            e,
            Effect::Plan(..) | Effect::Submit(..) | Effect::Control(..)
        )
    };
    assert!(!d.asked.iter().any(changes));
}

#[test]
fn what_the_system_cannot_do_says_why() {
    let mut d = Driver::new();
    d.keys("+");
    assert!(d.screen().contains("this system cannot make a disk larger"));
    d.keys("a");
    assert!(d.screen().contains("this system cannot make a disk larger"));
    d.keys("esc F");
    assert!(d.screen().contains("testing does not have it"));
}

#[test]
fn a_failed_task_is_retried_and_a_running_one_cancelled_after_a_question() {
    let mut d = Driver::new();
    d.tasks([task(1, TaskState::Running)]);
    d.keys("x enter");
    assert_eq!(d.top(), "question", "too early to be meant");
    d.wait(400);
    d.keys("enter");
    let controls = |d: &Driver| {
        d.asked
            .iter()
            .filter(|e| matches!(e, Effect::Control(..)))
            .count()
    };
    assert_eq!((d.top(), controls(&d)), ("none", 0), "the safe answer");
    d.keys("x");
    d.wait(400);
    d.keys("y");
    assert_eq!(controls(&d), 1);
    d.tasks([task(1, TaskState::Failed)]);
    assert!(d.screen().contains("<t> retry"));
    d.keys("t");
    assert_eq!(controls(&d), 2);
    assert!(
        d.state.messages.items[0]
            .problem
            .what
            .contains("the array said no")
    );
}

#[test]
fn leaving_while_something_runs_names_it() {
    let mut d = Driver::new();
    d.tasks([task(7, TaskState::Running)]);
    d.keys("q");
    let screen = d.screen();
    assert!(
        screen.contains("restore db01 ← nightly-07") && screen.contains("next start"),
        "{screen}"
    );
    d.keys("q y enter");
    assert!(!d.has_quit(), "too early to be meant");
    d.wait(400);
    d.keys("q enter");
    assert!(!d.has_quit());
    d.keys("ctrl-c");
    d.wait(400);
    d.keys("y");
    assert!(d.has_quit());

    let mut idle = Driver::new();
    idle.keys("ctrl-c");
    assert!(idle.has_quit(), "nothing runs: at once");
}

#[test]
fn the_question_whether_to_leave_answers_itself() {
    for (end, leaves) in [(TaskState::Succeeded, true), (TaskState::Failed, false)] {
        let mut d = Driver::new();
        d.tasks([task(7, TaskState::Running)]);
        d.keys("q");
        assert_eq!(d.top(), "question");
        d.tasks([task(7, end)]);
        assert_eq!((d.top(), d.has_quit()), ("none", leaves));
    }
}

#[test]
fn a_menu_of_a_snapshot_does_not_offer_what_is_done_to_volumes() {
    let mut d = Driver::new();
    d.keys("enter g a");
    let Some(Overlay::Chooser(menu)) = d.state.overlays.last() else {
        panic!("no menu");
    };
    let labels: Vec<_> = menu.entries.iter().map(|e| e.label.as_str()).collect();
    assert!(labels.contains(&"Delete a snapshot") && !labels.contains(&"Delete a disk"));
    assert_eq!(
        d.state.object(),
        Some(ObjectRef::new(Kind::Snapshot, "s-db01-data-nightly-03"))
    );
}

#[test]
fn what_failed_is_rolled_back_once_by_what_it_kept() {
    let mut d = Driver::sized(120, 36);
    let mut failed = task(2, TaskState::Failed);
    d.tasks([failed.clone()]);
    d.keys("b");
    assert_eq!(d.top(), "none", "nothing was kept of it");
    failed.steps[0].state = StepState::Done(StepOutcome {
        message: String::new(),
        made: vec![ObjectRef::new(Kind::Snapshot, "s-db01-data-guard-1")],
    });
    d.tasks([failed.clone()]);
    assert!(
        d.screen().contains("<t> retry <b> roll back"),
        "{}",
        d.screen()
    );
    d.keys("b");
    assert_eq!(d.top(), "review", "its plan comes first");
    let back = planned(&d).remove(0);
    assert_eq!(back.snapshot().unwrap().as_str(), "s-db01-data-guard-1");
    assert!(back.flag("guard"), "what is there now is kept as well");
    d.wait(400);
    d.keys("y");
    assert_eq!(d.submitted(), 1);
    let mut done = task(3, TaskState::Succeeded);
    done.plan.operation = back;
    d.tasks([done]);
    assert!(d.screen().contains("failed, rolled back"), "{}", d.screen());
    d.keys("b");
    assert_eq!(d.top(), "none", "not twice");
    d.wait(30_000);
    assert!(
        !d.screen().contains("rolled back"),
        "nothing is left to decide"
    );
}
