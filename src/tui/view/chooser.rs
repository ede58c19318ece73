//! A list to choose from: the search, and as many entries as are seen.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::{Hit, centred};
use crate::config::theme::Role;
use crate::tui::overlay::Chooser;
use crate::tui::state::State;
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, room: Rect, list: &Chooser) {
    let width = 88.min(room.width.saturating_sub(4)).max(36);
    let rows = (list.entries.len() as u16)
        .clamp(3, 18)
        .min(room.height.saturating_sub(5));
    let mut area = centred(room, width, rows + 4);
    // It hangs from the top, so that it does not jump while the search narrows it.
    area.y = room.y + (room.height - area.height) / 3;
    area.height = area.height.min((list.found.len() as u16).max(1) + 4);
    let inner = canvas.frame(area, &list.title, Role::Dialog);
    if inner.height < 3 {
        return;
    }
    let x = canvas.text(inner.x, inner.y, 2, ": ", Role::Key);
    let count = match &list.chosen {
        Some(chosen) => format!("{} chosen of {}", chosen.len(), list.entries.len()),
        None => format!("{} of {}", list.found.len(), list.entries.len()),
    };
    let count_width = text::width(&count);
    let field = inner.width.saturating_sub(count_width + 4);
    canvas.field(
        Rect::new(x, inner.y, field, 1),
        &list.input,
        true,
        state.ascii,
    );
    let end = inner.right() - count_width;
    canvas.text(end, inner.y, count_width, &count, Role::Dim);
    canvas.line(
        inner.x,
        inner.y + 1,
        inner.width,
        canvas.glyphs.rule,
        Role::Border,
    );

    let body = Rect {
        y: inner.y + 2,
        height: inner.height - 2,
        ..inner
    };
    let page = usize::from(body.height);
    if list.found.is_empty() {
        let said = if list.entries.is_empty() {
            "nothing to choose from"
        } else {
            "nothing matches"
        };
        canvas.text(body.x, body.y, body.width, said, Role::Dim);
        return;
    }
    let top = (list.cursor + 1).saturating_sub(page);
    let label_width = list
        .entries
        .iter()
        .map(|e| text::width(&e.label))
        .max()
        .unwrap_or(0);
    let boxes = if list.chosen.is_some() { 4 } else { 0 };
    let label_width = (label_width + boxes).clamp(8, body.width / 2);
    for (i, (at, &entry)) in list
        .found
        .iter()
        .enumerate()
        .skip(top)
        .take(page)
        .enumerate()
    {
        let entry = &list.entries[entry];
        let line = Rect {
            y: body.y + i as u16,
            height: 1,
            ..body
        };
        let selected = at == list.cursor;
        let role = match (&entry.reason, selected) {
            (_, true) => Role::Selection,
            (Some(_), false) => Role::Dim,
            (None, false) => Role::Text,
        };
        if selected {
            canvas.text(
                line.x.saturating_sub(1),
                line.y,
                1,
                canvas.glyphs.cursor,
                Role::Accent,
            );
        }
        let clean = state.clean(&entry.label);
        let (mut x, mut room) = (line.x, label_width);
        if list.chosen.is_some() {
            let mark = if list.is_chosen(entry) {
                "[x] "
            } else {
                "[ ] "
            };
            let role = if list.is_chosen(entry) {
                Role::Mark
            } else {
                role
            };
            x = canvas.text(x, line.y, 4, mark, role);
            room = room.saturating_sub(4);
        }
        canvas.text(x, line.y, room, &clean, role);
        let key_width = if entry.key.is_empty() {
            0
        } else {
            text::width(&entry.key) + 2
        };
        let x = line.x + label_width + 2;
        let room = line.right().saturating_sub(x + key_width + 1);
        let (said, role) = match &entry.reason {
            Some(reason) => (reason, if selected { Role::Warn } else { Role::Dim }),
            None => (&entry.detail, Role::Dim),
        };
        let said = state.clean(said);
        canvas.text(x, line.y, room, &said, role);
        if key_width > 0 {
            let key = format!("<{}>", entry.key);
            canvas.text(line.right() - key_width, line.y, key_width, &key, Role::Key);
        }
        canvas.hit(line, Hit::Part(at));
    }
}
