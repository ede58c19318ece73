//! What each record does. The same code runs when a change is made and when
//! the log is replayed, so that both come to the same. A record that fails
//! leaves everything with the content it had.

use parking_lot::Mutex;

use super::catalog::{Catalog, CopyJob, Exclusive, Node, Role, SWEPT, Volume};
use super::error::{EngineError, Result};
use super::ids::{PointId, VolumeId};
use super::info::Attrs;
use super::page::{Entry, Freed, LEAF_BLOCKS};
use super::pages::Pages;
use super::record::{CopiedBlock, Piece, Record};
use super::space::Space;
use super::tree::{Cow, Tree, as_leaf};
use super::walk::alone;

/// What the records act on besides the state.
#[derive(Clone, Copy)]
pub(super) struct Env<'a> {
    pub(super) pages: &'a Pages,
    /// The blocks of the data files.
    pub(super) space: &'a Mutex<Space>,
}

/// The state that the records make.
#[derive(Default)]
pub(super) struct State {
    pub(super) catalog: Catalog,
    /// The last record applied.
    pub(super) lsn: u64,
    /// Metadata that the next checkpoint frees.
    pub(super) freed: Vec<Freed>,
    /// Bytes of pages in memory that are not on disk (about).
    pub(super) dirty: u64,
}

/// A change of one block's entry.
struct Swap {
    at: usize,
    new: Option<Entry>,
}

fn missing(what: &str) -> EngineError {
    EngineError::damaged(format!("the log speaks of {what} that is not there"))
}

impl State {
    /// Applies the record as the next one.
    pub(super) fn apply(&mut self, env: Env<'_>, record: &Record) -> Result<()> {
        let lsn = self.lsn + 1;
        match record {
            Record::Write { node, lba, pieces } => self.write(env, lsn, *node, *lba, pieces)?,
            Record::Discard { node, lba, count } => {
                self.forget(env, lsn, *node, *lba, u64::from(*count), |_| None)?;
            }
            Record::Zero { node, lba, count } => {
                self.forget(env, lsn, *node, *lba, u64::from(*count), |_| {
                    Some(Entry::zero(lsn))
                })?;
            }
            Record::CreateVolume {
                id,
                name,
                size,
                created,
                attrs,
            } => {
                let head = Node {
                    id: self.catalog.next_node,
                    parent: None,
                    role: Role::Head(*id),
                    tree: Tree::default(),
                    size: *size,
                    created: *created,
                    freeze: 0,
                    referenced: 0,
                    written: 0,
                    exclusive: Exclusive::known(0),
                };
                self.add_volume(head, *id, name, *created, attrs);
            }
            Record::UpdateVolume { id, name, attrs } => {
                let volume = self
                    .catalog
                    .volumes
                    .get_mut(id)
                    .ok_or_else(|| missing("a volume"))?;
                if let Some(name) = name {
                    volume.name.clone_from(name);
                }
                if let Some(attrs) = attrs {
                    volume.attrs.clone_from(attrs);
                }
                let head = volume.head;
                self.catalog.node_mut(head);
            }
            Record::UpdatePoint { id, name, attrs } => {
                self.update_point(*id, name.as_ref(), attrs.as_ref())?;
            }
            Record::Resize { id, size } => {
                let head = self.volume(*id)?.head;
                self.catalog
                    .node_mut(head)
                    .ok_or_else(|| missing("a head"))?
                    .size = *size;
            }
            Record::DeleteVolume { id } => self.delete_volume(*id)?,
            Record::Snapshot { created, members } => {
                for (volume, ..) in members {
                    self.volume(*volume)?;
                }
                for (volume, point, name, attrs) in members {
                    self.snapshot(lsn, *volume, *point, name, *created, attrs)?;
                }
            }
            Record::Restore {
                volume,
                point,
                created,
                keep,
                attrs,
            } => {
                let from = *self
                    .catalog
                    .points
                    .get(point)
                    .ok_or_else(|| missing("a snapshot"))?;
                self.restore(lsn, *volume, from, *created, keep.as_ref(), attrs.as_ref())?;
            }
            Record::Clone {
                id,
                point,
                name,
                created,
                attrs,
            } => {
                let from = *self
                    .catalog
                    .points
                    .get(point)
                    .ok_or_else(|| missing("a snapshot"))?;
                let head = self.branch(from, *id, *created)?;
                self.add_volume(head, *id, name, *created, attrs);
                self.shares_all(from);
            }
            Record::DeletePoint { id } => {
                let node = *self
                    .catalog
                    .points
                    .get(id)
                    .ok_or_else(|| missing("a snapshot"))?;
                self.catalog.hide(node);
            }
            Record::Sweep { node, to } => self.sweep(env, lsn, *node, *to)?,
            Record::StartCopy {
                id,
                volume,
                threshold,
                total,
            } => {
                let job = CopyJob {
                    id: *id,
                    volume: *volume,
                    threshold: *threshold,
                    cursor: 0,
                    done: 0,
                    total: *total,
                    paused: false,
                };
                self.catalog.jobs.insert(*id, job);
                self.catalog.jobs_dirty = true;
            }
            Record::Copied {
                id,
                node,
                leaf,
                blocks,
            } => {
                self.copied(env, lsn, *node, *leaf, blocks)?;
                self.catalog.jobs_dirty = true;
                if let Some(job) = self.catalog.jobs.get_mut(id) {
                    job.cursor = leaf + 1;
                    job.done += blocks.len() as u64;
                }
            }
            Record::EndCopy { id, cut } => {
                self.catalog.jobs_dirty = true;
                let job = self
                    .catalog
                    .jobs
                    .remove(id)
                    .ok_or_else(|| missing("a job"))?;
                if *cut {
                    let head = self.volume(job.volume)?.head;
                    self.catalog.set_parent(head, None);
                    if let Some(node) = self.catalog.node_mut(head) {
                        node.written = node.referenced;
                    }
                }
            }
            Record::PauseCopy { id, paused } => {
                self.catalog.jobs_dirty = true;
                self.catalog
                    .jobs
                    .get_mut(id)
                    .ok_or_else(|| missing("a job"))?
                    .paused = *paused;
            }
        }
        self.lsn = lsn;
        Ok(())
    }

    fn volume(&self, id: VolumeId) -> Result<&Volume> {
        self.catalog
            .volumes
            .get(&id)
            .ok_or_else(|| missing("a volume"))
    }

    fn add_volume(&mut self, head: Node, id: VolumeId, name: &str, created: i64, attrs: &Attrs) {
        let volume = Volume {
            id,
            head: head.id,
            name: name.to_owned(),
            created,
            attrs: attrs.clone(),
        };
        self.catalog.volumes.insert(id, volume);
        self.catalog.add_node(head);
    }

    /// A new head below a point in time, with all that it has.
    fn branch(&self, from: u64, volume: VolumeId, created: i64) -> Result<Node> {
        let point = self
            .catalog
            .nodes
            .get(&from)
            .ok_or_else(|| missing("a node"))?;
        Ok(Node {
            id: self.catalog.next_node,
            parent: Some(from),
            role: Role::Head(volume),
            created,
            freeze: 0,
            written: 0,
            exclusive: Exclusive::known(0),
            tree: point.tree.clone(),
            size: point.size,
            referenced: point.referenced,
        })
    }

    /// A node has got a child that shares all it has.
    fn shares_all(&mut self, node: u64) {
        if let Some(node) = self.catalog.node_mut(node) {
            node.exclusive.set(0);
        }
    }

    fn update_point(
        &mut self,
        id: PointId,
        name: Option<&String>,
        attrs: Option<&Attrs>,
    ) -> Result<()> {
        let node = *self
            .catalog
            .points
            .get(&id)
            .ok_or_else(|| missing("a snapshot"))?;
        if let Some(node) = self.catalog.node_mut(node)
            && let Role::Point {
                name: old_name,
                attrs: old_attrs,
                ..
            } = &mut node.role
        {
            if let Some(name) = name {
                old_name.clone_from(name);
            }
            if let Some(attrs) = attrs {
                old_attrs.clone_from(attrs);
            }
        }
        Ok(())
    }

    fn end_copy_of(&mut self, volume: VolumeId) {
        self.catalog.jobs.retain(|_, job| job.volume != volume);
        self.catalog.jobs_dirty = true;
    }

    fn delete_volume(&mut self, id: VolumeId) -> Result<()> {
        let volume = self
            .catalog
            .volumes
            .remove(&id)
            .ok_or_else(|| missing("a volume"))?;
        self.end_copy_of(id);
        let lsn = self.lsn + 1;
        if let Some(head) = self.catalog.node_mut(volume.head) {
            head.freeze = lsn;
        }
        self.catalog.hide(volume.head);
        let points: Vec<u64> = self.points_of(id).collect();
        for point in points {
            self.catalog.hide(point);
        }
        Ok(())
    }

    /// The snapshots of a volume's history.
    pub(super) fn points_of(&self, id: VolumeId) -> impl Iterator<Item = u64> + '_ {
        self.catalog.points.values().copied().filter(move |node| {
            matches!(self.catalog.nodes.get(node), Some(Node { role: Role::Point { volume, .. }, .. }) if *volume == id)
        })
    }

    fn snapshot(
        &mut self,
        lsn: u64,
        volume: VolumeId,
        point: PointId,
        name: &str,
        created: i64,
        attrs: &Attrs,
    ) -> Result<()> {
        let old = self.volume(volume)?.head;
        let role = Role::Point {
            id: point,
            volume,
            name: name.to_owned(),
            attrs: attrs.clone(),
        };
        self.freeze(lsn, old, role, created);
        let head = self.branch(old, volume, created)?;
        self.move_head(volume, head);
        Ok(())
    }

    /// The head becomes a point in time.
    fn freeze(&mut self, lsn: u64, head: u64, role: Role, created: i64) {
        if let Role::Point { id, .. } = role {
            self.catalog.points.insert(id, head);
        }
        if let Some(node) = self.catalog.node_mut(head) {
            node.role = role;
            node.freeze = lsn;
            node.created = created;
        }
    }

    fn move_head(&mut self, volume: VolumeId, head: Node) {
        let parent = head.parent;
        if let Some(volume) = self.catalog.volumes.get_mut(&volume) {
            volume.head = head.id;
        }
        self.catalog.add_node(head);
        if let Some(parent) = parent {
            self.shares_all(parent);
        }
    }

    fn restore(
        &mut self,
        lsn: u64,
        id: VolumeId,
        from: u64,
        created: i64,
        keep: Option<&(PointId, String, Attrs)>,
        attrs: Option<&Attrs>,
    ) -> Result<()> {
        let old = self.volume(id)?.head;
        let head = self.branch(from, id, created)?;
        self.end_copy_of(id);
        match keep {
            Some((point, name, attrs)) => {
                let role = Role::Point {
                    id: *point,
                    volume: id,
                    name: name.clone(),
                    attrs: attrs.clone(),
                };
                self.freeze(lsn, old, role, created);
            }
            None => {
                if let Some(node) = self.catalog.node_mut(old) {
                    node.freeze = lsn;
                }
                self.catalog.hide(old);
            }
        }
        self.move_head(id, head);
        if let (Some(volume), Some(attrs)) = (self.catalog.volumes.get_mut(&id), attrs) {
            volume.attrs.clone_from(attrs);
        }
        Ok(())
    }

    fn write(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        node: u64,
        lba: u64,
        pieces: &[Piece],
    ) -> Result<()> {
        let mut at = (lba % LEAF_BLOCKS) as usize;
        let mut swaps = Vec::new();
        for piece in pieces {
            for i in 0..piece.len() {
                let entry = match piece {
                    Piece::Zero(_) => Entry::zero(lsn),
                    Piece::Data { block, crcs } => Entry::data(block + i, lsn, crcs[i as usize]),
                };
                swaps.push(Swap {
                    at,
                    new: Some(entry),
                });
                at += 1;
            }
        }
        self.swap(env, lsn, node, lba / LEAF_BLOCKS, &swaps)
    }

    fn copied(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        node: u64,
        leaf: u64,
        blocks: &[CopiedBlock],
    ) -> Result<()> {
        let swaps: Vec<Swap> = blocks
            .iter()
            .map(|b| Swap {
                at: usize::from(b.at),
                new: Some(Entry::data(b.block, lsn, b.crc)),
            })
            .collect();
        self.swap(env, lsn, node, leaf, &swaps)
    }

    /// Replaces entries of a leaf in a range; those there are not stay away.
    fn forget(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        node: u64,
        lba: u64,
        count: u64,
        new: impl Fn(Entry) -> Option<Entry>,
    ) -> Result<()> {
        let leaf = lba / LEAF_BLOCKS;
        let first = (lba % LEAF_BLOCKS) as usize;
        let head = self
            .catalog
            .nodes
            .get(&node)
            .ok_or_else(|| missing("a node"))?;
        let Some(page) = head.tree.leaf(env.pages, leaf)? else {
            return Ok(());
        };
        let swaps: Vec<Swap> = as_leaf(&page)?
            .iter()
            .filter(|(at, _)| (first..first + count as usize).contains(at))
            .map(|(at, entry)| Swap {
                at,
                new: new(entry),
            })
            .filter(|swap| swap.new.is_none_or(|new| new.block().is_none()))
            .collect();
        drop(page);
        if swaps.is_empty() {
            return Ok(());
        }
        self.swap(env, lsn, node, leaf, &swaps)
    }

    /// Changes entries of one leaf of a head; keeps the counts, frees what the
    /// head had alone.
    fn swap(&mut self, env: Env<'_>, lsn: u64, id: u64, leaf: u64, swaps: &[Swap]) -> Result<()> {
        if swaps.iter().any(|swap| swap.at >= LEAF_BLOCKS as usize) {
            return Err(EngineError::damaged("a log record reaches beyond its leaf"));
        }
        if !matches!(
            self.catalog.nodes.get(&id),
            Some(Node {
                role: Role::Head(_),
                ..
            })
        ) {
            return Err(missing("a head"));
        }
        let result = self.swap_in(env, lsn, id, leaf, swaps);
        self.catalog.note_root(id);
        result
    }

    fn swap_in(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        id: u64,
        leaf: u64,
        swaps: &[Swap],
    ) -> Result<()> {
        let owner = self.catalog.owner(id);
        let limit = owner.limit(leaf + 1);
        let parent = self.catalog.nodes.get(&id).and_then(|node| node.parent);
        let above = parent.map_or(0, |parent| self.catalog.parent_freeze(parent));
        let only_child = parent.is_some_and(|parent| self.catalog.child_count(parent) == 1);

        let mut space = env.space.lock();
        let node = self.catalog.node_mut(id).ok_or_else(|| missing("a node"))?;
        let mut cow = Cow {
            pages: env.pages,
            lsn,
            owner,
            freed: &mut self.freed,
            dirtied: &mut self.dirty,
        };
        let page = node.tree.leaf_mut(&mut cow, leaf)?;
        let old = |at: usize| page.get(at).filter(|entry| entry.block().is_some());
        let mine = swaps
            .iter()
            .filter_map(|s| old(s.at))
            .filter(|e| e.birth() > limit);
        space.prepare(env.pages, mine.filter_map(Entry::block), true)?;
        space.prepare(
            env.pages,
            swaps.iter().filter_map(|s| s.new?.block()),
            false,
        )?;
        let before = page.entries.len();

        let (mut passed, mut lost) = (0, 0);
        for swap in swaps {
            let old = match swap.new {
                Some(entry) => page.set(swap.at, entry),
                None => page.remove(swap.at),
            };
            if let Some(block) = swap.new.and_then(Entry::block) {
                space.set(block);
                node.referenced += 1;
                node.written += 1;
            }
            let Some(old) = old else { continue };
            let Some(block) = old.block() else { continue };
            node.referenced = node.referenced.saturating_sub(1);
            if old.birth() > owner.freeze {
                node.written = node.written.saturating_sub(1);
            }
            if old.birth() > limit {
                space.clear(block, lsn);
                passed += u64::from(old.birth() <= owner.freeze);
            } else if old.birth() > above {
                lost += 1;
            }
        }
        let after = page.entries.len();
        *cow.dirtied += after.saturating_sub(before) as u64 * 16;
        if before > 0 && after == 0 {
            // Nothing is mapped; a failure to drop the page leaves it there, empty.
            drop(space);
            let _ = node.tree.remove_leaf(&mut cow, leaf);
        }
        if let Some(parent) = parent.filter(|_| passed + lost > 0)
            && let Some(parent) = self.catalog.node_mut(parent)
        {
            // What the parent had passed on was counted as written by the parent.
            parent.written = parent.written.saturating_sub(passed);
            if lost > 0 {
                match parent.exclusive.get() {
                    Some(blocks) if only_child => parent.exclusive.set(blocks + lost),
                    _ => parent.exclusive = Exclusive::from_disk(None),
                }
            }
        }
        Ok(())
    }

    /// The children that have to be looked at when a node's space is given back.
    pub(super) fn child_trees(&self, node: u64) -> Vec<&Tree> {
        self.catalog
            .children(node)
            .filter_map(|id| self.catalog.nodes.get(&id))
            .map(|node| &node.tree)
            .collect()
    }

    fn sweep(&mut self, env: Env<'_>, lsn: u64, id: u64, to: u64) -> Result<()> {
        let node = self
            .catalog
            .nodes
            .get(&id)
            .ok_or_else(|| missing("a node"))?;
        let Role::Hidden { cursor } = node.role else {
            return Err(missing("a deleted node"));
        };
        let limit = self.catalog.parent_freeze(id);
        let gone = alone(
            env.pages,
            &node.tree,
            &self.child_trees(id),
            limit,
            (cursor, to),
        )?;
        let mut space = env.space.lock();
        space.prepare(env.pages, gone.blocks.iter().copied(), true)?;
        for &block in &gone.blocks {
            space.clear(block, lsn);
        }
        drop(space);
        self.freed.extend(gone.pages.into_iter().map(Freed::from));
        self.catalog.sweeping = Some(id);
        let node = self.catalog.node_mut(id).ok_or_else(|| missing("a node"))?;
        node.role = Role::Hidden { cursor: to };
        node.written = node.written.saturating_sub(gone.blocks.len() as u64);
        if to == SWEPT {
            self.splice(id);
        }
        Ok(())
    }

    /// Takes a swept node out of the history; its child, if any, takes its place.
    fn splice(&mut self, id: u64) {
        let Some(node) = self.catalog.nodes.get(&id) else {
            return;
        };
        let (parent, passed_on) = (node.parent, node.written);
        let child = self.catalog.children(id).next();
        if let Some(child) = child {
            self.catalog.set_parent(child, parent);
            if let Some(child) = self.catalog.node_mut(child) {
                child.written += passed_on;
            }
            self.catalog.forget_exclusive(child);
        }
        self.catalog.remove_node(id);
    }
}
