//! What the service has and does, at the version that was agreed on.

use super::scan::PAGE;
use crate::model::{
    Availability, Bytes, Capabilities, FieldSpec, FieldType, Kind, OperationKind, OperationSpec,
    Words,
};
use crate::wire::cinder::Microversion;

const NAME: FieldType = FieldType::Name { max: 255 };
/// Room is left for the key that is kept in some of them.
const TEXT: FieldType = FieldType::Text { max: 180 };
const SIZE: FieldType = FieldType::Size {
    min: Bytes::gib(1),
    max: Bytes::tib(1024),
    step: Bytes::gib(1),
};

/// The capabilities at this version.
pub(in crate::provider) fn capabilities(version: Microversion, concurrency: usize) -> Capabilities {
    let mut kinds = vec![Kind::Volume, Kind::Snapshot];
    if version >= Microversion::GROUP_SNAPSHOTS {
        kinds.push(Kind::Group);
    }
    Capabilities {
        system: "cinder",
        kinds,
        operations: operations(version),
        page_size: PAGE,
        concurrency: concurrency.max(1),
        called: true,
        words: Words {
            volume: "volume",
            snapshot: "snapshot",
            group: "group",
            session: "session",
            target: "linked target",
        },
    }
}

fn spec(
    kind: OperationKind,
    title: &'static str,
    on: Option<Kind>,
    doc: &'static str,
    fields: Vec<FieldSpec>,
) -> OperationSpec {
    OperationSpec {
        kind,
        title,
        doc,
        on,
        fields,
        availability: Availability::Supported,
    }
}

fn volume() -> FieldSpec {
    FieldSpec::required(
        "volume",
        "Volume",
        FieldType::Object(Kind::Volume),
        "The volume.",
    )
}

fn snapshot() -> FieldSpec {
    FieldSpec::required(
        "snapshot",
        "Snapshot",
        FieldType::Object(Kind::Snapshot),
        "The snapshot.",
    )
}

fn name(doc: &'static str) -> FieldSpec {
    FieldSpec::required("name", "Name", NAME, doc)
}

fn new_name() -> FieldSpec {
    FieldSpec::optional("name", "Name", NAME, "Its new name.")
}

fn description() -> FieldSpec {
    FieldSpec::optional(
        "description",
        "Description",
        TEXT,
        "Free text kept with it.",
    )
}

/// What is set and taken away of the metadata of a thing.
pub(in crate::provider) fn metadata() -> FieldSpec {
    FieldSpec::optional(
        "metadata",
        "Metadata",
        FieldType::Text { max: 4096 },
        "What to set (tier=gold) and what to take away (tier-), with commas between.",
    )
}

fn status(words: &'static [&'static str]) -> FieldSpec {
    FieldSpec::optional(
        "status",
        "Status",
        FieldType::Choice(words),
        "The status that the service is to say it has, for administrators: after a fault that was put right by hand.",
    )
}

fn operations(version: Microversion) -> Vec<OperationSpec> {
    use OperationKind as O;
    let mut all = of_volumes();
    all.extend(of_snapshots());
    all.extend(of_groups());
    let mut later = |kinds: &[OperationKind], since: Microversion| {
        if version < since {
            for spec in all.iter_mut().filter(|spec| kinds.contains(&spec.kind)) {
                let reason = format!("the service has version {version}; this needs {since}");
                spec.availability = Availability::Unsupported(reason);
            }
        }
    };
    later(&[O::Restore], Microversion::REVERT);
    later(
        &[O::CreateGroup, O::DeleteGroup],
        Microversion::GROUP_SNAPSHOTS,
    );
    let never = [
        (O::ShrinkVolume, "the service makes no volume smaller"),
        (
            O::Flatten,
            "the service does not tell what a volume shares, nor part it",
        ),
        (
            O::ImportImage,
            "images come into the service through its image service",
        ),
        (
            O::ApplyDifference,
            "the service does not let its data be written from here",
        ),
        (
            O::UpdateGroup,
            "the service does not change a group snapshot",
        ),
        (
            O::RestoreGroup,
            "the service takes no group back; make volumes from its snapshots",
        ),
        (
            O::RetryRestore,
            "the service takes no group back; there is nothing to try again",
        ),
        (
            O::RollBackRestore,
            "the service takes no group back; there is nothing to roll back",
        ),
        (O::Ungroup, "the service does not part a group snapshot"),
        (O::CreateSession, "the service has no sessions"),
        (O::DeleteSession, "the service has no sessions"),
        (O::RestoreSession, "the service has no sessions"),
        (O::LinkTarget, "the service has no linked targets"),
        (O::RelinkTarget, "the service has no linked targets"),
        (O::UnlinkTarget, "the service has no linked targets"),
    ];
    all.extend(never.map(|(kind, reason)| OperationSpec {
        availability: Availability::Unsupported(reason.to_owned()),
        ..spec(kind, "", None, "", Vec::new())
    }));
    all
}

fn of_volumes() -> Vec<OperationSpec> {
    use OperationKind as O;
    vec![
        spec(
            O::CreateVolume,
            "Create a volume",
            None,
            "Makes an empty volume.",
            vec![
                name("What the volume is to be called."),
                FieldSpec::required("size", "Size", SIZE, "Its size: a whole number of GiB."),
                FieldSpec::optional(
                    "type",
                    "Type",
                    NAME,
                    "Its type; the service's own choice where nothing is said.",
                ),
                FieldSpec::optional(
                    "zone",
                    "Zone",
                    NAME,
                    "The availability zone that it is to be in.",
                ),
                description(),
            ],
        ),
        spec(
            O::UpdateVolume,
            "Edit a volume",
            Some(Kind::Volume),
            "Changes a volume's name, description or metadata, or the status that the service says it has; what is not given stays.",
            vec![
                volume(),
                new_name(),
                description(),
                metadata(),
                status(&["available", "in-use", "error"]),
            ],
        ),
        spec(
            O::ExtendVolume,
            "Extend a volume",
            Some(Kind::Volume),
            "Makes a volume larger. What is on it must be told of it by the machine.",
            vec![
                volume(),
                FieldSpec::required(
                    "size",
                    "New size",
                    SIZE,
                    "Its new size: a whole number of GiB.",
                ),
            ],
        ),
        spec(
            O::DeleteVolume,
            "Delete a volume",
            Some(Kind::Volume),
            "Removes a volume for good.",
            vec![
                volume(),
                FieldSpec::optional(
                    "snapshots",
                    "Its snapshots too",
                    FieldType::Flag,
                    "Delete its snapshots with it; a volume that has some is kept otherwise.",
                )
                .default("false"),
            ],
        ),
    ]
}

fn of_snapshots() -> Vec<OperationSpec> {
    use OperationKind as O;
    vec![
        spec(
            O::CreateSnapshot,
            "Take a snapshot",
            Some(Kind::Volume),
            "Takes a point in time of a volume. Of one in use it is as after a power cut.",
            vec![
                volume(),
                name("What the snapshot is to be called."),
                description(),
            ],
        ),
        spec(
            O::UpdateSnapshot,
            "Edit a snapshot",
            Some(Kind::Snapshot),
            "Changes a snapshot's name, description or metadata, or the status that the service says it has; what is not given stays.",
            vec![
                snapshot(),
                new_name(),
                description(),
                metadata(),
                status(&["available", "error"]),
            ],
        ),
        spec(
            O::DeleteSnapshot,
            "Delete a snapshot",
            Some(Kind::Snapshot),
            "Removes a snapshot for good. A member of a group snapshot goes with that only.",
            vec![snapshot()],
        ),
        spec(
            O::Restore,
            "Revert a volume",
            Some(Kind::Snapshot),
            "Takes a volume back to its latest snapshot, the only one that the service can revert to. What was written since is gone: a guard snapshot would be the latest itself.",
            vec![volume(), snapshot()],
        ),
        spec(
            O::Clone,
            "Make a volume from a snapshot",
            Some(Kind::Snapshot),
            "Makes a new volume that holds what the snapshot holds.",
            vec![
                snapshot(),
                name("What the new volume is to be called."),
                FieldSpec::optional(
                    "size",
                    "Size",
                    SIZE,
                    "Its size; the snapshot's where nothing is said.",
                ),
                description(),
            ],
        ),
    ]
}

fn of_groups() -> Vec<OperationSpec> {
    use OperationKind as O;
    vec![
        spec(
            O::CreateGroup,
            "Take a group snapshot",
            None,
            "Takes a snapshot of several volumes. They must be all the volumes of one group; where they are in none, a group is made of them first.",
            vec![
                name("What the group snapshot and its snapshots are to be called."),
                FieldSpec::required(
                    "volumes",
                    "Volumes",
                    FieldType::Objects(Kind::Volume),
                    "The volumes, one or more.",
                ),
                FieldSpec::optional(
                    "group-type",
                    "Group type",
                    NAME,
                    "The type of the group, where one must be made and there are several.",
                ),
                description(),
            ],
        ),
        spec(
            O::DeleteGroup,
            "Delete a group snapshot",
            Some(Kind::Group),
            "Removes a group snapshot and its snapshots for good. The group of volumes stays.",
            vec![FieldSpec::required(
                "group",
                "Group snapshot",
                FieldType::Object(Kind::Group),
                "The group snapshot.",
            )],
        ),
    ]
}
