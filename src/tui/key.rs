//! Keys as the console knows them, and as it writes them for people.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// One press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Which key.
    pub(crate) code: KeyCode,
    /// With Ctrl held.
    pub(crate) ctrl: bool,
    /// With Alt held.
    pub(crate) alt: bool,
}

impl Key {
    pub(crate) const ENTER: Self = Self::plain(KeyCode::Enter);
    pub(crate) const ESC: Self = Self::plain(KeyCode::Esc);
    pub(crate) const TAB: Self = Self::plain(KeyCode::Tab);
    pub(crate) const BACK_TAB: Self = Self::plain(KeyCode::BackTab);
    pub(crate) const UP: Self = Self::plain(KeyCode::Up);
    pub(crate) const DOWN: Self = Self::plain(KeyCode::Down);
    pub(crate) const LEFT: Self = Self::plain(KeyCode::Left);
    pub(crate) const RIGHT: Self = Self::plain(KeyCode::Right);
    pub(crate) const HOME: Self = Self::plain(KeyCode::Home);
    pub(crate) const END: Self = Self::plain(KeyCode::End);
    pub(crate) const PAGE_UP: Self = Self::plain(KeyCode::PageUp);
    pub(crate) const PAGE_DOWN: Self = Self::plain(KeyCode::PageDown);
    pub(crate) const SPACE: Self = Self::char(' ');

    /// A key without modifiers.
    pub(crate) const fn plain(code: KeyCode) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
        }
    }

    /// A character.
    pub(crate) const fn char(c: char) -> Self {
        Self::plain(KeyCode::Char(c))
    }

    /// A character with Ctrl held.
    pub(crate) const fn ctrl(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            ctrl: true,
            alt: false,
        }
    }

    /// A function key.
    pub(crate) const fn f(n: u8) -> Self {
        Self::plain(KeyCode::F(n))
    }

    /// What the terminal sent, where it is a press. Shift is part of the character.
    pub(crate) fn read(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let code = match event.code {
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        Some(Self {
            code,
            ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
            alt: event.modifiers.contains(KeyModifiers::ALT),
        })
    }

    /// The character that it types, where it types one.
    pub(crate) fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("space"),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::Enter => f.write_str("enter"),
            KeyCode::Esc => f.write_str("esc"),
            KeyCode::BackTab => f.write_str("shift-tab"),
            KeyCode::PageUp => f.write_str("pgup"),
            KeyCode::PageDown => f.write_str("pgdn"),
            other => f.write_str(&format!("{other:?}").to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_for_people() {
        for (key, text) in [
            (Key::char('S'), "S"),
            (Key::SPACE, "space"),
            (Key::ctrl('c'), "ctrl-c"),
            (Key::BACK_TAB, "shift-tab"),
            (Key::f(2), "F2"),
            (Key::PAGE_DOWN, "pgdn"),
            (Key::UP, "up"),
        ] {
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn a_release_is_no_press_and_shift_tab_has_one_form() {
        let mut event = KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT);
        assert_eq!(Key::read(event), Some(Key::BACK_TAB));
        event.kind = KeyEventKind::Release;
        assert_eq!(Key::read(event), None);
    }
}
