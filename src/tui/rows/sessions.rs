//! The rows of all sessions, with the targets that are linked to each below it.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};

use super::groups::{self, volumes};
use super::targets::{self, copy_cell};
use super::{Column, Quantity, Rows, Spans, age_of, ago, figure, known, one};
use crate::config::theme::Role;
use crate::model::{LinkedTarget, ObjectRef, Session};
use crate::tui::state::{RowId, State};

const COLUMNS: &[Column] = &[
    Column::text("name", "NAME", 20, 0),
    Column::text("state", "STATE", 12, 1),
    Column::text("shows", "OF", 20, 3),
    Column::text("targets", "TARGETS", 9, 2),
    Column::text("copy", "COPY", 18, 4),
    Column::time("age", "TAKEN", 12, 5),
    Column::figure("own", "OWN", 8, 6),
    Column::figure("size", "SIZE", 8, 7),
    Column::text("about", "DESCRIPTION", 30, 8),
];

/// All sessions.
pub(super) struct Sessions<'a> {
    pub(super) state: &'a State,
}

impl Sessions<'_> {
    fn at(&self, row: usize) -> (&Session, Option<&LinkedTarget>) {
        let inventory = &self.state.inventory;
        let (session, target) = inventory.outline.rows[row];
        let target = target.map(|target| &inventory.targets.items[target as usize]);
        (&inventory.sessions.items[session as usize], target)
    }
}

impl Rows for Sessions<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.state.inventory.outline.rows.len()
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Object(match self.at(row) {
            (_, Some(target)) => ObjectRef::from(&target.id),
            (session, None) => ObjectRef::from(&session.id),
        })
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        self.id(row) == *id
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        match self.at(row) {
            (_, Some(target)) => self.state.clean(&target.name),
            (session, None) => self.state.clean(&session.name),
        }
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let state = self.state;
        match (column, self.at(row)) {
            (0, _) => one(self.name(row), Role::Text),
            (1, (session, None)) => groups::state_cell(&session.state, state),
            (1, (_, Some(target))) => targets::state_cell(&target.state, state),
            (2, (session, None)) => one(volumes(&session.members, state), Role::Text),
            (2, (_, Some(target))) => known(target.source_name.as_deref(), state),
            (3, (session, None)) => match session.targets.len() {
                0 => one("none", Role::Dim),
                1 => one("1 target", Role::Text),
                n => one(format!("{n} targets"), Role::Text),
            },
            (3, (_, Some(target))) => one(state.clean(target.mode.word()), Role::Text),
            (4, (_, Some(target))) => copy_cell(target.copy, state),
            (5, (session, None)) => one(ago(session.created, state), Role::Dim),
            (5, (_, Some(target))) => one(ago(target.created, state), Role::Dim),
            (6, (session, None)) => figure(session.exclusive(), state, Role::Text),
            (6, (_, Some(target))) => figure(target.written, state, Role::Dim),
            (7, (session, None)) => {
                let size = session.members.iter().map(|member| member.size.0).sum();
                one(crate::model::Bytes(size).to_string(), Role::Dim)
            }
            (7, (_, Some(target))) => one(target.size.to_string(), Role::Dim),
            (8, (session, None)) => one(state.clean(&session.description), Role::Dim),
            _ => Vec::new(),
        }
    }

    fn order(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (self.at(a).0, self.at(b).0);
        let by = match column {
            1 => a.state.word().cmp(b.state.word()),
            2 => b.members.len().cmp(&a.members.len()),
            3 => b.targets.len().cmp(&a.targets.len()),
            5 => Reverse(a.created).cmp(&Reverse(b.created)),
            6 => b.exclusive().cmp(&a.exclusive()),
            8 => a.description.cmp(&b.description),
            _ => Ordering::Equal,
        };
        by.then_with(|| a.name.cmp(&b.name))
            .then_with(|| a.id.cmp(&b.id))
    }

    fn head(&self, row: usize) -> usize {
        let rows = &self.state.inventory.outline.rows;
        let mut head = row;
        while head > 0 && rows[head].1.is_some() {
            head -= 1;
        }
        head
    }

    fn lead(&self, row: usize) -> Spans<'_> {
        let rows = &self.state.inventory.outline.rows;
        if rows[row].1.is_none() {
            return Vec::new();
        }
        let glyphs = self.state.glyphs();
        let more = rows.get(row + 1).is_some_and(|next| next.1.is_some());
        let branch = if more { glyphs.tee } else { glyphs.last };
        vec![
            (format!("{branch}{}", glyphs.arm).into(), Role::Border),
            (format!("{} ", glyphs.target).into(), Role::Info),
        ]
    }

    fn quantity(&self, row: usize, column: usize) -> Option<Quantity> {
        Some(match (column, self.at(row)) {
            (3, (session, None)) => Quantity::Count(session.targets.len() as u64),
            (5, (session, None)) => age_of(session.created, self.state)?,
            (6, (session, None)) => Quantity::Bytes(session.exclusive()?),
            (7, (_, Some(target))) => Quantity::Bytes(target.size),
            _ => return None,
        })
    }

    fn traits(&self) -> &'static [&'static str] {
        &["linked"]
    }

    fn trait_of(&self, row: usize, word: &str) -> Option<bool> {
        (word == "linked").then(|| !self.at(row).0.targets.is_empty())
    }

    fn version(&self) -> u64 {
        self.state.inventory.outline.version
    }

    fn empty(&self) -> String {
        format!("there is no {} yet", self.state.system.words.session)
    }
}
