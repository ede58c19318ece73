//! What PowerVC has and does: block storage as it is, instance snapshots in the place of its groups.

use crate::model::{
    Availability, Capabilities, FieldSpec, FieldType, Kind, OperationKind, OperationSpec, Words,
};

const NAME: FieldType = FieldType::Name { max: 255 };
/// Room is left for the key that is kept in it.
const TEXT: FieldType = FieldType::Text { max: 180 };

/// The capabilities, made from those of its block storage.
pub(super) fn capabilities(volumes: Capabilities) -> Capabilities {
    let mut operations = volumes.operations;
    for spec in own() {
        match operations.iter_mut().find(|old| old.kind == spec.kind) {
            Some(old) => *old = spec,
            None => operations.push(spec),
        }
    }
    Capabilities {
        system: "powervc",
        kinds: vec![Kind::Volume, Kind::Snapshot, Kind::Group, Kind::Target],
        operations,
        words: Words {
            group: "instance snapshot",
            target: "FlashCopy mapping",
            ..volumes.words
        },
        ..volumes
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

fn group() -> FieldSpec {
    FieldSpec::required(
        "group",
        "Instance snapshot",
        FieldType::Object(Kind::Group),
        "The instance snapshot.",
    )
}

fn description() -> FieldSpec {
    FieldSpec::optional(
        "description",
        "Description",
        TEXT,
        "Free text kept with it.",
    )
}

fn force() -> FieldSpec {
    FieldSpec::optional(
        "force",
        "Though it runs",
        FieldType::Flag,
        "Do it though the machine is not shut off; you warrant that nothing writes to its volumes meanwhile.",
    )
    .default("false")
}

fn own() -> Vec<OperationSpec> {
    use OperationKind as O;
    let mut all = vec![
        spec(
            O::CreateGroup,
            "Take an instance snapshot",
            None,
            "Takes a snapshot of a machine: of all volumes that are attached to it, or of some of them.",
            vec![
                FieldSpec::required(
                    "name",
                    "Name",
                    NAME,
                    "What the instance snapshot is to be called.",
                ),
                FieldSpec::optional(
                    "volumes",
                    "Volumes",
                    FieldType::Objects(Kind::Volume),
                    "The volumes, all of one machine; all that are attached to it where none are named.",
                ),
                FieldSpec::optional(
                    "instance",
                    "Machine",
                    NAME,
                    "The machine, by its name or its id; the one that the volumes are attached to where nothing is said.",
                ),
                description(),
            ],
        ),
        spec(
            O::UpdateGroup,
            "Edit an instance snapshot",
            Some(Kind::Group),
            "Changes an instance snapshot's name or description; what is not given stays.",
            vec![
                group(),
                FieldSpec::optional("name", "Name", NAME, "Its new name."),
                description(),
            ],
        ),
        spec(
            O::DeleteGroup,
            "Delete an instance snapshot",
            Some(Kind::Group),
            "Removes an instance snapshot, and the snapshots of volumes that it is made of, for good.",
            vec![group()],
        ),
        spec(
            O::RestoreGroup,
            "Restore a machine",
            Some(Kind::Group),
            "Takes the volumes of a machine back to an instance snapshot. The machine must be shut off.",
            vec![
                group(),
                FieldSpec::optional(
                    "guard",
                    "Guard snapshot",
                    FieldType::Flag,
                    "Take an instance snapshot of what the volumes hold now first.",
                )
                .default("true"),
                force(),
            ],
        ),
        spec(
            O::RetryRestore,
            "Retry a restore",
            Some(Kind::Group),
            "After a restore that failed: tries those volumes again that could not be taken back.",
            vec![group(), force()],
        ),
        spec(
            O::RollBackRestore,
            "Roll a restore back",
            Some(Kind::Group),
            "After a restore that failed: takes all its volumes to what they held before, from the safety snapshots that PowerVC took.",
            vec![group(), force()],
        ),
    ];
    let never = "FlashCopy mappings are made and ended by the storage; they are only shown";
    for (kind, reason) in [
        (
            O::Ungroup,
            "the members of an instance snapshot belong to it until it is deleted",
        ),
        (O::LinkTarget, never),
        (O::RelinkTarget, never),
        (O::UnlinkTarget, never),
    ] {
        all.push(OperationSpec {
            availability: Availability::Unsupported(reason.to_owned()),
            ..spec(kind, "", None, "", Vec::new())
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_spec_or_a_reason() {
        let all = super::super::capabilities();
        for kind in OperationKind::ALL {
            let spec = all.operation(kind).unwrap();
            if let Availability::Unsupported(reason) = &spec.availability {
                assert!(!reason.is_empty(), "{kind}");
                continue;
            }
            for field in &spec.fields {
                assert!(!field.doc.is_empty(), "{kind} {}", field.name);
                if let Some(default) = field.default {
                    field.check(default).unwrap();
                }
            }
        }
    }
}
