//! `kill -9` on the real program in the middle of its work: what it was doing is found
//! again and brought to its end, and what it had acknowledged is there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod support;

use std::fs;
use std::time::Duration;

use support::{Deck, same};

/// Bytes that do not repeat, so that no block is taken for another.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn an_import_that_is_killed_is_taken_up_again() {
    let mut interrupted = 0;
    for round in 0..8_u64 {
        let deck = Deck::new();
        let image = deck.path("image");
        fs::write(&image, noise(96 << 20, round + 1)).unwrap();
        deck.ok(&[
            "run",
            "create-volume",
            "--name",
            "bystander",
            "--size",
            "1M",
            "--wait",
        ]);
        let image = image.to_string_lossy().into_owned();
        let mut child = deck
            .command(&["import", &image, "--name", "v"])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(20 + 45 * round));
        child.kill().unwrap();
        child.wait().unwrap();

        let tasks = deck.get("tasks");
        assert!(deck.get("volumes").iter().any(|v| v["name"] == "bystander"));
        let Some(task) = tasks
            .iter()
            .find(|task| task["operation"] == "import-image")
        else {
            // Killed before it was accepted: then nothing was begun.
            assert!(deck.get("volumes").iter().all(|v| v["name"] != "v"));
            continue;
        };
        if task["state"] == "suspended" {
            interrupted += 1;
        }
        let output = deck.output(&["follow"]);
        let after = deck.get("tasks");
        let task = after.iter().find(|t| t["id"] == task["id"]).unwrap();
        match output.status.code() {
            Some(0) => {
                assert_eq!(task["state"], "succeeded", "{task:#}");
                let out = deck.path("out");
                deck.ok(&["export", "v", &out.to_string_lossy()]);
                assert!(same(&out, image.as_ref()), "round {round}");
                let volumes = deck.get("volumes");
                assert_eq!(volumes.len(), 2, "the volume was made once: {volumes:#?}");
            }
            // Killed before its first step: somebody has to decide.
            Some(11) => {
                assert_eq!(task["state"], "suspended", "{task:#}");
                assert_eq!(task["steps_done"], 0);
            }
            other => panic!(
                "round {round}: {other:?} {}",
                String::from_utf8_lossy(&output.stderr)
            ),
        }
    }
    assert!(
        interrupted > 0,
        "no import was interrupted: the test shows nothing"
    );
}

#[test]
fn what_was_acknowledged_is_there_however_often_it_is_killed() {
    let deck = Deck::new();
    deck.ok(&[
        "run",
        "create-volume",
        "--name",
        "v",
        "--size",
        "64M",
        "--wait",
    ]);
    let mut acknowledged = Vec::new();
    for round in 0..25_u64 {
        let name = format!("s{round}");
        let mut child = deck
            .command(&[
                "run",
                "create-snapshot",
                "--volume",
                "v",
                "--name",
                &name,
                "--wait",
            ])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(round % 13));
        // Killed anywhere; if it ended well before, that counts.
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            acknowledged.push(name);
        }
    }
    let snapshots = deck.get("snapshots");
    for name in &acknowledged {
        assert!(
            snapshots.iter().any(|s| s["name"] == name.as_str()),
            "{name} is gone"
        );
    }
    // None was taken twice, and the chain is whole.
    let mut names: Vec<_> = snapshots.iter().map(|s| s["name"].to_string()).collect();
    names.sort();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    let roots = snapshots.iter().filter(|s| s["parent"].is_null()).count();
    assert!(roots <= 1, "{snapshots:#?}");
}

#[test]
fn an_interrupted_import_over_a_volume_asks_before_it_goes_on() {
    let deck = Deck::new();
    let path = |name: &str| deck.path(name).to_string_lossy().into_owned();
    fs::write(deck.path("old"), noise(1 << 20, 3)).unwrap();
    fs::write(deck.path("new"), noise(96 << 20, 5)).unwrap();
    deck.ok(&[
        "run",
        "create-volume",
        "--name",
        "v",
        "--size",
        "96MiB",
        "--wait",
    ]);
    deck.ok(&[
        "import",
        &path("old"),
        "--into",
        "v",
        "--guard",
        "false",
        "--yes",
    ]);
    deck.ok(&[
        "run",
        "create-snapshot",
        "--volume",
        "v",
        "--name",
        "good",
        "--wait",
    ]);
    let mut interrupted = false;
    for wait in [60, 90, 120, 40, 150, 30, 200, 20] {
        let mut child = deck
            .command(&["import", &path("new"), "--into", "v", "--yes"])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        // Somebody goes back to what was good, and works on.
        deck.ok(&[
            "run",
            "restore",
            "--volume",
            "v",
            "--snapshot",
            "good",
            "--guard",
            "false",
            "--yes",
            "--wait",
        ]);
        deck.ok(&["export", "v", &path("before"), "--force"]);
        let task = deck
            .get("tasks")
            .into_iter()
            .find(|t| t["operation"] == "import-image" && t["ended"].is_null());
        let output = deck.output(&["follow"]);
        deck.ok(&["export", "v", &path("after"), "--force"]);
        assert!(
            same(&deck.path("before"), &deck.path("after")),
            "it went on unasked"
        );
        if let Some(task) = task.filter(|t| t["steps_done"] == 1) {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(11), "{said}");
            assert!(said.contains("retry it or cancel it"), "{said} {task:#}");
            interrupted = true;
        }
    }
    assert!(
        interrupted,
        "no import was interrupted: the test shows nothing"
    );
}
