//! Reading what is not written as it is documented.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// A figure that may come as a number, as a text, or not at all; kept as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Figure(pub Value);

impl Figure {
    /// Percent, 0 to 100; `None` where it is no number.
    #[must_use]
    pub fn percent(&self) -> Option<u8> {
        let number = match &self.0 {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().trim_end_matches('%').trim().parse().ok()?,
            _ => return None,
        };
        number
            .is_finite()
            .then(|| number.clamp(0.0, 100.0).floor() as u8)
    }
}

/// A word that may come as a text or as a flag; kept as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Word(pub Value);

impl Word {
    /// Whether it says yes.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        matches!(truth(&self.0), Some(true))
    }

    /// As it is shown; empty where nothing is said.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.0 {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// What a flag says: a JSON boolean, or one of the words that the service takes for one. The string `"False"` is
/// never true.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A flag in any of its spellings; one that is none is an error.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(from)?;
    match (&value, truth(&value)) {
        (Value::Null, _) => Ok(None),
        (_, Some(flag)) => Ok(Some(flag)),
        _ => Err(serde::de::Error::custom(format!("{value} is no flag"))),
    }
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// An id: the tables call some of them integers, so that a number is taken too.
pub(super) fn id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(id) => Ok(id),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(serde::de::Error::custom(format!("{other} is no id"))),
    }
}

/// A text or nothing. Where a list comes, as a table says of `updated_at`, its last element.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Array(mut all) => all.pop().and_then(as_text),
        other => as_text(other),
    })
}

/// Ids by ids; `null` is kept apart from empty. Members that are no ids are passed over.
pub(super) fn ids<'de, D>(from: D) -> Result<Option<BTreeMap<String, String>>, D::Error>
where
    D: Deserializer<'de>,
{
    match Value::deserialize(from)? {
        Value::Null => Ok(None),
        Value::Object(map) => {
            let pair = |(key, value): (String, Value)| match value {
                Value::String(text) => Some((key, text)),
                Value::Number(number) => Some((key, number.to_string())),
                _ => None,
            };
            Ok(Some(map.into_iter().filter_map(pair).collect()))
        }
        // Python's falsehoods in the place of a map.
        Value::String(text) if text.is_empty() || text == "None" => Ok(None),
        Value::Array(all) if all.is_empty() => Ok(Some(BTreeMap::new())),
        other => Err(serde::de::Error::custom(format!("{other} is no map"))),
    }
}

/// Python's way to write what JSON writes otherwise: single quotes, `None`, `True`, `False`. The documentation shows one
/// answer so (*Update instance snapshot details*).
pub(super) fn python(text: &str) -> Option<Value> {
    let mut json = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut word = String::new();
    while let Some(c) = rest.next() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        json.push_str(plain(&word));
        word.clear();
        if c != '\'' && c != '"' {
            json.push(c);
            continue;
        }
        let mut inner = String::new();
        loop {
            match rest.next()? {
                end if end == c => break,
                '\\' => match rest.next()? {
                    'n' => inner.push('\n'),
                    't' => inner.push('\t'),
                    other => inner.push(other),
                },
                other => inner.push(other),
            }
        }
        json.push_str(&Value::String(inner).to_string());
    }
    json.push_str(plain(&word));
    serde_json::from_str(&json).ok()
}

fn plain(word: &str) -> &str {
    match word {
        "None" => "null",
        "True" => "true",
        "False" => "false",
        other => other,
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(text) => f.write_str(text),
            other => write!(f, "{other}"),
        }
    }
}
