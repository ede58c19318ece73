//! A task's time line.

use super::{Line, Page, capital, told_loss};
use crate::config::theme::Role;
use crate::model::{StepState, Task, Undo};
use crate::tui::rows::{bar, left, part_glyph, rate, task_glyph, took};
use crate::tui::text;

impl Page<'_> {
    pub(super) fn task(&mut self, task: &Task) {
        let state = self.state;
        let (glyph, role) = task_glyph(task, state);
        self.text(&capital(&state.clean(&task.plan.summary)), Role::Title);
        self.field(
            "State",
            vec![(
                format!("{glyph} {}", state.clean(task.state.word())).into(),
                role,
            )],
        );
        self.said("Asked by", &task.by);
        self.time("Begun", Some(task.created));
        if task.ended.is_some() {
            self.said("Took", &took(task));
        }
        if !task.reason.is_empty() && task.problem().is_none() {
            self.said("Reason", &task.reason);
        }
        self.heading("Steps");
        let glyphs = state.glyphs();
        for (step, planned) in task.steps.iter().zip(&task.plan.steps) {
            let title = state.clean(&planned.title).into_owned();
            let (glyph, role) = match &step.state {
                StepState::Waiting => (glyphs.waiting, Role::Dim),
                StepState::Running => (glyphs.play, Role::Busy),
                StepState::Done(_) => (glyphs.done, Role::Ok),
                StepState::Failed(_) => (glyphs.failed, Role::Error),
            };
            let mut line: Line = vec![
                (format!("{glyph} ").into(), role),
                (title.into(), Role::Text),
            ];
            if let (Some(from), Some(to)) = (step.started, step.ended) {
                let ms = (to.as_millisecond() - from.as_millisecond()).max(0);
                line.push((
                    format!("  {}.{:03} s", ms / 1_000, ms % 1_000).into(),
                    Role::Dim,
                ));
            }
            if step.attempts > 1 {
                line.push((format!("  {} attempts", step.attempts).into(), Role::Warn));
            }
            self.lines.push(line);
            if let Some(progress) = step.progress
                && step.state == StepState::Running
            {
                let mut line: Line = vec![("  ".into(), Role::Text)];
                line.extend(bar(progress, 24, state));
                let more = format!(
                    "  {} of {}  {}  {}",
                    progress.done,
                    progress.total,
                    rate(progress),
                    left(progress)
                );
                line.push((more.trim_end().to_owned().into(), Role::Dim));
                self.lines.push(line);
            }
            for part in &step.parts {
                let (glyph, role) = part_glyph(part.state, state);
                self.lines.push(vec![
                    (format!("  {glyph} ").into(), role),
                    (state.clean(&part.name).into_owned().into(), Role::Text),
                    (format!("  {}", state.clean(&part.said)).into(), Role::Dim),
                ]);
            }
            match &step.state {
                StepState::Done(outcome) if !outcome.message.is_empty() => {
                    self.bullet(&format!("  {}", glyphs.into), &outcome.message, Role::Info);
                }
                StepState::Failed(problem) => self.problem(problem),
                _ => {}
            }
            for line in planned.call.lines() {
                let clean = state.clean(line).into_owned();
                for line in text::wrap(&clean, self.width.saturating_sub(2)) {
                    self.lines
                        .push(vec![(format!("  {line}").into(), Role::Dim)]);
                }
            }
        }
        self.heading("What it means");
        for loss in &task.plan.losses {
            self.bullet(glyphs.warn, &told_loss(loss), Role::Warn);
        }
        match &task.plan.undo {
            Undo::By { how, .. } => {
                self.bullet(glyphs.dot, &format!("taken back: {how}"), Role::Info);
            }
            Undo::Never(why) => {
                self.bullet(
                    glyphs.warn,
                    &format!("cannot be taken back: {why}"),
                    Role::Warn,
                );
            }
        }
        self.said("Id", task.id.as_str());
    }
}
