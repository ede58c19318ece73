//! What the engine's operations cost with few and with many snapshots, on a
//! small and on a large volume: `cargo bench --bench engine`.
//!
//! Each estate has 100,000 blocks of 4 KiB mapped at random places of a thin
//! volume. The operations are measured as such (`relaxed`) and with the one
//! sync that makes them durable.

#![allow(
    clippy::unwrap_used,
    reason = "a benchmark says that it cannot run by ending"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use divan::{Bencher, black_box};
use snapdeck::engine::{Attrs, OpenOptions, PointId, SnapshotRequest, Source, Store, VolumeId};

const MAPPED: u64 = 100_000;
const GIB: u64 = 1 << 30;

fn main() {
    divan::main();
}

/// Size in GiB, snapshots below the present content.
type Shape = (u64, u64);

const SHAPES: [Shape; 6] = [
    (1, 1),
    (1, 1000),
    (1, 10_000),
    (1024, 1),
    (1024, 1000),
    (1024, 10_000),
];

struct Estate {
    store: Store,
    volume: VolumeId,
    /// Blocks that are mapped.
    blocks: Vec<u64>,
    dir: tempfile::TempDir,
}

/// A generator of numbers that is the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn request(volume: VolumeId) -> SnapshotRequest {
    SnapshotRequest {
        volume,
        name: "bench".into(),
        attrs: Attrs::new(),
    }
}

fn snapshot(estate: &Estate) -> PointId {
    estate.store.snapshot(&[request(estate.volume)]).unwrap()[0]
}

fn build((gib, snapshots): Shape) -> Estate {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = OpenOptions {
        durable_ops: false,
        ..OpenOptions::default()
    };
    let store = Store::create(dir.path(), &options).unwrap();
    let volume = store
        .create_volume("bench", gib * GIB, Attrs::new())
        .unwrap();
    let mut dice = Dice(88_172_645_463_325_252);
    let mut blocks = Vec::new();
    let mut block = [7; 4096];
    for i in 0..MAPPED {
        if i % (MAPPED / snapshots) == 0 && i > 0 {
            store.snapshot(&[request(volume)]).unwrap();
        }
        let at = dice.roll() % (gib * GIB / 4096);
        block[..8].copy_from_slice(&at.to_le_bytes());
        store.write(volume, at * 4096, &block).unwrap();
        blocks.push(at);
    }
    store.snapshot(&[request(volume)]).unwrap();
    store.checkpoint().unwrap();
    Estate {
        store,
        volume,
        blocks,
        dir,
    }
}

fn estate(shape: Shape) -> Arc<Estate> {
    static ESTATES: OnceLock<Mutex<BTreeMap<Shape, Arc<Estate>>>> = OnceLock::new();
    let mut estates = ESTATES.get_or_init(Mutex::default).lock().unwrap();
    let made = estates
        .entry(shape)
        .or_insert_with(|| Arc::new(build(shape)));
    made.clone()
}

/// A snapshot that goes again once its creation has been measured.
struct Passing<'a>(&'a Estate, PointId);

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        self.0.store.delete_point(self.1).unwrap();
    }
}

#[divan::bench(args = SHAPES, sample_size = 1, sample_count = 500)]
fn snapshot_relaxed(bencher: Bencher<'_, '_>, shape: Shape) {
    let estate = estate(shape);
    bencher.bench_local(|| Passing(&estate, snapshot(&estate)));
}

#[divan::bench(args = SHAPES, sample_size = 1, sample_count = 100)]
fn snapshot_durable(bencher: Bencher<'_, '_>, shape: Shape) {
    let estate = estate(shape);
    bencher.bench_local(|| {
        let passing = Passing(&estate, snapshot(&estate));
        estate.store.flush().unwrap();
        passing
    });
}

#[divan::bench(args = SHAPES, sample_size = 1, sample_count = 200)]
fn snapshot_after_a_write(bencher: Bencher<'_, '_>, shape: Shape) {
    let estate = estate(shape);
    let mut dice = Dice(7);
    bencher
        .with_inputs(|| {
            let at = estate.blocks[dice.roll() as usize % estate.blocks.len()] * 4096;
            estate.store.write(estate.volume, at, &[9; 4096]).unwrap();
        })
        .bench_local_values(|()| Passing(&estate, snapshot(&estate)));
}

#[divan::bench(args = SHAPES, sample_size = 1, sample_count = 200)]
fn restore_relaxed(bencher: Bencher<'_, '_>, shape: Shape) {
    let estate = estate(shape);
    let point = snapshot(&estate);
    bencher.bench_local(|| {
        estate
            .store
            .restore(estate.volume, point, None, None)
            .unwrap();
    });
    estate.store.delete_point(point).unwrap();
}

#[divan::bench(args = SHAPES, sample_size = 1, sample_count = 200)]
fn delete_relaxed(bencher: Bencher<'_, '_>, shape: Shape) {
    let estate = estate(shape);
    bencher
        .with_inputs(|| snapshot(&estate))
        .bench_local_values(|point| estate.store.delete_point(point).unwrap());
}

#[divan::bench(args = SHAPES, sample_count = 200, sample_size = 100)]
fn read_4k_at_random(bencher: Bencher<'_, '_>, shape: Shape) {
    let estate = estate(shape);
    let mut dice = Dice(3);
    let mut block = [0; 4096];
    let source = Source::Volume(estate.volume);
    bencher.bench_local(|| {
        let at = estate.blocks[dice.roll() as usize % estate.blocks.len()] * 4096;
        estate.store.read(source, at, &mut block).unwrap();
        black_box(block[0])
    });
}

#[divan::bench(args = SHAPES, sample_count = 200, sample_size = 100)]
fn write_4k_at_random(bencher: Bencher<'_, '_>, shape: Shape) {
    let estate = estate(shape);
    let mut dice = Dice(5);
    let mut block = [5; 4096];
    bencher.bench_local(|| {
        let at = estate.blocks[dice.roll() as usize % estate.blocks.len()] * 4096;
        block[..8].copy_from_slice(&at.to_le_bytes());
        estate.store.write(estate.volume, at, &block).unwrap();
    });
}

/// A volume of which every block is mapped, in an order that has none.
fn dense(gib: u64, background: bool) -> Estate {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = OpenOptions {
        durable_ops: false,
        background,
        ..OpenOptions::default()
    };
    let store = Store::create(dir.path(), &options).unwrap();
    let volume = store
        .create_volume("bench", gib * GIB, Attrs::new())
        .unwrap();
    let mut dice = Dice(11);
    let mut blocks: Vec<u64> = (0..gib * GIB / 4096).collect();
    for i in (1..blocks.len()).rev() {
        blocks.swap(i, dice.roll() as usize % (i + 1));
    }
    let estate = Estate {
        store,
        volume,
        blocks,
        dir,
    };
    for &at in &estate.blocks {
        overwrite(&estate, at);
    }
    estate
}

fn overwrite(estate: &Estate, block: u64) {
    let mut data = [6; 4096];
    data[..8].copy_from_slice(&block.to_le_bytes());
    estate
        .store
        .write(estate.volume, block * 4096, &data)
        .unwrap();
}

fn overwrite_some(estate: &Estate, dice: &mut Dice, count: u64) {
    for _ in 0..count {
        overwrite(
            estate,
            estate.blocks[dice.roll() as usize % estate.blocks.len()],
        );
    }
}

/// The first 1,000 (5,000) writes after a snapshot, and as many where there was none.
#[divan::bench(args = [(1000, false), (1000, true), (5000, false), (5000, true)], sample_size = 1, sample_count = 50)]
fn writes_after_a_snapshot(bencher: Bencher<'_, '_>, (count, after): (u64, bool)) {
    static DENSE: OnceLock<Estate> = OnceLock::new();
    let estate = DENSE.get_or_init(|| dense(1, false));
    let (mut dice, mut warm) = (Dice(9), Dice(10));
    bencher
        .with_inputs(|| {
            for point in estate.store.points() {
                estate.store.delete_point(point.id).unwrap();
            }
            estate.store.settle().unwrap();
            estate.store.checkpoint().unwrap();
            overwrite_some(estate, &mut warm, 20_000);
            if after {
                snapshot(estate);
            }
        })
        .bench_local_values(|()| overwrite_some(estate, &mut dice, count));
}

/// 99 snapshots of 2 GiB, 5,000 random writes apart: deleted, and all their space free again.
#[divan::bench(sample_size = 1, sample_count = 3)]
fn give_back_99_snapshots(bencher: Bencher<'_, '_>) {
    let estate = dense(2, false);
    let mut dice = Dice(13);
    bencher
        .with_inputs(|| {
            let mut points = Vec::new();
            for _ in 0..99 {
                points.push(snapshot(&estate));
                overwrite_some(&estate, &mut dice, 5000);
            }
            estate.store.checkpoint().unwrap();
            points
        })
        .bench_local_values(|points| {
            for point in points {
                estate.store.delete_point(point).unwrap();
            }
            estate.store.settle().unwrap();
        });
}

#[divan::bench(args = [1, 1000, 10_000], sample_size = 1, sample_count = 5)]
fn open(bencher: Bencher<'_, '_>, snapshots: u64) {
    let estate = build((1024, snapshots));
    let dir = estate.dir.path().to_owned();
    estate.store.close().unwrap();
    let options = OpenOptions {
        background: false,
        ..OpenOptions::default()
    };
    bencher.bench_local(|| Store::open(&dir, &options).unwrap());
}
