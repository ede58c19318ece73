//! The help: every key in force, with what it does here, and why not where it cannot.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::centred;
use crate::config::theme::Role;
use crate::tui::actions::{ACTIONS, Action, ActionId, Group};
use crate::tui::page::{Line, title};
use crate::tui::state::{Place, State};
use crate::tui::text;

/// From this width on the groups stand in two columns.
const TWO: u16 = 104;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, room: Rect, top: usize) {
    let width = 116.min(room.width.saturating_sub(2)).max(38);
    let lines = lines(state, width - 4);
    let area = centred(room, width, (lines.len() as u16).saturating_add(2));
    let name = title(state, &state.screen().place);
    let inner = canvas.frame(area, &format!("Help: {name}"), Role::Dialog);
    let page = usize::from(inner.height);
    let top = top.min(lines.len().saturating_sub(page));
    for (i, (left, right)) in lines.iter().skip(top).take(page).enumerate() {
        let y = inner.y + i as u16;
        let half = if right.is_empty() {
            inner.width
        } else {
            inner.width / 2 - 2
        };
        canvas.spans(inner.x, y, half, left);
        canvas.spans(inner.x + inner.width / 2 + 1, y, inner.width / 2 - 1, right);
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

/// The lines, each with what stands in the second column.
fn lines(state: &State, width: u16) -> Vec<(Line, Line)> {
    let mut lines: Vec<(Line, Line)> = Vec::new();
    for said in text::wrap(about(&state.screen().place), width) {
        lines.push((vec![(said.into(), Role::Text)], Line::new()));
    }
    let two = width >= TWO;
    let mut columns = [Vec::new(), Vec::new()];
    for group in Group::ALL {
        let second = two && matches!(group, Group::Move | Group::Program);
        let column = &mut columns[usize::from(second)];
        column.push(Line::new());
        column.push(vec![(group.title().into(), Role::Heading)]);
        let beside = |g: Group| !two || second == matches!(g, Group::Move | Group::Program);
        let all = || ACTIONS.iter().filter(|action| beside(action.group));
        let keys = all().map(|a| shown_keys(a, state).len()).max().unwrap_or(0);
        let names = all().map(|a| a.name.len()).max().unwrap_or(0);
        let actions = ACTIONS.iter().filter(|action| action.group == group);
        column.extend(actions.map(|action| line(state, action, keys, names)));
    }
    let [left, right] = columns;
    let mut right = right.into_iter();
    let rows = left.len().max(right.len());
    let mut left = left.into_iter();
    for _ in 0..rows {
        lines.push((
            left.next().unwrap_or_default(),
            right.next().unwrap_or_default(),
        ));
    }
    lines
}

/// An action with its keys, set in columns of these widths.
fn line(state: &State, action: &Action, keys: usize, names: usize) -> Line {
    let mut line: Line = vec![
        (
            format!("{:<keys$}  ", shown_keys(action, state)).into(),
            Role::Key,
        ),
        (format!("{:<names$}  ", action.name).into(), Role::Text),
    ];
    match (action.enabled)(state) {
        Ok(()) => line.push((action.title(state).into_owned().into(), Role::Dim)),
        Err(reason) if action.id == ActionId::Back => line.push((reason.into(), Role::Dim)),
        Err(reason) => {
            let said = format!("{} {reason}", state.glyphs().none);
            line.push((said.into(), Role::Warn));
        }
    }
    line
}

/// The first two of its keys: who needs a third knows it already.
fn shown_keys(action: &Action, state: &State) -> String {
    let keys: Vec<String> = action
        .keys(state)
        .iter()
        .take(2)
        .map(ToString::to_string)
        .collect();
    keys.join(" ")
}

/// What a view is, in a sentence or two.
fn about(place: &Place) -> &'static str {
    match place {
        Place::Volumes => {
            "All volumes. Used is what a volume's mapping refers to, own is what it alone holds; beside the \
             list stands the snapshot tree of the selected one where there is room."
        }
        Place::Snapshots => "The snapshots of every volume.",
        Place::Pulse => "Everything at a glance; below it what needs attention, the worst first.",
        Place::Instances => {
            "The machines that volumes are attached to. What is done to one is done to all its volumes."
        }
        Place::Instance(_) => "One machine: its volumes, and the points in time of it as a whole.",
        Place::Groups => {
            "Points in time of several volumes, each taken at one moment. Own is what deleting one would free."
        }
        Place::Sessions => {
            "Points in time that hosts see nothing of until targets are linked to them; the targets stand below each."
        }
        Place::Targets => {
            "Linked targets, and volumes that a background copy fills: what each shows, how it stands, how fast."
        }
        Place::Map(..) => {
            "How it lies: what it shares with what it descends from, what is its own, and where nothing was \
             ever written. Another point in time that was marked before shows what changed since."
        }
        Place::Difference(..) => "Where two points in time differ, and how much.",
        Place::Members(_) => {
            "What it is made of. What is done to the first row is done to the whole; to another, to that one alone."
        }
        Place::Tree(_) => {
            "A volume and its points in time as the tree that they are: oldest at the top, a branch where the \
             volume was taken back, and where it is now. Own is what deleting one would free."
        }
        Place::Tasks => {
            "What runs, what waits for a decision, and what was done since the console began."
        }
        Place::Journal => {
            "Everything that was ever changed from here, the newest first, and how it is taken back."
        }
        Place::Task(_) => "One task: its steps, what came of each, and what it means.",
        Place::Messages => "What went wrong since the console was opened.",
        Place::Message(_) => "What went wrong, why, and what to try.",
        Place::Trace => {
            "The calls that were made to the system, the newest first, without their secrets."
        }
        Place::Call(_) => "One call: what was sent, and what came, without secrets.",
        Place::Log => "What parts of the program said of themselves, the newest first.",
        Place::Profiles => {
            "The store and the profiles: what is open, how it stands, and what can be opened beside it. Each has a tab of \
             its own; one that fails or is slow holds up no other."
        }
        Place::Opening => "How opening the system goes; where it failed, why, and what to try.",
        Place::Bundle => "What would be in a support bundle, and what was withheld and why.",
        Place::Describe(_) => "Every field that the system tells of it.",
        Place::Raw(_) => "The thing as the system itself keeps it.",
    }
}
