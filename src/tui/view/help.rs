//! The help: every key in force, with what it does here, and why not where it cannot.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::centred;
use crate::config::theme::Role;
use crate::tui::actions::{ACTIONS, Action, ActionId, Group};
use crate::tui::page::{Line, title};
use crate::tui::state::{Place, State};
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, room: Rect, top: usize) {
    let width = 100.min(room.width.saturating_sub(2)).max(38);
    let lines = lines(state, width - 4);
    let area = centred(room, width, (lines.len() as u16).saturating_add(2));
    let name = title(state, &state.screen().place);
    let inner = canvas.frame(area, &format!("Help: {name}"), Role::Dialog);
    let page = usize::from(inner.height);
    let top = top.min(lines.len().saturating_sub(page));
    for (i, line) in lines.iter().skip(top).take(page).enumerate() {
        canvas.spans(inner.x, inner.y + i as u16, inner.width, line);
    }
    if lines.len() > page {
        let said = match lines.len() - page - top {
            0 => format!(" {} {top} above ", canvas.glyphs.up),
            n => format!(" {} {n} more ", canvas.glyphs.down),
        };
        let w = text::width(&said);
        canvas.text(
            area.right().saturating_sub(w + 2),
            area.y,
            w,
            &said,
            Role::Warn,
        );
    }
}

fn lines(state: &State, width: u16) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for said in text::wrap(about(&state.screen().place), width) {
        lines.push(vec![(said.into(), Role::Text)]);
    }
    for group in Group::ALL {
        lines.push(Vec::new());
        lines.push(vec![(group.title().into(), Role::Heading)]);
        for action in ACTIONS.iter().filter(|action| action.group == group) {
            lines.push(line(state, action));
        }
    }
    lines
}

fn line(state: &State, action: &Action) -> Line {
    let keys: Vec<String> = action.keys.iter().map(ToString::to_string).collect();
    let keys = format!("{:<18}", keys.join(" "));
    let mut line: Line = vec![
        (keys.into(), Role::Key),
        (format!("{:<14} ", action.name).into(), Role::Text),
    ];
    match (action.enabled)(state) {
        Ok(()) => line.push((action.title(state).into_owned().into(), Role::Dim)),
        Err(reason) if action.id == ActionId::Back => line.push((reason.into(), Role::Dim)),
        Err(reason) => {
            let said = format!("{} not now: {reason}", state.glyphs().none);
            line.push((said.into(), Role::Warn));
        }
    }
    line
}

/// What a view is, in a sentence or two.
fn about(place: &Place) -> &'static str {
    match place {
        Place::Volumes => {
            "All volumes. Used is what a volume's mapping refers to, own is what it alone holds; beside the \
             list stands the snapshot tree of the selected one where there is room."
        }
        Place::Snapshots => "The snapshots of every volume.",
        Place::Tree(_) => {
            "A volume and its points in time as the tree that they are: oldest at the top, a branch where the \
             volume was taken back, and where it is now. Own is what deleting one would free."
        }
        Place::Tasks => "Everything that was changed from here, the newest first.",
        Place::Task(_) => "One task: its steps, what came of each, and what it means.",
        Place::Messages => "What went wrong since the console was opened.",
        Place::Message(_) => "What went wrong, why, and what to try.",
        Place::Describe(_) => "Every field that the system tells of it.",
        Place::Raw(_) => "The thing as the system itself keeps it.",
    }
}
