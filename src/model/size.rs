//! Sizes in bytes, read and written as storage people do: powers of 1,024
//! with IEC names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number of bytes. Serialized as the plain number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

impl Bytes {
    /// One kibibyte.
    pub const KIB: u64 = 1 << 10;
    /// One mebibyte.
    pub const MIB: u64 = 1 << 20;
    /// One gibibyte.
    pub const GIB: u64 = 1 << 30;
    /// One tebibyte.
    pub const TIB: u64 = 1 << 40;

    /// `n` mebibytes.
    #[must_use]
    pub const fn mib(n: u64) -> Self {
        Self(n * Self::MIB)
    }

    /// `n` gibibytes.
    #[must_use]
    pub const fn gib(n: u64) -> Self {
        Self(n * Self::GIB)
    }

    /// `n` tebibytes.
    #[must_use]
    pub const fn tib(n: u64) -> Self {
        Self(n * Self::TIB)
    }

    /// The text that reads back as exactly this size: `64MiB`, `4097B`.
    #[must_use]
    pub fn exact(self) -> String {
        let mut n = self.0;
        let mut unit = 0;
        while n != 0 && n.is_multiple_of(1024) && unit + 1 < UNITS.len() {
            n /= 1024;
            unit += 1;
        }
        format!("{n}{}", UNITS[unit])
    }
}

impl fmt::Display for Bytes {
    /// At most three significant figures and a unit: `64 GiB`, `1.21 TiB`, `412 MiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut unit = 0;
        let mut whole = self.0;
        while whole >= 1024 && unit + 1 < UNITS.len() {
            whole >>= 10;
            unit += 1;
        }
        if unit == 0 {
            return f.pad(&format!("{} B", self.0));
        }
        let scale = 1u64 << (10 * unit);
        // Rounded up to the next unit where three figures would say 1,000.
        let value = self.0 as f64 / scale as f64;
        let text = if self.0.is_multiple_of(scale) {
            format!("{whole} {}", UNITS[unit])
        } else if value >= 99.95 {
            format!("{value:.0} {}", UNITS[unit])
        } else {
            format!("{value:.1} {}", UNITS[unit])
        };
        f.pad(&text)
    }
}

/// Why a text is not a size. A sentence for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseSizeError {
    /// No digits at the front.
    #[error("a size is a number with a unit, such as 64GiB or 512M; this has no number")]
    NoNumber,
    /// A unit that is none.
    #[error("\"{0}\" is not a unit of size; use B, KiB, MiB, GiB, TiB or PiB")]
    Unit(String),
    /// More than 16 EiB.
    #[error("the size is too large to be held")]
    TooLarge,
    /// Less than a byte in the end.
    #[error("the size is not a whole number of bytes")]
    Fraction,
}

impl FromStr for Bytes {
    type Err = ParseSizeError;

    /// Reads `64MiB`, `64 M`, `1.5T`, `4096`. Units are powers of 1,024
    /// whatever their spelling, as `lvcreate`, `qemu-img` and `zfs` take them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
            .unwrap_or(text.len());
        let number = text[..end].replace('_', "");
        let unit = text[end..].trim();
        let shift = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            "t" | "tb" | "tib" => 40,
            "p" | "pb" | "pib" => 50,
            _ => return Err(ParseSizeError::Unit(unit.to_owned())),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(ParseSizeError::NoNumber);
        }
        if fraction.contains('.') || fraction.len() > 18 {
            return Err(ParseSizeError::NoNumber);
        }
        let whole: u128 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| ParseSizeError::TooLarge)?
        };
        let mut bytes = whole
            .checked_mul(1 << shift)
            .ok_or(ParseSizeError::TooLarge)?;
        if !fraction.is_empty() {
            let parts: u128 = fraction.parse().map_err(|_| ParseSizeError::NoNumber)?;
            let scaled = parts << shift;
            let power = 10u128.pow(fraction.len() as u32);
            if shift == 0 && !scaled.is_multiple_of(power) {
                return Err(ParseSizeError::Fraction);
            }
            bytes += scaled / power;
        }
        u64::try_from(bytes)
            .map(Self)
            .map_err(|_| ParseSizeError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        for (text, bytes) in [
            ("64MiB", 64 << 20),
            ("64 mib", 64 << 20),
            ("1.5T", 3 << 39),
            ("4096", 4096),
            ("0.5k", 512),
            (".5G", 1 << 29),
            ("1_024b", 1024),
        ] {
            assert_eq!(text.parse::<Bytes>(), Ok(Bytes(bytes)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_size() {
        assert_eq!("".parse::<Bytes>(), Err(ParseSizeError::NoNumber));
        assert_eq!("GiB".parse::<Bytes>(), Err(ParseSizeError::NoNumber));
        assert_eq!("1.2.3G".parse::<Bytes>(), Err(ParseSizeError::NoNumber));
        assert_eq!("0.5".parse::<Bytes>(), Err(ParseSizeError::Fraction));
        assert_eq!("16384PiB".parse::<Bytes>(), Err(ParseSizeError::TooLarge));
        assert_eq!(
            "99999999999999999999999999999999999999999P".parse::<Bytes>(),
            Err(ParseSizeError::TooLarge)
        );
        assert!(
            matches!("12 parsecs".parse::<Bytes>(), Err(ParseSizeError::Unit(u)) if u == "parsecs")
        );
    }

    #[test]
    fn writes_three_figures() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (64 << 30, "64 GiB"),
            ((64 << 30) + 1, "64.0 GiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn exact_reads_back(n in 0u64..1 << 60) {
            proptest::prop_assert_eq!(Bytes(n).exact().parse::<Bytes>(), Ok(Bytes(n)));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Bytes>();
        }
    }
}
