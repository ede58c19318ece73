//! Microversions.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A microversion (`3.40`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Microversion(pub u32, pub u32);

impl Microversion {
    /// What every server of this version has.
    pub const FIRST: Self = Self(3, 0);
    /// The last one that this program was made for.
    pub const OURS: Self = Self(3, 70);
    /// Groups.
    pub const GROUPS: Self = Self(3, 13);
    /// Group snapshots.
    pub const GROUP_SNAPSHOTS: Self = Self(3, 14);
    /// Members in the view of a group.
    pub const LIST_VOLUME: Self = Self(3, 25);
    /// Paging of groups and group snapshots.
    pub const GROUP_PAGES: Self = Self(3, 29);
    /// Taking a volume back to its latest snapshot.
    pub const REVERT: Self = Self(3, 40);
    /// Making a volume larger that is in use.
    pub const EXTEND_IN_USE: Self = Self(3, 42);
    /// How many there are in all.
    pub const COUNT: Self = Self(3, 45);
    /// A snapshot of a volume in use, without force.
    pub const WITHOUT_FORCE: Self = Self(3, 66);

    /// The value of the header that asks for it.
    #[must_use]
    pub fn header(self) -> String {
        format!("volume {self}")
    }
}

impl fmt::Display for Microversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl FromStr for Microversion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('.');
        parts
            .and_then(|(major, minor)| Some(Self(major.parse().ok()?, minor.parse().ok()?)))
            .ok_or_else(|| format!("\"{text}\" is no microversion"))
    }
}

/// What a server says of its versions.
#[derive(Clone, Debug, Deserialize)]
pub struct Versions {
    versions: Vec<Version>,
}

#[derive(Clone, Debug, Deserialize)]
struct Version {
    id: String,
    #[serde(default)]
    version: String,
}

impl Versions {
    /// The highest microversion of version 3 that it has; `None` where it has no version 3.
    #[must_use]
    pub fn highest(&self) -> Option<Microversion> {
        let three = self.versions.iter().find(|v| v.id.starts_with("v3"))?;
        Some(three.version.parse().unwrap_or(Microversion::FIRST))
    }
}
