//! The bundle for whoever looks for a fault: whole, shown before it is written, and without a name.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod support;

use std::io::Read as _;

use support::Deck;

/// Names that must not be found again.
const NAMES: [&str; 4] = ["payroll", "before-the-merger", "carol", "vault7"];

fn deck() -> Deck {
    let deck = Deck::new();
    deck.ok(&[
        "run",
        "create-volume",
        "--name",
        "payroll",
        "--size",
        "1MiB",
        "--wait",
    ]);
    let fields = ["--volume", "payroll", "--name", "before-the-merger"];
    let run = ["run", "create-snapshot", "--wait"];
    deck.ok(&[&run[..], &fields[..]].concat());
    deck.ok(&[
        "run",
        "update-volume",
        "--volume",
        "payroll",
        "--description",
        "of carol, on vault7",
        "--wait",
    ]);
    let crashes = deck.path("state/snapdeck/crashes");
    std::fs::create_dir_all(&crashes).unwrap();
    let crash = "panicked at payroll\n   1.000 s  key s\n   1.100 s  key enter\n   1.2 s  fault: vault7 at 10.1.2.3 as carol@vault7\n";
    std::fs::write(crashes.join("crash-1.txt"), crash).unwrap();
    deck
}

fn command(deck: &Deck, args: &[&str]) -> std::process::Output {
    deck.command(args)
        .env("XDG_STATE_HOME", deck.path("state"))
        .env("USER", "carol")
        .env("SECRET_TOKEN", "vault7")
        .output()
        .unwrap()
}

#[test]
fn it_is_written_after_it_was_shown_and_names_nobody() {
    let deck = deck();
    let file = deck.path("bundle.tar.gz");
    let output = ["support", "-o", file.to_str().unwrap()];

    // Nobody is there to look at it.
    let refused = command(&deck, &output);
    assert_eq!(refused.status.code(), Some(2));
    assert!(!file.exists());

    let written = command(&deck, &[&output[..], &["--yes"]].concat());
    assert!(written.status.success());
    let shown = String::from_utf8(written.stderr).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(
        std::fs::File::open(&file).unwrap(),
    ));
    let mut names = Vec::new();
    let mut all = String::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let name = path.strip_prefix("snapdeck-support/").unwrap().to_owned();
        if name == "MANIFEST.txt" {
            assert!(shown.contains(&text), "something else was shown");
        } else {
            assert!(shown.contains(&name), "{name} was not shown");
        }
        names.push(name);
        all.push_str(&text);
    }
    for wanted in [
        "MANIFEST.txt",
        "program.txt",
        "terminal.txt",
        "settings.json",
        "store.txt",
        "tasks.txt",
        "crashes/crash-1.txt",
    ] {
        assert!(
            names.iter().any(|name| name == wanted),
            "{wanted} is not in it: {names:?}"
        );
    }
    for name in NAMES {
        assert!(!all.contains(name), "{name} is in it:\n{all}");
    }
    let home = deck.dir.path().display().to_string();
    assert!(!all.contains(&home), "a path is in it:\n{all}");
    assert!(all.contains("create-snapshot succeeded"), "{all}");
    assert!(all.contains("key (a character)") && all.contains("key enter"));
    assert!(!all.contains("key s\n") && !all.contains("10.1.2.3"));

    // A file that is there is not written over.
    let again = command(&deck, &[&output[..], &["--yes"]].concat());
    assert_eq!(again.status.code(), Some(9));
}

#[test]
fn it_is_looked_at_without_being_written() {
    let deck = deck();
    let list = command(&deck, &["support", "--list"]);
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(
        list.contains("tasks.txt") && list.contains("Withheld:"),
        "{list}"
    );
    let tasks = command(&deck, &["support", "--show", "tasks.txt"]);
    let tasks = String::from_utf8(tasks.stdout).unwrap();
    assert!(tasks.contains("create-volume succeeded"), "{tasks}");
    let none = command(&deck, &["support", "--show", "other.txt"]);
    assert_eq!(none.status.code(), Some(5));
}

#[test]
fn it_is_made_of_a_broken_configuration_too_and_without_a_store() {
    let deck = Deck::new();
    let folder = deck.path("config/snapdeck");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "password = \"vault7\"\n").unwrap();
    assert_eq!(command(&deck, &["get", "volumes"]).status.code(), Some(3));
    let shown = command(&deck, &["support", "--show", "settings.json"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains("config.toml:1") && !shown.contains("vault7"),
        "{shown}"
    );
}
