//! Every body of the reference, read and written again without loss; and bodies that no system sends.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::model::ProblemKind;

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/vipr")
}

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap()
}

fn json_of(root: &str) -> Value {
    serde_json::from_slice(&recorded(&format!("{root}.json"))).unwrap()
}

/// What XML does not say at all.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect()
        }
        Value::Array(all) => all.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_body_says_the_same_in_both_dialects_and_is_written_as_it_was_read() {
    let (mut pairs, mut alone) = (0, 0);
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let root = path.file_stem().unwrap().to_str().unwrap().to_owned();
        match path.extension().and_then(|ext| ext.to_str()) {
            Some("xml") if !root.ends_with("-empty") => {
                let (own, read) = xml::read(&std::fs::read(&path).unwrap()).unwrap();
                assert_eq!(own, root);
                let again = xml::read(xml::write(&root, &read).as_bytes()).unwrap();
                assert_eq!(again, (root.clone(), read.clone()));
                assert_eq!(read, without_nulls(&json_of(&root)), "{root}");
                pairs += 1;
            }
            Some("json") => {
                let said = json_of(&root);
                let text = xml::write(&root, &said);
                let (own, read) = xml::read(text.as_bytes()).unwrap();
                assert_eq!((own, read), (root, without_nulls(&said)));
                alone += 1;
            }
            _ => {}
        }
    }
    assert!(pairs >= 20 && alone >= 23, "{pairs} {alone}");
}

fn kept<T: DeserializeOwned + Serialize>(body: &Value) -> T {
    let read: T = serde_json::from_value(body.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), *body);
    read
}

fn all_kept<T: DeserializeOwned + Serialize>(root: &str, name: &str) -> Vec<T> {
    let body = json_of(root);
    assert_eq!(body, json!({name: body[name].as_array().unwrap()}));
    let items = body[name].as_array().unwrap();
    items.iter().map(kept).collect()
}

#[test]
fn every_type_keeps_all_that_there_is() {
    let session: Session = kept(&json_of("block_snapshot_session"));
    assert_eq!(session.base.name(), "nightly-0412");
    assert_eq!(session.targets().count(), 2);
    assert_eq!(
        session.base.created().unwrap().to_string(),
        "2023-11-14T22:14:21Z"
    );
    let snapshot: Snapshot = kept(&json_of("block_snapshot"));
    assert!(snapshot.is_active() && snapshot.label() == "nightly-0412-tgt-1");
    let volume: Volume = kept(&json_of("volume"));
    assert_eq!(volume.device.size(), Some(crate::model::Bytes::gib(50)));
    assert_eq!(
        volume.device.replication_group(),
        None,
        "an empty text is none"
    );
    let group: Group = kept(&json_of("consistency_group"));
    assert_eq!(group.types, Some(vec!["LOCAL".to_owned()]));
    let project: Project = kept(&json_of("project"));
    assert_eq!(project.rest["vdc"], Value::Null);
    kept::<Tenant>(&json_of("tenant_info"));
    assert_eq!(
        kept::<WhoAmI>(&json_of("user")).home_tenant_roles.unwrap(),
        ["TENANT_ADMIN"]
    );
    let tasks = all_kept::<Task>("tasks", "task");
    assert_eq!(tasks[0].op_id, tasks[1].op_id);
    assert!(tasks[0].base.id != tasks[1].base.id);
    let failed: Task = kept(&json_of("task"));
    assert_eq!(failed.state, TaskWord::Error);
    assert_eq!(failed.rest["shade"], "mauve");
    let told = failed.service_error.unwrap().told().join("; ");
    assert_eq!(
        told,
        "Storage job failed; The array refused the restore of session nightly-0412 (error 12000 of the system)"
    );
    all_kept::<Reference>("snapshot_sessions", "snapshot_session");
    all_kept::<Reference>("results", "resource");
    all_kept::<Reference>("projects", "project");
    all_kept::<Reference>("tasks_ids", "task");
    kept::<Ids>(&json_of("ids"));
    kept::<Tags>(&json_of("tags"));
    kept::<TagChanges>(&json_of("tag_changes"));
    kept::<SessionCreate>(&json_of("snapshot_session_create"));
    kept::<LinkTargets>(&json_of("snapshot_session_link_targets"));
    kept::<RelinkTargets>(&json_of("snapshot_session_relink_targets"));
    let unlink: UnlinkTargets = kept(&json_of("snapshot_session_unlink_targets"));
    assert_eq!(unlink.linked_targets[1].delete_target, None);
    kept::<SnapshotCreate>(&json_of("volume_snapshot_create"));
    kept::<VolumeCreate>(&json_of("volume_create"));
    kept::<Fault>(&json_of("error"));
}

#[test]
fn empty_lists_are_lists_and_what_other_clients_send_is_taken() {
    for (root, one) in [
        ("tasks", "task"),
        ("snapshot_sessions", "snapshot_session"),
        ("bulk_volumes", "volume"),
        ("results", "resource"),
        ("ids", "id"),
        ("snapshots", "snapshot"),
    ] {
        let (own, read) = xml::read(&recorded(&format!("{root}-empty.xml"))).unwrap();
        assert_eq!((own.as_str(), read), (root, json!({one: []})));
    }
    let java = "<snapshot_session_create><volumes/><name> s </name></snapshot_session_create>";
    let (_, read) = xml::read(java.as_bytes()).unwrap();
    let read: SessionCreate = serde_json::from_value(read).unwrap();
    assert_eq!((read.name.as_str(), read.volumes.len()), (" s ", 0));
    let python = json!({"name": "s", "new_linked_targets": null});
    let read: SessionCreate = serde_json::from_value(python).unwrap();
    assert_eq!(read.new_linked_targets, None);
    let python =
        json!({"new_linked_targets": {"count": "2", "target_name": "t", "copy_mode": "copy"}});
    let read: LinkTargets = serde_json::from_value(python).unwrap();
    assert_eq!(read.new_linked_targets.count, 2);
}

#[test]
fn odd_texts_survive_both_ways() {
    for name in [
        "a<b>&\"'",
        "  x ",
        "größe",
        "]]>",
        "&amp;",
        "\u{202e}x",
        "1",
        "true",
    ] {
        let body = json!({"name": name, "new_element": {"deep": [name, "2"], "other": name}, "tags": [name]});
        let text = xml::write("volume", &body);
        assert_eq!(xml::read(text.as_bytes()).unwrap().1, body, "{text}");
    }
    // What is not what its name says is kept as it stands.
    let (_, read) =
        xml::read(b"<task><progress>many</progress><inactive>maybe</inactive></task>").unwrap();
    assert_eq!(read, json!({"progress": "many", "inactive": "maybe"}));
    let (_, read) = xml::read(b"<x><![CDATA[a<b]]>&#65;&#x42;<!-- no --></x>").unwrap();
    assert_eq!(read, json!("a<bAB"));
}

#[test]
fn what_no_system_sends_is_refused_and_harms_nobody() {
    let deep = "<a>".repeat(100_000);
    let bomb = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><x>&b;</x>";
    let outside = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>";
    for (text, why) in [
        (deep.as_str(), "32 elements deep"),
        (bomb, "document type"),
        (outside, "document type"),
        ("<x>&b;</x>", "the entity &b;"),
        ("<x><y></x>", "no XML"),
        ("<x><y>", "ends within"),
        ("<x/><y/>", "more than one root"),
        ("<x/>text", "outside"),
        ("<x>text<y/></x>", "between"),
        ("", "empty"),
        ("{}", "outside"),
    ] {
        let error = xml::read(text.as_bytes()).unwrap_err();
        assert!(error.contains(why), "{why}: {error}");
    }
    assert!(xml::read(&[b'<', 0xff, b'>']).is_err());
    let html = Form::Xml.read(&["tasks"], b"<html><body>sign in</body></html>");
    assert!(html.unwrap_err().contains("<html>"));
    assert!(Form::Json.read(&["tasks"], b"[]").is_err());
    assert!(list::<Task>(json!({"task": {}}), "task").is_err());
    let missing = json!({"task": [{"id": "x"}]});
    let error = list::<Task>(missing, "task").unwrap_err();
    assert!(error.contains("state"), "{error}");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in ".{0,200}", markup in "[<>/a-c&;!\\[\\] =\"]{0,200}") {
        let _ = xml::read(text.as_bytes());
        let _ = xml::read(markup.as_bytes());
    }
}

#[test]
fn states_keep_unknown_words() {
    let odd = json!({"id": "x", "state": "dreaming", "allowed_operations": "wake_only"});
    let task: Task = kept(&odd);
    assert_eq!(task.state, TaskWord::Unknown("dreaming".into()));
    assert!(!task.state.is_over() && !task.can_resume() && !task.can_roll_back());
    let task = |state: &str, allowed: &str| -> Task {
        serde_json::from_value(json!({"id": "x", "state": state, "allowed_operations": allowed}))
            .unwrap()
    };
    for (state, allowed, can) in [
        ("suspended_error", "retry_only", (true, false)),
        ("suspended_error", "rollback_only", (false, true)),
        ("suspended_error", "retry_rollback", (true, true)),
        ("suspended_no_error", "none_specified", (true, false)),
        ("pending", "retry_rollback", (false, false)),
    ] {
        let task = task(state, allowed);
        assert_eq!(
            (task.can_resume(), task.can_roll_back()),
            can,
            "{state} {allowed}"
        );
    }
}

#[test]
fn errors_are_whose_matter_they_are() {
    for form in ["xml", "json"] {
        let body = recorded(&format!("error.{form}"));
        let media = format!("application/{form};charset=UTF-8");
        let problem = problem(400, &media, &body, "it failed");
        assert_eq!(problem.kind, ProblemKind::User);
        assert_eq!(
            problem.causes,
            [
                "A request parameter has an unacceptable value",
                "copy_mode: expected copy or nocopy, got clone (error 1008 of the system)"
            ]
        );
    }
    let said = |status: u16, code: i64, again: bool| {
        let body = json!({"code": code, "description": "d", "retryable": again}).to_string();
        problem(status, "application/json", body.as_bytes(), "w").kind
    };
    for (status, code, again, kind) in [
        (400, 1004, false, ProblemKind::NotFound),
        (404, 2000, false, ProblemKind::NotFound),
        (400, 1056, false, ProblemKind::Conflict),
        (400, 1013, false, ProblemKind::Conflict),
        (400, 1020, false, ProblemKind::Conflict),
        (405, 1007, false, ProblemKind::User),
        (403, 3000, false, ProblemKind::Auth),
        (401, 10_001, false, ProblemKind::Auth),
        (503, 6000, true, ProblemKind::Network),
        (500, 7000, true, ProblemKind::Network),
        (500, 999, false, ProblemKind::System),
    ] {
        assert_eq!(said(status, code, again), kind, "{status} {code}");
    }
    let html = problem(502, "text/html", b"<html>bad gateway</html>", "w");
    assert!(html.to_string().contains("text/html"), "{html}");
    assert_eq!(problem(401, "", b"", "w").kind, ProblemKind::Auth);
}
