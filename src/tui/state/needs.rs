//! Which lists are needed for what is on the screen: what nobody looks at is not read.

use std::collections::BTreeSet;

use super::{Place, State, Walk};
use crate::model::{Kind, SnapshotId, VolumeId};

/// A list that something on the screen is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// All of a kind.
    All(Kind),
    /// The snapshots of one volume.
    Of(VolumeId),
}

/// Everything that is needed now.
#[derive(Debug, Default)]
pub(super) struct Needs {
    /// All of these kinds.
    pub(super) kinds: BTreeSet<Kind>,
    /// The snapshots of these volumes.
    pub(super) histories: Vec<VolumeId>,
    /// This snapshot, wherever it may be known from.
    pub(super) snapshot: Option<SnapshotId>,
}

impl Needs {
    fn add(&mut self, need: Need) {
        match need {
            Need::All(kind) => {
                self.kinds.insert(kind);
            }
            Need::Of(volume) => self.histories.push(volume),
        }
    }
}

impl State {
    /// What the screen in hand and all that stands over it is made from.
    pub(super) fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        needs.add(Need::All(Kind::Volume));
        let place = &self.screen().place;
        for kind in place.kinds() {
            needs.add(Need::All(*kind));
        }
        // What is described, or is selected without being in a list, is asked for by itself.
        let object = self.object().filter(|o| o.kind == Kind::Snapshot);
        needs.snapshot = object.map(|object| SnapshotId(object.id));
        if let Place::Map(object, _) = place
            && let Some(parent) = crate::tui::page::map::parent(self, object)
        {
            needs.snapshot = Some(SnapshotId(parent.id));
        }
        match (place, &self.beside) {
            (Place::Tree(volume), _) => {
                needs.add(Need::Of(volume.clone()));
                self.sets_of(volume, &mut needs);
            }
            (Place::Volumes, Some(beside)) if beside.kind == Kind::Volume => {
                needs.add(Need::Of(VolumeId(beside.id.clone())));
            }
            (Place::Describe(object), _) => {
                let snapshot = (object.kind == Kind::Snapshot).then(|| self.snapshot(&object.id));
                if let Some(snapshot) = snapshot.flatten() {
                    Self::add_sets(
                        (snapshot.group.is_some(), snapshot.session.is_some()),
                        &mut needs,
                    );
                }
            }
            _ => {}
        }
        for kind in self.walk.iter().flat_map(Walk::kinds) {
            needs.add(Need::All(kind));
        }
        for need in self.overlays.iter().filter_map(super::Overlay::needs) {
            needs.add(need);
        }
        // What the system has not got is not asked for.
        needs.kinds.retain(|kind| self.system.kinds.contains(kind));
        needs
    }

    /// The groups and sessions of a volume's snapshots have names, and sessions targets.
    fn sets_of(&self, volume: &VolumeId, needs: &mut Needs) {
        let Some(history) = self.inventory.history(volume) else {
            return;
        };
        Self::add_sets(history.in_sets, needs);
    }

    fn add_sets((groups, sessions): (bool, bool), needs: &mut Needs) {
        if groups {
            needs.add(Need::All(Kind::Group));
        }
        if sessions {
            needs.add(Need::All(Kind::Session));
            needs.add(Need::All(Kind::Target));
        }
    }
}
