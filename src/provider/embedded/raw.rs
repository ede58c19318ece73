//! What the store keeps of a thing, as it keeps it.

use super::reader::point;
use super::sets::{self, Set, SetKind};
use super::{Shared, convert, error, targets};
use crate::model::{Kind, ObjectRef, Problem, ProblemKind, Raw};

/// A set is nothing but what its members say.
fn members(set: &Set) -> serde_json::Value {
    let members = set.members.iter().map(|point| {
        serde_json::json!({
            "id": point.id.to_string(),
            "name": point.name,
            "volume": point.volume.to_string(),
            "attributes": point.attrs,
        })
    });
    serde_json::json!({ "id": set.id, "members": members.collect::<Vec<_>>() })
}

/// What the store keeps of one thing.
pub(super) fn raw(shared: &Shared, object: &ObjectRef) -> Result<Raw, Problem> {
    let store = &shared.store;
    let value = match object.kind {
        Kind::Volume | Kind::Target => {
            if object.kind == Kind::Target {
                targets::find(shared, &object.id)?;
            }
            let info = store
                .volume(convert::engine_volume(&object.id)?)
                .map_err(|e| error::problem(&e, format!("volume {} cannot be shown", object.id)))?;
            serde_json::json!({
                "id": info.id.to_string(),
                "name": info.name,
                "size": info.size,
                "created": info.created,
                "parent": info.parent.map(|id| id.to_string()),
                "attributes": info.attrs,
                "referenced": info.usage.referenced,
                "written": info.usage.written,
                "exclusive": info.usage.exclusive,
            })
        }
        Kind::Snapshot => {
            let info = point(shared, &object.id)?;
            serde_json::json!({
                "id": info.id.to_string(),
                "name": info.name,
                "volume": info.volume.to_string(),
                "size": info.size,
                "created": info.created,
                "parent": info.parent.map(|id| id.to_string()),
                "clones": info.clones.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "attributes": info.attrs,
                "referenced": info.usage.referenced,
                "written": info.usage.written,
                "exclusive": info.usage.exclusive,
            })
        }
        Kind::Group => members(&sets::find(shared, SetKind::Group, &object.id)?),
        Kind::Session => members(&sets::find(shared, SetKind::Session, &object.id)?),
    };
    let text = serde_json::to_string_pretty(&value)
        .map_err(|e| Problem::new(ProblemKind::Bug, "the record cannot be shown").caused_by(&e))?;
    Ok(Raw {
        media_type: "application/json".to_owned(),
        text,
    })
}
