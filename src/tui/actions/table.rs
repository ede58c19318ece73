//! Moving among rows, and choosing which are shown and marked.

use crate::tui::layout;
use crate::tui::overlay::{Chooser, FilterLine, Overlay};
use crate::tui::rows;
use crate::tui::state::{Place, RowId, State};

/// How far to move.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// So many rows.
    By(isize),
    /// So many pages.
    Pages(isize),
    /// To the first.
    First,
    /// To the last.
    Last,
}

pub(super) fn has_rows(state: &State) -> Result<(), String> {
    if state.screen().place.is_text() {
        return Err("this is a text, not a list".to_owned());
    }
    Ok(())
}

pub(super) fn can_sort(state: &State) -> Result<(), String> {
    has_rows(state)?;
    match state.screen().place {
        Place::Tree(_) => Err("a tree has its own order".to_owned()),
        Place::Messages => Err("messages are in the order in which they came".to_owned()),
        _ => Ok(()),
    }
}

pub(super) fn can_mark(state: &State) -> Result<(), String> {
    has_rows(state)?;
    match state.screen().place {
        Place::Difference(..)
        | Place::Tasks
        | Place::Journal
        | Place::Messages
        | Place::Trace
        | Place::Profiles => Err("only things of the system are marked".to_owned()),
        _ => Ok(()),
    }
}

/// Moves the selection, or scrolls a text.
pub(super) fn step(state: &mut State, step: Step) {
    let page = layout::rows(state).max(1);
    let clock = state.now.clock;
    let text = state.screen().place.is_text();
    let lines = if text { layout::text_lines(state) } else { 0 };
    let screen = state.views.screen_mut();
    let (at, last) = if text {
        (screen.top, lines.saturating_sub(page))
    } else {
        (screen.cursor, screen.shown.len().saturating_sub(1))
    };
    let to = match step {
        Step::By(n) => at.saturating_add_signed(n),
        Step::Pages(n) => at.saturating_add_signed(n * page.saturating_sub(1).max(1) as isize),
        Step::First => 0,
        Step::Last => last,
    };
    let to = to.min(last);
    if text {
        screen.top = to;
    } else if to != at {
        select(state, to);
        state.views.screen_mut().moved = clock;
    }
}

/// Selects the row at this place among those shown.
fn select(state: &mut State, place: usize) {
    let screen = state.screen();
    let selected = rows::of(state, &screen.place).and_then(|rows| {
        let row = *screen.shown.get(place)?;
        ((row as usize) < rows.len()).then(|| rows.id(row as usize))
    });
    if selected.is_some() {
        let screen = state.views.screen_mut();
        screen.selected = selected;
        screen.cursor = place;
    }
}

/// Marks the selected row, or takes its mark away, and goes on to the next.
pub(super) fn mark(state: &mut State) {
    let screen = state.views.screen_mut();
    if let Some(id) = screen.selected.clone()
        && matches!(id, RowId::Object(_) | RowId::Instance(_))
        && !screen.marks.remove(&id)
    {
        screen.marks.insert(id);
    }
    step(state, Step::By(1));
}

/// Marks all that are shown; none, where all are marked.
pub(super) fn mark_all(state: &mut State) {
    let screen = state.screen();
    let Some(rows) = rows::of(state, &screen.place) else {
        return;
    };
    let all: std::collections::BTreeSet<_> = screen
        .shown
        .iter()
        .map(|&row| rows.id(row as usize))
        .filter(|id| matches!(id, RowId::Object(_) | RowId::Instance(_)))
        .collect();
    drop(rows);
    let screen = state.views.screen_mut();
    screen.marks = if screen.marks == all {
        Default::default()
    } else {
        all
    };
}

pub(super) fn filter(state: &mut State) {
    let line = FilterLine::new(&state.screen().filter);
    state.open(Overlay::Filter(line));
}

pub(super) fn columns(state: &mut State) {
    let chooser = Chooser::columns(state);
    state.open(Overlay::Chooser(Box::new(chooser)));
}

pub(super) fn sort(state: &mut State) {
    let chooser = Chooser::sort(state);
    state.open(Overlay::Chooser(Box::new(chooser)));
}
