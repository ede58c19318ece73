//! Tests that look inside: a simulated disk, small sizes, invariants.

mod basics;
mod check;
mod commits;
mod crash;
mod damage;
mod faults;
mod memory;
mod model;
mod points;
mod threads;
mod transaction;
mod trim;
mod world;

use std::sync::Arc;
use std::time::Duration;

use super::core::Tuning;
use super::disk::sim::SimDisk;
use super::store::Store;

/// Everything small, so that a few operations go through all of it.
pub(super) fn small() -> Tuning {
    Tuning {
        segment_bytes: 32 << 10,
        log_limit: 128 << 10,
        dirty_limit: 64 << 10,
        batch_limit: 8 << 10,
        commit_after: Duration::from_secs(5),
        inline_limit: 16 << 10,
        seal_after: Duration::ZERO,
        grow_blocks: 16,
        grow_meta: 16 << 10,
        chunk_blocks: 300,
        step_leaves: 2,
        trim_blocks: 16,
        trim_run: 2,
        keep_blocks: 4,
        calm: Duration::ZERO,
        cache_bytes: 64 << 10,
        durable_ops: true,
        background: false,
    }
}

/// A new store in memory.
pub(super) fn fresh() -> (Arc<SimDisk>, Store) {
    let disk = Arc::new(SimDisk::new());
    let store = Store::on_disk(disk.clone(), small(), true).unwrap();
    (disk, store)
}

/// The store on a disk, opened again.
pub(super) fn reopen(disk: &Arc<SimDisk>) -> Store {
    Store::on_disk(disk.clone(), small(), false).unwrap()
}
