//! Things as the system sends them. What is not named here is kept as it came.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::state::ReplicaState;
use super::urn::Urn;
use crate::model::{Bytes, Time};

/// An address, as a path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// `self`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rel: Option<String>,
    /// The path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

/// A thing that is referred to (4.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Its id.
    pub id: Urn,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Its name; of a task its operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Reference {
    /// A reference without name.
    #[must_use]
    pub fn to(id: &Urn, path: &str) -> Self {
        Self {
            id: id.clone(),
            link: Some(Link {
                rel: Some("self".to_owned()),
                href: Some(format!("{path}/{id}")),
            }),
            ..Self::default()
        }
    }
}

/// What every object has (4.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Base {
    /// The id.
    pub id: Urn,
    /// The name that the user gave; of a task the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// When it was made, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<i64>,
    /// Words that users put on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Whether it is deleted, and only its record is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive: Option<bool>,
    /// Whether the controller made it for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal: Option<bool>,
}

impl Base {
    /// The name; the id for want of one.
    #[must_use]
    pub fn name(&self) -> &str {
        match self.name.as_deref() {
            Some(name) if !name.is_empty() => name,
            _ => self.id.as_str(),
        }
    }

    /// Whether it is there, and somebody's.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.inactive != Some(true)
    }

    /// Whether the controller made it for itself.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        self.internal == Some(true)
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Option<Time> {
        Time::from_millisecond(self.creation_time?).ok()
    }

    /// The words on it.
    #[must_use]
    pub fn tags(&self) -> &[String] {
        self.tags.as_deref().unwrap_or_default()
    }

    /// What follows this beginning of one of its words.
    #[must_use]
    pub fn tagged(&self, beginning: &str) -> Option<&str> {
        self.tags()
            .iter()
            .find_map(|tag| tag.strip_prefix(beginning))
    }
}

/// What volumes and snapshots both are: a device of an array.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// The project that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Reference>,
    /// The group of volumes that it is in, or of which it is a part of a point in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency_group: Option<Reference>,
    /// The group of the array that it is in; may be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replication_group_instance: Option<String>,
    /// The array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_controller: Option<Value>,
    /// The name by which hosts find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wwn: Option<String>,
    /// The array's own name of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// How large it is, in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioned_capacity_gb: Option<String>,
    /// How much of it is there, in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated_capacity_gb: Option<String>,
}

impl Device {
    /// How large it is.
    #[must_use]
    pub fn size(&self) -> Option<Bytes> {
        super::name::gib(self.provisioned_capacity_gb.as_deref()?)
    }

    /// How much of it is there.
    #[must_use]
    pub fn used(&self) -> Option<Bytes> {
        super::name::gib(self.allocated_capacity_gb.as_deref()?)
    }

    /// The group of the array that it is in, where it is in one.
    #[must_use]
    pub fn replication_group(&self) -> Option<&str> {
        self.replication_group_instance
            .as_deref()
            .filter(|group| !group.is_empty())
    }

    /// The group of volumes that it has to do with.
    #[must_use]
    pub fn group(&self) -> Option<&Urn> {
        self.consistency_group.as_ref().map(|group| &group.id)
    }
}

/// A volume (12.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Volume {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every object has")]
    pub base: Base,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every device has")]
    pub device: Device,
    /// The pool, which says how many snapshots there may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpool: Option<Reference>,
    /// What hosts may do with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_state: Option<String>,
    /// Whether its array has snapshot sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_snapshot_sessions: Option<bool>,
    /// The type of the array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_type: Option<String>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Volume {
    fn protection(&self, what: &str) -> Option<&Value> {
        self.rest.get("protection")?.get(what)
    }

    /// Whether continuous copies of it are kept, with which it cannot be restored.
    #[must_use]
    pub fn has_mirrors(&self) -> bool {
        let mirrors = self
            .protection("mirrors")
            .and_then(|m| m.get("native_mirrors"));
        mirrors.is_some_and(|mirrors| match mirrors {
            Value::Array(all) => !all.is_empty(),
            other => other.is_object(),
        })
    }

    /// Its full copies (11).
    #[must_use]
    pub fn full_copies(&self) -> Vec<Urn> {
        let copies = self
            .protection("full_copies")
            .and_then(|copies| copies.get("volumes"));
        let ids = copies.and_then(Value::as_array).into_iter().flatten();
        ids.filter_map(|copy| copy.get("id")?.as_str())
            .map(Urn::from)
            .collect()
    }

    /// What it is a full copy of.
    #[must_use]
    pub fn copied_from(&self) -> Option<Urn> {
        let source = self
            .protection("full_copies")?
            .get("associated_source_volume")?;
        source.get("id")?.as_str().map(Urn::from)
    }

    /// How it stands as a full copy.
    #[must_use]
    pub fn copy_state(&self) -> Option<&str> {
        self.protection("full_copies")?
            .get("replicaState")?
            .as_str()
    }
}

/// A plain snapshot, or a linked target of a session (10.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every object has")]
    pub base: Base,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every device has")]
    pub device: Device,
    /// The volume that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Reference>,
    /// Whether it is activated, or linked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_sync_active: Option<bool>,
    /// The same as a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replica_state: Option<ReplicaState>,
    /// What the snapshots of one request have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapset_label: Option<String>,
    /// `NATIVE`, `RP` or `SRDF`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub technology_type: Option<String>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Snapshot {
    /// The volume that it is of.
    #[must_use]
    pub fn source(&self) -> Option<&Urn> {
        self.parent.as_ref().map(|parent| &parent.id)
    }

    /// What duplicates are told by.
    #[must_use]
    pub fn label(&self) -> String {
        match self.snapset_label.as_deref() {
            Some(label) if !label.is_empty() => label.to_owned(),
            _ => super::name::label(self.base.name()),
        }
    }

    /// Whether the array has it ready.
    #[must_use]
    pub fn is_active(&self) -> bool {
        match (&self.is_sync_active, &self.replica_state) {
            (Some(active), _) => *active,
            (None, Some(state)) => *state == ReplicaState::Synchronized,
            (None, None) => true,
        }
    }
}

/// A snapshot session (8.1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every object has")]
    pub base: Base,
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every device has")]
    pub device: Device,
    /// The volume that it is of; of a group's session there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Reference>,
    /// The targets; empty until the link is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linked_targets: Option<Vec<Reference>>,
    /// What duplicates are told by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_label: Option<String>,
    /// What the sessions of one request for a group have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_set_name: Option<String>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Session {
    /// The volume that it is of, where it is of one alone.
    #[must_use]
    pub fn source(&self) -> Option<&Urn> {
        self.parent.as_ref().map(|parent| &parent.id)
    }

    /// The ids of the targets.
    pub fn targets(&self) -> impl Iterator<Item = &Urn> {
        self.linked_targets
            .iter()
            .flatten()
            .map(|target| &target.id)
    }

    /// What duplicates are told by.
    #[must_use]
    pub fn label(&self) -> String {
        match self.session_label.as_deref() {
            Some(label) if !label.is_empty() => label.to_owned(),
            _ => super::name::label(self.base.name()),
        }
    }

    /// Whether it is of the same as another one (8.8).
    #[must_use]
    pub fn has_source_of(&self, other: &Self) -> bool {
        match (self.source(), other.source()) {
            (Some(own), Some(others)) => own == others,
            (None, None) => {
                self.device.group() == other.device.group()
                    && self.device.replication_group() == other.device.replication_group()
            }
            _ => false,
        }
    }
}

/// A consistency group (13).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every object has")]
    pub base: Base,
    /// Its volumes, in what shows one and in bulk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<Reference>>,
    /// `LOCAL`, `RP`, `VPLEX`, `SRDF`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
    /// Whether its array has snapshot sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_snapshot_sessions: Option<bool>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A tenant, as the caller's own is told (14).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    /// The id.
    pub id: Urn,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A project (14).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Project {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every object has")]
    pub base: Base,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A virtual pool (14).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    #[serde(flatten)]
    #[allow(missing_docs, reason = "what every object has")]
    pub base: Base,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Pool {
    /// How many snapshots of a volume there may be: 0 for none, -1 for as many as there will be.
    #[must_use]
    pub fn most_snapshots(&self) -> Option<i64> {
        let snapshots = self.rest.get("protection")?.get("snapshots")?;
        snapshots.get("max_native_snapshots")?.as_i64()
    }
}

/// Words on a thing (16).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tags {
    /// The words.
    #[serde(default)]
    pub tag: Vec<String>,
}

/// Who has signed in (5.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WhoAmI {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// The name of the tenant.
    #[serde(
        default,
        rename = "tenantName",
        skip_serializing_if = "Option::is_none"
    )]
    pub tenant_name: Option<String>,
    /// The roles in the data center.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vdc_roles: Option<Vec<String>>,
    /// The roles in the user's own tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_tenant_roles: Option<Vec<String>>,
    /// What else there is.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}
