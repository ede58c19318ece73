//! The line in which a filter is typed; the list follows each key.

use tui_input::Input;

use super::{After, edit, type_into};
use crate::tui::key::Key;
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
            Key::ENTER => return After::Close,
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

    fn apply(&self, state: &mut State) {
        self.input
            .value()
            .clone_into(&mut state.views.screen_mut().filter);
    }
}
