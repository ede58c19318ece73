//! What the provider keeps on the engine's volumes and points, as attributes that the engine
//! stores with them and does not read.

use crate::engine::Attrs;
use crate::model::{TaskId, Time};

/// Free text.
pub(super) const DESCRIPTION: &str = "description";
/// The machine that a volume is attached to.
pub(super) const INSTANCE: &str = "instance";
/// Its device name there.
pub(super) const DEVICE: &str = "device";
/// Set on a snapshot that was taken to guard what a restore replaced.
pub(super) const GUARD: &str = "guard";
/// The idempotency key of the step that made or last took back the thing.
pub(super) const KEY: &str = "step-key";
/// When the point in time was taken, where that was before it was brought into this
/// store: RFC 3339.
pub(super) const TAKEN: &str = "taken";

/// Those that have a place of their own on the screen, or are nobody's business.
const OWN: [&str; 6] = [DESCRIPTION, INSTANCE, DEVICE, GUARD, KEY, TAKEN];

/// The idempotency key of a step of a task.
pub(super) fn key(task: &TaskId, step: usize) -> String {
    format!("{task}/{step}")
}

/// Adds a text where there is one.
pub(super) fn put(attrs: &mut Attrs, name: &str, text: Option<&str>) {
    match text {
        Some("") => {
            attrs.remove(name);
        }
        Some(text) => {
            attrs.insert(name.to_owned(), text.to_owned());
        }
        None => {}
    }
}

/// The text of an attribute; empty where there is none.
pub(super) fn text(attrs: &Attrs, name: &str) -> String {
    attrs.get(name).cloned().unwrap_or_default()
}

/// When the thing came to be: what the attributes say, else what the engine says.
pub(super) fn taken(attrs: &Attrs, created: Time) -> Time {
    attrs
        .get(TAKEN)
        .and_then(|text| text.parse().ok())
        .unwrap_or(created)
}

/// The attributes that are none of ours.
pub(super) fn rest(attrs: &Attrs) -> Attrs {
    attrs
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
