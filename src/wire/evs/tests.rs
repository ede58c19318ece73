//! The types against the examples of the reference and of the page that describes the call.

use serde_json::{Value, json};

use super::*;
use crate::model::{ProblemKind, SnapshotState, VolumeState};
use crate::wire::cinder::{One, Page};

/// Reads a snapshot and writes it again.
fn there_and_back(body: &Value) -> Value {
    let read = One::<Snapshot>::read(body.to_string().as_bytes()).unwrap();
    json!({"snapshot": read})
}

#[test]
fn the_example_of_the_call_goes_out_as_it_came_in() {
    let asked = json!({"snapshot": {"name": "snap-001", "description": "Daily backup",
        "volume_id": "5aa119a8-d25b-45a7-8d1b-88e127885635", "force": false, "metadata": {}}});
    let read: CreateSnapshot = serde_json::from_value(asked["snapshot"].clone()).unwrap();
    assert_eq!(json!({"snapshot": read}), asked);
    let least: CreateSnapshot = serde_json::from_value(json!({"volume_id": "x"})).unwrap();
    assert!(!least.force && least.metadata.is_empty() && least.name.is_none());

    let answered = json!({"snapshot": {"status": "creating", "description": "Daily backup",
        "created_at": "2013-02-25T03:56:53.081642", "metadata": {},
        "volume_id": "5aa119a8-d25b-45a7-8d1b-88e127885635", "size": 1,
        "id": "ffa9bc5e-1172-4021-acaf-cdcd78a9584d", "name": "snap-001",
        "updated_at": "2013-02-25T03:56:53.081642"}});
    assert_eq!(there_and_back(&answered), answered);
}

#[test]
fn null_absent_and_unknown_stay_what_they_were() {
    for snapshot in [
        json!({"id": "i", "volume_id": "v", "name": null, "description": null, "size": 40,
            "status": "available", "metadata": {"tier": "gold"}, "created_at": "2026-03-04t05:06:07",
            "updated_at": null, "os-extended-snapshot-attributes:project_id": "p",
            "os-extended-snapshot-attributes:progress": "100%"}),
        json!({"id": "i", "volume_id": "v", "size": 40, "status": "melting", "metadata": {},
            "dedicated_storage_id": null, "service_type": "EVS", "new": {"deep": [1, null]}}),
    ] {
        let body = json!({"snapshot": snapshot});
        assert_eq!(there_and_back(&body), body);
    }
    let odd = json!({"snapshot": {"id": "i", "volume_id": "v", "size": 1, "status": "melting",
        "metadata": null}});
    let odd = One::<Snapshot>::read(odd.to_string().as_bytes()).unwrap();
    assert_eq!(odd.status.state(), SnapshotState::Unknown("melting".into()));
    assert!(!odd.status.is_settled(), "busy, and never success");
    assert_eq!((odd.name(), odd.percent()), ("", None));
    let missing = One::<Snapshot>::read(b"{\"snapshot\":{\"id\":\"i\",\"size\":1}}");
    assert!(missing.unwrap_err().contains("volume_id"));

    let volume = json!({"volume": {"id": "v", "name": "db", "description": null, "status": "in-use",
        "size": 40, "created_at": "2026-03-04T05:06:07.120000", "updated_at": null, "volume_type": "SSD",
        "availability_zone": "zone-b", "snapshot_id": null, "bootable": "true", "multiattach": false,
        "attachments": [{"server_id": "s", "device": "/dev/vdb", "id": "v", "host_name": null}],
        "metadata": {"__system__encrypted": "1"}, "wwn": "688860300001d32efa16"}});
    let read = One::<Volume>::read(volume.to_string().as_bytes()).unwrap();
    assert!(read.is_encrypted() && read.is_bootable());
    assert_eq!(read.status.state(), VolumeState::InUse);
    assert_eq!(json!({"volume": read}), volume);
    for word in ["rollbacking", "error_rollbacking", "awaiting-transfer"] {
        assert!(!matches!(
            VolumeStatus::from(word),
            VolumeStatus::Unknown(_)
        ));
    }
}

#[test]
fn a_page_has_its_link_and_the_vendors_its_count() {
    let body = r#"{"snapshots":[{"id":"c4f0a9d2-3d61-4b7e-8a57-0d2f6be19a10","volume_id":"2f9b7c31-6d0e-4a58-9a4e-5c1d7b8e9f02",
        "name":"nightly-042","description":null,"size":40,"status":"available","metadata":{},
        "created_at":"2026-03-04T05:06:07.120000","updated_at":"2026-03-04T05:06:31.004000",
        "os-extended-snapshot-attributes:project_id":"7c0a1e2d3f4b45968d9eafb0c1d2e3f4",
        "os-extended-snapshot-attributes:progress":"100%"}],
        "snapshots_links":[{"rel":"next","href":"https://evs.example-1.test/v2/7c0a/snapshots/detail?limit=1&marker=c4f0"}]}"#;
    let page = Page::<Snapshot>::read(body.as_bytes()).unwrap();
    assert!(page.more && page.count.is_none());
    assert_eq!(page.items[0].percent(), Some(100));
    assert_eq!(page.items[0].rest.len(), 1, "{:?}", page.items[0].rest);
    let none = Page::<Snapshot>::read(br#"{"count":7,"snapshots":[],"snapshots_links":null}"#);
    let none = none.unwrap();
    assert!(!none.more && none.count == Some(7) && none.items.is_empty());
}

#[test]
fn times_are_read_in_every_writing() {
    let at = time("2026-03-04T05:06:07.120000Z").unwrap();
    for other in [
        "2026-03-04T05:06:07.120000",
        "2026-03-04t05:06:07.12",
        "2026-03-04 05:06:07.120000000",
        "2026-03-04T05:06:07.120Z",
    ] {
        assert_eq!(time(other), Some(at), "{other}");
    }
    assert!(time("2026-03-04T05:06:07").is_some());
    assert_eq!(time(""), None);
}

#[test]
fn what_the_service_made_by_itself_is_known() {
    let made_by = |name: &str, metadata: Value| {
        let body = json!({"id": "i", "volume_id": "v", "size": 1, "status": "available",
            "name": name, "metadata": metadata});
        serde_json::from_value::<Snapshot>(body).unwrap().made_by()
    };
    assert!(
        made_by("autobk_snapshot_7", json!({}))
            .unwrap()
            .contains("disk")
    );
    assert!(
        made_by("x", json!({"__system__enableActive": ""}))
            .unwrap()
            .contains("server")
    );
    assert_eq!(made_by("my_autobk_snapshot_", json!({"a": "b"})), None);
}

#[test]
fn jobs_quotas_zones_and_versions_are_read() {
    let running = br#"{"job_id":"4010b39b5b2f4c2f0a8d7e61c2d3a4b5","job_type":"createVolume","status":"RUNNING",
        "begin_time":"2026-03-04T05:06:07.120Z","end_time":"","error_code":null,"fail_reason":null,
        "entities":{"volume_id":"2f9b7c31","name":"db-data","size":40,"volume_type":"SSD"}}"#;
    let job: Job = serde_json::from_slice(running).unwrap();
    assert_eq!(job.status, JobStatus::Running);
    assert_eq!(job.volume(), Some("2f9b7c31"));
    let again: Value = serde_json::from_slice(running).unwrap();
    assert_eq!(serde_json::to_value(&job).unwrap(), again);
    let batch = json!({"job_id": "j", "job_type": "batchCreateVolume", "status": "FAIL",
        "error_code": "EVS.2024", "fail_reason": "no room",
        "entities": {"sub_jobs": [{"entities": {"volume_id": "w"}}]}});
    let batch: Job = serde_json::from_value(batch).unwrap();
    assert_eq!(batch.volume(), Some("w"));
    assert_eq!(batch.reason(), "no room (EVS.2024)");
    let submitted: Submitted = serde_json::from_str(r#"{"job_id":"j"}"#).unwrap();
    assert!(submitted.volume_ids.is_empty());

    let quotas = Quotas::read(
        br#"{"quota_set":{"id":"p","snapshots":{"reserved":0,"in_use":3,"limit":-1},"snapshots_SSD":{"limit":5}}}"#,
    );
    let quotas = quotas.unwrap().0;
    assert_eq!((quotas["snapshots"].in_use, quotas.len()), (3, 2));
    let zones = br#"{"availabilityZoneInfo":[{"zoneName":"zone-b","zoneState":{"available":true}},
        {"zoneName":"zone-c","zoneState":{"available":false}}]}"#;
    assert_eq!(Zone::read(zones).unwrap(), ["zone-b"]);
    let start: Start =
        serde_json::from_str(r#"{"versions":[{"id":"v1.0"},{"id":"v2.0","version":""}]}"#).unwrap();
    assert_eq!(start.versions().collect::<Vec<_>>(), ["v1.0", "v2.0"]);
}

#[test]
fn every_shape_of_an_error_is_read() {
    let cases = [
        (
            400,
            r#"{"error":{"code":"EVS.1047","message":"snapshot status must be"}}"#,
            "EVS.1047",
            ProblemKind::Conflict,
        ),
        (
            404,
            r#"{"itemNotFound":{"code":404,"message":"Snapshot c4f0 could not be found."}}"#,
            "itemNotFound",
            ProblemKind::NotFound,
        ),
        (
            400,
            r#"{"badrequest":{"code":"400","message":"limit"}}"#,
            "badrequest",
            ProblemKind::User,
        ),
        (
            413,
            r#"{"overLimit":{"code":413,"message":"Snapshots quota"}}"#,
            "overLimit",
            ProblemKind::Quota,
        ),
        (
            401,
            r#"{"error_code":"APIGW.0301","error_msg":"verify aksk signature fail","request_id":"5f1c"}"#,
            "APIGW.0301",
            ProblemKind::Auth,
        ),
        (
            401,
            r#"{"error":{"code":401,"title":"Unauthorized","message":"no"}}"#,
            "Unauthorized",
            ProblemKind::Auth,
        ),
        (
            403,
            r#"{"errorCode":"EVS.5403","errorMsg":"Policy check failed."}"#,
            "EVS.5403",
            ProblemKind::Auth,
        ),
        (
            403,
            r#"{"encoded_authorization_message":"AAAA","error_code":"IAM.0003"}"#,
            "IAM.0003",
            ProblemKind::Auth,
        ),
        (
            400,
            r#"{"code":"EVS.1002","message":"invalid volume id!"}"#,
            "EVS.1002",
            ProblemKind::NotFound,
        ),
        (
            400,
            r#"{"a":{"b":{"error_code":"EVS.1034","error_msg":"quota"}}}"#,
            "EVS.1034",
            ProblemKind::Quota,
        ),
        (
            429,
            r#"{"error_code":"APIG.0308","error_msg":"The throttling threshold"}"#,
            "APIG.0308",
            ProblemKind::Network,
        ),
        (
            400,
            r#"{"error":{"code":"Common.0018","message":"Invalid token"}}"#,
            "Common.0018",
            ProblemKind::Auth,
        ),
        (
            500,
            r#"{"error":{"code":"EVS.2002","message":"internal error!"}}"#,
            "EVS.2002",
            ProblemKind::System,
        ),
    ];
    for (status, body, code, kind) in cases {
        assert_eq!(fault(body.as_bytes()).unwrap().code, code, "{body}");
        let problem = problem(status, body.as_bytes(), "it cannot be done");
        assert_eq!(problem.kind, kind, "{body}");
        assert!(problem.causes[0].contains(code), "{problem}");
        assert!(!problem.to_string().contains("AAAA"), "{problem}");
    }
    assert!(fault(b"<html>").is_none() && fault(b"[1]").is_none());
    let deep = "{\"a\":".repeat(40) + "1" + &"}".repeat(40);
    assert!(fault(deep.as_bytes()).is_none());
    let html = problem(502, b"<html>", "x");
    assert_eq!(html.kind, ProblemKind::System);
    let expired = br#"{"error_code":"APIGW.0303","error_msg":"signature expired,signature time:a,server time:b"}"#;
    assert!(problem(401, expired, "x").hints[0].contains("clocks"));
    let stale = |code: &str| {
        let body = json!({"error": {"code": code, "message": "x"}}).to_string();
        is_stale(400, body.as_bytes())
    };
    assert!(is_stale(401, b"") && stale("EVS.0002") && stale("Common.0013"));
    assert!(!stale("Common.0018") && !is_stale(403, b""));
}

const SECRET: &str = "exampleSecretKeyForDocsOnly0000000000001";
const BODY: &str = r#"{"snapshot":{"volume_id":"2f9b7c31-6d0e-4a58-9a4e-5c1d7b8e9f02","name":"nightly-042","force":true,"metadata":{"tier":"gold"}}}"#;
const PROJECT: &str = "7c0a1e2d3f4b45968d9eafb0c1d2e3f4";

fn headers(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect()
}

/// The first worked example.
fn example(body: &str) -> Signing<'_> {
    Signing {
        method: "POST",
        path: "/v2/7c0a1e2d3f4b45968d9eafb0c1d2e3f4/snapshots",
        query: "",
        headers: headers(&[
            ("Host", "evs.example-1.test:8776"),
            ("X-Sdk-Date", "20260304T050607Z"),
            ("Content-Type", " application/json "),
            ("X-Project-Id", PROJECT),
        ]),
        body: body.as_bytes(),
    }
}

#[test]
fn the_first_worked_example_is_signed_byte_by_byte() {
    let signing = example(BODY);
    assert_eq!(BODY.len(), 126);
    let canonical = "POST\n/v2/7c0a1e2d3f4b45968d9eafb0c1d2e3f4/snapshots/\n\n\
        content-type:application/json\nhost:evs.example-1.test:8776\n\
        x-project-id:7c0a1e2d3f4b45968d9eafb0c1d2e3f4\nx-sdk-date:20260304T050607Z\n\n\
        content-type;host;x-project-id;x-sdk-date\n\
        7cc5104a8c9cb5233aec0ce8eec2f89823cb8ec72d9182586085b49130e48600";
    assert_eq!(signing.canonical(), canonical);
    assert_eq!(canonical.len(), 294);
    assert_eq!(
        signing.string_to_sign(),
        "SDK-HMAC-SHA256\n20260304T050607Z\n\
         a540d4c9ba31a82854568936a089254d4709c4edf6d9973cd6af77efcb82503b"
    );
    assert_eq!(
        signing.authorization("EXAMPLEAK00000000001", SECRET),
        "SDK-HMAC-SHA256 Access=EXAMPLEAK00000000001, \
         SignedHeaders=content-type;host;x-project-id;x-sdk-date, \
         Signature=6a6c8a16a7ff5264e4641cfcbcde9bc592dd19438b9c1d5ddac295d6fd48cf89"
    );
    let mut temporary = example(BODY);
    let token = ("X-Security-Token".to_owned(), "tempTOKEN.1".to_owned());
    temporary.headers.push(token);
    assert_eq!(
        temporary.signature(SECRET),
        "51aaead11a0e6c7f24564fdb4493baa343ba99754955158e6f14dccf41ce65a9"
    );
}

#[test]
fn a_query_is_sorted_and_encoded() {
    for query in [
        "name=db%20snap%2F1~a&limit=2&availability_zone=zone-b&limit2=",
        "limit2&limit=%32&name=db%20snap/1%7ea&availability_zone=zone-b",
    ] {
        let signing = Signing {
            method: "GET",
            path: "/v2/7c0a1e2d3f4b45968d9eafb0c1d2e3f4/snapshots/detail",
            query,
            headers: headers(&[
                ("x-sdk-date", "20260304T050607Z"),
                ("host", "evs.example-1.test:8776"),
            ]),
            body: b"",
        };
        let canonical = signing.canonical();
        assert_eq!(
            canonical.lines().nth(2),
            Some("availability_zone=zone-b&limit=2&limit2=&name=db%20snap%2F1~a")
        );
        assert!(
            signing
                .string_to_sign()
                .ends_with("9410b20301cba649ea3fcedffd65fd06364539acb130433bec9fd5d72d2e028b")
        );
        assert_eq!(
            signing.signature(SECRET),
            "dfa0c9893da1bf1219ad7a4e07ea690f85dad95b0103862cf5aa34ef32717184"
        );
    }
}

#[test]
fn the_published_vectors_hold_and_mistakes_give_what_they_give() {
    let published = |method, query, body| Signing {
        method,
        path: "/resources",
        query,
        headers: headers(&[
            ("host", "service.endpoint.myhuaweicloud.com"),
            ("x-sdk-date", "20200608T023900Z"),
        ]),
        body,
    };
    assert_eq!(
        published("GET", "size=1", b"").signature("SecretKey"),
        "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842"
    );
    let body = br#"{"name":"test","id":1}"#;
    let posted = [
        published("POST", "size=1", body).signature("SecretKey"),
        published("POST", "", body).signature("SecretKey"),
    ];
    let expected = "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f";
    assert!(posted.iter().any(|s| s == expected), "{posted:?}");

    // Each mistake of the reference gives the signature that it says, so that ours is right for the right reason.
    let mut no_port = example(BODY);
    no_port.headers[0].1 = "evs.example-1.test".to_owned();
    assert_eq!(
        no_port.signature(SECRET),
        "2677ca959bfe15ee8ef7843744e749dfe011dca3f2ac9b63d8f37ed25d2128b6"
    );
    let other = BODY.replace("042", "043");
    assert_eq!(
        example(&other).signature(SECRET),
        "54e90086792c6346ee39907b5d610b0a0d7fa6a58792674d6277421b094e7b28"
    );
    let mut stated = example(BODY);
    let hash = (
        "X-Sdk-Content-Sha256".to_owned(),
        "UNSIGNED-PAYLOAD".to_owned(),
    );
    stated.headers.push(hash);
    assert!(stated.canonical().ends_with("\nUNSIGNED-PAYLOAD"));
    stated.body = b"";
    assert!(
        stated.canonical().ends_with("b855"),
        "an empty body is hashed"
    );
    let at = "2026-03-04T05:06:07.9Z".parse().unwrap();
    assert_eq!(date(at), "20260304T050607Z");
}
