//! Everything that changes something is an operation: a kind and its values.
//! Made from an [`OperationSpec`](super::OperationSpec), which checks them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Bytes, Kind, ObjectRef, Problem, ProblemKind, SnapshotId, VolumeId};

/// The kinds of operations, named as on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// Make an empty volume.
    CreateVolume,
    /// Change a volume's name, description or instance.
    UpdateVolume,
    /// Make a volume larger.
    ExtendVolume,
    /// Make a volume smaller.
    ShrinkVolume,
    /// Remove a volume, and the points in time of it.
    DeleteVolume,
    /// Take a point in time of a volume.
    CreateSnapshot,
    /// Change a snapshot's name or description.
    UpdateSnapshot,
    /// Remove a point in time.
    DeleteSnapshot,
    /// Take a volume back to a point in time.
    Restore,
    /// Make a new volume from a point in time.
    Clone,
    /// Copy what a volume shares, so that it stands alone.
    Flatten,
    /// Fill a volume from an image file.
    ImportImage,
    /// Bring what changed elsewhere into a volume that is what it was before.
    ApplyDifference,
    /// Take one point in time of several volumes.
    CreateGroup,
    /// Change a group's name or description.
    UpdateGroup,
    /// Remove a group and the points in time that it is made of.
    DeleteGroup,
    /// Take all volumes of a group back to it.
    RestoreGroup,
    /// Take the volumes of a group back that could not be when it was restored.
    RetryRestore,
    /// Take the volumes of a group back to what they held before a restore that failed.
    RollBackRestore,
    /// Let the points in time of a group be ones by themselves.
    Ungroup,
    /// Take a point in time that targets can be linked to.
    CreateSession,
    /// Remove a session.
    DeleteSession,
    /// Take the volumes of a session back to it.
    RestoreSession,
    /// Make devices that show what a session holds.
    LinkTarget,
    /// Let a linked target show another session.
    RelinkTarget,
    /// Part a target from its session.
    UnlinkTarget,
}

impl OperationKind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 26] = [
        Self::CreateVolume,
        Self::UpdateVolume,
        Self::ExtendVolume,
        Self::ShrinkVolume,
        Self::DeleteVolume,
        Self::CreateSnapshot,
        Self::UpdateSnapshot,
        Self::DeleteSnapshot,
        Self::Restore,
        Self::Clone,
        Self::Flatten,
        Self::CreateGroup,
        Self::UpdateGroup,
        Self::DeleteGroup,
        Self::RestoreGroup,
        Self::RetryRestore,
        Self::RollBackRestore,
        Self::Ungroup,
        Self::CreateSession,
        Self::DeleteSession,
        Self::RestoreSession,
        Self::LinkTarget,
        Self::RelinkTarget,
        Self::UnlinkTarget,
        Self::ImportImage,
        Self::ApplyDifference,
    ];

    /// The name on the command line and in the journal.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateVolume => "create-volume",
            Self::UpdateVolume => "update-volume",
            Self::ExtendVolume => "extend-volume",
            Self::ShrinkVolume => "shrink-volume",
            Self::DeleteVolume => "delete-volume",
            Self::CreateSnapshot => "create-snapshot",
            Self::UpdateSnapshot => "update-snapshot",
            Self::DeleteSnapshot => "delete-snapshot",
            Self::Restore => "restore",
            Self::Clone => "clone",
            Self::Flatten => "flatten",
            Self::ImportImage => "import-image",
            Self::ApplyDifference => "apply-difference",
            Self::CreateGroup => "create-group",
            Self::UpdateGroup => "update-group",
            Self::DeleteGroup => "delete-group",
            Self::RestoreGroup => "restore-group",
            Self::RetryRestore => "retry-restore",
            Self::RollBackRestore => "roll-back-restore",
            Self::Ungroup => "ungroup",
            Self::CreateSession => "create-session",
            Self::DeleteSession => "delete-session",
            Self::RestoreSession => "restore-session",
            Self::LinkTarget => "link-target",
            Self::RelinkTarget => "relink-target",
            Self::UnlinkTarget => "unlink-target",
        }
    }

    /// One short word for a narrow column.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::CreateVolume => "create",
            Self::UpdateVolume | Self::UpdateSnapshot | Self::UpdateGroup => "update",
            Self::ExtendVolume => "extend",
            Self::ShrinkVolume => "shrink",
            Self::DeleteVolume | Self::DeleteSnapshot | Self::DeleteGroup | Self::DeleteSession => {
                "delete"
            }
            Self::CreateSnapshot => "snapshot",
            Self::CreateGroup => "group",
            Self::RetryRestore => "retry",
            Self::RollBackRestore => "roll back",
            Self::Ungroup => "ungroup",
            Self::CreateSession => "session",
            Self::LinkTarget => "link",
            Self::RelinkTarget => "relink",
            Self::UnlinkTarget => "unlink",
            Self::Restore | Self::RestoreGroup | Self::RestoreSession => "restore",
            Self::Clone => "clone",
            Self::Flatten => "flatten",
            Self::ImportImage => "import",
            Self::ApplyDifference => "apply",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for OperationKind {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|kind| kind.name()).collect();
                Problem::user(format!("there is no operation \"{text}\""))
                    .hint(format!("the operations are {}", names.join(", ")))
            })
    }
}

/// A checked value of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// A name, a text, a path or a chosen word.
    Text(String),
    /// A size in bytes.
    Size(Bytes),
    /// Yes or no.
    Flag(bool),
    /// A thing of the system.
    Object(ObjectRef),
    /// One or more things of the system, none twice.
    Objects(Vec<ObjectRef>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Size(size) => f.write_str(&size.exact()),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Object(object) => f.write_str(&object.id),
            Self::Objects(objects) => {
                let ids: Vec<&str> = objects.iter().map(|object| object.id.as_str()).collect();
                f.write_str(&ids.join(","))
            }
        }
    }
}

/// What is to be done: a kind and the values of its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// What to do.
    pub kind: OperationKind,
    /// The values by field name.
    pub values: BTreeMap<String, Value>,
}

impl Operation {
    /// An operation without values yet.
    #[must_use]
    pub fn new(kind: OperationKind) -> Self {
        Self {
            kind,
            values: BTreeMap::new(),
        }
    }

    /// The same with one value more.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.values.insert(field.to_owned(), value);
        self
    }

    /// The same with a text.
    #[must_use]
    pub fn text(self, field: &str, text: impl Into<String>) -> Self {
        self.with(field, Value::Text(text.into()))
    }

    /// The same with a volume under `volume`.
    #[must_use]
    pub fn on_volume(self, id: &VolumeId) -> Self {
        self.with("volume", Value::Object(id.into()))
    }

    /// The same with a snapshot under `snapshot`.
    #[must_use]
    pub fn on_snapshot(self, id: &SnapshotId) -> Self {
        self.with("snapshot", Value::Object(id.into()))
    }

    fn missing(&self, field: &str) -> Problem {
        Problem::new(
            ProblemKind::User,
            format!("{} needs a value for {field}", self.kind),
        )
    }

    /// The text of a field that must be there.
    ///
    /// # Errors
    /// [`ProblemKind::User`] where it is not.
    pub fn get_text(&self, field: &str) -> Result<&str, Problem> {
        self.find_text(field).ok_or_else(|| self.missing(field))
    }

    /// The text of a field, where there is one.
    #[must_use]
    pub fn find_text(&self, field: &str) -> Option<&str> {
        match self.values.get(field) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The size of a field that must be there.
    ///
    /// # Errors
    /// [`ProblemKind::User`] where it is not.
    pub fn get_size(&self, field: &str) -> Result<Bytes, Problem> {
        match self.values.get(field) {
            Some(Value::Size(size)) => Ok(*size),
            _ => Err(self.missing(field)),
        }
    }

    /// Whether a flag is set.
    #[must_use]
    pub fn flag(&self, field: &str) -> bool {
        matches!(self.values.get(field), Some(Value::Flag(true)))
    }

    /// The id of the thing in a field that must be there.
    ///
    /// # Errors
    /// [`ProblemKind::User`] where it is not, or is of another kind.
    pub fn object(&self, field: &str, kind: Kind) -> Result<&str, Problem> {
        match self.values.get(field) {
            Some(Value::Object(object)) if object.kind == kind => Ok(&object.id),
            _ => Err(self.missing(field)),
        }
    }

    /// The volume under `volume`.
    ///
    /// # Errors
    /// [`ProblemKind::User`] where there is none.
    pub fn volume(&self) -> Result<VolumeId, Problem> {
        self.object("volume", Kind::Volume).map(VolumeId::from)
    }

    /// The volumes under `volumes`.
    ///
    /// # Errors
    /// [`ProblemKind::User`] where there are none.
    pub fn volumes(&self) -> Result<Vec<VolumeId>, Problem> {
        match self.values.get("volumes") {
            Some(Value::Objects(objects)) if !objects.is_empty() => Ok(objects
                .iter()
                .filter(|object| object.kind == Kind::Volume)
                .map(|object| VolumeId(object.id.clone()))
                .collect()),
            _ => Err(self.missing("volumes")),
        }
    }

    /// The snapshot under `snapshot`.
    ///
    /// # Errors
    /// [`ProblemKind::User`] where there is none.
    pub fn snapshot(&self) -> Result<SnapshotId, Problem> {
        self.object("snapshot", Kind::Snapshot)
            .map(SnapshotId::from)
    }
}
