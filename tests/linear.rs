//! The linear mode: whole journeys as lines in and lines out, through the real program on the real engine.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

#[path = "support/pty.rs"]
mod pty;
mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use support::Deck;

/// A talk that is under way.
struct Lines {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    said: Vec<String>,
}

fn plain(command: &mut Command) -> &mut Command {
    command
        .env("LC_ALL", "C")
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
}

impl Lines {
    fn start(deck: &Deck, args: &[&str]) -> Self {
        Self::of(plain(&mut deck.command(args)))
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.split(b'\n') {
                let line = line.unwrap();
                let clean = |b: &u8| (0x20..0x7f).contains(b);
                assert!(line.iter().all(clean), "{}", String::from_utf8_lossy(&line));
                if told.send(String::from_utf8(line).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// Waits for a line that holds this, and gives it.
    fn hears(&mut self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(Duration::from_secs(60)) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(e) => panic!("{text:?} was not said ({e}):\n{}", self.said.join("\n")),
            }
        }
    }

    /// Says a line, once the question has been asked that holds this.
    fn answers(&mut self, question: &str, line: &str) {
        self.hears(question);
        self.says(line);
    }

    fn says(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Ends the input; how it ended, all that was said, and what went to standard error.
    fn end(mut self) -> (ExitStatus, String, String) {
        drop(self.stdin.take());
        let status = self.child.wait().unwrap();
        let mut errors = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        self.said.extend(self.lines.iter());
        (status, self.said.join("\n"), errors)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // A test that ends early leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All lines at once, as from a file; what was said.
fn script(deck: &Deck, lines: &[&str]) -> String {
    let mut talk = Lines::start(deck, &["--linear"]);
    for line in lines {
        talk.says(line);
    }
    let (status, said, errors) = talk.end();
    assert!(status.success(), "{said}\n{errors}");
    assert_eq!(errors, "");
    said
}

const COMMAND: &str = "? tells the commands";

fn estate() -> Deck {
    let deck = Deck::new();
    for name in ["db", "web"] {
        let args = [
            "run",
            "create-volume",
            "--name",
            name,
            "--size",
            "64MiB",
            "--wait",
        ];
        deck.ok(&args);
    }
    for name in ["one", "two"] {
        let args = [
            "run",
            "create-snapshot",
            "--volume",
            "db",
            "--name",
            name,
            "--wait",
        ];
        deck.ok(&args);
    }
    deck
}

#[test]
fn a_volume_is_made_snapshotted_restored_and_the_restore_undone() {
    let deck = Deck::new();
    let mut t = Lines::start(&deck, &["--linear"]);
    t.hears("linear mode");
    t.hears("there is no volume yet");
    t.answers(COMMAND, "create");

    // Limits are checked as the form does it, with the same words, and asked for again.
    t.answers("Field 1 of", "");
    t.answers("Not taken: ", "db");
    t.answers(", Size.", "5");
    t.answers("Not taken: ", "64MiB");
    t.hears("Field 3 of");
    // A field back, and on again with what is there.
    t.says(":up");
    t.answers("An empty line takes: 64MiB", "");
    for field in ["Field 3 of", "Field 4 of", "Field 5 of"] {
        t.answers(field, "");
    }
    t.hears("Steps");
    t.answers("yes does it", "yes");
    t.says("wait");
    t.answers("Nothing runs", "");
    t.hears("1. db, size 64 MiB");

    // By its name; what can be done is read, and what not with the reason.
    t.says("db");
    t.hears("Name: db");
    t.hears("Actions on db");
    let clone = t.hears("Clone to a new volume");
    assert!(
        clone.contains("Not possible: db has no snapshot yet"),
        "{clone}"
    );
    t.says("take a snapshot");
    t.answers(", Name.", "before");
    t.answers(", Description.", "");
    t.answers("yes does it", "yes");

    // Back to it, with a guard; and back again.
    t.says("wait");
    t.answers("Nothing runs", "open 1");
    t.hears("you are here");
    t.answers(COMMAND, "choose before");
    t.hears("Actions on db@before");
    t.answers("A number chooses", "restore");
    let asked = t.hears("Guard snapshot");
    assert!(asked.contains("An empty line takes: yes"), "{asked}");
    t.says("");
    t.answers("Read back", "");
    t.answers("yes does it", "yes");
    t.says("wait");
    t.answers("Nothing runs", "undo");
    t.answers("yes does it", "yes");
    t.hears("Task: restore db <- guard-");
    t.says("wait");
    t.answers("Nothing runs", "journal");
    t.hears("Journal, 4");
    t.answers(COMMAND, "quit");
    let (status, _, errors) = t.end();
    assert!(status.success());
    assert_eq!(errors, "");
    let guards = deck
        .get("snapshots")
        .into_iter()
        .filter(|s| s["guard"] == true);
    assert_eq!(guards.count(), 2);
}

#[test]
fn what_nothing_brings_back_wants_its_name_typed() {
    let deck = estate();
    let mut t = Lines::start(&deck, &["--linear"]);
    t.answers(COMMAND, "delete dbx");
    t.hears("Nothing here is called so");
    t.answers(COMMAND, "delete db");
    t.answers("With its snapshots", "yes");
    t.hears("Would be gone");
    let asked = t.hears("type this exactly");
    assert!(asked.contains(": db ."), "{asked}");
    t.says("yes");
    t.hears("Nothing is done.");
    // Back in the form, with what was said.
    let asked = t.hears("With its snapshots");
    assert!(asked.contains("An empty line takes: yes"), "{asked}");
    t.says("");
    t.answers("type this exactly", "db");
    t.hears("Task: delete db");
    t.says("wait");
    t.hears("Nothing runs");
    let (status, ..) = t.end();
    assert!(status.success());
    let volumes = deck.get("volumes");
    assert_eq!(volumes.len(), 1);
    assert_eq!(volumes[0]["name"], "web");
}

#[test]
fn a_script_browses_every_view_and_ends_with_its_input() {
    let deck = estate();
    let lines = [
        "views",
        "snapshots",
        "filter two",
        "filter",
        "groups",
        "sessions",
        "targets",
        "instances",
        "tasks",
        "journal",
        "1",
        "back",
        "messages",
        "pulse",
        "volumes",
        "sort",
        "2",
        "open db",
        "map",
        "back",
        "mark 1 2",
        "difference",
        "back",
        "columns",
        "back",
        "?",
        "9",
        "log",
        ":help",
        "back",
    ];
    let said = script(&deck, &lines);
    for text in [
        "snapshots: Snapshots, show all snapshots",
        "Snapshots, 2, by taken:",
        "Snapshots, 1, by taken, filter two:",
        "1. two, ",
        "Groups: nothing is listed.",
        "Journal, 4",
        "State: succeeded",
        "Pulse",
        "Volumes: 2 volumes",
        "by size",
        "Volumes, db, 3",
        "you are here, taken now",
        "2 marked.",
        "64 MiB never written",
        "differ in 0 places",
        "Columns of this view",
        "There is no 9 here",
    ] {
        assert!(said.contains(text), "{text:?} is not in:\n{said}");
    }
}

#[test]
fn several_volumes_are_taken_at_once_and_long_lists_are_read_in_pages() {
    let deck = Deck::new();
    for n in 0..23 {
        let name = format!("v{n:02}");
        deck.ok(&["run", "create-volume", "--name", &name, "--size", "1MiB"]);
    }
    let mut t = Lines::start(&deck, &["--linear"]);
    t.hears("Volumes, 1 to 20 of 23");
    t.answers("next reads on", "next");
    t.hears("23. v22");
    t.answers(COMMAND, "group 22 23");
    t.answers(", Name.", "both");
    let volumes = t.hears(", Volumes.");
    assert!(
        volumes.contains("An empty line takes: v21, v22"),
        "{volumes}"
    );
    t.says("list");
    t.hears("Choose: volumes, 1 to 20 of 23");
    t.answers("done goes on", "1");
    t.hears("1. v00 (chosen)");
    t.answers("done goes on", "done");
    t.answers(", Description.", "");
    t.answers("yes does it", "yes");
    t.hears("done in");
    t.says("groups");
    t.hears("1. both");
    let (status, ..) = t.end();
    assert!(status.success());
    let members = deck.get("groups")[0]["members"].as_array().unwrap().len();
    assert_eq!(members, 3);
}

#[test]
fn a_copy_is_followed_paused_taken_on_and_cancelled() {
    let deck = Deck::new();
    let image = deck.path("image");
    std::fs::write(&image, vec![7_u8; 24 << 20]).unwrap();
    let image = image.to_string_lossy().into_owned();
    deck.ok(&["import", &image, "--name", "db"]);
    deck.ok(&[
        "run",
        "create-snapshot",
        "--volume",
        "db",
        "--name",
        "one",
        "--wait",
    ]);
    let mut t = Lines::start(&deck, &["--linear", "--copy-rate", "1MiB"]);
    t.answers(COMMAND, "clone 1");
    t.answers(", Snapshot.", "one");
    t.answers(", Name.", "copy");
    loop {
        let asked = t.hears("");
        if asked.contains("Copy everything") || asked.contains("copy.") {
            t.says("yes");
        } else if asked.starts_with("Field ") {
            t.says("");
        } else if asked.contains("yes does it") {
            t.says("yes");
            break;
        }
    }
    t.hears("Task: clone copy");
    t.says("tasks");
    t.hears("1. copy");
    t.answers(COMMAND, "1");
    t.hears("Steps");
    // It moves, and that is told.
    t.hears("KiB/s");
    t.says("pause");
    t.hears("paused");
    t.says("pause");
    t.says("cancel");
    t.hears("Cancel this task?");
    t.answers("yes: cancel it", "no");
    t.says("cancel");
    t.answers("yes: cancel it", "yes");
    t.hears("Task: clone copy <- db@one: cancelled");
    let (status, said, _) = t.end();
    assert!(status.success(), "{said}");
}

#[test]
fn the_input_may_end_and_the_talk_may_be_interrupted_at_any_question() {
    let deck = estate();
    for lines in [
        &[][..],
        &["create"],
        &["create", "x", "64MiB"],
        &["delete 1"],
        &["db", "next"],
        &[":"],
    ] {
        script(&deck, lines);
    }
    assert_eq!(deck.get("volumes").len(), 2);
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut t = Lines::start(&deck, &["--linear"]);
        t.answers(COMMAND, "create");
        t.hears("Field 1");
        kill_process(Pid::from_child(&t.child), signal).unwrap();
        let status = t.child.wait().unwrap();
        assert_eq!(status.code(), Some(code));
    }
}

#[test]
fn names_that_would_act_are_harmless_also_where_unicode_is_shown() {
    let deck = Deck::new();
    let hostile = "a\u{202e}b\u{200b}c e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}";
    deck.ok(&["run", "create-volume", "--name", "ok", "--size", "1MiB"]);
    deck.ok(&[
        "run",
        "update-volume",
        "--volume",
        "ok",
        "--description",
        hostile,
        "--instance",
        "\u{202e}m",
    ]);
    // No form lets such a name through; another program may have.
    let options = snapdeck::provider::embedded::Options::default();
    let embedded = snapdeck::provider::embedded::Embedded::open(&deck.store(), &options).unwrap();
    let name = "z\u{1b}[2J\u{9b}31m\u{7}\r\n9. db";
    let made = embedded
        .store()
        .create_volume(name, 1 << 20, Default::default());
    made.unwrap();
    embedded.close().unwrap();
    let said = script(
        &deck,
        &[
            "1",
            "back",
            "2",
            "back",
            "delete 2",
            "",
            "",
            ":back",
            "instances",
            "1",
        ],
    );
    assert!(
        said.contains("2. z^[[2J<U+009B>31m^G^M^J9. db, size"),
        "{said}"
    );
    assert!(said.contains("<U+202E>m"), "{said}");

    let mut command = deck.command(&["--linear"]);
    let mut child = command
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all("1\nback\ninstances\n\u{1b}[31m\u{7}\n".as_bytes())
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("a<U+202E>b"), "{said}");
    let acts = |c: char| c.is_control() && c != '\n';
    assert!(!said.contains(acts), "{said:?}");
}

#[test]
fn read_only_says_why_nothing_can_be_changed() {
    let deck = estate();
    let mut t = Lines::start(&deck, &["--linear", "--read-only"]);
    t.hears("read-only");
    t.answers(COMMAND, "create");
    let why = t.hears("create: ");
    assert!(why.contains("read-only"), "{why}");
    t.answers(COMMAND, "1");
    let snapshot = t.hears("Take a snapshot");
    assert!(
        snapshot.contains("Not possible: this is read-only"),
        "{snapshot}"
    );
    let (status, ..) = t.end();
    assert!(status.success());
}

#[test]
fn a_dumb_terminal_is_talked_to_in_lines_with_a_word_why() {
    let deck = estate();
    let mut t = pty::Terminal::start_with(&deck, &["console"], 80, 24, &[("TERM", "dumb")]);
    t.sees("calls itself dumb");
    t.sees("1. db");
    // What was typed ahead decides nothing.
    t.send("delete 2\n");
    t.sees("With its snapshots");
    t.send("\nweb\n");
    t.sees("type this exactly");
    t.send("\n");
    t.sees("Nothing is done.");
    t.send(":back\n");
    t.sees("Back in Volumes");
    t.send("quit\n");
    let (code, _, bytes) = t.end();
    assert_eq!(code, 0);
    assert!(
        !bytes.contains(&0x1b),
        "{}",
        String::from_utf8_lossy(&bytes)
    );
    assert_eq!(deck.get("volumes").len(), 2);
}

#[test]
fn the_demo_estate_opens_in_lines_too() {
    let deck = Deck::new();
    let mut t = Lines::start(&deck, &["demo", "--linear", "--scale", "20"]);
    t.hears("linear mode");
    t.hears("to try anything on");
    t.hears("Task: clone");
    t.answers(COMMAND, "quit");
    t.answers("yes: leave", "yes");
    t.hears("Under way: clone");
    let (status, ..) = t.end();
    assert!(status.success());
}

#[test]
fn what_was_chosen_is_kept_unless_it_may_not_be_and_a_bad_file_stops_nothing() {
    let deck = estate();
    let file = deck.path("state/snapdeck/console.json");
    let choices = [
        "columns",
        "own",
        "back",
        "sort",
        "size",
        "filter db",
        "filter",
    ];
    for flag in ["--no-state", "--no-config"] {
        let mut t = Lines::start(&deck, &["--linear", flag]);
        for line in choices {
            t.says(line);
        }
        let (_, said, _) = t.end();
        assert!(said.contains("by size"), "{said}");
        assert!(!file.exists(), "{flag}");
    }
    let said = script(&deck, &choices);
    assert!(said.contains("used 0 B, own 0 B"), "{said}");
    let kept: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(kept["filters"], serde_json::json!(["db"]));
    let said = script(&deck, &[]);
    assert!(said.contains("Volumes, 2, by size:"), "{said}");
    assert!(!said.contains("own 0 B"), "{said}");

    std::fs::write(&file, "{ not ours").unwrap();
    let said = script(&deck, &["sort", "used"]);
    assert!(said.contains("console.json is ignored"), "{said}");
    assert!(said.contains("Volumes, 2, by name:"), "{said}");
    let said = script(&deck, &[]);
    assert!(said.contains("Volumes, 2, by used:"), "{said}");
}

#[test]
fn a_support_bundle_is_shown_before_it_is_written() {
    let deck = estate();
    let mut t = Lines::start(&deck, &["--linear"]);
    t.answers(COMMAND, "bundle");
    t.hears("Nothing is written or sent yet");
    t.hears("tasks.txt");
    assert!(!deck.path("state/snapdeck/support").exists());
    t.answers(COMMAND, "support");
    let told = t.hears("the bundle is ");
    let path = told.split("the bundle is ").nth(1).unwrap();
    let path = path.split(';').next().unwrap();
    assert!(path.starts_with(&*deck.path("state").to_string_lossy()));
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(bytes[..2], [0x1f, 0x8b]);
    let (status, ..) = t.end();
    assert!(status.success());
}

#[test]
fn a_tree_is_read_as_indented_lines() {
    let deck = estate();
    let restore = [
        "run",
        "restore",
        "--volume",
        "db",
        "--snapshot",
        "one",
        "--yes",
    ];
    deck.ok(&restore);
    let said = script(&deck, &["open db"]);
    for line in [
        "1. one, ",
        "2.   two, ",
        "3.   guard-",
        "4.   you are here, ",
    ] {
        assert!(said.contains(line), "{line:?} is not in:\n{said}");
    }
    assert!(said.contains("note guard"), "{said}");
}

#[test]
fn what_a_difference_brought_is_taken_back() {
    let (from, to) = (estate(), Deck::new());
    let (whole, more) = (from.path("whole"), from.path("more"));
    let (whole, more) = (whole.to_string_lossy(), more.to_string_lossy());
    from.ok(&["export", "db@one", &whole, "--format", "diff"]);
    from.ok(&["export", "db@two", &more, "--since", "db@one"]);
    to.ok(&["apply", &whole, "copied"]);
    to.ok(&["apply", &more, "copied"]);
    let one = to.one("snapshots", "one");

    let mut t = Lines::start(&to, &["--linear"]);
    t.answers(COMMAND, "undo");
    t.answers("yes does it", "yes");
    t.hears("Task: restore copied <- one");
    t.says("wait");
    // The first of all, by its place in the journal.
    t.answers("Nothing runs", "journal");
    t.hears("Journal, 3");
    t.answers(COMMAND, "undo 3");
    t.answers("type this exactly: copied", "copied");
    t.says("wait");
    t.hears("Nothing runs");
    let (status, said, _) = t.end();
    assert!(status.success(), "{said}");
    assert!(one["id"].is_string() && to.get("volumes").is_empty());
    assert!(to.get("snapshots").is_empty());
}
