//! Proofs: the hash of a password (2.1), the signature of an access key (2.6); and ids that are chosen here (1.5).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::tz::Offset;
use sha2::{Digest as _, Sha256, Sha512};

use crate::model::Time;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a password is sent as: "lower-case hex SHA-512 of the clear text".
#[must_use]
pub fn password(clear: &str) -> String {
    hex(&Sha512::digest(clear.as_bytes()))
}

/// "Base64(HMAC-SHA1(secret, text)), text = verb, newline, the exact Date header value, newline, path"; "the path is
/// **without the context path and without the query string**".
#[must_use]
pub fn signature(secret: &str, verb: &str, date: &str, path: &str) -> String {
    // A key may have any length.
    let Ok(mut mac) = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{verb}\n{date}\n{path}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A date as it is signed: `EEE, dd MMM yyyy HH:mm:ss z`, so many hours before UTC.
#[must_use]
pub fn http_date(at: Time, hours: i8) -> String {
    let offset = Offset::from_hours(hours).unwrap_or(Offset::UTC);
    let zone = match hours {
        0 => "UTC".to_owned(),
        hours => format!("GMT{hours:+03}:00"),
    };
    let local = offset.to_datetime(at);
    format!("{} {zone}", local.strftime("%a, %d %b %Y %H:%M:%S"))
}

/// An id that is always the same for this text: 32 digits in the "strict pattern" of 1.5.
#[must_use]
pub fn uuid(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut bytes: [u8; 16] = std::array::from_fn(|n| digest[n]);
    bytes[6] = (bytes[6] & 0x0f) | 0x50;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    hex(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_examples_of_the_reference_come_out() {
        let hash = password("Demo-pass1");
        assert_eq!(
            hash,
            "d07c3a28db9e4bcb4e39a821d9322c527aa9155c104ee3599a993736195f23b16013c6dbd3cd56c072269baeef5398f19985d3b53f2e489e74dcbf02e69b0bca"
        );
        let admin = password("password");
        assert!(admin.starts_with("b109f3bb") && admin.ends_with("cacbc86"));
        let date = "Thu, 14 Nov 2024 14:20:57 UTC";
        let at: Time = "2024-11-14T14:20:57Z".parse().unwrap();
        assert_eq!(http_date(at, 0), date);
        assert_eq!(http_date(at, 8), "Thu, 14 Nov 2024 22:20:57 GMT+08:00");
        let path = "/v1/volume-snapshots/trees";
        assert_eq!(
            signature("demoSecret0123456789", "GET", date, path),
            "vfK6P8lYf0jIUGbrhfO5lX1a+Hg="
        );
    }

    #[test]
    fn an_id_is_of_the_strict_pattern_and_always_the_same() {
        for n in 0..200 {
            let id = uuid(&format!("task/{n}"));
            let bytes = id.as_bytes();
            assert_eq!(bytes.len(), 32);
            assert!(id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
            assert!((b'1'..=b'5').contains(&bytes[12]));
            assert!(matches!(bytes[16], b'8' | b'9' | b'a' | b'b'));
            assert_eq!(id, uuid(&format!("task/{n}")));
        }
        assert_ne!(uuid("a"), uuid("b"));
    }
}
