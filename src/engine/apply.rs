//! What each record does. The same code runs when a change is made and when
//! the log is replayed, so that both come to the same. A record that fails
//! leaves everything with the content it had.

use parking_lot::Mutex;

use super::alone::Drafts;
use super::catalog::{Catalog, CopyJob, Exclusive, Node, Role};
use super::error::{EngineError, Result};
use super::page::{Entry, Freed};
use super::pages::Pages;
use super::record::Record;
use super::space::Space;
use super::tree::Tree;

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

/// The error for a record that does not fit what there is.
pub(super) fn missing(what: &str) -> EngineError {
    EngineError::damaged(format!("the log speaks of {what} that is not there"))
}

impl State {
    /// Applies the record as the next one.
    pub(super) fn apply(&mut self, env: Env<'_>, record: &Record) -> Result<()> {
        self.apply_with(env, record, Drafts::new())
    }

    /// The same; for a sweep, with what was found out about its leaves beforehand.
    pub(super) fn apply_with(
        &mut self,
        env: Env<'_>,
        record: &Record,
        drafts: Drafts,
    ) -> Result<()> {
        let lsn = self.lsn + 1;
        self.apply_at(env, lsn, record, drafts)?;
        self.lsn = lsn;
        Ok(())
    }

    fn apply_at(&mut self, env: Env<'_>, lsn: u64, record: &Record, drafts: Drafts) -> Result<()> {
        match record {
            Record::Transaction(records) => {
                for record in records {
                    self.apply_at(env, lsn, record, Drafts::new())?;
                }
            }
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
                    parent: None.into(),
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
                let (_, from) = *self
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
                let (_, from) = *self
                    .catalog
                    .points
                    .get(point)
                    .ok_or_else(|| missing("a snapshot"))?;
                let head = self.branch(from, *id, *created)?;
                self.add_volume(head, *id, name, *created, attrs);
                self.shares_all(from);
            }
            Record::DeletePoint { id } => {
                let (_, node) = *self
                    .catalog
                    .points
                    .get(id)
                    .ok_or_else(|| missing("a snapshot"))?;
                self.catalog.hide(node);
            }
            Record::Sweep { node, to } => self.sweep(env, lsn, (*node, *to), drafts)?,
            Record::Join { first, last } => self.join(*first, *last)?,
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
        Ok(())
    }
}
