//! The help: the keys in force, for the view in hand.

use super::After;
use crate::tui::key::Key;

/// How far the help is scrolled.
#[derive(Debug, Default)]
pub(crate) struct Help {
    /// The first line that is seen; the drawing keeps it in bounds.
    pub(crate) top: usize,
}

impl Help {
    pub(super) fn key(&mut self, key: Key) -> After {
        match key {
            Key::DOWN | Key::SPACE => self.top += 1,
            Key::UP => self.top = self.top.saturating_sub(1),
            Key::PAGE_DOWN => self.top += 10,
            Key::PAGE_UP => self.top = self.top.saturating_sub(10),
            Key::HOME => self.top = 0,
            key if key == Key::char('j') => self.top += 1,
            key if key == Key::char('k') => self.top = self.top.saturating_sub(1),
            _ => return After::Close,
        }
        // Far more lines than there are keys.
        self.top = self.top.min(200);
        After::Stay
    }
}
