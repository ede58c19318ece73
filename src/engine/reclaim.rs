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

/// How far a deleted node has been given back.
fn cursor_of(state: &State, id: u64) -> Option<u64> {
    match state.catalog.nodes.get(&id)?.role {
        Role::Hidden { cursor } => Some(cursor),
        _ => None,
    }
}

impl Core {
    /// Gives back a stretch.
    pub(super) fn reclaim_step(&self) -> Result<Step> {
        self.admit_delete()?;
        let (id, cursor, lsn, gone) = {
            let guarded = self.guarded.read();
            let state = &guarded.state;
            let id = match choose(state) {
                (Some(id), _) => id,
                (None, true) => return Ok(Step::AfterCheckpoint),
                (None, false) => return Ok(Step::Idle),
            };
            let gone = state.to_give_back(self.env(), id, SWEPT, self.tuning.step_leaves)?;
            (id, cursor_of(state, id), state.lsn, gone)
        };
        let count = gone.count;
        let to = gone.stopped.unwrap_or(SWEPT);
        let (info, over) = {
            let mut guarded = self.guarded.write();
            let state = &guarded.state;
            if choose(state).0 != Some(id) || cursor_of(state, id) != cursor {
                return Ok(Step::More);
            }
            // What was found holds if nothing has changed since; else it is found anew.
            let gone = (state.lsn == lsn).then_some(gone);
            self.record_with(&mut guarded, &Record::Sweep { node: id, to }, gone)?;
            let state = &guarded.state;
            (self.reclaim_info(state), state.catalog.hidden.is_empty())
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
