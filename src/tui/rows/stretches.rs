//! The rows of a difference: each stretch that is not what it was.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Column, Rows, Spans, one};
use crate::config::theme::Role;
use crate::model::Bytes;
use crate::tui::state::{Look, RowId, State, Stretch};

const COLUMNS: &[Column] = &[
    Column::text("offset", "OFFSET", 18, 0),
    Column::figure("length", "LENGTH", 10, 1),
    Column::text("what", "WHAT", 8, 2),
    Column::text("near", "ABOUT AT", 10, 3),
    Column::figure("part", "OF ALL", 7, 4),
];

/// All stretches that are kept.
pub(super) struct Stretches<'a> {
    pub(super) state: &'a State,
}

impl<'a> Stretches<'a> {
    fn look(&self) -> Option<&'a Look> {
        self.state.screen().look.as_deref()
    }

    fn at(&self, row: usize) -> Stretch {
        let all = self.look().map_or(&[][..], |look| &look.stretches);
        all[row]
    }
}

impl Rows for Stretches<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.look().map_or(0, |look| look.stretches.len())
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Stretch(self.at(row).offset)
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        *id == self.id(row)
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        format!("{:#014x}", self.at(row).offset).into()
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let stretch = self.at(row);
        match column {
            0 => one(self.name(row), Role::Text),
            1 => one(Bytes(stretch.length).to_string(), Role::Text),
            2 if stretch.data => one("written", Role::Warn),
            2 => one("zeroed", Role::Info),
            3 => one(Bytes(stretch.offset).to_string(), Role::Dim),
            _ => {
                let all = self.look().map_or(0, |look| look.totals.iter().sum());
                let part = (stretch.length * 100).checked_div(all).unwrap_or(0);
                one(format!("{part} %"), Role::Dim)
            }
        }
    }

    fn order(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (a, b) = (self.at(a), self.at(b));
        let by = match column {
            1 | 4 => b.length.cmp(&a.length),
            2 => b.data.cmp(&a.data),
            _ => Ordering::Equal,
        };
        by.then_with(|| a.offset.cmp(&b.offset))
    }

    fn version(&self) -> u64 {
        self.look().map_or(0, |look| look.version)
    }

    fn empty(&self) -> String {
        match self.look() {
            Some(look) if look.done => "nothing differs".to_owned(),
            _ => String::new(),
        }
    }
}
