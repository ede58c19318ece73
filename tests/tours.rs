//! Tours of the demo in a real pseudo-terminal.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

#[path = "support/pty.rs"]
mod pty;
mod support;

use pty::{Terminal, restored};
use support::Deck;

const ENTER: &str = "\r";
const F2: &str = "\x1bOQ";

fn quit(mut terminal: Terminal) {
    terminal.send("q");
    if terminal.asks("Leave while") {
        terminal.answer("y");
    }
    let (code, _, bytes) = terminal.end();
    assert_eq!(code, 0);
    restored(&bytes);
}

#[test]
fn a_tour_is_played_to_its_end_recorded_and_played_again() {
    let deck = Deck::new();
    let recording = deck.path("tour.jsonl");
    let file = recording.to_string_lossy().into_owned();
    let args = [
        "demo",
        "--scale",
        "12",
        "--autoplay",
        "failed-restore",
        "--speed",
        "40",
        "--record",
        &file,
    ];
    let t = Terminal::start(&deck, &args, 80, 24);
    t.sees("it plays itself; any key of yours stops it");
    t.until("the end of the tour", |s| {
        s.contains("The failed restore: the end") && s.contains("The medium is well again")
    });
    quit(t);
    let tasks = deck.get("tasks");
    let count = |operation: &str, state: &str| {
        let is = |t: &&serde_json::Value| t["operation"] == operation && t["state"] == state;
        tasks.iter().filter(is).count()
    };
    assert_eq!(count("create-group", "succeeded"), 1);
    assert_eq!(
        count("restore-group", "succeeded"),
        2,
        "the one retried, and the way back"
    );
    assert_eq!(
        count("restore-group", "failed"),
        1,
        "the one that was rolled back"
    );
    // The recording tells the same, without the store.
    let text = deck.ok(&["replay", &file, "--to", "text"]);
    assert!(text.contains("The failed restore: the end"), "{text}");
}

#[test]
fn the_users_own_keys_lead_through_it() {
    let deck = Deck::new();
    let mut t = Terminal::start(&deck, &["demo", "--scale", "12"], 80, 24);
    t.sees(":tours leads through it");
    t.send("V");
    t.sees("Walkthroughs");
    t.answer("bad upgrade");
    t.send(ENTER);
    t.sees("1 of 7: a snapshot before");
    // Another volume's snapshot is not what was asked for.
    t.send("gjS");
    t.sees("Take a snapshot");
    t.answer(F2);
    t.sees("Plan");
    t.answer("y");
    t.until("the other snapshot", |s| {
        s.contains("done in") && !s.contains("Plan")
    });
    assert!(t.text().contains("1 of 7"), "{}", t.text());
    t.send("gjjjS");
    t.sees("Take a snapshot");
    t.answer("\x15mine");
    t.send(F2);
    t.sees("Plan");
    t.answer("y");
    t.sees("2 of 7: the upgrade runs");
    t.sees("MiB to db01-data");
    t.send(ENTER);
    t.sees("3 of 7: what changed");
    quit(t);
    assert_eq!(deck.one("snapshots", "mine")["volume_name"], "db01-data");
}

#[test]
fn a_tour_is_named_or_refused_before_anything_is_made() {
    let deck = Deck::new();
    let help = deck.ok(&["demo", "--help"]);
    for tour in snapdeck::tui::Tour::all().unwrap() {
        assert!(help.contains(tour.name()), "{help}");
    }
    let mine = deck.path("mine.toml");
    std::fs::write(
        &mine,
        "title = \"Mine\"\nteaches = \"mine\"\nend = \"over\"\n[[steps]]\ntitle = \"look\"\nsay = \"Look at {pulse}.\"\n",
    )
    .unwrap();
    let mine = mine.to_string_lossy().into_owned();
    let t = Terminal::start(&deck, &["demo", "--scale", "12", "--tour", &mine], 80, 24);
    t.sees("1 of 1: look");
    t.sees("Look at <0>.");
    quit(t);
    for (args, said) in [
        (
            vec!["demo", "--tour", "nowhere"],
            "there is no tour nowhere",
        ),
        (
            vec!["--read-only", "demo", "--tour", "first-look"],
            "cannot be taken here",
        ),
    ] {
        let t = Terminal::start(&deck, &args, 100, 24);
        let (code, screen, _) = t.end();
        assert_ne!(code, 0);
        assert!(screen.contains(said), "{screen}");
    }
}
