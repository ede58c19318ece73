//! A form: its fields, what is wrong with them, and the way to the plan.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::canvas::Canvas;
use super::dialog::draw_buttons;
use super::{Hit, centred};
use crate::config::theme::Role;
use crate::tui::overlay::{Field, Form, Holds};
use crate::tui::page;
use crate::tui::state::{PATIENCE, State};
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, room: Rect, form: &Form) {
    let width = 78.min(room.width.saturating_sub(2)).max(38);
    let inside = width - 4;
    let doc = text::wrap(form.spec.doc, inside);
    let problem = form
        .problem
        .as_ref()
        .map(|p| page::problem(state, p, inside));
    let problem_height = problem.as_ref().map_or(0, |lines| lines.len() as u16 + 1);
    let wanted = doc.len() as u16 + 1 + form.fields.len() as u16 * 2 + problem_height + 3 + 2;
    let area = centred(room, width, wanted);
    let inner = canvas.frame(area, form.spec.title, Role::Dialog);
    if inner.height < 3 {
        return;
    }
    let mut y = inner.y;
    // Where it is low, the fields go before the words about them.
    let tight = area.height < wanted;
    if !tight {
        for line in &doc {
            canvas.text(inner.x, y, inner.width, line, Role::Dim);
            y += 1;
        }
        y += 1;
    }
    let foot = inner.bottom() - 1;
    let labels = form.fields.iter().map(|f| text::width(f.spec.label)).max();
    let labels = labels.unwrap_or(0).min(inner.width / 3) + 2;
    let per_field = if tight { 1 } else { 2 };
    let seen = usize::from(foot.saturating_sub(y + problem_height) / per_field).max(1);
    let first = (form.focus + 1)
        .saturating_sub(seen)
        .min(form.fields.len().saturating_sub(seen));
    for (i, field) in form.fields.iter().enumerate().skip(first).take(seen) {
        let line = Rect {
            y,
            height: 1,
            ..inner
        };
        let focus = i == form.focus && form.waiting.is_none();
        draw_field(canvas, state, form, line, labels, field, focus);
        canvas.hit(line, Hit::Part(i));
        if per_field == 2 {
            under(
                canvas,
                state,
                Rect { y: y + 1, ..line },
                labels,
                field,
                focus,
            );
        }
        y += per_field;
    }
    if let Some(lines) = problem {
        for line in lines {
            if y >= foot {
                break;
            }
            canvas.spans(inner.x, y, inner.width, &line);
            y += 1;
        }
    }
    if let Some((_, since)) = form.waiting {
        if state.now.clock >= since + PATIENCE {
            canvas.text(
                inner.x,
                foot,
                inner.width,
                "working out what it would do",
                Role::Busy,
            );
        }
        return;
    }
    if tight && let Some(field) = form.fields.get(form.focus) {
        let line = Rect {
            y: foot,
            width: inner.width.saturating_sub(22),
            height: 1,
            ..inner
        };
        under(canvas, state, line, 0, field, true);
    }
    let on_button = form.focus == form.fields.len();
    let at = canvas.scene.hits.len();
    draw_buttons(
        canvas,
        inner,
        &[("Show the plan", on_button)],
        false,
        Role::Text,
    );
    // The button is numbered after the fields.
    for (_, hit) in canvas.scene.hits.iter_mut().skip(at) {
        *hit = Hit::Part(form.fields.len());
    }
}

fn draw_field(
    canvas: &mut Canvas<'_>,
    state: &State,
    form: &Form,
    line: Rect,
    labels: u16,
    field: &Field,
    focus: bool,
) {
    let role = if focus { Role::Accent } else { Role::Text };
    canvas.text(line.x, line.y, labels - 1, field.spec.label, role);
    let x = line.x + labels;
    let room = line.right().saturating_sub(x);
    let glyphs = canvas.glyphs;
    let area = Rect {
        x,
        width: room,
        ..line
    };
    match &field.holds {
        Holds::Line(input) => {
            let hidden = field.spec.secret.then(|| hidden(input));
            canvas.field(area, hidden.as_ref().unwrap_or(input), focus, state.ascii);
            if input.value().is_empty() {
                let said = match (&field.suggestion, field.spec.required) {
                    (Some(suggestion), _) => state.clean(suggestion).into_owned(),
                    (None, true) => "must be given".to_owned(),
                    (None, false) => "may be left out".to_owned(),
                };
                // On the background of a field only its own colour is sure to be seen.
                let style = if focus {
                    canvas
                        .skin
                        .style(Role::Input)
                        .add_modifier(Modifier::ITALIC)
                } else {
                    canvas.skin.style(Role::Dim)
                };
                canvas.styled(x, line.y, room, &said, style);
            }
        }
        Holds::Flag(flag) => {
            let (mark, word) = if *flag { ("x", "yes") } else { (" ", "no") };
            let role = if focus { Role::Input } else { Role::Text };
            canvas.text(x, line.y, room, &format!("[{mark}] {word}"), role);
            if focus {
                canvas.cursor(x + 1, line.y);
            }
        }
        Holds::Choice(at) => {
            let crate::model::FieldType::Choice(words) = &field.spec.ty else {
                return;
            };
            let mut x = x;
            for (i, word) in words.iter().enumerate() {
                let (mark, role) = match (i == *at, focus) {
                    (true, true) => ("x", Role::Input),
                    (true, false) => ("x", Role::Text),
                    (false, _) => (" ", Role::Dim),
                };
                let left = line.right().saturating_sub(x);
                if i == *at && focus {
                    canvas.cursor(x + 1, line.y);
                }
                x = canvas.text(x, line.y, left, &format!("({mark}) {word}"), role) + 2;
            }
        }
        Holds::Object(_) | Holds::Objects(_) => {
            let said = form.shown(field, state);
            let held = !said.is_empty();
            let said = match (&field.holds, held) {
                (Holds::Objects(objects), true) if objects.len() > 1 => {
                    format!("{}: {said}", objects.len())
                }
                (_, true) => said,
                (_, false) if field.spec.required => "must be chosen".to_owned(),
                (_, false) => "may be left out".to_owned(),
            };
            let role = match (focus, held) {
                (true, _) => Role::Input,
                (false, true) => Role::Text,
                (false, false) => Role::Dim,
            };
            canvas.text(x, line.y, room, &format!("{} {said}", glyphs.into), role);
            if focus {
                canvas.cursor(x, line.y);
            }
        }
        Holds::Pinned(said) => {
            canvas.text(x, line.y, room, said, Role::Title);
        }
    }
}

/// A line that does not show what was typed.
fn hidden(input: &tui_input::Input) -> tui_input::Input {
    let stars = "*".repeat(input.value().chars().count());
    tui_input::Input::new(stars).with_cursor(input.cursor())
}

/// What stands under a field: what is wrong with it, or what it takes.
fn under(
    canvas: &mut Canvas<'_>,
    state: &State,
    line: Rect,
    labels: u16,
    field: &Field,
    focus: bool,
) {
    let x = line.x + labels;
    let room = line.right().saturating_sub(x);
    if let Some(wrong) = &field.wrong {
        let said = format!("{} {}", canvas.glyphs.bad, state.clean(wrong));
        canvas.text(x, line.y, room, &said, Role::Error);
    } else if focus {
        let limits = field.limits();
        let doc = field.spec.doc;
        let said = if doc.is_empty() {
            limits
        } else if text::width(doc) + text::width(&limits) + 3 <= room {
            format!("{doc} ({limits})")
        } else {
            doc.to_owned()
        };
        canvas.text(x, line.y, room, &said, Role::Dim);
    }
}
