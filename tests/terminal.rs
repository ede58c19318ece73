//! The real program in a real pseudo-terminal: what is set, recorded, copied, and left of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

#[path = "support/pty.rs"]
mod pty;
mod support;

use std::path::Path;

use pty::{Terminal, restored};
use support::Deck;

const NONE: [&str; 0] = [];
const F9: &str = "\x1b[20~";

/// A store with one volume.
fn deck() -> Deck {
    let deck = Deck::new();
    deck.ok(&[
        "run",
        "create-volume",
        "--name",
        "db",
        "--size",
        "1MiB",
        "--wait",
    ]);
    std::fs::create_dir_all(deck.path("config/snapdeck")).unwrap();
    deck
}

fn configure(deck: &Deck, text: &str) {
    std::fs::write(deck.path("config/snapdeck/config.toml"), text).unwrap();
}

fn end(mut terminal: Terminal) -> Vec<u8> {
    terminal.send("\x03");
    let (code, _, bytes) = terminal.end();
    assert_eq!(code, 0);
    restored(&bytes);
    bytes
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|w| w == part.as_bytes())
}

#[test]
fn a_configuration_is_read_again_when_it_is_written_and_a_wrong_one_is_not_taken() {
    let deck = deck();
    configure(&deck, "[keys]\nsnapshot = \"X\"\n");
    let t = Terminal::start(&deck, &NONE, 100, 20);
    t.sees("<X> snapshot");
    configure(&deck, "[keys]\nsnapshot = \"Z\"\n");
    t.sees("was read again");
    configure(&deck, "[keyz]\nsnapshot = \"V\"\n");
    t.sees("the one before stays");
    let mut t = t;
    t.send("!");
    t.sees("Messages");
    t.send("\r");
    // It may be broken over two lines.
    t.sees("\"keys\"?");
    // What was in force before is still.
    t.send("1Z");
    t.sees("Take a snapshot");
    end(t);

    // None starts with it, and none is kept from starting without it.
    let said = deck.fails(3, &["get", "volumes"]);
    assert!(
        said.contains("config.toml:1: there is no setting \"keyz\""),
        "{said}"
    );
    assert!(said.contains("--no-config"), "{said}");
    deck.ok(&["get", "volumes", "--no-config"]);
    let said = deck.fails(3, &["config", "check"]);
    assert!(said.contains("did you mean \"keys\"?"), "{said}");
    configure(&deck, "read-only = true\n");
    deck.ok(&["config", "check"]);
    deck.fails(4, &["run", "delete-volume", "--volume", "db", "--yes"]);
}

#[test]
fn the_command_prints_a_configuration_that_is_right() {
    let deck = deck();
    let doc = deck.ok(&["config", "doc"]);
    assert!(
        doc.contains("# theme = \"auto\"") && doc.contains("# snapshot = \"S\""),
        "{doc}"
    );
    let file = deck.path("printed.toml");
    std::fs::write(&file, doc).unwrap();
    deck.ok(&["config", "check", file.to_str().unwrap()]);
    let schema: serde_json::Value =
        serde_json::from_str(&deck.ok(&["config", "doc", "--schema"])).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema["properties"]["theme"]["description"].is_string());
}

#[test]
fn what_is_recorded_is_played_searched_and_made_into_pictures() {
    let deck = deck();
    let file = deck.path("a.recording");
    let name = file.to_str().unwrap();
    let mut t = Terminal::start(&deck, &["--record", name], 100, 20);
    t.sees("db");
    t.send("c");
    t.sees("Create a volume");
    t.answer("payroll");
    t.sees("payroll");
    t.send("\x1b");
    t.misses("payroll");
    end(t);
    let again = Terminal::start(&deck, &["--record", name], 100, 20);
    let (code, screen, _) = again.end();
    assert!(code == 9 && screen.contains("not there yet"), "{screen}");

    // At its end, in three forms.
    let text = deck.ok(&["replay", name, "--to", "text"]);
    assert!(text.contains("Volumes") && text.contains("db"), "{text}");
    let drawing = deck.ok(&["replay", name, "--to", "svg"]);
    assert!(
        drawing.starts_with("<svg ") && drawing.contains("> db <"),
        "{drawing}"
    );
    let cast = deck.ok(&["replay", name, "--to", "cast", "--pause", "0.5"]);
    assert!(
        cast.lines().count() > 3 && cast.contains("Create"),
        "{cast}"
    );

    // Played: to its end, and back to its first screens.
    let mut t = Terminal::start(&deck, &["replay", name, "--paused"], 100, 24);
    t.sees("paused 0:00");
    t.send("G");
    t.until("the end", |s| {
        s.contains("db") && s.contains("signal") || s.contains("ctrl-c")
    });
    t.send("g");
    t.sees("paused 0:00");
    for _ in 0..60 {
        t.send(".");
    }
    t.resize(60, 12);
    t.sees("paused");
    t.resize(1, 1);
    t.resize(100, 24);
    t.sees("paused");
    t.send("q");
    let (code, _, bytes) = t.end();
    assert_eq!(code, 0);
    restored(&bytes);
    let said = deck.fails(3, &["replay", "Cargo.toml", "--to", "text"]);
    assert!(
        said.contains("cannot be read") || said.contains("no recording"),
        "{said}"
    );
}

#[test]
fn a_text_is_copied_as_the_terminal_takes_it() {
    let deck = deck();
    let id = deck.one("volumes", "db")["id"].as_str().unwrap().to_owned();
    assert!(!id.is_empty());
    for (variables, wanted, refused) in [
        (
            &[("TERM", "xterm-256color")][..],
            Some("\x1b]52;c;ZGI=\x07"),
            false,
        ),
        (
            &[("TERM", "tmux-256color"), ("TMUX", "/tmp/x,1,0")][..],
            Some("\x1bPtmux;\x1b\x1b]52;c;ZGI=\x07\x1b\\"),
            false,
        ),
        (
            &[("TERM", "screen-256color"), ("STY", "1.x")][..],
            Some("\x1bP\x1b]52;c;ZGI=\x07\x1b\\"),
            false,
        ),
        (&[("TERM", "linux")][..], None, true),
    ] {
        let mut t = Terminal::start_with(&deck, &NONE, 100, 20, variables);
        t.sees("db");
        t.send("Y");
        if refused {
            t.sees("cannot be told to copy");
        } else {
            t.sees("describe volume");
            t.send("\r");
            t.sees("on their way to the clipboard");
        }
        let bytes = end(t);
        match wanted {
            Some(wanted) => assert!(contains(&bytes, wanted), "{variables:?}"),
            None => assert!(!contains(&bytes, "]52;"), "{variables:?}"),
        }
    }
}

#[test]
fn a_picture_is_kept_and_only_its_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let deck = deck();
    let state = deck.path("state");
    let state = state.to_str().unwrap();
    let mut t = Terminal::start_with(&deck, &NONE, 200, 20, &[("XDG_STATE_HOME", state)]);
    t.sees("db");
    t.send(F9);
    t.sees("Keep a picture");
    t.send("\r");
    t.sees("the picture is ");
    end(t);
    let pictures: Vec<_> = std::fs::read_dir(Path::new(state).join("snapdeck/pictures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(pictures.len(), 1);
    let text = std::fs::read_to_string(&pictures[0]).unwrap();
    assert!(
        text.contains("db") && !text.contains("Keep a picture"),
        "{text}"
    );
    let mode = std::fs::metadata(&pictures[0])
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn the_mouse_is_left_to_the_terminal_and_taken_again() {
    let deck = deck();
    configure(&deck, "mouse = false\n");
    let mut t = Terminal::start(&deck, &NONE, 100, 20);
    t.sees("db");
    assert!(!contains(&t.bytes(), "\x1b[?1000h"));
    t.send("\x1b[17~");
    t.sees("the mouse presses");
    assert!(contains(&t.bytes(), "\x1b[?1000h"));
    t.send("\x1b[17~");
    t.sees("text can be selected");
    end(t);
}

#[test]
fn a_terminal_of_the_oldest_kind_gets_nothing_that_it_would_show() {
    let deck = deck();
    for term in ["linux", "vt220"] {
        let mut t = Terminal::start_with(&deck, &NONE, 100, 20, &[("TERM", term)]);
        t.sees("db");
        t.send("j\x0c");
        t.sees("db");
        let bytes = end(t);
        assert!(!contains(&bytes, "\x1b[?2026h"), "{term}");
        assert!(
            !contains(&bytes, "38;5") && !contains(&bytes, "38;2"),
            "{term}"
        );
        assert!(bytes.is_ascii(), "{term}");
    }
}

#[test]
fn from_the_largest_to_one_cell_and_back() {
    let deck = deck();
    let mut t = Terminal::start(&deck, &NONE, 200, 60);
    t.sees("db");
    for (cols, rows) in [
        (120, 36),
        (80, 24),
        (40, 8),
        (39, 7),
        (10, 2),
        (1, 1),
        (2, 50),
        (200, 1),
    ] {
        t.resize(cols, rows);
        t.send("jk");
    }
    t.resize(200, 60);
    t.until("the whole again", |s| {
        s.contains("db") && s.contains("Volumes")
    });
    end(t);
}
