//! What is asked for: the bodies of calls that change something (sections 2, 3.1 and 9).

use serde::{Deserialize, Serialize};

/// The body of a POST: "arguments inside the object named by the API, `params` for all calls here".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Params<T> {
    /// The arguments.
    pub params: T,
    /// Tags of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_tags: Option<Vec<String>>,
    /// Tags of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_tags: Option<Vec<String>>,
}

impl<T> Params<T> {
    /// Without tags.
    pub fn new(params: T) -> Self {
        Self {
            params,
            system_tags: None,
            user_tags: None,
        }
    }
}

/// A snapshot (9.1) or a data volume (9.11) that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewResource {
    /// Its name.
    pub name: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// "Id for the new snapshot, strict pattern."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_uuid: Option<String>,
    /// Tags that are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_uuids: Option<Vec<String>>,
}

/// A snapshot group that is to be made (9.12).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewGroup {
    /// "Must be a **Root** volume attached to a VM."
    pub root_volume_uuid: String,
    /// Its name.
    pub name: String,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// "True needs the VM Running or Paused."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_memory: Option<bool>,
    /// "Id of the group."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_uuid: Option<String>,
    /// Tags that are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_uuids: Option<Vec<String>>,
}

/// A long job that is to be begun (13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewLongJob {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// "The message class name."
    pub job_name: String,
    /// "**A string holding JSON**."
    pub job_data: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_resource_uuid: Option<String>,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_uuid: Option<String>,
}

/// Who signs in (2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// Who.
    pub account_name: String,
    /// "**Lower-case hex SHA-512 of the clear text**, 128 characters."
    pub password: String,
}

/// What a PUT does: "the wrapper key is the API name with a lower-case first letter. It both selects the API and carries its
/// arguments; `{}` is normal."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// Signs in (2.1).
    LogInByAccount(Login),
    /// Changes a snapshot (9.4): "absent means unchanged".
    UpdateVolumeSnapshot {
        /// Its new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// What is to be said of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// Takes a volume back (9.5).
    RevertVolumeFromSnapshot {},
    /// Measures (9.6).
    GetVolumeSnapshotSize {},
    /// Changes a group (9.14).
    UpdateVolumeSnapshotGroup {
        /// Its new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// What is to be said of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// Takes a VM back (9.16).
    RevertVmFromSnapshotGroup {},
    /// Removes several snapshots of one volume (9.8).
    BatchDeleteVolumeSnapshot {
        /// Which.
        uuids: Vec<String>,
        /// `Permissive` or `Enforcing`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delete_mode: Option<String>,
    },
    /// Makes a snapshot smaller (9.9).
    ShrinkVolumeSnapshot {},
    /// Merges the newest snapshot back (9.10); "note the capital S in the middle".
    UndoSnapshotCreation {
        /// Which.
        snap_shot_uuid: String,
    },
    /// Stops a VM (9.19).
    StopVmInstance {
        /// `grace` or `cold`.
        #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// "Only value `"true"` (a string)."
        #[serde(default, rename = "stopHA", skip_serializing_if = "Option::is_none")]
        stop_ha: Option<String>,
    },
    /// Starts a VM (9.19).
    StartVmInstance {},
}

/// The body of a PUT.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// What it does.
    #[serde(flatten)]
    pub action: Action,
    /// Tags of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_tags: Option<Vec<String>>,
    /// Tags of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_tags: Option<Vec<String>>,
}
