//! The panel of a walkthrough: the words of the step, how far it is, and its keys.

use ratatui::layout::Rect;

use super::Hit;
use super::canvas::Canvas;
use crate::config::theme::Role;
use crate::tui::actions::{Action, ActionId};
use crate::tui::rows::Spans;
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::tour::{Walk, Words, marks};

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let Some((walk, words)) = state
        .walk
        .as_ref()
        .zip(Words::of(state, area.width.saturating_sub(4)))
    else {
        return;
    };
    canvas.line(area.x, area.y, area.width, canvas.glyphs.rule, Role::Accent);
    let marks = format!(" {} ", marks(walk, state));
    let width = text::width(&marks);
    // A tour of very many steps tells them by figures alone.
    let width = if width + 24 > area.width { 0 } else { width };
    let right = area.right().saturating_sub(width + 2);
    canvas.text(right, area.y, width, &marks, Role::Ok);
    let title = format!(" Tour, {} ", words.title);
    let room = right.saturating_sub(area.x + 2);
    canvas.text(area.x + 1, area.y, room, &title, Role::Title);
    let last = area.bottom() - 1;
    for (y, line) in (area.y + 1..last).zip(&words.lines) {
        canvas.spans(area.x + 2, y, area.width - 3, &spans(line));
    }
    let mut x = area.x + 2;
    match &walk.play {
        Some(play) => {
            let said = "it plays itself; any key of yours stops it";
            x = canvas.text(x, last, area.width - 3, said, Role::Info) + 3;
            if !play.pressed.is_empty() {
                let pressed = state.clean(&play.pressed);
                let room = area.right().saturating_sub(x + 1);
                canvas.text(x, last, room, &pressed, Role::Key);
            }
        }
        None => keys(canvas, state, Rect { y: last, x, ..area }),
    }
}

/// A line with its keys told from its words.
fn spans(line: &str) -> Spans<'_> {
    let mut spans: Spans<'_> = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find('<') {
        let (before, key) = rest.split_at(at);
        let end = key.find(|c: char| c == '>' || c.is_whitespace());
        let end = end.filter(|end| key[*end..].starts_with('>'));
        let length = end.map_or(1, |end| end + 1);
        let role = if end.is_some() { Role::Key } else { Role::Text };
        let (key, after) = key.split_at(length);
        spans.push((before.into(), Role::Text));
        spans.push((key.into(), role));
        rest = after;
    }
    spans.push((rest.into(), Role::Text));
    spans
}

fn keys(canvas: &mut Canvas<'_>, state: &State, line: Rect) {
    let walk = state.walk.as_ref();
    let done = walk.is_some_and(Walk::is_done);
    let reads = walk
        .and_then(|walk| walk.now())
        .is_some_and(|step| step.expect.is_empty());
    let mut x = line.x;
    if done {
        let said = format!("{} done", canvas.glyphs.done);
        x = canvas.text(x, line.y, 12, &said, Role::Ok) + 3;
    }
    let on = if done || reads { "on" } else { "skip" };
    for (id, name) in [
        (ActionId::TourNext, on),
        (ActionId::TourBack, "back"),
        (ActionId::TourPanel, "hide"),
        (ActionId::TourLeave, "leave"),
        (ActionId::Tours, "others"),
    ] {
        let action = Action::of(id);
        if (action.enabled)(state).is_err() {
            continue;
        }
        // Over a dialog only those that type nothing are at hand.
        let keys = action.keys(state);
        let over = !state.overlays.is_empty();
        let Some(key) = keys.iter().find(|key| !over || key.typed().is_none()) else {
            continue;
        };
        let start = x;
        x = canvas.text(x, line.y, 12, &format!("<{key}>"), Role::Key);
        x = canvas.text(x + 1, line.y, 12, name, Role::Dim);
        canvas.hit(Rect::new(start, line.y, x - start, 1), Hit::Action(id));
        x += 2;
    }
}
