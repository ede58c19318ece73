//! What the service has and does.

use super::Family;
use crate::model::{
    Availability, Bytes, Capabilities, FieldSpec, FieldType, Kind, OperationKind, OperationSpec,
    Words,
};
use crate::provider::cinder::scan::PAGE;
use crate::provider::cinder::specs::metadata;
use crate::wire::evs;

const NAME: FieldType = FieldType::Name { max: evs::NAME };
const TEXT: FieldType = FieldType::Text {
    max: evs::DESCRIPTION,
};
/// "Data disk 10…32768 GiB" (section 5.1).
const SIZE: FieldType = FieldType::Size {
    min: Bytes::gib(10),
    max: Bytes::gib(32_768),
    step: Bytes::gib(1),
};
/// A system disk may be smaller than one that is made here.
const LARGER: FieldType = FieldType::Size {
    min: Bytes::gib(1),
    max: Bytes::gib(32_768),
    step: Bytes::gib(1),
};

/// The capabilities of a service with these paths.
pub(super) fn capabilities(family: Family, concurrency: usize) -> Capabilities {
    Capabilities {
        system: "evs",
        kinds: vec![Kind::Volume, Kind::Snapshot],
        operations: operations(family),
        page_size: PAGE,
        concurrency: concurrency.max(1),
        called: true,
        words: Words {
            volume: "disk",
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

fn disk() -> FieldSpec {
    let ty = FieldType::Object(Kind::Volume);
    FieldSpec::required("volume", "Disk", ty, "The disk.")
}

fn snapshot() -> FieldSpec {
    let ty = FieldType::Object(Kind::Snapshot);
    FieldSpec::required("snapshot", "Snapshot", ty, "The snapshot.")
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

fn kind_of_disk() -> FieldSpec {
    FieldSpec::optional(
        "type",
        "Type",
        NAME,
        "Its type (SSD, SAS, SATA, GPSSD, ESSD, …); the service's own choice where nothing is said.",
    )
}

fn operations(family: Family) -> Vec<OperationSpec> {
    use OperationKind as O;
    let mut all = of_disks();
    all.extend(of_snapshots());
    if family.vendor {
        // Its paths have no metadata.
        for spec in &mut all {
            spec.fields.retain(|field| field.name != "metadata");
        }
    }
    let never = [
        (O::ShrinkVolume, "the service makes no disk smaller"),
        (
            O::Flatten,
            "the service does not tell what a disk shares, nor part it",
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
            O::CreateGroup,
            "the service has groups of snapshots in another generation of its interface only",
        ),
        (O::UpdateGroup, "the service has no groups"),
        (O::DeleteGroup, "the service has no groups"),
        (O::RestoreGroup, "the service has no groups"),
        (O::RetryRestore, "the service has no groups"),
        (O::RollBackRestore, "the service has no groups"),
        (O::Ungroup, "the service has no groups"),
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

fn of_disks() -> Vec<OperationSpec> {
    use OperationKind as O;
    let whole = "Its size: a whole number of GiB.";
    vec![
        spec(
            O::CreateVolume,
            "Create a disk",
            None,
            "Makes an empty data disk.",
            vec![
                name("What the disk is to be called."),
                FieldSpec::required("size", "Size", SIZE, whole),
                kind_of_disk(),
                FieldSpec::optional(
                    "zone",
                    "Zone",
                    NAME,
                    "The availability zone that it is to be in; the only one where there is but one.",
                ),
                description(),
            ],
        ),
        spec(
            O::UpdateVolume,
            "Edit a disk",
            Some(Kind::Volume),
            "Changes a disk's name or description; what is not given stays.",
            vec![disk(), new_name(), description()],
        ),
        spec(
            O::ExtendVolume,
            "Extend a disk",
            Some(Kind::Volume),
            "Makes a disk larger. What is on it must be told of it by the machine.",
            vec![
                disk(),
                FieldSpec::required("size", "New size", LARGER, whole),
            ],
        ),
        spec(
            O::DeleteVolume,
            "Delete a disk",
            Some(Kind::Volume),
            "Removes a disk for good.",
            vec![
                disk(),
                FieldSpec::optional(
                    "snapshots",
                    "Its snapshots too",
                    FieldType::Flag,
                    "Delete its snapshots with it; a disk that has some is kept otherwise.",
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
            "Takes a point in time of a disk. Of one that is attached it is as after a power cut, and must be forced.",
            vec![
                disk(),
                name(
                    "What the snapshot is to be called; not autobk_snapshot_…, which the service's own are.",
                ),
                description(),
                FieldSpec::optional(
                    "force",
                    "Force",
                    FieldType::Flag,
                    "Take it of a disk that is attached, too.",
                )
                .default("false"),
            ],
        ),
        spec(
            O::UpdateSnapshot,
            "Edit a snapshot",
            Some(Kind::Snapshot),
            "Changes a snapshot's name, description or metadata; what is not given stays.",
            vec![snapshot(), new_name(), description(), metadata()],
        ),
        spec(
            O::DeleteSnapshot,
            "Delete a snapshot",
            Some(Kind::Snapshot),
            "Removes a snapshot for good. One that the service made for a backup is kept unless you say so.",
            vec![
                snapshot(),
                FieldSpec::optional(
                    "automatic",
                    "Also the service's own",
                    FieldType::Flag,
                    "Delete it even if the service made it by itself for a backup.",
                )
                .default("false"),
            ],
        ),
        spec(
            O::Restore,
            "Roll a disk back",
            Some(Kind::Snapshot),
            "Rolls a disk back to one of its snapshots; it must be attached to nothing. Its other snapshots stay.",
            vec![
                disk(),
                snapshot(),
                FieldSpec::optional(
                    "guard",
                    "Guard",
                    FieldType::Flag,
                    "Take a snapshot of what it holds now, first.",
                )
                .default("true"),
            ],
        ),
        spec(
            O::Clone,
            "Make a disk from a snapshot",
            Some(Kind::Snapshot),
            "Makes a new disk that holds what the snapshot holds, in the zone of the snapshot's disk.",
            vec![
                snapshot(),
                name("What the new disk is to be called."),
                FieldSpec::optional(
                    "size",
                    "Size",
                    LARGER,
                    "Its size; the snapshot's where nothing is said.",
                ),
                kind_of_disk(),
                FieldSpec::optional(
                    "zone",
                    "Zone",
                    NAME,
                    "The zone, where the snapshot's disk is gone and cannot say it.",
                ),
                description(),
            ],
        ),
    ]
}
