//! Calls as a HAR file, which browsers and other tools read.

use std::sync::Arc;

use serde_json::{Value, json};

use super::trace::Call;

/// The calls as HTTP Archive 1.2, without their secrets.
#[must_use]
pub fn har(calls: &[Arc<Call>]) -> Value {
    let entries: Vec<Value> = calls.iter().map(|call| entry(call)).collect();
    json!({"log": {
        "version": "1.2",
        "creator": {"name": "snapdeck", "version": env!("CARGO_PKG_VERSION")},
        "entries": entries,
    }})
}

fn entry(call: &Call) -> Value {
    let headers = |headers: &[(String, String)]| -> Vec<Value> {
        headers
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect()
    };
    let query: Vec<Value> = call
        .url
        .split_once('?')
        .into_iter()
        .flat_map(|(_, query)| query.split('&'))
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            json!({"name": name, "value": value})
        })
        .collect();
    let media = call
        .response_headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map_or("", |(_, value)| value);
    let mut request = json!({
        "method": call.method, "url": call.url, "httpVersion": "HTTP/1.1",
        "cookies": [], "headers": headers(&call.request_headers), "queryString": query,
        "headersSize": -1,
        "bodySize": call.request_body.as_ref().map_or(0, String::len),
    });
    if let Some(body) = &call.request_body {
        let media = match body.starts_with('<') {
            true => "application/xml",
            false => "application/json",
        };
        request["postData"] = json!({"mimeType": media, "text": body});
    }
    json!({
        "startedDateTime": call.at.to_string(),
        "time": call.millis,
        "request": request,
        "response": {
            "status": call.status.unwrap_or(0), "statusText": call.error.as_deref().unwrap_or(""),
            "httpVersion": "HTTP/1.1", "cookies": [], "headers": headers(&call.response_headers),
            "content": {"size": call.bytes, "mimeType": media, "text": call.response_body},
            "redirectURL": "", "headersSize": -1, "bodySize": call.bytes,
        },
        "cache": {},
        "timings": {"send": 0, "wait": call.millis, "receive": 0},
        "comment": format!("attempt {}", call.attempt),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_becomes_an_entry() {
        let call = Call {
            number: 0,
            at: "2026-11-21T12:00:00Z".parse().unwrap(),
            method: "POST".into(),
            url: "https://h/v3/x?limit=2&marker=m".into(),
            status: Some(202),
            error: None,
            bytes: 2,
            millis: 7,
            attempt: 1,
            request_id: None,
            request_headers: vec![("X-Auth-Token".into(), "[redacted]".into())],
            request_body: Some("{}".into()),
            response_headers: vec![("content-type".into(), "application/json".into())],
            response_body: "{}".into(),
        };
        assert_eq!(call.path(), "/v3/x?limit=2&marker=m");
        let har = har(&[Arc::new(call)]);
        let entry = &har["log"]["entries"][0];
        assert_eq!(entry["request"]["queryString"][1]["value"], "m");
        assert_eq!(entry["response"]["status"], 202);
        assert_eq!(entry["response"]["content"]["mimeType"], "application/json");
        assert_eq!(entry["startedDateTime"], "2026-11-21T12:00:00Z");
        assert_eq!(entry["request"]["postData"]["text"], "{}");
    }
}
