//! Whole journeys through the real program in a real pseudo-terminal.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

#[path = "support/pty.rs"]
mod pty;
mod support;

use rustix::process::Signal;

use pty::{Terminal, restored};
use support::Deck;

const F2: &str = "\x1bOQ";
const ESC: &str = "\x1b";
const ENTER: &str = "\r";
const NONE: [&str; 0] = [];

/// A store with a volume `db` that has the snapshots `one` and `two`, and a volume `web`.
fn estate() -> Deck {
    let deck = Deck::new();
    for name in ["db", "web"] {
        deck.ok(&[
            "run",
            "create-volume",
            "--name",
            name,
            "--size",
            "64MiB",
            "--wait",
        ]);
    }
    for name in ["one", "two"] {
        deck.ok(&[
            "run",
            "create-snapshot",
            "--volume",
            "db",
            "--name",
            name,
            "--wait",
        ]);
    }
    deck
}

/// Where a text first stands: line and column, in characters.
fn place(screen: &str, text: &str) -> (usize, usize) {
    screen
        .lines()
        .enumerate()
        .find_map(|(n, line)| Some((n, line[..line.find(text)?].chars().count())))
        .unwrap_or_else(|| panic!("{text} is not on the screen:\n{screen}"))
}

fn quit(mut terminal: Terminal) {
    terminal.send("q");
    // What has only just been done may still be on its way into the journal.
    if terminal.asks("Leave while") {
        terminal.answer("y");
    }
    let (code, _, bytes) = terminal.end();
    assert_eq!(code, 0);
    restored(&bytes);
}

#[test]
fn snapshot_restore_branch_clone_delete_and_find_it_again() {
    for (cols, rows) in [(120, 36), (80, 24)] {
        let deck = estate();
        let mut t = Terminal::start(&deck, &NONE, cols, rows);
        t.sees("web");
        t.send(ENTER);
        t.sees("you are here");

        // A snapshot, by a form and a plan.
        t.send("c");
        t.sees("Take a snapshot");
        // The suggested name is replaced by ours.
        t.answer("\x15three");
        t.sees("three");
        t.send(F2);
        t.sees("Plan");
        t.answer("y");
        t.until("the snapshot in the tree", |s| {
            s.contains("three") && !s.contains("Plan")
        });

        // Back to the first; the guard is on by default.
        t.send("gg");
        t.send("R");
        t.sees("Guard snapshot");
        t.answer(F2);
        t.sees("Plan");
        t.answer("y");
        let screen = t.until("the guard in the tree", |s| {
            s.contains("guard-") && !s.contains("Plan")
        });
        assert!(place(&screen, "you are here").0 > place(&screen, "one").0);

        // The next snapshot is a sibling of the second.
        t.send("G");
        t.send("c");
        t.sees("Take a snapshot");
        t.answer("\x15branch");
        t.send(F2);
        t.sees("Plan");
        t.answer("y");
        t.until("the branch in the tree", |s| {
            s.contains("branch") && !s.contains("Plan")
        });
        quit(t);

        let (one, two) = (deck.one("snapshots", "one"), deck.one("snapshots", "two"));
        let branch = deck.one("snapshots", "branch");
        assert_eq!(branch["parent"], one["id"]);
        assert_eq!(two["parent"], one["id"]);

        // Started again, all is as it was, and drawn as a branch.
        let mut t = Terminal::start(&deck, &NONE, cols, rows);
        t.sees("web");
        t.send(ENTER);
        let screen = t.sees("branch");
        let (two, branch) = (place(&screen, " two").1, place(&screen, " branch").1);
        assert_eq!(two, branch, "siblings stand side by side:\n{screen}");

        // A clone, and a deletion that wants its name typed.
        t.send("gg");
        t.send("C");
        t.sees("Clone to a new volume");
        t.answer("\x15copy");
        t.send(F2);
        t.sees("Plan");
        t.answer("y");
        t.misses("Plan");
        // From the first to the second, which is below it.
        t.send("jD");
        t.sees("Delete a snapshot");
        t.answer(F2);
        t.sees("cannot be undone");
        t.answer("wrong\r");
        t.sees("cannot be undone");
        t.send("\x15two\r");
        t.until("the second gone", |s| {
            !s.contains("cannot be undone") && !s.contains("○ two")
        });
        quit(t);
        assert!(deck.get("volumes").iter().any(|v| v["name"] == "copy"));
        assert!(deck.get("snapshots").iter().all(|s| s["name"] != "two"));
        assert!(deck.get("tasks").iter().all(|t| t["state"] == "succeeded"));
    }
}

#[test]
fn a_group_is_taken_restored_and_parted() {
    let deck = estate();
    let mut t = Terminal::start(&deck, &NONE, 120, 36);
    t.sees("web");
    // Both volumes, marked, at one moment.
    t.send("*M");
    t.sees("Take a group");
    t.answer("\x15friday");
    t.sees("2: ");
    t.send(F2);
    t.sees("Plan");
    t.answer("y");
    t.misses("Plan");
    t.send("3");
    t.sees("▌  friday");

    // Its members stand below it; restored, what they held is kept.
    t.send(ENTER);
    t.sees("2 members");
    t.send("R");
    t.sees("Restore a group");
    t.answer(F2);
    t.sees("guard snapshot");
    t.answer("y");
    t.misses("Plan");

    // Edited, then parted: its members are snapshots by themselves.
    t.send("e");
    t.sees("Edit a group");
    t.answer("\x15monday");
    t.send(F2);
    t.sees("Plan");
    t.answer("y");
    t.until("its new name", |s| {
        s.contains("monday") && !s.contains("Plan")
    });
    t.send("U");
    t.sees("Plan");
    t.answer("y");
    // What is left is the group of the guards.
    t.until("the group is parted", |s| {
        !s.contains("monday") && s.contains("guard-")
    });
    quit(t);
    let groups = deck.get("groups");
    assert_eq!((groups.len(), &groups[0]["guard"]), (1, &true.into()));
    let snapshots = deck.get("snapshots");
    let of = |name: &str| snapshots.iter().filter(|s| s["name"] == name).count();
    assert_eq!(
        (of("monday"), snapshots.len()),
        (2, 6),
        "two members, two guards"
    );
}

#[test]
fn a_target_is_linked_relinked_and_unlinked() {
    let deck = estate();
    let mut t = Terminal::start(&deck, &NONE, 120, 36);
    t.sees("web");
    for name in ["first", "second"] {
        // Of `db`, which is the first in the list.
        t.send("1");
        t.sees("web");
        t.send("gN");
        t.sees("Take a session");
        t.answer(&format!("\x15{name}"));
        t.send(F2);
        t.sees("Plan");
        t.answer("y");
        t.misses("Plan");
        t.send("4");
        t.until("the session", |s| {
            s.lines()
                .any(|l| l.contains(name) && l.contains("● available  "))
        });
    }
    // The newest stands first; link a copy to it.
    t.send("gL");
    t.sees("Link a target");
    t.answer("\x15mirror\t ");
    t.sees("(x) copy");
    t.send(F2);
    t.sees("Plan");
    t.answer("y");
    t.misses("Plan");
    t.until("the target below its session", |s| s.contains("mirror"));
    t.send("5");
    t.until("all of it copied", |s| {
        s.contains("mirror") && s.contains("copied")
    });

    // On to the other session.
    t.send("L");
    t.sees("Relink a target");
    t.answer(" ");
    t.sees("Choose: session");
    t.send("first\r");
    t.misses("Choose: session");
    t.send(F2);
    t.sees("Plan");
    t.answer("mirror\r");
    t.misses("Plan");
    t.until("the other session", |s| s.contains("first"));

    // And parted: it stays a volume.
    t.send("U");
    t.sees("Unlink a target");
    t.answer(F2);
    t.sees("Plan");
    t.answer("y");
    t.sees("there is no linked target yet");
    quit(t);
    assert!(deck.get("targets").is_empty());
    assert!(deck.get("volumes").iter().any(|v| v["name"] == "mirror"));
    assert_eq!(deck.get("sessions").len(), 2);
}

#[test]
fn what_is_typed_ahead_answers_no_dialog() {
    let deck = estate();
    let before = (
        deck.get("volumes"),
        deck.get("snapshots"),
        deck.get("tasks"),
    );
    let mut t = Terminal::start(&deck, &NONE, 100, 30);
    t.sees("web");
    // All at once, as a paste without brackets or a cat on the keyboard would send it.
    t.send(&format!("\rR{F2}yyy\r\rD{F2}y\r\r"));
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    for _ in 0..4 {
        t.answer(ESC);
    }
    t.sees("db");
    // A bracketed paste is no key at all.
    t.answer("\x1b[200~qDyq\x1b[201~");
    t.sees("db");
    t.send("\x03");
    let (code, _, bytes) = t.end();
    assert_eq!(code, 0);
    restored(&bytes);
    assert_eq!(
        (
            deck.get("volumes"),
            deck.get("snapshots"),
            deck.get("tasks")
        ),
        before
    );
}

#[test]
fn a_task_outlives_kill_9_and_is_followed_on() {
    let deck = Deck::new();
    let t = Terminal::start(&deck, &["demo"], 120, 36);
    t.until("the copy under way", |s| {
        s.contains("db01-standalone") && s.contains(" %")
    });
    t.signal(Signal::KILL);
    let _ = t.end();
    let tasks = deck.get("tasks");
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0]["state"], "suspended", "nobody follows it now");
    assert_eq!(tasks[0]["steps_done"], 1);

    // The next console follows it on, without being asked, to its end.
    let mut t = Terminal::start(&deck, &NONE, 120, 36);
    t.sees("db01-data");
    t.send("7");
    t.until("the copy over", |s| {
        s.contains("succeeded") || s.contains("done")
    });
    quit(t);
    assert_eq!(deck.get("tasks")[0]["state"], "succeeded");
    assert_eq!(
        deck.one("volumes", "db01-standalone")["parent"],
        serde_json::Value::Null
    );
}

#[test]
fn every_way_to_end_it_gives_the_terminal_back() {
    let deck = estate();
    for (signal, number) in [
        (Signal::TERM, 15),
        (Signal::HUP, 1),
        (Signal::INT, 2),
        (Signal::QUIT, 3),
    ] {
        let t = Terminal::start(&deck, &NONE, 90, 28);
        t.sees("web");
        t.signal(signal);
        let (code, _, bytes) = t.end();
        assert_eq!(code, 128 + number, "{signal:?}");
        restored(&bytes);
    }
    // Stopped and continued, it draws itself anew.
    let t = Terminal::start(&deck, &NONE, 90, 28);
    t.sees("web");
    t.signal(Signal::TSTP);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !t.bytes().windows(8).any(|w| w == b"\x1b[?1049l") {
        assert!(
            std::time::Instant::now() < deadline,
            "stopped, it kept the terminal"
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    restored(&t.bytes());
    t.signal(Signal::CONT);
    t.sees("web");
    quit(t);
}

#[test]
fn read_only_changes_nothing_and_says_so() {
    let deck = estate();
    let before = (
        deck.get("volumes"),
        deck.get("snapshots"),
        deck.get("tasks"),
    );
    let mut t = Terminal::start(&deck, &["--read-only"], 100, 30);
    t.sees("READ-ONLY");
    t.sees("web");
    t.send(ENTER);
    t.sees("you are here");
    for key in ["c", "D", "R", "C", "F", "e"] {
        t.send(key);
        t.sees("read-only");
    }
    quit(t);
    assert_eq!(
        (
            deck.get("volumes"),
            deck.get("snapshots"),
            deck.get("tasks")
        ),
        before
    );
}

#[test]
fn the_smallest_terminal_and_back() {
    let deck = estate();
    let mut t = Terminal::start(&deck, &NONE, 200, 60);
    t.sees("web");
    for (cols, rows) in [(80, 24), (20, 5), (1, 1), (120, 36)] {
        t.resize(cols, rows);
        t.send("jk");
    }
    t.sees("web");
    quit(t);
}

#[test]
fn without_colour_and_without_unicode_it_is_whole() {
    let deck = estate();
    let t = Terminal::start_with(
        &deck,
        &NONE,
        100,
        30,
        &[("NO_COLOR", "1"), ("LANG", "C"), ("TERM", "linux")],
    );
    t.sees("web");
    let bytes = t.bytes();
    assert!(bytes.is_ascii(), "a glyph that is not ASCII was sent");
    let text = String::from_utf8(bytes).unwrap();
    for part in text.split("\x1b[").skip(1) {
        let Some(end) = part.find(|c: char| c.is_ascii_alphabetic()) else {
            continue;
        };
        if &part[end..=end] != "m" {
            continue;
        }
        for code in part[..end].split(';') {
            let code: u32 = code.parse().unwrap_or(0);
            let colour = matches!(code, 30..=38 | 40..=48 | 90..=97 | 100..=107);
            assert!(!colour, "a colour was sent: {part:?}");
        }
    }
    quit(t);
}

#[test]
fn two_consoles_and_a_script_share_a_store() {
    let deck = estate();
    let first = Terminal::start(&deck, &NONE, 80, 24);
    first.sees("web");
    let second = Terminal::start(&deck, &NONE, 80, 24);
    second.sees("web");
    // What a script does is seen by both, at once.
    let create = ["run", "create-volume", "--name", "third", "--size", "1MiB"];
    deck.ok(&create);
    first.sees("third");
    second.sees("third");
    let task = &deck.get("tasks")[0];
    assert_eq!(task["by"], "command line");
    assert_eq!(task["state"], "succeeded");
    // A guest that leaves disturbs nobody; without the host the store is opened anew.
    quit(second);
    let rename = [
        "run",
        "update-volume",
        "--volume",
        "third",
        "--name",
        "fourth",
    ];
    deck.ok(&rename);
    first.sees("fourth");
    quit(first);
    assert_eq!(deck.get("volumes").len(), 3);
}

#[test]
fn a_console_whose_host_is_killed_says_so_and_ends_in_order() {
    let deck = estate();
    let first = Terminal::start(&deck, &NONE, 80, 24);
    first.sees("web");
    let mut second = Terminal::start(&deck, &NONE, 80, 24);
    second.sees("web");
    first.signal(Signal::KILL);
    second.sees("changes are not told any more");
    second.send("r");
    second.sees("does not answer any more");
    quit(second);
    // What the killed one left behind is no obstacle.
    assert_eq!(deck.get("volumes").len(), 2);
}

#[test]
fn the_mouse_opens_the_menu_of_a_row_and_begins_what_is_in_it() {
    let deck = estate();
    let mut t = Terminal::start(&deck, &NONE, 120, 36);
    let screen = t.sees("web");
    let press = |t: &mut Terminal, button: u8, (line, column): (usize, usize)| {
        t.send(&format!("\x1b[<{button};{};{}M", column + 1, line + 1));
        t.send(&format!("\x1b[<{button};{};{}m", column + 1, line + 1));
    };
    let (line, column) = place(&screen, "web");
    press(&mut t, 2, (line, column));
    t.sees("Actions on web");
    // What cannot be done says why, and begins nothing.
    t.send("Clone to");
    let screen = t.until("the reason", |s| {
        s.contains("web has no snapshot yet")
            && s.contains(": Clone to ")
            && !s.contains("Take a snapshot")
    });
    press(&mut t, 0, place(&screen, "Clone to a"));
    t.send("\x15");
    let screen = t.until("the whole list", |s| {
        s.contains("Take a snapshot") && !s.contains("Clone to")
    });
    press(&mut t, 0, place(&screen, "Take a snapshot"));
    t.sees("What the point in time is to be called");
    t.send(ESC);
    t.misses("What the point in time is to be called");
    // The place of its mark does the same; the right button elsewhere takes it away.
    press(&mut t, 0, (line, 0));
    t.sees("Actions on web");
    press(&mut t, 2, (0, 0));
    t.misses("Actions on web");
    quit(t);
}
