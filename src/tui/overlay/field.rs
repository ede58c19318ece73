//! One field of a form, made from its spec.

use tui_input::Input;

use super::{edit, type_into};
use crate::model::{FieldSpec, FieldType, ObjectRef};
use crate::tui::key::Key;

/// What a field holds while it is filled in.
#[derive(Debug)]
pub(crate) enum Holds {
    /// A line of text.
    Line(Input),
    /// Yes or no.
    Flag(bool),
    /// One of the words of its spec, by its place there.
    Choice(usize),
    /// A thing.
    Object(Option<ObjectRef>),
    /// Several things.
    Objects(Vec<ObjectRef>),
    /// Things that were chosen before the form was opened, and cannot be changed in it.
    Pinned(String),
}

/// One field.
#[derive(Debug)]
pub(crate) struct Field {
    /// What it takes.
    pub(crate) spec: FieldSpec,
    /// What it holds.
    pub(crate) holds: Holds,
    /// What is taken where nothing is typed.
    pub(crate) suggestion: Option<String>,
    /// What is wrong with it, told once it was typed into.
    pub(crate) wrong: Option<String>,
    /// What the thing has there now; given again, it would change nothing.
    present: Option<String>,
}

impl Field {
    /// A field that begins with this text, which its type must accept.
    pub(crate) fn new(spec: FieldSpec, text: Option<String>, suggestion: Option<String>) -> Self {
        let present = text.clone();
        let text = text.or_else(|| spec.default.map(str::to_owned));
        let text = text.unwrap_or_default();
        let holds = match &spec.ty {
            FieldType::Choice(words) => {
                let at = words.iter().position(|word| *word == text);
                Holds::Choice(at.unwrap_or(0))
            }
            FieldType::Objects(_) => Holds::Objects(Vec::new()),
            FieldType::Flag => Holds::Flag(matches!(text.as_str(), "true" | "yes" | "on" | "1")),
            FieldType::Object(_) => Holds::Object(None),
            _ => Holds::Line(Input::new(text)),
        };
        Self {
            spec,
            holds,
            suggestion,
            wrong: None,
            present,
        }
    }

    /// A field that is filled and stays so.
    pub(crate) fn pinned(spec: FieldSpec, shown: String) -> Self {
        Self {
            spec,
            holds: Holds::Pinned(shown),
            suggestion: None,
            wrong: None,
            present: None,
        }
    }

    /// Begins with these things, where it takes such.
    pub(super) fn give(&mut self, given: &[ObjectRef]) {
        if let (Holds::Objects(objects), FieldType::Objects(kind)) =
            (&mut self.holds, &self.spec.ty)
        {
            objects.extend(given.iter().filter(|o| o.kind == *kind).cloned());
        }
    }

    /// Whether it can be changed.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.holds, Holds::Pinned(_))
    }

    /// The text that its spec checks; `None` where it is left out.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.holds {
            Holds::Line(input) if input.value().is_empty() => match &self.suggestion {
                Some(suggestion) => Some(suggestion.clone()),
                // Emptied on purpose, it is said to be empty.
                None if self.present.as_ref().is_some_and(|p| !p.is_empty()) => Some(String::new()),
                None => None,
            },
            Holds::Line(input)
                if !self.spec.required && self.present.as_deref() == Some(input.value()) =>
            {
                None
            }
            Holds::Line(input) => Some(input.value().to_owned()),
            Holds::Flag(flag) => Some(flag.to_string()),
            Holds::Choice(at) => match &self.spec.ty {
                FieldType::Choice(words) => words.get(*at).map(|word| (*word).to_owned()),
                _ => None,
            },
            Holds::Object(object) => object.as_ref().map(|object| object.id.clone()),
            Holds::Objects(objects) => {
                let ids: Vec<&str> = objects.iter().map(|object| object.id.as_str()).collect();
                (!ids.is_empty()).then(|| ids.join(","))
            }
            Holds::Pinned(_) => None,
        }
    }

    /// Looks whether it can be taken as it is, and keeps the sentence that says why not.
    pub(crate) fn check(&mut self) -> bool {
        self.wrong = match (&self.holds, self.text()) {
            (Holds::Pinned(_), _) => None,
            (_, Some(text)) => self.spec.check(&text).err(),
            (_, None) if self.spec.required => {
                // The spec's own words for what is missing.
                self.spec.check("").err()
            }
            (_, None) => None,
        };
        self.wrong.is_none()
    }

    /// Takes a key. Says whether it was for the field.
    pub(crate) fn key(&mut self, key: Key) -> bool {
        match &mut self.holds {
            Holds::Line(input) => {
                let changed = edit(input, key);
                let moves = matches!(key, Key::LEFT | Key::RIGHT | Key::HOME | Key::END);
                if changed {
                    self.check();
                }
                changed || moves || key.typed().is_some()
            }
            Holds::Flag(flag) => {
                match key.typed() {
                    Some(' ') => *flag = !*flag,
                    Some('y') => *flag = true,
                    Some('n') => *flag = false,
                    _ if matches!(key, Key::LEFT | Key::RIGHT) => *flag = !*flag,
                    _ => return false,
                }
                true
            }
            Holds::Choice(_) => {
                let forward = match key {
                    Key::LEFT => false,
                    Key::RIGHT | Key::SPACE => true,
                    _ => return key.typed().is_some(),
                };
                self.turn(forward);
                true
            }
            Holds::Object(_) | Holds::Objects(_) | Holds::Pinned(_) => false,
        }
    }

    /// Goes on to the next word, or back to the one before.
    pub(super) fn turn(&mut self, forward: bool) {
        if let (Holds::Choice(at), FieldType::Choice(words)) = (&mut self.holds, &self.spec.ty) {
            let count = words.len().max(1);
            *at = (*at + if forward { 1 } else { count - 1 }) % count;
        }
    }

    /// Takes pasted text.
    pub(crate) fn paste(&mut self, text: &str) {
        if let Holds::Line(input) = &mut self.holds {
            type_into(input, text);
            self.check();
        }
    }

    /// Takes a thing that was chosen.
    pub(crate) fn choose(&mut self, object: Option<ObjectRef>) {
        self.holds = Holds::Object(object);
        self.check();
    }

    /// Takes the things that were chosen.
    pub(crate) fn choose_many(&mut self, objects: Vec<ObjectRef>) {
        self.holds = Holds::Objects(objects);
        self.check();
    }

    /// The limits, in a few words.
    pub(crate) fn limits(&self) -> String {
        match &self.spec.ty {
            FieldType::Name { max } => format!("a name of 1 to {max} characters"),
            FieldType::Text { max } => format!("at most {max} characters"),
            FieldType::Size { min, max, step } if step.0 > 1 => {
                format!("{min} to {max}, a multiple of {step}")
            }
            FieldType::Size { min, max, .. } => format!("{min} to {max}"),
            FieldType::Flag => "space changes it".to_owned(),
            FieldType::Choice(_) => "space takes the next".to_owned(),
            FieldType::Object(kind) => format!("space lists every {}", kind.one()),
            FieldType::Objects(kind) => format!("space lists all {} to choose from", kind.many()),
            FieldType::File => "the path of a file on this machine".to_owned(),
        }
    }
}
