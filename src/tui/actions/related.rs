//! What a thing has to do with: where one can go from it.

use crate::model::{Kind, ObjectRef, Task};
use crate::tui::state::{Place, RowId, State};

/// A place to go to, and what it is to the thing in hand.
pub(crate) struct Related {
    /// Where.
    pub(crate) place: Place,
    /// What it is called.
    pub(crate) name: String,
    /// What it is to the thing in hand.
    pub(crate) what: String,
}

/// Where the details of a thing are.
pub(crate) fn place_of(object: &ObjectRef) -> Place {
    match object.kind {
        Kind::Volume => Place::Tree(object.id.as_str().into()),
        Kind::Group | Kind::Session => Place::Members(object.clone()),
        Kind::Snapshot | Kind::Target => Place::Describe(object.clone()),
    }
}

/// Everything that the thing in hand has to do with.
pub(crate) fn related(state: &State) -> Vec<Related> {
    let mut found = Found {
        state,
        all: Vec::new(),
    };
    let screen = state.screen();
    match (&screen.place, &screen.selected) {
        (Place::Task(id), _) | (Place::Tasks | Place::Journal, Some(RowId::Task(id))) => {
            if let Some(task) = state.tasks.get(id) {
                found.of_task(task);
            }
        }
        (_, Some(RowId::Instance(name))) => {
            if let Some(instance) = state.inventory.instances.get(name) {
                for volume in instance.volumes(&state.inventory) {
                    found.add(&ObjectRef::from(&volume.id), "attached to it");
                }
            }
        }
        _ => {
            if let Some(object) = state.object() {
                found.of(&object);
                found.tasks_of(&object);
            }
        }
    }
    found.all
}

struct Found<'a> {
    state: &'a State,
    all: Vec<Related>,
}

impl Found<'_> {
    fn go(&mut self, place: Place, name: String, what: &str) {
        let here = self.state.screen().place == place;
        if !here && !self.all.iter().any(|related| related.place == place) {
            let what = what.to_owned();
            self.all.push(Related { place, name, what });
        }
    }

    fn add(&mut self, object: &ObjectRef, what: &str) {
        let name = self.state.name_of(object);
        self.go(place_of(object), name, what);
    }

    fn of(&mut self, object: &ObjectRef) {
        let inventory = &self.state.inventory;
        let id = object.id.as_str();
        match object.kind {
            Kind::Volume => {
                self.add(object, "its points in time");
                let Some(volume) = self.state.volume(id) else {
                    return;
                };
                if let Some(parent) = &volume.parent {
                    self.add(&parent.into(), "what it descends from");
                }
                if let Some(instance) = &volume.instance {
                    let name = self.state.clean(instance).into_owned();
                    self.go(
                        Place::Instance(instance.clone()),
                        name,
                        "the machine it is attached to",
                    );
                }
                for target in inventory
                    .targets
                    .items
                    .iter()
                    .filter(|t| t.volume == volume.id)
                {
                    self.add(&(&target.id).into(), "the linked target that it is");
                }
            }
            Kind::Snapshot => {
                let Some(snapshot) = self.state.snapshot(id) else {
                    return;
                };
                self.add(&(&snapshot.volume).into(), "its volume");
                if let Some(group) = &snapshot.group {
                    self.add(&group.into(), "its group");
                }
                if let Some(session) = &snapshot.session {
                    self.add(&session.into(), "its session");
                }
                let targets = inventory.targets.items.iter();
                for target in targets.filter(|t| t.snapshot.as_ref() == Some(&snapshot.id)) {
                    self.add(&(&target.id).into(), "linked to it");
                }
                for clone in &snapshot.clones {
                    self.add(&clone.into(), "made from it");
                }
                if let Some(parent) = &snapshot.parent {
                    self.add(&parent.into(), "the one before it");
                }
            }
            Kind::Group => {
                self.add(object, "its members");
                let members = inventory.groups.get(id).map_or(&[][..], |g| &g.members);
                for member in members {
                    self.add(&(&member.volume).into(), "one of its volumes");
                }
                if let Some(name) = inventory.groups.get(id).and_then(|g| g.instance.clone()) {
                    let said = self.state.clean(&name).into_owned();
                    self.go(Place::Instance(name), said, "the machine that it is of");
                }
            }
            Kind::Session => {
                self.add(object, "its members");
                let Some(session) = inventory.sessions.get(id) else {
                    return;
                };
                for target in &session.targets {
                    self.add(&target.into(), "linked to it");
                }
                for member in &session.members {
                    self.add(&(&member.volume).into(), "one of its volumes");
                }
            }
            Kind::Target => {
                let Some(target) = inventory.targets.get(id) else {
                    return;
                };
                if let Some(session) = &target.session {
                    self.add(&session.into(), "the session that it shows");
                }
                self.add(&(&target.volume).into(), "the volume that it is");
                if let Some(source) = &target.source {
                    self.add(&source.into(), "the volume whose data it shows");
                }
            }
        }
    }

    /// What was done with a thing, the newest first.
    fn tasks_of(&mut self, object: &ObjectRef) {
        let touches = |task: &&std::sync::Arc<Task>| {
            let touched = task.plan.touches.iter().any(|t| t.object == *object);
            touched || task.made().any(|made| made == object)
        };
        for task in self.state.tasks.items.iter().filter(touches).take(8) {
            let name = self.state.clean(&task.plan.subject).into_owned();
            let what = format!("{}, {}", task.plan.operation.kind.verb(), task.state);
            self.go(Place::Task(task.id.clone()), name, &what);
        }
    }

    fn of_task(&mut self, task: &Task) {
        for made in task.made() {
            self.add(made, "made by it");
        }
        for touched in &task.plan.touches {
            let name = self.state.clean(&touched.name).into_owned();
            self.go(place_of(&touched.object), name, "what it was done to");
        }
    }
}
