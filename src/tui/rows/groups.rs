//! The rows of all groups.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};

use super::{Column, Quantity, Rows, Spans, age_of, ago, figure, known, one};
use crate::config::theme::Role;
use crate::model::{Group, GroupState, Kind, Member, ObjectRef};
use crate::tui::state::{RowId, State};

const COLUMNS: &[Column] = &[
    Column::text("name", "NAME", 16, 0),
    Column::figure("members", "MEMBERS", 7, 2),
    Column::text("state", "STATE", 15, 1),
    Column::time("age", "TAKEN", 12, 3),
    Column::figure("own", "OWN", 8, 4),
    Column::text("instance", "INSTANCE", 10, 6),
    Column::text("volumes", "VOLUMES", 28, 5),
    Column::text("about", "DESCRIPTION", 30, 7),
];

/// All groups.
pub(super) struct Groups<'a> {
    pub(super) state: &'a State,
}

impl Groups<'_> {
    fn at(&self, row: usize) -> &Group {
        &self.state.inventory.groups.items[row]
    }
}

impl Rows for Groups<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.state.inventory.groups.items.len()
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Object(ObjectRef::from(&self.at(row).id))
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        matches!(id, RowId::Object(object) if object.kind == Kind::Group
            && object.id == self.at(row).id.as_str())
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        self.state.clean(&self.at(row).name)
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let group = self.at(row);
        let state = self.state;
        match column {
            0 => one(self.name(row), Role::Text),
            1 => one(count(&group.members, group.taken), Role::Text),
            2 => state_cell(&group.state, state),
            3 => one(ago(group.created, state), Role::Dim),
            4 => figure(group.exclusive(), state, Role::Text),
            5 => known(group.instance.as_deref(), state),
            6 => one(volumes(&group.members, state), Role::Dim),
            _ => one(state.clean(&group.description), Role::Dim),
        }
    }

    fn order(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (self.at(a), self.at(b));
        let by = match column {
            1 => b.members.len().cmp(&a.members.len()),
            2 => a.state.word().cmp(b.state.word()),
            3 => Reverse(a.created).cmp(&Reverse(b.created)),
            4 => b.exclusive().cmp(&a.exclusive()),
            5 => (a.instance.is_none(), &a.instance).cmp(&(b.instance.is_none(), &b.instance)),
            7 => a.description.cmp(&b.description),
            _ => Ordering::Equal,
        };
        by.then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.id.cmp(&b.id))
    }

    fn quantity(&self, row: usize, column: usize) -> Option<Quantity> {
        let group = self.at(row);
        Some(match column {
            1 => Quantity::Count(group.members.len() as u64),
            3 => age_of(group.created, self.state)?,
            4 => Quantity::Bytes(group.exclusive()?),
            _ => return None,
        })
    }

    fn version(&self) -> u64 {
        self.state.inventory.groups.version
    }

    fn empty(&self) -> String {
        format!("there is no {} yet", self.state.system.words.group)
    }
}

/// How many members there are, and of how many where some are gone.
pub(super) fn count(members: &[Member], taken: u64) -> String {
    match members.len() as u64 {
        there if there == taken => there.to_string(),
        there => format!("{there} of {taken}"),
    }
}

/// The names of the volumes of a set.
pub(super) fn volumes(members: &[Member], state: &State) -> String {
    let names: Vec<&str> = members.iter().map(volume_of).collect();
    state.clean(&names.join(", ")).into_owned()
}

/// The name of a member's volume, or its id where that is not known.
pub(super) fn volume_of(member: &Member) -> &str {
    let name = member.volume_name.as_deref();
    name.unwrap_or(member.volume.as_str())
}

/// The state of a group or a session: glyph and word.
pub(crate) fn state_cell(value: &GroupState, state: &State) -> Spans<'static> {
    let glyphs = state.glyphs();
    let (glyph, role) = match value {
        GroupState::Available => (glyphs.good, Role::Ok),
        GroupState::Creating
        | GroupState::Restoring
        | GroupState::RollingBack
        | GroupState::Deleting => (glyphs.busy, Role::Busy),
        GroupState::Error | GroupState::RestoreError => (glyphs.bad, Role::Error),
        GroupState::Incomplete | GroupState::Unknown(_) => (glyphs.warn, Role::Warn),
    };
    one(format!("{glyph} {}", state.clean(value.word())), role)
}
