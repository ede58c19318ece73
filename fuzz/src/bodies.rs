//! Bodies that come from a service, read in every way in which they are.

use snapdeck::wire::cinder::{self, Named, One, Page};
use snapdeck::wire::evs::{self, Signing};
use snapdeck::wire::keystone;
use snapdeck::wire::powervc::{
    Begun, CopyDetails, InstanceSnapshot, InstanceSnapshots, Machine, Progress, Updated,
};

/// The statuses that mean something of their own.
const STATUSES: [u16; 9] = [200, 400, 401, 403, 404, 409, 413, 429, 500];

/// Reads one and many. A thing that is among many says its id.
fn read<T: Named>(body: &[u8]) {
    let _ = One::<T>::read(body);
    if let Ok(page) = Page::<T>::read(body) {
        let _ = page.items.iter().map(|item| item.id().len()).sum::<usize>();
    }
}

/// What OpenStack answers.
pub fn cinder(body: &[u8]) {
    read::<cinder::Volume>(body);
    read::<cinder::Snapshot>(body);
    read::<cinder::Group>(body);
    read::<cinder::GroupSnapshot>(body);
    read::<cinder::GroupType>(body);
    read::<cinder::Server>(body);
    if let Ok(page) = Page::<cinder::Snapshot>::read(body) {
        for snapshot in &page.items {
            assert!(snapshot.percent().is_none_or(|percent| percent <= 100));
            let at = snapshot.created_at.as_deref().and_then(cinder::time);
            // What is read as a time can be written and read again.
            assert!(at.is_none_or(|at| cinder::time(&at.to_string()) == Some(at)));
        }
    }
    if let Ok(versions) = serde_json::from_slice::<cinder::Versions>(body) {
        let _ = versions.highest().map(cinder::Microversion::header);
    }
    if let Ok(reply) = serde_json::from_slice::<keystone::TokenReply>(body) {
        let catalog = &reply.token.catalog;
        let _ = keystone::find(catalog, &keystone::VOLUME, "public", None);
    }
    for status in STATUSES {
        let problem = cinder::problem(status, body, "it cannot be done");
        assert!(!problem.causes.is_empty());
    }
}

/// What EVS answers. What is read goes out again as it came in.
pub fn evs(body: &[u8]) {
    read::<evs::Volume>(body);
    if let Ok(page) = Page::<evs::Snapshot>::read(body) {
        for snapshot in &page.items {
            assert!(snapshot.percent().is_none_or(|percent| percent <= 100));
            let _ = (snapshot.created().and_then(evs::time), snapshot.made_by());
            again(snapshot);
        }
    }
    if let Ok(snapshot) = One::<evs::Snapshot>::read(body) {
        again(&snapshot);
    }
    if let Ok(job) = serde_json::from_slice::<evs::Job>(body) {
        let _ = (job.volume(), job.reason());
    }
    let _ = serde_json::from_slice::<evs::Submitted>(body);
    let _ = (evs::Quotas::read(body), evs::Zone::read(body));
    let _ = evs::fault(body);
    for status in STATUSES {
        let problem = evs::problem(status, body, "it cannot be done");
        assert!(!problem.causes.is_empty());
        let _ = evs::is_stale(status, body);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        sign(text);
    }
}

/// A snapshot that was read is written, read and written again: both are the same.
fn again(snapshot: &evs::Snapshot) {
    let written = serde_json::to_value(snapshot).expect("what was read is written");
    let read: evs::Snapshot =
        serde_json::from_value(written.clone()).expect("what was written is read");
    let written_again = serde_json::to_value(&read).expect("what was read is written");
    assert_eq!(written, written_again);
}

/// A signature of any address is the same however often its query is turned round.
fn sign(text: &str) {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let signing = |query: &str| {
        let signing = Signing {
            method: "GET",
            path,
            query,
            headers: vec![("x-sdk-date".to_owned(), "20260304T050607Z".to_owned())],
            body: b"",
        };
        signing.signature("secret")
    };
    let mut pairs: Vec<&str> = query.split('&').collect();
    let signature = signing(query);
    pairs.reverse();
    assert_eq!(signing(&pairs.join("&")), signature);
    assert_eq!(signature.len(), 64);
}

/// What PowerVC answers. What is read as an instance snapshot is written and read again as the same.
pub fn powervc(data: &[u8]) {
    let _ = Begun::read(data);
    let _ = Updated::read(data);
    if let Ok(all) = InstanceSnapshots::read(data) {
        for one in all {
            same(&one);
        }
    }
    if let Ok(one) = InstanceSnapshot::read(data) {
        let _ = (one.task(), one.action(), one.status.state());
        same(&one);
    }
    if let Ok(Some(progress)) = Progress::read(data) {
        let _ = (
            progress.outcome(),
            progress.parts(),
            progress.progress.percent(),
        );
    }
    if let Ok(all) = CopyDetails::read(data) {
        for mapping in all {
            let _ = (mapping.state(), mapping.progress.percent());
        }
    }
    if let Ok(machine) = Machine::read(data) {
        let _ = (machine.called().len(), machine.is_off(), machine.volumes());
    }
}

fn same(one: &InstanceSnapshot) {
    let written = serde_json::json!({"instance_snapshot": one}).to_string();
    let mut again = InstanceSnapshot::read(written.as_bytes()).expect("what was written is read");
    // Figures that nobody looks at may lose a last digit.
    again.others.clone_from(&one.others);
    assert_eq!(again, *one);
}
