//! What the system has and does.

use super::reader::PAGE;
use crate::model::{
    Availability, Bytes, Capabilities, FieldSpec, FieldType, Kind, OperationKind, OperationSpec,
    Words,
};
use crate::wire::vipr::{LONGEST_NAME, LONGEST_SNAPSHOT};

/// Names of sessions and targets (section 8.3).
const NAME: FieldType = FieldType::Name { max: LONGEST_NAME };
/// Names, or ids, of what is there.
const THING: FieldType = FieldType::Name { max: 128 };
const SIZE: FieldType = FieldType::Size {
    min: Bytes::gib(1),
    max: Bytes::tib(64),
    step: Bytes::gib(1),
};
const COUNT: FieldType = FieldType::Name { max: 4 };

/// The capabilities of a system.
pub(super) fn capabilities(concurrency: usize) -> Capabilities {
    Capabilities {
        system: "vipr",
        kinds: vec![Kind::Volume, Kind::Snapshot, Kind::Session, Kind::Target],
        operations: operations(),
        page_size: PAGE,
        concurrency: concurrency.max(1),
        called: true,
        words: Words {
            volume: "volume",
            snapshot: "snapshot",
            group: "consistency group",
            session: "snapshot session",
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

fn object(kind: Kind, label: &'static str, doc: &'static str) -> FieldSpec {
    FieldSpec::required(kind.one(), label, FieldType::Object(kind), doc)
}

fn volume() -> FieldSpec {
    object(Kind::Volume, "Volume", "The volume.")
}

fn snapshot() -> FieldSpec {
    object(Kind::Snapshot, "Snapshot", "The snapshot.")
}

fn session(doc: &'static str) -> FieldSpec {
    object(Kind::Session, "Snapshot session", doc)
}

fn target() -> FieldSpec {
    object(Kind::Target, "Linked target", "The linked target.")
}

fn guard(doc: &'static str) -> FieldSpec {
    FieldSpec::optional("guard", "Guard", FieldType::Flag, doc).default("true")
}

fn mode() -> FieldSpec {
    FieldSpec::optional(
        "mode",
        "Copy mode",
        FieldType::Choice(&["nocopy", "copy"]),
        "nocopy shares tracks with the source; copy makes a full copy, which alone is whole once it is unlinked.",
    )
    .default("nocopy")
}

fn operations() -> Vec<OperationSpec> {
    use OperationKind as O;
    let mut all = of_volumes();
    all.extend(of_snapshots());
    all.extend(of_sessions());
    all.extend(of_targets());
    let never = [
        (
            O::UpdateVolume,
            "the system changes neither names nor descriptions of volumes",
        ),
        (O::ShrinkVolume, "the system makes no volume smaller"),
        (
            O::UpdateSnapshot,
            "the system changes neither names nor descriptions of snapshots",
        ),
        (
            O::Clone,
            "full copies are shown, and not made from here; link a target to a session in the mode copy",
        ),
        (O::Flatten, "the system does not tell what a volume shares"),
        (
            O::ImportImage,
            "the system does not let its data be written from here",
        ),
        (
            O::ApplyDifference,
            "the system does not let its data be written from here",
        ),
        (
            O::CreateGroup,
            "several volumes are taken as the snapshot session of their consistency group",
        ),
        (O::UpdateGroup, "the system has no snapshot groups"),
        (O::DeleteGroup, "the system has no snapshot groups"),
        (O::RestoreGroup, "the system has no snapshot groups"),
        (O::Ungroup, "the system has no snapshot groups"),
        (O::RetryRestore, "the system has no snapshot groups"),
        (O::RollBackRestore, "the system has no snapshot groups"),
    ];
    all.extend(never.map(|(kind, reason)| OperationSpec {
        availability: Availability::Unsupported(reason.to_owned()),
        ..spec(kind, "", None, "", Vec::new())
    }));
    all
}

fn of_volumes() -> Vec<OperationSpec> {
    use OperationKind as O;
    let whole = "Its size: a whole number of GiB.";
    vec![
        spec(
            O::CreateVolume,
            "Create a volume",
            None,
            "Makes an empty volume in a virtual pool.",
            vec![
                FieldSpec::required("name", "Name", THING, "What the volume is to be called; 2 characters or more."),
                FieldSpec::required("size", "Size", SIZE, whole),
                FieldSpec::optional("pool", "Virtual pool", THING, "The virtual pool, by name or id; the only one where there is but one."),
                FieldSpec::optional("array", "Virtual array", THING, "The virtual array, by name or id; the only one where there is but one."),
                FieldSpec::optional("project", "Project", THING, "The project, by name or id; the only one where there is but one."),
                FieldSpec::optional("consistency-group", "Consistency group", THING, "The consistency group that it is to be in, by name or id."),
            ],
        ),
        spec(
            O::ExtendVolume,
            "Expand a volume",
            Some(Kind::Volume),
            "Makes a volume larger. What is on it must be told of it by the host.",
            vec![volume(), FieldSpec::required("size", "New size", SIZE, whole)],
        ),
        spec(
            O::DeleteVolume,
            "Delete a volume",
            Some(Kind::Volume),
            "Removes a volume for good. One that hosts see is refused by the system.",
            vec![
                volume(),
                FieldSpec::optional(
                    "snapshots",
                    "Its points in time too",
                    FieldType::Flag,
                    "Delete its snapshots, linked targets and snapshot sessions first; a volume that has some is kept otherwise.",
                )
                .default("false"),
            ],
        ),
    ]
}

fn of_snapshots() -> Vec<OperationSpec> {
    use OperationKind as O;
    let name = FieldType::Name {
        max: LONGEST_SNAPSHOT,
    };
    vec![
        spec(
            O::CreateSnapshot,
            "Take a snapshot",
            Some(Kind::Volume),
            "Takes a plain snapshot, with a device of its own. Of a volume in a consistency group it is one of each member.",
            vec![
                volume(),
                FieldSpec::required(
                    "name",
                    "Name",
                    name,
                    "What the snapshot is to be called; {datetime} is the system's time.",
                ),
            ],
        ),
        spec(
            O::DeleteSnapshot,
            "Delete a snapshot",
            Some(Kind::Snapshot),
            "Removes a snapshot for good, and the snapshot session that was made for it alone.",
            vec![snapshot()],
        ),
        spec(
            O::Restore,
            "Restore a snapshot",
            Some(Kind::Snapshot),
            "Takes a volume back to one of its snapshots. Hosts must not use it meanwhile: the system does not look.",
            vec![
                volume(),
                snapshot(),
                guard("Take a snapshot of what it holds now, first."),
            ],
        ),
    ]
}

fn of_sessions() -> Vec<OperationSpec> {
    use OperationKind as O;
    vec![
        spec(
            O::CreateSession,
            "Take a snapshot session",
            None,
            "Takes a point in time that hosts see nothing of until targets are linked to it. Of volumes in a consistency group it is one of all that share their replication group.",
            vec![
                FieldSpec::required(
                    "name",
                    "Name",
                    NAME,
                    "What the session is to be called; {datetime} is the system's time.",
                ),
                FieldSpec::required(
                    "volumes",
                    "Volumes",
                    FieldType::Objects(Kind::Volume),
                    "One volume, or volumes of one consistency group.",
                ),
                FieldSpec::optional(
                    "count",
                    "Linked targets",
                    COUNT,
                    "How many targets to link at once, for each volume.",
                )
                .default("0"),
                FieldSpec::optional(
                    "target-name",
                    "Target name",
                    NAME,
                    "What their names begin with; -1, -2 and so on are added.",
                ),
                mode(),
            ],
        ),
        spec(
            O::DeleteSession,
            "Delete a snapshot session",
            Some(Kind::Session),
            "Removes a session for good. Its targets must be unlinked before.",
            vec![session("The session.")],
        ),
        spec(
            O::RestoreSession,
            "Restore a snapshot session",
            Some(Kind::Session),
            "Puts its data back on the volumes that it is of. Hosts must not use them meanwhile: the system does not look.",
            vec![
                session("The session."),
                guard("Take a session of what they hold now, first."),
            ],
        ),
    ]
}

fn of_targets() -> Vec<OperationSpec> {
    use OperationKind as O;
    vec![
        spec(
            O::LinkTarget,
            "Link targets",
            Some(Kind::Session),
            "Makes devices that show what a session holds.",
            vec![
                session("The session."),
                FieldSpec::required(
                    "name",
                    "Target name",
                    NAME,
                    "What their names begin with; -1, -2 and so on are added.",
                ),
                FieldSpec::optional(
                    "count",
                    "Count",
                    COUNT,
                    "How many, for each volume of the session.",
                )
                .default("1"),
                mode(),
            ],
        ),
        spec(
            O::RelinkTarget,
            "Relink a target",
            Some(Kind::Target),
            "Lets a target show another session of its source, or its own afresh. Of a consistency group all targets of its set move.",
            vec![target(), session("The session that it is to show.")],
        ),
        spec(
            O::UnlinkTarget,
            "Unlink a target",
            Some(Kind::Target),
            "Parts a target from its session: it is a volume of its own then, or deleted. Of a consistency group all targets of its set go.",
            vec![
                target(),
                FieldSpec::optional(
                    "delete",
                    "Delete the device",
                    FieldType::Flag,
                    "Delete the device too.",
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
    fn every_operation_has_a_spec_or_a_reason() {
        let capabilities = capabilities(8);
        for kind in OperationKind::ALL {
            let spec = capabilities.operation(kind).unwrap();
            for field in &spec.fields {
                assert!(!field.doc.is_empty(), "{kind} {}", field.name);
                if let Some(default) = field.default {
                    field.check(default).unwrap();
                }
            }
        }
    }
}
