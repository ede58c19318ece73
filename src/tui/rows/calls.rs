//! The rows of the trace: the calls that were made to the system.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Column, Rows, Spans, ago, one};
use crate::config::theme::Role;
use crate::http::Call;
use crate::model::Bytes;
use crate::tui::state::{RowId, State};

const COLUMNS: &[Column] = &[
    Column {
        key: "call",
        title: "CALL",
        width: 46,
        right: false,
        falls: false,
        rank: 0,
    },
    Column {
        key: "status",
        title: "STATUS",
        width: 6,
        right: true,
        falls: false,
        rank: 1,
    },
    Column {
        key: "took",
        title: "MS",
        width: 6,
        right: true,
        falls: true,
        rank: 2,
    },
    Column {
        key: "bytes",
        title: "BYTES",
        width: 9,
        right: true,
        falls: true,
        rank: 3,
    },
    Column {
        key: "when",
        title: "WHEN",
        width: 12,
        right: false,
        falls: true,
        rank: 4,
    },
    Column {
        key: "attempt",
        title: "TRY",
        width: 3,
        right: true,
        falls: true,
        rank: 5,
    },
];

/// The calls, the newest first.
pub(super) struct Calls<'a> {
    pub(super) state: &'a State,
}

impl Calls<'_> {
    fn at(&self, row: usize) -> &Call {
        let all = &self.state.calls;
        &all[all.len() - 1 - row]
    }
}

impl Rows for Calls<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.state.calls.len()
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Call(self.at(row).number)
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        *id == RowId::Call(self.at(row).number)
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        let call = self.at(row);
        let said = format!("{:<6} {}", call.method, call.path());
        Cow::Owned(self.state.clean(&said).into_owned())
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let call = self.at(row);
        match column {
            0 => one(self.name(row), Role::Text),
            1 => match call.status {
                Some(status) => one(status.to_string(), status_role(status)),
                None => one("none", Role::Error),
            },
            2 => one(call.millis.to_string(), Role::Text),
            3 => one(Bytes(call.bytes).to_string(), Role::Dim),
            4 => one(ago(Some(call.at), self.state), Role::Dim),
            _ if call.attempt > 1 => one(call.attempt.to_string(), Role::Warn),
            _ => Vec::new(),
        }
    }

    fn order(&self, a: usize, b: usize, column: usize) -> Ordering {
        let newer = a.cmp(&b);
        let (a, b) = (self.at(a), self.at(b));
        match column {
            0 => (a.path(), &a.method).cmp(&(b.path(), &b.method)),
            1 => a.status.cmp(&b.status),
            2 => b.millis.cmp(&a.millis),
            3 => b.bytes.cmp(&a.bytes),
            5 => b.attempt.cmp(&a.attempt),
            _ => newer,
        }
    }

    fn version(&self) -> u64 {
        self.state.calls.back().map_or(0, |call| call.number + 1)
    }

    fn empty(&self) -> String {
        "nothing was called so far".to_owned()
    }
}

/// How grave a status is.
fn status_role(status: u16) -> Role {
    match status {
        ..400 => Role::Ok,
        400..500 => Role::Warn,
        _ => Role::Error,
    }
}
