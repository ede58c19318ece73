//! What the last frame cost, over the top line; `--perf` and its key show it.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::config::theme::Role;
use crate::tui::event::Cost;
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, header: Rect, cost: &Cost) {
    let said = format!(
        " frame {}: update {} + view {} + bytes {} = {} us, {} B ",
        cost.frame,
        cost.update,
        cost.view,
        cost.encode,
        cost.update + cost.view + cost.encode,
        cost.bytes
    );
    let width = text::width(&said).min(header.width);
    let x = header.right() - width;
    canvas.text(x, header.y, width, &said, Role::Button);
}
