//! The bodies of answers. What is not known is passed over, what is missing is an error that names it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::status::{GroupStatus, SnapshotStatus, VolumeStatus};
use crate::model::Time;

/// A time as the service writes it: UTC, with `Z` or without.
#[must_use]
pub fn time(text: &str) -> Option<Time> {
    if let Ok(time) = text.parse::<Time>() {
        return Some(time);
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp())
}

/// `null` for the value that nothing was said of.
pub(in crate::wire) fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// Keys and values; a value that is no text is written as JSON.
pub(in crate::wire) fn texts<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let map = Option::<BTreeMap<String, Value>>::deserialize(from)?.unwrap_or_default();
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(map.into_iter().map(|(k, v)| (k, text(v))).collect())
}

/// A flag that is a text in some answers.
fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(flag) => flag,
        Value::String(text) => text.eq_ignore_ascii_case("true"),
        _ => false,
    })
}

/// A volume in full.
#[derive(Clone, Debug, Deserialize)]
pub struct Volume {
    /// Its id.
    pub id: String,
    /// Its name; empty where it has none.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// What is said of it.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// Its status.
    pub status: VolumeStatus,
    /// Its size in GiB.
    pub size: u64,
    /// When it was made.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// Its type.
    pub volume_type: Option<String>,
    /// The id of its type.
    pub volume_type_id: Option<String>,
    /// The zone that it is in.
    pub availability_zone: Option<String>,
    /// The snapshot that it was made from.
    pub snapshot_id: Option<String>,
    /// The group that it is in.
    pub group_id: Option<String>,
    /// The project that it is of.
    #[serde(rename = "os-vol-tenant-attr:tenant_id")]
    pub project: Option<String>,
    /// Whether a machine can start from it.
    #[serde(default, deserialize_with = "flag")]
    pub bootable: bool,
    /// Whether it is encrypted.
    #[serde(default, deserialize_with = "flag")]
    pub encrypted: bool,
    /// To what it is attached.
    #[serde(default, deserialize_with = "or_default")]
    pub attachments: Vec<VolumeAttachment>,
    /// What people keep on it.
    #[serde(default, deserialize_with = "texts")]
    pub metadata: BTreeMap<String, String>,
}

/// To what a volume is attached.
#[derive(Clone, Debug, Deserialize)]
pub struct VolumeAttachment {
    /// The machine.
    pub server_id: Option<String>,
    /// The device there (`/dev/vdb`).
    pub device: Option<String>,
}

/// A snapshot in full.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    /// Its id.
    pub id: String,
    /// Its name; empty where it has none.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// What is said of it.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// Its status.
    pub status: SnapshotStatus,
    /// Its volume.
    pub volume_id: String,
    /// Its size in GiB.
    pub size: u64,
    /// When it was taken.
    pub created_at: Option<String>,
    /// When it was last changed.
    pub updated_at: Option<String>,
    /// The group snapshot that it is a member of.
    pub group_snapshot_id: Option<String>,
    /// The project that it is of.
    #[serde(rename = "os-extended-snapshot-attributes:project_id")]
    pub project: Option<String>,
    /// How far the service has come with it (`40%`).
    #[serde(rename = "os-extended-snapshot-attributes:progress")]
    pub progress: Option<String>,
    /// What people keep on it.
    #[serde(default, deserialize_with = "texts")]
    pub metadata: BTreeMap<String, String>,
}

impl Snapshot {
    /// How far the service has come with it, 0 to 100.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        let text = self.progress.as_deref()?.trim().trim_end_matches('%');
        text.parse::<u64>().ok().map(|percent| percent.min(100))
    }
}

/// A group of volumes.
#[derive(Clone, Debug, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// What is said of it.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// Its status.
    pub status: GroupStatus,
    /// The ids of its volumes, where they were asked for.
    #[serde(default, deserialize_with = "or_default")]
    pub volumes: Vec<String>,
}

/// A snapshot of a group.
#[derive(Clone, Debug, Deserialize)]
pub struct GroupSnapshot {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// What is said of it.
    #[serde(default, deserialize_with = "or_default")]
    pub description: String,
    /// Its status.
    pub status: GroupStatus,
    /// The group.
    pub group_id: Option<String>,
    /// When it was taken.
    pub created_at: Option<String>,
}

/// A type of groups.
#[derive(Clone, Debug, Deserialize)]
pub struct GroupType {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it says of itself; shown to administrators only.
    #[serde(default, deserialize_with = "texts")]
    pub group_specs: BTreeMap<String, String>,
}

impl GroupType {
    /// Whether snapshots of its groups are of one moment.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        let said = self.group_specs.get("consistent_group_snapshot_enabled");
        said.is_some_and(|said| said.to_lowercase().contains("true"))
    }
}

/// A machine.
#[derive(Clone, Debug, Deserialize)]
pub struct Server {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

/// What comes when something was begun.
#[derive(Clone, Debug, Deserialize)]
pub struct Created {
    /// Its id.
    pub id: String,
}

/// What is used, and what may be. -1 is no limit.
#[derive(Clone, Debug, Deserialize)]
pub struct Limits {
    /// The figures by their names.
    pub absolute: BTreeMap<String, i64>,
}

/// The names that a thing has in bodies.
pub trait Named: for<'de> Deserialize<'de> + Send + Sync + 'static {
    /// One (`snapshot`).
    const ONE: &'static str;
    /// Many, which is also what it is called in paths (`snapshots`).
    const MANY: &'static str;
    /// Where the link to the next page is.
    const LINKS: &'static str;
    /// Its id.
    fn id(&self) -> &str;

    /// A page of them.
    ///
    /// # Errors
    /// What is wrong with the body.
    fn page(body: &[u8]) -> Result<Page<Self>, String>
    where
        Self: Sized,
    {
        Page::read(body)
    }
}

macro_rules! named {
    ($($name:ident: $one:literal $many:literal $links:literal),+ $(,)?) => {
        $(impl Named for $name {
            const ONE: &'static str = $one;
            const MANY: &'static str = $many;
            const LINKS: &'static str = $links;
            fn id(&self) -> &str {
                &self.id
            }
        })+
    };
}

named! {
    Volume: "volume" "volumes" "volumes_links",
    Snapshot: "snapshot" "snapshots" "snapshots_links",
    // Not as regular as the others.
    Group: "group" "groups" "group_links",
    GroupSnapshot: "group_snapshot" "group_snapshots" "group_snapshot_links",
    GroupType: "group_type" "group_types" "group_type_links",
    Server: "server" "servers" "servers_links",
}

/// One thing, in the body that has it under its name.
#[derive(Debug)]
pub struct One<T>(pub T);

impl<T: Named> One<T> {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn read(body: &[u8]) -> Result<T, String> {
        let mut map: BTreeMap<String, Value> =
            serde_json::from_slice(body).map_err(|e| e.to_string())?;
        let value = map
            .remove(T::ONE)
            .ok_or_else(|| format!("there is no `{}` in it", T::ONE))?;
        serde_json::from_value(value).map_err(|e| e.to_string())
    }
}

/// A link.
#[derive(Clone, Debug, Deserialize)]
pub struct Links {
    rel: String,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Whether the service says that there are more.
    pub more: bool,
    /// How many there are in all, where it was asked for and told.
    pub count: Option<u64>,
}

impl<T: Named> Page<T> {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let parsed: PageBody<T> = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        Ok(Self {
            items: parsed
                .items
                .ok_or_else(|| format!("there are no `{}` in it", T::MANY))?,
            more: parsed.links.iter().any(|link| link.rel == "next"),
            count: parsed.count,
        })
    }
}

/// Read without a tree between: a page has a thousand things.
struct PageBody<T> {
    items: Option<Vec<T>>,
    links: Vec<Links>,
    count: Option<u64>,
}

impl<'de, T: Named> Deserialize<'de> for PageBody<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);

        impl<'de, T: Named> serde::de::Visitor<'de> for Visitor<T> {
            type Value = PageBody<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a page of {}", T::MANY)
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut body = PageBody {
                    items: None,
                    links: Vec::new(),
                    count: None,
                };
                while let Some(key) = map.next_key::<String>()? {
                    if key == T::MANY {
                        body.items = Some(map.next_value()?);
                    } else if key == T::LINKS {
                        body.links = map.next_value::<Option<Vec<Links>>>()?.unwrap_or_default();
                    } else if key == "count" {
                        body.count = map.next_value()?;
                    } else {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                Ok(body)
            }
        }

        from.deserialize_map(Visitor(std::marker::PhantomData))
    }
}
