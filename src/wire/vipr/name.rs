//! Names and sizes (sections 3.4 and 8.4).

use crate::model::Bytes;

/// The most characters of the name of a session, and of that of new targets.
pub const LONGEST_NAME: usize = 31;
/// The most characters of the name of a plain snapshot.
pub const LONGEST_SNAPSHOT: usize = 63;
/// The most characters of a label.
pub const LONGEST_LABEL: usize = 63;
/// What the system replaces by its local time in names.
pub const DATETIME: &str = "{datetime}";
/// How that looks: `yyyyMMdd_HHmmss`.
const STAMP: usize = 15;

/// A name as the array gets it and as duplicates are told by: without white space and all but a few characters.
#[must_use]
pub fn label(name: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || "_#@+-".contains(*c);
    name.chars().filter(fits).take(LONGEST_LABEL).collect()
}

/// How many characters a name has once the time is in it.
#[must_use]
pub fn expanded_length(name: &str) -> usize {
    let times = name.matches(DATETIME).count();
    name.chars().count() + times * (STAMP - DATETIME.len())
}

/// Whether a name is what came of one that was asked for.
#[must_use]
pub fn fits(asked: &str, name: &str) -> bool {
    let Some((before, after)) = asked.trim().split_once(DATETIME) else {
        return asked.trim() == name;
    };
    let Some(rest) = name.strip_prefix(before) else {
        return false;
    };
    let is_stamp = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '_');
    match (rest.get(..STAMP), rest.get(STAMP..)) {
        (Some(stamp), Some(rest)) if is_stamp(stamp) => fits(after, rest),
        _ => false,
    }
}

/// A capacity, which is a decimal number of GiB as text.
#[must_use]
pub fn gib(text: &str) -> Option<Bytes> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_digit() || c == '.';
    match !text.is_empty() && text.chars().all(plain) {
        true => format!("{text}GiB").parse().ok(),
        false => None,
    }
}

/// A size as a request says it: powers of 1,024 with the names of powers of 1,000.
#[must_use]
pub fn gigabytes(size: Bytes) -> String {
    match size.0.is_multiple_of(Bytes::GIB) {
        true => format!("{}GB", size.0 / Bytes::GIB),
        false => size.0.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_what_is_left_of_names() {
        for (name, is) in [
            ("nightly-0412", "nightly-0412"),
            ("db 1", "db1"),
            ("a.b:c/d", "abcd"),
            ("x_#@+-y", "x_#@+-y"),
            ("größe", "gre"),
        ] {
            assert_eq!(label(name), is);
        }
        assert_eq!(label(&"x".repeat(90)).len(), 63);
    }

    #[test]
    fn the_time_in_a_name_is_the_systems() {
        assert_eq!(expanded_length("s-{datetime}"), 17);
        assert!(fits("s-{datetime}-x", "s-20260412_103000-x"));
        assert!(fits(" s ", "s"));
        for wrong in [
            "s-{datetime}-x",
            "s-2026-x",
            "s-20260412_103000-y",
            "s-abcdefgh_103000-x",
        ] {
            assert!(!fits("s-{datetime}-x", wrong), "{wrong}");
        }
    }

    #[test]
    fn sizes_are_texts() {
        assert_eq!(gib("50.00"), Some(Bytes::gib(50)));
        assert_eq!(gib("0"), Some(Bytes(0)));
        assert_eq!(gib("12.50"), Some(Bytes(25 << 29)));
        for wrong in ["", "-1", "1e3", "many", "5GiB"] {
            assert_eq!(gib(wrong), None, "{wrong}");
        }
        assert_eq!(gigabytes(Bytes::gib(50)), "50GB");
        assert_eq!(gigabytes(Bytes(513)), "513");
    }
}
