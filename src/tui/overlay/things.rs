//! The things that a field can hold, as entries of a list to choose from.

use super::chooser::{Entry, Pick};
use crate::model::{Kind, Member, ObjectRef, Snapshot, Volume};
use crate::tui::rows;
use crate::tui::state::{Listing, Need, SnapshotRow, State};

/// The snapshots that a need is for.
fn snapshots<'a>(state: &'a State, need: &Need) -> Option<&'a Listing<Snapshot>> {
    match need {
        Need::Of(volume) => state.inventory.history(volume).map(|h| &h.list),
        Need::All(_) => Some(&state.inventory.snapshots),
    }
}

/// Counts the changes of what the entries are made from.
pub(super) fn version(state: &State, need: &Need) -> u64 {
    match need {
        Need::Of(_) | Need::All(Kind::Snapshot) => snapshots(state, need).map_or(0, |l| l.version),
        Need::All(kind) => state.inventory.standing(*kind).version,
    }
}

/// The entries, in the order in which they are offered.
pub(super) fn entries(state: &State, need: &Need) -> Vec<Entry> {
    let inventory = &state.inventory;
    match need {
        Need::All(Kind::Volume) => {
            let mut all: Vec<&Volume> = inventory.volumes.items.iter().collect();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            let detail = |v: &Volume| match &v.instance {
                Some(instance) => format!("{}  {}  on {instance}", v.size, v.state.word()),
                None => format!("{}  {}", v.size, v.state.word()),
            };
            all.into_iter()
                .map(|v| entry(state, &v.name, detail(v), (&v.id).into()))
                .collect()
        }
        Need::Of(_) | Need::All(Kind::Snapshot) => {
            let list = snapshots(state, need);
            let mut all: Vec<SnapshotRow<'_>> =
                list.into_iter().flat_map(|l| l.items.iter()).collect();
            all.sort_by_key(|s| std::cmp::Reverse(s.created));
            let full = matches!(need, Need::All(_));
            let label = |s: &SnapshotRow<'_>| match s.volume_name() {
                Some(volume) if full => format!("{volume}@{}", s.name),
                _ => s.name.to_owned(),
            };
            all.into_iter()
                .map(|s| {
                    let detail = rows::ago(s.created, state).into_owned();
                    entry(state, &label(&s), detail, (&s.id()).into())
                })
                .collect()
        }
        Need::All(Kind::Group) => {
            let mut all: Vec<_> = inventory.groups.items.iter().collect();
            all.sort_by_key(|g| std::cmp::Reverse(g.created));
            all.into_iter()
                .map(|g| {
                    let detail = detail(&g.members, g.created, state);
                    entry(state, &g.name, detail, (&g.id).into())
                })
                .collect()
        }
        Need::All(Kind::Session) => {
            let mut all: Vec<_> = inventory.sessions.items.iter().collect();
            all.sort_by_key(|s| std::cmp::Reverse(s.created));
            all.into_iter()
                .map(|s| {
                    let detail = detail(&s.members, s.created, state);
                    entry(state, &s.name, detail, (&s.id).into())
                })
                .collect()
        }
        Need::All(Kind::Target) => {
            let mut all: Vec<_> = inventory.targets.items.iter().collect();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            all.into_iter()
                .map(|t| {
                    let session = t
                        .session_name
                        .as_deref()
                        .unwrap_or("a session that is gone");
                    let detail = format!("{} {}  shows {session}", t.mode, t.state);
                    entry(state, &t.name, detail, (&t.id).into())
                })
                .collect()
        }
    }
}

/// When a set was taken, and of what.
fn detail(members: &[Member], created: Option<crate::model::Time>, state: &State) -> String {
    let names: Vec<&str> = members
        .iter()
        .map(|m| m.volume_name.as_deref().unwrap_or(m.volume.as_str()))
        .collect();
    format!("{}  of {}", rows::ago(created, state), names.join(", "))
}

fn entry(state: &State, label: &str, detail: String, object: ObjectRef) -> Entry {
    Entry {
        label: state.clean(label).into_owned(),
        detail: state.clean(&detail).into_owned(),
        key: String::new(),
        reason: None,
        pick: Pick::Object(Some(object)),
    }
}
