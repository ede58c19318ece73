//! Where everything is on the screen: pure arithmetic, shared by what is drawn and by
//! what keeps the selection in sight.

use ratatui::layout::Rect;

use super::page;
use super::state::{Pane, Place, State};
use super::tour::Words;
use crate::model::{Kind, Step, StepState, Task};

/// Below this the console says that it is too small.
pub(crate) const LEAST: (u16, u16) = (40, 8);
/// From this width on something stands beside the list.
const WIDE: u16 = 110;

/// The parts of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The line of tabs, where there are several.
    pub(crate) tabs: Option<Rect>,
    /// The line at the top, or under the tabs.
    pub(crate) header: Rect,
    /// The line under it.
    pub(crate) rule: Rect,
    /// The list or the text in hand.
    pub(crate) body: Rect,
    /// What stands beside it.
    pub(crate) side: Option<Rect>,
    /// The docked tasks, with their title line.
    pub(crate) pane: Option<Rect>,
    /// The words of a walkthrough, with their title line.
    pub(crate) tour: Option<Rect>,
    /// The line of keys.
    pub(crate) bottom: Rect,
}

/// The parts; `None` where there is no room for them.
pub(crate) fn layout(state: &State) -> Option<Layout> {
    let (width, height) = state.size;
    if width < LEAST.0 || height < LEAST.1 {
        return None;
    }
    let rule = u16::from(height >= 12);
    let tabs = u16::from(height >= 14 && state.around.are_several());
    let top = tabs + 1 + rule;
    let pane = pane_height(state);
    let tour = tour_height(state);
    let body_height = height.saturating_sub(top + 1 + pane + tour);
    let row = |y: u16, height: u16| Rect::new(0, y, width, height);
    let mut body = row(top, body_height);
    let side = has_side(state).then(|| {
        let side = (width / 3).clamp(36, 80);
        body.width -= side;
        Rect {
            x: body.width,
            width: side,
            ..body
        }
    });
    Some(Layout {
        tabs: (tabs > 0).then(|| row(0, 1)),
        header: row(tabs, 1),
        rule: row(tabs + 1, rule),
        body,
        side,
        pane: (pane > 0).then(|| row(top + body_height, pane)),
        tour: (tour > 0).then(|| row(height - 1 - tour, tour)),
        bottom: row(height - 1, 1),
    })
}

/// Whether something stands beside the list.
pub(crate) fn has_side(state: &State) -> bool {
    state.size.0 >= WIDE
        && matches!(
            state.screen().place,
            Place::Volumes
                | Place::Snapshots
                | Place::Groups
                | Place::Sessions
                | Place::Targets
                | Place::Members(_)
                | Place::Tree(_)
        )
}

/// How many lines stand above the rows of the list in hand: titles, and what sums up a volume.
pub(crate) fn heading(state: &State) -> u16 {
    match state.screen().place {
        Place::Tree(_) => 3,
        Place::Difference(..) => 4 + map_rows(state),
        Place::Pulse => 8,
        _ => 1,
    }
}

/// How many rows the map above a list of differences has.
pub(crate) fn map_rows(state: &State) -> u16 {
    match state.size.1 {
        40.. => 8,
        24.. => 4,
        18.. => 2,
        _ => 0,
    }
}

/// How many rows, or lines of text, are seen at once.
pub(crate) fn rows(state: &State) -> usize {
    let Some(layout) = layout(state) else {
        return 0;
    };
    let above = if state.screen().place.is_text() {
        0
    } else {
        heading(state)
    };
    usize::from(layout.body.height.saturating_sub(above))
}

/// How many lines the text in hand has.
pub(crate) fn text_lines(state: &State) -> usize {
    match layout(state) {
        Some(layout) => page::lines(state, layout.body.width).len(),
        None => 0,
    }
}

/// A line of the enlarged pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaneLine {
    /// The task.
    Task,
    /// One of its steps.
    Step(usize),
    /// One of several volumes that the first step is done to, by its place among what is touched.
    Member(usize),
    /// A part that the system works through in a step: the step, and the part.
    Part(usize, usize),
}

/// The lines of a task in the enlarged pane.
pub(crate) fn pane_lines(task: &Task) -> Vec<PaneLine> {
    let mut lines = vec![PaneLine::Task];
    let touched = task.plan.touches.iter().enumerate();
    let volumes: Vec<PaneLine> = touched
        .filter(|(_, touched)| touched.object.kind == Kind::Volume)
        .map(|(i, _)| PaneLine::Member(i))
        .collect();
    for step in 0..task.steps.len() {
        lines.push(PaneLine::Step(step));
        let parts = task.steps.get(step).filter(|s| shows_parts(s));
        let count = parts.map_or(0, |step| step.parts.len());
        lines.extend((0..count).map(|part| PaneLine::Part(step, part)));
        if step == 0 && volumes.len() > 1 {
            lines.extend(&volumes);
        }
    }
    lines
}

/// The parts of a step are of use while it runs, and where it failed.
fn shows_parts(step: &Step) -> bool {
    matches!(step.state, StepState::Running | StepState::Failed(_))
}

/// The title line, the words, the line of keys.
fn tour_height(state: &State) -> u16 {
    let (width, height) = state.size;
    if height < 16 {
        return 0;
    }
    match Words::of(state, width.saturating_sub(4)) {
        Some(words) => 2 + (words.lines.len() as u16).min(height / 4),
        None => 0,
    }
}

fn pane_height(state: &State) -> u16 {
    let (_, height) = state.size;
    if height < 14
        || matches!(
            state.screen().place,
            Place::Tasks | Place::Journal | Place::Task(_)
        )
    {
        return 0;
    }
    let tasks = state.tasks.in_pane(state.now.clock);
    match state.tasks.pane {
        Pane::Hidden => 0,
        Pane::Auto if tasks.is_empty() => 0,
        Pane::Auto => 1 + (tasks.len() as u16).min((height / 7).max(2)),
        Pane::Large => {
            let lines: usize = tasks.iter().map(|t| pane_lines(t).len()).sum();
            1 + (lines.max(1) as u16).min(height / 2 - 3)
        }
    }
}
