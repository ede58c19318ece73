//! All fields of a thing.

use super::Page;
use crate::config::theme::Role;
use crate::model::{CopyMode, LinkedTarget, Member, Object};
use crate::tui::rows::{bar, group_state, left, rate, snapshot_state, target_state, volume_state};

impl Page<'_> {
    pub(super) fn object(&mut self, object: &Object) {
        let state = self.state;
        let metadata = match object {
            Object::Volume(volume) => {
                self.said("Name", &volume.name);
                self.field("State", volume_state(volume, state));
                self.bytes("Size", Some(volume.size));
                self.bytes("Used", volume.used);
                self.bytes("Own", volume.exclusive);
                self.bytes("Written", volume.written);
                match (&volume.instance, &volume.device) {
                    (Some(instance), Some(device)) => {
                        self.said("Attached to", &format!("{instance} as {device}"));
                    }
                    (Some(instance), None) => self.said("Attached to", instance),
                    (None, _) => self.said("Attached to", "nothing"),
                }
                match volume.snapshots {
                    Some(count) => self.said("Snapshots", &count.to_string()),
                    None => self.said("Snapshots", "not counted yet"),
                }
                if let Some(parent) = &volume.parent {
                    let parent = crate::model::ObjectRef::from(parent);
                    self.said("Descends from", &state.name_of(&parent));
                }
                self.time("Last snapshot", volume.last_snapshot);
                self.time("Made", volume.created);
                self.description(&volume.description);
                &volume.metadata
            }
            Object::Snapshot(snapshot) => {
                self.said("Name", &snapshot.name);
                self.field("State", snapshot_state(&snapshot.state, state));
                let of = snapshot.volume_name.as_deref();
                self.said("Of volume", of.unwrap_or(snapshot.volume.as_str()));
                self.time("Taken", snapshot.created);
                self.bytes("Size", Some(snapshot.size));
                self.bytes("Used", snapshot.used);
                self.bytes("Own", snapshot.exclusive);
                self.bytes("Written", snapshot.written);
                match &snapshot.parent {
                    Some(parent) => {
                        let parent = crate::model::ObjectRef::from(parent);
                        self.said("Follows", &state.name_of(&parent));
                    }
                    None => self.said("Follows", "nothing; it is the first"),
                }
                if snapshot.guard {
                    self.said(
                        "Guard",
                        "taken by itself, before something replaced the data",
                    );
                }
                if let Some(group) = &snapshot.group {
                    self.said("Of group", &state.name_of(&group.into()));
                }
                if let Some(session) = &snapshot.session {
                    self.said("Of session", &state.name_of(&session.into()));
                }
                for clone in &snapshot.clones {
                    self.said("Cloned as", &state.name_of(&clone.into()));
                }
                self.description(&snapshot.description);
                &snapshot.metadata
            }
            Object::Group(group) => {
                self.said("Name", &group.name);
                self.field("State", group_state(&group.state, state));
                if let Some(instance) = &group.instance {
                    self.said("Of instance", instance);
                }
                self.time("Taken", group.created);
                self.bytes("Own", group.exclusive());
                self.description(&group.description);
                self.members(&group.members, group.taken);
                &group.metadata
            }
            Object::Session(session) => {
                self.said("Name", &session.name);
                self.field("State", group_state(&session.state, state));
                self.time("Taken", session.created);
                self.bytes("Own", session.exclusive());
                self.description(&session.description);
                self.members(&session.members, session.taken);
                self.heading("Targets");
                for id in &session.targets {
                    match state.inventory.targets.get(id.as_str()) {
                        Some(target) => self.linked(target),
                        None => self.text(&state.clean(id.as_str()), Role::Text),
                    }
                }
                if session.targets.is_empty() {
                    self.text("none is linked", Role::Dim);
                }
                &session.metadata
            }
            Object::Target(target) => {
                self.said("Name", &target.name);
                self.field("State", target_state(&target.state, state));
                self.said("Mode", target.mode.word());
                match &target.session_name {
                    Some(name) => self.said("Shows", name),
                    None => self.said("Shows", "a session that is gone"),
                }
                if let Some(source) = &target.source_name {
                    self.said("Of volume", source);
                }
                self.said("Seen as", &state.name_of(&(&target.volume).into()));
                self.bytes("Size", Some(target.size));
                self.bytes("Shared", target.shared);
                match target.mode {
                    CopyMode::Copy => {}
                    _ => self.bytes("Written", target.written),
                }
                if let Some(progress) = target.copy {
                    self.field("Copied", bar(progress, 16, state));
                    let more = format!("{}  {}", rate(progress), left(progress));
                    self.said("", more.trim());
                }
                self.time("Linked", target.created);
                &target.metadata
            }
        };
        if matches!(object, Object::Group(_) | Object::Session(_)) {
            self.blank();
        }
        self.said("Id", object.id());
        if !metadata.is_empty() {
            self.heading("Metadata");
            for (key, value) in metadata {
                self.text(&state.clean(&format!("{key} = {value}")), Role::Text);
            }
        }
    }

    fn description(&mut self, said: &str) {
        if !said.is_empty() {
            self.said("Description", said);
        }
    }

    /// The points in time of a set, one a line.
    fn members(&mut self, members: &[Member], taken: u64) {
        let state = self.state;
        self.heading("Members");
        for member in members {
            let volume = member.volume_name.as_deref();
            let volume = volume.unwrap_or(member.volume.as_str());
            let own = member.exclusive.map(|own| format!("  {own} own"));
            let mut said = format!("{volume}{}", own.unwrap_or_default());
            if let Some(safety) = &member.safety {
                said.push_str("  before: ");
                said.push_str(&state.name_of(&safety.into()));
            }
            match member.failed {
                true => {
                    said.push_str("  not restored");
                    self.bullet(state.glyphs().bad, &said, Role::Error);
                }
                false => self.bullet(state.glyphs().node, &said, Role::Info),
            }
        }
        let gone = taken.saturating_sub(members.len() as u64);
        if gone > 0 {
            let said = format!("{gone} of {taken} are gone");
            self.bullet(state.glyphs().warn, &said, Role::Warn);
        }
    }

    /// A linked target in one line.
    fn linked(&mut self, target: &LinkedTarget) {
        let state = self.state;
        let mut line = vec![(
            format!("{} {}  ", state.glyphs().target, state.clean(&target.name)).into(),
            Role::Text,
        )];
        line.push((format!("{}  ", target.mode).into(), Role::Dim));
        line.extend(target_state(&target.state, state));
        self.lines.push(line);
    }
}
