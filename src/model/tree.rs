//! The snapshots of a volume as the tree that they are, with the volume's
//! present place in it.

use std::collections::{HashMap, HashSet};

use std::hash::Hash;

use super::{Snapshot, Time, Volume};

/// What a row of a drawn tree stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeRowKind {
    /// The snapshot at this index of the list that the tree was made from.
    Snapshot(usize),
    /// Where the volume is now.
    Here,
}

/// One row of a drawn tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeRow {
    /// What it stands for.
    pub kind: TreeRowKind,
    /// For each branch to the left of it, whether a line goes on below: `true`
    /// draws `│`, `false` a blank. The row's own connector is not among them.
    pub rails: Vec<bool>,
    /// `None` for a row that continues straight below the one above it, else
    /// whether it is the last branch of its parent (`└` rather than `├`).
    pub branch: Option<bool>,
}

/// A snapshot tree in the order in which it is drawn: oldest at the top, a chain
/// straight down, side branches indented.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotTree {
    /// The rows from top to bottom.
    pub rows: Vec<TreeRow>,
}

/// What of a snapshot says where in the tree it is.
#[derive(Clone, Copy, Debug)]
pub struct TreePoint<I> {
    /// Its id.
    pub id: I,
    /// That of the one before it.
    pub parent: Option<I>,
    /// When it was taken.
    pub created: Option<Time>,
}

#[derive(Clone, Copy)]
enum Node {
    Snapshot(usize),
    Here,
}

impl SnapshotTree {
    /// Makes the tree of `volume` from its snapshots. A parent that is not
    /// among them (it belongs to another volume, or is gone) makes a root; a
    /// circle, which no sound system sends, is cut.
    #[must_use]
    pub fn build(volume: &Volume, snapshots: &[Snapshot]) -> Self {
        let points = snapshots.iter().map(|snapshot| TreePoint {
            id: &snapshot.id,
            parent: snapshot.parent.as_ref(),
            created: snapshot.created,
        });
        Self::grow(volume.parent.as_ref(), &points.collect::<Vec<_>>())
    }

    /// The same from what it takes of each, for a volume that descends from `here`.
    #[must_use]
    pub fn grow<I: Copy + Ord + Hash>(here: Option<I>, snapshots: &[TreePoint<I>]) -> Self {
        let index: HashMap<I, usize> = snapshots
            .iter()
            .enumerate()
            .map(|(i, snapshot)| (snapshot.id, i))
            .collect();
        let mut children: Vec<Vec<Node>> = vec![Vec::new(); snapshots.len()];
        let mut roots = Vec::new();
        let mut order: Vec<usize> = (0..snapshots.len()).collect();
        order.sort_by_key(|&i| (snapshots[i].created, snapshots[i].id));
        for i in order {
            let parent = snapshots[i].parent.and_then(|id| index.get(&id));
            match parent {
                Some(&p) if p != i => children[p].push(Node::Snapshot(i)),
                _ => roots.push(Node::Snapshot(i)),
            }
        }
        match here.and_then(|id| index.get(&id)) {
            Some(&p) => children[p].push(Node::Here),
            None => roots.push(Node::Here),
        }

        let mut rows = Vec::with_capacity(snapshots.len() + 1);
        let mut seen = HashSet::new();
        let mut walk = |roots: Vec<Node>, seen: &mut HashSet<usize>| {
            // Depth first without recursion: a chain may be as long as it likes.
            let mut stack: Vec<(Node, Vec<bool>, Option<bool>)> = Vec::new();
            push_children(&mut stack, &roots, &[], true);
            while let Some((node, rails, branch)) = stack.pop() {
                let kind = match node {
                    Node::Here => TreeRowKind::Here,
                    Node::Snapshot(i) if seen.insert(i) => TreeRowKind::Snapshot(i),
                    Node::Snapshot(_) => continue,
                };
                if let Node::Snapshot(i) = node {
                    let mut below = rails.clone();
                    if let Some(last) = branch {
                        below.push(!last);
                    }
                    push_children(&mut stack, &children[i], &below, false);
                }
                rows.push(TreeRow {
                    kind,
                    rails,
                    branch,
                });
            }
        };
        walk(roots, &mut seen);
        // What is left hangs in a circle: each is shown as a root.
        for i in 0..snapshots.len() {
            if !seen.contains(&i) {
                walk(vec![Node::Snapshot(i)], &mut seen);
            }
        }
        Self { rows }
    }
}

fn push_children(
    stack: &mut Vec<(Node, Vec<bool>, Option<bool>)>,
    children: &[Node],
    rails: &[bool],
    roots: bool,
) {
    let straight = roots || children.len() == 1;
    for (n, &child) in children.iter().enumerate().rev() {
        let branch = (!straight).then_some(n + 1 == children.len());
        stack.push((child, rails.to_vec(), branch));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bytes, SnapshotState, Time, VolumeId, VolumeState};

    fn snapshot(id: &str, parent: Option<&str>, at: i64) -> Snapshot {
        Snapshot {
            id: id.into(),
            name: id.to_owned(),
            state: SnapshotState::Available,
            volume: VolumeId("v".into()),
            volume_name: None,
            parent: parent.map(Into::into),
            size: Bytes(0),
            used: None,
            exclusive: None,
            written: None,
            description: String::new(),
            created: Time::from_second(at).ok(),
            guard: false,
            clones: Vec::new(),
            group: None,
            session: None,
            metadata: Default::default(),
        }
    }

    fn volume(parent: Option<&str>) -> Volume {
        Volume {
            id: VolumeId("v".into()),
            name: "v".into(),
            state: VolumeState::Available,
            size: Bytes(0),
            used: None,
            exclusive: None,
            written: None,
            parent: parent.map(Into::into),
            instance: None,
            device: None,
            description: String::new(),
            created: None,
            snapshots: Some(0),
            last_snapshot: None,
            copy: None,
            metadata: Default::default(),
        }
    }

    fn draw(volume: &Volume, snapshots: &[Snapshot]) -> Vec<String> {
        SnapshotTree::build(volume, snapshots)
            .rows
            .iter()
            .map(|row| {
                let mut line = String::new();
                for rail in &row.rails {
                    line.push_str(if *rail { "| " } else { "  " });
                }
                match row.branch {
                    Some(true) => line.push_str("`-"),
                    Some(false) => line.push_str("|-"),
                    None => {}
                }
                line.push_str(match row.kind {
                    TreeRowKind::Snapshot(i) => &snapshots[i].name,
                    TreeRowKind::Here => "HERE",
                });
                line
            })
            .collect()
    }

    #[test]
    fn a_chain_goes_straight_down() {
        let snapshots = [
            snapshot("a", None, 1),
            snapshot("c", Some("b"), 3),
            snapshot("b", Some("a"), 2),
        ];
        assert_eq!(
            draw(&volume(Some("c")), &snapshots),
            ["a", "b", "c", "HERE"]
        );
    }

    #[test]
    fn a_restore_makes_siblings() {
        let snapshots = [
            snapshot("a", None, 1),
            snapshot("b", Some("a"), 2),
            snapshot("b2", Some("b"), 3),
            snapshot("c", Some("a"), 4),
        ];
        assert_eq!(
            draw(&volume(Some("b")), &snapshots),
            ["a", "|-b", "| |-b2", "| `-HERE", "`-c"]
        );
    }

    #[test]
    fn no_snapshots_and_strange_parents_are_drawn() {
        assert_eq!(draw(&volume(None), &[]), ["HERE"]);
        let snapshots = [
            snapshot("a", Some("gone"), 1),
            snapshot("x", Some("y"), 2),
            snapshot("y", Some("x"), 3),
            snapshot("z", Some("z"), 4),
        ];
        let rows = draw(&volume(Some("elsewhere")), &snapshots);
        assert_eq!(rows.len(), 5);
        for name in ["a", "x", "y", "z", "HERE"] {
            assert_eq!(
                rows.iter().filter(|row| row.ends_with(name)).count(),
                1,
                "{name}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn every_snapshot_is_drawn_once(parents in proptest::collection::vec(proptest::option::of(0usize..40), 0..40)) {
            let snapshots: Vec<_> = parents.iter().enumerate()
                .map(|(i, p)| snapshot(&i.to_string(), p.map(|p| p.to_string()).as_deref(), i as i64))
                .collect();
            let tree = SnapshotTree::build(&volume(Some("0")), &snapshots);
            proptest::prop_assert_eq!(tree.rows.len(), snapshots.len() + 1);
        }
    }
}
