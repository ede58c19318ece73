//! Damaged stores through the real program: what it says, what it repairs, what it saves.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the reader is shared with the fuzz targets"
)]

#[path = "../fuzz/src/format.rs"]
mod format;
mod support;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use support::{Deck, same};

/// A store with a volume that holds an image.
fn deck() -> Deck {
    let deck = Deck::new();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| (i * 7 % 251) as u8).collect();
    let mut bytes = bytes;
    bytes.resize(3 << 20, 5);
    fs::write(deck.path("image"), bytes).unwrap();
    let image = deck.path("image").to_string_lossy().into_owned();
    deck.ok(&["import", &image, "--name", "v"]);
    deck
}

fn zero(path: &Path, at: u64, len: usize) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&vec![0; len], at).unwrap();
}

fn superblock(deck: &Deck) -> format::Superblock {
    let bytes = fs::read(deck.store().join("super")).unwrap();
    format::Superblock::newest(&[("super".to_owned(), bytes)].into()).unwrap()
}

#[test]
fn a_scrub_repairs_what_there_are_two_of() {
    let deck = deck();
    let root = superblock(&deck).root;
    zero(&deck.store().join("meta"), root.copies()[0] as u64, 64);
    let output = deck.output(&["scrub", "-o", "json"]);
    assert_eq!(output.status.code(), Some(9));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["hurt"][0]["repaired"], false, "{found:#}");
    let output = deck.output(&["scrub", "--repair", "-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["hurt"][0]["repaired"], true, "{found:#}");
    deck.ok(&["scrub"]);
}

#[test]
fn what_can_be_read_of_a_store_that_is_cut_short_is_saved() {
    let deck = deck();
    let data = OpenOptions::new()
        .write(true)
        .open(deck.store().join("data.0"))
        .unwrap();
    let len = data.metadata().unwrap().len();
    data.set_len(len / 2).unwrap();
    let out = deck.path("out").to_string_lossy().into_owned();
    let output = deck.output(&["export", "v", &out]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(9), "{said}");
    assert!(
        said.contains("data.0 is cut short") && said.contains("--salvage"),
        "{said}"
    );
    deck.ok(&["--salvage", "export", "v", &out]);
    assert!(same(out.as_ref(), &deck.path("image")));
    let output = deck.output(&["--salvage", "scrub", "--repair"]);
    assert_ne!(
        output.status.code(),
        Some(0),
        "nothing is repaired in such a store"
    );
}
