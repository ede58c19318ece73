//! What the system has and does.

use super::look::PAGE;
use crate::model::{
    Availability, Capabilities, FieldSpec, FieldType, Kind, OperationKind, OperationSpec, Words,
};
use crate::wire::zstack;

const NAME: FieldType = FieldType::Name { max: zstack::NAME };
const TEXT: FieldType = FieldType::Text {
    max: zstack::DESCRIPTION,
};

/// The capabilities of every system.
pub(super) fn capabilities(concurrency: usize) -> Capabilities {
    Capabilities {
        system: "zstack",
        kinds: vec![Kind::Volume, Kind::Snapshot, Kind::Group],
        operations: operations(),
        page_size: PAGE,
        concurrency: concurrency.max(1),
        called: true,
        words: Words {
            volume: "volume",
            snapshot: "volume snapshot",
            group: "snapshot group",
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
    let ty = FieldType::Object(Kind::Volume);
    FieldSpec::required("volume", "Volume", ty, "The volume.")
}

fn snapshot() -> FieldSpec {
    let ty = FieldType::Object(Kind::Snapshot);
    FieldSpec::required("snapshot", "Snapshot", ty, "The snapshot.")
}

fn group() -> FieldSpec {
    let ty = FieldType::Object(Kind::Group);
    FieldSpec::required("group", "Snapshot group", ty, "The snapshot group.")
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

fn flag(
    name: &'static str,
    label: &'static str,
    default: &'static str,
    doc: &'static str,
) -> FieldSpec {
    FieldSpec::optional(name, label, FieldType::Flag, doc).default(default)
}

fn stop() -> FieldSpec {
    flag(
        "stop",
        "Stop the VM",
        "false",
        "Stop the VM first, and start it again afterwards; it must be Stopped.",
    )
}

fn long() -> FieldSpec {
    flag(
        "long",
        "As a long job",
        "false",
        "Submit it as a long job, which the system lists and keeps, and takes up again after it was restarted.",
    )
}

fn mode() -> FieldSpec {
    FieldSpec::optional(
        "mode",
        "Mode",
        FieldType::Choice(&["Permissive", "Enforcing"]),
        "Permissive refuses what something depends on; Enforcing looks at nothing and tells no failure.",
    )
    .default("Permissive")
}

fn operations() -> Vec<OperationSpec> {
    use OperationKind as O;
    let mut all = of_snapshots();
    all.extend(of_groups());
    let never = [
        (
            O::CreateVolume,
            "empty volumes are made in the system's own console",
        ),
        (
            O::UpdateVolume,
            "volumes are changed in the system's own console",
        ),
        (
            O::ExtendVolume,
            "volumes are resized in the system's own console",
        ),
        (O::ShrinkVolume, "the system makes no volume smaller"),
        (
            O::DeleteVolume,
            "volumes are deleted in the system's own console",
        ),
        (
            O::Flatten,
            "volumes are flattened in the system's own console",
        ),
        (
            O::ImportImage,
            "images come into the system through its image storage",
        ),
        (
            O::ApplyDifference,
            "the system does not let its data be written from here",
        ),
        (
            O::RetryRestore,
            "a restore that failed is done again as it was",
        ),
        (
            O::RollBackRestore,
            "a restore is taken back by going back to its guard",
        ),
        (O::CreateSession, "the system has no sessions"),
        (O::DeleteSession, "the system has no sessions"),
        (O::RestoreSession, "the system has no sessions"),
        (O::LinkTarget, "the system has no linked targets"),
        (O::RelinkTarget, "the system has no linked targets"),
        (O::UnlinkTarget, "the system has no linked targets"),
    ];
    all.extend(never.map(|(kind, reason)| OperationSpec {
        availability: Availability::Unsupported(reason.to_owned()),
        ..spec(kind, "", None, "", Vec::new())
    }));
    all
}

fn of_snapshots() -> Vec<OperationSpec> {
    use OperationKind as O;
    vec![
        spec(
            O::CreateSnapshot,
            "Take a volume snapshot",
            Some(Kind::Volume),
            "Takes a point in time of a volume, also of one whose VM runs.",
            vec![
                volume(),
                name("What the snapshot is to be called."),
                description(),
            ],
        ),
        spec(
            O::UpdateSnapshot,
            "Edit a volume snapshot",
            Some(Kind::Snapshot),
            "Changes a snapshot's name or description; what is not given stays.",
            vec![
                snapshot(),
                new_name(),
                description(),
                flag(
                    "measure",
                    "Measure",
                    "false",
                    "Ask the storage how much it takes, which the system then keeps.",
                ),
            ],
        ),
        spec(
            O::DeleteSnapshot,
            "Delete a volume snapshot",
            Some(Kind::Snapshot),
            "Removes a snapshot for good, and every snapshot that hangs from it. What the volume holds stays.",
            vec![snapshot(), mode(), long()],
        ),
        spec(
            O::Restore,
            "Revert a volume",
            Some(Kind::Snapshot),
            "Takes a volume back to one of its snapshots; its VM must be stopped. Its other snapshots stay.",
            vec![
                volume(),
                snapshot(),
                flag(
                    "guard",
                    "Guard",
                    "true",
                    "Take a snapshot of what it holds now, first.",
                ),
                stop(),
                long(),
            ],
        ),
        spec(
            O::Clone,
            "Make a volume from a snapshot",
            Some(Kind::Snapshot),
            "Makes a new data volume that holds what the snapshot holds.",
            vec![
                snapshot(),
                name("What the new volume is to be called."),
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
            "Take a snapshot group",
            None,
            "Takes one point in time of a VM: of all its volumes, and of its memory where that is wanted.",
            vec![
                name("What the group is to be called; its snapshots are called after it."),
                FieldSpec::required(
                    "volumes",
                    "Volumes",
                    FieldType::Objects(Kind::Volume),
                    "All volumes of one VM.",
                ),
                description(),
                flag(
                    "memory",
                    "With memory",
                    "false",
                    "Take the memory of the VM too; it must be Running or Paused.",
                ),
            ],
        ),
        spec(
            O::UpdateGroup,
            "Edit a snapshot group",
            Some(Kind::Group),
            "Changes a group's name or description; what is not given stays.",
            vec![group(), new_name(), description()],
        ),
        spec(
            O::DeleteGroup,
            "Delete a snapshot group",
            Some(Kind::Group),
            "Removes a group and its snapshots for good, and every snapshot that hangs from them.",
            vec![group(), mode()],
        ),
        spec(
            O::RestoreGroup,
            "Revert a VM",
            Some(Kind::Group),
            "Takes all volumes of a VM back to a snapshot group; the VM must be stopped. Other groups stay.",
            vec![
                group(),
                flag(
                    "guard",
                    "Guard group",
                    "true",
                    "Take a snapshot group of what it holds now, first.",
                ),
                stop(),
            ],
        ),
        spec(
            O::Ungroup,
            "Ungroup",
            Some(Kind::Group),
            "Lets the members be snapshots by themselves; nothing is deleted.",
            vec![group()],
        ),
    ]
}
