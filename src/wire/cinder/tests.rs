//! The types against what a real service was recorded to send.

use serde_json::Value;

use super::*;
use crate::model::{ProblemKind, SnapshotState, VolumeState};

fn exchanges(name: &str) -> Vec<Value> {
    let path = format!(
        "{}/tests/recorded/cinder/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let flow: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    flow["exchanges"].as_array().unwrap().clone()
}

/// The bodies of the answers with this status to calls of this method.
fn bodies(name: &str, method: &str, status: u64) -> Vec<Vec<u8>> {
    exchanges(name)
        .iter()
        .filter(|e| e["request"]["method"] == method && e["response"]["status"] == status)
        .filter(|e| e["response"]["body"].is_object())
        .map(|e| e["response"]["body"].to_string().into_bytes())
        .collect()
}

#[test]
fn recorded_snapshots_are_read_one_and_many() {
    let made = bodies("snapshot-create-poll", "POST", 202);
    let snapshot = One::<Snapshot>::read(&made[0]).unwrap();
    assert_eq!(snapshot.status, SnapshotStatus::Creating);
    assert_eq!(snapshot.percent(), None, "not told when it is made");
    assert_eq!(snapshot.metadata["policy"], "daily");
    let shown = bodies("snapshot-create-poll", "GET", 200);
    let last = One::<Snapshot>::read(shown.last().unwrap()).unwrap();
    assert_eq!(last.status.state(), SnapshotState::Available);
    assert_eq!(last.percent(), Some(100));
    assert!(time(last.created_at.as_deref().unwrap()).is_some());

    let pages = bodies("snapshot-list-paging", "GET", 200);
    let (mut full, mut more, mut empty, mut counted) = (0, 0, 0, 0);
    for body in &pages {
        let page = Page::<Snapshot>::read(body).unwrap();
        full += usize::from(!page.items.is_empty());
        more += usize::from(page.more);
        empty += usize::from(page.items.is_empty());
        counted += usize::from(page.count.is_some());
    }
    assert!(
        full > 0 && more > 0 && empty > 0 && counted > 0,
        "{full} {more} {empty} {counted}"
    );
}

#[test]
fn recorded_volumes_groups_and_attachments_are_read() {
    let pages = bodies("volume-list-paging", "GET", 200);
    // The brief lists among them say no status, and are not what is asked for.
    let full = pages
        .iter()
        .filter_map(|body| Page::<Volume>::read(body).ok());
    let full: Vec<_> = full.collect();
    assert_eq!(full.len(), 5);
    for page in full {
        for volume in page.items {
            assert_eq!(volume.status.state(), VolumeState::Available);
            assert!(volume.size > 0 && !volume.bootable);
        }
    }
    let attached = bodies("attachments", "GET", 200)
        .iter()
        .filter_map(|body| One::<Volume>::read(body).ok())
        .find(|volume| volume.status == VolumeStatus::InUse)
        .unwrap();
    assert_eq!(
        attached.attachments[0].server_id.as_deref(),
        Some("11111111-2222-4333-8444-555555555555")
    );
    let groups: Vec<Group> = bodies("group-create", "GET", 200)
        .iter()
        .filter_map(|body| One::<Group>::read(body).ok())
        .collect();
    assert!(groups.iter().any(|group| group.volumes.len() == 2));
    let types: Vec<GroupType> = bodies("group-create", "GET", 200)
        .iter()
        .filter_map(|body| One::<GroupType>::read(body).ok())
        .collect();
    assert!(types[0].is_consistent());
    let page = bodies("group-create", "GET", 200)
        .iter()
        .find_map(|body| Page::<Group>::read(body).ok())
        .unwrap();
    assert!(page.more, "the link has an irregular name");
    let taken = bodies("group-snapshot-create", "GET", 200);
    let taken: Vec<GroupSnapshot> = taken
        .iter()
        .filter_map(|body| One::<GroupSnapshot>::read(body).ok())
        .collect();
    assert_eq!(taken[0].status, GroupStatus::Creating);
    assert!(taken.iter().any(|g| g.status == GroupStatus::Available));
}

#[test]
fn recorded_versions_are_read() {
    let highest: Vec<_> = ["300", "200"]
        .iter()
        .flat_map(|status| bodies("volume-versions", "GET", status.parse().unwrap()))
        .filter_map(|body| serde_json::from_slice::<Versions>(&body).ok())
        .map(|versions| versions.highest().unwrap())
        .collect();
    assert_eq!(highest.len(), 2);
    assert!(
        highest
            .iter()
            .all(|v| *v == Microversion(3, 71) && *v > Microversion::OURS)
    );
    assert!("x".parse::<Microversion>().is_err());
    assert_eq!(Microversion::REVERT.header(), "volume 3.40");
}

#[test]
fn recorded_errors_become_problems_of_their_kind() {
    let cases = [
        ("errors-401", 401, ProblemKind::Auth),
        ("errors-403", 403, ProblemKind::Auth),
        ("errors-404", 404, ProblemKind::NotFound),
        ("errors-409", 409, ProblemKind::Conflict),
        ("errors-413", 413, ProblemKind::Quota),
        ("identity-errors", 401, ProblemKind::Auth),
    ];
    for (name, status, kind) in cases {
        let mut seen = 0;
        for exchange in exchanges(name) {
            let response = &exchange["response"];
            if response["status"] != status {
                continue;
            }
            let body = response["body"].to_string().into_bytes();
            let status = u16::try_from(status).unwrap();
            let problem = problem(status, &body, "it cannot be done");
            assert_eq!(problem.kind, kind, "{name}: {problem}");
            if response["body"].is_object() {
                assert!(fault(&body).is_some(), "{name}: {}", response["body"]);
            }
            seen += 1;
        }
        assert!(seen > 0, "{name}");
    }
    let mut kinds = std::collections::BTreeSet::new();
    for body in bodies("errors-400", "POST", 400) {
        kinds.insert(problem(400, &body, "x").kind.exit_code());
    }
    assert!(!kinds.is_empty());
    let html = problem(502, b"<html>Bad gateway</html>", "x");
    assert_eq!(html.kind, ProblemKind::System);
    assert!(html.causes[0].contains("502"), "{html}");
}

#[test]
fn what_is_missing_is_named_and_what_is_new_is_kept() {
    let missing = One::<Snapshot>::read(b"{\"snapshot\":{\"id\":\"x\",\"status\":\"available\"}}");
    assert!(missing.unwrap_err().contains("volume_id"));
    assert!(
        Page::<Volume>::read(b"{\"other\":[]}")
            .unwrap_err()
            .contains("volumes")
    );
    assert!(Page::<Volume>::read(b"<html>").is_err());
    let odd = One::<Volume>::read(
        b"{\"volume\":{\"id\":\"x\",\"status\":\"melting\",\"size\":1,\"new\":3,\"name\":null,\
          \"metadata\":{\"a\":1}}}",
    )
    .unwrap();
    assert_eq!(odd.status.state(), VolumeState::Unknown("melting".into()));
    assert!(!odd.status.is_settled(), "something is under way");
    assert_eq!(odd.metadata["a"], "1");
    assert_eq!(
        time("2026-03-04T05:06:07.120000"),
        time("2026-03-04T05:06:07.12Z")
    );
    assert_eq!(time("soon"), None);
}
