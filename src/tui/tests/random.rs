//! Whatever happens in whatever order at whatever size, nothing panics and nothing is sent unseen.

use proptest::prelude::*;

use super::driver::{Driver, Start, some_tasks};
use crate::model::{Change, Kind, ObjectRef, Problem};
use crate::tui::event::{Effect, Event};
use crate::tui::key::Key;
use crate::tui::terminal::ColorTier;
use crate::tui::tour::{Tour, Walk};

#[derive(Clone, Debug)]
pub(super) enum Act {
    Key(Key),
    Typed(String),
    Paste(String),
    Resize(u16, u16),
    Wait(u64),
    Tasks,
    Changed(usize),
    Lost(usize),
    Failing(bool),
    Fault,
    Click(u16, u16),
    Wheel(i32),
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let special = prop::sample::select(vec![
        Key::ENTER,
        Key::ESC,
        Key::TAB,
        Key::BACK_TAB,
        Key::UP,
        Key::DOWN,
        Key::LEFT,
        Key::RIGHT,
        Key::HOME,
        Key::END,
        Key::PAGE_UP,
        Key::PAGE_DOWN,
        Key::f(2),
        Key::f(1),
        Key::f(3),
        Key::f(4),
        Key::f(5),
        Key::SPACE,
        Key::ctrl('u'),
        Key::ctrl('z'),
    ]);
    let letters = prop::char::range(' ', '~').prop_map(Key::char);
    prop_oneof![
        8 => special.prop_map(Act::Key),
        8 => letters.prop_map(Act::Key),
        1 => "\\PC{0,8}".prop_map(Act::Typed),
        1 => ".{0,8}".prop_map(Act::Paste),
        1 => (1u16..160, 1u16..60).prop_map(|(w, h)| Act::Resize(w, h)),
        2 => (0u64..500).prop_map(Act::Wait),
        1 => (0u64..20_000).prop_map(Act::Wait),
        1 => Just(Act::Tasks),
        1 => (0usize..6).prop_map(Act::Changed),
        1 => (0usize..6).prop_map(Act::Lost),
        1 => any::<bool>().prop_map(Act::Failing),
        1 => Just(Act::Fault),
        1 => (0u16..160, 0u16..60).prop_map(|(x, y)| Act::Click(x, y)),
        1 => (-4i32..4).prop_map(Act::Wheel),
    ]
}

pub(super) fn perform(d: &mut Driver, act: &Act) {
    match act {
        Act::Key(key) => d.event(Event::Key(*key)),
        Act::Typed(text) => {
            d.typed(text);
        }
        Act::Paste(text) => d.event(Event::Paste(text.clone())),
        Act::Resize(w, h) => d.event(Event::Resize(*w, *h)),
        Act::Wait(ms) => d.wait(*ms),
        Act::Tasks => d.tasks(some_tasks()),
        Act::Changed(i) => {
            let id = d
                .volumes
                .get(*i)
                .map_or("v-none".into(), |v| v.id.0.clone());
            d.event(Event::Changed(Change::Object(ObjectRef::new(
                Kind::Volume,
                id,
            ))));
        }
        Act::Lost(i) => {
            if *i < d.volumes.len() {
                let gone = d.volumes.remove(*i);
                d.snapshots.retain(|s| s.volume != gone.id);
            }
            d.event(Event::Changed(Change::Kind(Kind::Volume)));
            d.event(Event::Changed(Change::Kind(Kind::Snapshot)));
        }
        Act::Failing(on) => d.failing = on.then(|| Problem::user("it fails")),
        Act::Fault => d.event(Event::Fault(Problem::user("a fault"))),
        Act::Click(x, y) => {
            let (_, scene) = d.frame();
            if let Some(hit) = scene.at(*x, *y).cloned() {
                d.event(Event::Click(hit));
            }
        }
        Act::Wheel(rows) => d.event(Event::Wheel(*rows)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(
        acts in prop::collection::vec(act(), 1..60),
        size in (1u16..140, 1u16..50),
        ascii: bool,
        read_only: bool,
        tour in prop::option::of((0usize..5, prop::option::of(1.0f64..50.0))),
    ) {
        let tier = if ascii { ColorTier::None } else { ColorTier::Ansi256 };
        let tours = Tour::all().unwrap();
        let start = Start { size, ascii, tier, read_only, tours, ..Start::default() };
        let mut d = Driver::start(start, true);
        if let Some((number, speed)) = tour {
            let tour = d.state.tours[number].clone();
            Walk::begin(&mut d.state, tour, speed);
        }
        for act in &acts {
            perform(&mut d, act);
            let (buffer, scene) = d.frame();
            if let Some(cursor) = scene.cursor {
                prop_assert!(buffer.area.contains(cursor), "{cursor:?}");
            }
            let screen = d.state.screen();
            prop_assert!(screen.shown.is_empty() || screen.cursor < screen.shown.len());
            let due = d.state.deadline();
            prop_assert!(due.is_none_or(|due| due.as_millis() as u64 >= d.ms), "a deadline in the past");
        }
        if read_only {
            let changes = |e: &Effect| matches!(e, Effect::Submit(..) | Effect::Control(..));
            prop_assert!(!d.asked.iter().any(changes));
        }
    }
}

#[test]
fn every_size_is_drawn() {
    let mut d = Driver::new();
    d.tasks(some_tasks());
    for keys in [
        "",
        "enter",
        "S",
        "F2",
        "esc esc ?",
        "esc :",
        "esc a",
        "esc 7",
        "T",
        "enter",
        "q",
    ] {
        d.keys(keys);
        for width in [
            1, 2, 3, 5, 10, 20, 39, 40, 41, 60, 79, 80, 109, 110, 120, 200,
        ] {
            for height in [1, 2, 3, 5, 7, 8, 9, 11, 12, 13, 14, 16, 24, 36, 60] {
                d.event(Event::Resize(width, height));
                d.frame();
            }
        }
        d.event(Event::Resize(120, 36));
        d.wait(400);
    }
}
