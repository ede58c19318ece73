//! Numbers: integers of the server, doubles of those who have written them again.

use serde::{Deserialize, Serialize};

/// A whole number, which goes out again as it came in: "readers must accept `1`, `1.0`, `1.073741824E9`" (1.7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Number(serde_json::Number);

impl Number {
    /// It, where it is whole and not below nothing.
    #[must_use]
    pub fn get(&self) -> Option<u64> {
        self.0.as_u64().or_else(|| {
            let double = self.0.as_f64()?;
            // Beyond this a double does not tell one whole number from the next.
            let whole = double.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&double);
            whole.then_some(double as u64)
        })
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(number.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_are_whole_numbers_and_stay_what_they_were() {
        for (text, number) in [
            ("1", Some(1)),
            ("1.0", Some(1)),
            ("1.073741824E9", Some(1 << 30)),
            ("18446744073709551615", Some(u64::MAX)),
            ("3.5", None),
            ("-1", None),
            ("-1.0", None),
            ("1e300", None),
        ] {
            let read: Number = serde_json::from_str(text).unwrap();
            assert_eq!(read.get(), number, "{text}");
            let before: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), before);
        }
        assert!(serde_json::from_str::<Number>("\"1\"").is_err());
    }
}
