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

/// Leaf pages that a walk may look at to find out what a node holds alone.
const WALK_PAGES: u64 = 4096;

impl Core {
    /// The space of a node. Where what it holds alone is not known, it is found
    /// by a walk once and noted.
    pub(super) fn usage(&self, state: &State, node: &Node) -> Usage {
        let exclusive = held_alone(&state.catalog, node).or_else(|| {
            // A page that cannot be read leaves it unknown; the scrub says which.
            self.find_exclusive(state, node).ok().flatten()
        });
        Usage {
            referenced: node.referenced * BLOCK,
            written: node.written * BLOCK,
            exclusive: exclusive.map(|blocks| blocks * BLOCK),
        }
    }

    fn find_exclusive(&self, state: &State, node: &Node) -> Result<Option<u64>> {
        let line = Line {
            trees: vec![&node.tree],
            others: state.child_trees(node.id),
            limit: state.catalog.parent_freeze(node.id),
        };
        let bounds = Bounds {
            leaves: WALK_PAGES,
            pages: WALK_PAGES,
            ..Bounds::whole(0, SWEPT)
        };
        let alone = alone(&self.pages, &line, bounds, Drafts::new())?;
        if alone.stopped {
            return Ok(None);
        }
        let alone = alone.blocks.len() as u64;
        node.exclusive.set(alone);
        Ok(Some(alone))
    }
}
