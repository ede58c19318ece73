//! The instance snapshot, one and many, and what comes when something was begun with one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient;
use super::status::Status;

/// An instance snapshot (*Get details of an instance snapshot*).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceSnapshot {
    /// Its id; a UUID, although a table says "integer".
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// What is said of it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub description: Option<String>,
    /// Its status.
    pub status: Status,
    /// The machine.
    #[serde(alias = "instance-id", deserialize_with = "lenient::id")]
    pub instance_id: String,
    /// The volume snapshots that it is made of, by volumes.
    #[serde(default, deserialize_with = "lenient::ids")]
    pub snapshots: Option<BTreeMap<String, String>>,
    /// The safety snapshots that were taken before a restore, by volumes: what a rollback goes back to.
    #[serde(default, alias = "temp-snapshots", deserialize_with = "lenient::ids")]
    pub temp_snapshots: Option<BTreeMap<String, String>>,
    /// The members to which their volumes could not be taken back: what a retry is about.
    #[serde(default, alias = "failed-snapshots", deserialize_with = "lenient::ids")]
    pub failed_snapshots: Option<BTreeMap<String, String>>,
    /// Where the progress of the latest long operation is.
    #[serde(default, alias = "task-uri", deserialize_with = "lenient::text")]
    pub task_uri: Option<String>,
    /// When it was taken; UTC, without `Z`.
    #[serde(default, alias = "created-at", deserialize_with = "lenient::text")]
    pub created_at: Option<String>,
    /// When it was last changed; a table calls it a list.
    #[serde(default, alias = "updated-at", deserialize_with = "lenient::text")]
    pub updated_at: Option<String>,
    /// What is not known here.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl InstanceSnapshot {
    /// The members by volumes; none where nothing is said.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.snapshots.as_ref())
    }

    /// The members whose restore failed, by volumes.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.failed_snapshots.as_ref())
    }

    /// The safety snapshots by volumes.
    pub fn safety(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(self.temp_snapshots.as_ref())
    }

    /// The id of the latest long operation: a new one for each.
    #[must_use]
    pub fn task(&self) -> Option<&str> {
        parameter(self.task_uri.as_deref()?, "task_id")
    }

    /// What the latest long operation was (`restore-rollback`).
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        parameter(self.task_uri.as_deref()?, "action")
    }

    /// Reads one. The key may be spelled with `_` or `-`.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let body: One = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        Ok(body.instance_snapshot)
    }
}

fn pairs(map: Option<&BTreeMap<String, String>>) -> impl Iterator<Item = (&str, &str)> {
    let all = map.into_iter().flatten();
    all.map(|(volume, snapshot)| (volume.as_str(), snapshot.as_str()))
}

/// A parameter of the query of a link, as it stands there.
fn parameter<'l>(link: &'l str, name: &str) -> Option<&'l str> {
    let (_, query) = link.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key == name && !value.is_empty()).then_some(value)
    })
}

#[derive(Deserialize)]
struct One {
    #[serde(alias = "instance-snapshot")]
    instance_snapshot: InstanceSnapshot,
}

/// All of them (*Get list of all instance snapshots*): full objects, without pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceSnapshots {
    /// The instance snapshots.
    #[serde(alias = "instance-snapshots", deserialize_with = "all")]
    pub instance_snapshots: Vec<InstanceSnapshot>,
}

fn all<'de, D>(from: D) -> Result<Vec<InstanceSnapshot>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl InstanceSnapshots {
    /// Reads them.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn read(body: &[u8]) -> Result<Vec<InstanceSnapshot>, String> {
        let body: Self = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        Ok(body.instance_snapshots)
    }
}

/// What comes when something was begun: the link to its progress, at the top or, where one is taken, inside
/// `instance_snapshot`; and the id of what is being made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// The id, where one is told.
    pub id: Option<String>,
    /// The link, where one is told.
    pub task_uri: Option<String>,
}

impl Begun {
    /// Reads it. What is not there or cannot be understood is left out: with a status of success something was begun
    /// whatever the body says.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Self::default();
        };
        let inner = body
            .get("instance_snapshot")
            .or_else(|| body.get("instance-snapshot"))
            .unwrap_or(&body);
        let text = |name: [&str; 2]| {
            let found = name.iter().find_map(|name| {
                let value = inner.get(name).or_else(|| body.get(name))?;
                match value {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                }
            });
            found.filter(|text| !text.is_empty())
        };
        Self {
            id: text(["id", "instance_snapshot_id"]),
            task_uri: text(["task_uri", "task-uri"]),
        }
    }
}

/// What comes when a name or a description was changed: the id alone. The documentation prints it as Python does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The id.
    pub id: String,
}

impl Updated {
    /// Reads it; `None` where it cannot be understood, which is still a success.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let value = serde_json::from_str(&text)
            .ok()
            .or_else(|| lenient::python(&text))?;
        let id = Begun::read(value.to_string().as_bytes()).id?;
        Some(Self { id })
    }
}
