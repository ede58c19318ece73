//! Sessions with the targets below each, as rows: made when either list changes, not when it is drawn.

use super::inventory::Listing;
use crate::model::{LinkedTarget, Session};

/// The rows: a session's place in its list, and a target's in its own.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    /// The rows in their order.
    pub(crate) rows: Vec<(u32, Option<u32>)>,
    /// Counts how often it was made.
    pub(crate) version: u64,
    /// The versions of the lists that it was made from.
    made_of: Option<(u64, u64)>,
}

impl Outline {
    /// Makes the rows anew where a list changed.
    pub(super) fn grow(&mut self, sessions: &Listing<Session>, targets: &Listing<LinkedTarget>) {
        let of = (sessions.version, targets.version);
        if self.made_of == Some(of) {
            return;
        }
        self.made_of = Some(of);
        self.version += 1;
        let mut linked: Vec<(&str, u32)> = (0..)
            .zip(&targets.items)
            .filter_map(|(i, target)| Some((target.session.as_ref()?.as_str(), i)))
            .collect();
        let name = |&(_, i): &(&str, u32)| &targets.items[i as usize].name;
        linked.sort_by(|a, b| a.0.cmp(b.0).then_with(|| name(a).cmp(name(b))));
        self.rows.clear();
        for (session, i) in sessions.items.iter().zip(0..) {
            self.rows.push((i, None));
            let id = session.id.as_str();
            let from = linked.partition_point(|(session, _)| *session < id);
            let own = linked[from..]
                .iter()
                .take_while(|(session, _)| *session == id);
            self.rows.extend(own.map(|(_, target)| (i, Some(*target))));
        }
    }
}
