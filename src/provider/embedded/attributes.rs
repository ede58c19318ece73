//! What the provider keeps on the engine's volumes and points, as attributes that the engine
//! stores with them and does not read.

use crate::engine::{Attrs, PackedAttrs};
use crate::model::{TaskId, Time};

/// Free text.
pub(super) const DESCRIPTION: &str = "description";
/// The machine that a volume is attached to.
pub(super) const INSTANCE: &str = "instance";
/// Its device name there.
pub(super) const DEVICE: &str = "device";
/// Set on a snapshot that was taken to guard what a restore replaced.
pub(super) const GUARD: &str = "guard";
/// The idempotency key of the step that made the thing; never replaced.
pub(super) const MADE: &str = "made-key";
/// The idempotency keys of the last steps that changed the thing, the newest last.
pub(super) const KEYS: &str = "step-keys";
/// So many of them are kept: more changes than are made between a crash and the next start.
const KEYS_KEPT: usize = 16;
/// When the point in time was taken, where that was before it was brought into this
/// store: RFC 3339.
pub(super) const TAKEN: &str = "taken";

/// The id that a snapshot had where it was first taken, on one that was made by applying a
/// difference. It is the same point in time, wherever it is.
pub const ORIGIN: &str = "origin";
/// On a volume in which a difference is put together, the idempotency key of that step.
pub(super) const STAGING: &str = "applying";
/// On a volume that has a difference applied and lacks its snapshot: what that is to be, as JSON.
pub(super) const APPLIED: &str = "applied";

/// The group or the session that a point in time is a member of: `group:UUID`, `session:UUID`.
pub(super) const SET: &str = "set";
/// Its name; the same on all its members.
pub(super) const SET_NAME: &str = "set-name";
/// How many members it had when it was taken.
pub(super) const SET_SIZE: &str = "set-size";
/// The session that a volume is linked to.
pub(super) const LINK: &str = "link";
/// The point in time that it showed when it was linked.
pub(super) const LINK_POINT: &str = "link-point";
/// The volume of that point in time.
pub(super) const LINK_SOURCE: &str = "link-source";
/// Whether it is to copy what it shows: `copy` or `nocopy`.
pub(super) const LINK_MODE: &str = "link-mode";
/// When it was linked: RFC 3339.
pub(super) const LINKED: &str = "linked";

/// All that make a volume a linked target.
pub(super) const LINK_ALL: [&str; 5] = [LINK, LINK_POINT, LINK_SOURCE, LINK_MODE, LINKED];

/// Those that have a place of their own on the screen, or are nobody's business.
const OWN: [&str; 17] = [
    STAGING,
    APPLIED,
    DESCRIPTION,
    INSTANCE,
    DEVICE,
    GUARD,
    MADE,
    KEYS,
    TAKEN,
    SET,
    SET_NAME,
    SET_SIZE,
    LINK,
    LINK_POINT,
    LINK_SOURCE,
    LINK_MODE,
    LINKED,
];

/// The idempotency key of a step of a task.
pub(super) fn key(task: &TaskId, step: usize) -> String {
    format!("{task}/{step}")
}

/// Attributes, however they are kept.
pub(super) trait Lookup {
    /// The value of an attribute.
    fn value(&self, name: &str) -> Option<&str>;
}

impl Lookup for Attrs {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }
}

impl Lookup for PackedAttrs<'_> {
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name)
    }
}

/// Whether the step with this key made the thing.
pub(super) fn made_by(attrs: &impl Lookup, key: &str) -> bool {
    attrs.value(MADE).is_some_and(|made| made == key)
}

/// Whether the step with this key changed the thing lately.
pub(super) fn changed_by(attrs: &impl Lookup, key: &str) -> bool {
    attrs
        .value(KEYS)
        .is_some_and(|keys| keys.split(' ').any(|one| one == key))
}

/// Notes that the step with this key changed the thing.
pub(super) fn note_change(attrs: &mut Attrs, key: &str) {
    let old = attrs.get(KEYS).map(String::as_str).unwrap_or_default();
    let mut keys: Vec<&str> = old.split(' ').filter(|one| !one.is_empty()).collect();
    keys.push(key);
    let kept = keys.split_off(keys.len().saturating_sub(KEYS_KEPT));
    attrs.insert(KEYS.to_owned(), kept.join(" "));
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
pub(super) fn taken(attrs: &impl Lookup, created: Time) -> Time {
    attrs
        .value(TAKEN)
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
