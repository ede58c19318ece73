//! The command line as scripts use it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

mod support;

use support::Deck;

fn create(deck: &Deck, name: &str) {
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

fn snapshot(deck: &Deck, volume: &str, name: &str) {
    deck.ok(&[
        "run",
        "create-snapshot",
        "--volume",
        volume,
        "--name",
        name,
        "--wait",
    ]);
}

#[test]
fn a_life_of_a_volume() {
    let deck = Deck::new();
    create(&deck, "db");
    let volume = deck.one("volumes", "db");
    assert_eq!(volume["size"], 64 << 20);
    assert_eq!(volume["state"], "available");
    assert_eq!(volume["parent"], serde_json::Value::Null);
    let created = volume["created"].as_str().unwrap();
    assert!(created.ends_with('Z') && created.contains('T'), "{created}");

    snapshot(&deck, "db", "one");
    snapshot(&deck, "db", "two");
    let (one, two) = (deck.one("snapshots", "one"), deck.one("snapshots", "two"));
    assert_eq!(two["parent"], one["id"]);
    assert_eq!(two["volume"], volume["id"]);
    assert_eq!(deck.one("volumes", "db")["parent"], two["id"]);

    deck.ok(&[
        "run",
        "restore",
        "--volume",
        "db",
        "--snapshot",
        "one",
        "--yes",
        "--wait",
    ]);
    assert_eq!(deck.one("volumes", "db")["parent"], one["id"]);
    assert_eq!(deck.get("snapshots").len(), 3, "the guard is a snapshot");
    deck.ok(&[
        "run",
        "restore",
        "--volume",
        "db",
        "--snapshot",
        "two",
        "--guard",
        "false",
        "--yes",
        "--wait",
    ]);
    assert_eq!(deck.get("snapshots").len(), 3, "no guard was wanted");

    deck.ok(&[
        "run",
        "clone",
        "--snapshot",
        "db@one",
        "--name",
        "copy",
        "--copy",
        "--wait",
    ]);
    assert_eq!(
        deck.one("volumes", "copy")["parent"],
        serde_json::Value::Null,
        "a full copy"
    );
    deck.ok(&[
        "run",
        "clone",
        "--snapshot",
        "db@one",
        "--name",
        "thin",
        "--wait",
    ]);
    assert_eq!(deck.one("volumes", "thin")["parent"], one["id"]);

    deck.ok(&[
        "run",
        "delete-snapshot",
        "--snapshot",
        "db@one",
        "--yes",
        "--wait",
    ]);
    assert!(deck.get("snapshots").iter().all(|s| s["name"] != "one"));
    assert!(
        deck.get("volumes").iter().any(|v| v["name"] == "thin"),
        "clones stay"
    );
    deck.ok(&[
        "run",
        "delete-volume",
        "--volume",
        "db",
        "--snapshots",
        "true",
        "--yes",
        "--wait",
    ]);
    assert_eq!(deck.get("volumes").len(), 2);
    assert!(deck.get("snapshots").is_empty());

    let tasks = deck.get("tasks");
    assert_eq!(tasks.len(), 9);
    assert!(
        tasks.iter().all(|task| task["state"] == "succeeded"),
        "{tasks:#?}"
    );
    assert_eq!(
        tasks[0]["operation"], "delete-volume",
        "the newest is first"
    );
}

#[test]
fn a_name_that_is_not_unique_is_refused_with_the_ids() {
    let deck = Deck::new();
    create(&deck, "twin");
    create(&deck, "twin");
    let ids: Vec<_> = deck
        .get("volumes")
        .iter()
        .map(|v| v["id"].as_str().unwrap().to_owned())
        .collect();
    let refused = deck.fails(
        6,
        &["run", "create-snapshot", "--volume", "twin", "--name", "x"],
    );
    for id in &ids {
        assert!(refused.contains(id), "{refused}");
    }
    snapshot(&deck, &ids[0], "x");
    assert_eq!(deck.get("snapshots").len(), 1);
}

#[test]
fn formats_are_what_they_say() {
    let deck = Deck::new();
    create(&deck, "a, \"quoted\" name");
    let csv = deck.ok(&["get", "volumes", "-o", "csv"]);
    assert!(csv.starts_with("id,name,state,size,"), "{csv}");
    assert!(
        csv.contains("\"a, \"\"quoted\"\" name\",available,67108864,0,"),
        "{csv}"
    );
    let yaml = deck.ok(&["get", "volumes", "-o", "yaml"]);
    assert!(yaml.contains("size: 67108864"), "{yaml}");
    let table = deck.ok(&["get", "volumes"]);
    assert!(
        table.lines().count() == 2 && table.starts_with("NAME"),
        "{table}"
    );
    assert_eq!(deck.ok(&["get", "snapshots", "-o", "json"]).trim(), "[]");
    let text = deck.ok(&["describe", "volume", "a, \"quoted\" name"]);
    assert!(text.contains("@ you are here"), "{text}");
    let task: serde_json::Value = serde_json::from_str(&deck.ok(&[
        "run",
        "create-volume",
        "--name",
        "j",
        "--size",
        "1G",
        "--wait",
        "-o",
        "json",
    ]))
    .unwrap();
    assert_eq!(task["state"], "succeeded");
    assert_eq!(task["made"][0], deck.one("volumes", "j")["id"]);
}

#[test]
fn a_plan_changes_nothing_and_says_what_it_would() {
    let deck = Deck::new();
    create(&deck, "db");
    snapshot(&deck, "db", "one");
    let before = (
        deck.get("volumes"),
        deck.get("snapshots"),
        deck.get("tasks"),
    );
    let text = deck.ok(&["run", "delete-snapshot", "--snapshot", "db@one", "--plan"]);
    assert!(text.contains("loses: the point in time db@one"), "{text}");
    assert!(text.contains("cannot be undone"), "{text}");
    let plan: serde_json::Value = serde_json::from_str(&deck.ok(&[
        "run",
        "restore",
        "--snapshot",
        "db@one",
        "--plan",
        "-o",
        "json",
    ]))
    .unwrap();
    assert_eq!(
        plan["losses"],
        serde_json::json!([]),
        "the guard is on by default"
    );
    assert_eq!(
        (
            deck.get("volumes"),
            deck.get("snapshots"),
            deck.get("tasks")
        ),
        before
    );
    // Nor does it make a store.
    let empty = Deck::new();
    empty.fails(
        5,
        &[
            "run",
            "create-volume",
            "--name",
            "x",
            "--size",
            "1M",
            "--plan",
        ],
    );
    assert!(!empty.store().exists());
}

#[test]
fn wrong_input_is_said_in_words_and_changes_nothing() {
    let deck = Deck::new();
    assert!(
        deck.fails(5, &["get", "volumes"])
            .contains("there is no store")
    );
    create(&deck, "db");
    snapshot(&deck, "db", "one");
    create(&deck, "other");
    snapshot(&deck, "other", "two");
    let before = (deck.get("volumes"), deck.get("snapshots"));
    for (code, args, says) in [
        (
            2,
            vec!["run", "create-volume", "--name", "x", "--size", "65TiB"],
            "at most 64 TiB",
        ),
        (
            2,
            vec!["run", "create-volume", "--name", "x", "--size", "5000"],
            "a multiple of 4 KiB",
        ),
        (
            2,
            vec!["run", "create-volume", "--name", "x"],
            "size is missing",
        ),
        (
            2,
            vec!["run", "create-volume", "--name", "a\nb", "--size", "1M"],
            "is not allowed",
        ),
        (
            5,
            vec![
                "run",
                "create-snapshot",
                "--volume",
                "nosuch",
                "--name",
                "x",
            ],
            "there is no volume",
        ),
        (
            6,
            vec![
                "run",
                "restore",
                "--volume",
                "db",
                "--snapshot",
                "other@two",
                "--yes",
            ],
            "is not a point in time of db",
        ),
        (
            2,
            vec![
                "run",
                "restore",
                "--volume",
                "db",
                "--snapshot",
                "one",
                "--guard",
                "false",
            ],
            "--yes",
        ),
        (
            2,
            vec!["run", "delete-snapshot", "--snapshot", "db@one"],
            "--yes",
        ),
        (
            6,
            vec!["run", "delete-volume", "--volume", "db", "--yes"],
            "has 1 snapshots",
        ),
        (
            2,
            vec!["run", "extend-volume", "--volume", "db", "--size", "1M"],
            "must be larger",
        ),
        (
            5,
            vec!["run", "flatten", "--volume", "nosuch"],
            "there is no volume",
        ),
    ] {
        let stderr = deck.fails(code, &args);
        assert!(stderr.contains(says), "{args:?}: {stderr}");
    }
    // Also where a guard would keep it: what a volume holds is replaced.
    let asked = deck.fails(
        2,
        &["run", "restore", "--volume", "db", "--snapshot", "one"],
    );
    assert!(asked.contains("it replaces what a volume holds"), "{asked}");
    assert_eq!((deck.get("volumes"), deck.get("snapshots")), before);
    let read_only = deck.fails(
        4,
        &[
            "--read-only",
            "run",
            "create-snapshot",
            "--volume",
            "db",
            "--name",
            "x",
        ],
    );
    assert!(read_only.contains("read-only"), "{read_only}");
    assert_eq!((deck.get("volumes"), deck.get("snapshots")), before);
}

#[test]
fn a_second_process_is_kept_out_and_told_who_is_in() {
    let deck = Deck::new();
    create(&deck, "db");
    let _held = snapdeck::engine::Store::open(&deck.store(), &Default::default()).unwrap();
    let refused = deck.fails(6, &["get", "volumes"]);
    assert!(
        refused.contains(&std::process::id().to_string()),
        "{refused}"
    );
}

#[test]
fn completions_know_the_operations() {
    let deck = Deck::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = deck.ok(&["completions", shell]);
        assert!(
            script.contains("create-snapshot") && script.contains("guard"),
            "{shell}"
        );
    }
}

#[test]
fn a_scrub_names_all_that_share_a_hurt_block() {
    let deck = Deck::new();
    let image = deck.path("image");
    let mut bytes = vec![0; 512 << 10];
    for (i, block) in bytes.chunks_mut(4096).enumerate() {
        block.fill(i as u8 + 1);
    }
    std::fs::write(&image, &bytes).unwrap();
    deck.ok(&["import", image.to_str().unwrap(), "--name", "db", "--yes"]);
    snapshot(&deck, "db", "one");
    assert_eq!(deck.ok(&["scrub"]), "");
    let whole: serde_json::Value =
        serde_json::from_str(&deck.ok(&["scrub", "-o", "json"])).unwrap();
    assert_eq!(whole["complete"], true);
    assert_eq!(whole["hurt"], serde_json::json!([]));

    let data = deck.store().join("data.0");
    let mut stored = std::fs::read(&data).unwrap();
    let at = stored.chunks(4096).position(|b| b == [42; 4096]).unwrap();
    stored[at * 4096 + 7] ^= 1;
    std::fs::write(&data, &stored).unwrap();
    let output = deck.output(&["scrub", "-o", "json"]);
    assert_eq!(output.status.code(), Some(9));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let hurt = report["hurt"].as_array().unwrap();
    assert_eq!(hurt.len(), 2, "{report}");
    for (hurt, snapshot) in hurt.iter().zip([Some("one"), None]) {
        assert_eq!(hurt["volume_name"], "db");
        assert_eq!(hurt["snapshot_name"].as_str(), snapshot);
        assert_eq!(
            (&hurt["offset"], &hurt["length"]),
            (&(41 * 4096).into(), &4096.into())
        );
    }
    let table = deck.output(&["scrub"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(
        table.contains("167936") && table.contains("checksum"),
        "{table}"
    );
}

#[test]
fn a_demo_is_kept_until_a_fresh_one_is_asked_for() {
    let deck = Deck::new();
    let count = |text: &str| text.matches("\"id\"").count();
    deck.ok(&["demo", "--scale", "40", "--build-only"]);
    let volumes = deck.get("volumes").len();
    assert!(volumes >= 12, "{volumes}");
    assert!(count(&deck.ok(&["get", "snapshots", "-o", "json"])) >= 30);
    let tasks = deck.get("tasks");
    assert_eq!(tasks.len(), 1);
    assert_eq!(
        tasks[0]["state"], "succeeded",
        "nobody looks on: it is waited for"
    );
    let standalone = deck.one("volumes", "db01-standalone");
    assert!(standalone["copy"].is_null() && standalone["parent"].is_null());
    create(&deck, "mine");

    // It is not made over what is there, nor with another scale.
    deck.fails(6, &["demo", "--build-only"]);
    let other = deck.fails(6, &["demo", "--scale", "50", "--build-only"]);
    assert!(
        other.contains("has scale 40") && other.contains("--fresh"),
        "{other}"
    );
    assert_eq!(deck.get("volumes").len(), volumes + 1);

    deck.ok(&["demo", "--scale", "50", "--fresh", "--build-only"]);
    assert!(deck.get("volumes").iter().all(|v| v["name"] != "mine"));

    // What no demo made is never taken away.
    let own = Deck::new();
    create(&own, "precious");
    let refused = own.fails(6, &["demo", "--fresh", "--build-only"]);
    assert!(refused.contains("no demo made"), "{refused}");
    assert_eq!(own.get("volumes").len(), 1);
}

#[test]
fn a_text_that_names_two_things_is_refused() {
    let deck = Deck::new();
    create(&deck, "web");
    create(&deck, "other");
    snapshot(&deck, "web", "before");
    snapshot(&deck, "other", "web@before");
    let before = deck.get("snapshots");
    let refused = deck.fails(
        6,
        &[
            "run",
            "delete-snapshot",
            "--snapshot",
            "web@before",
            "--yes",
        ],
    );
    for snapshot in &before {
        assert!(
            refused.contains(snapshot["id"].as_str().unwrap()),
            "{refused}"
        );
    }
    create(&deck, "web@before");
    let out = deck.path("out").to_string_lossy().into_owned();
    let refused = deck.fails(6, &["export", "web@before", &out]);
    assert!(refused.contains("is the name of 2 things"), "{refused}");
    assert_eq!(deck.get("snapshots"), before);
    // In full, and by id, each can be meant.
    deck.ok(&[
        "run",
        "delete-snapshot",
        "--snapshot",
        "other@web@before",
        "--yes",
        "--wait",
    ]);
    assert_eq!(deck.get("snapshots").len(), 1);
}

#[test]
fn groups_are_taken_restored_and_parted_as_one() {
    let deck = Deck::new();
    create(&deck, "data");
    create(&deck, "log");
    deck.ok(&[
        "run",
        "create-group",
        "--name",
        "nightly",
        "--volumes",
        "data",
        "log",
    ]);
    let group = deck.one("groups", "nightly");
    assert_eq!(group["state"], "available");
    assert_eq!(group["taken"], 2);
    let names: Vec<_> = group["members"].as_array().unwrap().iter().collect();
    assert_eq!(names[0]["volume_name"], "data");
    assert_eq!(names[1]["volume_name"], "log");
    deck.fails(2, &["run", "restore-group", "--group", "nightly"]);
    deck.ok(&["run", "restore-group", "--group", "nightly", "--yes"]);
    let guards: Vec<_> = deck
        .get("snapshots")
        .into_iter()
        .filter(|snapshot| snapshot["guard"] == true)
        .collect();
    assert_eq!(guards.len(), 2);
    assert_eq!(guards[0]["name"], guards[1]["name"]);
    deck.ok(&[
        "run",
        "update-group",
        "--group",
        "nightly",
        "--name",
        "weekly",
    ]);
    deck.ok(&[
        "run",
        "delete-snapshot",
        "--snapshot",
        "log@weekly",
        "--yes",
    ]);
    assert_eq!(deck.one("groups", "weekly")["state"], "incomplete");
    deck.fails(6, &["run", "restore-group", "--group", "weekly", "--yes"]);
    deck.ok(&["run", "ungroup", "--group", "weekly"]);
    let guards = deck.get("groups");
    assert_eq!(guards.len(), 1, "those of the restore");
    assert_eq!(guards[0]["guard"], true);
    assert_eq!(
        deck.one("snapshots", "weekly")["group"],
        serde_json::Value::Null
    );
}

#[test]
fn targets_are_linked_relinked_and_stay_whole_when_they_are_parted() {
    let deck = Deck::new();
    create(&deck, "data");
    let write = |text: &str, into: &str| {
        let image = deck.dir.path().join("image");
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(64 << 20, 0);
        std::fs::write(&image, bytes).unwrap();
        let image = image.to_str().unwrap();
        deck.ok(&["import", image, "--into", into, "--guard", "false", "--yes"]);
    };
    let read = |of: &str| {
        let image = deck.dir.path().join("out");
        deck.ok(&["export", of, image.to_str().unwrap(), "--force"]);
        String::from_utf8(std::fs::read(&image).unwrap()[..5].to_vec()).unwrap()
    };
    write("first", "data");
    deck.ok(&[
        "run",
        "create-session",
        "--name",
        "one",
        "--volumes",
        "data",
    ]);
    write("later", "data");
    deck.ok(&[
        "run",
        "create-session",
        "--name",
        "two",
        "--volumes",
        "data",
    ]);
    for mode in ["nocopy", "copy"] {
        deck.ok(&[
            "run",
            "link-target",
            "--session",
            "one",
            "--name",
            mode,
            "--mode",
            mode,
            "--wait",
        ]);
        assert_eq!(read(mode), "first");
    }
    assert_eq!(deck.one("targets", "nocopy")["state"], "linked");
    assert_eq!(deck.one("targets", "copy")["state"], "copied");
    deck.fails(6, &["run", "delete-session", "--session", "one", "--yes"]);
    deck.fails(
        6,
        &["run", "delete-snapshot", "--snapshot", "data@one", "--yes"],
    );

    deck.ok(&[
        "run",
        "relink-target",
        "--target",
        "nocopy",
        "--session",
        "two",
    ]);
    assert_eq!(read("nocopy"), "later");
    deck.ok(&[
        "run",
        "relink-target",
        "--target",
        "copy",
        "--session",
        "two",
        "--yes",
        "--wait",
    ]);
    assert_eq!(read("copy"), "later");
    deck.ok(&[
        "run",
        "delete-session",
        "--session",
        "one",
        "--yes",
        "--wait",
    ]);
    deck.ok(&[
        "run",
        "unlink-target",
        "--target",
        "copy",
        "--delete",
        "true",
        "--yes",
        "--wait",
    ]);
    deck.ok(&["run", "unlink-target", "--target", "nocopy"]);
    assert!(deck.get("targets").is_empty());
    deck.ok(&[
        "run",
        "delete-session",
        "--session",
        "two",
        "--yes",
        "--wait",
    ]);
    assert_eq!(read("nocopy"), "later", "parted, it stays whole");
    deck.ok(&[
        "run",
        "shrink-volume",
        "--volume",
        "nocopy",
        "--size",
        "1MiB",
        "--yes",
    ]);
    assert_eq!(deck.one("volumes", "nocopy")["size"], 1 << 20);
}

#[test]
fn a_copy_is_paused_resumed_and_cancelled_by_its_task() {
    let deck = Deck::new();
    create(&deck, "data");
    let image = deck.dir.path().join("image");
    std::fs::write(&image, vec![7; 24 << 20]).unwrap();
    let image = image.to_str().unwrap();
    deck.ok(&[
        "import", image, "--into", "data", "--guard", "false", "--yes",
    ]);
    snapshot(&deck, "data", "s");
    // Without --wait the copy is left when the command ends.
    deck.ok(&["--copy-rate", "1MiB", "run", "flatten", "--volume", "data"]);
    let task = deck.get("tasks")[0]["id"].as_str().unwrap().to_owned();
    deck.ok(&["--copy-rate", "1MiB", "task", "pause", &task]);
    assert_eq!(deck.get("tasks")[0]["state"], "suspended");
    deck.fails(6, &["task", "pause", &task]);
    deck.fails(11, &["follow"]);
    assert_eq!(
        deck.get("tasks")[0]["state"],
        "suspended",
        "it stands still"
    );
    deck.ok(&["task", "resume", &task[..13]]);
    assert_eq!(deck.get("tasks")[0]["state"], "succeeded");
    deck.fails(6, &["task", "cancel", &task]);
    deck.fails(5, &["task", "resume", "nothing"]);
}

#[test]
fn a_task_is_taken_back_by_its_id() {
    let deck = Deck::new();
    create(&deck, "data");
    snapshot(&deck, "data", "before");
    deck.ok(&[
        "run",
        "restore",
        "--volume",
        "data",
        "--snapshot",
        "before",
        "--yes",
    ]);
    let task = |n: usize| deck.get("tasks")[n].clone();
    let restored = task(0)["id"].as_str().unwrap().to_owned();
    let count = deck.get("snapshots").len();
    // Nothing failed, so there is nothing to roll back; a plan changes nothing.
    deck.fails(6, &["task", "roll-back", &restored]);
    let plan = deck.ok(&["task", "undo", &restored, "--plan"]);
    assert!(plan.contains("guard"), "{plan}");
    assert_eq!(deck.get("snapshots").len(), count);
    deck.fails(2, &["task", "retry", &restored, "--plan"]);
    deck.ok(&["task", "undo", &restored, "--yes"]);
    assert_eq!(deck.get("tasks").len(), 4);
    assert!(
        deck.get("tasks")
            .iter()
            .all(|task| task["state"] == "succeeded")
    );
    // It took a guard of its own before it went back.
    assert_eq!(deck.get("snapshots").len(), count + 1);
}
