//! Draws the state. Pure: the same state gives the same frame. Says where the mouse can press and
//! where the hardware cursor stands.

mod body;
mod bottom;
mod canvas;
mod chooser;
mod dialog;
mod form;
mod header;
mod help;
mod pane;
mod perf;
mod review;
mod side;
mod tabs;
mod tour;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use serde::{Deserialize, Serialize};

use self::canvas::{Canvas, background};
use super::actions::ActionId;
use super::layout::{LEAST, layout};
use super::overlay::Overlay;
use super::state::{RowId, State, TabId};
use crate::config::theme::Role;

/// What the mouse can press.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Hit {
    /// A row.
    Row(RowId),
    /// The place before a row, where its mark stands: the menu of what can be done with it.
    Menu(RowId),
    /// The key of an action, in the bottom line.
    Action(ActionId),
    /// A part of the topmost dialog.
    Part(usize),
    /// A tab.
    Tab(TabId),
}

/// What was found out while drawing.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    /// Where the mouse can press what; the last drawn lies on top.
    pub(crate) hits: Vec<(Rect, Hit)>,
    /// Where the hardware cursor stands.
    pub(crate) cursor: Option<Position>,
}

impl Scene {
    /// What the mouse presses at a place.
    pub(crate) fn at(&self, x: u16, y: u16) -> Option<&Hit> {
        let place = Position { x, y };
        let found = self
            .hits
            .iter()
            .rev()
            .find(|(area, _)| area.contains(place));
        found.map(|(_, hit)| hit)
    }
}

/// Draws everything.
pub(crate) fn view(state: &State, buffer: &mut Buffer) -> Scene {
    let mut canvas = Canvas {
        skin: &state.skin,
        glyphs: state.glyphs(),
        scene: Scene::default(),
        buffer,
    };
    let whole = canvas.buffer.area;
    canvas.buffer.set_style(whole, background(&state.skin));
    // The state may have another size than the buffer for a moment, while the terminal is resized.
    let fits = whole.width >= state.size.0 && whole.height >= state.size.1;
    let Some(layout) = layout(state).filter(|_| fits) else {
        too_small(&mut canvas, whole);
        return canvas.scene;
    };
    if let Some(area) = layout.tabs {
        tabs::draw(&mut canvas, state, area);
    }
    header::draw(&mut canvas, state, &layout);
    if let Some(area) = layout.side {
        side::draw(&mut canvas, state, area);
    }
    body::draw(&mut canvas, state, layout.body);
    if let Some(area) = layout.pane {
        pane::draw(&mut canvas, state, area);
    }
    if let Some(area) = layout.tour {
        tour::draw(&mut canvas, state, area);
    }
    bottom::draw(&mut canvas, state, layout.bottom);
    // What leads through it is not covered by what it leads to.
    let floor = layout.tour.map_or(layout.bottom.y, |area| area.y);
    for (i, overlay) in state.overlays.iter().enumerate() {
        let over = state.overlays.get(i + 1);
        // Only the topmost can be pressed.
        canvas
            .scene
            .hits
            .retain(|(_, hit)| !matches!(hit, Hit::Part(_)));
        let room = Rect::new(0, 0, whole.width, floor);
        match overlay {
            Overlay::Filter(line) => bottom::filter(&mut canvas, state, layout.bottom, line),
            Overlay::Chooser(list) => chooser::draw(&mut canvas, state, room, list),
            Overlay::Help(scroll) => help::draw(&mut canvas, state, room, scroll.top),
            // The plan takes the place of the form that it was made from.
            Overlay::Form(_) if matches!(over, Some(Overlay::Review(_))) => {}
            Overlay::Form(fields) if fields.silent => {}
            Overlay::Form(fields) => form::draw(&mut canvas, state, room, fields),
            Overlay::Review(plans) => review::draw(&mut canvas, state, room, plans),
            Overlay::Question(question) => dialog::draw(&mut canvas, state, room, question),
        }
    }
    if let Some(cost) = &state.cost {
        perf::draw(&mut canvas, layout.header, cost);
    }
    canvas.scene
}

fn too_small(canvas: &mut Canvas<'_>, area: Rect) {
    let (width, height) = LEAST;
    let said = format!(
        "too small: {width}x{height} is needed, this is {}x{}",
        area.width, area.height
    );
    let middle = area.y + area.height.saturating_sub(2) / 2;
    for (y, line) in (middle..).zip(super::text::wrap(&said, area.width)) {
        canvas.text(area.x, y, area.width, &line, Role::Warn);
    }
}

/// An area of this size in the middle of another.
fn centred(room: Rect, width: u16, height: u16) -> Rect {
    let width = width.min(room.width);
    let height = height.min(room.height);
    Rect::new(
        room.x + (room.width - width) / 2,
        room.y + (room.height - height) / 2,
        width,
        height,
    )
}
