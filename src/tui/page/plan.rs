//! Plans as lines: what would be done, what would be gone, how it is taken back; and what became of them.

use super::{Line, capital, problem as problem_lines, told_loss};
use crate::config::theme::Role;
use crate::model::{Bytes, Plan, Undo};
use crate::tui::overlay::Review;
use crate::tui::state::State;
use crate::tui::text;

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

/// What would be done, what would be gone, and what is not possible.
pub(crate) fn plans(state: &State, review: &Review, width: u16) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let alone = review.plans.len() == 1;
    if !alone && !review.plans.is_empty() {
        let said = format!(
            "{} things at once, each a task of its own:",
            review.plans.len()
        );
        lines.push(vec![(said.into(), Role::Title)]);
        lines.extend(together(&review.plans).map(|said| vec![(said.into(), Role::Warn)]));
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

/// What several plans come to together: what would be gone, and what must be copied.
fn together(plans: &[Plan]) -> impl Iterator<Item = String> {
    let losses = || plans.iter().flat_map(|plan| &plan.losses);
    let known = Bytes(losses().filter_map(|loss| Some(loss.bytes?.0)).sum());
    let gone = match (losses().count(), losses().all(|loss| loss.bytes.is_some())) {
        (0, _) => None,
        // What several of them share goes with the last.
        (_, true) => Some(format!("Together {known} at least would be gone.")),
        (_, false) if known.0 == 0 => None,
        (_, false) => Some(format!(
            "Together {known} would be gone, and what is not known of some."
        )),
    };
    let copies = Bytes(plans.iter().map(|plan| plan.copies.0).sum());
    let copied = (copies.0 > 0).then(|| format!("Together {copies} must be copied."));
    gone.into_iter().chain(copied)
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
        // What a system does inside is its own.
        0 if state.system.called => "the system does not tell".to_owned(),
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
pub(crate) fn results(state: &State, review: &Review, width: u16) -> Vec<Line> {
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
                lines.extend(problem_lines(state, problem, width));
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
