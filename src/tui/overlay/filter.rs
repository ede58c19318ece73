//! The line in which a filter is typed; the list follows each key.

use tui_input::Input;

use super::{After, edit, type_into};
use crate::tui::key::Key;
use crate::tui::rows;
use crate::tui::state::State;

/// The line, and what was there before.
#[derive(Debug)]
pub(crate) struct FilterLine {
    /// What is typed.
    pub(crate) input: Input,
    before: String,
}

impl FilterLine {
    /// Begins with the filter in force.
    pub(crate) fn new(filter: &str) -> Self {
        Self {
            input: Input::new(filter.to_owned()),
            before: filter.to_owned(),
        }
    }

    pub(super) fn key(&mut self, state: &mut State, key: Key) -> After {
        match key {
            Key::ENTER => {
                let used = self.input.value().trim().to_owned();
                if !used.is_empty() {
                    state.filters.retain(|filter| *filter != used);
                    state.filters.push(used);
                    state.keep();
                }
                return After::Close;
            }
            Key::TAB => self.complete(state),
            key if key == Key::ctrl('p') => self.recall(state, true),
            key if key == Key::ctrl('n') => self.recall(state, false),
            Key::ESC => {
                let before = self.before.clone();
                state.views.screen_mut().filter = before;
                return After::Close;
            }
            Key::UP | Key::DOWN => {
                let id = if key == Key::UP {
                    crate::tui::actions::ActionId::Up
                } else {
                    crate::tui::actions::ActionId::Down
                };
                crate::tui::actions::fire(state, id);
            }
            key => {
                if edit(&mut self.input, key) {
                    self.apply(state);
                }
            }
        }
        After::Stay
    }

    pub(super) fn paste(&mut self, state: &mut State, text: &str) {
        type_into(&mut self.input, text);
        self.apply(state);
    }

    /// Takes the first of what the word that is being typed may become.
    fn complete(&mut self, state: &mut State) {
        let rows = rows::of(state, &state.screen().place);
        let more = rows.map_or_else(Vec::new, |rows| {
            rows::completions(&*rows, self.input.value())
        });
        if let Some(first) = more.first() {
            let typed = self.input.value();
            let start = typed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
            let (before, word) = typed.split_at(start);
            let bang = if word.starts_with('!') { "!" } else { "" };
            self.input = Input::new(format!("{before}{bang}{first}"));
            self.apply(state);
        }
    }

    /// Goes back among the filters that were used before, or forward.
    fn recall(&mut self, state: &mut State, back: bool) {
        let used = &state.filters;
        let at = used.iter().position(|filter| filter == self.input.value());
        let to = match (at, back) {
            (Some(at), true) => at.checked_sub(1),
            (None, true) => used.len().checked_sub(1),
            (Some(at), false) => Some(at + 1),
            (None, false) => None,
        };
        if let Some(filter) = to.and_then(|to| used.get(to)) {
            self.input = Input::new(filter.clone());
            self.apply(state);
        }
    }

    fn apply(&self, state: &mut State) {
        self.input
            .value()
            .clone_into(&mut state.views.screen_mut().filter);
    }
}
