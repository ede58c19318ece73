//! The rows of the message centre.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Column, Rows, Spans, ago, one};
use crate::config::theme::Role;
use crate::tui::state::{Message, RowId, State};

const COLUMNS: &[Column] = &[
    Column {
        key: "what",
        title: "WHAT",
        width: 40,
        right: false,
        falls: false,
        rank: 0,
    },
    Column {
        key: "when",
        title: "WHEN",
        width: 12,
        right: false,
        falls: true,
        rank: 1,
    },
    Column {
        key: "kind",
        title: "WHOSE MATTER",
        width: 12,
        right: false,
        falls: false,
        rank: 2,
    },
    Column {
        key: "try",
        title: "WHAT TO TRY",
        width: 50,
        right: false,
        falls: false,
        rank: 3,
    },
];

/// What went wrong, the newest first.
pub(super) struct Messages<'a> {
    pub(super) state: &'a State,
}

impl Messages<'_> {
    fn at(&self, row: usize) -> &Message {
        let all = &self.state.messages.items;
        &all[all.len() - 1 - row]
    }
}

impl Rows for Messages<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.state.messages.items.len()
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Message(self.at(row).number)
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        *id == RowId::Message(self.at(row).number)
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        self.state.clean(&self.at(row).problem.what)
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let message = self.at(row);
        match column {
            0 => one(self.name(row), Role::Text),
            1 => one(ago(Some(message.at), self.state), Role::Dim),
            2 => one(super::messages::whose(message), Role::Dim),
            _ => match message.problem.hints.first() {
                Some(hint) => one(self.state.clean(hint), Role::Info),
                None => Vec::new(),
            },
        }
    }

    fn order(&self, a: usize, b: usize, _column: usize) -> Ordering {
        a.cmp(&b)
    }

    fn sortable(&self) -> bool {
        false
    }

    fn version(&self) -> u64 {
        self.state.messages.next
    }

    fn empty(&self) -> String {
        "nothing went wrong so far".to_owned()
    }
}

/// Whose matter a message is, in a word or two.
fn whose(message: &Message) -> &'static str {
    use crate::model::ProblemKind as Kind;
    match message.problem.kind {
        Kind::User => "input",
        Kind::Config => "configuration",
        Kind::Auth => "rights",
        Kind::NotFound => "not there",
        Kind::Conflict => "conflict",
        Kind::Quota => "room",
        Kind::Network => "network",
        Kind::System => "system",
        Kind::Bug => "snapdeck",
    }
}
