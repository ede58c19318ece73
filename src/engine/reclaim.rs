//! Giving back the space of what was deleted: what a hidden node has and
//! neither its parent nor its child has is freed, a stretch at a time, each
//! stretch one record; then the node is taken out of the history. Nodes in a
//! line are joined first, so that each of their pages is read once.

use super::alone::Drafts;
use super::apply::State;
use super::catalog::{Catalog, Role, SWEPT};
use super::core::Core;
use super::error::Result;
use super::info::Change;
use super::page::BLOCK;
use super::record::Record;

/// Nodes that are given back in one pass, at most.
const LINE: usize = 256;

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

/// What is to be given back next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A node.
    Sweep(u64),
    /// Nodes in a line, once they are one.
    Join {
        first: u64,
        last: u64,
    },
    /// Nodes that are not on disk yet.
    Later,
    Nothing,
}

/// What is to be given back next. One at a time: what a node's child has is
/// known only if the child is not half given back itself.
fn choose(catalog: &Catalog) -> Next {
    if let Some(id) = catalog.sweeping {
        return Next::Sweep(id);
    }
    let ready = |id: u64| {
        catalog.hidden.contains(&id)
            && catalog.child_count(id) <= 1
            && !catalog.in_memory.contains(&id)
    };
    let mut free = catalog.hidden.iter().filter(|id| ready(**id));
    let Some(&id) = free
        .clone()
        .find(|id| catalog.child_count(**id) == 0)
        .or_else(|| free.next())
    else {
        let waits = |id: &u64| catalog.child_count(*id) <= 1;
        return match catalog.hidden.iter().any(waits) {
            true => Next::Later,
            false => Next::Nothing,
        };
    };
    let (mut first, mut last, mut count) = (id, id, 1);
    let above = |id: u64| catalog.nodes.get(&id)?.parent.get();
    while count < LINE
        && let Some(parent) = above(first).filter(|id| ready(*id))
    {
        (first, count) = (parent, count + 1);
    }
    while count < LINE
        && let Some(child) = catalog.children(last).next().filter(|id| ready(*id))
    {
        (last, count) = (child, count + 1);
    }
    if first == last {
        Next::Sweep(id)
    } else {
        Next::Join { first, last }
    }
}

/// How far a deleted node has been given back.
fn cursor_of(state: &State, id: u64) -> Option<u64> {
    match state.catalog.nodes.get(&id)?.role {
        Role::Hidden { cursor, .. } => Some(cursor),
        _ => None,
    }
}

impl Core {
    /// Gives back a stretch, or joins what can be given back in one pass.
    pub(super) fn reclaim_step(&self) -> Result<Step> {
        let _alone = self.reclaiming.lock();
        self.admit_delete()?;
        let (id, cursor, plan, limit) = {
            let guarded = self.guarded.read();
            let state = &guarded.state;
            match choose(&state.catalog) {
                Next::Sweep(id) => {
                    let leaves = self.tuning.step_leaves;
                    let (plan, limit) = state.plan_sweep(self.env(), id, leaves)?;
                    (id, cursor_of(state, id), plan, limit)
                }
                Next::Join { first, last } => {
                    drop(guarded);
                    return self.join_line(first, last);
                }
                Next::Later => return Ok(Step::AfterCheckpoint),
                Next::Nothing => return Ok(Step::Idle),
            }
        };
        let to = plan.stopped.unwrap_or(SWEPT);
        // The long part: others go on meanwhile. No one frees what a deleted node has but this.
        let drafts = plan.draft(&self.pages, limit)?;
        self.warm(id, &drafts)?;
        let (info, over, count) = {
            let mut guarded = self.guarded.write();
            let state = &guarded.state;
            if choose(&state.catalog) != Next::Sweep(id) || cursor_of(state, id) != cursor {
                return Ok(Step::More);
            }
            let used = self.space.lock().used;
            self.record_with(&mut guarded, &Record::Sweep { node: id, to }, drafts)?;
            let count = used - self.space.lock().used;
            let state = &guarded.state;
            (
                self.reclaim_info(state),
                state.catalog.hidden.is_empty(),
                count,
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

    fn join_line(&self, first: u64, last: u64) -> Result<Step> {
        let mut guarded = self.guarded.write();
        if choose(&guarded.state.catalog) == (Next::Join { first, last }) {
            self.record(&mut guarded, &Record::Join { first, last })?;
        }
        Ok(Step::More)
    }

    /// Brings into memory what the node's child has where it is to be compared.
    fn warm(&self, id: u64, drafts: &Drafts) -> Result<()> {
        for leaf in drafts.keys() {
            let guarded = self.guarded.read();
            for tree in guarded.state.child_trees(id) {
                tree.leaf(&self.pages, *leaf)?;
            }
        }
        Ok(())
    }
}
