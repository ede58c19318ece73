//! What would be done: the whole plan, what would be gone, how it is taken back; and the answer.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::centred;
use super::dialog::draw_buttons;
use crate::config::theme::Role;
use crate::tui::overlay::{Focus, Review};
use crate::tui::page;
use crate::tui::state::{PATIENCE, State};
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, room: Rect, review: &Review) {
    let width = 96.min(room.width.saturating_sub(2)).max(38);
    let inside = width - 4;
    let lines = match &review.results {
        Some(_) => page::plan::results(state, review, inside),
        None => page::plan::plans(state, review, inside),
    };
    let confirm = review.confirm.is_some() && review.results.is_none();
    let foot = if confirm { 4 } else { 2 };
    let area = centred(room, width, lines.len() as u16 + foot + 2);
    let destructive = review.is_destructive();
    let role = if destructive {
        Role::Danger
    } else {
        Role::Dialog
    };
    let title = match &review.results {
        Some(_) => "What became of it".to_owned(),
        None => format!("Plan: {}", review.title.to_lowercase()),
    };
    let inner = canvas.frame(area, &title, role);
    let body = Rect {
        height: inner.height.saturating_sub(foot),
        ..inner
    };
    let page = usize::from(body.height);
    let top = review.top.min(lines.len().saturating_sub(page));
    for (i, line) in lines.iter().skip(top).take(page).enumerate() {
        canvas.spans(body.x, body.y + i as u16, body.width, line);
    }
    if lines.len() > page && page > 0 {
        let below = lines.len() - page - top;
        let said = match below {
            0 => format!(" {} {top} lines above ", canvas.glyphs.up),
            n => format!(" {} {n} lines more ", canvas.glyphs.down),
        };
        let w = text::width(&said);
        let x = area.right().saturating_sub(w + 2);
        canvas.text(x, area.y, w, &said, Role::Warn);
    }
    if inner.height < foot {
        return;
    }
    let deaf = review.is_deaf(state.now.clock);
    if let Some(name) = review.confirm.as_ref().filter(|_| confirm) {
        let y = inner.bottom() - 3;
        let name = state.clean(name);
        let x = canvas.text(inner.x, y, inner.width, "To go on, type ", Role::Text);
        let x = canvas.text(x, y, inner.right().saturating_sub(x), &name, Role::Danger);
        let x = canvas.text(x, y, 2, ": ", Role::Text);
        let focus = review.focus == Focus::Name && !deaf && review.waiting.is_none();
        let field = Rect::new(x, y, inner.right().saturating_sub(x).max(1), 1);
        if !focus {
            canvas.line(field.x, y, field.width, " ", Role::Input);
        }
        canvas.field(field, &review.typed, focus, state.ascii);
    }
    if review.results.is_some() {
        draw_buttons(canvas, inner, &[("Close", true)], deaf, Role::Text);
        return;
    }
    if let Some((_, since)) = review.waiting {
        if state.now.clock >= since + PATIENCE {
            let y = inner.bottom() - 1;
            canvas.text(inner.x, y, inner.width, "handing it over", Role::Busy);
        }
        return;
    }
    let back = ("Back", review.focus == Focus::Back);
    if review.plans.is_empty() {
        draw_buttons(canvas, inner, &[back], deaf, Role::Text);
        return;
    }
    let other = match (review.is_confirmed(), destructive) {
        (false, _) => Role::Dim,
        (true, true) => Role::Danger,
        (true, false) => Role::Text,
    };
    let go = (review.title, review.focus == Focus::Go);
    draw_buttons(canvas, inner, &[back, go], deaf, other);
}
