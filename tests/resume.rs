//! Imports and exports that were interrupted, and are gone on with.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod support;

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use support::{Deck, same};

const MIB: u64 = 1 << 20;
/// The length of the image that is taken in, in MiB.
const IMAGE: u64 = 640;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A raw image of data that is nowhere zero.
fn image(path: &Path, mib: u64) {
    let mut file = fs::File::create(path).unwrap();
    for n in 0..mib {
        let line = format!("{n:>15}\n");
        file.write_all(&line.as_bytes().repeat(MIB as usize / 16))
            .unwrap();
    }
}

/// Begins something and stops it by `stop` once `reached` says so; whether it was in time.
fn stopped(child: &mut Child, stop: Signal, mut reached: impl FnMut(Duration) -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if reached(begun.elapsed()) {
            kill_process(Pid::from_child(child), stop).unwrap();
            child.wait().unwrap();
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A store with an unfinished import of `i.raw`, of which some is kept, by these arguments.
fn unfinished(args: &[&str]) -> Deck {
    // How long it takes undisturbed; half of that is the first guess of when to kill it.
    let mut moment = {
        let deck = Deck::new();
        image(&deck.path("i.raw"), IMAGE);
        let begun = Instant::now();
        deck.ok(&["import", &text(&deck.path("i.raw")), "--name", "v"]);
        begun.elapsed() / 2
    };
    for _ in 0..16 {
        let deck = Deck::new();
        let raw = deck.path("i.raw");
        image(&raw, IMAGE);
        if args.contains(&"--into") {
            let size = format!("{IMAGE}M");
            let create = ["run", "create-volume", "--name", "v", "--size", &size];
            deck.ok(&[&create[..], &["--wait"]].concat());
        }
        let raw = text(&raw);
        let mut child = deck
            .command(&[&["import", &raw], args].concat())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let in_time = stopped(&mut child, Signal::KILL, |passed| passed > moment);
        moment = match (in_time, position(&deck)) {
            (true, 0) => moment * 5 / 4,
            (true, _) => return deck,
            (false, _) => moment * 3 / 4,
        };
    }
    panic!("the import was never interrupted in its midst");
}

/// How far the import into `v` is kept to have come.
fn position(deck: &Deck) -> u64 {
    // Killed early, there is no volume yet.
    let all = deck.get("volumes");
    let Some(volume) = all.iter().find(|volume| volume["name"] == "v") else {
        return 0;
    };
    let kept = volume["metadata"]["unfinished-import"].as_str();
    let kept: serde_json::Value = match kept {
        Some(text) => serde_json::from_str(text).unwrap(),
        None => return 0,
    };
    kept["position"].as_u64().unwrap()
}

fn whole(deck: &Deck) {
    let out = deck.path("out.raw");
    deck.ok(&["export", "v", &text(&out), "--force"]);
    assert!(same(&out, &deck.path("i.raw")));
    assert!(
        deck.one("volumes", "v")["metadata"]
            .get("unfinished-import")
            .is_none()
    );
}

#[test]
fn a_killed_import_goes_on_where_it_was() {
    // By the task that was left under way.
    let deck = unfinished(&["--name", "v"]);
    let output = deck.output(&["follow"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("gone on with at"), "{said}");
    whole(&deck);
    // And then there is nothing left to go on with.
    let raw = text(&deck.path("i.raw"));
    let said = deck.fails(5, &["import", &raw, "--name", "v", "--resume"]);
    assert!(said.contains("is unfinished"), "{said}");
}

#[test]
fn the_same_import_with_resume_goes_on_over_a_volume() {
    let deck = unfinished(&["--into", "v", "--yes"]);
    let raw = text(&deck.path("i.raw"));
    let kept = position(&deck);
    let args = ["import", &raw, "--into", "v", "--resume", "--yes"];
    let output = deck.output(&args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("gone on with at"), "{said}");
    assert!(kept > 0);
    whole(&deck);
}

#[test]
fn an_import_goes_on_only_with_the_image_and_the_volume_that_it_was() {
    let deck = unfinished(&["--name", "v"]);
    let raw = deck.path("i.raw");
    let was = fs::metadata(&raw).unwrap();
    let resume = |why: &str| {
        let args = ["import", &text(&raw), "--name", "v", "--resume"];
        let output = deck.output(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(6), "{said}");
        assert!(said.contains(why), "{said}");
    };
    // Changed, with another time.
    let change = |byte: u8| {
        let mut file = fs::File::options().write(true).open(&raw).unwrap();
        file.seek(SeekFrom::Start(12)).unwrap();
        file.write_all(&[byte]).unwrap();
        file
    };
    drop(change(b'?'));
    resume("was changed since");
    // Changed, with the time put back.
    let file = change(b'?');
    file.set_modified(was.modified().unwrap()).unwrap();
    drop(file);
    resume("is not what");
    // As it was, and the volume changed.
    let file = change(b' ');
    file.set_modified(was.modified().unwrap()).unwrap();
    drop(file);
    let args = ["run", "create-snapshot", "--volume", "v", "--name", "s"];
    deck.ok(&args);
    resume("a snapshot of v was taken");
    let gone = deck.fails(5, &["import", &text(&raw), "--name", "w", "--resume"]);
    assert!(gone.contains("no import into w"), "{gone}");
}

/// A store with a snapshot `v@s` of data.
fn snapshot(mib: u64) -> Deck {
    let deck = Deck::new();
    let raw = deck.path("i.raw");
    image(&raw, mib);
    deck.ok(&["import", &text(&raw), "--name", "v"]);
    let args = ["run", "create-snapshot", "--volume", "v", "--name", "s"];
    deck.ok(&[&args[..], &["--wait"]].concat());
    deck
}

/// How an export is ended before its end.
#[derive(Clone, Copy, Debug)]
enum End {
    /// By this signal, once some of it is kept.
    Signal(Signal),
    /// By a limit on the length of files, in bytes: it stands for a disk that is full.
    Full(u64),
}

/// Ends an export early; whether it was in time. What it said.
fn ended(deck: &Deck, out: &Path, more: &[&str], end: End) -> (bool, String) {
    let name = out.file_name().unwrap().to_string_lossy().into_owned();
    let state = out.with_file_name(format!(".{name}.part.state"));
    let out = text(out);
    let mut child = deck
        .command(&[&["export", "v@s", &out], more].concat())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let in_time = match end {
        End::Signal(signal) => stopped(&mut child, signal, |_| state.exists()),
        End::Full(bytes) => {
            let limit = Rlimit {
                current: Some(bytes),
                maximum: Some(bytes),
            };
            prlimit(Some(Pid::from_child(&child)), Resource::Fsize, limit).unwrap();
            true
        }
    };
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if let End::Full(_) = end {
        assert_eq!(output.status.code(), Some(7), "{said}");
        assert!(said.contains("cannot be written"), "{said}");
        assert!(said.contains("--resume"), "{said}");
    }
    (in_time, said)
}

#[test]
fn an_interrupted_export_goes_on_where_it_was() {
    let deck = snapshot(160);
    let whole = |name: &str, more: &[&str]| {
        let out = deck.path(name);
        deck.ok(&[&["export", "v@s", &text(&out)], more].concat());
        fs::read(&out).unwrap()
    };
    let mut shown = 0;
    for (name, more) in [
        ("o.raw", &[][..]),
        ("o.qcow2", &[][..]),
        ("o.diff", &["--format", "diff"][..]),
    ] {
        // A name whose ending says the same.
        let expected = whole(&format!("whole-{name}"), more);
        for end in [
            End::Full(30 * MIB + 4567),
            End::Signal(Signal::KILL),
            End::Signal(Signal::TERM),
        ] {
            let out = deck.path(name);
            let _ = fs::remove_file(&out);
            let (in_time, said) = ended(&deck, &out, more, end);
            if !in_time {
                continue;
            }
            if matches!(end, End::Signal(Signal::TERM)) {
                assert!(said.contains("--resume goes on from there"), "{said}");
            }
            assert!(!out.exists(), "{name} is not there before it is whole");
            let to = text(&out);
            let args = [&["export", "v@s", &to, "--resume"], more].concat();
            let output = deck.output(&args);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            assert!(said.contains("gone on with at"), "{said}");
            assert!(fs::read(&out).unwrap() == expected, "{name}");
            shown += 1;
        }
    }
    let left = fs::read_dir(deck.dir.path()).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name());
    let parts = names.filter(|name| name.to_string_lossy().contains(".part"));
    assert_eq!(parts.count(), 0);
    assert!(shown >= 3);
}

#[test]
fn an_export_goes_on_only_with_what_it_was_of() {
    let deck = snapshot(24);
    let out = deck.path("o.qcow2");
    ended(&deck, &out, &[], End::Full(9 * MIB));
    let out = text(&out);
    let resume = |source: &str, more: &[&str], why: &str| {
        let said = deck.fails(6, &[&["export", source, &out, "--resume"], more].concat());
        assert!(said.contains(why), "{said}");
    };
    let args = ["run", "create-snapshot", "--volume", "v", "--name", "t"];
    deck.ok(&[&args[..], &["--wait"]].concat());
    resume("v@t", &[], "another snapshot");
    resume("v@s", &["--format", "raw"], "it is a qcow2");
    let said = deck.fails(2, &["export", "v", &out, "--resume"]);
    assert!(said.contains("only the export of a snapshot"), "{said}");
    // The part was changed by somebody.
    let part = deck.path(".o.qcow2.part");
    let mut file = fs::File::options().write(true).open(&part).unwrap();
    file.seek(SeekFrom::End(-3 * MIB as i64)).unwrap();
    file.write_all(&vec![b'?'; 3 * MIB as usize]).unwrap();
    resume("v@s", &[], "is not what was written");
    // Anew, nothing of it is taken for the beginning.
    deck.ok(&["export", "v@t", &out]);
}

#[test]
fn what_cannot_be_gone_on_with_is_not_left() {
    let deck = snapshot(24);
    let out = deck.path("o.raw");
    let mut child = deck
        .command(&["export", "v", &text(&out)])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let limit = Rlimit {
        current: Some(3 * MIB),
        maximum: Some(3 * MIB),
    };
    prlimit(Some(Pid::from_child(&child)), Resource::Fsize, limit).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
    let left = fs::read_dir(deck.dir.path()).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = names.filter(|name| name.contains("o.raw")).collect();
    assert!(left.is_empty(), "{left:?}");
}
