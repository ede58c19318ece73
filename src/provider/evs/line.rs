//! The line that a disk came along, from its snapshots: which hangs below which, and below which it stands now. The
//! service tells times alone; that it was rolled back is known from what this program has noted on snapshots.

use std::collections::HashMap;

use super::{GUARD, ROLLBACK};
use crate::model::Time;
use crate::wire::evs::{Snapshot, time};

/// What is known of a disk by its snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// How many there are.
    pub(super) count: u64,
    /// When the newest was taken.
    pub(super) newest: Option<Time>,
    /// The snapshot below which the disk stands now.
    pub(super) place: Option<String>,
    parents: HashMap<String, Option<String>>,
}

/// What happened to a disk.
struct Event<'s> {
    at: Option<Time>,
    /// Of two at the same time the lesser was first.
    order: (u8, &'s str),
    /// The snapshot that was taken, or that it was rolled back to.
    snapshot: &'s str,
    taken: bool,
}

impl Line {
    /// That of a disk which was made from `source`.
    fn of(snapshots: &[&Snapshot], source: Option<&str>) -> Self {
        let mut events = Vec::with_capacity(snapshots.len());
        for snapshot in snapshots {
            let id = snapshot.id.as_str();
            let at = snapshot.created().and_then(time);
            events.push(Event {
                at,
                order: (0, id),
                snapshot: id,
                taken: true,
            });
            // A guard is taken right before a rollback, and says to which.
            if let Some(target) = snapshot.metadata.get(GUARD) {
                events.push(Event {
                    at,
                    order: (1, id),
                    snapshot: target,
                    taken: false,
                });
            }
            for at in rollbacks(snapshot) {
                events.push(Event {
                    at: Some(at),
                    order: (2, id),
                    snapshot: id,
                    taken: false,
                });
            }
        }
        events.sort_by(|a, b| (a.at, a.order).cmp(&(b.at, b.order)));
        let there = |id: &str| snapshots.iter().any(|snapshot| snapshot.id == id);
        let mut line = Self {
            count: snapshots.len() as u64,
            newest: events.iter().rev().find(|e| e.taken).and_then(|e| e.at),
            place: source.map(str::to_owned),
            parents: HashMap::new(),
        };
        for event in events {
            if event.taken {
                let parent = line.place.clone();
                line.parents.insert(event.snapshot.to_owned(), parent);
            } else if !there(event.snapshot) {
                // What it went back to is gone; what was before that is not known.
                continue;
            }
            line.place = Some(event.snapshot.to_owned());
        }
        line
    }

    /// The lines of all disks; `source` is what each was made from.
    pub(super) fn all<'s, 'v>(
        snapshots: impl Iterator<Item = &'s Snapshot>,
        source: impl Fn(&str) -> Option<&'v str>,
    ) -> HashMap<String, Self> {
        let mut by_volume: HashMap<&str, Vec<&Snapshot>> = HashMap::new();
        for snapshot in snapshots {
            let own = by_volume.entry(&snapshot.volume_id).or_default();
            own.push(snapshot);
        }
        by_volume
            .into_iter()
            .map(|(volume, own)| (volume.to_owned(), Self::of(&own, source(volume))))
            .collect()
    }

    /// The snapshot that this one hangs below.
    pub(super) fn parent(&self, snapshot: &str) -> Option<&str> {
        self.parents.get(snapshot)?.as_deref()
    }
}

/// When its disk was rolled back to a snapshot, as it was noted.
fn rollbacks(snapshot: &Snapshot) -> impl Iterator<Item = Time> {
    let noted = snapshot.metadata.get(ROLLBACK).map_or("", String::as_str);
    noted.split(' ').skip(1).filter_map(time)
}

/// What is noted on a snapshot when its disk was rolled back to it: the key of the step, and the times of the last few.
pub(super) fn note(before: Option<&str>, key: &str, at: &str) -> String {
    let earlier = before.unwrap_or_default().split(' ').skip(1);
    let mut times: Vec<&str> = earlier.filter(|t| *t != at && !t.is_empty()).collect();
    // There is room for 255 characters.
    times.drain(..times.len().saturating_sub(6));
    times.push(at);
    format!("{key} {}", times.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn snapshot(id: &str, minute: u32, metadata: Value) -> Snapshot {
        let body = json!({"id": id, "volume_id": "v", "size": 1, "status": "available",
            "created_at": format!("2026-03-04T05:{minute:02}:00.000000"), "metadata": metadata});
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn after_a_rollback_the_line_goes_on_from_where_it_went_back_to() {
        let noted = json!({ROLLBACK: "k/1 2026-03-04T05:03:30.000000 2026-03-04T05:06:30.000000"});
        let all = [
            snapshot("d", 4, json!({})),
            snapshot("a", 1, noted),
            snapshot("b", 2, json!({})),
            snapshot("c", 3, json!({})),
            snapshot("e", 5, json!({})),
        ];
        let lines = Line::all(all.iter(), |_| Some("origin"));
        let line = &lines["v"];
        let parents = ["a", "b", "c", "d", "e"].map(|id| line.parent(id).unwrap_or("-"));
        assert_eq!(parents, ["origin", "a", "b", "a", "d"]);
        assert_eq!(line.place.as_deref(), Some("a"), "rolled back again");
        assert_eq!(line.count, 5);
        assert_eq!(line.newest, time("2026-03-04T05:05:00"));
    }

    #[test]
    fn a_guard_says_where_its_disk_went_and_what_is_gone_is_passed_over() {
        let all = [
            snapshot("a", 1, json!({})),
            snapshot("b", 2, json!({})),
            snapshot("g", 3, json!({GUARD: "a"})),
            snapshot("h", 5, json!({GUARD: "gone"})),
        ];
        let lines = Line::all(all.iter(), |_| None);
        assert_eq!(lines["v"].parent("g"), Some("b"));
        assert_eq!(lines["v"].parent("h"), Some("a"));
        assert_eq!(lines["v"].place.as_deref(), Some("h"));
        assert_eq!(lines["v"].parent("a"), None);
    }

    #[test]
    fn a_note_keeps_its_length() {
        let key = "0199aa00-0000-7000-8000-000000000000/1";
        let mut noted = None;
        for n in 10..40 {
            let at = format!("2026-03-04T05:06:{n}.123456");
            noted = Some(note(noted.as_deref(), key, &at));
        }
        let noted = noted.unwrap();
        assert!(noted.len() <= 255 && noted.starts_with(key), "{noted}");
        assert!(noted.ends_with("39.123456"), "{noted}");
        assert_eq!(note(Some("other/0 t1"), key, "t1"), format!("{key} t1"));
    }
}
