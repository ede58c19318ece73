//! The words of the panel, in the keys in force.

use super::{Tick, Walk, worded};
use crate::tui::actions::{Action, ActionId};
use crate::tui::state::State;
use crate::tui::text;

/// What the panel says: its title, and what stands under it.
pub(crate) struct Words {
    /// Which tour, which step of how many, and what it is about.
    pub(crate) title: String,
    /// The words of the step, in lines.
    pub(crate) lines: Vec<String>,
}

impl Words {
    /// What is said in so many columns; `None` where no panel is shown.
    pub(crate) fn of(state: &State, columns: u16) -> Option<Self> {
        let walk = state.walk.as_ref().filter(|walk| walk.shown)?;
        let key = |id: ActionId| Action::of(id).hint(state);
        let (title, said) = match walk.now() {
            Some(step) => {
                let (at, of) = (walk.step + 1, walk.ticks.len());
                let title = format!("{at} of {of}: {}", step.title);
                (title, worded(step.say.trim(), key))
            }
            None => {
                let title = format!("{}: the end", walk.tour.title());
                (title, worded(walk.tour.end().trim(), key))
            }
        };
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(Self {
            title: state.clean(&title).into_owned(),
            lines: text::wrap(&state.clean(&said), columns),
        })
    }
}

/// What became of each step, a mark for each.
pub(crate) fn marks(walk: &Walk, state: &State) -> String {
    let glyphs = state.glyphs();
    let mark = |(i, tick): (usize, &Tick)| match tick {
        Tick::Done => glyphs.done,
        _ if i == walk.step => glyphs.play,
        Tick::Skipped => "-",
        Tick::Open => glyphs.dot,
    };
    walk.ticks.iter().enumerate().map(mark).collect()
}
