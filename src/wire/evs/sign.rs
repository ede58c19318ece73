//! Signing calls with an access key: SDK-HMAC-SHA256 (section 8). "No session, no key derivation: one HMAC with the
//! secret key."

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::model::Time;

const ALGORITHM: &str = "SDK-HMAC-SHA256";
/// The header that has the time.
const DATE: &str = "x-sdk-date";
/// The header whose value stands for the hash of the body: "if a header `X-Sdk-Content-Sha256` is present and the body
/// is not empty, *its value* replaces the hash".
const CONTENT: &str = "x-sdk-content-sha256";

/// A time as it is signed: "`YYYYMMDDTHHMMSSZ` (UTC)".
#[must_use]
pub fn date(at: Time) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A call that is to be signed, as it goes over the wire.
#[derive(Clone, Debug)]
pub struct Signing<'a> {
    /// What is done, in upper case.
    pub method: &'a str,
    /// The path, as it is written in the address.
    pub path: &'a str,
    /// The query, as it is written in the address, without the `?`.
    pub query: &'a str,
    /// The headers that are signed, by any case of their names.
    pub headers: Vec<(String, String)>,
    /// "Of the exact bytes sent."
    pub body: &'a [u8],
}

impl Signing<'_> {
    /// The headers by their names in lower case, in order.
    fn signed(&self) -> Vec<(String, &str)> {
        let mut all: Vec<(String, &str)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
            .collect();
        all.sort();
        all
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.signed().into_iter().map(|(name, _)| name).collect();
        names.join(";")
    }

    /// "Six parts joined by `\n`" (8.2).
    #[must_use]
    pub fn canonical(&self) -> String {
        let lines: String = self
            .signed()
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"))
            .collect();
        let hash = match self.header(CONTENT) {
            Some(said) if !self.body.is_empty() => said.to_owned(),
            _ => hex(&Sha256::digest(self.body)),
        };
        [
            self.method,
            &canonical_path(self.path),
            &canonical_query(self.query),
            &lines,
            &self.names(),
            &hash,
        ]
        .join("\n")
    }

    /// "`"SDK-HMAC-SHA256" \n X-Sdk-Date \n HexLower(SHA256(CanonicalRequest))`" (8.3).
    #[must_use]
    pub fn string_to_sign(&self) -> String {
        let hash = hex(&Sha256::digest(self.canonical()));
        format!(
            "{ALGORITHM}\n{}\n{hash}",
            self.header(DATE).unwrap_or_default()
        )
    }

    /// "`HexLower( HMAC-SHA256( key = SK (UTF-8), msg = StringToSign ) )`" (8.3).
    #[must_use]
    pub fn signature(&self, secret: &str) -> String {
        // A key of any length is taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
            return String::new();
        };
        mac.update(self.string_to_sign().as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// The value of the header: "one blank after the algorithm (no comma), then `, ` between the three parts" (8.1).
    #[must_use]
    pub fn authorization(&self, access: &str, secret: &str) -> String {
        format!(
            "{ALGORITHM} Access={access}, SignedHeaders={}, Signature={}",
            self.names(),
            self.signature(secret)
        )
    }
}

/// "Take the path (percent-decoded once), split at `/`, percent-encode each segment, rejoin, and **append `/` if it does
/// not end in one**. The trailing slash is only for the calculation."
fn canonical_path(path: &str) -> String {
    let parts: Vec<String> = path.split('/').map(|part| encode(&decode(part))).collect();
    let mut path = parts.join("/");
    if !path.ends_with('/') {
        path.push('/');
    }
    path
}

/// "Decode every `key=value`, sort by key then by value, encode key and value (blank → `%20`, not `+`), write `key=value`
/// always with `=`, join with `&`." "Treat a literal `+` as `+`."
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    pairs.join("&")
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = (*byte == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(hex.unwrap_or(*byte));
        at += if hex.is_some() { 3 } else { 1 };
    }
    out
}

/// "With only `A–Z a–z 0–9 - _ . ~` left bare (upper-case hex)."
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(*byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
