//! Giving back the space of what was deleted: what a hidden node has and
//! neither its parent nor its child has is freed, a stretch at a time, each
//! stretch one record; then the node is taken out of the history.

use super::apply::State;
use super::catalog::{Role, SWEPT};
use super::core::Core;
use super::error::Result;
use super::info::Change;
use super::page::BLOCK;
use super::record::Record;
use super::walk::count_alone;

/// What a step of background work came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more to do.
    More,
    /// There is more to do once a checkpoint has been written.
    AfterCheckpoint,
    /// There is nothing to do.
    Idle,
}

/// The node to be given back next. One at a time: what a node's child has is
/// known only if the child is not half given back itself.
fn choose(state: &State) -> (Option<u64>, bool) {
    let catalog = &state.catalog;
    if let Some(id) = catalog.sweeping {
        return (Some(id), false);
    }
    let mut best = None;
    let mut waits = false;
    for &id in &catalog.hidden {
        match catalog.child_count(id) {
            0 | 1 if catalog.in_memory.contains(&id) => waits = true,
            0 => return (Some(id), false),
            1 if best.is_none() => best = Some(id),
            _ => {}
        }
    }
    (best, waits)
}

impl Core {
    /// Gives back a stretch.
    pub(super) fn reclaim_step(&self) -> Result<Step> {
        self.admit_delete()?;
        let planned = {
            let guarded = self.guarded.read();
            let state = &guarded.state;
            let (id, waits) = choose(state);
            let node = id.and_then(|id| state.catalog.nodes.get(&id));
            match node {
                Some(node) => {
                    let Role::Hidden { cursor } = node.role else {
                        return Ok(Step::Idle);
                    };
                    let limit = state.catalog.parent_freeze(node.id);
                    let children = state.child_trees(node.id);
                    let budget = self.tuning.step_leaves;
                    let plan = count_alone(
                        &self.pages,
                        &node.tree,
                        &children,
                        limit,
                        (cursor, SWEPT),
                        budget,
                    )?;
                    Some((node.id, cursor, plan.stopped.unwrap_or(SWEPT), plan.count))
                }
                None if waits => return Ok(Step::AfterCheckpoint),
                None => None,
            }
        };
        let Some((id, cursor, to, count)) = planned else {
            return Ok(Step::Idle);
        };
        let (info, over) = {
            let mut guarded = self.guarded.write();
            let unchanged = choose(&guarded.state).0 == Some(id)
                && matches!(guarded.state.catalog.nodes.get(&id).map(|n| &n.role), Some(Role::Hidden { cursor: now }) if *now == cursor);
            if !unchanged {
                return Ok(Step::More);
            }
            self.record(&mut guarded, &Record::Sweep { node: id, to })?;
            (
                self.reclaim_info(&guarded.state),
                guarded.state.catalog.hidden.is_empty(),
            )
        };
        self.jobs.did(self.jobs.reclaim, count * BLOCK);
        if let Some(info) = info {
            self.tell(&[Change::Job(info)]);
        }
        if over {
            self.jobs.forget(self.jobs.reclaim);
            self.tell(&[Change::JobEnded {
                id: self.jobs.reclaim,
                completed: true,
            }]);
        }
        Ok(Step::More)
    }
}
