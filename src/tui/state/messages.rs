//! What went wrong, kept until the console ends: errors vanish before they are read otherwise.

use crate::model::{Problem, Time};

/// How many are kept.
const KEPT: usize = 500;

/// One thing that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its number, from 0.
    pub(crate) number: u64,
    /// When.
    pub(crate) at: Time,
    /// What.
    pub(crate) problem: Problem,
}

/// The message centre.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    /// The oldest first.
    pub(crate) items: Vec<Message>,
    /// How many there were ever.
    pub(crate) next: u64,
    /// How many of them somebody has seen.
    pub(crate) seen: u64,
}

impl Messages {
    /// Keeps one more.
    pub(crate) fn add(&mut self, problem: Problem, at: Time) {
        if self.items.len() == KEPT {
            self.items.remove(0);
        }
        let number = self.next;
        self.items.push(Message {
            number,
            at,
            problem,
        });
        self.next += 1;
    }

    /// The message with this number.
    pub(crate) fn get(&self, number: u64) -> Option<&Message> {
        self.items.iter().find(|m| m.number == number)
    }

    /// How many nobody has seen.
    pub(crate) fn unseen(&self) -> u64 {
        self.next - self.seen
    }
}
