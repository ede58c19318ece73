//! What would be done: the whole plan, what would be gone, how it is taken back; and the answer.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::centred;
use super::dialog::draw_buttons;
use crate::config::theme::Role;
use crate::model::{Plan, Undo};
use crate::tui::overlay::{Focus, Review};
use crate::tui::page::{self, Line, capital, told_loss};
use crate::tui::state::{PATIENCE, State};
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, room: Rect, review: &Review) {
    let width = 96.min(room.width.saturating_sub(2)).max(38);
    let inside = width - 4;
    let lines = match &review.results {
        Some(_) => results(state, review, inside),
        None => plans(state, review, inside),
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

fn push(lines: &mut Vec<Line>, lead: &str, said: &str, width: u16, lead_role: Role, role: Role) {
    let indent = text::width(lead);
    for (i, line) in text::wrap(said, width.saturating_sub(indent))
        .into_iter()
        .enumerate()
    {
        let lead = if i == 0 {
            lead.to_owned()
        } else {
            " ".repeat(usize::from(indent))
        };
        lines.push(vec![(lead.into(), lead_role), (line.into(), role)]);
    }
}

fn plans(state: &State, review: &Review, width: u16) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let alone = review.plans.len() == 1;
    if !alone && !review.plans.is_empty() {
        let said = format!(
            "{} things at once, each a task of its own:",
            review.plans.len()
        );
        lines.push(vec![(said.into(), Role::Title)]);
        lines.push(Vec::new());
    }
    for plan in &review.plans {
        plan_lines(state, plan, alone, width, &mut lines);
    }
    if !review.refused.is_empty() {
        lines.push(Vec::new());
        lines.push(vec![("Not possible, and left out:".into(), Role::Warn)]);
        for (name, problem) in &review.refused {
            let said = format!("{name}: {}", state.clean(&problem.to_string()));
            push(
                &mut lines,
                &format!("{} ", state.glyphs().bad),
                &said,
                width,
                Role::Error,
                Role::Text,
            );
        }
    }
    lines
}

/// One plan: what, what would be gone, the steps with their calls, and the way back.
fn plan_lines(state: &State, plan: &Plan, whole: bool, width: u16, lines: &mut Vec<Line>) {
    let glyphs = state.glyphs();
    let summary = capital(&state.clean(&plan.summary));
    if whole {
        push(lines, "", &summary, width, Role::Text, Role::Title);
    } else {
        push(
            lines,
            &format!("{} ", glyphs.dot),
            &summary,
            width,
            Role::Info,
            Role::Text,
        );
    }
    let indent = if whole { "" } else { "  " };
    if !plan.losses.is_empty() {
        if whole {
            lines.push(Vec::new());
            lines.push(vec![("Would be gone".into(), Role::Danger)]);
        }
        for loss in &plan.losses {
            let said = state.clean(&told_loss(loss)).into_owned();
            push(
                lines,
                &format!("{indent}{} ", glyphs.warn),
                &said,
                width,
                Role::Warn,
                Role::Text,
            );
        }
    }
    if !whole {
        return;
    }
    lines.push(Vec::new());
    lines.push(vec![("Steps".into(), Role::Heading)]);
    for (i, step) in plan.steps.iter().enumerate() {
        let title = state.clean(&step.title);
        push(
            lines,
            &format!("{} ", i + 1),
            &title,
            width,
            Role::Info,
            Role::Text,
        );
        for call in step.call.lines() {
            let clean = state.clean(call);
            push(lines, "  ", &clean, width, Role::Dim, Role::Dim);
        }
    }
    lines.push(Vec::new());
    let copies = match plan.copies.0 {
        0 => "nothing is copied".to_owned(),
        _ => format!("{} must be copied", plan.copies),
    };
    push(lines, "Copies  ", &copies, width, Role::Dim, Role::Text);
    match &plan.undo {
        Undo::By { how, .. } => {
            push(
                lines,
                "Undo    ",
                &state.clean(how),
                width,
                Role::Dim,
                Role::Text,
            );
        }
        Undo::Never(why) => {
            let said = format!("cannot be undone: {}", state.clean(why));
            push(lines, "Undo    ", &said, width, Role::Dim, Role::Warn);
        }
    }
    for note in &plan.notes {
        push(
            lines,
            "Note    ",
            &state.clean(note),
            width,
            Role::Dim,
            Role::Text,
        );
    }
}

/// What became of each plan.
fn results(state: &State, review: &Review, width: u16) -> Vec<Line> {
    let glyphs = state.glyphs();
    let mut lines: Vec<Line> = Vec::new();
    let results = review.results.as_deref().unwrap_or_default();
    for (plan, result) in review.plans.iter().zip(results) {
        let subject = state.clean(&plan.subject);
        match result {
            Ok(_) => push(
                &mut lines,
                &format!("{} ", glyphs.done),
                &format!("{subject}: begun"),
                width,
                Role::Ok,
                Role::Text,
            ),
            Err(problem) => {
                push(&mut lines, "", &subject, width, Role::Text, Role::Text);
                lines.extend(page::problem(state, problem, width));
            }
        }
    }
    for (name, problem) in &review.refused {
        let said = format!("{name}: left out, {}", state.clean(&problem.to_string()));
        push(
            &mut lines,
            &format!("{} ", glyphs.bad),
            &said,
            width,
            Role::Error,
            Role::Text,
        );
    }
    lines
}
