//! What can be answered now, in one line that ends every turn.

use super::talk::{LINES, PAGE, Talk};
use crate::tui::overlay::Overlay;
use crate::tui::state::State;

impl Talk {
    /// What can be answered now.
    pub(super) fn prompt(&self, state: &State) -> String {
        match state.overlays.last() {
            Some(Overlay::Chooser(chooser)) if chooser.chosen.is_some() => {
                "Numbers choose or take back; done goes on, a text searches, back leaves."
                    .to_owned()
            }
            Some(Overlay::Chooser(_)) => {
                let more = self.entry_top + self.entries.1.len() < self.found(state);
                let next = if more { ", next reads on" } else { "" };
                format!("A number chooses{next}, a text searches, back leaves.")
            }
            Some(Overlay::Form(form)) if form.focus == form.fields.len() => {
                "An empty line shows the plan, a number changes that field, :back leaves."
                    .to_owned()
            }
            Some(Overlay::Form(_)) => ":up goes one field back, :back leaves.".to_owned(),
            Some(Overlay::Review(review)) if review.results.is_some() => {
                "An empty line goes on.".to_owned()
            }
            Some(Overlay::Review(review)) if review.plans.is_empty() => {
                "Nothing of this is possible. An empty line goes back.".to_owned()
            }
            Some(Overlay::Review(review)) => match &review.confirm {
                Some(name) => format!(
                    "To do it, type this exactly: {} . Anything else goes back.",
                    state.clean(name)
                ),
                None => "Do it? yes does it, anything else goes back.".to_owned(),
            },
            Some(Overlay::Question(question)) => format!(
                "yes: {}. Anything else: {}.",
                question.yes.to_lowercase(),
                question.no.to_lowercase()
            ),
            _ => {
                let page = if state.screen().place.is_text() {
                    LINES
                } else {
                    PAGE
                };
                let next = if self.top + page < self.count {
                    "next reads on; "
                } else {
                    ""
                };
                format!("{next}a number, a name or a command; ? tells the commands.")
            }
        }
    }

    fn found(&self, state: &State) -> usize {
        match state.overlays.last() {
            Some(Overlay::Chooser(chooser)) => chooser.found.len(),
            _ => 0,
        }
    }
}
