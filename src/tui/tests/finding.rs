//! Finding: the filter language, the palette over things, jumps, the way back and forward, columns.

use super::driver::Driver;
use crate::model::{Bytes, Kind, ObjectRef};
use crate::tui::state::Place;

/// The names that a filter leaves in the volumes.
fn found(filter: &str) -> Vec<String> {
    let mut d = Driver::new();
    d.volumes[1].size = Bytes::tib(2);
    d.volumes[2].created = Some(super::fixtures::before(3 * 86_400));
    d.keys("r /").typed(filter);
    let shown = d.state.screen().shown.clone();
    let items = &d.state.inventory.volumes.items;
    shown
        .iter()
        .map(|&i| items[i as usize].name.clone())
        .collect()
}

#[test]
fn the_filter_language_compares_and_asks() {
    for (filter, names) in [
        ("size>1T", &["db01-test"][..]),
        ("size<=8GiB", &["scratch"]),
        ("size>8GiB size<1T", &["db01-data", "web-root"]),
        ("age<30d", &["scratch"]),
        ("!age<30d", &["db01-data", "db01-test", "web-root"]),
        ("state=available", &["scratch", "web-root"]),
        ("state:copy", &["db01-test"]),
        ("name~wbrt", &["web-root"]),
        ("snaps>=4", &["db01-data"]),
        ("attached", &["db01-data"]),
        ("!attached db", &["db01-test"]),
        ("size>", &["db01-data", "db01-test", "scratch", "web-root"]),
        ("size>nonsense", &[]),
    ] {
        assert_eq!(found(filter), names, "{filter}");
    }
}

#[test]
fn a_filter_is_completed_and_found_again() {
    let mut d = Driver::new();
    d.keys("/").typed("!si");
    assert!(d.screen().contains("<tab> size>"), "{}", d.screen());
    d.keys("tab").typed("20G");
    assert_eq!(d.state.screen().filter, "!size>20G");
    d.keys("enter esc /").typed("web");
    d.keys("enter esc / ctrl-p");
    assert_eq!(d.state.screen().filter, "web");
    d.keys("ctrl-p");
    assert_eq!(d.state.screen().filter, "!size>20G");
    d.keys("ctrl-n");
    assert_eq!(d.state.screen().filter, "web");
}

#[test]
fn the_palette_finds_things() {
    let mut d = Driver::new();
    d.keys(":").typed("web-root");
    d.keys("enter");
    assert_eq!(*d.place(), Place::Tree("v-web-root".into()));
    d.keys("3 1 :").typed("weekly");
    d.keys("enter");
    let group = ObjectRef::new(Kind::Group, "g-weekly");
    assert_eq!(*d.place(), Place::Members(group));
}

#[test]
fn one_goes_from_a_thing_to_what_it_has_to_do_with_and_back() {
    let mut d = Driver::new();
    d.keys("5 o").typed("the session");
    d.keys("enter");
    let session = Place::Members(ObjectRef::new(Kind::Session, "e-audit"));
    assert_eq!(*d.place(), session);
    d.keys("3 [");
    assert_eq!(*d.place(), session, "in the view where it was");
    d.keys("[");
    assert_eq!(*d.place(), Place::Targets);
    d.keys("]");
    assert_eq!(*d.place(), session);
    d.keys("1");
    assert!(!d.state.trail.has_future(), "a new way ends the old one");
}

#[test]
fn a_column_is_hidden_and_shown_again() {
    let mut d = Driver::new();
    assert!(d.screen().contains("SNAPS"));
    d.keys(",").typed("snaps");
    d.keys("enter esc");
    assert!(!d.screen().contains("SNAPS"), "{}", d.screen());
    d.keys("3 1");
    assert!(!d.screen().contains("SNAPS"), "kept");
    d.keys(",").typed("snaps");
    d.keys("enter esc");
    assert!(d.screen().contains("SNAPS"));
}

#[test]
fn a_machine_stands_for_its_volumes() {
    let mut d = Driver::new();
    d.volumes[1].instance = Some("db01".into());
    d.keys("r 6");
    assert!(d.screen().contains("db01"), "{}", d.screen());
    d.keys("M");
    assert!(
        d.screen().contains("2: db01-test, db01-data"),
        "{}",
        d.screen()
    );
    d.keys("esc enter");
    let screen = d.screen();
    for said in ["├─○ db01-", "└─▣ before-upgrade", "2 disks"] {
        assert!(screen.contains(said), "{said}\n{screen}");
    }
}

#[test]
fn the_pulse_names_what_needs_attention_and_leads_there() {
    let mut d = Driver::new();
    d.keys("0");
    let screen = d.screen();
    for said in [
        "Capacity",
        "4 disks",
        "5 snapshots",
        "1 of 3 points in time are gone",
    ] {
        assert!(screen.contains(said), "{said}\n{screen}");
    }
    d.keys("enter");
    assert_eq!(
        *d.place(),
        Place::Members(ObjectRef::new(Kind::Group, "g-weekly"))
    );
}
