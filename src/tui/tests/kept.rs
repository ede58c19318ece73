//! What was chosen is kept, and found again.

use super::driver::{Driver, Start};
use crate::config::Kept;
use crate::tui::event::Effect;

/// What was to be kept last.
fn kept(d: &Driver) -> Kept {
    let mut kept = d.asked.iter().rev().filter_map(|effect| match effect {
        Effect::Keep(kept) => Some(kept.as_ref().clone()),
        _ => None,
    });
    kept.next().unwrap_or_default()
}

fn again(kept: Kept) -> Driver {
    let start = Start {
        kept,
        ..Start::default()
    };
    Driver::start(start, true)
}

#[test]
fn columns_orders_filters_and_the_theme_are_found_again() {
    let mut d = Driver::new();
    d.keys(",").typed("own");
    d.keys("enter esc s").typed("size");
    d.keys("enter s").typed("size");
    d.keys("enter /").typed("db01");
    d.keys("enter esc :").typed("theme light");
    d.keys("enter");
    let chosen = kept(&d);
    assert!(chosen.hidden["volumes"].contains("own"), "{chosen:?}");
    assert_eq!(chosen.sorts["volumes"], ("size".to_owned(), true));
    assert_eq!(chosen.filters, ["db01"]);
    assert_eq!(chosen.theme.as_ref().unwrap().0, "light");

    let mut d = again(chosen.clone());
    assert_eq!(d.state.hidden, [("volumes", "own")].into());
    assert!(!d.screen().contains(" OWN "), "{}", d.screen());
    let sort = d.state.screen().sort.unwrap();
    assert_eq!((sort.column, sort.descending), (1, true));
    assert_eq!(d.state.theme.name, "light");
    d.keys("/ ctrl-p enter");
    assert_eq!(d.state.screen().filter, "db01");
    // What is not touched stays kept.
    assert_eq!(kept(&d), chosen);
}

#[test]
fn a_theme_that_was_only_tried_on_is_not_kept_and_the_configuration_goes_first() {
    let mut d = Driver::new();
    d.keys(":").typed("theme light");
    d.keys("esc");
    assert_eq!(kept(&d), Kept::default());

    let said = d.state.config.settings.theme.clone();
    let theme = |said: &str| Kept {
        theme: Some(("light".to_owned(), said.to_owned())),
        ..Kept::default()
    };
    assert_eq!(again(theme(&said)).state.theme.name, "light");
    assert_eq!(again(theme("another")).state.theme.name, "dark");
}

#[test]
fn what_means_nothing_any_more_is_left_out() {
    let text = r#"{"hidden": {"volumes": ["name", "gone"], "nowhere": ["own"], "tree": ["used"]},
        "sorts": {"volumes": ["gone", false], "nowhere": ["x", true]},
        "theme": ["no such theme", "dark"]}"#;
    let d = again(serde_json::from_str(text).unwrap());
    assert_eq!(d.state.hidden, [("tree", "used")].into());
    assert_eq!(d.state.screen().sort.unwrap().column, 0);
    assert_eq!(d.state.theme.name, "dark");
}
