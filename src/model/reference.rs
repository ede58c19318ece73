//! How people name things on a command line and in a palette.

use std::fmt;

/// A name as it was typed: `db01-data`, `db01-data@nightly-03`, or an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// A volume's name or id; or, with no snapshot part, a snapshot's id.
    pub name: String,
    /// A snapshot's name or id, after the last `@`.
    pub snapshot: Option<String>,
}

impl Reference {
    /// Splits at the last `@`, so that volume names may hold one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.rsplit_once('@') {
            Some((name, snapshot)) if !name.is_empty() && !snapshot.is_empty() => Self {
                name: name.to_owned(),
                snapshot: Some(snapshot.to_owned()),
            },
            _ => Self {
                name: text.to_owned(),
                snapshot: None,
            },
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(snapshot) = &self.snapshot {
            write!(f, "@{snapshot}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_last_at() {
        for (text, name, snapshot) in [
            ("db", "db", None),
            ("db@one", "db", Some("one")),
            ("a@b@c", "a@b", Some("c")),
            ("@x", "@x", None),
            ("x@", "x@", None),
        ] {
            let parsed = Reference::parse(text);
            assert_eq!(parsed.name, name);
            assert_eq!(parsed.snapshot.as_deref(), snapshot);
            assert_eq!(parsed.to_string(), text);
        }
    }
}
