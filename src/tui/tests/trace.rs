//! The calls that were made to a system are shown and saved; a system that is not called has no such view.

use std::sync::Arc;

use super::driver::{Driver, Start};
use super::fixtures::capabilities;
use crate::http::Call;
use crate::model::Capabilities;
use crate::tui::event::{Effect, Event};
use crate::tui::state::Place;

pub(super) fn call(number: u64, status: Option<u16>) -> Arc<Call> {
    Arc::new(Call {
        number,
        at: "2026-11-21T12:00:00Z".parse().unwrap(),
        method: "GET".into(),
        url: format!("https://cloud:8776/v3/p/volumes/detail?marker={number}"),
        status,
        error: status
            .is_none()
            .then(|| "cloud:8776 was not reached".to_owned()),
        bytes: 2_048,
        millis: 17,
        attempt: 1,
        request_id: Some("req-7".into()),
        request_headers: vec![("X-Auth-Token".into(), "[redacted]".into())],
        request_body: None,
        response_headers: vec![("x-odd".into(), "\u{1b}[31m".into())],
        response_body: "{\"volumes\":[{\"id\":\"v\"}]}".into(),
    })
}

pub(super) fn called() -> Driver {
    let system = Capabilities {
        called: true,
        ..capabilities()
    };
    Driver::on(system, Start::default(), true)
}

#[test]
fn calls_are_listed_opened_and_saved() {
    let mut d = called();
    d.keys("w");
    assert_eq!(*d.place(), Place::Trace);
    assert!(
        d.screen().contains("nothing was called so far"),
        "{}",
        d.screen()
    );
    d.event(Event::Called(vec![
        call(0, Some(200)),
        call(1, None),
        call(2, Some(503)),
    ]));
    let screen = d.screen();
    let at = |text: &str| {
        screen
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {screen}"))
    };
    assert!(
        at("marker=2") < at("marker=1") && at("marker=1") < at("marker=0"),
        "{screen}"
    );
    assert!(
        screen.contains("503") && screen.contains("none"),
        "{screen}"
    );
    d.keys("enter");
    assert_eq!(*d.place(), Place::Call(2));
    let screen = d.screen();
    assert!(
        screen.contains("[redacted]") && screen.contains("req-7"),
        "{screen}"
    );
    assert!(screen.contains("\"volumes\": ["), "laid out: {screen}");
    assert!(!screen.contains('\u{1b}'), "nothing of it acts");
    d.keys("W");
    assert_eq!(d.asked.last(), Some(&Effect::SaveTrace));
    // More come while one is looked at, and the oldest go.
    let many = (3..600).map(|number| call(number, Some(200)));
    d.event(Event::Called(many.collect()));
    assert_eq!(d.state.calls.len(), crate::http::Trace::KEPT);
    assert!(
        d.screen().contains("it is not kept any more"),
        "{}",
        d.screen()
    );
}

#[test]
fn a_system_that_is_not_called_has_no_trace() {
    let mut d = Driver::new();
    assert!(!d.screen().contains("Trace"), "{}", d.screen());
    d.keys("w");
    assert_eq!(*d.place(), Place::Volumes);
    assert!(d.screen().contains("nothing is called"), "{}", d.screen());
    let before = d.asked.len();
    d.keys("W");
    assert_eq!(d.asked.len(), before);
}
