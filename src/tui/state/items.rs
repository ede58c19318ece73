//! What lists hold: things with an id, taken out of what a system sends.

use std::fmt::Debug;

use super::packed::Packed;
use crate::model::{Group, LinkedTarget, Object, Session, Snapshot, Volume};

/// Things that are listed.
pub(crate) trait Item: Sized {
    /// How many of them are kept.
    type List: Items<Item = Self>;
    /// Takes the thing out, where it is one of these.
    fn from_object(object: Object) -> Option<Self>;
}

/// Things in the order of their ids.
pub(crate) trait Items: Default + Debug {
    /// One of them.
    type Item;
    /// One of them, as it is found here.
    type Found<'a>
    where
        Self: 'a;

    /// How many there are.
    fn len(&self) -> usize;
    /// Adds one at the end, whatever its id; `sort` puts it where it belongs.
    fn push(&mut self, item: Self::Item);
    /// Puts all in order where those from this place on are not. Says whether they were not.
    fn sort(&mut self, from: usize) -> bool;
    /// The place of the one with this id, or where it would be.
    fn find(&self, id: &str) -> Result<usize, usize>;
    /// The one at a place that there is.
    fn found(&self, at: usize) -> Self::Found<'_>;
    /// Replaces the one at a place.
    fn set(&mut self, at: usize, item: Self::Item);
    /// Puts one at a place.
    fn insert(&mut self, at: usize, item: Self::Item);
    /// Takes the one at a place out.
    fn remove(&mut self, at: usize);
    /// Gives back room that is not needed.
    fn shrink(&mut self);
}

/// Things that are kept as they are.
pub(crate) trait Plain: Debug {
    /// Its id.
    fn id(&self) -> &str;
}

impl<T: Plain> Items for Vec<T> {
    type Item = T;
    type Found<'a>
        = &'a T
    where
        T: 'a;

    fn len(&self) -> usize {
        self.len()
    }

    fn push(&mut self, item: T) {
        self.push(item);
    }

    fn sort(&mut self, from: usize) -> bool {
        let unsorted = !self[from..].is_sorted_by(|a, b| a.id() <= b.id());
        if unsorted {
            self.sort_by(|a, b| a.id().cmp(b.id()));
        }
        unsorted
    }

    fn find(&self, id: &str) -> Result<usize, usize> {
        self.binary_search_by(|item| item.id().cmp(id))
    }

    fn found(&self, at: usize) -> &T {
        &self[at]
    }

    fn set(&mut self, at: usize, item: T) {
        self[at] = item;
    }

    fn insert(&mut self, at: usize, item: T) {
        self.insert(at, item);
    }

    fn remove(&mut self, at: usize) {
        self.remove(at);
    }

    fn shrink(&mut self) {
        self.shrink_to_fit();
    }
}

macro_rules! item {
    ($($kind:ident => $ty:ty, $list:ty);+) => {
        $(impl Item for $ty {
            type List = $list;

            fn from_object(object: Object) -> Option<Self> {
                match object {
                    Object::$kind(item) => Some(item),
                    _ => None,
                }
            }
        })+
    };
}

item!(Volume => Volume, Vec<Volume>; Snapshot => Snapshot, Packed; Group => Group, Vec<Group>; Session => Session, Vec<Session>; Target => LinkedTarget, Vec<LinkedTarget>);

macro_rules! plain {
    ($($ty:ty),+) => {
        $(impl Plain for $ty {
            fn id(&self) -> &str {
                self.id.as_str()
            }
        })+
    };
}

plain!(Volume, Group, Session, LinkedTarget);
