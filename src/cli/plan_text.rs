//! A plan, for people.

use std::fmt::Write as _;

use super::text;
use crate::model::{Plan, Undo};

/// The plan as lines.
pub(super) fn plan(plan: &Plan) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "plan: {}", text::visible(&plan.summary));
    for (n, step) in plan.steps.iter().enumerate() {
        let _ = writeln!(out, "  step {}: {}", n + 1, text::visible(&step.title));
        for line in step.call.lines() {
            let _ = writeln!(out, "          {}", text::visible(line));
        }
    }
    if plan.copies.0 > 0 {
        let _ = writeln!(out, "  copies: {}", plan.copies);
    }
    for loss in &plan.losses {
        let what = text::visible(&loss.what);
        let _ = match loss.bytes {
            Some(bytes) => writeln!(out, "  loses: {what} ({bytes})"),
            None => writeln!(out, "  loses: {what}"),
        };
    }
    for note in &plan.notes {
        let _ = writeln!(out, "  note: {}", text::visible(note));
    }
    let _ = match &plan.undo {
        Undo::By { how, .. } => writeln!(out, "  undo: {}", text::visible(how)),
        Undo::Never(why) => writeln!(out, "  cannot be undone: {}", text::visible(why)),
    };
    out
}
