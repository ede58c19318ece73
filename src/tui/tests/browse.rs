//! Moving about, narrowing and ordering.

use super::driver::Driver;
use super::fixtures::{before, snapshot, volume};
use crate::model::{Change, Kind, ObjectRef, VolumeId};
use crate::tui::event::Event;
use crate::tui::state::Place;

#[test]
fn enter_drills_in_and_esc_comes_back_to_the_same_row() {
    let mut d = Driver::new();
    assert_eq!(d.selected(), "db01-data");
    d.keys("j j j");
    d.wait(100);
    assert_eq!(d.selected(), "web-root");
    d.keys("enter");
    assert_eq!(*d.place(), Place::Tree(VolumeId("v-web-root".into())));
    assert!(d.screen().contains("you are here"));
    d.keys("k enter");
    assert!(
        matches!(d.place(), Place::Describe(_)),
        "a snapshot's fields"
    );
    d.keys("esc esc");
    assert_eq!(*d.place(), Place::Volumes);
    assert_eq!(d.selected(), "web-root");
}

#[test]
fn the_tree_opens_where_the_volume_is_and_shows_its_branches() {
    let mut d = Driver::new();
    d.keys("enter");
    assert_eq!(
        d.selected(),
        "db01-data",
        "the present place stands for the volume"
    );
    let screen = d.screen();
    for line in [
        "○ nightly-03",
        "├─○ before-upgrade",
        "│ ├─◆ guard-1",
        "│ └─◉ you are here",
        "└─○ nightly-04",
        "◫ 1 clone",
    ] {
        assert!(screen.contains(line), "{line} in\n{screen}");
    }
}

#[test]
fn a_filter_narrows_inverts_and_looks_at_columns() {
    let mut d = Driver::new();
    let shown = |d: &Driver| d.state.screen().shown.len();
    d.keys("/").typed("db01");
    assert_eq!(shown(&d), 2);
    d.keys("enter esc /").typed("!db01");
    assert_eq!(shown(&d), 2);
    d.keys("enter esc /").typed("state:copy");
    assert_eq!(shown(&d), 1);
    assert_eq!(d.selected(), "db01-test");
    // Loosely: letters in their order will do.
    d.keys("esc /").typed("wbrt");
    assert_eq!(d.selected(), "web-root");
    d.keys("esc");
    assert_eq!(shown(&d), 4, "esc takes back what was typed");
    d.keys("/").typed("zzz");
    d.keys("enter");
    assert!(d.screen().contains("nothing matches the filter"));
    d.keys("esc");
    assert_eq!(shown(&d), 4);
}

#[test]
fn a_sort_chosen_again_reverses() {
    let mut d = Driver::new();
    let names = |d: &Driver| -> Vec<String> {
        let shown = &d.state.screen().shown;
        let items = &d.state.inventory.volumes.items;
        shown
            .iter()
            .map(|&i| items[i as usize].name.clone())
            .collect()
    };
    d.keys("s").typed("size");
    d.keys("enter");
    assert_eq!(names(&d), ["db01-data", "web-root", "db01-test", "scratch"]);
    d.keys("s enter");
    assert_eq!(names(&d).last().unwrap(), "db01-data");
    assert!(d.screen().contains("SIZE ▲"), "the order is shown");
}

#[test]
fn selection_and_marks_follow_their_things_when_the_list_changes() {
    let mut d = Driver::new();
    d.keys("j space");
    d.wait(100);
    assert_eq!(d.selected(), "scratch");
    d.volumes.insert(0, volume("aaa-new"));
    d.volumes.retain(|v| v.name != "db01-data");
    d.event(Event::Changed(Change::Kind(Kind::Volume)));
    d.wait(100);
    assert!(d.screen().contains("aaa-new"), "{}", d.screen());
    assert_eq!(d.selected(), "scratch");
    let marked: Vec<_> = d.state.objects();
    assert_eq!(marked, [ObjectRef::new(Kind::Volume, "v-db01-test")]);
}

#[test]
fn a_thing_that_is_gone_gives_its_place_to_its_neighbour_and_loses_its_mark() {
    let mut d = Driver::new();
    d.keys("j j space k");
    assert_eq!(d.selected(), "scratch");
    d.volumes.retain(|v| v.name != "scratch");
    d.event(Event::Changed(Change::Object(ObjectRef::new(
        Kind::Volume,
        "v-scratch",
    ))));
    d.wait(100);
    assert_eq!(d.selected(), "web-root");
    assert!(d.state.screen().marks.is_empty());
}

#[test]
fn a_volume_that_is_deleted_takes_its_open_screen_with_it() {
    let mut d = Driver::new();
    d.keys("enter");
    d.volumes.remove(0);
    d.event(Event::Changed(Change::Object(ObjectRef::new(
        Kind::Volume,
        "v-db01-data",
    ))));
    d.wait(100);
    assert_eq!(*d.place(), Place::Volumes);
}

#[test]
fn a_new_snapshot_appears_in_the_open_tree() {
    let mut d = Driver::new();
    d.keys("enter");
    d.snapshots
        .push(snapshot("db01-data", "fresh", Some("before-upgrade"), 1));
    let id = ObjectRef::new(Kind::Snapshot, "s-db01-data-fresh");
    d.event(Event::Changed(Change::Object(id)));
    d.wait(100);
    assert!(d.screen().contains("fresh"), "{}", d.screen());
}

#[test]
fn what_stands_beside_the_list_follows_once_the_selection_rests() {
    let mut d = Driver::new();
    assert!(d.screen().contains("guard-1"));
    let before = d.asked.len();
    d.keys("j j j");
    assert_eq!(d.asked.len(), before, "a held key asks for nothing");
    d.wait(100);
    assert_eq!(
        d.state.beside,
        Some(ObjectRef::new(Kind::Volume, "v-web-root"))
    );
    assert!(!d.screen().contains("guard-1"));
}

#[test]
fn only_the_rows_that_are_seen_are_asked_for_their_cells() {
    let mut d = Driver::sized(80, 24);
    d.volumes = (0..20_000)
        .map(|i| crate::model::Volume {
            created: Some(before(i)),
            ..volume(&format!("volume-{i:05}"))
        })
        .collect();
    d.event(Event::Changed(Change::Kind(Kind::Volume)));
    d.wait(100);
    d.keys("G");
    assert_eq!(d.selected(), "volume-19999");
    let screen = d.screen();
    assert!(screen.contains("volume-19999") && !screen.contains("volume-00000"));
    d.keys("g");
    assert_eq!(d.selected(), "volume-00000");
}

#[test]
fn views_keep_their_place() {
    let mut d = Driver::new();
    d.keys("j enter 2 j j 7 1");
    assert!(matches!(d.place(), Place::Tree(_)), "where it was left");
    d.keys("2");
    assert_eq!(d.state.screen().cursor, 2);
    d.keys("tab");
    assert_eq!(*d.place(), Place::Groups);
    d.keys("shift-tab shift-tab shift-tab");
    assert_eq!(*d.place(), Place::Pulse);
    d.keys("1 1");
    assert_eq!(
        *d.place(),
        Place::Volumes,
        "asked for again it shows its first screen"
    );
}

#[test]
fn the_body_of_a_thing_is_shown_as_the_system_has_it() {
    let mut d = Driver::new();
    d.keys("y");
    assert!(d.screen().contains("\"id\": \"v-db01-data\""));
    d.keys("esc d");
    let screen = d.screen();
    assert!(screen.contains("db01 as vdb") && screen.contains("the main cluster"));
}
