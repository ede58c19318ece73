//! Where things lie, and where they differ.

use super::driver::Driver;
use crate::model::{Kind, ObjectRef, Problem};
use crate::tui::event::{Answer, Effect, Event, Layer};
use crate::tui::state::Place;

/// What was last looked at.
fn looked(d: &Driver) -> (crate::tui::event::Ticket, Vec<crate::tui::event::Looked>) {
    let look = d.asked.iter().rev().find_map(|effect| match effect {
        Effect::Look(ticket, layers) => Some((*ticket, layers.clone())),
        _ => None,
    });
    look.unwrap()
}

#[test]
fn a_map_tells_what_is_shared_own_and_never_written() {
    let mut d = Driver::new();
    d.keys("B");
    let layers: Vec<_> = looked(&d).1.iter().map(|l| l.layer).collect();
    assert_eq!(layers, [Layer::Data, Layer::Own]);
    let screen = d.screen();
    for said in [
        "1.9 GiB as in db01-data@before-upgrade",
        "96 MiB own",
        "6 GiB never written",
    ] {
        assert!(screen.contains(said), "{said}\n{screen}");
    }
    assert!(screen.contains("█████"), "whole cells");
    // Without anything that it descends from, all of it is its own.
    d.keys("esc j j B");
    assert!(d.screen().contains("2 GiB own"), "{}", d.screen());
}

#[test]
fn two_points_in_time_are_compared_the_earlier_first() {
    let mut d = Driver::new();
    d.keys("enter f");
    assert!(
        d.screen()
            .contains("mark one snapshot, then press it on another")
    );
    d.keys("G k k space g f");
    let (from, to) = match d.place() {
        Place::Difference(from, to) => (from.id.clone(), to.id.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(from, "s-db01-data-nightly-03");
    assert_ne!(from, to);
    let screen = d.screen();
    for said in [
        "212 MiB differ in 2 places, of 8 GiB",
        "200 MiB",
        "zeroed",
        "0x000040000000",
    ] {
        assert!(screen.contains(said), "{said}\n{screen}");
    }
    d.keys("s").typed("length");
    d.keys("enter s enter");
    let screen = d.screen();
    assert!(screen.find("zeroed").unwrap() < screen.find("written").unwrap());
}

#[test]
fn nobody_goes_on_looking_once_the_screen_is_left() {
    let mut d = Driver::new();
    d.answers = false;
    d.keys("B");
    let (ticket, _) = looked(&d);
    d.keys("esc");
    assert!(d.asked.contains(&Effect::Forget(ticket)));
}

#[test]
fn what_cannot_be_looked_at_says_why() {
    let mut d = Driver::new();
    d.answers = false;
    d.keys("B");
    let (ticket, _) = looked(&d);
    let problem = Problem::user("this array does not tell");
    d.event(Event::Answer(ticket, Answer::Looked(Err(problem))));
    assert!(
        d.screen().contains("this array does not tell"),
        "{}",
        d.screen()
    );
    let object = ObjectRef::new(Kind::Volume, "v-db01-data");
    assert_eq!(*d.place(), Place::Map(object, None));
}
