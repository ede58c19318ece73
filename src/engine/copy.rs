//! Copying what a volume shares into blocks of its own, a leaf at a time,
//! while it is read and written. Where the copy stands is in the store.

use super::catalog::CopyJob;
use super::core::{Core, Ticket};
use super::error::{EngineError, Result};
use super::ids::JobId;
use super::info::Change;
use super::page::{BLOCK, BLOCK_LEN, Entry};
use super::reclaim::Step;
use super::record::{CopiedBlock, Record};
use super::space::Run;
use super::tree::as_leaf;

/// A leaf of which something is to be copied.
struct Work<'a> {
    node: u64,
    leaf: u64,
    shared: Vec<(u8, Entry)>,
    /// Keeps the shared blocks from being used for something else.
    _ticket: Ticket<'a>,
}

enum Found<'a> {
    Work(Work<'a>),
    /// There is nothing more to copy.
    End,
    Nothing,
}

impl Core {
    /// Copies a leaf of the job.
    pub(super) fn copy_step(&self, id: JobId) -> Result<Step> {
        match self.find_work(id)? {
            Found::Work(work) => self.copy_leaf(id, &work),
            Found::End => self.end_copy(id),
            Found::Nothing => Ok(Step::Idle),
        }
    }

    fn find_work(&self, id: JobId) -> Result<Found<'_>> {
        let guarded = self.guarded.read();
        let catalog = &guarded.state.catalog;
        let Some(job) = catalog.jobs.get(&id).filter(|job| !job.paused) else {
            return Ok(Found::Nothing);
        };
        let Some(volume) = catalog.volumes.get(&job.volume) else {
            return Ok(Found::Nothing);
        };
        let Some(head) = catalog.nodes.get(&volume.head) else {
            return Ok(Found::Nothing);
        };
        let parent = catalog.parent_freeze(head.id);
        // If what it was cloned from has gone meanwhile, less is shared.
        let threshold = job.threshold.min(parent);
        let mut from = job.cursor;
        while threshold > 0
            && let Some((leaf, page)) = head.tree.next_leaf(&self.pages, from)?
        {
            let shared: Vec<(u8, Entry)> = as_leaf(&page)?
                .iter()
                .filter(|(_, entry)| entry.block().is_some() && entry.birth() <= threshold)
                .map(|(at, entry)| (at as u8, entry))
                .collect();
            if !shared.is_empty() || page.birth <= threshold {
                let ticket = self.ticket(&guarded.state);
                return Ok(Found::Work(Work {
                    node: head.id,
                    leaf,
                    shared,
                    _ticket: ticket,
                }));
            }
            from = leaf + 1;
        }
        Ok(Found::End)
    }

    fn copy_leaf(&self, id: JobId, work: &Work<'_>) -> Result<Step> {
        self.admit()?;
        let mut data = vec![0; work.shared.len() * BLOCK_LEN];
        for ((at, entry), buf) in work.shared.iter().zip(data.chunks_exact_mut(BLOCK_LEN)) {
            let Some(block) = entry.block() else { continue };
            self.read_blocks(block, buf)?;
            if crc32c::crc32c(buf) != entry.crc() {
                let guarded = self.guarded.read();
                let catalog = &guarded.state.catalog;
                let of = catalog
                    .nodes
                    .get(&work.node)
                    .map_or_else(String::new, |node| catalog.describe(node));
                return Err(EngineError::HurtBlock {
                    of,
                    offset: (work.leaf * 256 + u64::from(*at)) * BLOCK,
                });
            }
        }
        let runs = if work.shared.is_empty() {
            Vec::new()
        } else {
            self.take_blocks(work.shared.len() as u64)?
        };
        let mut rest = data.as_slice();
        for run in &runs {
            let (now, later) = rest.split_at(run.len as usize * BLOCK_LEN);
            if let Err(e) = self.write_blocks(run.start, now) {
                self.put_back(&runs);
                return Err(e);
            }
            rest = later;
        }
        let blocks = runs.iter().flat_map(|run| run.start..run.start + run.len);
        let copied: Vec<(u8, Entry, u64)> = work
            .shared
            .iter()
            .zip(blocks)
            .map(|((at, entry), block)| (*at, *entry, block))
            .collect();
        let info = match self.install(id, work, &copied) {
            Ok(info) => info,
            Err(e) => {
                self.put_back(&runs);
                return Err(e);
            }
        };
        self.jobs.did(id, copied.len() as u64 * BLOCK);
        self.tell(&info.into_iter().map(Change::Job).collect::<Vec<_>>());
        Ok(Step::More)
    }

    /// Puts the copies in the place of what is still as it was.
    fn install(
        &self,
        id: JobId,
        work: &Work<'_>,
        copied: &[(u8, Entry, u64)],
    ) -> Result<Option<super::info::JobInfo>> {
        let mut guarded = self.guarded.write();
        let catalog = &guarded.state.catalog;
        let current = catalog
            .jobs
            .get(&id)
            .and_then(|job| catalog.volumes.get(&job.volume))
            .map(|v| v.head);
        let page = match catalog.nodes.get(&work.node) {
            // A snapshot or a restore came between: it is looked at anew.
            Some(node) if current == Some(work.node) => node.tree.leaf(&self.pages, work.leaf)?,
            _ => None,
        };
        let Some(page) = page else {
            drop(guarded);
            self.put_back(
                &copied
                    .iter()
                    .map(|c| Run { start: c.2, len: 1 })
                    .collect::<Vec<_>>(),
            );
            return Ok(None);
        };
        let leaf = as_leaf(&page)?;
        let (same, changed): (Vec<_>, Vec<_>) = copied
            .iter()
            .partition(|(at, entry, _)| leaf.get(usize::from(*at)) == Some(*entry));
        drop(page);
        let blocks = same
            .iter()
            .map(|&&(at, entry, block)| CopiedBlock {
                at,
                block,
                crc: entry.crc(),
            })
            .collect();
        self.record(
            &mut guarded,
            &Record::Copied {
                id,
                node: work.node,
                leaf: work.leaf,
                blocks,
            },
        )?;
        guarded.batch.overflow = true;
        let info = guarded
            .state
            .catalog
            .jobs
            .get(&id)
            .map(|job: &CopyJob| self.copy_info(job));
        drop(guarded);
        self.put_back(
            &changed
                .iter()
                .map(|c| Run { start: c.2, len: 1 })
                .collect::<Vec<_>>(),
        );
        Ok(info)
    }

    fn end_copy(&self, id: JobId) -> Result<Step> {
        let (lsn, volume) = {
            let mut guarded = self.guarded.write();
            let catalog = &guarded.state.catalog;
            let Some(job) = catalog.jobs.get(&id) else {
                return Ok(Step::Idle);
            };
            let (volume, threshold) = (job.volume, job.threshold);
            let head = catalog.volumes.get(&volume).map_or(0, |volume| volume.head);
            let parent = catalog.nodes.get(&head).and_then(|node| node.parent.get());
            // A snapshot taken meanwhile stays the parent: with it the volume shares.
            let cut = parent.is_some() && catalog.parent_freeze(head) <= threshold;
            (
                self.record(&mut guarded, &Record::EndCopy { id, cut })?,
                volume,
            )
        };
        self.commit(lsn)?;
        self.jobs.forget(id);
        self.tell(&[
            Change::JobEnded {
                id,
                completed: true,
            },
            Change::Volume(volume),
        ]);
        Ok(Step::More)
    }
}
