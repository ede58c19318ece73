//! A question, and the buttons that every dialog has.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::{Hit, centred};
use crate::config::theme::Role;
use crate::tui::overlay::{DEAF, Question};
use crate::tui::state::State;
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, room: Rect, question: &Question) {
    let width = 64.min(room.width);
    let inside = width.saturating_sub(4);
    let lines: Vec<String> = question
        .lines
        .iter()
        .flat_map(|line| text::wrap(line, inside))
        .collect();
    let area = centred(room, width, lines.len() as u16 + 5);
    let inner = canvas.frame(area, &question.title, Role::Dialog);
    let shown = usize::from(inner.height.saturating_sub(2));
    for (i, line) in lines.iter().take(shown).enumerate() {
        canvas.text(
            inner.x,
            inner.y + 1 + i as u16,
            inner.width,
            line,
            Role::Text,
        );
    }
    let deaf = state.now.clock < question.opened + DEAF;
    let buttons = [
        (question.no, !question.on_yes),
        (question.yes, question.on_yes),
    ];
    draw_buttons(canvas, inner, &buttons, deaf, Role::Text);
}

/// The buttons at the foot of a dialog, the safe one first. While the dialog takes no input, they are faint.
pub(super) fn draw_buttons(
    canvas: &mut Canvas<'_>,
    inner: Rect,
    buttons: &[(&str, bool)],
    deaf: bool,
    other: Role,
) {
    if inner.height == 0 {
        return;
    }
    let y = inner.bottom() - 1;
    let total: u16 = buttons.iter().map(|(word, _)| text::width(word) + 6).sum();
    let mut x = inner.x + inner.width.saturating_sub(total);
    for (i, (word, focus)) in buttons.iter().enumerate() {
        let said = format!("[ {word} ]");
        let width = text::width(&said);
        let role = match (deaf, focus) {
            (true, _) => Role::Dim,
            (false, true) => Role::Button,
            (false, false) => other,
        };
        canvas.text(x, y, inner.right().saturating_sub(x), &said, role);
        if *focus && !deaf {
            canvas.cursor(x + 2, y);
        }
        canvas.hit(Rect::new(x, y, width, 1), Hit::Part(i));
        x += width + 2;
    }
}
