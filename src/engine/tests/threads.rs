//! Many threads, and the background at work.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::check::check;
use super::small;
use crate::engine::core::Tuning;
use crate::engine::disk::sim::SimDisk;
use crate::engine::{Attrs, SnapshotRequest, Source, Store, VolumeId};

const SLOTS: u64 = 40;

fn one(store: &Store, source: Source, slot: u64) -> u64 {
    let mut block = [0; 4096];
    store.read(source, slot * 40960, &mut block).unwrap();
    let value = u64::from_le_bytes(block[..8].try_into().unwrap());
    assert!(
        block.chunks(8).all(|part| part == value.to_le_bytes()),
        "a torn block"
    );
    value
}

/// Writes rising numbers; each slot before the next, so that in any snapshot
/// the slots fall by one at most once.
fn write_rounds(store: &Store, volume: VolumeId, rounds: u64, stop: &AtomicBool) {
    for round in 1..=rounds {
        for slot in 0..SLOTS {
            let block: Vec<u8> = round.to_le_bytes().repeat(512);
            store.write(volume, slot * 40960, &block).unwrap();
        }
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if round % 16 == 0 {
            store.flush().unwrap();
        }
    }
}

fn is_ordered(values: &[u64]) -> bool {
    values.windows(2).all(|w| w[0] >= w[1]) && values[0] - values[values.len() - 1] <= 1
}

#[test]
fn snapshots_copies_and_deletes_go_on_under_writes() {
    let disk = Arc::new(SimDisk::new());
    let tuning = Tuning {
        background: true,
        log_limit: 64 << 10,
        dirty_limit: 32 << 10,
        ..small()
    };
    let store = Store::on_disk(disk.clone(), tuning, true).unwrap();
    let volumes: Vec<VolumeId> = (0..2)
        .map(|i| {
            store
                .create_volume(&format!("v{i}"), 8 << 20, Attrs::new())
                .unwrap()
        })
        .collect();
    let stop = AtomicBool::new(false);
    let mut kept = BTreeMap::new();
    std::thread::scope(|scope| {
        for v in &volumes {
            let (store, stop) = (&store, &stop);
            scope.spawn(move || write_rounds(store, *v, 100_000, stop));
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for v in &volumes {
                    for slot in 0..SLOTS {
                        one(&store, Source::Volume(*v), slot);
                    }
                }
            }
        });
        let mut clones = Vec::new();
        for i in 0..60u64 {
            let request = |v: &VolumeId| SnapshotRequest {
                volume: *v,
                name: format!("s{i}"),
                attrs: Attrs::new(),
            };
            let points = store
                .snapshot(&volumes.iter().map(request).collect::<Vec<_>>())
                .unwrap();
            for point in points {
                let values: Vec<u64> = (0..SLOTS)
                    .map(|slot| one(&store, Source::Point(point), slot))
                    .collect();
                assert!(is_ordered(&values), "{values:?}");
                kept.insert(point, values);
            }
            if i % 6 == 5 {
                let (point, values) = kept.iter().next().map(|(p, v)| (*p, v.clone())).unwrap();
                let clone = store.clone_volume(point, "clone", Attrs::new()).unwrap();
                store.start_copy(clone).unwrap();
                clones.push((clone, values));
            }
            if i % 2 == 1 {
                let (point, _) = kept.pop_first().unwrap();
                store.delete_point(point).unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        stop.store(true, Ordering::Relaxed);
        for (clone, values) in &clones {
            let held: Vec<u64> = (0..SLOTS)
                .map(|slot| one(&store, Source::Volume(*clone), slot))
                .collect();
            assert_eq!(&held, values);
        }
    });
    assert_eq!(store.stats().read_only, None);
    for job in store.jobs() {
        assert_eq!(job.trouble, None, "{job:?}");
    }
    store.settle().unwrap();
    check(&store);
    store.close().unwrap();
    drop(store);
    let store = super::reopen(&disk);
    check(&store);
    for (point, values) in &kept {
        let held: Vec<u64> = (0..SLOTS)
            .map(|slot| one(&store, Source::Point(*point), slot))
            .collect();
        assert_eq!(&held, values);
    }
}

#[test]
fn parts_of_one_block_written_by_many_all_arrive() {
    let disk = Arc::new(SimDisk::new());
    let store = Store::on_disk(disk, small(), true).unwrap();
    let v = store.create_volume("v", 1 << 20, Attrs::new()).unwrap();
    std::thread::scope(|scope| {
        for t in 0..4u8 {
            let store = &store;
            scope.spawn(move || {
                for i in 0..100u64 {
                    store
                        .write(v, i * 40 + u64::from(t) * 10, &[t + 1; 10])
                        .unwrap();
                }
            });
        }
    });
    let mut all = vec![0; 4000];
    store.read(Source::Volume(v), 0, &mut all).unwrap();
    assert!(
        all.iter()
            .enumerate()
            .all(|(i, byte)| usize::from(*byte) == i % 40 / 10 + 1)
    );
    check(&store);
}
