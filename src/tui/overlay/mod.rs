//! What stands over the screen: menus, forms, plans, questions. The topmost takes the keys.

mod chooser;
mod field;
mod filling;
mod filter;
mod form;
mod help;
mod menus;
mod question;
mod review;
mod things;

use std::time::Duration;

use super::key::Key;
use super::state::{Need, State};

pub(crate) use chooser::{Chooser, Entry, Pick};
pub(crate) use field::{Field, Holds};
pub(crate) use filter::FilterLine;
pub(crate) use form::Form;
pub(crate) use help::Help;
pub(crate) use question::{Question, Then};
pub(crate) use review::{Focus, Review};

/// A dialog that can be answered takes no input for so long: what was typed ahead or pasted
/// was not meant for it.
pub(crate) const DEAF: Duration = Duration::from_millis(300);

/// One of them.
#[derive(Debug)]
pub(crate) enum Overlay {
    /// A list to choose from, with a search.
    Chooser(Box<Chooser>),
    /// The line in which a filter is typed.
    Filter(FilterLine),
    /// The keys of the view.
    Help(Help),
    /// The fields of an operation.
    Form(Box<Form>),
    /// What would be done.
    Review(Box<Review>),
    /// Yes or no.
    Question(Question),
}

/// Whether a dialog stays after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It stays.
    Stay,
    /// It goes.
    Close,
}

impl Overlay {
    /// When it must be drawn again by time alone.
    pub(crate) fn deadline(&self, now: Duration) -> Option<Duration> {
        let opened = match self {
            Self::Question(question) => question.opened,
            Self::Review(review) => review.opened,
            _ => return None,
        };
        Some(opened + DEAF).filter(|due| *due > now)
    }

    /// It comes back into sight: what was typed before was not meant for it.
    pub(crate) fn open_again(&mut self, now: Duration) {
        match self {
            Self::Question(question) => question.opened = now,
            Self::Review(review) => review.opened = now,
            _ => {}
        }
    }

    /// Whether it waits for an answer of the system.
    pub(crate) fn is_waiting(&self) -> bool {
        match self {
            Self::Form(form) => form.waiting.is_some(),
            Self::Review(review) => review.waiting.is_some(),
            _ => false,
        }
    }

    /// Whether it asks whether to leave.
    pub(crate) fn asks_to_leave(&self) -> bool {
        matches!(self, Self::Question(question) if question.then == Then::Quit)
    }

    /// The list that it chooses from.
    pub(crate) fn needs(&self) -> Option<Need> {
        match self {
            Self::Chooser(chooser) => chooser.need(),
            _ => None,
        }
    }

    /// Whether it covers the middle of the screen.
    pub(crate) fn is_dialog(&self) -> bool {
        !matches!(self, Self::Filter(_))
    }
}

/// Gives a key to the topmost. Says whether there was one.
pub(crate) fn key(state: &mut State, key: Key) -> bool {
    with_top(state, |top, state| match top {
        Overlay::Chooser(chooser) => chooser.key(state, key),
        Overlay::Filter(line) => line.key(state, key),
        Overlay::Help(help) => help.key(key),
        Overlay::Form(form) => form.key(state, key),
        Overlay::Review(review) => review.key(state, key),
        Overlay::Question(question) => question.key(state, key),
    })
}

/// Gives pasted text to the topmost. It goes into the field in hand, or nowhere.
pub(crate) fn paste(state: &mut State, text: &str) -> bool {
    // A line feed in a paste must never act as Enter.
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    with_top(state, |top, state| {
        match top {
            Overlay::Chooser(chooser) => chooser.paste(&text),
            Overlay::Filter(line) => line.paste(state, &text),
            Overlay::Form(form) => form.paste(&text),
            Overlay::Review(review) => review.paste(state, &text),
            Overlay::Help(_) | Overlay::Question(_) => {}
        }
        After::Stay
    })
}

/// The mouse pressed the part of the topmost with this number.
pub(crate) fn press(state: &mut State, part: usize) {
    with_top(state, |top, state| match top {
        Overlay::Chooser(chooser) => chooser.press(state, part),
        Overlay::Form(form) => form.press(state, part),
        Overlay::Review(review) => review.press(state, part),
        Overlay::Question(question) => question.press(state, part),
        Overlay::Filter(_) | Overlay::Help(_) => After::Stay,
    });
}

/// Takes the topmost out, lets it act on the state, and puts it back unless it is done. What it
/// opened stays above it.
fn with_top(state: &mut State, act: impl FnOnce(&mut Overlay, &mut State) -> After) -> bool {
    let Some(mut top) = state.overlays.pop() else {
        return false;
    };
    let place = state.overlays.len();
    if act(&mut top, state) == After::Stay {
        let place = place.min(state.overlays.len());
        state.overlays.insert(place, top);
    }
    true
}

/// Types text into a line.
fn type_into(input: &mut tui_input::Input, text: &str) {
    for c in text.chars() {
        input.handle(tui_input::InputRequest::InsertChar(c));
    }
}

/// Gives a key to a line, as editors take them. Says whether the text changed.
fn edit(input: &mut tui_input::Input, key: Key) -> bool {
    use crossterm::event::KeyCode as C;
    use tui_input::InputRequest as R;
    let word = key.ctrl || key.alt;
    let request = match key.code {
        C::Backspace if word => R::DeletePrevWord,
        C::Backspace => R::DeletePrevChar,
        C::Delete if word => R::DeleteNextWord,
        C::Delete => R::DeleteNextChar,
        C::Left if word => R::GoToPrevWord,
        C::Left => R::GoToPrevChar,
        C::Right if word => R::GoToNextWord,
        C::Right => R::GoToNextChar,
        C::Home => R::GoToStart,
        C::End => R::GoToEnd,
        C::Char('a') if key.ctrl => R::GoToStart,
        C::Char('e') if key.ctrl => R::GoToEnd,
        C::Char('w') if key.ctrl => R::DeletePrevWord,
        C::Char('u') if key.ctrl => R::DeleteLine,
        C::Char('k') if key.ctrl => R::DeleteTillEnd,
        C::Char('h') if key.ctrl => R::DeletePrevChar,
        C::Char(c) if !word && !c.is_control() => R::InsertChar(c),
        _ => return false,
    };
    input.handle(request).is_some_and(|changed| changed.value)
}
