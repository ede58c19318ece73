//! What a node takes, shares and holds alone.

use super::alone::{Bounds, Drafts, Line, alone};
use super::apply::State;
use super::catalog::{Catalog, Node, SWEPT};
use super::core::Core;
use super::error::Result;
use super::info::Usage;
use super::page::BLOCK;

/// Blocks the node holds alone, if that is known without a walk.
pub(super) fn held_alone(catalog: &Catalog, node: &Node) -> Option<u64> {
    // Without children, what is not the parent's is its own.
    if catalog.child_count(node.id) == 0 {
        Some(node.written)
    } else {
        node.exclusive.get()
    }
}

impl Core {
    /// The space of a node. Where what it holds alone is not known, it is found
    /// by a walk once and noted.
    pub(super) fn usage(&self, state: &State, node: &Node) -> Usage {
        let exclusive = held_alone(&state.catalog, node).unwrap_or_else(|| {
            // A page that cannot be read leaves it unknown; what is known to be freed is nothing.
            self.find_exclusive(state, node).unwrap_or(0)
        });
        Usage {
            referenced: node.referenced * BLOCK,
            written: node.written * BLOCK,
            exclusive: exclusive * BLOCK,
        }
    }

    fn find_exclusive(&self, state: &State, node: &Node) -> Result<u64> {
        let line = Line {
            trees: vec![&node.tree],
            others: state.child_trees(node.id),
            limit: state.catalog.parent_freeze(node.id),
        };
        let all = Bounds::whole(0, SWEPT);
        let alone = alone(&self.pages, &line, all, Drafts::new())?;
        let alone = alone.blocks.len() as u64;
        node.exclusive.set(alone);
        Ok(alone)
    }
}
