//! Every action does something somewhere, and says why not elsewhere.

use std::sync::Arc;

use super::driver::{Driver, some_tasks};
use crate::model::{Kind, ObjectRef, StepOutcome, StepState, TaskState};
use crate::tui::actions::{ACTIONS, fire};
use crate::tui::event::Event;
use crate::tui::tour::Tour;
use crate::tui::view::Hit;

/// Consoles in which, between them, everything can be done.
fn prepared() -> Vec<Driver> {
    [
        "",
        "j",
        "j j",
        "enter",
        "enter g",
        "enter g space j",
        "2 j",
        "0",
        "6",
        "1 2 [",
        "3",
        "3 enter",
        "4",
        "4 j",
        "5",
        "7 j",
        "7 G",
        "7 enter",
        "9",
        "d",
        "y",
        "/ d enter",
        "space",
        "tab",
        "V enter",
        "V enter n",
    ]
    .into_iter()
    .map(|keys| {
        let mut d = Driver::sized(80, 16);
        d.state.tours = Tour::all().unwrap().into_iter().map(Arc::new).collect();
        // The estate of the tests is not the one that they are for.
        d.state.inventory.volumes.loaded = None;
        d.tasks(some_tasks().map(|mut t| {
            // As if they had been under way before.
            t.ended = None;
            if t.state == TaskState::Failed {
                // It had kept what it was to replace.
                t.steps[0].state = StepState::Done(StepOutcome {
                    message: String::new(),
                    made: vec![ObjectRef::new(Kind::Snapshot, "s-db01-data-guard-1")],
                });
            }
            t
        }));
        d.event(Event::Fault(crate::model::Problem::user(
            "for the message centre",
        )));
        d.keys(keys);
        d
    })
    .chain(std::iter::once_with(|| {
        // A tab beside another.
        let mut d = Driver::sized(80, 16);
        let own = crate::tui::state::Neighbour::of(&d.state);
        let site = crate::tui::Site::Profile("lab".into());
        let id = crate::tui::state::TabId(1);
        let other = crate::tui::state::Neighbour {
            id,
            site: site.clone(),
            ..own.clone()
        };
        (d.state.id, d.state.site) = (id, site);
        d.state.around.tabs = vec![
            crate::tui::state::Neighbour {
                id: Default::default(),
                ..own
            },
            other,
        ];
        d.state.views.offer(crate::tui::state::Place::Profiles);
        d
    }))
    .chain(std::iter::once_with(|| {
        let mut d = super::trace::called();
        d.event(Event::Called(vec![super::trace::call(0, Some(200))]));
        d
    }))
    .collect()
}

#[test]
fn every_key_of_every_action_does_something() {
    for action in ACTIONS {
        for key in action.defaults {
            let works = prepared().into_iter().any(|mut d| {
                // What the test system has not got is tried where it would begin.
                if (action.enabled)(&d.state).is_err() {
                    return false;
                }
                d.state.notice = None;
                let before = format!("{:?}", d.state);
                let asked = d.asked.len();
                assert_eq!(d.state.keymap.action(*key).map(|a| a.id), Some(action.id));
                d.event(Event::Key(*key));
                let after = format!("{:?}", d.state);
                d.asked.len() > asked || different(&before, &after)
            });
            let absent = ["flatten", "extend", "shrink"].contains(&action.name);
            assert!(
                works || absent,
                "{key} ({}) does nothing anywhere",
                action.name
            );
        }
    }
}

/// Whether more than the clock differs.
fn different(before: &str, after: &str) -> bool {
    let rest = |text: &str| text.split_once("size: (").map(|(_, rest)| rest.to_owned());
    rest(before) != rest(after)
}

#[test]
fn what_cannot_be_done_says_why_and_does_nothing() {
    for mut d in prepared() {
        for action in ACTIONS {
            if let Err(reason) = (action.enabled)(&d.state) {
                assert!(
                    !reason.is_empty() && !reason.ends_with('.'),
                    "{}: {reason}",
                    action.name
                );
                fire(&mut d.state, action.id);
                let notice = d.state.notice.clone().unwrap();
                assert_eq!(notice.text, format!("{}: {reason}", action.name));
                assert!(d.state.take_effects().is_empty());
            }
        }
    }
}

#[test]
fn the_palette_runs_what_it_finds_and_greys_what_cannot_be_done() {
    let mut d = Driver::new();
    d.keys(":").typed("snapshots");
    d.keys("enter");
    assert_eq!(*d.place(), crate::tui::state::Place::Snapshots);
    d.keys(": ").typed("extend");
    assert!(
        d.screen().contains("this system cannot make a disk larger"),
        "{}",
        d.screen()
    );
    d.keys("enter");
    assert_eq!(d.top(), "chooser", "what cannot be done is not chosen");
    // What is named and cannot be now stands before what only resembles it: Enter runs nothing else.
    d.keys("esc :").typed("trace");
    d.keys("enter");
    assert_eq!(d.top(), "chooser");
    assert!(
        d.screen()
            .contains("trace: nothing is called: the system is here"),
        "{}",
        d.screen()
    );
    assert!(d.state.screen().marks.is_empty());
    d.keys("esc :").typed("theme light");
    assert_eq!(d.state.theme.name, "light", "tried on while it is selected");
    d.keys("esc");
    assert_eq!(d.state.theme.name, "dark");
    d.keys(":").typed("theme light");
    d.keys("enter");
    assert_eq!(d.state.theme.name, "light");
}

#[test]
fn help_and_the_bottom_line_show_the_keys_in_force() {
    let mut d = Driver::sized(120, 60);
    let bottom = |d: &Driver| d.screen().lines().last().unwrap_or_default().to_owned();
    assert!(bottom(&d).contains("<enter> open") && bottom(&d).ends_with("<?> help"));
    d.keys("?");
    let screen = d.screen();
    for action in ACTIONS {
        assert!(screen.contains(action.name), "{}", action.name);
    }
}

#[test]
fn only_the_topmost_dialog_can_be_pressed() {
    let mut d = Driver::new();
    d.keys("R");
    let (_, form) = d.frame();
    let under = form
        .hits
        .iter()
        .find(|(_, hit)| *hit == Hit::Part(2))
        .unwrap()
        .0;
    d.keys("space");
    let (_, scene) = d.frame();
    assert_eq!(d.top(), "chooser");
    let parts = scene
        .hits
        .iter()
        .filter(|(_, hit)| matches!(hit, Hit::Part(_)))
        .count();
    assert_eq!(
        parts, 4,
        "the snapshots of the volume, and no field of the form"
    );
    let at = scene.at(under.x, under.bottom() + 3);
    assert!(!matches!(at, Some(Hit::Part(_))));
}

#[test]
fn the_mouse_presses_rows_keys_and_buttons() {
    let mut d = Driver::new();
    let (_, scene) = d.frame();
    let rows = |(_, hit): &&(ratatui::layout::Rect, Hit)| matches!(hit, Hit::Row(_));
    let (area, hit) = scene.hits.iter().filter(rows).nth(2).unwrap().clone();
    assert_eq!(scene.at(area.x + 3, area.y), Some(&hit));
    d.event(Event::Click(hit.clone()));
    assert_eq!(d.selected(), "scratch");
    d.event(Event::Click(hit));
    assert!(matches!(d.place(), crate::tui::state::Place::Tree(_)));
    d.event(Event::Wheel(-3));
}

#[test]
fn the_mouse_opens_the_menu_of_a_row_and_presses_what_is_in_it() {
    let mut d = Driver::new();
    let (_, scene) = d.frame();
    let row = |name: &str| {
        let id = crate::model::ObjectRef::new(crate::model::Kind::Volume, format!("v-{name}"));
        crate::tui::state::RowId::Object(id)
    };
    // The place before a row, where its mark stands.
    let rows = |(_, hit): &&(ratatui::layout::Rect, Hit)| matches!(hit, Hit::Row(_));
    let (area, hit) = scene.hits.iter().filter(rows).nth(2).unwrap().clone();
    let Hit::Row(third) = hit else { panic!() };
    assert_eq!(scene.at(area.x, area.y), Some(&Hit::Menu(third.clone())));
    d.event(Event::Click(Hit::Menu(third)));
    assert_eq!((d.top(), d.selected().as_str()), ("chooser", "scratch"));

    // Asked on nothing, or on another row, it goes; asked again it is that row's.
    d.event(Event::Menu(None));
    assert_eq!(d.top(), "none");
    let first = d.state.screen().shown[0] as usize;
    let first = d.volumes[first].id.clone();
    let first = crate::tui::state::RowId::Object((&first).into());
    d.event(Event::Menu(Some(first.clone())));
    assert_eq!(d.top(), "chooser");
    assert!(d.screen().contains(&format!("Actions on {}", d.selected())));
    d.event(Event::Menu(Some(first.clone())));
    assert_eq!(d.top(), "chooser");

    // What cannot be done says why, and stays; what can is begun.
    let Some(crate::tui::overlay::Overlay::Chooser(menu)) = d.state.overlays.last() else {
        panic!()
    };
    let place = |label: &str| {
        let is = |&i: &usize| menu.entries[i].label == label;
        menu.found.iter().position(is).unwrap()
    };
    let (retry, take) = (place("retry"), place("Take a snapshot"));
    d.event(Event::Click(Hit::Part(retry)));
    assert_eq!(d.top(), "chooser");
    assert!(d.screen().contains("retry: no task is in hand"));
    d.event(Event::Click(Hit::Part(take)));
    assert_eq!(d.top(), "form");

    // A dialog is not taken away by it, and a row that is gone has no menu.
    d.event(Event::Menu(Some(first)));
    assert_eq!(d.top(), "form");
    d.keys("esc");
    d.event(Event::Menu(Some(row("never-was"))));
    assert_eq!(d.top(), "none");
}
