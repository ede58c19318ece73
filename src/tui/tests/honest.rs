//! What is stale, unknown, failing or hostile is told as such.

use std::time::Duration;

use super::driver::{Driver, Start, some_tasks};
use super::fixtures::{task, volume};
use crate::model::{Problem, ProblemKind, TaskState};
use crate::tui::event::{Effect, Event};
use crate::tui::terminal::ColorTier;

fn down() -> Problem {
    Problem::new(ProblemKind::Network, "the array was not reached").hint("look at the cable")
}

#[test]
fn nothing_is_loading_before_it_is_slow() {
    let mut d = Driver::start(Start::default(), false);
    assert!(!d.screen().contains("reading"));
    d.wait(140);
    assert!(!d.screen().contains("reading"));
    d.wait(20);
    assert!(d.screen().contains("reading the list"));
    let list = d.asked[0].clone();
    d.answer(&list);
    let screen = d.screen();
    assert!(!screen.contains("reading the list") && screen.contains("db01-data"));
}

#[test]
fn an_error_leaves_the_list_usable_says_its_age_and_is_kept() {
    let mut d = Driver::new();
    d.failing = Some(down());
    d.wait(5 * 60_000);
    d.keys("r");
    let screen = d.screen();
    assert!(
        screen.contains("db01-data") && screen.contains("stale, 5m old"),
        "{screen}"
    );
    assert!(screen.contains("the array was not reached"));
    d.keys("j enter");
    assert!(d.screen().contains("you are here") || d.screen().contains("db01-test"));
    d.wait(10_000);
    d.keys("!");
    assert!(d.screen().contains("look at the cable"));
    d.keys("enter");
    assert!(d.screen().contains("try: look at the cable"));
}

#[test]
fn a_list_that_never_came_says_why_and_what_to_try() {
    let mut d = Driver::start(Start::default(), false);
    d.failing = Some(down());
    let list = d.asked[0].clone();
    d.answer(&list);
    let screen = d.screen();
    assert!(screen.contains("the array was not reached") && screen.contains("<r> tries again"));
    d.failing = None;
    d.answers = true;
    d.keys("r");
    assert!(d.screen().contains("db01-data"));
}

#[test]
fn empty_lists_say_what_to_do_next() {
    let mut d = Driver::start(Start::default(), false);
    d.volumes.clear();
    d.snapshots.clear();
    d.answers = true;
    let list = d.asked[0].clone();
    d.answer(&list);
    let screen = d.screen();
    assert!(
        screen.contains("there is no disk yet") && screen.contains("<c> makes one"),
        "{screen}"
    );
    d.keys("2");
    assert!(d.screen().contains("there <S> takes one"));
    d.keys("7");
    assert!(d.screen().contains("nothing was done yet"));
    d.keys("9");
    assert!(d.screen().contains("nothing went wrong so far"));
}

#[test]
fn a_name_from_right_to_left_ends_where_it_ends() {
    let mut d = Driver::start(Start::default(), false);
    d.volumes = vec![volume("\u{5d3}\u{5d9}\u{5e1}\u{5e7}"), volume("plain")];
    d.answers = true;
    let list = d.asked[0].clone();
    d.answer(&list);
    let (buffer, _) = d.frame();
    let marked = |cell: &&ratatui::buffer::Cell| cell.symbol().ends_with('\u{200e}');
    let marks = buffer.content.iter().filter(marked).count();
    assert!(marks > 0, "what follows would be taken into it");
    let others =
        |cell: &&ratatui::buffer::Cell| marked(cell) && !cell.symbol().starts_with('\u{5e7}');
    assert_eq!(buffer.content.iter().filter(others).count(), 0);
}

#[test]
fn no_name_from_elsewhere_acts_on_the_terminal() {
    let hostile = [
        "\x1b[2J\x1b]0;owned\x07",
        "gpj.\u{202e}exe",
        "ad\u{200b}min\u{feff}",
        "a\nb\rc\td",
        "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        "日本語のディスク",
        "👩\u{200d}💻 دیسک",
    ];
    for ascii in [false, true] {
        for (width, height) in [(40, 10), (80, 24), (120, 36)] {
            let start = Start {
                size: (width, height),
                ascii,
                ..Start::default()
            };
            let mut d = Driver::start(start, false);
            d.volumes = hostile.iter().map(|name| volume(name)).collect();
            for (v, name) in d.volumes.iter_mut().zip(hostile) {
                v.instance = Some(name.to_owned());
                v.description = name.to_owned();
                v.metadata.insert(name.to_owned(), name.to_owned());
            }
            d.answers = true;
            let list = d.asked[0].clone();
            d.answer(&list);
            let mut failed = task(1, TaskState::Failed);
            failed.plan.subject = hostile[0].to_owned();
            failed.reason = hostile[1].to_owned();
            d.tasks([failed]);
            for keys in [
                "j",
                "d",
                "esc y",
                "esc enter",
                "esc S",
                "esc D",
                "esc 7 enter",
                "! enter",
            ] {
                d.keys(keys);
                let (buffer, _) = d.frame();
                for cell in &buffer.content {
                    let bad = |c: char| {
                        c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || c == '\u{200b}'
                    };
                    assert!(!cell.symbol().chars().any(bad), "{:?}", cell.symbol());
                    assert!(!ascii || cell.symbol().is_ascii(), "{:?}", cell.symbol());
                }
            }
        }
    }
}

#[test]
fn the_selection_is_seen_without_colours() {
    for tier in [ColorTier::None, ColorTier::Ansi16, ColorTier::True] {
        let mut d = Driver::start(
            Start {
                tier,
                ..Start::default()
            },
            true,
        );
        d.keys("j");
        let (buffer, scene) = d.frame();
        let row = scene.cursor.unwrap().y;
        let of_row = |y: u16| (0..60).map(|x| buffer[(x, y)].style()).collect::<Vec<_>>();
        let style = buffer[(4, row)].style();
        assert_ne!(style, buffer[(4, row + 1)].style(), "{tier:?}");
        assert_ne!(of_row(row), of_row(row + 1));
        if tier == ColorTier::None {
            assert!(
                style
                    .add_modifier
                    .contains(ratatui::style::Modifier::REVERSED)
            );
            let colours = buffer.content.iter().any(|c| {
                c.fg != ratatui::style::Color::Reset || c.bg != ratatui::style::Color::Reset
            });
            assert!(!colours);
        }
    }
}

#[test]
fn what_is_cut_ends_with_a_mark() {
    let mut d = Driver::sized(80, 24);
    d.volumes[0].name =
        "a-very-long-name-of-a-volume-that-nobody-can-read-in-a-narrow-column".into();
    d.keys("r");
    let screen = d.screen();
    assert!(
        screen.contains("a-very-long") && screen.contains('…'),
        "{screen}"
    );
}

#[test]
fn idle_it_waits_for_whole_minutes_and_asks_for_nothing() {
    let mut d = Driver::new();
    d.wait(10_000);
    let before = d.asked.len();
    let due = d.state.deadline().unwrap();
    assert!(due >= Duration::from_secs(60), "{due:?}");
    d.wait(600_000);
    assert_eq!(d.asked.len(), before);
}

#[test]
fn too_small_says_so_and_recovers() {
    let mut d = Driver::sized(30, 6);
    assert!(d.screen().contains("too small"));
    d.event(Event::Resize(80, 24));
    assert!(d.screen().contains("db01-data"));
}

#[test]
fn tasks_that_need_a_decision_stay_in_sight() {
    let mut d = Driver::new();
    d.tasks([task(1, TaskState::Running), task(2, TaskState::Running)]);
    d.tasks(some_tasks());
    d.wait(60_000);
    let screen = d.screen();
    assert!(
        screen.contains("nightly-02") && screen.contains("the array said no"),
        "{screen}"
    );
    assert!(
        !screen.contains("done in"),
        "what is well over has left: {screen}"
    );
    d.keys("7");
    assert!(d.screen().contains("succeeded"));
    d.keys("1 T T");
    assert!(
        !d.screen().contains("─ Tasks"),
        "hidden, and still counted:"
    );
    assert!(d.screen().contains("1 task"));
}

#[test]
fn a_signal_ends_it_at_once() {
    let mut d = Driver::new();
    d.tasks([task(1, TaskState::Running)]);
    d.event(Event::Signal(15));
    assert_eq!(
        (d.asked.last(), d.state.signal),
        (Some(&Effect::Quit), Some(15))
    );
}
