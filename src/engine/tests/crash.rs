//! A crash at any moment: the store is what it was after some record, not
//! before the last flush, and everything in it adds up.

use std::sync::Arc;

use proptest::prelude::*;

use super::check::check;
use super::world::{Image, Model, Op, World, compare, model_of, op};
use super::{reopen, small};
use crate::engine::Store;
use crate::engine::core::Tuning;
use crate::engine::disk::sim::{Fate, Medium, SimDisk};

/// Crash images to look at; `SNAPDECK_CRASHES` asks for more or fewer.
fn crashes() -> u64 {
    std::env::var("SNAPDECK_CRASHES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(6_000)
}

/// A store after an operation.
struct Mark {
    /// Things done to the disk until then.
    done: usize,
    lsn: u64,
    durable: u64,
    model: Model,
}

fn mark(world: &World) -> Mark {
    let core = world.store.core();
    Mark {
        done: world.disk.done(),
        lsn: core.guarded.read().state.lsn,
        durable: core.durable.load(std::sync::atomic::Ordering::SeqCst),
        model: world.model.clone(),
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn fate(&mut self, style: u64) -> Fate {
        match (style, self.roll() % 8) {
            (0, _) | (2, 0..4) | (3, 0) => Fate::Lost,
            (1, _) | (2, _) | (3, 1..6) => Fate::Kept,
            _ => Fate::Torn(self.roll()),
        }
    }
}

/// Every block is what it was before or what it was to be.
fn between(held: &Model, before: &Model, after: &Model) {
    assert!(
        held.volumes.keys().eq(before.volumes.keys())
            || held.volumes.keys().eq(after.volumes.keys()),
        "volumes of neither state"
    );
    assert!(
        held.points.keys().eq(before.points.keys()) || held.points.keys().eq(after.points.keys())
    );
    let none = Image::default();
    for (id, image) in &held.volumes {
        let (a, b) = (
            before.volumes.get(id).unwrap_or(&none),
            after.volumes.get(id).unwrap_or(&none),
        );
        assert!(image.size == a.size || image.size == b.size);
        for lba in image
            .blocks
            .keys()
            .chain(a.blocks.keys())
            .chain(b.blocks.keys())
        {
            let is = image.blocks.get(lba);
            let beyond = lba * 4096 >= image.size;
            assert!(
                beyond || is == a.blocks.get(lba) || is == b.blocks.get(lba),
                "block {lba} of {id} is neither"
            );
        }
    }
}

fn judge(store: &Store, marks: &[Mark], crash_at: usize) {
    let lsn = store.core().guarded.read().state.lsn;
    let flushed = marks
        .iter()
        .take_while(|mark| mark.done <= crash_at)
        .last()
        .unwrap();
    assert!(
        lsn >= flushed.durable,
        "record {lsn} is the last, and {} was durable",
        flushed.durable
    );
    let after = marks
        .iter()
        .position(|mark| mark.lsn >= lsn)
        .expect("records that never were");
    if marks[after].lsn == lsn {
        compare(store, &marks[after].model);
    } else {
        between(
            &model_of(store),
            &marks[after - 1].model,
            &marks[after].model,
        );
    }
    check(store);
}

/// Goes on working with what a crash has left.
fn work_on(disk: Arc<SimDisk>, store: Store) {
    let model = model_of(&store);
    let mut world = World::with(disk, store, model);
    let ops = [
        Op::Create,
        Op::Write {
            v: 0,
            spot: 2,
            skip: 3,
            blocks: 9,
            fill: 77,
        },
        Op::Snapshot { v: 0, all: true },
        Op::Write {
            v: 1,
            spot: 2,
            skip: 5,
            blocks: 9,
            fill: 78,
        },
        Op::Reopen { close: false },
        Op::Settle,
        Op::Reopen { close: true },
    ];
    for op in &ops {
        world.run(op).unwrap();
    }
    world.compare();
    check(&world.store);
}

fn crash_everywhere(ops: &[Op], seed: u64) -> u64 {
    // Now and then little is durable, and blocks are scarce.
    let lazy = seed.is_multiple_of(2);
    let grow_blocks = if seed.is_multiple_of(3) { 2 } else { 16 };
    let mut world = World::tuned(Tuning {
        durable_ops: !lazy,
        grow_blocks,
        ..small()
    });
    let mut medium: Medium = world.disk.medium();
    world.disk.remember();
    let mut marks = vec![mark(&world)];
    for op in ops {
        if !matches!(op, Op::Reopen { .. }) {
            world.run(op).unwrap();
            marks.push(mark(&world));
        }
    }
    let mut dice = Dice(seed | 1);
    let mut images = 0;
    for (at, event) in world.disk.history().iter().enumerate() {
        medium.advance(event);
        let styles = if medium.at_risk() == 0 { 1 } else { 5 };
        for style in 0..styles {
            if !dice.roll().is_multiple_of(4) {
                continue;
            }
            let disk = Arc::new(medium.crash(&mut || dice.fate(style)));
            let store = reopen(&disk);
            judge(&store, &marks, at + 1);
            images += 1;
            if dice.roll().is_multiple_of(16) {
                work_on(disk, store);
            }
        }
    }
    images
}

#[test]
fn a_crash_leaves_a_prefix_not_shorter_than_the_last_flush() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::default();
    let strategy = (prop::collection::vec(op(), 10..50), any::<u64>());
    let mut images = 0;
    while images < crashes() {
        let (ops, seed) = strategy.new_tree(&mut runner).unwrap().current();
        let outcome = std::panic::catch_unwind(|| crash_everywhere(&ops, seed));
        images += outcome.unwrap_or_else(|e| {
            eprintln!("the workload was {ops:?}, the seed {seed}");
            std::panic::resume_unwind(e)
        });
    }
}
