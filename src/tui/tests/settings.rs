//! What is set is in force at once, and what is not sound changes nothing.

use std::path::Path;

use super::driver::Driver;
use crate::config::{Config, Fault, parse};
use crate::tui::event::{Effect, Event, PictureForm};
use crate::tui::log::LogLine;
use crate::tui::state::Place;

fn config(text: &str) -> Config {
    parse(Path::new("config.toml"), text).unwrap()
}

fn written(d: &mut Driver, text: &str) {
    d.event(Event::Configured(Ok(Box::new(config(text)))));
}

fn bottom(d: &Driver) -> String {
    d.screen().lines().last().unwrap_or_default().to_owned()
}

#[test]
fn keys_are_rebound_and_shown_as_they_are() {
    let mut d = Driver::new();
    written(
        &mut d,
        "[keys]\nsnapshot = [\"ctrl-s\", \"X\"]\nhelp = \"H\"\n",
    );
    d.wait(7_000);
    assert!(bottom(&d).contains("<ctrl-s> snapshot"), "{}", bottom(&d));
    assert!(bottom(&d).ends_with("<H> help"), "{}", bottom(&d));
    d.keys("S");
    assert_eq!(d.top(), "none", "the key that it had does nothing any more");
    d.keys("H");
    assert_eq!(d.top(), "help");
    assert!(d.screen().contains("ctrl-s X"), "{}", d.screen());
    d.keys("esc X");
    assert_eq!(d.top(), "form");
}

#[test]
fn an_action_without_a_key_is_found_by_its_name_and_stands_nowhere_else() {
    let mut d = Driver::new();
    written(&mut d, "[keys]\nsnapshot = []\n");
    d.wait(7_000);
    assert!(!bottom(&d).contains("snapshot"), "{}", bottom(&d));
    d.keys("S");
    assert_eq!(d.top(), "none");
    d.keys(":").typed("snapshot");
    d.keys("enter");
    assert_eq!(d.top(), "form");
}

#[test]
fn what_is_not_sound_leaves_what_was() {
    let mut d = Driver::new();
    written(&mut d, "theme = \"dusk\"\n");
    assert_eq!(d.state.theme.name, "dusk");
    let faults = parse(Path::new("c"), "them = 1\nmouse = 2\n").unwrap_err();
    d.event(Event::Configured(Err(faults)));
    assert_eq!(d.state.theme.name, "dusk");
    let message = &d.state.messages.items.last().unwrap().problem;
    assert_eq!(message.causes.len(), 2);
    assert!(
        bottom(&d).contains("the one before stays"),
        "{}",
        bottom(&d)
    );
    // What the types let pass and the keys do not.
    written(
        &mut d,
        "theme = \"light\"\n[keys]\nopen = \"x\"\nback = \"x\"\n",
    );
    assert_eq!(d.state.theme.name, "dusk");
    let message = &d.state.messages.items.last().unwrap().problem;
    assert!(message.causes[0].contains("is given to"), "{message:?}");
}

#[test]
fn a_theme_that_was_chosen_stays_until_the_setting_changes() {
    let mut d = Driver::new();
    d.keys(":").typed("theme dusk");
    d.keys("enter");
    written(&mut d, "mouse = false\ntheme = \"dark\"\n");
    assert_eq!(d.state.theme.name, "dusk");
    written(&mut d, "theme = \"light\"\n");
    assert_eq!(d.state.theme.name, "light");
}

#[test]
fn colours_glyphs_and_the_mouse_follow() {
    let mut d = Driver::new();
    assert!(!d.screen().is_ascii());
    written(
        &mut d,
        "glyphs = \"ascii\"\ncolors = \"none\"\nmouse = false\n",
    );
    assert!(d.screen().is_ascii());
    assert!(d.asked.contains(&Effect::Mouse(false)));
    let (buffer, _) = d.frame();
    let plain = ratatui::style::Color::Reset;
    assert!(
        buffer
            .content()
            .iter()
            .all(|c| c.fg == plain && c.bg == plain)
    );
    d.keys("F6");
    assert_eq!(d.asked.last(), Some(&Effect::Mouse(true)));
}

#[test]
fn read_only_can_be_set_and_not_be_taken_back() {
    let mut d = Driver::new();
    written(&mut d, "read-only = true\n");
    assert_eq!(d.asked.last(), Some(&Effect::Lock));
    assert!(d.screen().contains("READ-ONLY"));
    d.keys("S");
    assert_eq!(d.top(), "none");
    written(&mut d, "read-only = false\n");
    d.keys("S");
    assert_eq!(d.top(), "none");
}

#[test]
fn what_can_be_copied_depends_on_what_is_in_hand() {
    let mut d = Driver::new();
    let copied = |d: &Driver| match d.asked.last() {
        Some(Effect::Copy(what, text)) => (*what, text.clone()),
        other => panic!("{other:?}"),
    };
    d.keys("Y enter");
    assert_eq!(copied(&d), ("name", "db01-data".to_owned()));
    d.keys("Y").typed("id");
    d.keys("enter");
    assert_eq!(copied(&d), ("id", "v-db01-data".to_owned()));
    d.keys("* Y enter");
    assert_eq!(copied(&d).0, "names");
    assert_eq!(copied(&d).1.lines().count(), 4);
    d.keys("esc y Y enter");
    assert_eq!(copied(&d).0, "body");
    written(&mut d, "clipboard = \"off\"\n");
    d.keys("Y");
    assert_eq!(d.top(), "none");
    assert!(
        bottom(&d).contains("cannot be told to copy"),
        "{}",
        bottom(&d)
    );
}

#[test]
fn a_picture_is_taken_without_the_list_that_asked_for_it() {
    let mut d = Driver::new();
    d.keys("F9").typed("svg");
    d.keys("enter");
    assert_eq!(d.asked.last(), Some(&Effect::Picture(PictureForm::Svg)));
    assert_eq!(d.top(), "none");
    d.event(Event::Told(Ok("the picture is x.svg".to_owned())));
    assert!(bottom(&d).contains("x.svg"));
}

#[test]
fn the_log_is_shown_clean_and_bounded() {
    let mut d = Driver::new();
    let line = |n: usize| LogLine {
        at: d.state.now.wall,
        level: crate::config::LogLevel::Warn,
        part: "engine".to_owned(),
        text: format!("line {n} \x1b[31m"),
    };
    let lines = (0..5_000).map(line).collect();
    d.event(Event::Logged(lines));
    assert_eq!(d.state.log.len(), 2_000);
    d.keys("F8");
    assert_eq!(*d.place(), Place::Log);
    assert!(
        d.screen().contains("engine: line 4999 ␛[31m"),
        "{}",
        d.screen()
    );
    d.keys("F8 esc");
    assert_eq!(*d.place(), Place::Volumes);
}

#[test]
fn what_a_frame_costs_is_shown_while_it_is_asked_for() {
    let mut d = Driver::new();
    let cost = crate::tui::event::Cost {
        frame: 7,
        bytes: 321,
        ..Default::default()
    };
    d.event(Event::Drawn(cost));
    assert!(!d.screen().contains("321 B"));
    d.keys("F7");
    d.event(Event::Drawn(cost));
    assert!(d.screen().contains("frame 7:") && d.screen().contains("321 B"));
    d.keys("F7");
    assert!(!d.screen().contains("321 B"));
}

#[test]
fn faults_say_where_they_are() {
    let faults: Vec<Fault> = parse(Path::new("/x/config.toml"), "\n\nmose = true\n").unwrap_err();
    assert_eq!(
        Fault::problem(&faults).causes,
        ["/x/config.toml:3: there is no setting \"mose\"; did you mean \"mouse\"?"]
    );
}
