//! Where the user has been: back and forward over views and screens.

use super::Place;

/// How many places are remembered.
const KEPT: usize = 100;

/// Where somebody was: the screens of the stack in hand, the root first.
pub(crate) type Location = Vec<Place>;

/// The way so far.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    past: Vec<Location>,
    now: Location,
    future: Vec<Location>,
}

impl Trail {
    /// Notes where the user is; where that is somewhere new, the way forward ends here.
    pub(super) fn note(&mut self, here: Location) {
        if self.now == here {
            return;
        }
        let before = std::mem::replace(&mut self.now, here);
        if !before.is_empty() {
            self.past.push(before);
        }
        if self.past.len() > KEPT {
            self.past.remove(0);
        }
        self.future.clear();
    }

    /// Whether there is a way back.
    pub(crate) fn has_past(&self) -> bool {
        !self.past.is_empty()
    }

    /// Whether there is a way forward.
    pub(crate) fn has_future(&self) -> bool {
        !self.future.is_empty()
    }

    /// Back to where the user was before.
    pub(crate) fn back(&mut self) -> Option<Location> {
        let to = self.past.pop()?;
        self.future
            .push(std::mem::replace(&mut self.now, to.clone()));
        Some(to)
    }

    /// Forward again.
    pub(crate) fn forward(&mut self) -> Option<Location> {
        let to = self.future.pop()?;
        self.past.push(std::mem::replace(&mut self.now, to.clone()));
        Some(to)
    }
}
