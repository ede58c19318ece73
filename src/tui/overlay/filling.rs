//! What the fields of a form begin with: the thing that it is for, what that thing has there now, a
//! name that will do.

use crate::model::{FieldSpec, FieldType, Kind, ObjectRef, OperationKind};
use crate::tui::state::State;

/// What a field is filled with for good: the thing that the form is for.
pub(super) fn pins(targets: &[ObjectRef], field: &FieldSpec, state: &State) -> Option<String> {
    let (FieldType::Object(kind), name) = (&field.ty, field.name) else {
        return None;
    };
    match targets {
        [] => None,
        [one] => {
            let value = fill(one, name, *kind, state)?;
            Some(state.name_of(&value))
        }
        many => {
            fill(&many[0], name, *kind, state)?;
            let names: Vec<_> = many.iter().take(3).map(|o| state.name_of(o)).collect();
            let more = many.len().saturating_sub(names.len());
            let names = names.join(", ");
            Some(match more {
                0 => names,
                n => format!("{names} and {n} more"),
            })
        }
    }
}

/// What a field already is of the thing that the form changes.
pub(super) fn present(
    kind: OperationKind,
    targets: &[ObjectRef],
    field: &FieldSpec,
    state: &State,
) -> Option<String> {
    use OperationKind as O;
    let name = field.name;
    if !matches!(
        kind,
        O::UpdateVolume | O::UpdateSnapshot | O::UpdateGroup | O::ExtendVolume | O::ShrinkVolume
    ) {
        return None;
    }
    let target = targets.first()?;
    let text = match target.kind {
        Kind::Volume => {
            let volume = state.volume(&target.id)?;
            match name {
                "name" => volume.name.clone(),
                "description" => volume.description.clone(),
                "instance" => volume.instance.clone()?,
                "device" => volume.device.clone()?,
                _ if matches!(field.ty, FieldType::Size { .. }) => volume.size.exact(),
                _ => return None,
            }
        }
        Kind::Snapshot => {
            let snapshot = state.snapshot(&target.id)?;
            match name {
                "name" => snapshot.name.clone(),
                "description" => snapshot.description.clone(),
                _ => return None,
            }
        }
        Kind::Group => {
            let group = state.inventory.groups.get(&target.id)?;
            match name {
                "name" => group.name.clone(),
                "description" => group.description.clone(),
                _ => return None,
            }
        }
        Kind::Session | Kind::Target => return None,
    };
    Some(text)
}

/// A name that will do where none is typed: the first that the field takes.
pub(super) fn suggestion(
    kind: OperationKind,
    targets: &[ObjectRef],
    field: &FieldSpec,
    state: &State,
) -> Option<String> {
    if field.name != "name" {
        return None;
    }
    let candidates = match kind {
        OperationKind::CreateSnapshot
        | OperationKind::CreateGroup
        | OperationKind::CreateSession => {
            let now = state.now.wall.to_zoned(jiff::tz::TimeZone::UTC);
            ["console-%Y%m%d-%H%M", "%Y%m%d-%H%M", "%m%d-%H%M"]
                .map(|form| now.strftime(form).to_string())
                .to_vec()
        }
        OperationKind::Clone => {
            let snapshot = state.snapshot(&targets.first()?.id)?;
            let volume = snapshot.volume_name.as_deref()?;
            vec![format!("{volume}-{}", snapshot.name), format!("{volume}-2")]
        }
        OperationKind::LinkTarget => {
            let session = state.inventory.sessions.get(&targets.first()?.id)?;
            let of = match session.members.as_slice() {
                [one] => one.volume_name.as_deref()?,
                _ => session.name.as_str(),
            };
            let next = session.targets.len() + 1;
            vec![format!("{of}-target-{next}"), format!("target-{next}")]
        }
        _ => return None,
    };
    candidates
        .into_iter()
        .find(|name| field.check(name).is_ok())
}

/// What a field of this name and kind is for a thing: the thing itself, or a snapshot's volume.
pub(super) fn fill(target: &ObjectRef, name: &str, kind: Kind, state: &State) -> Option<ObjectRef> {
    if name != kind.one() {
        return None;
    }
    if target.kind == kind {
        return Some(target.clone());
    }
    match (target.kind, kind) {
        (Kind::Snapshot, Kind::Volume) => {
            let snapshot = state.snapshot(&target.id)?;
            Some(ObjectRef::from(&snapshot.volume))
        }
        _ => None,
    }
}
