//! Dates: texts in the server's local time (section 1.6).

use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::model::Time;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// A date as it is written: `Nov 14, 2024 10:20:57 PM`. It goes out again as it came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(pub String);

impl Date {
    /// When that was, by the server's clock. "Resolution is one second."
    #[must_use]
    pub fn at(&self, zone: &Zone) -> Option<Time> {
        if let Ok(instant) = self.0.parse::<Time>() {
            // Some write it with a zone (`2024-11-14T22:20:57Z`).
            return Some(instant);
        }
        zone.offset.to_timestamp(self.civil()?).ok()
    }

    /// "Parse both; also tolerate U+202F before AM/PM."
    fn civil(&self) -> Option<DateTime> {
        let plain = self.0.replace(['\u{202f}', '\u{a0}', ','], " ");
        let words: Vec<&str> = plain.split_whitespace().collect();
        let [month, day, year, time, half] = words.as_slice() else {
            return self.0.trim().parse().ok();
        };
        let month = month.get(..3)?.to_ascii_lowercase();
        let month = MONTHS.iter().position(|name| *name == month)? + 1;
        let mut parts = time.split(':').map(|part| part.parse::<i8>().ok());
        let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
        // "12 AM is midnight, 12 PM is noon."
        let hour = match (half.to_ascii_uppercase().as_str(), hour) {
            ("AM", 12) => 0,
            ("AM", 1..=11) | ("PM", 12) => hour,
            ("PM", 1..=11) => hour + 12,
            _ => return None,
        };
        let (month, day) = (i8::try_from(month).ok()?, day.parse().ok()?);
        DateTime::new(year.parse().ok()?, month, day, hour, minute, second, 0).ok()
    }
}

/// The management server's time zone: `{"timezone":"Asia/Shanghai","offset":"+08:00","success":true}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name, where it is told.
    pub name: String,
    offset: Offset,
}

impl Default for Zone {
    fn default() -> Self {
        Self {
            name: "UTC".to_owned(),
            offset: Offset::UTC,
        }
    }
}

impl Zone {
    /// What the server says of it; `None` where it says nothing of use.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Said {
            #[serde(default)]
            timezone: String,
            offset: String,
        }
        let said: Said = serde_json::from_slice(body).ok()?;
        Some(Self {
            name: said.timezone,
            offset: offset(&said.offset)?,
        })
    }

    /// How far it is before UTC (`+08:00`).
    #[must_use]
    pub fn ahead(&self) -> String {
        self.offset.to_string()
    }
}

fn offset(text: &str) -> Option<Offset> {
    let text = text.trim();
    if matches!(text, "Z" | "UTC" | "GMT") {
        return Some(Offset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let fits = (0..=18).contains(&hours) && (0..60).contains(&minutes);
    fits.then(|| Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: &Zone) -> Option<String> {
        Some(Date(text.to_owned()).at(zone)?.to_string())
    }

    #[test]
    fn every_form_of_a_date_is_read_in_the_servers_zone() {
        let utc = Zone::default();
        for text in [
            "Nov 14, 2017 10:20:57 PM",
            "Nov 14, 2017, 10:20:57 PM",
            "Nov 14, 2017, 10:20:57\u{202f}PM",
            "2017-11-14T22:20:57Z",
            "2017-11-14 22:20:57",
        ] {
            assert_eq!(
                at(text, &utc).as_deref(),
                Some("2017-11-14T22:20:57Z"),
                "{text}"
            );
        }
        for (text, time) in [
            ("Jun 7, 2017 12:00:01 AM", "2017-06-07T00:00:01Z"),
            ("Jun 7, 2017 12:00:01 PM", "2017-06-07T12:00:01Z"),
            ("Jun 7, 2017 1:02:03 AM", "2017-06-07T01:02:03Z"),
        ] {
            assert_eq!(at(text, &utc).as_deref(), Some(time), "{text}");
        }
        for wrong in [
            "",
            "Nov",
            "Foo 1, 2017 1:00:00 AM",
            "Nov 31, 2017 1:00:00 AM",
            "Nov 1, 2017 0:00:00 AM",
            "Nov 1, 2017 13:00:00 PM",
            "é 1, 2017 1:00:00 AM",
        ] {
            assert_eq!(at(wrong, &utc), None, "{wrong}");
        }
        let said = br#"{"timezone":"Asia/Shanghai","offset":"+08:00","success":true}"#;
        let zone = Zone::read(said).unwrap();
        let seen = Date("Nov 14, 2024 10:20:57 PM".into()).at(&zone).unwrap();
        assert_eq!(seen.to_string(), "2024-11-14T14:20:57Z");
        for wrong in [
            r#"{"offset":"8"}"#,
            r#"{"offset":"+99:00"}"#,
            "{}",
            r#"{"offset":"é"}"#,
        ] {
            assert_eq!(Zone::read(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
