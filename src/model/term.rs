//! Words that are part of the program, or of a recording that it plays: there for as long as the program runs.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use serde::{Deserialize, Deserializer};

/// A word of a system's own: a name, a title, a sentence of its specs.
pub type Term = &'static str;

/// Several of them.
pub type Terms = &'static [Term];

/// What was read; the same word is kept once.
static READ: Mutex<BTreeSet<Term>> = Mutex::new(BTreeSet::new());

/// The word as one that stays. What is read so is kept until the program ends: the few hundred words of the
/// specs that a recording begins with.
fn keep(word: String) -> Term {
    let mut read = READ.lock();
    match read.get(word.as_str()) {
        Some(kept) => kept,
        None => {
            let kept: Term = Box::leak(word.into_boxed_str());
            read.insert(kept);
            kept
        }
    }
}

/// Reads a word.
///
/// # Errors
/// Where it is no text.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Term, D::Error> {
    String::deserialize(from).map(keep)
}

/// Reads a word that may be missing.
///
/// # Errors
/// Where it is no text.
pub(super) fn read_optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Term>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(keep))
}

/// Reads several words.
///
/// # Errors
/// Where they are no list of texts.
pub(super) fn read_list<'de, D: Deserializer<'de>>(from: D) -> Result<Terms, D::Error> {
    let words: Vec<Term> = Vec::<String>::deserialize(from)?
        .into_iter()
        .map(keep)
        .collect();
    Ok(Box::leak(words.into_boxed_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_kept_once() {
        let (a, b) = (
            keep("a word of a test".to_owned()),
            keep("a word of a test".to_owned()),
        );
        assert_eq!(a, "a word of a test");
        assert!(std::ptr::eq(a, b));
    }
}
