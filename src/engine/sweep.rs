//! What records do to give back the space of a deleted node.

use super::apply::{Env, State, missing};
use super::catalog::{Role, SWEPT};
use super::error::Result;
use super::page::Freed;
use super::tree::Tree;
use super::walk::{Alone, alone};

impl State {
    /// The children that have to be looked at when a node's space is given back.
    pub(super) fn child_trees(&self, node: u64) -> Vec<&Tree> {
        self.catalog
            .children(node)
            .filter_map(|id| self.catalog.nodes.get(&id))
            .map(|node| &node.tree)
            .collect()
    }

    /// What a deleted node alone has from its cursor up to leaf `to`, or in
    /// `budget` leaves.
    pub(super) fn to_give_back(
        &self,
        env: Env<'_>,
        id: u64,
        to: u64,
        budget: u64,
    ) -> Result<Alone> {
        let node = self.catalog.nodes.get(&id);
        let node = node.ok_or_else(|| missing("a node"))?;
        let Role::Hidden { cursor } = node.role else {
            return Err(missing("a deleted node"));
        };
        let limit = self.catalog.parent_freeze(id);
        let others = self.child_trees(id);
        alone(env.pages, &node.tree, &others, limit, (cursor, to), budget)
    }

    /// Gives back what a deleted node alone has up to leaf `to`: `gone`, if
    /// that has just been found out.
    pub(super) fn sweep(
        &mut self,
        env: Env<'_>,
        lsn: u64,
        (id, to): (u64, u64),
        gone: Option<Alone>,
    ) -> Result<()> {
        let gone = match gone {
            Some(gone) => gone,
            None => self.to_give_back(env, id, to, u64::MAX)?,
        };
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
