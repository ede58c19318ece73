//! What stands beside a list where there is room: a volume's tree, or all fields of a thing.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::config::theme::Role;
use crate::model::{Age, TreeRowKind, VolumeId};
use crate::tui::page;
use crate::tui::rows;
use crate::tui::state::{PATIENCE, Place, State};
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    canvas.wall(area.x, area.y, area.height, Role::Border);
    let inner = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(3),
        ..area
    };
    let Some(beside) = &state.beside else {
        return;
    };
    if state.screen().place == Place::Volumes {
        tree(canvas, state, inner, &VolumeId(beside.id.clone()));
    } else if let Some(object) = state.find(beside) {
        let name = state.clean(object.name()).into_owned();
        canvas.text(inner.x, inner.y, inner.width, &name, Role::Heading);
        let lines = page::fields(state, &object, inner.width);
        let height = usize::from(inner.height.saturating_sub(1));
        for (i, line) in lines.iter().take(height).enumerate() {
            canvas.spans(inner.x, inner.y + 1 + i as u16, inner.width, line);
        }
    }
}

/// The tree of the selected volume, small: name, age, and what is special.
fn tree(canvas: &mut Canvas<'_>, state: &State, area: Rect, volume: &VolumeId) {
    if let Some(volume) = state.volume(volume.as_str()) {
        let name = state.clean(&volume.name);
        canvas.text(area.x, area.y, area.width, &name, Role::Heading);
    }
    let history = state.inventory.history(volume);
    let Some(history) = history.filter(|h| h.list.loaded.is_some()) else {
        let asked = history.and_then(|h| h.list.asked);
        if asked.is_some_and(|(_, since)| state.now.clock >= since + PATIENCE) {
            canvas.text(
                area.x,
                area.y + 1,
                area.width,
                "reading the tree",
                Role::Dim,
            );
        }
        return;
    };
    let Some(rows) = rows::of(state, &Place::Tree(volume.clone())) else {
        return;
    };
    let height = usize::from(area.height.saturating_sub(1));
    let here = (0..rows.len()).position(|row| rows.is(row, &crate::tui::state::RowId::Here));
    // Where the volume is now is what is looked for first.
    let top = here.map_or(0, |here| (here + 1).saturating_sub(height * 2 / 3));
    let top = top.min(rows.len().saturating_sub(height));
    let cut = rows.len().saturating_sub(top + height);
    for (i, row) in (top..rows.len()).take(height).enumerate() {
        let y = area.y + 1 + i as u16;
        if cut > 0 && i + 1 == height {
            let said = format!("{} {} more", canvas.glyphs.down, cut + 1);
            canvas.text(area.x, y, area.width, &said, Role::Dim);
            break;
        }
        if top > 0 && i == 0 {
            let said = format!("{} {} more", canvas.glyphs.up, top + 1);
            canvas.text(area.x, y, area.width, &said, Role::Dim);
            continue;
        }
        let taken = match history.tree.rows[row].kind {
            TreeRowKind::Snapshot(i) => history.list.items.get(i).and_then(|s| s.created),
            TreeRowKind::Here => None,
        };
        // Seconds would be wrong before they are read: nothing is drawn until something changes.
        let age = taken.map(|at| match Age::between(at, state.now.wall) {
            age if age.0 < 60 => "<1m".to_owned(),
            age => age.to_string(),
        });
        draw_row(canvas, area, y, &*rows, row, &age.unwrap_or_default());
    }
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    area: Rect,
    y: u16,
    rows: &dyn rows::Rows,
    row: usize,
    age: &str,
) {
    let lead = rows.lead(row);
    let x = canvas.spans(area.x, y, area.width, &lead);
    let own: String = rows
        .cell(row, 2)
        .into_iter()
        .map(|(said, _)| said)
        .collect();
    let right = format!("{age:>4} {own:>8}");
    let width = text::width(&right);
    let note = rows.cell(row, 4);
    let room = area.right().saturating_sub(x);
    let figures = room > width + 12;
    let name_room = if figures { room - width - 1 } else { room };
    let end = canvas.spans(x, y, name_room, &rows.cell(row, 0));
    if figures {
        canvas.text(area.right() - width, y, width, &right, Role::Dim);
    }
    let left = name_room.saturating_sub(end - x + 1);
    let note_width: u16 = note.iter().map(|(said, _)| text::width(said)).sum();
    if note_width > 0 && note_width <= left {
        canvas.spans(end + 1, y, left, &note);
    }
}
