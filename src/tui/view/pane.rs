//! The docked tasks: what runs, what waits for a decision, what is just over.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::config::theme::Role;
use crate::model::{OperationKind, StepState, Task, TaskState};
use crate::task::{Control, roll_back, undo};
use crate::tui::actions::{Action, ActionId};
use crate::tui::layout::{PaneLine, pane_lines};
use crate::tui::rows::{self, Spans};
use crate::tui::state::{Pane, State};
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    canvas.line(area.x, area.y, area.width, canvas.glyphs.rule, Role::Border);
    let tasks = state.tasks.in_pane(state.now.clock);
    let body = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    let mut lines: Vec<(&Task, PaneLine)> = Vec::new();
    for task in &tasks {
        match state.tasks.pane {
            Pane::Large => lines.extend(pane_lines(task).into_iter().map(|l| (task.as_ref(), l))),
            _ => lines.push((task, PaneLine::Task)),
        }
    }
    let hidden = lines.len().saturating_sub(usize::from(body.height));
    let mut title = " Tasks ".to_owned();
    if hidden > 0 {
        let key = Action::of(ActionId::Tasks).hint(state);
        title = format!(" Tasks, {hidden} lines more: {key} shows all ");
    }
    canvas.text(area.x + 1, area.y, area.width - 2, &title, Role::Heading);
    if lines.is_empty() {
        canvas.text(
            body.x + 2,
            body.y,
            body.width - 3,
            "nothing runs",
            Role::Dim,
        );
    }
    for (i, (task, step)) in lines.into_iter().take(usize::from(body.height)).enumerate() {
        let line = Rect {
            y: body.y + i as u16,
            height: 1,
            ..body
        };
        match step {
            PaneLine::Task => draw_task(canvas, state, line, task),
            PaneLine::Step(step) => draw_step(canvas, state, line, task, step),
            PaneLine::Member(member) => draw_member(canvas, state, line, task, member),
            PaneLine::Part(step, part) => draw_part(canvas, state, line, task, (step, part)),
        }
    }
}

fn draw_task(canvas: &mut Canvas<'_>, state: &State, line: Rect, task: &Task) {
    let (glyph, role) = rows::task_glyph(task, state);
    canvas.text(line.x + 1, line.y, 1, glyph, role);
    let verb = task.plan.operation.kind.verb();
    canvas.text(line.x + 3, line.y, 9, verb, Role::Text);
    let end = line.right().saturating_sub(1);
    let mut x = line.x + 13;
    // The right side is as wide as what is told of progress; the subject and the step share the rest.
    let right = outcome(state, task, line.width);
    let width: u16 = right.iter().map(|(said, _)| text::width(said)).sum();
    let from = end.saturating_sub(width).max(x);
    canvas.spans(from, line.y, end.saturating_sub(from), &right);
    let room = from.saturating_sub(x + 2);
    let subject = state.clean(&task.plan.subject);
    let half = if task.state.is_over() {
        room
    } else {
        (room / 2).max(text::width(&subject).min(room * 2 / 3))
    };
    let subject_room = half.min(32.max(room / 2));
    canvas.text(x, line.y, subject_room, &subject, Role::Text);
    x += subject_room.min(text::width(&subject).max(22)) + 2;
    let said = if task.reason.is_empty() {
        match task.state {
            TaskState::Succeeded => String::new(),
            _ => rows::step_text(task, state),
        }
    } else {
        state.clean(&task.reason).into_owned()
    };
    let role = if task.reason.is_empty() {
        Role::Dim
    } else {
        Role::Warn
    };
    canvas.text(x, line.y, from.saturating_sub(x + 2), &said, role);
}

/// Whether it was paused, and goes on when it is told to.
fn stands_still(task: &Task) -> bool {
    Control::Resume.allowed(task).is_ok() && task.pausable().is_some()
}

/// What is told at the right: how far it is, how it ended, or what can be done next.
fn outcome(state: &State, task: &Task, width: u16) -> Spans<'static> {
    let key = |id| Action::of(id).hint(state);
    match &task.state {
        TaskState::Succeeded => {
            let mut spans: Spans<'static> =
                vec![(format!("done in {}", rows::took(task)).into(), Role::Ok)];
            if undo(task).is_ok() && width >= 76 && state.read_only.is_none() {
                spans.push((format!("  {}", key(ActionId::Undo)).into(), Role::Key));
                spans.push((" undo".into(), Role::Dim));
            }
            spans
        }
        TaskState::Cancelled => vec![("cancelled".into(), Role::Dim)],
        // Sent, and no answer came: nobody is told how far it is.
        TaskState::Lost => vec![(task.state.word().to_owned().into(), Role::Warn)],
        TaskState::Failed if state.tasks.is_rolled_back(task) => {
            let said = match task.plan.operation.kind {
                OperationKind::RestoreGroup | OperationKind::RetryRestore => {
                    "failed, put right since"
                }
                _ => "failed, rolled back",
            };
            vec![(said.into(), Role::Dim)]
        }
        TaskState::Failed | TaskState::Suspended => {
            let word = if task.state == TaskState::Failed {
                "failed"
            } else {
                "waits"
            };
            let role = if task.state == TaskState::Failed {
                Role::Error
            } else {
                Role::Warn
            };
            let mut spans: Spans<'static> = vec![(format!("{word}  ").into(), role)];
            for (id, name) in [
                (ActionId::Pause, " go on "),
                (ActionId::Retry, " retry "),
                (ActionId::RollBack, " roll back "),
                (ActionId::Cancel, " cancel "),
                (ActionId::Tasks, " look"),
            ] {
                let cannot = match id {
                    ActionId::Cancel => task.state.is_over(),
                    // What was paused goes on; it is not begun again.
                    ActionId::Pause => !stands_still(task),
                    ActionId::Retry => stands_still(task),
                    ActionId::RollBack => roll_back(task, &state.system).is_err(),
                    _ => false,
                };
                if cannot {
                    continue;
                }
                spans.push((key(id).into(), Role::Key));
                spans.push((name.into(), Role::Dim));
            }
            spans
        }
        _ => match task.progress() {
            None => vec![(
                state.clean(task.state.word()).into_owned().into(),
                Role::Dim,
            )],
            Some(progress) => {
                let columns = match width {
                    150.. => 28,
                    100..150 => 16,
                    _ => 10,
                };
                let mut spans = rows::bar(progress, columns, state);
                let figures = [(rows::rate(progress), 96), (rows::left(progress), 76)];
                for (said, from) in figures {
                    if width >= from {
                        // Figures keep their place while they change.
                        spans.push((format!(" {said:>12}").into(), Role::Dim));
                    }
                }
                spans
            }
        },
    }
}

/// One of the volumes that a step is done to at one moment.
fn draw_member(canvas: &mut Canvas<'_>, state: &State, line: Rect, task: &Task, member: usize) {
    let Some(touched) = task.plan.touches.get(member) else {
        return;
    };
    let glyphs = canvas.glyphs;
    let (glyph, role) = match task.steps.first().map(|step| &step.state) {
        Some(StepState::Done(_)) => (glyphs.done, Role::Ok),
        Some(StepState::Failed(_)) => (glyphs.failed, Role::Error),
        Some(StepState::Running) => (glyphs.play, Role::Busy),
        _ => (glyphs.waiting, Role::Dim),
    };
    let rail = if task.steps.len() > 1 {
        glyphs.rail
    } else {
        " "
    };
    canvas.text(line.x + 3, line.y, 1, rail, Role::Border);
    canvas.text(line.x + 7, line.y, 1, glyph, role);
    let name = state.clean(&touched.name);
    let room = line.width.saturating_sub(10);
    canvas.text(line.x + 9, line.y, room, &name, Role::Dim);
}

/// One of the parts that the system works through in a step, in its own words.
fn draw_part(
    canvas: &mut Canvas<'_>,
    state: &State,
    line: Rect,
    task: &Task,
    (step, part): (usize, usize),
) {
    let Some(part) = task.steps.get(step).and_then(|s| s.parts.get(part)) else {
        return;
    };
    let (glyph, role) = rows::part_glyph(part.state, state);
    canvas.text(line.x + 7, line.y, 1, glyph, role);
    let name = state.clean(&part.name);
    let room = line.width.saturating_sub(10);
    let x = canvas.text(line.x + 9, line.y, room, &name, Role::Dim);
    let said = state.clean(&part.said);
    let room = line.right().saturating_sub(x + 3);
    canvas.text(x + 2, line.y, room, &said, role);
}

fn draw_step(canvas: &mut Canvas<'_>, state: &State, line: Rect, task: &Task, index: usize) {
    let (Some(step), Some(planned)) = (task.steps.get(index), task.plan.steps.get(index)) else {
        return;
    };
    let glyphs = canvas.glyphs;
    let (glyph, role, said) = match &step.state {
        StepState::Waiting => (glyphs.waiting, Role::Dim, String::new()),
        StepState::Running => (glyphs.play, Role::Busy, String::new()),
        StepState::Done(outcome) => (glyphs.done, Role::Ok, outcome.message.clone()),
        StepState::Failed(problem) => (glyphs.failed, Role::Error, problem.to_string()),
    };
    let branch = if index + 1 == task.steps.len() {
        glyphs.last
    } else {
        glyphs.tee
    };
    canvas.text(line.x + 3, line.y, 1, branch, Role::Border);
    canvas.text(line.x + 5, line.y, 1, glyph, role);
    let title = state.clean(&planned.title);
    let role = if step.state == StepState::Waiting {
        Role::Dim
    } else {
        Role::Text
    };
    let room = line.width.saturating_sub(8);
    let x = canvas.text(line.x + 7, line.y, room, &title, role);
    let said = state.clean(&said);
    canvas.text(
        x + 2,
        line.y,
        line.right().saturating_sub(x + 3),
        &said,
        Role::Dim,
    );
}
