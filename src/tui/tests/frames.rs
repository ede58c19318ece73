//! Frames, pinned with their styles.

use std::fmt::Write as _;
use std::sync::Arc;

use ratatui::style::Style;

use super::driver::{Driver, Start, some_tasks};
use crate::config::theme::Role;
use crate::tui::terminal::ColorTier;
use crate::tui::tour::{Tour, Walk};

/// A frame as text: each row, and under it which roles its pieces have.
fn pinned(d: &Driver) -> String {
    let (buffer, scene) = d.frame();
    let area = buffer.area;
    let mut out = String::new();
    for y in 0..area.height {
        let row: String = (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
        writeln!(out, "|{}", row.trim_end()).unwrap();
        let mut runs: Vec<(u16, u16, String)> = Vec::new();
        for x in 0..area.width {
            let cell = &buffer[(x, y)];
            let style = cell.style();
            let blank = cell.symbol() == " "
                && style.add_modifier.is_empty()
                && style.bg == Some(ratatui::style::Color::Reset);
            let name = if blank { String::new() } else { name(d, style) };
            match runs.last_mut() {
                Some((_, end, last)) if *last == name || blank => *end = x,
                _ => runs.push((x, x, name)),
            }
        }
        let runs: Vec<_> = runs
            .into_iter()
            .filter(|(.., name)| !name.is_empty() && name != "text")
            .map(|(start, _, name)| format!("{start}:{name}"))
            .collect();
        if !runs.is_empty() {
            writeln!(out, "    {}", runs.join(" ")).unwrap();
        }
    }
    match scene.cursor {
        Some(cursor) => writeln!(out, "cursor at {},{}", cursor.x, cursor.y).unwrap(),
        None => writeln!(out, "no cursor").unwrap(),
    }
    out
}

/// The role that looks like this.
fn name(d: &Driver, style: Style) -> String {
    let same = |role: &&Role| {
        let look = d.state.skin.style(**role);
        let colour = |c: Option<_>| c.unwrap_or(ratatui::style::Color::Reset);
        colour(look.fg) == colour(style.fg)
            && (colour(look.bg) == colour(style.bg))
            && look.add_modifier == style.add_modifier
    };
    // Text comes first, since without colours several roles look the same.
    let plain = std::iter::once(&Role::Text);
    match plain.chain(Role::ALL).find(same) {
        Some(Role::Background) | None => format!("{:?}/{:?}", style.fg, style.bg),
        Some(role) => role.name().to_owned(),
    }
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 36), (200, 60)];

fn pin(name: &str, prepare: impl Fn(&mut Driver)) {
    for (width, height) in SIZES {
        let mut d = Driver::sized(width, height);
        prepare(&mut d);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), pinned(&d));
    }
}

#[test]
fn volumes() {
    pin("volumes", |d| d.tasks(some_tasks()));
}

#[test]
fn tree() {
    pin("tree", |d| {
        d.keys("enter");
    });
}

#[test]
fn snapshots() {
    pin("snapshots", |d| {
        d.keys("2 space");
        d.wait(100);
    });
}

#[test]
fn groups() {
    pin("groups", |d| {
        d.keys("3");
        d.wait(100);
    });
}

#[test]
fn sessions() {
    pin("sessions", |d| {
        d.keys("4 j");
        d.wait(100);
    });
}

#[test]
fn targets() {
    pin("targets", |d| {
        d.keys("5");
        d.wait(100);
    });
}

#[test]
fn members() {
    pin("members", |d| {
        d.keys("4 enter");
        d.wait(100);
    });
}

#[test]
fn pulse() {
    pin("pulse", |d| {
        d.tasks(some_tasks());
        d.keys("0");
        d.wait(100);
    });
}

#[test]
fn instances() {
    pin("instances", |d| {
        d.keys("6");
        d.wait(100);
    });
}

#[test]
fn instance() {
    pin("instance", |d| {
        d.keys("6 enter");
        d.wait(100);
    });
}

#[test]
fn related_things() {
    pin("related", |d| {
        d.keys("5 o");
    });
}

#[test]
fn block_map() {
    pin("map", |d| {
        d.keys("enter g space j B");
    });
}

#[test]
fn difference() {
    pin("difference", |d| {
        d.keys("enter g space G f");
    });
}

#[test]
fn a_form_with_a_choice() {
    pin("link", |d| {
        d.keys("4 L tab");
    });
}

#[test]
fn things_to_choose() {
    pin("choose", |d| {
        d.keys("3 c tab space space");
    });
}

#[test]
fn tasks() {
    pin("tasks", |d| {
        d.tasks(some_tasks());
        d.keys("7 j");
    });
}

#[test]
fn a_task_that_failed() {
    pin("task", |d| {
        d.tasks(some_tasks());
        d.keys("7 j enter");
    });
}

#[test]
fn a_form() {
    pin("form", |d| {
        d.keys("c").typed("a-name-that-is-long");
    });
}

#[test]
fn a_plan_to_be_confirmed_by_name() {
    pin("plan", |d| {
        d.keys("j j D");
        d.wait(400);
        d.typed("v-scr");
    });
}

#[test]
fn help() {
    pin("help", |d| {
        d.keys("?");
    });
}

#[test]
fn palette() {
    pin("palette", |d| {
        d.keys(":").typed("re");
    });
}

#[test]
fn question() {
    pin("question", |d| {
        d.tasks(some_tasks());
        d.keys("q");
        d.wait(400);
    });
}

#[test]
fn a_tour_beside_a_task_and_under_a_form() {
    let walk = |d: &mut Driver| {
        let mut tours = Tour::all().unwrap().into_iter();
        let tour = tours.find(|tour| tour.name() == "failed-restore").unwrap();
        Walk::begin(&mut d.state, Arc::new(tour), None);
        d.tasks(some_tasks());
        d.keys("n n");
    };
    pin("tour", walk);
    pin("tour_form", |d| {
        walk(d);
        d.keys("R");
    });
}

#[test]
fn in_ascii_and_without_colours() {
    for (name, ascii, tier) in [
        ("ascii", true, ColorTier::Ansi16),
        ("mono", false, ColorTier::None),
        ("ascii_mono", true, ColorTier::None),
    ] {
        let size = (80, 24);
        let start = Start {
            size,
            ascii,
            tier,
            ..Start::default()
        };
        let mut d = Driver::start(start, true);
        d.tasks(some_tasks());
        insta::assert_snapshot!(format!("volumes_{name}"), pinned(&d));
        d.keys("enter k space");
        insta::assert_snapshot!(format!("tree_{name}"), pinned(&d));
    }
}
