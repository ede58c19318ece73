//! The types held against every payload that the published pages and the reference print.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::model::ProblemKind;
use crate::wire::cinder::Named as _;

const PAYLOADS: &str = include_str!("../../../tests/recorded/zstack/payloads.json");

fn again<T: DeserializeOwned + Serialize>(body: &Value) -> Value {
    let read: T = serde_json::from_value(body.clone()).unwrap_or_else(|e| panic!("{e}: {body}"));
    serde_json::to_value(read).unwrap()
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Wrapped {
    error: ErrorCode,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Availabilities {
    results: Vec<Availability>,
}

#[test]
fn every_payload_goes_out_again_as_it_came_in() {
    #[derive(serde::Deserialize)]
    struct Row<'a> {
        from: String,
        r#type: String,
        #[serde(borrow)]
        body: &'a serde_json::value::RawValue,
    }
    let rows: Vec<Row<'_>> = serde_json::from_str(PAYLOADS).unwrap();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows {
        let body: Value = serde_json::from_str(row.body.get()).unwrap();
        let back = match row.r#type.as_str() {
            "body" => again::<Body>(&body),
            "new-group" => again::<Params<NewGroup>>(&body),
            "new-resource" => again::<Params<NewResource>>(&body),
            "long-job" => again::<Params<NewLongJob>>(&body),
            "accepted" => again::<Accepted>(&body),
            "errors" => again::<Vec<Wrapped>>(&body),
            "error" => again::<Wrapped>(&body),
            "availabilities" => again::<Availabilities>(&body),
            "results" => again::<Results>(&body),
            "session" => again::<Inventory<Session>>(&body),
            "long-job-reply" => again::<Inventory<LongJob>>(&body),
            "group-reply" => again::<Inventory<Group>>(&body),
            "snapshot-reply" => again::<Inventory<Snapshot>>(&body),
            "progress" => again::<Inventories<TaskProgress>>(&body),
            "groups" => again::<Inventories<Group>>(&body),
            "vms" => again::<Inventories<Vm>>(&body),
            "vm" => again::<Vm>(&body),
            "group" => again::<Group>(&body),
            "volume" => again::<Volume>(&body),
            "snapshot" => again::<Snapshot>(&body),
            "size" => again::<Size>(&body),
            "tree" => serde_json::to_value(Tree::read(row.body.get()).unwrap()).unwrap(),
            other => panic!("{other} of {}", row.from),
        };
        assert_eq!(back, body, "{}", row.from);
        *count.entry(row.r#type).or_default() += 1;
    }
    assert!(count.values().sum::<usize>() >= 40, "{count:?}");
    assert!(
        count["group-reply"] >= 2 && count["snapshot-reply"] >= 1,
        "{count:?}"
    );
}

#[test]
fn doubles_dates_and_missing_members_of_the_published_pages_are_understood() {
    let rows: Vec<Value> = serde_json::from_str(PAYLOADS).unwrap();
    let of = |kind: &str| {
        let mut rows = rows
            .iter()
            .filter(|row| row["type"] == kind && row["from"] == "published page");
        rows.next().unwrap()["body"]["inventory"].clone()
    };
    let snapshot: Snapshot = serde_json::from_value(of("snapshot-reply")).unwrap();
    assert_eq!(snapshot.size.unwrap().get(), Some(1 << 30));
    assert_eq!(snapshot.distance, None);
    let zone = Zone::default();
    let at = snapshot.create_date.unwrap().at(&zone).unwrap();
    assert_eq!(at.to_string(), "2017-06-07T21:20:17Z");
    let group: Group = serde_json::from_value(of("group-reply")).unwrap();
    assert_eq!(group.snapshot_count.as_ref().unwrap().get(), Some(1));
    assert_eq!(group.refs()[0].slot(), 0);
    assert_eq!(group.live().count(), 1);
    assert!(!group.has_memory());
}

#[test]
fn a_chain_longer_than_readers_go_down_is_read_and_written() {
    let mut leaf = json!({"inventory": {"uuid": "n400", "latest": true, "extra": {"a": 1}}, "children": [], "more": 7});
    for n in (0..400).rev() {
        leaf = json!({"inventory": {"uuid": format!("n{n}"), "latest": false}, "children": [leaf]});
    }
    let tree = json!({"uuid": "t", "volumeUuid": "v", "current": true, "status": "Completed", "tree": leaf, "odd": [1]});
    let text = json!({"inventories": [tree], "total": 1.0, "schema": {}}).to_string();
    assert!(
        serde_json::from_str::<Value>(&text).is_err(),
        "it is too deep to be read at once"
    );
    let page = Tree::page(text.as_bytes()).unwrap();
    assert_eq!(page.count, Some(1));
    let read = &page.items[0];
    assert_eq!(read.snapshots().len(), 401);
    assert_eq!(read.here().unwrap().uuid, "n400");
    assert_eq!(serde_json::to_value(read).unwrap(), tree);
    let bottom = r#"{"inventory":{"uuid":"a"},"children":["#.repeat(1_001);
    let deep = format!("{{\"uuid\":\"t\",\"tree\":{bottom}{}}}", "]}".repeat(1_001));
    assert!(Tree::read(&deep).unwrap_err().contains("deeper"));
    for wrong in [
        "{}",
        r#"{"uuid":"t","tree":{}}"#,
        r#"{"uuid":"t","tree":[]}"#,
        "[",
        r#"{"uuid":1}"#,
    ] {
        assert!(Tree::read(wrong).is_err(), "{wrong}");
    }
    assert!(Tree::read(r#"{"uuid":"t"}"#).unwrap().here().is_none());
    let quiet = r#"{"uuid":"t","current":false,"tree":{"inventory":{"uuid":"a","latest":true},"children":[]}}"#;
    assert!(
        Tree::read(quiet).unwrap().here().is_none(),
        "it is not the current tree"
    );
}

#[test]
fn the_chain_of_causes_is_told_whole() {
    let rows: Vec<Value> = serde_json::from_str(PAYLOADS).unwrap();
    let samples = rows.iter().find(|row| row["type"] == "errors").unwrap();
    let body = samples["body"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .to_string();
    let problem = problem(503, body.as_bytes(), "it cannot be done");
    assert_eq!(
        problem.causes,
        [
            "delete failed (SYS.1004)",
            "batch deletion failed (VOLUME_SNAPSHOT.1002)",
            "a clone depends on it (SYS.1006) of snapshot 90c192cfd3ac44af8f21ddb66cad4a26",
        ]
    );
    let mut endless = ErrorCode {
        code: "A.1".into(),
        description: None,
        details: None,
        cause: None,
        causes: None,
        rest: serde_json::Map::new(),
    };
    for n in 0..100 {
        endless = ErrorCode {
            code: format!("A.{n}"),
            cause: Some(Box::new(endless.clone())),
            ..endless
        };
    }
    assert_eq!(endless.chain().len(), 17);
}

#[test]
fn every_way_to_say_no_is_a_problem_of_its_kind() {
    let error = |code: &str| json!({"error": {"code": code, "details": "as it is"}}).to_string();
    for (status, body, kind) in [
        (503, error("ID.1000"), ProblemKind::Auth),
        (503, error("ID.1001"), ProblemKind::Auth),
        (503, error("ID.1002"), ProblemKind::Auth),
        (503, error("ID.1003"), ProblemKind::Quota),
        (503, error("SYS.1003"), ProblemKind::NotFound),
        (503, error("SYS.1006"), ProblemKind::Conflict),
        (503, error("SYS.1007"), ProblemKind::User),
        (503, error("SYS.1010"), ProblemKind::Network),
        (503, error("HOST.1001"), ProblemKind::System),
        (503, "<html>busy</html>".into(), ProblemKind::Network),
        (400, "limit is no number".into(), ProblemKind::User),
        (403, "too far".into(), ProblemKind::Auth),
        (404, "no such path".into(), ProblemKind::NotFound),
        (500, String::new(), ProblemKind::System),
    ] {
        let problem = problem(status, body.as_bytes(), "it cannot be done");
        assert_eq!(problem.kind, kind, "{status} {body}");
        assert!(!problem.causes.is_empty(), "{status} {body}");
    }
    let (gone, busy) = (error("ID.1001"), error("SYS.1012"));
    assert!(is_stale(503, gone.as_bytes()) && !is_stale(200, gone.as_bytes()));
    assert!(is_answer(503, gone.as_bytes()) && !is_answer(503, busy.as_bytes()));
    assert!(!is_answer(503, b"<html>") && !is_answer(500, gone.as_bytes()));
}

#[test]
fn the_id_of_a_job_is_taken_from_whatever_host_is_named() {
    let id = "6b4cb2424a234596a217beaddbc496cb";
    for (location, job) in [
        (
            format!("http://10.20.0.5:8080/zstack/v1/api-jobs/{id}"),
            Some(id),
        ),
        (format!("https://evil.test/{id}/?x=y"), Some(id)),
        ("http://h/zstack/v1/api-jobs/../../x".to_owned(), None),
        (String::new(), None),
    ] {
        let accepted: Accepted = serde_json::from_value(json!({"location": location})).unwrap();
        assert_eq!(accepted.job(), job, "{location}");
    }
}

#[test]
fn words_that_nobody_knows_are_kept() {
    let vm: Vm = serde_json::from_value(json!({"uuid": "a", "state": "Dreaming"})).unwrap();
    assert_eq!(vm.state.as_ref().unwrap().word(), "Dreaming");
    assert!(!vm.state.unwrap().is_steady());
    let vm: Vm = serde_json::from_value(json!({"uuid": "a", "state": "Unknown"})).unwrap();
    assert_eq!(vm.state, Some(VmState::Lost));
    let progress = |kind: &str, content: &str| {
        let read: TaskProgress =
            serde_json::from_value(json!({"type": kind, "content": content})).unwrap();
        read.percent()
    };
    assert_eq!(progress("Progress", "40"), Some(40));
    assert_eq!(progress("Progress", "400"), None);
    assert_eq!(progress("Task", "40"), None);
}
