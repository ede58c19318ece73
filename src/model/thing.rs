//! An object as it is written down where it is read again: for people it stands as it is, for a program it says of
//! which kind it is.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Group, LinkedTarget, Object, Session, Snapshot, Volume};

/// An object that says of which kind it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Thing {
    /// A volume.
    Volume(Box<Volume>),
    /// A snapshot.
    Snapshot(Box<Snapshot>),
    /// A group.
    Group(Group),
    /// A session.
    Session(Session),
    /// A linked target.
    Target(Box<LinkedTarget>),
}

impl From<Object> for Thing {
    fn from(object: Object) -> Self {
        match object {
            Object::Volume(volume) => Self::Volume(Box::new(volume)),
            Object::Snapshot(snapshot) => Self::Snapshot(Box::new(snapshot)),
            Object::Group(group) => Self::Group(group),
            Object::Session(session) => Self::Session(session),
            Object::Target(target) => Self::Target(Box::new(target)),
        }
    }
}

impl From<Thing> for Object {
    fn from(thing: Thing) -> Self {
        match thing {
            Thing::Volume(volume) => Self::Volume(*volume),
            Thing::Snapshot(snapshot) => Self::Snapshot(*snapshot),
            Thing::Group(group) => Self::Group(group),
            Thing::Session(session) => Self::Session(session),
            Thing::Target(target) => Self::Target(*target),
        }
    }
}

/// Writes and reads a list of objects so.
pub(super) mod list {
    use super::{Deserialize, Deserializer, Object, Serialize, Serializer, Thing};

    /// Writes them.
    ///
    /// # Errors
    /// Those of what is written to.
    pub(in super::super) fn serialize<S: Serializer>(
        items: &[Object],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let things: Vec<Thing> = items.iter().cloned().map(Thing::from).collect();
        things.serialize(to)
    }

    /// Reads them.
    ///
    /// # Errors
    /// Where they are no things.
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Object>, D::Error> {
        let things = Vec::<Thing>::deserialize(from)?;
        Ok(things.into_iter().map(Object::from).collect())
    }
}
