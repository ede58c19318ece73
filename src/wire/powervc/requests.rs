//! The bodies of requests. Their keys have hyphens where those of answers have underscores.

use serde::{Deserialize, Serialize};

use super::lenient;

/// Takes an instance snapshot (*Create an instance snapshot*).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// What is to be taken.
    #[serde(rename = "vm-snapshot", alias = "vm_snapshot")]
    pub vm_snapshot: New,
}

/// The instance snapshot that is to be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct New {
    /// Its name.
    pub name: Option<String>,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The volumes; all that are attached where nothing is said, which an empty list means too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<String>,
}

impl Create {
    /// The body.
    #[must_use]
    pub fn new(name: &str, description: &str, volumes: Vec<String>) -> Self {
        let said = !description.is_empty();
        Self {
            vm_snapshot: New {
                name: Some(name.to_owned()),
                description: said.then(|| description.to_owned()),
                volumes,
            },
        }
    }
}

/// Changes a name, a description, or both (*Update instance snapshot details*).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// What is to be different.
    #[serde(rename = "instance-snapshot", alias = "instance_snapshot")]
    pub instance_snapshot: Edits,
}

/// What is to be different; what is not said stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edits {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The new description, with the blanks that it begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Update {
    /// The body.
    #[must_use]
    pub fn new(name: Option<&str>, description: Option<&str>) -> Self {
        Self {
            instance_snapshot: Edits {
                name: name.map(str::to_owned),
                description: description.map(str::to_owned),
            },
        }
    }
}

/// Restores, tries again what failed, or goes back to before (*Restore instance*, *Retry instance snapshot restore*,
/// *Rollback instance snapshot restore*).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// What is to be done.
    #[serde(rename = "vm-restore", alias = "vm_restore")]
    pub vm_restore: How,
}

/// Which restore is meant. Flags are sent as JSON booleans; the documentation shows `"True"` and `True` too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct How {
    /// The instance snapshot.
    #[serde(deserialize_with = "lenient::id")]
    pub instance_snapshot_id: String,
    /// The machine need not be shut off: whoever asks warrants that nothing is written.
    #[serde(
        default,
        deserialize_with = "lenient::flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub force: Option<bool>,
    /// Only what failed is tried again.
    #[serde(
        default,
        deserialize_with = "lenient::flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry: Option<bool>,
    /// Back to the safety snapshots.
    #[serde(
        default,
        deserialize_with = "lenient::flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub rollback: Option<bool>,
}

/// Asks for the FlashCopy mappings of a volume (*Check FlashCopy mappings*).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyProgress {
    /// How much is asked for.
    #[serde(rename = "copy-progress", alias = "copy_progress")]
    pub copy_progress: Detail,
}

/// How much is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// All that the storage knows of each mapping.
    #[serde(
        default,
        deserialize_with = "lenient::flag",
        skip_serializing_if = "Option::is_none"
    )]
    pub details: Option<bool>,
}

impl CopyProgress {
    /// The body that asks for everything.
    #[must_use]
    pub fn detailed() -> Self {
        Self {
            copy_progress: Detail {
                details: Some(true),
            },
        }
    }
}
