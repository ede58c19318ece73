//! Keys as the console knows them, and as it writes them for people.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use serde::{Deserialize, Serialize};

use crate::config::nearest;

/// One press. Written down it is its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
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

    /// A character with Alt held.
    pub(crate) const fn alt(c: char) -> Self {
        Self {
            code: KeyCode::Char(c),
            ctrl: false,
            alt: true,
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
            // Keys without a name here do nothing here.
            KeyCode::Char(_) | KeyCode::F(_) => event.code,
            code if NAMES.iter().any(|(_, named)| *named == code) => code,
            _ => return None,
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

/// The keys that have names, as people write them.
const NAMES: [(&str, KeyCode); 17] = [
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("null", KeyCode::Null),
];

/// Other names of the same keys, taken where one is read.
const ALIASES: [(&str, KeyCode); 6] = [
    ("return", KeyCode::Enter),
    ("escape", KeyCode::Esc),
    ("del", KeyCode::Delete),
    ("ins", KeyCode::Insert),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

/// What terminals send for some keys with Ctrl: no program can tell them from the key beside.
const SAME: [(char, &str); 5] = [
    ('i', "tab"),
    ('m', "enter"),
    ('j', "enter"),
    ('[', "esc"),
    ('h', "backspace"),
];

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        match self.code {
            KeyCode::F(n) => return write!(f, "F{n}"),
            KeyCode::Char(c) if c != ' ' => return write!(f, "{c}"),
            _ => {}
        }
        let name = NAMES.iter().find(|(_, code)| *code == self.code);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl Key {
    /// Reads a key as it is written for people.
    fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let (mut ctrl, mut alt) = (false, false);
        loop {
            let lower = rest.to_ascii_lowercase();
            let prefix = ["ctrl-", "c-", "alt-", "meta-", "m-"]
                .into_iter()
                .find(|prefix| lower.starts_with(prefix) && lower.len() > prefix.len());
            match prefix {
                Some(prefix @ ("ctrl-" | "c-")) => {
                    ctrl = true;
                    rest = &rest[prefix.len()..];
                }
                Some(prefix) => {
                    alt = true;
                    rest = &rest[prefix.len()..];
                }
                None => break,
            }
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => KeyCode::Char(c),
            _ => named(rest)?,
        };
        Ok(Self { code, ctrl, alt })
    }
}

fn named(text: &str) -> Result<KeyCode, String> {
    let lower = text.to_ascii_lowercase();
    let known = NAMES.iter().chain(&ALIASES);
    if let Some((_, code)) = known.clone().find(|(name, _)| *name == lower) {
        return Ok(*code);
    }
    if let Some(n) = lower.strip_prefix('f').and_then(|n| n.parse().ok())
        && (1..=24).contains(&n)
    {
        return Ok(KeyCode::F(n));
    }
    if let Some(c) = lower.strip_prefix("shift-") {
        return Err(format!(
            "\"{text}\" is no key; shift is part of the character: write \"{}\"",
            c.to_uppercase()
        ));
    }
    let near = nearest(&lower, known.map(|(name, _)| *name));
    Err(match near {
        Some(name) => format!("\"{text}\" is no key; did you mean \"{name}\"?"),
        None => {
            format!("\"{text}\" is no key; keys are written s, S, ctrl-s, alt-s, F5, enter, pgdn")
        }
    })
}

impl FromStr for Key {
    type Err = String;

    /// Reads a key that is to be bound: also refuses what no terminal can send.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut key = Self::parse(text)?;
        if let KeyCode::Char(c) = key.code
            && key.ctrl
        {
            // With Ctrl held, Shift is not told.
            key.code = KeyCode::Char(c.to_ascii_lowercase());
        }
        let same = SAME
            .iter()
            .find(|(c, _)| key.ctrl && key.code == KeyCode::Char(*c));
        match same {
            Some((_, name)) => Err(format!(
                "a terminal sends the same for \"{key}\" as for \"{name}\""
            )),
            None => Ok(key),
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

    #[test]
    fn what_is_written_is_read_again() {
        let every = NAMES
            .iter()
            .map(|(_, code)| *code)
            .chain("sS-?:é日".chars().map(KeyCode::Char))
            .chain((1..=12).map(KeyCode::F));
        for code in every {
            for (ctrl, alt) in [(false, false), (true, false), (false, true), (true, true)] {
                let key = Key { code, ctrl, alt };
                let text = key.to_string();
                assert_eq!(Key::try_from(text.clone()), Ok(key), "{text}");
            }
        }
        assert_eq!("PageDown".parse(), Ok(Key::PAGE_DOWN));
        assert_eq!("Ctrl-C".parse(), Ok(Key::ctrl('c')));
    }

    #[test]
    fn what_is_no_key_says_what_was_meant() {
        for (text, part) in [
            ("entr", "did you mean \"enter\"?"),
            ("shift-s", "write \"S\""),
            ("ctrl-i", "the same for \"ctrl-i\" as for \"tab\""),
            ("", "keys are written"),
            ("F99", "is no key"),
        ] {
            let error = text.parse::<Key>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
