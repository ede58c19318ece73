//! The line of tabs: what is open side by side, how each stands, and which is in hand; that without a colour too.

use ratatui::layout::Rect;

use super::Hit;
use super::canvas::Canvas;
use super::header::fitting;
use crate::config::theme::Role;
use crate::tui::rows::{Spans, tab_state};
use crate::tui::state::{Neighbour, State};
use crate::tui::text;

/// A name is cut to this where there is little room.
const SHORT: u16 = 10;

/// How much is said of each tab: what there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// Glyph and words.
    Whole,
    /// The glyph alone, with figures.
    Glyphs,
    /// The same, and long names are cut.
    Cut,
}

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let tabs = &state.around.tabs;
    let current = tabs.iter().position(|tab| tab.id == state.id).unwrap_or(0);
    let room = area.width.saturating_sub(6);
    let plans = [Plan::Whole, Plan::Glyphs, Plan::Cut];
    let mut labels = Vec::new();
    for plan in plans {
        let told = tabs.iter().zip(1..);
        labels = told.map(|(tab, n)| label(state, tab, n, plan)).collect();
        if labels.iter().map(|l| width(l) + 3).sum::<u16>() <= room {
            break;
        }
    }
    let widths: Vec<u16> = labels.iter().map(|label| width(label) + 3).collect();
    let shown = fitting(&widths, current, room);
    let mut x = area.x + 1;
    if shown.start > 0 {
        x = canvas.text(x, area.y, 1, canvas.glyphs.cut, Role::Dim) + 1;
    }
    for (i, label) in labels.iter().enumerate().take(shown.end).skip(shown.start) {
        let start = x;
        let left = area.right().saturating_sub(x + 2);
        if i == current {
            let said: String = label.iter().map(|(said, _)| said.as_ref()).collect();
            let style = canvas.skin.style(Role::Selection);
            // A blank on each side, so that it reads as one piece.
            x = canvas.text(x, area.y, 1, canvas.glyphs.cursor, Role::Accent);
            x = canvas.styled(x, area.y, left, &format!("{said} "), style) + 1;
        } else {
            x = canvas.spans(x + 1, area.y, left, label) + 2;
        }
        let tab = Rect::new(start, area.y, x.saturating_sub(start + 1), 1);
        canvas.hit(tab, Hit::Tab(tabs[i].id));
    }
    if shown.end < labels.len() {
        canvas.text(x, area.y, 1, canvas.glyphs.cut, Role::Dim);
    }
}

fn width(label: &Spans<'_>) -> u16 {
    label.iter().map(|(said, _)| text::width(said)).sum()
}

/// The number, the name, and how it stands.
fn label(state: &State, tab: &Neighbour, number: usize, plan: Plan) -> Spans<'static> {
    let name = state.clean(&tab.name).into_owned();
    let name = match plan {
        Plan::Cut => text::fit(&name, SHORT, state.glyphs().cut).into_owned(),
        Plan::Whole | Plan::Glyphs => name,
    };
    let mut label: Spans<'static> = vec![
        (format!("{number} ").into(), Role::Key),
        (name.into(), Role::Text),
    ];
    for (glyph, figure, word, role) in tab_state(state, tab) {
        let said = match (plan, figure) {
            (Plan::Whole, Some(figure)) => format!(" {glyph} {figure} {word}"),
            (Plan::Whole, None) => format!(" {glyph} {word}"),
            (_, Some(figure)) => format!(" {glyph}{figure}"),
            (_, None) => format!(" {glyph}"),
        };
        label.push((said.into(), role));
    }
    label
}
