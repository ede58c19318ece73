//! What lists hold: things with an id, taken out of what a system sends.

use crate::model::{Group, LinkedTarget, Object, Session, Snapshot, Volume};

/// Things with an id.
pub(crate) trait Item: Sized {
    /// Its id.
    fn id(&self) -> &str;
    /// Takes the thing out, where it is one of these.
    fn from_object(object: Object) -> Option<Self>;
}

macro_rules! item {
    ($($kind:ident => $ty:ty),+) => {
        $(impl Item for $ty {
            fn id(&self) -> &str {
                self.id.as_str()
            }

            fn from_object(object: Object) -> Option<Self> {
                match object {
                    Object::$kind(item) => Some(item),
                    _ => None,
                }
            }
        })+
    };
}

item!(Volume => Volume, Snapshot => Snapshot, Group => Group, Session => Session, Target => LinkedTarget);
