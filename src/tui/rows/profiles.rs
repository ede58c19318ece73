//! The rows of what can be opened, and of what is.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::time::Duration;

use super::{Column, Rows, Spans, ago, known, one};
use crate::config::theme::Role;
use crate::tui::Site;
use crate::tui::state::{Neighbour, PATIENCE, RowId, Stage, State};

const COLUMNS: &[Column] = &[
    Column::text("name", "PROFILE", 16, 0),
    Column::text("state", "STATE", 30, 1),
    Column::text("system", "SYSTEM", 10, 3),
    Column::text("writes", "WRITES", 6, 4),
    Column::figure("tasks", "TASKS", 5, 2),
    Column::time("read", "READ", 12, 5),
    Column::text("address", "ADDRESS", 40, 6),
];

/// One of them: what the list says of it, and the tab in which it is open.
struct Row<'a> {
    site: &'a Site,
    name: &'a str,
    tab: Option<&'a Neighbour>,
    listed: Option<&'a crate::tui::Listed>,
}

/// The store and the profiles in the order of the list; what is open and not in it any more comes last.
pub(super) struct Profiles<'a> {
    state: &'a State,
    rows: Vec<Row<'a>>,
}

impl<'a> Profiles<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        let around = &state.around;
        let listed = around.listed.iter().map(|listed| Row {
            site: &listed.site,
            name: &listed.name,
            tab: around.tab_of(&listed.site),
            listed: Some(listed),
        });
        let gone = around
            .tabs
            .iter()
            .filter(|tab| around.said_of(&tab.site).is_none());
        let gone = gone.map(|tab| Row {
            site: &tab.site,
            name: &tab.name,
            tab: Some(tab),
            listed: None,
        });
        Self {
            state,
            rows: listed.chain(gone).collect(),
        }
    }

    fn stands(&self, row: usize) -> Spans<'static> {
        let Row { tab, listed, .. } = &self.rows[row];
        let state = self.state;
        let glyphs = state.glyphs();
        let Some(tab) = tab else {
            return one("not open", Role::Dim);
        };
        let mut here = String::new();
        if tab.id == state.id {
            here.push_str(", here");
        }
        if listed.is_none() && !state.around.listed.is_empty() {
            here.push_str(", not set any more");
        }
        let (said, role) = match &tab.stage {
            Stage::Opening(since) => (
                format!("{} opening{}", glyphs.busy, waited(state, *since)),
                Role::Busy,
            ),
            Stage::Open(Some(since)) => (
                format!("{} signing in again{}", glyphs.busy, waited(state, *since)),
                Role::Busy,
            ),
            Stage::Failed(problem, _) => {
                let why = problem.causes.last().unwrap_or(&problem.what);
                let said = format!("{} failed{here}: {}", glyphs.bad, state.clean(why));
                (said, Role::Error)
            }
            Stage::Open(None) => match (&tab.trouble, tab.volumes) {
                (Some(_), _) => (format!("{} open{here}, not read", glyphs.warn), Role::Warn),
                (None, Some(count)) => {
                    let word = if count == 1 { "volume" } else { "volumes" };
                    (
                        format!("{} open{here}, {count} {word}", glyphs.good),
                        Role::Ok,
                    )
                }
                (None, None) => (format!("{} open{here}", glyphs.good), Role::Ok),
            },
        };
        one(said, role)
    }
}

/// So long it is waited for, once that is worth a word.
pub(crate) fn waited(state: &State, since: Duration) -> String {
    match state.now.clock.saturating_sub(since).as_secs() {
        0 => String::new(),
        seconds => format!(
            " {}",
            crate::model::Age(i64::try_from(seconds).unwrap_or(0))
        ),
    }
}

/// How a tab stands: glyph, figure, word. Nothing of one that is open with nothing to tell.
pub(crate) fn tab_state(
    state: &State,
    tab: &Neighbour,
) -> Vec<(&'static str, Option<usize>, String, Role)> {
    let glyphs = state.glyphs();
    let mut told = Vec::new();
    match &tab.stage {
        Stage::Failed(..) => told.push((glyphs.bad, None, "failed".to_owned(), Role::Error)),
        Stage::Opening(since) | Stage::Open(Some(since))
            if state.now.clock >= *since + PATIENCE =>
        {
            let verb = if tab.stage.is_open() {
                "signing in"
            } else {
                "opening"
            };
            let said = format!("{verb}{}", waited(state, *since));
            told.push((glyphs.busy, None, said, Role::Busy));
        }
        _ => {}
    }
    if tab.trouble.is_some() {
        told.push((glyphs.warn, None, "not read".to_owned(), Role::Warn));
    }
    match tab.running.len() {
        0 => {}
        1 => told.push((glyphs.play, Some(1), "task".to_owned(), Role::Busy)),
        n => told.push((glyphs.play, Some(n), "tasks".to_owned(), Role::Busy)),
    }
    let read = tab.id == state.id || matches!(tab.stage, Stage::Failed(..));
    match usize::try_from(tab.unseen).unwrap_or(usize::MAX) {
        0 => {}
        // It is told in the line below, or by what failed.
        _ if read => {}
        1 => told.push((glyphs.warn, Some(1), "message".to_owned(), Role::Error)),
        n => told.push((glyphs.warn, Some(n), "messages".to_owned(), Role::Error)),
    }
    told
}

impl Rows for Profiles<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Site(self.rows[row].site.clone())
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        matches!(id, RowId::Site(site) if site == self.rows[row].site)
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        self.state.clean(self.rows[row].name)
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let Row { tab, listed, .. } = &self.rows[row];
        match column {
            0 => one(self.name(row), Role::Text),
            1 => self.stands(row),
            2 => {
                let own = tab.and_then(|tab| tab.system.as_deref());
                known(
                    own.or(listed.map(|listed| listed.system.as_str())),
                    self.state,
                )
            }
            3 => {
                match tab.is_some_and(|tab| tab.read_only) || listed.is_some_and(|l| l.read_only) {
                    true => one("no", Role::Warn),
                    false => one("yes", Role::Dim),
                }
            }
            4 => match tab.map_or(0, |tab| tab.running.len()) {
                0 => Vec::new(),
                n => one(n.to_string(), Role::Busy),
            },
            5 => match tab.and_then(|tab| tab.loaded) {
                Some(at) => one(ago(Some(at), self.state), Role::Dim),
                None => Vec::new(),
            },
            _ => known(listed.and_then(|l| l.address.as_deref()), self.state),
        }
    }

    fn order(&self, a: usize, b: usize, _column: usize) -> Ordering {
        a.cmp(&b)
    }

    fn sortable(&self) -> bool {
        false
    }

    fn version(&self) -> u64 {
        self.state.around.version
    }

    fn empty(&self) -> String {
        "there is no profile; `snapdeck profile add` makes one".to_owned()
    }
}
