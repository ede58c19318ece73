//! The two dialects: which one is spoken, and bodies in either.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::xml;

/// A dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// XML, which the system speaks where nothing is said.
    #[default]
    Xml,
    /// JSON.
    Json,
}

impl Form {
    /// The media type.
    #[must_use]
    pub fn media(self) -> &'static str {
        match self {
            Self::Xml => "application/xml",
            Self::Json => "application/json",
        }
    }

    /// The dialect of an answer of this media type: what came, not what was asked for (section 3.1).
    #[must_use]
    pub fn of(media: &str) -> Option<Self> {
        let media = media.split(';').next().unwrap_or_default().trim();
        match media.to_ascii_lowercase().as_str() {
            "application/xml" | "text/xml" => Some(Self::Xml),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }

    /// The text of a body with this root.
    #[must_use]
    pub fn write(self, root: &str, body: &Value) -> String {
        match self {
            Self::Xml => xml::write(root, body),
            Self::Json => body.to_string(),
        }
    }

    /// What a body says whose root is to be one of these; JSON has no root.
    ///
    /// # Errors
    /// Why it says nothing, in a few words.
    pub fn read(self, roots: &[&str], bytes: &[u8]) -> Result<Value, String> {
        match self {
            Self::Xml => {
                let (root, value) = xml::read(bytes)?;
                match roots.contains(&root.as_str()) {
                    true => Ok(value),
                    false => Err(format!(
                        "its root is <{root}>, not <{}>",
                        roots.join("> or <")
                    )),
                }
            }
            Self::Json => {
                let value: Value = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
                match value.is_object() {
                    true => Ok(value),
                    false => Err("it is no object".to_owned()),
                }
            }
        }
    }
}

/// What a list holds under the name of its elements.
///
/// # Errors
/// Where one of them is not what it should be, or there is no list.
pub fn list<T: DeserializeOwned>(mut body: Value, name: &str) -> Result<Vec<T>, String> {
    match body.get_mut(name).map(Value::take) {
        Some(items @ Value::Array(_)) => serde_json::from_value(items).map_err(|e| e.to_string()),
        _ => Err(format!("it has no list \"{name}\"")),
    }
}
