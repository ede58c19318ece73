//! What records do to give back the space of deleted nodes.

use super::alone::{Alone, Bounds, Drafts, Line, Plan, alone, plan};
use super::apply::{Env, State, missing};
use super::catalog::{Node, Role, SWEPT};
use super::error::Result;
use super::page::Freed;
use super::tree::Tree;
use super::usage::held_alone;

impl State {
    /// The children that have to be looked at when a node's space is given back.
    pub(super) fn child_trees(&self, node: u64) -> Vec<&Tree> {
        self.catalog
            .children(node)
            .filter_map(|id| self.catalog.nodes.get(&id))
            .map(|node| &node.tree)
            .collect()
    }

    /// The trees of a deleted node, what comes after them, and how far they have been given back.
    fn line_of(&self, id: u64) -> Result<(Line<'_>, u64)> {
        let Some(Node {
            role: Role::Hidden { cursor, older },
            tree,
            ..
        }) = self.catalog.nodes.get(&id)
        else {
            return Err(missing("a deleted node"));
        };
        let line = Line {
            trees: older.iter().chain([tree]).collect(),
            others: self.child_trees(id),
            limit: self.catalog.parent_freeze(id),
        };
        Ok((line, *cursor))
    }

    /// The leaves that the next stretch of a deleted node is about: so many at most.
    pub(super) fn plan_sweep(&self, env: Env<'_>, id: u64, leaves: u64) -> Result<(Plan, u64)> {
        let (line, cursor) = self.line_of(id)?;
        let bounds = Bounds {
            leaves,
            pages: leaves * 16,
            ..Bounds::whole(cursor, SWEPT)
        };
        Ok((plan(env.pages, &line, bounds)?, line.limit))
    }

    /// Gives back what a deleted node alone has up to leaf `to`. Leaves that were
    /// looked at beforehand are in `drafts`; what comes of it does not depend on them.
    pub(super) fn sweep(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        (id, to): (u64, u64),
        drafts: Drafts,
    ) -> Result<()> {
        let (line, cursor) = self.line_of(id)?;
        let Alone { blocks, pages, .. } =
            alone(env.pages, &line, Bounds::whole(cursor, to), drafts)?;
        let mut space = env.space.lock();
        space.prepare(env.pages, blocks.iter().copied(), true)?;
        for &block in &blocks {
            space.clear(block, lsn);
        }
        drop(space);
        self.freed.extend(pages.into_iter().map(Freed::from));
        self.catalog.sweeping = Some(id);
        let node = self.catalog.node_mut(id).ok_or_else(|| missing("a node"))?;
        if let Role::Hidden { cursor, .. } = &mut node.role {
            *cursor = to;
        }
        let count = blocks.len() as u64;
        node.written = node.written.saturating_sub(count);
        if let Some(alone) = node.exclusive.get() {
            node.exclusive.set(alone.saturating_sub(count));
        }
        if to == SWEPT {
            self.splice(id);
        }
        Ok(())
    }

    /// Deleted nodes, from `first` down to `last`, each with the next as its only
    /// child, become one: their space is given back in one pass.
    pub(super) fn join(&mut self, first: u64, last: u64) -> Result<()> {
        let catalog = &mut self.catalog;
        let mut line = vec![last];
        let mut at = last;
        while at != first {
            let parent = catalog.nodes.get(&at).and_then(|node| node.parent.get());
            at = parent.ok_or_else(|| missing("a line of deleted nodes"))?;
            line.push(at);
        }
        let (mut trees, mut written, mut alone) = (Vec::new(), 0, 0);
        for id in line.iter().rev() {
            let fresh = |node: &&Node| {
                let on_disk = node.tree.root.as_ref().is_none_or(|r| r.disk().is_some());
                let role = &node.role;
                on_disk && matches!(role, Role::Hidden { cursor: 0, older } if older.is_empty())
            };
            let node = catalog.nodes.get(id).filter(fresh);
            let node = node.filter(|_| catalog.child_count(*id) <= 1);
            let node = node.ok_or_else(|| missing("a line of deleted nodes"))?;
            written += node.written;
            alone += held_alone(catalog, node).unwrap_or(0);
            trees.push(node.tree.clone());
        }
        let parent = catalog.nodes.get(&first).and_then(|node| node.parent.get());
        catalog.set_parent(last, parent);
        for &id in &line[1..] {
            catalog.remove_node(id);
        }
        // The last is the node's own.
        trees.pop();
        trees.retain(|tree| tree.root.is_some());
        let joined = !trees.is_empty();
        if let Some(node) = catalog.node_mut(last) {
            node.role = Role::Hidden {
                cursor: 0,
                older: trees,
            };
            node.written = written;
            if joined {
                // What only several of them share is not in it: it is that much at least.
                node.exclusive.set(alone);
            }
        }
        catalog.sweeping = Some(last);
        Ok(())
    }

    /// Takes a swept node out of the history; its child, if any, takes its place.
    fn splice(&mut self, id: u64) {
        let Some(node) = self.catalog.nodes.get(&id) else {
            return;
        };
        let (parent, passed_on) = (node.parent.get(), node.written);
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
