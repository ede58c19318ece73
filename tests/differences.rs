//! What changed, exported and applied to another store: exact, in order, and as a whole or not at all.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod support;

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use support::{Deck, same};

const MIB: u64 = 1 << 20;

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len.div_ceil(8))
            .flat_map(|_| {
                self.next(2);
                self.0.to_le_bytes()
            })
            .take(len as usize)
            .collect()
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A store whose volume `v` has snapshots, and another store.
struct Two {
    here: Deck,
    there: Deck,
    chance: Chance,
    /// What the volume holds, as a raw image.
    raw: PathBuf,
}

impl Two {
    fn new(size: u64, seed: u64) -> Self {
        let here = Deck::new();
        let raw = here.path("now.raw");
        fs::File::create(&raw).unwrap().set_len(size).unwrap();
        Self {
            here,
            there: Deck::new(),
            chance: Chance(seed),
            raw,
        }
    }

    /// Changes `pieces` places of the volume, some of them to zeroes, and takes a snapshot.
    fn point(&mut self, name: &str, pieces: u64) {
        let mut file = fs::File::options().write(true).open(&self.raw).unwrap();
        let size = file.metadata().unwrap().len();
        for n in 0..pieces {
            let length = (self.chance.next(200) + 1) * 1024;
            let at = self.chance.next((size - length) / 512) * 512;
            file.seek(SeekFrom::Start(at)).unwrap();
            let bytes = match n % 3 {
                0 => vec![0; length as usize],
                _ => self.chance.bytes(length),
            };
            file.write_all(&bytes).unwrap();
        }
        let raw = text(&self.raw);
        if self
            .here
            .output(&["describe", "volumes", "v"])
            .status
            .success()
        {
            let args = ["import", &raw, "--into", "v", "--guard", "false", "--yes"];
            self.here.ok(&args);
        } else {
            self.here.ok(&["import", &raw, "--name", "v"]);
        }
        let args = ["run", "create-snapshot", "--volume", "v", "--name", name];
        self.here.ok(&[&args[..], &["--wait"]].concat());
        fs::copy(&self.raw, self.here.path(&format!("{name}.raw"))).unwrap();
    }

    /// Exports what changed up to `to`; its file.
    fn export(&self, to: &str, since: Option<&str>) -> String {
        let file = text(&self.here.path(&format!("{to}.diff")));
        let source = format!("v@{to}");
        let mut args = vec!["export", &source, &file, "--force", "--format", "diff"];
        let since = since.map(|since| format!("v@{since}"));
        if let Some(since) = &since {
            args.extend(["--since", since]);
        }
        self.here.ok(&args);
        file
    }

    /// What there is under this name in the other store is what it was here.
    fn arrived(&self, source: &str, point: &str) {
        let out = self.there.path("out.raw");
        self.there.ok(&["export", source, &text(&out), "--force"]);
        let was = self.here.path(&format!("{point}.raw"));
        assert!(same(&out, &was), "{source} is not what {point} was");
    }
}

#[test]
fn a_chain_of_differences_makes_the_same_points_in_time() {
    let mut two = Two::new(40 * MIB, 0xd1ff);
    two.point("a", 30);
    two.point("b", 20);
    two.point("c", 1);
    // Nothing changes, and that is a difference too.
    two.point("d", 0);
    let a = two.export("a", None);
    let b = two.export("b", Some("a"));
    let c = two.export("c", Some("b"));
    let d = two.export("d", Some("c"));
    for file in [&a, &b, &c, &d] {
        two.there.ok(&["apply", file, "v"]);
    }
    for point in ["a", "b", "c", "d"] {
        two.arrived(&format!("v@{point}"), point);
    }
    two.arrived("v", "d");
    // They are the same points in time: they have their times, and go on from there.
    let (here, there) = (
        two.here.one("snapshots", "c"),
        two.there.one("snapshots", "c"),
    );
    assert_eq!(here["created"], there["created"]);
    assert_eq!(here["id"], there["metadata"]["origin"]);
    let again = text(&two.there.path("again.diff"));
    two.there.ok(&["export", "v@c", &again, "--since", "v@b"]);
    assert!(
        same(Path::new(&again), Path::new(&c)),
        "from there it is the same"
    );
    // What is put together apart is gone.
    assert_eq!(two.there.get("volumes").len(), 1);
    let scrubbed = two.there.output(&["scrub"]);
    assert!(scrubbed.status.success());

    // What is listed is what is written: data, and the records around it.
    let listed = two.here.ok(&["diff", "v@a", "v@b", "-o", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let data = listed["data"].as_u64().unwrap();
    let written = fs::metadata(&b).unwrap().len();
    assert!(
        written > data && written < data + 20_000,
        "{written} {data}"
    );
    // And it is exact: every block that differs and no other.
    let (old, new) = (
        fs::read(two.here.path("a.raw")).unwrap(),
        fs::read(two.here.path("b.raw")).unwrap(),
    );
    let blocks = old.chunks(4096).zip(new.chunks(4096)).enumerate();
    let changed: Vec<u64> = blocks
        .filter(|(_, (old, new))| old != new)
        .map(|(n, _)| n as u64)
        .collect();
    let extents = listed["extents"].as_array().unwrap();
    let told: Vec<u64> = extents
        .iter()
        .flat_map(|extent| {
            let (offset, length) = (
                extent["offset"].as_u64().unwrap(),
                extent["length"].as_u64().unwrap(),
            );
            let zero = new[offset as usize..(offset + length) as usize]
                .iter()
                .all(|b| *b == 0);
            assert_eq!(extent["kind"], if zero { "zero" } else { "data" });
            offset / 4096..(offset + length) / 4096
        })
        .collect();
    assert_eq!(told, changed);
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut two = Two::new(8 * MIB, 0xbad);
    two.point("a", 10);
    two.point("b", 10);
    two.point("c", 10);
    let a = two.export("a", None);
    let b = two.export("b", Some("a"));
    let c = two.export("c", Some("b"));
    let refused = |code: i32, args: &[&str], why: &str| {
        let said = two.there.fails(code, args);
        assert!(said.contains(why), "{said}");
    };
    // Out of order, twice, onto something else.
    refused(5, &["apply", &b, "v"], "there is no volume v");
    two.there.ok(&["apply", &a, "v"]);
    refused(6, &["apply", &c, "v"], "has no snapshot that is the b");
    refused(6, &["apply", &a, "v"], "v has a already");
    let other = two.there.path("other.raw");
    fs::write(&other, vec![1; MIB as usize]).unwrap();
    two.there.ok(&["import", &text(&other), "--name", "w"]);
    let args = ["run", "create-snapshot", "--volume", "w", "--name", "a"];
    two.there.ok(&args);
    refused(6, &["apply", &b, "w"], "has no snapshot that is the a");
    refused(6, &["apply", &a, "w"], "is not empty");
    let before = two.there.get("volumes");

    // Cut short and altered, from a file and through a pipe.
    let whole = fs::read(&b).unwrap();
    let bad = two.there.path("bad.diff");
    let mut chance = Chance(77);
    for n in 0..24 {
        let mut bytes = whole.clone();
        match n {
            0 => bytes.truncate(bytes.len() - 1),
            1 => bytes.truncate(11),
            2 => bytes.push(0),
            3..12 => bytes.truncate(chance.next(whole.len() as u64) as usize),
            _ => {
                let at = chance.next(whole.len() as u64) as usize;
                bytes[at] ^= 1 << chance.next(8);
            }
        }
        fs::write(&bad, &bytes).unwrap();
        let output = two.there.output(&["apply", &text(&bad), "v"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{n}: {said}");
        assert!(
            said.contains("cannot be applied") || said.contains("has no snapshot"),
            "{n}: {said}"
        );
        let mut child = two
            .there
            .command(&["apply", "-", "v"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(&bytes);
        assert!(!child.wait().unwrap().success(), "{n}");
        two.arrived("v", "a");
    }
    assert_eq!(two.there.get("volumes").len(), before.len());

    // A volume that was written to since: what was written would be gone.
    let raw = text(&two.here.path("c.raw"));
    let args = ["import", &raw, "--into", "v", "--guard", "false", "--yes"];
    two.there.ok(&args);
    refused(6, &["apply", &b, "v"], "v is not what v@a is");
    two.arrived("v", "c");
    let args = [
        "run",
        "restore",
        "--volume",
        "v",
        "--snapshot",
        "a",
        "--yes",
    ];
    two.there.ok(&[&args[..], &["--wait"]].concat());
    two.there.ok(&["apply", &b, "v"]);

    // Through a pipe, it is the same.
    let status = two
        .there
        .command(&["apply", "-", "v"])
        .stdin(fs::File::open(&c).unwrap())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    two.arrived("v@c", "c");
    refused(
        2,
        &["apply", &text(&two.here.path("a.raw")), "v"],
        "does not begin as",
    );
}

#[test]
fn what_rbd_writes_is_taken_where_that_was_said() {
    let mut two = Two::new(8 * MIB, 0xcef);
    two.point("a", 10);
    two.point("b", 10);
    for (to, since) in [("a", None), ("b", Some("a"))] {
        let file = two.export(to, since);
        // Its bytes end with the end record; the seal begins behind it.
        let mut bytes = fs::read(&file).unwrap();
        let seal = bytes.windows(9).rposition(|nine| nine == b"esnapdeck");
        bytes.truncate(seal.unwrap() + 1);
        fs::write(&file, bytes).unwrap();
        let said = two.there.fails(2, &["apply", &file, "v"]);
        assert!(said.contains("--foreign"), "{said}");
        two.there.ok(&["apply", &file, "v", "--foreign"]);
        two.arrived(&format!("v@{to}"), to);
    }
    two.arrived("v", "b");
}

#[test]
fn sizes_change_with_what_is_applied() {
    let mut two = Two::new(8 * MIB, 0x512e);
    two.point("a", 10);
    let args = ["run", "extend-volume", "--volume", "v", "--size", "12M"];
    two.here.ok(&args);
    let file = fs::File::options().write(true).open(&two.raw).unwrap();
    file.set_len(12 * MIB).unwrap();
    two.point("b", 10);
    let a = two.export("a", None);
    let b = two.export("b", Some("a"));
    two.there.ok(&["apply", &a, "v"]);
    two.there.ok(&["apply", &b, "v"]);
    two.arrived("v", "b");
    two.arrived("v@a", "a");
    // And back: a difference the other way round makes it smaller.
    let back = text(&two.here.path("back.diff"));
    two.here
        .ok(&["export", "v@a", &back, "--since", "v@b", "--force"]);
    let args = ["run", "delete-snapshot", "--snapshot", "v@a", "--yes"];
    two.there.ok(&[&args[..], &["--wait"]].concat());
    two.there.ok(&["apply", &back, "v"]);
    two.arrived("v", "a");
    assert_eq!(two.there.one("volumes", "v")["size"], 8 * MIB);
}

#[test]
fn killed_while_it_applies_the_volume_is_the_old_or_the_new() {
    let mut two = Two::new(96 * MIB, 0x9111);
    two.point("a", 10);
    let everything = two.chance.bytes(90 * MIB);
    let mut file = fs::File::options().write(true).open(&two.raw).unwrap();
    file.write_all(&everything).unwrap();
    two.point("b", 0);
    let a = two.export("a", None);
    let b = two.export("b", Some("a"));
    // How long it takes undisturbed, so that it is killed on the way.
    two.there = Deck::new();
    two.there.ok(&["apply", &a, "v"]);
    let begun = Instant::now();
    two.there.ok(&["apply", &b, "v"]);
    let whole = begun.elapsed();
    let mut interrupted = 0;
    for round in 0..8_u32 {
        two.there = Deck::new();
        two.there.ok(&["apply", &a, "v"]);
        let mut child = two
            .there
            .command(&["apply", &b, "v"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(whole * (2 * round + 1) / 16);
        child.kill().unwrap();
        child.wait().unwrap();
        let has = |deck: &Deck| {
            let names = deck.get("snapshots").into_iter();
            names.filter(|s| s["name"] == "b").count()
        };
        let out = two.there.path("out.raw");
        two.there.ok(&["export", "v", &text(&out), "--force"]);
        let old = same(&out, &two.here.path("a.raw"));
        assert!(old || same(&out, &two.here.path("b.raw")), "round {round}");
        let tasks = two.there.get("tasks");
        let open = tasks.iter().filter(|task| task["ended"].is_null()).count();
        interrupted += open;
        if open > 0 {
            let code = two.there.output(&["follow"]).status.code();
            // Killed before its only step was begun, it waits for somebody to decide.
            if code == Some(11) {
                assert!(old);
                continue;
            }
            assert_eq!(code, Some(0), "round {round}");
            two.arrived("v", "b");
        }
        if !old || open > 0 {
            assert_eq!(has(&two.there), 1, "round {round}");
            two.arrived("v@b", "b");
            assert_eq!(two.there.get("volumes").len(), 1, "nothing is left over");
        }
    }
    assert!(
        interrupted > 0,
        "none was interrupted: the test shows nothing"
    );
}
