//! The types against the examples that the vendor prints, and against everything that is odd about them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::model::{GroupState, PartState};

fn printed(name: &str) -> String {
    let path = format!(
        "{}/tests/recorded/powervc/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

/// Read and written again, nothing of it is lost and nothing is added.
fn both_ways<T: Serialize + DeserializeOwned>(text: &str) -> T {
    let read: T = serde_json::from_str(text).unwrap();
    let again = serde_json::to_value(&read).unwrap();
    let printed: Value = serde_json::from_str(text).unwrap();
    assert_eq!(again, printed);
    read
}

fn snapshot(with: &Value) -> InstanceSnapshot {
    let mut body = json!({"id": "s", "name": "n", "status": "available", "instance_id": "m"});
    for (key, value) in with.as_object().unwrap() {
        body[key] = value.clone();
    }
    InstanceSnapshot::read(json!({"instance_snapshot": body}).to_string().as_bytes()).unwrap()
}

fn status(word: &str) -> Status {
    Status::new(word)
}

#[test]
fn the_printed_list_is_read_and_written_without_loss() {
    let list: InstanceSnapshots = both_ways(&printed("list"));
    let first = &list.instance_snapshots[0];
    assert_eq!(first.name.as_deref(), Some("Pun_VM_IS-1"));
    assert_eq!(first.members().count(), 3);
    assert_eq!((first.failed().count(), first.safety().count()), (0, 0));
    assert_eq!(first.task(), Some("1032515d-5e12-4ee2-9ea1-fff18f5aae11"));
    assert_eq!(first.action(), Some("snapshot"));
    assert!(first.others.is_empty(), "every field is known");
    let created = first.created_at.as_deref().unwrap();
    assert!(crate::wire::cinder::time(created).is_some());
}

#[test]
fn the_printed_object_is_the_list_cut_short_and_its_first_part_is_one() {
    let text = printed("show");
    assert!(serde_json::from_str::<Value>(&text).is_err(), "no JSON");
    let end = text.find("},\n{").unwrap();
    let whole = format!("{}}}}}", &text[..end]);
    let one = InstanceSnapshot::read(whole.as_bytes()).unwrap();
    let body: Value = serde_json::from_str(&whole).unwrap();
    let again = serde_json::to_value(&one).unwrap();
    assert_eq!(again, body["instance_snapshot"]);
}

#[test]
fn what_is_sent_is_what_is_printed() {
    let create: Create = both_ways(&printed("create-request"));
    assert_eq!(create.vm_snapshot.volumes.len(), 2);
    let update: Update = both_ways(&printed("update-request"));
    let description = update.instance_snapshot.description;
    assert_eq!(
        description.as_deref(),
        Some(" PUT request test"),
        "not trimmed"
    );
    let copies: CopyProgress = both_ways(&printed("copy-request"));
    assert_eq!(copies, CopyProgress::default());
    let detailed = serde_json::to_value(CopyProgress::detailed()).unwrap();
    assert_eq!(detailed, json!({"copy-progress": {"details": true}}));
}

#[test]
fn an_empty_list_of_volumes_is_left_out_and_means_all() {
    let all = serde_json::to_value(Create::new("n", "", Vec::new())).unwrap();
    assert_eq!(all, json!({"vm-snapshot": {"name": "n"}}));
    let some = Create::new("n", "d", vec!["v".into()]);
    let some = serde_json::to_value(some).unwrap();
    let body = json!({"vm-snapshot": {"name": "n", "description": "d", "volumes": ["v"]}});
    assert_eq!(some, body);
}

#[test]
fn a_flag_that_is_printed_as_a_text_is_read_and_sent_as_one_of_json() {
    let restore: Restore = serde_json::from_str(&printed("restore-request")).unwrap();
    let sent = serde_json::to_value(restore).unwrap();
    let id = "44fbf6f8-988d-4510-85a7-1393d990d188";
    let body = json!({"vm-restore": {"instance_snapshot_id": id, "force": true}});
    assert_eq!(sent, body);
    for (said, meant) in [
        (json!("False"), Some(false)),
        (json!("on"), Some(true)),
        (json!("NO"), Some(false)),
        (json!(1), Some(true)),
        (json!(null), None),
    ] {
        let text = json!({"vm-restore": {"instance_snapshot_id": "i", "force": said}});
        let read: Restore = serde_json::from_value(text).unwrap();
        assert_eq!(read.vm_restore.force, meant, "{said}");
    }
    let wrong = json!({"vm-restore": {"instance_snapshot_id": "i", "force": "maybe"}});
    assert!(serde_json::from_value::<Restore>(wrong).is_err());
}

#[test]
fn requests_that_are_printed_as_python_are_read() {
    for (name, retry, rollback) in [
        ("retry-request", Some(true), None),
        ("rollback-request", None, Some(true)),
    ] {
        let text = printed(name);
        let body = lenient::python(text.trim_start_matches("body = ")).unwrap();
        let read: Restore = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(read.vm_restore.retry, retry);
        assert_eq!(read.vm_restore.rollback, rollback);
        assert_eq!(serde_json::to_value(read).unwrap(), body);
    }
}

#[test]
fn links_are_found_inside_and_at_the_top() {
    let begun = Begun::read(printed("create-reply").as_bytes());
    let id = "88fd0192-26db-47fc-b77e-6e8c8e8cf67f";
    assert_eq!(begun.id.as_deref(), Some(id));
    assert!(begun.task_uri.unwrap().ends_with(id));
    for name in ["delete", "restore-reply", "retry-reply", "rollback-reply"] {
        let begun = Begun::read(printed(name).as_bytes());
        assert!(begun.task_uri.unwrap().contains("get_progress?action="));
    }
    let hyphens = br#"{"instance-snapshot": {"id": 7, "task-uri": "https://h/x"}}"#;
    let begun = Begun::read(hyphens);
    assert_eq!(begun.id.as_deref(), Some("7"));
    assert_eq!(begun.task_uri.as_deref(), Some("https://h/x"));
    for nothing in ["", "null", "<html>", "[]", "{\"task_uri\": null}"] {
        assert_eq!(Begun::read(nothing.as_bytes()), Begun::default());
    }
}

#[test]
fn an_answer_that_is_printed_as_python_is_read_and_rubbish_is_none() {
    let updated = Updated::read(printed("update-reply").as_bytes()).unwrap();
    assert_eq!(updated.id, "a1c1d141-a593-42d8-b954-b16183483f14");
    let escaped = br"{'instance_snapshot': {'id': 'it\'s', 'x': None, 'y': [True, False]}}";
    assert_eq!(Updated::read(escaped).unwrap().id, "it's");
    for nothing in ["", "{'instance_snapshot': {'id", "{}", "None"] {
        assert_eq!(Updated::read(nothing.as_bytes()), None, "{nothing}");
    }
}

#[test]
fn the_printed_progress_is_read_in_its_order() {
    let text = printed("progress");
    let progress = Progress::read(text.as_bytes()).unwrap().unwrap();
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&progress).unwrap(), body["details"]);
    assert_eq!(progress.outcome(), Outcome::Finished);
    let parts = progress.parts();
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "InstSnapshotFlow",
            "SnapshotDone",
            "creating_snapshot",
            "updating_snapshots",
            "powervc_cinder.volume.tasks.snapshots.CreateSnapshot",
        ]
    );
    assert!(parts.iter().all(|part| part.state == PartState::Done));
}

#[test]
fn a_204_without_a_body_is_no_progress_and_no_fault() {
    assert_eq!(Progress::read(b""), Ok(None));
    assert_eq!(Progress::read(b" \n"), Ok(None));
    assert!(Progress::read(b"<html>").is_err());
    assert!(Progress::read(b"{}").is_err());
}

#[test]
fn a_flow_that_failed_counts_whatever_the_percentage() {
    let of = |progress: Value, flow: &str, pending: Value| {
        let body = json!({"details": {"progress": progress, "flow_details": {"f": flow},
            "completed_tasks": null, "pending_tasks": pending}});
        let read = Progress::read(body.to_string().as_bytes());
        read.unwrap().unwrap().outcome()
    };
    assert_eq!(of(json!(100), "FAILURE", json!({})), Outcome::Failed);
    assert_eq!(of(json!("100"), "reverted", json!(null)), Outcome::Failed);
    assert_eq!(
        of(json!(null), "REVERT_FAILURE", json!({})),
        Outcome::Failed
    );
    assert_eq!(
        of(json!("99.6"), "RUNNING", json!({"x": "PENDING"})),
        Outcome::Running
    );
    assert_eq!(of(json!(100.0), "RUNNING", json!({})), Outcome::Finished);
    assert_eq!(of(json!(null), "SUCCESS", json!({})), Outcome::Finished);
    let pending = json!({"x": "PENDING"});
    assert_eq!(of(json!(60), "SUCCESS", pending), Outcome::Running);
    // Missing altogether, with another spelling, and a state that nobody knows.
    let odd = br#"{"details": {"flow-details": {"f": "MUSING"}, "pending-tasks": {"p": 3}}}"#;
    let odd = Progress::read(odd).unwrap().unwrap();
    assert_eq!(odd.outcome(), Outcome::Running);
    let parts = odd.parts();
    assert_eq!(
        (parts[0].said.as_str(), parts[1].said.as_str()),
        ("MUSING", "3")
    );
}

#[test]
fn percentages_come_as_numbers_and_texts() {
    for (said, meant) in [
        (json!(60), Some(60)),
        (json!("0"), Some(0)),
        (json!("42 %"), Some(42)),
        (json!(99.9), Some(99)),
        (json!(250), Some(100)),
        (json!(-3), Some(0)),
        (json!("soon"), None),
        (json!(null), None),
        (json!([1]), None),
    ] {
        assert_eq!(Figure(said.clone()).percent(), meant, "{said}");
    }
}

#[test]
fn maps_may_be_null_empty_or_missing() {
    let none = snapshot(&json!({"snapshots": null, "temp_snapshots": null}));
    assert_eq!(none.members().count() + none.safety().count(), 0);
    let empty = snapshot(&json!({"snapshots": {}, "failed_snapshots": []}));
    assert_eq!(empty.members().count() + empty.failed().count(), 0);
    assert_eq!(snapshot(&json!({})).failed().count(), 0);
    let python = snapshot(&json!({"temp_snapshots": "None"}));
    assert_eq!(python.safety().count(), 0);
    let some = snapshot(&json!({"failed-snapshots": {"v": "s"}, "temp-snapshots": {"v": 3}}));
    assert_eq!(some.failed().collect::<Vec<_>>(), [("v", "s")]);
    assert_eq!(some.safety().collect::<Vec<_>>(), [("v", "3")]);
}

#[test]
fn keys_have_underscores_or_hyphens() {
    let body = br#"{"instance-snapshot": {"id": "s", "status": "available", "instance-id": "m",
        "task-uri": "https://h/p?action=delete&task_id=t&id=s", "created-at": "2026-03-04T05:06:07.000000"}}"#;
    let one = InstanceSnapshot::read(body).unwrap();
    assert_eq!((one.instance_id.as_str(), one.task()), ("m", Some("t")));
    let list = InstanceSnapshots::read(br#"{"instance-snapshots": null}"#).unwrap();
    assert!(list.is_empty());
    assert!(InstanceSnapshots::read(b"{}").is_err());
}

#[test]
fn ids_that_are_called_integers_may_be_such() {
    let one = snapshot(&json!({"id": 17, "instance_id": 4}));
    assert_eq!((one.id.as_str(), one.instance_id.as_str()), ("17", "4"));
    let body = br#"{"instance_snapshot": {"id": {}, "status": "x", "instance_id": "m"}}"#;
    assert!(InstanceSnapshot::read(body).is_err());
}

#[test]
fn a_time_that_is_called_a_list_is_its_last_element() {
    let one = snapshot(
        &json!({"updated_at": ["2020-01-14T07:27:39.000000", "2020-01-14T07:28:06.000000"]}),
    );
    assert_eq!(
        one.updated_at.as_deref(),
        Some("2020-01-14T07:28:06.000000")
    );
    assert_eq!(snapshot(&json!({"updated_at": []})).updated_at, None);
}

#[test]
fn what_is_not_known_is_kept() {
    let one = snapshot(&json!({"consistency": "crash"}));
    assert_eq!(
        one.others,
        BTreeMap::from([("consistency".to_owned(), json!("crash"))])
    );
}

#[test]
fn a_status_is_known_however_it_is_spelled() {
    for word in [
        "restore-error",
        "Restore_Error",
        "RESTORE ERROR",
        "rollback-error",
    ] {
        assert_eq!(status(word).kind(), StatusKind::RestoreError, "{word}");
        assert_eq!(status(word).state(), GroupState::RestoreError);
    }
    assert_eq!(status("Rolling back").kind(), StatusKind::RollingBack);
    assert_eq!(status("Available").kind(), StatusKind::Available);
    for word in ["error", "ERROR", "error_deleting", "creation error"] {
        assert_eq!(status(word).kind(), StatusKind::Error, "{word}");
        assert!(status(word).is_settled());
    }
    let odd = status("Musing");
    assert_eq!(
        odd.state(),
        GroupState::Unknown("Musing".into()),
        "kept as it stands"
    );
    assert!(!odd.is_settled(), "taken for something under way");
    let reverted = status("restore_reverted");
    assert!(reverted.is_ready(), "nothing was changed");
    assert_eq!(
        reverted.state(),
        GroupState::Unknown("restore_reverted".into())
    );
    assert!(!status("restoring").is_settled() && !status("deleting").is_settled());
}

#[test]
fn the_printed_mappings_are_read_once_their_brackets_are_whole() {
    let text = printed("copy-reply");
    assert!(CopyDetails::read(text.as_bytes()).is_err(), "unbalanced");
    let open = text.trim_end().strip_suffix("}}").unwrap();
    let whole = format!("{open}}}]}}");
    let read: CopyDetails = both_ways(&whole);
    let first = &read.copy_details[0];
    assert_eq!(first.name, "fcmap265");
    assert_eq!(first.state(), CopyState::Copying);
    assert!(first.is_busy() && !first.restoring.is_yes());
    assert_eq!(
        (first.progress.percent(), first.restore_progress.percent()),
        (Some(0), None)
    );
}

#[test]
fn mappings_keep_what_is_not_documented_and_take_flags_as_words() {
    let body = json!({"copy-details": [{"name": "fcmap1", "status": "idle_or_copied", "progress": 100,
        "incremental": true, "restoring": "yes", "copyrate": "50", "clean_progress": "7"}]});
    let all = CopyDetails::read(body.to_string().as_bytes()).unwrap();
    assert_eq!(all[0].state(), CopyState::Idle);
    assert!(all[0].incremental.is_yes() && all[0].restoring.is_yes());
    assert_eq!(all[0].others["clean_progress"], "7");
    assert_eq!(all[0].copyrate.to_string(), "50");
    let odd = json!({"copy_details": [{"name": "m", "status": 3}]});
    let odd = CopyDetails::read(odd.to_string().as_bytes()).unwrap();
    assert_eq!(odd[0].state(), CopyState::Unknown);
    assert_eq!(odd[0].status.text(), "3");
    assert_eq!(CopyDetails::read(b"{\"copy_details\": []}"), Ok(Vec::new()));
    assert_eq!(CopyDetails::read(b""), Ok(Vec::new()));
}

#[test]
fn a_machine_says_what_is_attached_to_it_where_the_service_tells() {
    let body = json!({"server": {"id": "m", "name": "db01", "status": "SHUTOFF", "OS-EXT-STS:task_state": null,
        "os-extended-volumes:volumes_attached": [{"id": "v1"}, {"id": "v2"}]}});
    let machine = Machine::read(body.to_string().as_bytes()).unwrap();
    assert_eq!(machine.volumes(), Some(vec!["v1", "v2"]));
    assert_eq!((machine.called(), machine.is_off()), ("db01", Some(true)));
    let bare = Machine::read(br#"{"server": {"id": "m"}}"#).unwrap();
    assert_eq!(
        (bare.called(), bare.is_off(), bare.volumes()),
        ("m", None, None)
    );
}
