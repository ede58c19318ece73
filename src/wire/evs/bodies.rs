//! The bodies of calls and answers. What is not known is kept beside what is, and goes out again as it came in.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::status::{SnapshotStatus, VolumeStatus};
use crate::model::Time;
use crate::wire::cinder::{self, Named, or_default, texts};

/// "`name` | no | string | at most **64 characters**" (3.1).
pub const NAME: usize = 64;
/// "`description` | no | string or null | at most **85 characters**" (3.1).
pub const DESCRIPTION: usize = 85;
/// "Keys 1…255 characters, values ≤ 255 characters" (3.7).
pub const KEY: usize = 255;
/// "A snapshot made automatically while a **disk** backup runs is named `autobk_snapshot_…`; the service refuses
/// operations on these" (2.3).
pub const AUTOMATIC: &str = "autobk_snapshot_";
/// "A key `__system__enableActive` in `metadata` marks a snapshot made automatically during a **server** backup" (2.3).
pub const AUTOMATIC_KEY: &str = "__system__enableActive";
/// "Keys starting with `__system__` are reserved to the service" (2.3).
pub const RESERVED: &str = "__system__";

/// A text that may be absent (`None`), null (`Some(None)`) or there.
type Said = Option<Option<String>>;

fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Said, D::Error> {
    Ok(Some(Option::deserialize(from)?))
}

fn text(said: &Said) -> &str {
    said.as_ref().and_then(Option::as_deref).unwrap_or_default()
}

fn at(said: &Said) -> Option<&str> {
    said.as_ref()
        .and_then(Option::as_deref)
        .filter(|t| !t.is_empty())
}

/// "A tolerant parser accepts `T`, `t`, or a blank, an optional `Z`, and zero to nine fractional digits" (2.1); without
/// a zone it is UTC.
#[must_use]
pub fn time(text: &str) -> Option<Time> {
    cinder::time(text)
}

/// A snapshot: nine fields in every view (2.1), more in some (2.2).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// "`id` | string (UUID)".
    pub id: String,
    /// "`volume_id` | string (UUID) | source disk".
    pub volume_id: String,
    /// "`name` | string, may be null or `""`".
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    name: Said,
    /// "`description` | string or null".
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    description: Said,
    /// "`size` | integer | GiB; equals the source disk's size when the snapshot was taken".
    pub size: u64,
    /// "`status` | string | section 4".
    pub status: SnapshotStatus,
    /// "`metadata` | object string→string | `{}` when empty, never null".
    #[serde(default, deserialize_with = "texts")]
    pub metadata: BTreeMap<String, String>,
    /// "`created_at` | `YYYY-MM-DDTHH:MM:SS.ffffff`, UTC, **no** `Z`, no offset".
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    created_at: Said,
    /// "`updated_at` | string or null | same format; null until first updated"; "a client must accept both and the
    /// absent field".
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    updated_at: Said,
    /// "string with a percent sign: `"0%"` … `"100%"`" (2.2).
    #[serde(
        rename = "os-extended-snapshot-attributes:progress",
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    progress: Said,
    /// Everything else (2.2): "SDK deserialisers accept a missing field and ignore unknown ones".
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Snapshot {
    /// Its name; empty where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        text(&self.name)
    }

    /// What is said of it.
    #[must_use]
    pub fn description(&self) -> &str {
        text(&self.description)
    }

    /// When it was taken, as the service writes it.
    #[must_use]
    pub fn created(&self) -> Option<&str> {
        at(&self.created_at)
    }

    /// How far the service has come with it, 0 to 100.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        let text = at(&self.progress)?.trim().trim_end_matches('%');
        text.parse::<u64>().ok().map(|percent| percent.min(100))
    }

    /// What made it, where that was the service itself (2.3).
    #[must_use]
    pub fn made_by(&self) -> Option<&'static str> {
        if self.name().starts_with(AUTOMATIC) {
            Some("a backup of its disk")
        } else if self.metadata.contains_key(AUTOMATIC_KEY) {
            // "The value is irrelevant; presence is the signal."
            Some("a backup of its server")
        } else {
            None
        }
    }
}

/// To what a disk is attached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// The machine.
    #[serde(default)]
    pub server_id: Option<String>,
    /// The device there (`/dev/vdb`).
    #[serde(default)]
    pub device: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A disk. The reference has no table of its fields: they are those of Cinder's volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Volume {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    name: Said,
    /// What is said of it.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    description: Said,
    /// Its status (4.2).
    pub status: VolumeStatus,
    /// Its size in GiB.
    pub size: u64,
    /// When it was made.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    created_at: Said,
    /// When it was last changed.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    updated_at: Said,
    /// "`SSD`, `SAS`, `SATA`, `GPSSD`, `ESSD`, newer `GPSSD2`, `ESSD2`" (5.1).
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    volume_type: Said,
    /// The zone that it is in.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    availability_zone: Said,
    /// The snapshot that it was made from.
    #[serde(
        default,
        deserialize_with = "said",
        skip_serializing_if = "Option::is_none"
    )]
    snapshot_id: Said,
    /// To what it is attached.
    #[serde(default, deserialize_with = "or_default")]
    pub attachments: Vec<Attachment>,
    /// What is kept on it.
    #[serde(default, deserialize_with = "texts")]
    pub metadata: BTreeMap<String, String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Volume {
    /// Its name; empty where it has none.
    #[must_use]
    pub fn name(&self) -> &str {
        text(&self.name)
    }

    /// What is said of it.
    #[must_use]
    pub fn description(&self) -> &str {
        text(&self.description)
    }

    /// When it was made, as the service writes it.
    #[must_use]
    pub fn created(&self) -> Option<&str> {
        at(&self.created_at)
    }

    /// When it was last changed, as the service writes it.
    #[must_use]
    pub fn updated(&self) -> Option<&str> {
        at(&self.updated_at)
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        at(&self.volume_type)
    }

    /// Its zone.
    #[must_use]
    pub fn zone(&self) -> Option<&str> {
        at(&self.availability_zone)
    }

    /// The snapshot that it was made from.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        at(&self.snapshot_id)
    }

    /// Whether it is encrypted: "special metadata: `__system__encrypted` `"0"`/`"1"`" (5.1).
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        let said = self.metadata.get("__system__encrypted");
        said.is_some_and(|said| said == "1") || self.rest.get("encrypted") == Some(&true.into())
    }

    /// Whether a machine can start from it: "true" or true.
    #[must_use]
    pub fn is_bootable(&self) -> bool {
        match self.rest.get("bootable") {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }
}

impl Named for Snapshot {
    const ONE: &'static str = "snapshot";
    const MANY: &'static str = "snapshots";
    const LINKS: &'static str = "snapshots_links";
    fn id(&self) -> &str {
        &self.id
    }
}

impl Named for Volume {
    const ONE: &'static str = "volume";
    const MANY: &'static str = "volumes";
    const LINKS: &'static str = "volumes_links";
    fn id(&self) -> &str {
        &self.id
    }
}

/// The body that takes a snapshot (3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateSnapshot {
    /// "`volume_id` | yes | string | must be a disk of this project".
    pub volume_id: String,
    /// "`name` | no | string".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// "`description` | no | string or null".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// "`force` | no | boolean | default `false`".
    #[serde(default)]
    pub force: bool,
    /// "`metadata` | no | map string→string".
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// The body that changes a snapshot: "at least one of the two, same 64/85 limits" (3.4).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateSnapshot {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its new description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The body that changes a disk (5.1), of the same shape.
pub type UpdateVolume = UpdateSnapshot;

/// The body that takes a disk back, and its answer: "`volume_id` required"; "`name` optional: the disk's name" (3.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// "Only the snapshot's own source disk is allowed."
    pub volume_id: String,
    /// "It cannot be given without `volume_id`."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The body that makes a disk (5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateVolume {
    /// "`availability_zone` (required)".
    pub availability_zone: String,
    /// "`size` (required, GiB; optional when `snapshot_id` is given — then the snapshot's size is the minimum)".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// "`volume_type` (`SSD`, `SAS`, …)".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_type: Option<String>,
    /// Its name.
    pub name: String,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The snapshot that it is made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    /// What is kept on it.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// The body that makes a disk larger (5.1, 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extend {
    /// The new size in GiB.
    pub new_size: u64,
}

/// A zone (5.4).
#[derive(Clone, Debug, Deserialize)]
pub struct Zone {
    /// What it is called.
    #[serde(rename = "zoneName")]
    pub name: String,
    #[serde(rename = "zoneState", default)]
    state: ZoneState,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ZoneState {
    #[serde(default)]
    available: bool,
}

#[derive(Deserialize)]
struct Zones {
    #[serde(rename = "availabilityZoneInfo")]
    zones: Vec<Zone>,
}

impl Zone {
    /// The names of those in which something can be made: "`{"availabilityZoneInfo":[{"zoneName":…}]}`".
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn read(body: &[u8]) -> Result<Vec<String>, String> {
        let read: Zones = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        let open = read.zones.into_iter().filter(|zone| zone.state.available);
        Ok(open.map(|zone| zone.name).collect())
    }
}

/// How much of one kind is used, and may be: "`-1` = unlimited" (5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Set aside.
    #[serde(default)]
    pub reserved: i64,
    /// Used.
    #[serde(default)]
    pub in_use: i64,
    /// The most.
    pub limit: i64,
}

/// The quotas of a project by their names (`snapshots`, `gigabytes`, `snapshots_SSD`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quotas(pub BTreeMap<String, Quota>);

impl Quotas {
    /// "`{"quota_set":{"id":p,"snapshots":{"reserved":0,"in_use":3,"limit":-1},…}}`" (5.4).
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let mut map: BTreeMap<String, BTreeMap<String, Value>> =
            serde_json::from_slice(body).map_err(|e| e.to_string())?;
        let set = map
            .remove("quota_set")
            .ok_or("there is no `quota_set` in it")?;
        // Its id is among them, and is none.
        let quotas = set
            .into_iter()
            .filter_map(|(name, value)| Some((name, serde_json::from_value(value).ok()?)));
        Ok(Self(quotas.collect()))
    }
}

/// What the service itself says at its root: "`GET /` → HTTP **300** `{"versions":[…]}`" (5.4).
#[derive(Clone, Debug, Deserialize)]
pub struct Start {
    versions: Vec<Version>,
}

#[derive(Clone, Debug, Deserialize)]
struct Version {
    id: String,
}

impl Start {
    /// The ids of its versions (`v2.0`).
    pub fn versions(&self) -> impl Iterator<Item = &str> {
        self.versions.iter().map(|version| version.id.as_str())
    }
}
