//! Takes secrets out of what is shown and kept: by the names of headers and of members.

use quick_xml::events::{BytesText, Event};
use quick_xml::{Reader, Writer};
use serde_json::Value;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// What is kept of a body at most, in bytes.
const KEPT: usize = 16 * 1024;

/// Words in the names of members that hold secrets.
const WORDS: [&str; 6] = [
    "password",
    "secret",
    "token",
    "passphrase",
    "private_key",
    "adminpass",
];

/// Whether a header holds a secret.
pub(super) fn is_secret_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "token",
        "authorization",
        "cookie",
        "secret",
        "password",
        "api-key",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// Headers without their secrets.
pub(super) fn headers<'a>(
    headers: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<(String, String)> {
    headers
        .map(|(name, value)| {
            let value = match is_secret_header(name) {
                true => REDACTED,
                false => value,
            };
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

/// A JSON value without its secrets.
pub(super) fn json(value: &Value) -> Value {
    walk(value, "")
}

fn walk(value: &Value, name: &str) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| {
                    let secret = match value {
                        // A token is told by its id.
                        Value::String(_) => {
                            is_secret(key) || (key == "id" && name.eq_ignore_ascii_case("token"))
                        }
                        Value::Number(_) => is_secret(key),
                        _ => false,
                    };
                    let value = match secret {
                        true => REDACTED.into(),
                        false => walk(value, key),
                    };
                    (key.clone(), value)
                })
                .collect(),
        ),
        Value::Array(items) => items.iter().map(|item| walk(item, name)).collect(),
        other => other.clone(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // When a password ends is no secret.
    !name.ends_with("expires_at") && WORDS.iter().any(|word| name.contains(word))
}

/// A body as it is kept: without secrets, and cut where it is long.
pub(super) fn body(bytes: &[u8]) -> String {
    if !holds_a_word(bytes) {
        return shortened(bytes, bytes.len());
    }
    if let Some(text) = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.trim_start().starts_with('<'))
    {
        return shortened(xml(text).as_bytes(), bytes.len());
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => shortened(json(&value).to_string().as_bytes(), bytes.len()),
        // What cannot be understood cannot be redacted either.
        Err(_) => format!("{REDACTED} {} bytes", bytes.len()),
    }
}

/// XML without what its secret elements hold; what cannot be understood is left out whole.
pub(super) fn xml(text: &str) -> String {
    without_secrets(text).unwrap_or_else(|| format!("{REDACTED} {} bytes", text.len()))
}

fn without_secrets(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    let mut out = Writer::new(Vec::new());
    // How many elements are open that hold secrets, and everything within them.
    let mut hidden = 0usize;
    loop {
        let event = reader.read_event().ok()?;
        match &event {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                for attribute in tag.attributes() {
                    let attribute = attribute.ok()?;
                    if is_secret(std::str::from_utf8(attribute.key.as_ref()).ok()?) {
                        return None;
                    }
                }
                let secret = is_secret(std::str::from_utf8(tag.name().as_ref()).ok()?);
                if matches!(event, Event::Start(_)) && (secret || hidden > 0) {
                    hidden += 1;
                    if hidden == 1 {
                        out.write_event(event.borrow()).ok()?;
                        out.write_event(Event::Text(BytesText::new(REDACTED)))
                            .ok()?;
                    }
                    continue;
                }
            }
            Event::End(_) if hidden > 0 => {
                hidden -= 1;
                if hidden > 0 {
                    continue;
                }
            }
            Event::DocType(_) => return None,
            _ => {}
        }
        if hidden == 0 {
            out.write_event(event).ok()?;
        }
    }
    String::from_utf8(out.into_inner()).ok()
}

/// The beginning of a text that is long.
fn shortened(text: &[u8], whole: usize) -> String {
    let kept = String::from_utf8_lossy(cut(text)).into_owned();
    match text.len() > KEPT {
        true => format!("{kept}… ({whole} bytes in all)"),
        false => kept,
    }
}

fn cut(bytes: &[u8]) -> &[u8] {
    bytes.get(..KEPT).unwrap_or(bytes)
}

/// Whether one of the words is anywhere in it, whatever the case. Looked at once, since lists are long.
fn holds_a_word(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().any(|(at, byte)| {
        let first = byte.to_ascii_lowercase();
        WORDS.iter().any(|word| {
            let word = word.as_bytes();
            word.first() == Some(&first)
                && bytes
                    .get(at..at + word.len())
                    .is_some_and(|here| here.eq_ignore_ascii_case(word))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_gone_wherever_it_stands() {
        let body = serde_json::json!({
            "auth": {"identity": {"methods": ["password", "token"], "token": {"id": "t0ps"},
                "password": {"user": {"name": "ana", "password": "hunter2"}},
                "application_credential": {"id": "ac", "secret": "s3cret"}}},
            "connection_info": {"data": {"auth_password": "chap", "target": "t"}},
            "list": [{"adminPass": "x1x"}], "password_expires_at": "2027",
        });
        let text = body_text(&body);
        for secret in ["t0ps", "hunter2", "s3cret", "chap", "x1x"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        for kept in ["ana", "\"ac\"", "2027", "methods"] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        let torn = super::body(b"{\"password\": \"hunter2");
        assert!(!torn.contains("hunter2"));
        let headers = headers([("X-Auth-Token", "abc"), ("Accept", "x")].into_iter());
        assert_eq!(headers[0].1, REDACTED);
        assert_eq!(headers[1].1, "x");
    }

    #[test]
    fn secrets_are_gone_from_xml_too() {
        let text = "<?xml version=\"1.0\"?><user><name>token-db</name><password>hun<b>ter</b>2</password><n>1</n></user>";
        let seen = super::body(text.as_bytes());
        assert!(!seen.contains("hun") && !seen.contains("ter</b>"), "{seen}");
        for kept in [
            "<name>token-db</name>",
            "<password>[redacted]</password>",
            "<n>1</n>",
        ] {
            assert!(seen.contains(kept), "{kept}: {seen}");
        }
        for torn in [
            "<user><password>hunter2",
            "<html><input name=password value=hunter2></html>",
            "<f><i token=\"hunter2\"/><password>x</password></f>",
            "<!DOCTYPE x [<!ENTITY token \"hunter2\">]><x>&token;</x>",
        ] {
            let seen = super::body(torn.as_bytes());
            assert!(!seen.contains("hunter2"), "{seen}");
        }
    }

    fn body_text(value: &Value) -> String {
        super::body(value.to_string().as_bytes())
    }

    #[test]
    fn a_long_body_is_cut_and_says_so() {
        let long = "x".repeat(KEPT * 2);
        let kept = super::body(long.as_bytes());
        assert!(kept.len() < KEPT + 100);
        assert!(kept.ends_with("(32768 bytes in all)"), "{}", &kept[KEPT..]);
    }
}
