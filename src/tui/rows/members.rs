//! The rows of one group or one session: the whole first, then its points in time, then the targets
//! that are linked to it.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::groups::{self, count, volume_of};
use super::targets::{self, copy_cell};
use super::{Column, Rows, Spans, figure, known, one};
use crate::config::theme::Role;
use crate::model::{Bytes, GroupState, LinkedTarget, Member, ObjectRef, SnapshotState, Time};
use crate::tui::state::{RowId, State};

const COLUMNS: &[Column] = &[
    Column::text("name", "NAME", 24, 0),
    Column::text("what", "WHAT", 16, 3),
    Column::text("state", "STATE", 15, 1),
    Column::figure("own", "OWN", 8, 2),
    Column::figure("size", "SIZE", 8, 4),
    Column::text("copy", "COPY", 18, 5),
    Column::time("age", "TAKEN", 12, 6),
];

/// One group or session.
pub(super) struct Members<'a> {
    state: &'a State,
    set: ObjectRef,
    whole: Option<Whole<'a>>,
    targets: Vec<&'a LinkedTarget>,
}

/// What a group and a session have in common.
struct Whole<'a> {
    name: &'a str,
    state: &'a GroupState,
    members: &'a [Member],
    taken: u64,
    created: Option<Time>,
    exclusive: Option<Bytes>,
    version: u64,
}

impl<'a> Members<'a> {
    pub(super) fn new(state: &'a State, set: &ObjectRef) -> Self {
        let inventory = &state.inventory;
        let group = inventory.groups.get(&set.id).map(|group| Whole {
            name: &group.name,
            state: &group.state,
            members: &group.members,
            taken: group.taken,
            created: group.created,
            exclusive: group.exclusive(),
            version: inventory.groups.version,
        });
        let session = inventory.sessions.get(&set.id);
        let whole = session.map(|session| Whole {
            name: &session.name,
            state: &session.state,
            members: &session.members,
            taken: session.taken,
            created: session.created,
            exclusive: session.exclusive(),
            version: inventory.sessions.version + inventory.targets.version,
        });
        let targets = session.map_or(&[][..], |session| &session.targets).iter();
        Self {
            state,
            set: set.clone(),
            whole: if set.kind == crate::model::Kind::Group {
                group
            } else {
                whole
            },
            targets: targets
                .filter_map(|id| inventory.targets.get(id.as_str()))
                .collect(),
        }
    }

    fn members(&self) -> &'a [Member] {
        self.whole.as_ref().map_or(&[], |whole| whole.members)
    }

    fn member(&self, row: usize) -> Option<&'a Member> {
        self.members().get(row.checked_sub(1)?)
    }

    fn target(&self, row: usize) -> Option<&'a LinkedTarget> {
        let at = row.checked_sub(1 + self.members().len())?;
        self.targets.get(at).copied()
    }
}

impl Rows for Members<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        match self.whole {
            Some(_) => 1 + self.members().len() + self.targets.len(),
            None => 0,
        }
    }

    fn id(&self, row: usize) -> RowId {
        let target = self.target(row).map(|target| ObjectRef::from(&target.id));
        let member = self.member(row).map(|member| (&member.snapshot).into());
        RowId::Object(member.or(target).unwrap_or_else(|| self.set.clone()))
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        self.id(row) == *id
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        match (self.member(row), self.target(row)) {
            (Some(member), _) => self.state.clean(volume_of(member)),
            (_, Some(target)) => self.state.clean(&target.name),
            _ => self.state.clean(self.whole.as_ref().map_or("", |w| w.name)),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let state = self.state;
        if column == 0 {
            let role = if row == 0 { Role::Accent } else { Role::Text };
            return one(self.name(row), role);
        }
        if let Some(member) = self.member(row) {
            return match column {
                1 => one(state.clean(&member.name), Role::Dim),
                2 if member.failed => {
                    let glyph = state.glyphs().bad;
                    one(format!("{glyph} not restored"), Role::Error)
                }
                2 => member_state(&member.state, state),
                3 => figure(member.exclusive, state, Role::Text),
                4 => one(member.size.to_string(), Role::Dim),
                5 => match &member.safety {
                    Some(safety) => {
                        let snapshot = state.snapshot(safety.as_str());
                        let name = snapshot
                            .as_ref()
                            .map_or(safety.as_str(), |s| s.name.as_str());
                        one(format!("before: {}", state.clean(name)), Role::Info)
                    }
                    None => Vec::new(),
                },
                _ => Vec::new(),
            };
        }
        if let Some(target) = self.target(row) {
            return match column {
                1 => known(target.source_name.as_deref(), state),
                2 => targets::state_cell(&target.state, state),
                3 => figure(target.written, state, Role::Dim),
                4 => one(target.size.to_string(), Role::Dim),
                5 => match target.copy {
                    Some(_) => copy_cell(target.copy, state),
                    None => one(state.clean(target.mode.word()), Role::Dim),
                },
                _ => one(super::ago(target.created, state), Role::Dim),
            };
        }
        let Some(whole) = &self.whole else {
            return Vec::new();
        };
        match column {
            1 => {
                let count = count(whole.members, whole.taken);
                let word = if count == "1" { "member" } else { "members" };
                one(format!("{count} {word}"), Role::Text)
            }
            2 => groups::state_cell(whole.state, state),
            3 => figure(whole.exclusive, state, Role::Text),
            4 => {
                let size = whole.members.iter().map(|member| member.size.0).sum();
                one(Bytes(size).to_string(), Role::Dim)
            }
            6 => one(super::ago(whole.created, state), Role::Dim),
            _ => Vec::new(),
        }
    }

    fn order(&self, a: usize, b: usize, _column: usize) -> Ordering {
        a.cmp(&b)
    }

    fn sortable(&self) -> bool {
        false
    }

    fn lead(&self, row: usize) -> Spans<'_> {
        if row == 0 {
            return Vec::new();
        }
        let glyphs = self.state.glyphs();
        let branch = if row + 1 < self.len() {
            glyphs.tee
        } else {
            glyphs.last
        };
        let (node, role) = match self.member(row) {
            Some(member) if member.failed || member.state == SnapshotState::Error => {
                (glyphs.bad, Role::Error)
            }
            Some(_) => (glyphs.node, Role::Info),
            None => (glyphs.target, Role::Info),
        };
        vec![
            (format!("{branch}{}", glyphs.arm).into(), Role::Border),
            (format!("{node} ").into(), role),
        ]
    }

    fn version(&self) -> u64 {
        self.whole.as_ref().map_or(0, |whole| 1 + whole.version)
    }

    fn empty(&self) -> String {
        "it is not known any more".to_owned()
    }
}

/// The state of a member: glyph and word.
fn member_state(value: &SnapshotState, state: &State) -> Spans<'static> {
    let glyphs = state.glyphs();
    let (glyph, role) = match value {
        SnapshotState::Available => (glyphs.good, Role::Ok),
        SnapshotState::Error => (glyphs.bad, Role::Error),
        SnapshotState::Unknown(_) => (glyphs.warn, Role::Warn),
        _ => (glyphs.busy, Role::Busy),
    };
    one(format!("{glyph} {}", state.clean(value.word())), role)
}
