//! Where things lie: the block map, and the difference of two points in time.

use super::go::go_to;
use crate::model::{Kind, ObjectRef};
use crate::tui::event::{Effect, Layer, Looked};
use crate::tui::page::map::parent;
use crate::tui::state::{Look, Place, Purpose, RowId, State};

/// The volume or the snapshot that a thing is.
fn with_content(state: &State, object: &ObjectRef) -> Option<ObjectRef> {
    match object.kind {
        Kind::Volume | Kind::Snapshot => Some(object.clone()),
        Kind::Target => {
            let target = state.inventory.targets.get(&object.id)?;
            Some((&target.volume).into())
        }
        Kind::Group | Kind::Session => None,
    }
}

/// The marked things that have content.
fn marked(state: &State) -> Vec<ObjectRef> {
    let marks = state.screen().marks.iter();
    let objects = marks.filter_map(|id| match id {
        RowId::Object(object) => with_content(state, object),
        _ => None,
    });
    objects.collect()
}

pub(super) fn can_map(state: &State) -> Result<(), String> {
    let object = state
        .object()
        .ok_or("nothing is selected that lies anywhere")?;
    match with_content(state, &object) {
        Some(_) => Ok(()),
        None => Err(format!(
            "a {} lies nowhere by itself",
            state.word(object.kind)
        )),
    }
}

/// Shows how the thing in hand lies, and what changed in it since the one that is marked.
pub(super) fn map(state: &mut State) {
    let object = state
        .object()
        .and_then(|object| with_content(state, &object));
    let Some(object) = object else {
        return;
    };
    let mark = match marked(state).as_slice() {
        [one] if *one != object => Some(one.clone()),
        _ => None,
    };
    go_to(state, Place::Map(object, mark));
    look(state);
}

/// The earlier and the later of two points in time.
fn pair(state: &State) -> Result<(ObjectRef, ObjectRef), String> {
    let marked = marked(state);
    let object = state
        .object()
        .and_then(|object| with_content(state, &object));
    let (a, b) = match (marked.as_slice(), object) {
        ([a, b], _) => (a.clone(), b.clone()),
        ([a], Some(b)) if *a != b => (a.clone(), b),
        _ => {
            let word = state.word(Kind::Snapshot);
            return Err(format!("mark one {word}, then press it on another"));
        }
    };
    // Where a volume is now comes after all its points in time.
    let when = |object: &ObjectRef| match object.kind {
        Kind::Snapshot => (false, state.snapshot(&object.id).and_then(|s| s.created)),
        _ => (true, None),
    };
    Ok(if when(&a) <= when(&b) { (a, b) } else { (b, a) })
}

pub(super) fn can_compare(state: &State) -> Result<(), String> {
    pair(state).map(|_| ())
}

/// Shows what differs between two points in time.
pub(super) fn compare(state: &mut State) {
    if let Ok((from, to)) = pair(state) {
        go_to(state, Place::Difference(from, to));
        look(state);
    }
}

/// Looks at what the screen in hand shows, anew.
pub(super) fn look(state: &mut State) {
    let layers = match state.screen().place.clone() {
        Place::Map(object, mark) => {
            let layer = |layer, from| Looked {
                layer,
                from,
                to: object.clone(),
                listed: false,
            };
            let mut layers = vec![layer(Layer::Data, None)];
            layers.extend(parent(state, &object).map(|from| layer(Layer::Own, Some(from))));
            layers.extend(mark.map(|from| layer(Layer::Changed, Some(from))));
            layers
        }
        Place::Difference(from, to) => vec![Looked {
            layer: Layer::Changed,
            from: Some(from),
            to,
            listed: true,
        }],
        _ => return,
    };
    forget(state);
    let ticket = state.ask(Purpose::Look, |t| Effect::Look(t, layers));
    state.views.screen_mut().look = Some(Box::new(Look::new(ticket)));
}

/// Nobody looks any more.
pub(super) fn forget(state: &mut State) {
    state.forget(|purpose| *purpose == Purpose::Look);
}
