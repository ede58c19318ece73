//! What the embedded engine has and does.

use crate::model::{
    Availability, Bytes, Capabilities, FieldSpec, FieldType, Kind, OperationKind, OperationSpec,
    Words,
};

/// The most characters of a name.
const NAME: FieldType = FieldType::Name { max: 255 };
/// The most characters of a description.
const TEXT: FieldType = FieldType::Text { max: 1024 };
const VOLUME: FieldType = FieldType::Object(Kind::Volume);
const SNAPSHOT: FieldType = FieldType::Object(Kind::Snapshot);
const VOLUMES: FieldType = FieldType::Objects(Kind::Volume);
const GROUP: FieldType = FieldType::Object(Kind::Group);
const SESSION: FieldType = FieldType::Object(Kind::Session);
const TARGET: FieldType = FieldType::Object(Kind::Target);
/// A volume is a whole number of blocks of 4 KiB, 64 TiB at most (`docs/engine-format.md`).
const SIZE: FieldType = FieldType::Size {
    min: Bytes(4 * Bytes::KIB),
    max: Bytes::tib(64),
    step: Bytes(4 * Bytes::KIB),
};

/// The capabilities of every store: they do not depend on what is in it.
#[must_use]
pub fn capabilities() -> Capabilities {
    Capabilities {
        system: "embedded",
        kinds: Kind::ALL.to_vec(),
        operations: operations(),
        page_size: 500,
        concurrency: 4,
        called: false,
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

fn operations() -> Vec<OperationSpec> {
    let mut all = of_volumes_and_snapshots();
    all.extend(of_groups_and_sessions());
    all.extend(of_targets());
    // A restore of a group is one record here: it is done whole, or not at all.
    for (kind, title, doc) in [
        (
            OperationKind::RetryRestore,
            "Retry a restore",
            "Takes those volumes back that could not be when all were restored.",
        ),
        (
            OperationKind::RollBackRestore,
            "Roll a restore back",
            "Takes the volumes back to what they held before a restore that failed.",
        ),
    ] {
        let group = FieldSpec::required(
            "group",
            "Group",
            FieldType::Object(Kind::Group),
            "The group whose restore failed.",
        );
        let why = "a restore here is done whole or not at all, so that none is left half done";
        all.push(OperationSpec {
            availability: Availability::Unsupported(why.to_owned()),
            ..spec(kind, title, Some(Kind::Group), doc, vec![group])
        });
    }
    all
}

fn description() -> FieldSpec {
    FieldSpec::optional(
        "description",
        "Description",
        TEXT,
        "Free text kept with it.",
    )
}

fn guard(doc: &'static str) -> FieldSpec {
    FieldSpec::optional("guard", "Guard snapshot", FieldType::Flag, doc).default("true")
}

/// Reading back after a restore what was restored.
fn check() -> FieldSpec {
    FieldSpec::optional(
        "check",
        "Read back",
        FieldType::Flag,
        "Whether to read everything back afterwards, so that what cannot be read is known now.",
    )
    .default("false")
}

fn name(doc: &'static str) -> FieldSpec {
    FieldSpec::required("name", "Name", NAME, doc)
}

fn of_groups_and_sessions() -> Vec<OperationSpec> {
    let volumes = || {
        FieldSpec::required(
            "volumes",
            "Volumes",
            VOLUMES,
            "The volumes, one or more; all are taken at one moment.",
        )
    };
    let group = || FieldSpec::required("group", "Group", GROUP, "The group.");
    let session = || FieldSpec::required("session", "Session", SESSION, "The session.");
    let keep = "Keep what each volume holds now as a snapshot first.";
    vec![
        spec(
            OperationKind::CreateGroup,
            "Take a group",
            None,
            "Takes one point in time of several volumes: no member has a write that another's earlier write is missing.",
            vec![
                name("What the group and its snapshots are to be called."),
                volumes(),
                description(),
            ],
        ),
        spec(
            OperationKind::UpdateGroup,
            "Edit a group",
            Some(Kind::Group),
            "Changes a group's name or description; what is not given stays.",
            vec![
                group(),
                FieldSpec::optional("name", "Name", NAME, "Its new name."),
                description(),
            ],
        ),
        spec(
            OperationKind::DeleteGroup,
            "Delete a group",
            Some(Kind::Group),
            "Removes a group and its snapshots for good, all at once.",
            vec![group()],
        ),
        spec(
            OperationKind::RestoreGroup,
            "Restore a group",
            Some(Kind::Group),
            "Takes all its volumes back to it at one moment. Newer snapshots stay.",
            vec![group(), guard(keep), check()],
        ),
        spec(
            OperationKind::Ungroup,
            "Ungroup",
            Some(Kind::Group),
            "Lets the members be snapshots by themselves; nothing is deleted.",
            vec![group()],
        ),
        spec(
            OperationKind::CreateSession,
            "Take a session",
            None,
            "Takes a point in time of one or more volumes that targets can be linked to.",
            vec![
                name("What the session is to be called."),
                volumes(),
                description(),
            ],
        ),
        spec(
            OperationKind::DeleteSession,
            "Delete a session",
            Some(Kind::Session),
            "Removes a session for good. Its targets must be unlinked before.",
            vec![session()],
        ),
        spec(
            OperationKind::RestoreSession,
            "Restore a session",
            Some(Kind::Session),
            "Takes all its volumes back to it at one moment. Newer snapshots stay.",
            vec![session(), guard(keep), check()],
        ),
    ]
}

fn of_targets() -> Vec<OperationSpec> {
    let session = |doc| FieldSpec::required("session", "Session", SESSION, doc);
    let target = || FieldSpec::required("target", "Linked target", TARGET, "The linked target.");
    vec![
        spec(
            OperationKind::LinkTarget,
            "Link a target",
            Some(Kind::Session),
            "Makes a volume that shows what a session holds, at once; one for each of its volumes.",
            vec![
                session("The session."),
                name("What the target is to be called; with several, the source's name is added."),
                FieldSpec::optional(
                    "mode",
                    "Mode",
                    FieldType::Choice(&["nocopy", "copy"]),
                    "nocopy shares with the session; copy copies everything in the background, and stands alone then.",
                )
                .default("nocopy"),
                description(),
            ],
        ),
        spec(
            OperationKind::RelinkTarget,
            "Relink a target",
            Some(Kind::Target),
            "Lets a target show another session, or the same one afresh; what was written to it goes.",
            vec![
                target(),
                session("The session that it is to show."),
                FieldSpec::optional(
                    "guard",
                    "Guard snapshot",
                    FieldType::Flag,
                    "Keep what the target holds now as a snapshot first.",
                )
                .default("false"),
            ],
        ),
        spec(
            OperationKind::UnlinkTarget,
            "Unlink a target",
            Some(Kind::Target),
            "Parts a target from its session. It stays a whole volume, unless it is to be deleted.",
            vec![
                target(),
                FieldSpec::optional(
                    "delete",
                    "Delete it",
                    FieldType::Flag,
                    "Whether the target is deleted then.",
                )
                .default("false"),
            ],
        ),
    ]
}

fn of_volumes_and_snapshots() -> Vec<OperationSpec> {
    let volume = |doc| FieldSpec::required("volume", "Volume", VOLUME, doc);
    let snapshot = |doc| FieldSpec::required("snapshot", "Snapshot", SNAPSHOT, doc);
    let rename = |doc| FieldSpec::optional("name", "Name", NAME, doc);
    let instance = || {
        FieldSpec::optional(
            "instance",
            "Instance",
            FieldType::Text { max: 255 },
            "The machine that it is attached to, by name; empty for none.",
        )
    };
    let device = || {
        FieldSpec::optional(
            "device",
            "Device",
            FieldType::Text { max: 64 },
            "Its device name there, such as vda.",
        )
    };
    vec![
        spec(
            OperationKind::CreateVolume,
            "Create a volume",
            None,
            "Makes an empty thin volume: it takes room only for what is written to it.",
            vec![
                name("What it is to be called."),
                FieldSpec::required(
                    "size",
                    "Size",
                    SIZE,
                    "What the host sees, such as 64GiB; a multiple of 4 KiB.",
                ),
                description(),
                instance(),
                device(),
            ],
        ),
        spec(
            OperationKind::UpdateVolume,
            "Edit a volume",
            Some(Kind::Volume),
            "Changes a volume's name, description or instance; what is not given stays.",
            vec![
                volume("The volume."),
                rename("Its new name."),
                description(),
                instance(),
                device(),
            ],
        ),
        spec(
            OperationKind::ExtendVolume,
            "Extend a volume",
            Some(Kind::Volume),
            "Makes a volume larger; the new part reads as zeroes.",
            vec![
                volume("The volume."),
                FieldSpec::required("size", "New size", SIZE, "Its new size; larger than now."),
            ],
        ),
        spec(
            OperationKind::ShrinkVolume,
            "Shrink a volume",
            Some(Kind::Volume),
            "Makes a volume smaller; what lies beyond the new size is cut off.",
            vec![
                volume("The volume."),
                FieldSpec::required("size", "New size", SIZE, "Its new size; smaller than now."),
                guard("Keep what the volume holds now as a snapshot first."),
            ],
        ),
        spec(
            OperationKind::DeleteVolume,
            "Delete a volume",
            Some(Kind::Volume),
            "Removes a volume for good. Clones of its snapshots stay whole.",
            vec![
                volume("The volume."),
                FieldSpec::optional(
                    "snapshots",
                    "With its snapshots",
                    FieldType::Flag,
                    "Whether its snapshots go with it; without, a volume that has some is kept.",
                )
                .default("false"),
            ],
        ),
        spec(
            OperationKind::CreateSnapshot,
            "Take a snapshot",
            Some(Kind::Volume),
            "Keeps what a volume holds now as a point in time; at once, whatever its size.",
            vec![
                volume("The volume."),
                name("What the point in time is to be called."),
                description(),
            ],
        ),
        spec(
            OperationKind::UpdateSnapshot,
            "Edit a snapshot",
            Some(Kind::Snapshot),
            "Changes a snapshot's name or description; what is not given stays.",
            vec![
                snapshot("The snapshot."),
                rename("Its new name."),
                description(),
            ],
        ),
        spec(
            OperationKind::DeleteSnapshot,
            "Delete a snapshot",
            Some(Kind::Snapshot),
            "Removes a point in time for good; what only it held is freed. Others stay whole.",
            vec![snapshot("The snapshot.")],
        ),
        spec(
            OperationKind::Restore,
            "Restore",
            Some(Kind::Snapshot),
            "Takes a volume back to a point in time, at once. Newer snapshots stay, as a branch.",
            vec![
                volume("The volume that is taken back."),
                snapshot("The point in time that it is taken back to."),
                guard("Keep what the volume holds now as a snapshot first."),
                check(),
            ],
        ),
        spec(
            OperationKind::Clone,
            "Clone to a new volume",
            Some(Kind::Snapshot),
            "Makes a new volume from a point in time, at once; it shares what it does not change.",
            vec![
                snapshot("The point in time."),
                name("What the new volume is to be called."),
                FieldSpec::optional(
                    "copy",
                    "Copy everything",
                    FieldType::Flag,
                    "Whether to copy what is shared in the background, so that it stands alone.",
                )
                .default("false"),
                description(),
                instance(),
            ],
        ),
        spec(
            OperationKind::Flatten,
            "Flatten",
            Some(Kind::Volume),
            "Copies what a volume shares with snapshots in the background, so that it stands alone.",
            vec![volume("The volume.")],
        ),
        spec(
            OperationKind::ImportImage,
            "Import an image",
            None,
            "Fills a new volume, or one that is there, from a raw or qcow2 image; holes stay holes.",
            vec![
                FieldSpec::required(
                    "file",
                    "Image file",
                    FieldType::File,
                    "The image; - for standard input.",
                ),
                FieldSpec::optional("name", "New volume", NAME, "The name of a new volume."),
                FieldSpec::optional(
                    "volume",
                    "Or into",
                    VOLUME,
                    "A volume that is there, whose content is replaced.",
                ),
                guard("Keep what that volume holds now as a snapshot first."),
                FieldSpec::optional(
                    "format",
                    "Format",
                    FieldType::Choice(&["auto", "raw", "qcow2"]),
                    "The image's format; auto finds it from the first bytes.",
                )
                .default("auto"),
                FieldSpec::optional(
                    "backing",
                    "Backing files",
                    FieldType::Flag,
                    "Read the files that the image names too; it could name any of this machine.",
                )
                .default("false"),
                FieldSpec::optional(
                    "resume",
                    "Go on",
                    FieldType::Flag,
                    "Go on with an import of this image that was interrupted or cancelled.",
                )
                .default("false"),
            ],
        ),
        spec(
            OperationKind::ApplyDifference,
            "Apply a difference",
            None,
            "Brings what changed elsewhere into a volume that is what it was before, as a whole or not at all.",
            vec![
                FieldSpec::required(
                    "file",
                    "Difference",
                    FieldType::File,
                    "What `export --since` wrote; - for standard input.",
                ),
                FieldSpec::optional(
                    "volume",
                    "Into",
                    VOLUME,
                    "The volume; it holds what the difference is since, and nothing newer.",
                ),
                FieldSpec::optional(
                    "name",
                    "Or new volume",
                    NAME,
                    "The name of a new volume, for a difference from nothing.",
                ),
                FieldSpec::optional(
                    "foreign",
                    "Without a seal",
                    FieldType::Flag,
                    "Take one without checksum and ids, as `rbd export-diff` writes it.",
                )
                .default("false"),
            ],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_spec_and_every_default_is_valid() {
        let capabilities = capabilities();
        for kind in OperationKind::ALL {
            let spec = capabilities.operation(kind).unwrap();
            for field in &spec.fields {
                assert!(!field.doc.is_empty(), "{kind} {}", field.name);
                if let Some(default) = field.default {
                    field.check(default).unwrap();
                }
            }
            if let Some(on) = spec.on {
                assert!(spec.field(on.one()).is_some_and(|field| field.required));
            }
        }
    }
}
