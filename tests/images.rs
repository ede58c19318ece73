//! Real file systems through the store: each point in time is what it was.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use support::{Deck, same, tool};

fn mkfs(folder: &Path, image: &Path) {
    let file = fs::File::create(image).unwrap();
    file.set_len(96 << 20).unwrap();
    let args: [&OsStr; 6] = [
        "-q".as_ref(),
        "-F".as_ref(),
        "-d".as_ref(),
        folder.as_os_str(),
        "-L".as_ref(),
        "snapdeck".as_ref(),
    ];
    let mut args = args.to_vec();
    args.push(image.as_os_str());
    tool("mkfs.ext4", &args);
}

fn fsck(image: &Path) {
    tool("e2fsck", &["-fn".as_ref(), image.as_os_str()]);
}

/// What a file in an ext4 image holds.
fn cat(image: &Path, file: &str) -> String {
    let request = format!("cat {file}");
    tool(
        "debugfs",
        &["-R".as_ref(), request.as_ref(), image.as_os_str()],
    )
}

#[test]
fn every_point_in_time_is_what_it_was() {
    let deck = Deck::new();
    let folder = deck.path("tree");
    fs::create_dir_all(folder.join("etc")).unwrap();
    fs::write(folder.join("etc/version"), "one\n").unwrap();
    for n in 0..40_u32 {
        let line = format!("line {n} of a file that compresses well\n").repeat(2_000);
        fs::write(folder.join(format!("file-{n}")), line).unwrap();
    }
    let first = deck.path("first.raw");
    mkfs(&folder, &first);
    fsck(&first);

    let arg = |path: &Path| path.to_string_lossy().into_owned();
    deck.ok(&["import", &arg(&first), "--name", "fs"]);
    deck.ok(&[
        "run",
        "create-snapshot",
        "--volume",
        "fs",
        "--name",
        "one",
        "--wait",
    ]);

    // A second generation: one file replaced, one gone, one new, by the file system's own tool.
    let second = deck.path("second.raw");
    fs::copy(&first, &second).unwrap();
    let version = deck.path("version");
    fs::write(&version, "two\n").unwrap();
    for request in [
        "rm etc/version".to_owned(),
        format!("write {} etc/version", version.display()),
        "rm file-7".to_owned(),
        format!("write {} brand-new", version.display()),
    ] {
        tool(
            "debugfs",
            &[
                "-w".as_ref(),
                "-R".as_ref(),
                request.as_ref(),
                second.as_os_str(),
            ],
        );
    }
    fsck(&second);
    deck.ok(&[
        "import",
        &arg(&second),
        "--into",
        "fs",
        "--guard",
        "false",
        "--yes",
    ]);
    deck.ok(&[
        "run",
        "create-snapshot",
        "--volume",
        "fs",
        "--name",
        "two",
        "--wait",
    ]);

    // Back to the first, on from there, and the tree has two branches.
    deck.ok(&[
        "run",
        "restore",
        "--volume",
        "fs",
        "--snapshot",
        "one",
        "--yes",
        "--wait",
    ]);
    deck.ok(&[
        "run",
        "create-snapshot",
        "--volume",
        "fs",
        "--name",
        "one-again",
        "--wait",
    ]);
    let one = deck.one("snapshots", "one");
    assert_eq!(deck.one("snapshots", "two")["parent"], one["id"]);
    assert_eq!(deck.one("snapshots", "one-again")["parent"], one["id"]);

    deck.ok(&[
        "run",
        "clone",
        "--snapshot",
        "fs@two",
        "--name",
        "other",
        "--wait",
    ]);
    for (source, was, version) in [
        ("fs", &first, "one\n"),
        ("fs@one", &first, "one\n"),
        ("fs@two", &second, "two\n"),
        ("fs@one-again", &first, "one\n"),
        ("other", &second, "two\n"),
    ] {
        let out = deck.path(&format!("{source}.out"));
        deck.ok(&["export", source, &arg(&out)]);
        assert!(same(&out, was), "{source} is not what it was");
        fsck(&out);
        assert_eq!(cat(&out, "etc/version"), version, "{source}");
        // Holes stay holes: the image takes no more room than its data.
        let there = fs::metadata(&out).unwrap();
        assert!(
            there.blocks() * 512 < there.len() / 2,
            "{source} was not written sparse"
        );
    }

    // And what goes away takes nothing else with it.
    deck.ok(&[
        "run",
        "delete-snapshot",
        "--snapshot",
        "fs@two",
        "--yes",
        "--wait",
    ]);
    deck.ok(&[
        "run",
        "delete-snapshot",
        "--snapshot",
        "fs@one",
        "--yes",
        "--wait",
    ]);
    for (source, was) in [("fs", &first), ("other", &second), ("fs@one-again", &first)] {
        let out = deck.path(&format!("{source}.later"));
        deck.ok(&["export", source, &arg(&out)]);
        assert!(same(&out, was), "{source} is not what it was");
    }
}

#[test]
fn a_guard_keeps_what_an_import_replaces() {
    let deck = Deck::new();
    let (a, b) = (deck.path("a.raw"), deck.path("b.raw"));
    fs::write(&a, vec![1; 3 << 20]).unwrap();
    // Shorter, and not a whole number of blocks: what lies behind it is not kept.
    fs::write(&b, vec![2; (1 << 20) + 7]).unwrap();
    let arg = |path: &Path| path.to_string_lossy().into_owned();
    deck.ok(&["import", &arg(&a), "--name", "v"]);
    deck.ok(&["import", &arg(&b), "--into", "v", "--yes"]);
    let out = deck.path("out.raw");
    deck.ok(&["export", "v", &arg(&out)]);
    let bytes = fs::read(&out).unwrap();
    assert_eq!(bytes.len(), 3 << 20);
    assert!(bytes[..(1 << 20) + 7].iter().all(|&b| b == 2));
    assert!(bytes[(1 << 20) + 7..].iter().all(|&b| b == 0));
    let guards: Vec<_> = deck
        .get("snapshots")
        .into_iter()
        .filter(|s| s["guard"] == true)
        .collect();
    assert_eq!(guards.len(), 1);
    let kept = deck.path("kept.raw");
    deck.ok(&["export", guards[0]["id"].as_str().unwrap(), &arg(&kept)]);
    assert!(same(&kept, &a));
}

#[test]
fn what_cannot_be_taken_in_is_said_and_changes_nothing() {
    let deck = Deck::new();
    let image = deck.path("i.raw");
    fs::write(&image, vec![7; 1 << 20]).unwrap();
    let arg = |path: &Path| path.to_string_lossy().into_owned();
    deck.ok(&["import", &arg(&image), "--name", "v"]);
    let before = deck.get("volumes");

    let gone = deck.fails(5, &["import", "/no/such/image", "--name", "w"]);
    assert!(gone.contains("/no/such/image cannot be read"), "{gone}");
    let folder = deck.fails(2, &["import", &arg(deck.dir.path()), "--name", "w"]);
    assert!(folder.contains("is not a regular file"), "{folder}");
    fs::write(deck.path("empty"), "").unwrap();
    let empty = deck.fails(2, &["import", &arg(&deck.path("empty")), "--name", "w"]);
    assert!(empty.contains("is empty"), "{empty}");
    fs::write(deck.path("large"), vec![1; 2 << 20]).unwrap();
    let large = deck.fails(
        2,
        &["import", &arg(&deck.path("large")), "--into", "v", "--yes"],
    );
    assert!(large.contains("has only 1 MiB"), "{large}");
    // Without a terminal nobody can be asked.
    let asked = deck.fails(
        2,
        &["import", &arg(&image), "--into", "v", "--guard", "false"],
    );
    assert!(asked.contains("--yes"), "{asked}");
    assert_eq!(deck.get("volumes"), before);

    // An export never replaces what is there unless it is told to.
    let out = deck.path("precious");
    fs::write(&out, "precious").unwrap();
    let there = deck.fails(6, &["export", "v", &arg(&out)]);
    assert!(there.contains("is there already"), "{there}");
    assert_eq!(fs::read(&out).unwrap(), b"precious");
    deck.ok(&["export", "v", &arg(&out), "--force"]);
    assert!(same(&out, &image));
    let unknown = deck.fails(5, &["export", "v@nothing", &arg(&deck.path("x"))]);
    assert!(
        unknown.contains("there is no snapshot \"v@nothing\""),
        "{unknown}"
    );
    assert!(!deck.path("x").exists());
}
