//! The house stands: rooms import only from floors below their own, files tell one story
//! of a bearable length, and no face knows a vendor.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The floor of each room (`docs/architecture.md`).
const FLOORS: [(&str, u32); 12] = [
    ("model", 0),
    ("config", 1),
    ("http", 1),
    ("wire", 2),
    ("engine", 2),
    ("provider", 3),
    ("task", 4),
    ("share", 5),
    ("support", 5),
    ("tui", 5),
    ("cli", 5),
    ("server", 5),
];

/// The command line opens the console, and lets others in to the store that it has open; both gather support bundles.
const ALLOWED: [(&str, &str); 4] = [
    ("cli", "tui"),
    ("cli", "share"),
    ("cli", "support"),
    ("tui", "support"),
];

fn floor(room: &str) -> Option<u32> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, floor)| *floor)
}

fn sources() -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, out: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                out.push((path, text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut out);
    assert!(out.len() > 30, "the sources were not found");
    out
}

/// The room that a file is in: the folder below `src`.
fn room(path: &Path) -> Option<String> {
    let relative = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .ok()?;
    let mut parts = relative.components();
    let first = parts.next()?;
    parts.next()?;
    Some(first.as_os_str().to_string_lossy().into_owned())
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
        || path.file_name().is_some_and(|name| name == "tests.rs")
}

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    text.lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn imports_go_down() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room(&path) else { continue };
        let own = floor(&room).unwrap_or_else(|| panic!("{room} is a room without a floor"));
        for part in code(&text).split("crate::").skip(1) {
            let target: String = part
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let Some(other) = floor(&target) else {
                continue;
            };
            let allowed = ALLOWED.contains(&(room.as_str(), target.as_str()));
            if target != room && other >= own && !allowed {
                wrong.push(format!("{} imports {target}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_have_a_bearable_length() {
    let mut lengths = Vec::new();
    for (path, text) in sources() {
        if !is_test(&path) {
            let lines = text
                .split("#[cfg(test)]\nmod tests {")
                .next()
                .unwrap_or("")
                .lines()
                .count();
            lengths.push((lines, path));
        }
    }
    lengths.sort();
    let (longest, path) = lengths.last().unwrap();
    assert!(*longest <= 800, "{} has {longest} lines", path.display());
    let short = lengths.iter().filter(|(lines, _)| *lines <= 400).count();
    assert!(
        short * 10 >= lengths.len() * 9,
        "too many files of more than 400 lines: {:?}",
        lengths
            .iter()
            .filter(|(lines, _)| *lines > 400)
            .collect::<Vec<_>>()
    );
}

#[test]
fn no_room_without_a_subject() {
    for (path, _) in sources() {
        for part in path.components() {
            let name = part.as_os_str().to_string_lossy();
            let name = name.trim_end_matches(".rs");
            assert!(
                !["utils", "util", "helpers", "common", "misc"].contains(&name),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn the_faces_know_no_vendor() {
    let vendors = [
        "vipr",
        "coprhd",
        "zstack",
        "huawei",
        "evs",
        "powervc",
        "cinder",
        "openstack",
        "ceph",
    ];
    for (path, text) in sources() {
        if room(&path).as_deref() != Some("tui") {
            continue;
        }
        let words: BTreeMap<_, _> = code(&text)
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .map(|word| (word.to_owned(), ()))
            .collect();
        for vendor in vendors {
            assert!(
                !words.contains_key(vendor),
                "{} names {vendor}",
                path.display()
            );
        }
    }
}

#[test]
fn unsafe_code_is_nowhere() {
    for (path, text) in sources() {
        let code = code(&text);
        assert!(!code.contains("unsafe "), "{}", path.display());
        assert!(!code.contains("allow(dead_code)"), "{}", path.display());
    }
}
