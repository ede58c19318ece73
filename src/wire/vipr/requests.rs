//! What is asked for. Each is the body of a root that the path says.

use serde::{Deserialize, Deserializer, Serialize};

use super::urn::Urn;

fn is_none<T>(value: &Option<T>) -> bool {
    value.is_none()
}

/// New devices that are to show a session (8.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTargets {
    /// How many, for each volume.
    #[serde(deserialize_with = "number")]
    pub count: i64,
    /// What their names begin with.
    pub target_name: String,
    /// `copy` or `nocopy`; a session that is made does not know it unless it is said.
    #[serde(default, skip_serializing_if = "is_none")]
    pub copy_mode: Option<String>,
}

/// A number, which some clients write as text.
fn number<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    match serde_json::Value::deserialize(from)? {
        serde_json::Value::String(text) => text.trim().parse().map_err(serde::de::Error::custom),
        other => other
            .as_i64()
            .ok_or_else(|| serde::de::Error::custom("no whole number")),
    }
}

/// `snapshot_session_create` (8.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCreate {
    /// What it is to be called.
    pub name: String,
    /// What is to show it.
    #[serde(default, skip_serializing_if = "is_none")]
    pub new_linked_targets: Option<NewTargets>,
    /// Of a group: these volumes alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Urn>,
}

/// `snapshot_session_link_targets` (8.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTargets {
    /// What is to show it.
    pub new_linked_targets: NewTargets,
}

/// `snapshot_session_relink_targets` (8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelinkTargets {
    /// The targets.
    pub ids: Vec<Urn>,
}

/// One target that is parted (8.9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlinkTarget {
    /// The target.
    pub id: Urn,
    /// Whether the device is deleted too; it is not where nothing is said.
    #[serde(default, skip_serializing_if = "is_none")]
    pub delete_target: Option<bool>,
}

/// `snapshot_session_unlink_targets` (8.9).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnlinkTargets {
    /// The targets.
    pub linked_targets: Vec<UnlinkTarget>,
}

/// `ids`: what is asked for in bulk (16).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// The ids.
    #[serde(default)]
    pub id: Vec<Urn>,
}

/// `volume_snapshot_create` (10.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotCreate {
    /// What it is to be called.
    pub name: String,
    /// Made, and not activated.
    #[serde(default, skip_serializing_if = "is_none")]
    pub create_inactive: Option<bool>,
    /// `NATIVE`, `RP` or `SRDF`.
    #[serde(default, rename = "type", skip_serializing_if = "is_none")]
    pub kind: Option<String>,
    /// Nobody may write to it.
    #[serde(default, skip_serializing_if = "is_none")]
    pub read_only: Option<bool>,
}

/// `volume_create` (12.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeCreate {
    /// What it is to be called.
    pub name: String,
    /// How large it is to be.
    pub size: String,
    /// How many.
    #[serde(default, skip_serializing_if = "is_none")]
    pub count: Option<i64>,
    /// The virtual pool.
    pub vpool: Urn,
    /// The virtual array.
    pub varray: Urn,
    /// The project.
    pub project: Urn,
    /// The consistency group that it is to be in.
    #[serde(default, skip_serializing_if = "is_none")]
    pub consistency_group: Option<Urn>,
}

/// `volume_expand` (12.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeExpand {
    /// How large it is to be.
    pub new_size: String,
}

/// `tag_changes` (16).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagChanges {
    /// What is put on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// What is taken off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}
