//! Answers to what is asked: a list to choose from, the fields of a form, a plan.

use super::Desk;
use super::hear::{key, numbers, press, type_in, yes_or_no};
use super::talk::Talk;
use crate::model::FieldType;
use crate::tui::key::Key;
use crate::tui::overlay::{Chooser, Form, Holds, Overlay, Pick};

impl Talk {
    /// An answer to a list to choose from.
    pub(super) fn on_chooser(&mut self, desk: &mut impl Desk, line: &str) {
        let Some(Overlay::Chooser(chooser)) = desk.state().overlays.last() else {
            return;
        };
        let many = chooser.chosen.is_some();
        let none = chooser
            .chosen
            .as_ref()
            .is_some_and(std::collections::BTreeSet::is_empty);
        match line.to_lowercase().as_str() {
            "" => self.again = true,
            "?" | "help" => {}
            "next" | "n" | "more" => self.turn(desk, true),
            "previous" | "p" => self.turn(desk, false),
            "back" | "b" | ":back" => key(desk, Key::ESC),
            "done" if none => desk.line("None is chosen yet."),
            "done" if many => key(desk, Key::ENTER),
            _ => match numbers(line) {
                Some(numbers) if many || numbers.len() == 1 => {
                    for number in numbers {
                        self.pick_number(desk, number);
                    }
                    // Where it stays, what it says may have changed.
                    self.again = true;
                }
                Some(_) => desk.line("One of them can be chosen."),
                None => self.pick(desk, line),
            },
        }
    }

    /// Chooses what had this number when it was read.
    fn pick_number(&self, desk: &mut impl Desk, number: usize) {
        let (first, entries) = &self.entries;
        let pick = number.checked_sub(first + 1).and_then(|n| entries.get(n));
        let Some(Overlay::Chooser(chooser)) = desk.state().overlays.last() else {
            return;
        };
        let place = pick.and_then(|pick| place_of(chooser, pick));
        match place {
            Some(place) => press(desk, place),
            None => desk.line(&format!("There is no {number} here.")),
        }
    }

    /// Chooses what is called so; else searches for it.
    pub(super) fn pick(&mut self, desk: &mut impl Desk, name: &str) {
        let Some(Overlay::Chooser(chooser)) = desk.state().overlays.last() else {
            return;
        };
        let bare = |label: &'_ str| {
            label
                .trim_start_matches("[x] ")
                .trim_start_matches("[ ] ")
                .to_lowercase()
        };
        let lower = name.to_lowercase();
        let is = |i: &usize| bare(&chooser.entries[*i].label) == lower;
        let mut called = (0..chooser.entries.len()).filter(is);
        match (called.next(), called.next()) {
            (Some(one), None) => {
                let pick = chooser.entries[one].pick.clone();
                if place_of(chooser, &pick).is_none() {
                    type_in(desk, name);
                }
                let Some(Overlay::Chooser(chooser)) = desk.state().overlays.last() else {
                    return;
                };
                if let Some(place) = place_of(chooser, &pick) {
                    press(desk, place);
                }
            }
            _ if chooser.input.value() != name => type_in(desk, name),
            _ => self.again = true,
        }
    }

    /// An answer to the field in hand.
    pub(super) fn on_form(&mut self, desk: &mut impl Desk, line: &str) {
        let Some(Overlay::Form(form)) = desk.state().overlays.last() else {
            return;
        };
        // What was wrong with an answer is told with the question, again.
        self.again = true;
        let Some(field) = form.fields.get(form.focus) else {
            on_button(desk, form.fields.len(), line);
            return;
        };
        match line {
            ":back" => return key(desk, Key::ESC),
            ":up" => return key(desk, Key::UP),
            _ => {}
        }
        match &field.holds {
            Holds::Line(_) => {
                match line {
                    "" => {}
                    "-" => key(desk, Key::ctrl('u')),
                    text => type_in(desk, text),
                }
                key(desk, Key::ENTER);
            }
            Holds::Flag(_) => match (yes_or_no(line), line) {
                (_, "") => key(desk, Key::ENTER),
                (Some(yes), _) => {
                    key(desk, Key::char(if yes { 'y' } else { 'n' }));
                    key(desk, Key::ENTER);
                }
                (None, "back") => key(desk, Key::ESC),
                (None, _) => desk.line("yes or no is asked for."),
            },
            Holds::Choice(at) => match turns(form, *at, line) {
                Some(turns) => {
                    for _ in 0..turns {
                        key(desk, Key::RIGHT);
                    }
                    key(desk, Key::ENTER);
                }
                None if line == "back" => key(desk, Key::ESC),
                None => desk.line("One of the words is asked for, or its number."),
            },
            Holds::Object(_) | Holds::Objects(_) => match line {
                "" => key(desk, Key::ENTER),
                "back" => key(desk, Key::ESC),
                "list" => key(desk, Key::SPACE),
                name => {
                    let name = name.to_owned();
                    key(desk, Key::SPACE);
                    // It may have to be read first.
                    self.wanted = Some(name);
                }
            },
            Holds::Pinned(_) => key(desk, Key::ENTER),
        }
    }
}

/// How often a choice is turned until it is what was said.
fn turns(form: &Form, at: usize, line: &str) -> Option<usize> {
    let FieldType::Choice(words) = &form.fields.get(form.focus)?.spec.ty else {
        return None;
    };
    if line.is_empty() {
        return Some(0);
    }
    let number = line.parse().ok().and_then(|n: usize| n.checked_sub(1));
    let word = words
        .iter()
        .position(|word| word.eq_ignore_ascii_case(line));
    let to = word.or(number).filter(|to| *to < words.len())?;
    Some((to + words.len() - at) % words.len())
}

/// Where an entry is among those that were found.
fn place_of(chooser: &Chooser, pick: &Pick) -> Option<usize> {
    let is = |i: &usize| chooser.entries[*i].pick == *pick;
    chooser.found.iter().position(is)
}

/// At the end of a form.
fn on_button(desk: &mut impl Desk, fields: usize, line: &str) {
    match (line, numbers(line).as_deref()) {
        ("" | "plan", _) => key(desk, Key::ENTER),
        ("back" | ":back", _) => key(desk, Key::ESC),
        (":up", _) => key(desk, Key::UP),
        (_, Some([n])) if (1..=fields).contains(n) => press(desk, n - 1),
        _ => desk.line(&format!("1 to {fields} changes a field.")),
    }
}

/// An answer to a plan, or to what became of it.
pub(super) fn on_review(desk: &mut impl Desk, line: &str, over: bool, confirm: Option<&str>) {
    let said = match confirm {
        Some(name) => line == name.trim(),
        None => yes_or_no(line) == Some(true),
    };
    match (over, said, confirm) {
        (true, ..) => key(desk, Key::ENTER),
        (false, true, Some(name)) => {
            type_in(desk, name);
            key(desk, Key::ENTER);
        }
        (false, true, None) => key(desk, Key::char('y')),
        (false, false, _) => {
            desk.line("Nothing is done.");
            key(desk, Key::ESC);
        }
    }
}
