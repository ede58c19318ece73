//! The client against a server that misbehaves: each fault ends in a clear error, in bounded time and room.

mod faulty;

use std::sync::Arc;
use std::time::Duration;

use faulty::{Faulty, Script};

use super::{Client, HttpError, Limits, Method, Options, Phase, Request, Trace, har};

fn client() -> Client {
    let limits = Limits {
        connect: Duration::from_secs(5),
        first_byte: Duration::from_millis(300),
        between: Duration::from_millis(300),
        whole: Duration::from_secs(2),
        body: 64 << 10,
        calls: 2,
        attempts: 3,
    };
    let options = Options {
        limits,
        ..Options::default()
    };
    Client::new(&options, Arc::default()).unwrap()
}

fn get(server: &Faulty) -> Request {
    Request::new(Method::Get, format!("{}/v3/things", server.url()))
        .header("X-Auth-Token", "t0psecret")
}

fn post(server: &Faulty) -> Request {
    Request::new(Method::Post, format!("{}/v3/things", server.url()))
        .json(serde_json::json!({"password": "hunter2", "name": "n"}))
}

#[tokio::test]
async fn an_answer_comes_whole_and_is_traced_without_secrets() {
    let server = Faulty::start(vec![Script::ok("{\"a\":1}")]).await;
    let client = client();
    let request = get(&server).json(serde_json::json!({"secret": "hunter2"}));
    let answer = client.send(&request).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (200, &b"{\"a\":1}"[..]));
    assert_eq!(answer.request_id(), Some("req-server"));
    assert!(answer.is_success());
    let calls = client.trace().since(0);
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!((call.status, call.bytes, call.attempt), (Some(200), 7, 1));
    assert_eq!(call.path(), "/v3/things");
    assert_eq!(call.request_id.as_deref(), Some("req-server"));
    let told = format!(
        "{call:?} {} {} {request:?} {answer:?}",
        har(&calls),
        request.curl()
    );
    for secret in ["t0psecret", "hunter2", "s3t"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
    // The server did get them.
    let heard = server.heard();
    assert!(heard[0].contains("t0psecret") && heard[0].contains("hunter2"));
}

#[tokio::test]
async fn one_that_hangs_is_asked_again_and_then_given_up() {
    let server = Faulty::start(vec![Script::Hang]).await;
    let client = client();
    let error = client.send(&get(&server)).await.unwrap_err();
    assert!(
        matches!(
            error,
            HttpError::Timeout {
                phase: Phase::FirstByte,
                ..
            } | HttpError::Timeout {
                phase: Phase::Whole,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.may_have_been_heard());
    assert_eq!(server.heard().len(), 3);
    let attempts: Vec<_> = client.trace().since(0).iter().map(|c| c.attempt).collect();
    assert_eq!(attempts, [1, 2, 3]);
}

#[tokio::test]
async fn what_changes_something_is_sent_once_when_no_answer_came() {
    for script in [
        Script::Hang,
        Script::Close,
        Script::Truncate,
        Script::status(500),
    ] {
        let server = Faulty::start(vec![script]).await;
        let client = client();
        match client.send(&post(&server)).await {
            Ok(answer) => assert_eq!(answer.status, 500),
            Err(error) => assert!(error.may_have_been_heard(), "{error:?}"),
        }
        assert_eq!(server.heard().len(), 1, "{script:?}");
    }
}

/// Whether an error is the one that was expected.
type Expected = fn(&HttpError) -> bool;

#[tokio::test]
async fn bodies_that_drip_break_off_flood_or_lie_end_clearly() {
    let cases: [(Script, Expected); 5] = [
        (Script::Drip, |e| {
            matches!(
                e,
                HttpError::Timeout {
                    phase: Phase::Whole,
                    ..
                }
            )
        }),
        (Script::Stall, |e| {
            matches!(
                e,
                HttpError::Timeout {
                    phase: Phase::Between,
                    ..
                }
            )
        }),
        (Script::Truncate, |e| matches!(e, HttpError::Broken { .. })),
        (Script::Flood, |e| matches!(e, HttpError::TooLarge { .. })),
        (Script::LongLie, |e| matches!(e, HttpError::TooLarge { .. })),
    ];
    for (script, expected) in cases {
        let server = Faulty::start(vec![script]).await;
        let request = Request {
            repeatable: false,
            ..get(&server)
        };
        let error = client().send(&request).await.unwrap_err();
        assert!(expected(&error), "{script:?}: {error:?}");
        let problem = error.problem("volumes cannot be listed");
        assert!(!problem.hints.is_empty() && !problem.causes.is_empty());
    }
}

#[tokio::test]
async fn a_storm_passes_and_a_wait_that_was_asked_for_is_kept() {
    let server = Faulty::start(vec![
        Script::status(500),
        Script::status(502),
        Script::ok("{}"),
    ])
    .await;
    let answer = client().send(&get(&server)).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(server.heard().len(), 3);

    // Also for what changes something: it was not done.
    let server = Faulty::start(vec![Script::later(429), Script::ok("{}")]).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(client().send(&post(&server)).await.unwrap().status, 200);
    assert!(begun.elapsed() >= Duration::from_secs(1));

    let server = Faulty::start(vec![Script::status(500)]).await;
    assert_eq!(client().send(&get(&server)).await.unwrap().status, 500);
    assert_eq!(server.heard().len(), 3, "it stops");
}

#[tokio::test]
async fn no_credential_goes_to_another_host() {
    let other = Faulty::start(vec![Script::ok("{}")]).await;
    let server = Faulty::start(vec![Script::Redirect(
        format!("{}/steal", other.url()).leak(),
    )])
    .await;
    let error = client().send(&get(&server)).await.unwrap_err();
    assert!(matches!(error, HttpError::Redirect { .. }), "{error:?}");
    assert!(!error.may_have_been_heard());
    assert!(other.heard().is_empty(), "{:?}", other.heard());

    let server = Faulty::start(vec![Script::Redirect("/v3/there"), Script::ok("{}")]).await;
    assert_eq!(client().send(&get(&server)).await.unwrap().status, 200);
    assert!(server.heard()[1].starts_with("GET /v3/there "));

    let server = Faulty::start(vec![Script::Redirect("/round")]).await;
    let error = client().send(&get(&server)).await.unwrap_err();
    assert!(error.to_string().contains("again and again"), "{error}");
}

#[tokio::test]
async fn only_so_many_calls_are_under_way_at_once() {
    let server = Faulty::start(vec![Script::Slow]).await;
    let client = client();
    let calls = (0..6).map(|_| {
        let (client, request) = (client.clone(), get(&server));
        tokio::spawn(async move { client.send(&request).await.map(|a| a.status) })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap(), 200);
    }
    assert_eq!(server.most_at_once(), 2);
}

#[tokio::test]
async fn nobody_there_and_no_address_say_so() {
    let server = Faulty::start(vec![Script::Hang]).await;
    let url = server.url();
    drop(server);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = client()
        .send(&Request::new(Method::Post, url))
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::Connect { .. }), "{error:?}");
    assert!(!error.may_have_been_heard());
    for url in ["", "ftp://x/", "x y", "http://"] {
        let error = client()
            .send(&Request::new(Method::Get, url))
            .await
            .unwrap_err();
        assert!(
            matches!(error, HttpError::Address { .. }),
            "{url}: {error:?}"
        );
    }
    let options = Options {
        ca_bundle: Some(
            b"-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n".to_vec(),
        ),
        ..Options::default()
    };
    assert!(Client::new(&options, Arc::new(Trace::default())).is_err());
}

#[test]
fn a_call_can_be_made_by_hand() {
    let request = Request::new(Method::Post, "https://h/v3/x?a=b&c")
        .header("X-Auth-Token", "t0p")
        .header("OpenStack-API-Version", "volume 3.40")
        .json(serde_json::json!({"revert": {"snapshot_id": "it's"}}));
    assert_eq!(
        request.curl(),
        "curl -sS -X POST -H \"X-Auth-Token: $TOKEN\" -H 'OpenStack-API-Version: volume 3.40' \
         -H 'Content-Type: application/json' -d '{\"revert\":{\"snapshot_id\":\"it'\\''s\"}}' \
         'https://h/v3/x?a=b&c'"
    );
}
