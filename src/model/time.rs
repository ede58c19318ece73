//! Times are UTC instants; ages are told in one unit, as an administrator
//! says them.

use std::fmt;

/// An instant in UTC; serialized as RFC 3339.
pub type Time = jiff::Timestamp;

/// How long ago something was, in whole seconds. Displayed in its largest
/// unit: `3m`, `2d`, `5w`, `1y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(pub i64);

impl Age {
    /// The age of `then` as seen at `now`. A time in the future has age zero:
    /// the clocks of two systems are never quite the same.
    #[must_use]
    pub fn between(then: Time, now: Time) -> Self {
        Self((now.as_second() - then.as_second()).max(0))
    }

    /// In words: `3 min ago`, `just now`.
    #[must_use]
    pub fn ago(self) -> String {
        let s = self.0;
        let (n, unit) = match s {
            ..5 => return "just now".to_owned(),
            5..60 => (s, "s"),
            60..3_600 => (s / 60, "min"),
            3_600..86_400 => (s / 3_600, "h"),
            86_400..172_800 => return "1 day ago".to_owned(),
            172_800..31_536_000 => (s / 86_400, "days"),
            _ => (s / 31_536_000, "y"),
        };
        format!("{n} {unit} ago")
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0;
        let text = match s {
            ..60 => format!("{s}s"),
            60..3_600 => format!("{}m", s / 60),
            3_600..86_400 => format!("{}h", s / 3_600),
            86_400..1_209_600 => format!("{}d", s / 86_400),
            1_209_600..31_536_000 => format!("{}w", s / 604_800),
            _ => format!("{}y", s / 31_536_000),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_use_one_unit() {
        for (seconds, short, long) in [
            (0, "0s", "just now"),
            (59, "59s", "59 s ago"),
            (61, "1m", "1 min ago"),
            (7_200, "2h", "2 h ago"),
            (86_400, "1d", "1 day ago"),
            (10 * 86_400, "10d", "10 days ago"),
            (30 * 86_400, "4w", "30 days ago"),
            (800 * 86_400, "2y", "2 y ago"),
        ] {
            assert_eq!(Age(seconds).to_string(), short);
            assert_eq!(Age(seconds).ago(), long);
        }
    }

    #[test]
    fn a_clock_ahead_is_no_negative_age() {
        let now = Time::from_second(1_000).unwrap();
        let ahead = Time::from_second(1_090).unwrap();
        assert_eq!(Age::between(ahead, now), Age(0));
    }
}
