//! Volumes, snapshots and how they descend from each other.
//!
//! A node is the present content of a volume (its head, which can be written)
//! or a point in time (which cannot). A deleted node stays, hidden, until its
//! space has been given back.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ids::{JobId, PointId, VolumeId};
use super::info::{Attrs, Source};
use super::ordered::{Keyed, Ordered};
use super::packed::Label;
use super::page::Child;
use super::tree::{Owner, Tree};

/// The cursor of a sweep that has passed everything.
pub(super) const SWEPT: u64 = u64::MAX;

/// What a node is when it has just been deleted.
const HIDDEN: Role = Role::Hidden {
    cursor: 0,
    older: Vec::new(),
};

/// Blocks that a node holds alone, or that this is not known at present.
#[derive(Debug)]
pub(super) struct Exclusive(AtomicU64);

impl Exclusive {
    const STALE: u64 = u64::MAX;

    pub(super) fn known(blocks: u64) -> Self {
        Self(AtomicU64::new(blocks))
    }

    pub(super) fn from_disk(blocks: Option<u64>) -> Self {
        Self::known(blocks.unwrap_or(Self::STALE))
    }

    pub(super) fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&v| v != Self::STALE)
    }

    /// Notes what a walk found. The caller holds the catalog for reading, so
    /// nothing has changed since.
    pub(super) fn set(&self, blocks: u64) {
        self.0.store(blocks, Ordering::Relaxed);
    }

    /// It is not known any more.
    pub(super) fn forget(&self) {
        self.set(Self::STALE);
    }
}

impl Clone for Exclusive {
    fn clone(&self) -> Self {
        Self::from_disk(self.get())
    }
}

/// What a node is to those outside.
#[derive(Clone, Debug)]
pub(super) enum Role {
    /// The present content of a volume.
    Head(VolumeId),
    /// A snapshot.
    Point {
        id: PointId,
        /// To whose history it belongs.
        volume: VolumeId,
        label: Label,
    },
    /// Deleted. Leaves below the cursor have been given back.
    Hidden {
        cursor: u64,
        /// Of the deleted nodes above it that were joined with it, oldest first. On disk, all of them.
        older: Vec<Tree>,
    },
}

/// The node that another descends from, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent(u64);

impl Parent {
    pub(super) fn get(self) -> Option<u64> {
        (self.0 != u64::MAX).then_some(self.0)
    }
}

impl From<Option<u64>> for Parent {
    fn from(id: Option<u64>) -> Self {
        Self(id.unwrap_or(u64::MAX))
    }
}

/// A mapping with its place in the history.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) id: u64,
    pub(super) parent: Parent,
    pub(super) role: Role,
    pub(super) tree: Tree,
    /// Bytes.
    pub(super) size: u64,
    /// Microseconds since 1970.
    pub(super) created: i64,
    /// The record that froze it; 0 for a head.
    pub(super) freeze: u64,
    /// Blocks of data mapped.
    pub(super) referenced: u64,
    /// Of them, those born after the parent was frozen.
    pub(super) written: u64,
    /// Of them, those that no child has; kept where there are children.
    pub(super) exclusive: Exclusive,
}

impl Keyed for Node {
    type Key = u64;

    fn key(&self) -> u64 {
        self.id
    }
}

/// A parent and a child of it.
#[derive(Clone, Copy, Debug)]
struct Link {
    parent: u64,
    child: u64,
}

impl Keyed for Link {
    type Key = (u64, u64);

    fn key(&self) -> (u64, u64) {
        (self.parent, self.child)
    }
}

/// A volume.
#[derive(Clone, Debug)]
pub(super) struct Volume {
    pub(super) id: VolumeId,
    pub(super) head: u64,
    pub(super) name: String,
    pub(super) created: i64,
    pub(super) attrs: Attrs,
}

/// A copy under way.
#[derive(Clone, Debug)]
pub(super) struct CopyJob {
    pub(super) id: JobId,
    pub(super) volume: VolumeId,
    /// What was born up to here is to be copied.
    pub(super) threshold: u64,
    /// Leaves below have been copied.
    pub(super) cursor: u64,
    /// Blocks copied.
    pub(super) done: u64,
    /// Blocks that there were to copy at the start.
    pub(super) total: u64,
    pub(super) paused: bool,
}

/// Nodes that are written together at a checkpoint.
pub(super) const CHUNK_NODES: u64 = 32;

/// All there is.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    pub(super) nodes: Ordered<Node>,
    pub(super) volumes: BTreeMap<VolumeId, Volume>,
    /// Snapshots and their nodes.
    pub(super) points: Ordered<(PointId, u64)>,
    pub(super) jobs: BTreeMap<JobId, CopyJob>,
    pub(super) next_node: u64,
    /// Parents and their children.
    children: Ordered<Link>,
    /// Nodes that are deleted and still there.
    pub(super) hidden: BTreeSet<u64>,
    /// The node whose space is being given back just now.
    pub(super) sweeping: Option<u64>,
    /// Nodes whose tree is not all on disk.
    pub(super) in_memory: BTreeSet<u64>,
    /// Chunks of nodes that are not on disk as they are.
    pub(super) dirty_chunks: BTreeSet<u64>,
    pub(super) jobs_dirty: bool,
}

impl Catalog {
    pub(super) fn children(&self, node: u64) -> impl Iterator<Item = u64> + '_ {
        let below = self.children.from(Bound::Included((node, 0)));
        below
            .take_while(move |link| link.parent == node)
            .map(|link| link.child)
    }

    /// How many children a node has; 2 stands for all that are more than one.
    pub(super) fn child_count(&self, node: u64) -> usize {
        self.children(node).take(2).count()
    }

    /// The node, to be changed; it will be written at the next checkpoint.
    pub(super) fn node_mut(&mut self, id: u64) -> Option<&mut Node> {
        self.dirty_chunks.insert(id / CHUNK_NODES);
        self.nodes.get_mut(&id)
    }

    /// Notes whether the node's tree has pages in memory that are not on disk.
    pub(super) fn note_root(&mut self, id: u64) {
        match self.nodes.get(&id).and_then(|node| node.tree.root.as_ref()) {
            Some(Child::Mem(_)) => self.in_memory.insert(id),
            _ => self.in_memory.remove(&id),
        };
    }

    /// Adds a head, a child of its parent. A parent that had none, or that
    /// shares everything with the new child, holds nothing alone.
    pub(super) fn add_head(&mut self, node: Node) {
        let id = node.id;
        self.next_node = self.next_node.max(id + 1);
        if let Some(parent) = node.parent.get() {
            self.children.insert(Link { parent, child: id });
        }
        self.dirty_chunks.insert(id / CHUNK_NODES);
        self.nodes.insert(node);
        self.note_root(id);
    }

    /// Takes the nodes that a checkpoint has, and finds out what follows from them. Returns a snapshot that
    /// is there twice, if one is.
    pub(super) fn load(&mut self, nodes: Ordered<Node>) -> Option<PointId> {
        let mut twice = None;
        for node in nodes.iter() {
            let id = node.id;
            if let Some(parent) = node.parent.get() {
                self.children.insert(Link { parent, child: id });
            }
            match &node.role {
                Role::Head(_) => {}
                Role::Point { id: point, .. } => {
                    twice = twice.or(self.points.insert((*point, id)).map(|old| old.0));
                }
                Role::Hidden { cursor, older } => {
                    self.hidden.insert(id);
                    if *cursor > 0 || !older.is_empty() {
                        self.sweeping = Some(id);
                    }
                }
            }
        }
        self.nodes = nodes;
        twice
    }

    /// Puts a node below another parent, or below none.
    pub(super) fn set_parent(&mut self, id: u64, parent: Option<u64>) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let old = std::mem::replace(&mut node.parent, parent.into());
        if let Some(old) = old.get() {
            self.unlink(old, id);
        }
        if let Some(parent) = parent {
            self.children.insert(Link { parent, child: id });
            self.forget_exclusive(parent);
        }
    }

    fn unlink(&mut self, parent: u64, child: u64) {
        self.children.remove(&(parent, child));
        self.forget_exclusive(parent);
    }

    /// What the node holds alone has to be found out by a walk.
    pub(super) fn forget_exclusive(&mut self, id: u64) {
        if let Some(node) = self.node_mut(id) {
            node.exclusive.forget();
        }
    }

    /// Takes the node out. Its children must have gone elsewhere.
    pub(super) fn remove_node(&mut self, id: u64) {
        self.dirty_chunks.insert(id / CHUNK_NODES);
        if let Some(node) = self.nodes.remove(&id)
            && let Some(parent) = node.parent.get()
        {
            self.unlink(parent, id);
        }
        self.hidden.remove(&id);
        self.in_memory.remove(&id);
        if self.sweeping == Some(id) {
            self.sweeping = None;
        }
    }

    /// The node is deleted: hidden until its space has been given back.
    pub(super) fn hide(&mut self, id: u64) {
        let Some(node) = self.node_mut(id) else {
            return;
        };
        let old = std::mem::replace(&mut node.role, HIDDEN);
        self.hidden.insert(id);
        if let Role::Point { id: point, .. } = old {
            self.points.remove(&point);
        }
    }

    /// When the node's parent was frozen: what was born up to then is shared. 0 if it has none.
    pub(super) fn parent_freeze(&self, id: u64) -> u64 {
        self.parent(id).map_or(0, |parent| parent.freeze)
    }

    fn parent(&self, id: u64) -> Option<&Node> {
        self.nodes.get(&self.nodes.get(&id)?.parent.get()?)
    }

    /// What the node shares with its parent.
    pub(super) fn owner(&self, id: u64) -> Owner {
        let Some(parent) = self.parent(id) else {
            return Owner::default();
        };
        let swept = match parent.role {
            Role::Hidden { cursor, .. } if cursor > 0 => {
                Some((cursor, self.parent_freeze(parent.id)))
            }
            _ => None,
        };
        Owner {
            freeze: parent.freeze,
            swept,
        }
    }

    /// The nearest snapshot above the node.
    pub(super) fn visible_parent(&self, id: u64) -> Option<(PointId, u64)> {
        let mut at = self.parent(id);
        while let Some(node) = at {
            if let Role::Point { id, .. } = node.role {
                return Some((id, node.id));
            }
            at = self.parent(node.id);
        }
        None
    }

    /// The node that a source means.
    pub(super) fn node_of(&self, source: Source) -> Option<&Node> {
        let id = match source {
            Source::Volume(id) => self.volumes.get(&id)?.head,
            Source::Point(id) => self.points.get(&id)?.1,
        };
        self.nodes.get(&id)
    }

    /// The snapshots of a volume's history, and their nodes.
    pub(super) fn points_of(&self, of: VolumeId) -> impl Iterator<Item = (PointId, u64)> + use<> {
        // Nodes lie one after another, and are nearly in the order of their snapshots.
        let nodes = self.nodes.iter().filter_map(|node| match node.role {
            Role::Point { id, volume, .. } if volume == of => Some((id, node.id)),
            _ => None,
        });
        let mut points: Vec<_> = nodes.collect();
        points.sort_unstable();
        points.into_iter()
    }

    /// The name of a node, for messages.
    pub(super) fn describe(&self, node: &Node) -> String {
        match &node.role {
            Role::Head(id) => {
                let name = self
                    .volumes
                    .get(id)
                    .map_or("?", |volume| volume.name.as_str());
                format!("volume {name} ({id})")
            }
            Role::Point { id, label, .. } => format!("snapshot {} ({id})", label.name()),
            Role::Hidden { .. } => format!("deleted node {}", node.id),
        }
    }

    /// The copy of a volume that is under way.
    pub(super) fn copy_of(&self, volume: VolumeId) -> Option<&CopyJob> {
        self.jobs.values().find(|job| job.volume == volume)
    }
}
