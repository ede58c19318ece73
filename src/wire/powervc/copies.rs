//! FlashCopy mappings of a volume (*Check FlashCopy mappings*).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient::{Figure, Word};

/// The mappings of a volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CopyDetails {
    /// The mappings.
    #[serde(alias = "copy-details", deserialize_with = "all")]
    pub copy_details: Vec<Mapping>,
}

fn all<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Mapping>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

impl CopyDetails {
    /// Reads them. An empty body has none.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn read(body: &[u8]) -> Result<Vec<Mapping>, String> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Vec::new());
        }
        let body: Self = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        Ok(body.copy_details)
    }
}

/// One FlashCopy mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// Its name.
    pub name: String,
    /// What it does; a table says it is an integer.
    #[serde(default)]
    pub status: Word,
    /// Percent copied.
    #[serde(default)]
    pub progress: Figure,
    /// Percent copied back.
    #[serde(default)]
    pub restore_progress: Figure,
    /// What is copied, by the storage's own name.
    #[serde(default)]
    pub source_vdisk_name: Option<String>,
    /// What it is copied to, by the storage's own name.
    #[serde(default)]
    pub target_vdisk_name: Option<String>,
    /// Whether only what changed is copied when it is begun again.
    #[serde(default)]
    pub incremental: Word,
    /// The priority of the copy.
    #[serde(default)]
    pub copyrate: Figure,
    /// Whether it copies back.
    #[serde(default)]
    pub restoring: Word,
    /// What else the storage says of it.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// What a mapping does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// It is at rest: all is copied, or nothing is to be.
    Idle,
    /// It is getting ready.
    Preparing,
    /// It is copying.
    Copying,
    /// It is ending.
    Stopping,
    /// It was ended in mid-way.
    Stopped,
    /// It stands still until the storage can go on.
    Suspended,
    /// A word that nobody knows.
    Unknown,
}

impl Mapping {
    /// What it does.
    #[must_use]
    pub fn state(&self) -> CopyState {
        match self.status.text().to_ascii_lowercase().as_str() {
            "idle_or_copied" | "idle" | "copied" | "prepared" => CopyState::Idle,
            "preparing" => CopyState::Preparing,
            "copying" => CopyState::Copying,
            "stopping" => CopyState::Stopping,
            "stopped" => CopyState::Stopped,
            "suspended" => CopyState::Suspended,
            _ => CopyState::Unknown,
        }
    }

    /// Whether it is in the way of a restore.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(
            self.state(),
            CopyState::Copying | CopyState::Preparing | CopyState::Stopping
        )
    }
}
