//! A console on a hundred thousand snapshots. What takes time is asked for by name:
//! `cargo test --release --lib -- --ignored --nocapture tests::scale`.

use std::time::{Duration, Instant};

use super::driver::Driver;
use super::fixtures::snapshot;
use crate::model::{Snapshot, SnapshotId};
use crate::tui::event::Event;
use crate::tui::state::Place;

/// A console that shows so many snapshots of a dozen volumes.
fn console(count: usize) -> Driver {
    let mut d = Driver::new();
    let names = ["hourly", "nightly", "before-upgrade", "weekly", "by-hand"];
    let abouts = [
        "",
        "before the upgrade",
        "the weekly one",
        "taken by the timer",
    ];
    d.snapshots = (0..count)
        .map(|n| {
            let volume = format!("db{:02}-data", n % 12);
            let name = format!("{}-{n:06}", names[n % names.len()]);
            Snapshot {
                id: SnapshotId(uuid::Uuid::from_u128(((n as u128) << 64) | 7).to_string()),
                description: abouts[n % abouts.len()].to_owned(),
                guard: n % 97 == 0,
                ..snapshot(&volume, &name, None, (count - n) as i64)
            }
        })
        .collect();
    crate::tui::actions::go_to(&mut d.state, Place::Snapshots);
    d.event(Event::Deadline);
    d.keys("r");
    assert_eq!(d.state.screen().shown.len(), count);
    d
}

#[test]
fn a_filter_finds_the_same_by_words_and_by_cells() {
    let mut d = console(1_000);
    for filter in [
        "hrl",
        "db03",
        "guard",
        "!guard",
        "upgrade",
        "!upgrade db01",
        "avail",
        "!avail",
        "09 weekly",
        "TIMER",
        "zz",
        "über",
    ] {
        d.keys("/").typed(filter);
        let found = d.state.screen().shown.clone();
        let rows = crate::tui::rows::of(&d.state, &Place::Snapshots).unwrap();
        let mut by_cells =
            crate::tui::rows::arrange(&ByCells(&*rows), filter, d.state.screen().sort).0;
        assert_eq!(found, by_cells, "{filter}");
        by_cells.sort_unstable();
        by_cells.dedup();
        assert_eq!(found.len(), by_cells.len());
        drop(rows);
        d.keys("enter /");
        for _ in filter.chars() {
            d.keys("backspace");
        }
        d.keys("enter");
        assert_eq!(d.state.screen().shown.len(), 1_000, "{filter}");
    }
}

/// The same rows, without a quick way to their words.
struct ByCells<'a>(&'a dyn crate::tui::rows::Rows);

impl crate::tui::rows::Rows for ByCells<'_> {
    fn columns(&self) -> &'static [crate::tui::rows::Column] {
        self.0.columns()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
    fn id(&self, row: usize) -> crate::tui::state::RowId {
        self.0.id(row)
    }
    fn is(&self, row: usize, id: &crate::tui::state::RowId) -> bool {
        self.0.is(row, id)
    }
    fn name(&self, row: usize) -> std::borrow::Cow<'_, str> {
        self.0.name(row)
    }
    fn cell(&self, row: usize, column: usize) -> crate::tui::rows::Spans<'_> {
        self.0.cell(row, column)
    }
    fn order(&self, a: usize, b: usize, column: usize) -> std::cmp::Ordering {
        self.0.order(a, b, column)
    }
    fn traits(&self) -> &'static [&'static str] {
        self.0.traits()
    }
    fn trait_of(&self, row: usize, word: &str) -> Option<bool> {
        self.0.trait_of(row, word)
    }
    fn version(&self) -> u64 {
        self.0.version()
    }
    fn empty(&self) -> String {
        self.0.empty()
    }
}

#[test]
#[ignore = "says how long it takes"]
fn a_filter_over_a_hundred_thousand_rows() {
    let mut d = console(100_000);
    for filter in ["nightly db07", "!guard upgrade", "age>2h hourly", "zzz"] {
        d.keys("/");
        let mut each: Vec<Duration> = Vec::new();
        for letter in filter.chars() {
            let begun = Instant::now();
            d.typed(&letter.to_string());
            each.push(begun.elapsed());
        }
        let left = d.state.screen().shown.len();
        for _ in filter.chars() {
            let begun = Instant::now();
            d.keys("backspace");
            each.push(begun.elapsed());
        }
        assert_eq!(d.state.screen().shown.len(), 100_000);
        d.keys("enter");
        each.sort();
        println!(
            "{filter:?} leaves {left}: a key takes {:?} in the median, {:?} at most",
            each[each.len() / 2],
            each[each.len() - 1]
        );
    }
}
