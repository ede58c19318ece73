//! Inventories: resources as JSON (section 8). What is not known is kept beside what is, and goes out again as it came in.
//! "Null members are omitted from responses. Absent means null" (1.7).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::date::Date;
use super::job::LongJob;
use super::number::Number;
use super::status::{Enabled, SnapshotStatus, VmState, VolumeStatus, VolumeType};
use crate::wire::cinder::{Named, Page};

/// "`name` | string | yes | <= 255" (9.1).
pub const NAME: usize = 255;
/// "`description` | string | no | <= 2048" (9.1).
pub const DESCRIPTION: usize = 2048;

macro_rules! inventory {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// Its id: "32 lower-case hex digits, no dashes" (1.5).
            pub uuid: String,
            $(
                $(#[$fdoc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $field: Option<$ty>,
            )*
            /// Everything else.
            #[serde(flatten)]
            pub rest: Map<String, Value>,
        }
    };
}

inventory! {
    /// A volume snapshot (8.1). Nodes that the account may not see have an id and nothing else.
    Snapshot {
        /// Its name.
        name: String,
        /// Free text.
        description: String,
        /// `Hypervisor` for a chain of files, `Storage` where the storage system makes it.
        r#type: String,
        /// The volume; absent "after the volume is gone".
        volume_uuid: String,
        /// The tree that it is in.
        tree_uuid: String,
        /// The snapshot that it hangs from; absent on a root.
        parent_uuid: String,
        /// The storage that it is on.
        primary_storage_uuid: String,
        /// `Root`, `Data`, ….
        volume_type: VolumeType,
        /// `qcow2`, `raw`, ….
        format: String,
        /// "The position marker of its tree."
        latest: bool,
        /// Bytes that it takes.
        size: Number,
        /// How deep in its tree.
        distance: Number,
        /// "Disabled cannot be reverted to."
        state: Enabled,
        /// How it stands.
        status: SnapshotStatus,
        /// When it was taken.
        create_date: Date,
        /// When it was last changed.
        last_op_date: Date,
        /// The group that it is in.
        group_uuid: String,
    }
}

inventory! {
    /// A snapshot group (8.3): one point in time of a VM.
    Group {
        /// Its name.
        name: String,
        /// Free text.
        description: String,
        /// "Disks at creation; **never decreases**."
        snapshot_count: Number,
        /// The VM.
        vm_instance_uuid: String,
        /// When it was taken.
        create_date: Date,
        /// When it was last changed.
        last_op_date: Date,
        /// Its members, those that are gone too.
        volume_snapshot_refs: Vec<GroupRef>,
    }
}

impl Group {
    /// Its members.
    #[must_use]
    pub fn refs(&self) -> &[GroupRef] {
        self.volume_snapshot_refs.as_deref().unwrap_or_default()
    }

    /// The members that are there.
    pub fn live(&self) -> impl Iterator<Item = &GroupRef> {
        self.refs().iter().filter(|one| !one.is_gone())
    }

    /// Whether it holds the memory of the VM.
    #[must_use]
    pub fn has_memory(&self) -> bool {
        let memory = |one: &&GroupRef| one.volume_type == Some(VolumeType::Memory);
        self.live().any(|one| memory(&one))
    }
}

/// A member of a group (8.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRef {
    /// The snapshot: "a snapshot is in at most one group".
    pub volume_snapshot_uuid: String,
    /// "Disk slot at snapshot time; 0 is the root disk."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<Number>,
    /// "True once that snapshot is gone; the reference stays as a tombstone."
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_deleted: Option<bool>,
    /// The volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_uuid: Option<String>,
    /// Its name when it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_name: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_type: Option<VolumeType>,
    /// The snapshot's name when it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_snapshot_name: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl GroupRef {
    /// Whether the snapshot is gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.snapshot_deleted.unwrap_or(false)
    }

    /// Where the disk was; the root disk comes first.
    #[must_use]
    pub fn slot(&self) -> u64 {
        self.device_id
            .as_ref()
            .and_then(Number::get)
            .unwrap_or(u64::MAX)
    }

    /// The volume.
    #[must_use]
    pub fn volume(&self) -> &str {
        self.volume_uuid.as_deref().unwrap_or_default()
    }

    /// What the snapshot was called.
    #[must_use]
    pub fn name(&self) -> &str {
        let name = self.volume_snapshot_name.as_deref().unwrap_or_default();
        match name.is_empty() {
            true => &self.volume_snapshot_uuid,
            false => name,
        }
    }
}

inventory! {
    /// A volume (8.4).
    Volume {
        /// Its name.
        name: String,
        /// Free text.
        description: String,
        /// The storage that it is on.
        primary_storage_uuid: String,
        /// The VM that it is attached to.
        vm_instance_uuid: String,
        /// Where it lies: "changes on snapshot and on revert (file storage)".
        install_path: String,
        /// What it is for.
        r#type: VolumeType,
        /// `qcow2`, `raw`, ….
        format: String,
        /// What a host sees, in bytes.
        size: Number,
        /// Bytes that it takes.
        actual_size: Number,
        /// "Slot; 0 for root; absent when detached."
        device_id: Number,
        /// Whether it may be used.
        state: Enabled,
        /// How it stands.
        status: VolumeStatus,
        /// "The member name really starts with `is`."
        is_shareable: bool,
        /// When it was made.
        create_date: Date,
        /// When it was last changed.
        last_op_date: Date,
    }
}

inventory! {
    /// A VM instance (8.5).
    Vm {
        /// Its name.
        name: String,
        /// Free text.
        description: String,
        /// "**The argument of CreateVolumeSnapshotGroup**."
        root_volume_uuid: String,
        /// How it stands.
        state: VmState,
        /// `UserVm`; `ApplianceVm` for routers.
        r#type: String,
        /// The volumes that are attached to it, "**root included**, each complete".
        all_volumes: Vec<Volume>,
        /// When it was made.
        create_date: Date,
    }
}

impl Vm {
    /// Its volumes.
    #[must_use]
    pub fn volumes(&self) -> &[Volume] {
        self.all_volumes.as_deref().unwrap_or_default()
    }
}

inventory! {
    /// A session (2.1).
    Session {
        /// Whose it is.
        account_uuid: String,
        /// Who signed in.
        user_uuid: String,
        /// When it ends unless it is used.
        expired_date: Date,
    }
}

/// An answer that is about one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inventory<T> {
    /// The thing.
    pub inventory: T,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// An answer to a query (6.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inventories<T> {
    /// What was found; none where only the number was asked for.
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    pub inventories: Option<Vec<T>>,
    /// How many there are in all, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Number>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

macro_rules! listed {
    ($($name:ident: $one:literal $many:literal,)+) => {
        $(impl Named for $name {
            const ONE: &'static str = $one;
            const MANY: &'static str = $many;
            const LINKS: &'static str = "";

            fn id(&self) -> &str {
                &self.uuid
            }

            fn page(body: &[u8]) -> Result<Page<Self>, String> {
                let read: Inventories<Self> = serde_json::from_slice(body).map_err(|e| e.to_string())?;
                Ok(Page {
                    items: read.inventories.ok_or("there is no `inventories` in it")?,
                    more: false,
                    count: read.total.as_ref().and_then(Number::get),
                })
            }
        })+
    };
}

listed! {
    Snapshot: "snapshot" "snapshots",
    Group: "snapshot group" "snapshot groups",
    Volume: "volume" "volumes",
    Vm: "VM instance" "VM instances",
    LongJob: "long job" "long jobs",
}
