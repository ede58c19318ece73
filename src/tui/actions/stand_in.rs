//! What a thing stands for where an operation is done to things of another kind: a snapshot for
//! its volume, a linked target for the volume by which hosts see it.

use crate::model::{Kind, ObjectRef, OperationKind, OperationSpec, VolumeId};
use crate::tui::state::State;

/// How an operation begins from a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// It is done to this.
    With(ObjectRef),
    /// A snapshot of this volume is asked for.
    Within(VolumeId),
    /// The form asks for everything.
    Asking,
}

/// Whether an operation has a field for a thing of this kind.
pub(super) fn takes(spec: &OperationSpec, kind: Kind) -> bool {
    spec.field(kind.one()).is_some()
}

/// How an operation on things of kind `on` begins from this thing; `None` where it cannot.
pub(super) fn begins(
    state: &State,
    spec: &OperationSpec,
    on: Kind,
    object: &ObjectRef,
) -> Option<Begins> {
    use OperationKind as O;
    if object.kind == on || takes(spec, object.kind) {
        return Some(Begins::With(object.clone()));
    }
    let inventory = &state.inventory;
    let with = |object: ObjectRef| Some(Begins::With(object));
    match (on, object.kind) {
        // A snapshot stands for its volume where another is to be taken.
        (Kind::Volume, Kind::Snapshot) if spec.kind == O::CreateSnapshot => {
            let snapshot = state.snapshot(&object.id)?;
            with((&snapshot.volume).into())
        }
        (Kind::Volume, Kind::Target) => {
            let target = inventory.targets.get(&object.id)?;
            with((&target.volume).into())
        }
        // A volume stands for its snapshots: the form asks which.
        (Kind::Snapshot, Kind::Volume) if matches!(spec.kind, O::Clone | O::Restore) => {
            Some(Begins::Within(VolumeId(object.id.clone())))
        }
        (Kind::Target, Kind::Volume) => {
            let is = |t: &&crate::model::LinkedTarget| t.volume.as_str() == object.id;
            let target = inventory.targets.items.iter().find(is)?;
            with((&target.id).into())
        }
        (Kind::Session, Kind::Snapshot) if spec.kind == O::LinkTarget => {
            let session = state.snapshot(&object.id)?.session;
            session.map_or(Some(Begins::Asking), |id| with((&id).into()))
        }
        (Kind::Session, Kind::Target) if spec.kind == O::LinkTarget => {
            let session = inventory.targets.get(&object.id)?.session.as_ref();
            session.map_or(Some(Begins::Asking), |id| with(id.into()))
        }
        (Kind::Session, _) if spec.kind == O::LinkTarget => Some(Begins::Asking),
        _ => None,
    }
}

/// The volumes that the things in hand stand for, none twice: what a group of them is taken of.
pub(super) fn volumes(state: &State) -> Vec<ObjectRef> {
    let mut volumes: Vec<ObjectRef> = Vec::new();
    for object in state.objects() {
        let of_members = |members: &[crate::model::Member]| -> Vec<ObjectRef> {
            members.iter().map(|m| (&m.volume).into()).collect()
        };
        let inventory = &state.inventory;
        let found = match object.kind {
            Kind::Volume => vec![object],
            Kind::Snapshot => state
                .snapshot(&object.id)
                .map(|s| (&s.volume).into())
                .into_iter()
                .collect(),
            Kind::Target => inventory
                .targets
                .get(&object.id)
                .map(|t| (&t.volume).into())
                .into_iter()
                .collect(),
            Kind::Group => inventory
                .groups
                .get(&object.id)
                .map_or_else(Vec::new, |g| of_members(&g.members)),
            Kind::Session => inventory
                .sessions
                .get(&object.id)
                .map_or_else(Vec::new, |s| of_members(&s.members)),
        };
        for volume in found {
            if !volumes.contains(&volume) {
                volumes.push(volume);
            }
        }
    }
    volumes
}
