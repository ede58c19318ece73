//! A fault at every point of a workload of every operation, one after the
//! other: the error reaches the caller, nothing acknowledged is lost, and the
//! store works again once the fault is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::check::check;
use super::crash::workload;
use super::world::{Model, Op, World, compare, model_of};
use super::{reopen, small};
use crate::engine::core::Tuning;
use crate::engine::disk::sim::{Counts, Faults, SimDisk};
use crate::engine::{EngineError, Store};

/// Every operation, most of them more than once, with checkpoints and log segments between.
fn story() -> Vec<Op> {
    let write = |v, spot, blocks, fill| Op::Write {
        v,
        spot,
        skip: fill % 7,
        blocks,
        fill,
    };
    let snapshot = |v, all| Op::Snapshot { v, all };
    vec![
        write(0, 0, 11, 1),
        Op::Create,
        write(1, 1, 5, 3),
        snapshot(0, true),
        Op::WritePart {
            v: 0,
            spot: 0,
            offset: 700,
            len: 9000,
            fill: 5,
        },
        Op::Flush,
        write(0, 2, 9, 7),
        Op::Checkpoint,
        Op::Clone { p: 0 },
        write(2, 0, 6, 9),
        Op::Zeroes {
            v: 0,
            spot: 0,
            offset: 100,
            len: 9000,
        },
        Op::StartCopy { v: 2 },
        Op::CopySteps(1),
        Op::PauseCopy(true),
        Op::PauseCopy(false),
        snapshot(1, false),
        Op::CopySteps(2),
        write(0, 4, 11, 11),
        Op::Discard {
            v: 0,
            spot: 0,
            skip: 2,
            blocks: 300,
        },
        Op::Rename { v: 1, p: 1 },
        Op::Restore {
            v: 0,
            p: 0,
            keep: true,
        },
        write(0, 5, 11, 13),
        Op::Restore {
            v: 1,
            p: 2,
            keep: false,
        },
        Op::ReclaimSteps(2),
        Op::Flush,
        Op::StartCopy { v: 0 },
        Op::CancelCopy,
        Op::Resize { v: 0, size: 3 },
        Op::Resize { v: 0, size: 200 },
        write(0, 0, 11, 15),
        snapshot(0, true),
        write(0, 0, 11, 17),
        snapshot(0, true),
        Op::RestoreAll { p: 1, keep: true },
        Op::DeletePoints { p: 2, count: 3 },
        Op::ReclaimSteps(3),
        Op::Checkpoint,
        Op::Trim,
        write(1, 3, 11, 19),
        Op::DeletePoint { p: 1 },
        Op::DeleteVolume {
            v: 1,
            cascade: true,
        },
        Op::Settle,
        Op::Create,
        write(1, 0, 11, 21),
        Op::Flush,
        write(0, 1, 11, 23),
        Op::Settle,
        Op::Checkpoint,
    ]
}

/// The story of every operation, and some that dice have told.
fn stories() -> Vec<Vec<Op>> {
    let dice = (1..=30).map(|seed| {
        let mut ops = workload(seed);
        ops.retain(|op| !matches!(op, Op::Reopen { .. }));
        // What is clean has to be read again.
        let now_and_then = |(i, op)| match i % 4 {
            3 => vec![op, Op::Checkpoint],
            _ => vec![op],
        };
        ops.into_iter().enumerate().flat_map(now_and_then).collect()
    });
    [story()].into_iter().chain(dice).collect()
}

/// Blocks are scarce, so that the files grow often; so is memory, so that pages are read.
fn tight() -> Tuning {
    Tuning {
        grow_blocks: 4,
        grow_meta: 8 << 10,
        cache_bytes: 0,
        ..small()
    }
}

/// What is asked of the disk by the whole workload.
fn counts(story: &[Op]) -> Counts {
    let mut world = World::tuned(tight());
    let before = world.disk.counts();
    for op in story {
        world.run(op).unwrap();
    }
    let after = world.disk.counts();
    Counts {
        reads: after.reads - before.reads,
        writes: after.writes - before.writes,
        syncs: after.syncs - before.syncs,
        growths: after.growths - before.growths,
    }
}

/// Calls `f` with each number below `n`, on all cores.
pub(super) fn each(n: u64, f: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= n {
                        break;
                    }
                    f(i);
                }
            });
        }
    });
}

/// After an operation failed: what it is not about is what it was.
fn untouched(store: &Store, before: &Model, op: &Op) -> Model {
    let held = model_of(store);
    let deletes = matches!(
        op,
        Op::DeletePoint { .. } | Op::DeletePoints { .. } | Op::DeleteVolume { .. }
    );
    for (id, image) in &before.points {
        match held.points.get(id) {
            Some(now) if matches!(op, Op::Rename { .. }) => assert!(now.blocks == image.blocks),
            Some(now) => assert!(now == image, "snapshot {id} has changed at {op:?}"),
            None => assert!(deletes, "snapshot {id} is gone at {op:?}"),
        }
    }
    let about_data = matches!(
        op,
        Op::Write { .. }
            | Op::WritePart { .. }
            | Op::Discard { .. }
            | Op::Zeroes { .. }
            | Op::Resize { .. }
            | Op::Restore { .. }
            | Op::RestoreAll { .. }
    );
    for (id, image) in &before.volumes {
        match held.volumes.get(id) {
            Some(now) => assert!(
                about_data || now.blocks == image.blocks,
                "volume {id} has changed at {op:?}"
            ),
            None => assert!(deletes, "volume {id} is gone at {op:?}"),
        }
    }
    held
}

/// A store whose disk failed for good: what was durable is there after a restart.
fn after_the_end(world: &World, states: &[(u64, Model)]) {
    let durable = world.store.core().durable.load(Ordering::SeqCst);
    let medium = world.disk.medium();
    let sides = [medium.cut(&[]), medium.seen()];
    for files in sides {
        let store = reopen(&Arc::new(SimDisk::of(files)));
        let lsn = store.core().guarded.read().state.lsn;
        assert!(
            lsn >= durable,
            "record {lsn} is the last, {durable} was durable"
        );
        if let Some((_, model)) = states.iter().find(|state| state.0 == lsn) {
            compare(&store, model);
        }
        check(&store);
    }
}

/// Runs the workload with a fault. True if someone was told of it.
fn with_fault(story: &[Op], faults: &Faults, lifted: bool) -> bool {
    let mut world = World::tuned(tight());
    world.disk.set_faults(faults.clone());
    let mut states: Vec<(u64, Model)> = vec![];
    let mut told = false;
    for op in story {
        let before = world.model.clone();
        match world.run(op) {
            Ok(()) => {
                let lsn = world.store.core().guarded.read().state.lsn;
                states.push((lsn, world.model.clone()));
            }
            Err(e) => {
                told = true;
                if lifted {
                    world.disk.set_faults(Faults::default());
                }
                if world.store.stats().read_only.is_some() {
                    assert!(
                        matches!(e, EngineError::Io { .. } | EngineError::ReadOnly { .. }),
                        "{e:?}"
                    );
                    let stays = world.store.flush();
                    assert!(
                        matches!(stays, Err(EngineError::ReadOnly { .. })),
                        "{stays:?}"
                    );
                    after_the_end(&world, &states);
                    return true;
                }
                world.disk.set_faults(Faults::default());
                world.model = untouched(&world.store, &before, op);
                check(&world.store);
                // Once the fault is gone, the same succeeds.
                if lifted {
                    world.run(op).unwrap_or_else(|again| {
                        panic!("{op:?} failed with {e}, then with {again}")
                    });
                } else {
                    let mut faults = faults.clone();
                    faults.growths_left = Some(0);
                    world.disk.set_faults(faults);
                }
                states.clear();
            }
        }
    }
    world.disk.set_faults(Faults::default());
    if world.store.stats().read_only.is_some() {
        after_the_end(&world, &states);
        return true;
    }
    for op in [
        Op::Flush,
        Op::Snapshot { v: 0, all: true },
        Op::Settle,
        Op::Reopen { close: true },
    ] {
        world
            .run(&op)
            .unwrap_or_else(|e| panic!("{op:?} at the end: {e}"));
    }
    world.compare();
    check(&world.store);
    told
}

/// Runs each story with the fault at each of its points. Returns how many points
/// there are, and at how many of them someone was told.
fn everywhere(
    points: impl Fn(&Counts) -> u64,
    faults: impl Fn(u64) -> Faults + Sync,
    lifted: bool,
) -> (u64, u64) {
    let told = AtomicU64::new(0);
    let mut all = 0;
    for story in stories() {
        let points = points(&counts(&story));
        all += points;
        each(points, |i| {
            let one = with_fault(&story, &faults(i), lifted);
            told.fetch_add(u64::from(one), Ordering::Relaxed);
        });
    }
    (all, told.into_inner())
}

#[test]
fn a_write_that_fails_at_any_point() {
    for once in [true, false] {
        let faults = |i| Faults {
            writes_left: Some(i),
            once,
            ..Faults::default()
        };
        let (points, told) = everywhere(|counts| counts.writes, faults, true);
        assert!(told > points / 2, "{told} of {points} were told");
    }
}

#[test]
fn a_sync_that_fails_at_any_point() {
    let faults = |i| Faults {
        syncs_left: Some(i),
        once: true,
        ..Faults::default()
    };
    let (points, told) = everywhere(|counts| counts.syncs, faults, true);
    // Each is told: none may be taken for success.
    assert_eq!(told, points);
}

#[test]
fn a_read_that_fails_at_any_point() {
    let faults = |i| Faults {
        reads_left: Some(i),
        once: true,
        ..Faults::default()
    };
    let (points, told) = everywhere(|counts| counts.reads, faults, true);
    assert!(
        told > points / 4 && points > 600,
        "{told} of {points} were told"
    );
}

#[test]
fn a_disk_that_is_full_from_any_point_on() {
    let faults = |i| Faults {
        growths_left: Some(i),
        ..Faults::default()
    };
    for lifted in [true, false] {
        let (points, told) = everywhere(|counts| counts.growths, faults, lifted);
        assert!(told > points / 2, "{told} of {points} were told");
    }
}

#[test]
fn a_fault_at_any_point_of_opening() {
    let mut world = World::tuned(tight());
    for op in &story()[..34] {
        world.run(op).unwrap();
    }
    // A little that is in the log only.
    let little = Op::Write {
        v: 0,
        spot: 1,
        skip: 0,
        blocks: 2,
        fill: 99,
    };
    for op in [
        Op::Snapshot { v: 0, all: true },
        Op::Flush,
        little,
        Op::Flush,
    ] {
        world.run(&op).unwrap();
    }
    let crashed = || SimDisk::of(world.disk.medium().cut(&[]));
    let disk = Arc::new(crashed());
    drop(reopen(&disk));
    let counts = disk.counts();
    assert!(counts.writes > 0 && counts.syncs > 2, "{counts:?}");
    type Kind = (u64, fn(u64) -> Faults);
    let kinds: [Kind; 3] = [
        (counts.reads, |i| Faults {
            reads_left: Some(i),
            ..Faults::default()
        }),
        (counts.writes, |i| Faults {
            writes_left: Some(i),
            ..Faults::default()
        }),
        (counts.syncs, |i| Faults {
            syncs_left: Some(i),
            ..Faults::default()
        }),
    ];
    let mut refused = 0;
    for (points, faults) in kinds {
        for i in 0..points {
            let disk = Arc::new(crashed());
            disk.set_faults(faults(i));
            match Store::on_disk(disk.clone(), small(), false) {
                Ok(store) => drop(store),
                Err(EngineError::Io { .. }) => refused += 1,
                Err(e) => panic!("{e}"),
            }
            disk.set_faults(Faults::default());
            let store = reopen(&disk);
            compare(&store, &world.model);
            check(&store);
        }
    }
    assert!(refused > counts.reads / 2, "{refused} of {counts:?}");
}
