//! Disks that fail, fill up or change bits: nothing wrong is ever read, nothing
//! acknowledged is lost, nothing panics.

use std::sync::Arc;

use proptest::prelude::*;

use super::check::check;
use super::world::{Model, Op, World, compare, model_of, op};
use super::{fresh, reopen, small};
use crate::engine::disk::FileName;
use crate::engine::disk::sim::{Faults, SimDisk};
use crate::engine::{Attrs, EngineError, ExtentKind, SnapshotRequest, Source, Store};

/// Reads all of a store; what can be read must be what the model says.
fn read_what_can_be(store: &Store, model: &Model) -> (u32, u32) {
    let (mut good, mut bad) = (0, 0);
    let volumes = model
        .volumes
        .iter()
        .map(|(id, image)| (Source::Volume(*id), image));
    let points = model
        .points
        .iter()
        .map(|(id, image)| (Source::Point(*id), image));
    for (source, image) in volumes.chain(points) {
        let mut at = 0;
        while at < image.size {
            let Ok(extents) = store.extents(source, at, image.size - at) else {
                bad += 1;
                break;
            };
            for extent in &extents {
                for lba in extent.offset / 4096..(extent.offset + extent.len).min(32 << 20) / 4096 {
                    let expected = image.blocks.get(&lba);
                    if extent.kind != ExtentKind::Data {
                        assert!(
                            expected.is_none(),
                            "block {lba} of {source:?} reads as zeroes"
                        );
                        continue;
                    }
                    let mut block = vec![0; 4096];
                    match store.read(source, lba * 4096, &mut block) {
                        Ok(()) => {
                            assert_eq!(
                                Some(&block),
                                expected.map(|b| &**b),
                                "block {lba} of {source:?}"
                            );
                            good += 1;
                        }
                        Err(_) => bad += 1,
                    }
                }
            }
            at = extents.last().map_or(image.size, |e| e.offset + e.len);
        }
    }
    (good, bad)
}

/// Uses a store in every way; errors are fine, panics are not.
fn use_it(store: &Store) {
    let _ = store.settle();
    for volume in store.volumes() {
        let _ = store.write(volume.id, 8192, &[5; 5000]);
        let _ = store.discard(volume.id, 0, volume.size);
        let request = SnapshotRequest {
            volume: volume.id,
            name: "s".into(),
            attrs: Attrs::new(),
        };
        let _ = store.snapshot(&[request]);
        let _ = store.start_copy(volume.id);
    }
    for point in store.points() {
        let _ = store.clone_volume(point.id, "c", Attrs::new());
        for volume in store.volumes() {
            let _ = store.difference(Source::Point(point.id), Source::Volume(volume.id), 0, 4096);
        }
        let _ = store.delete_point(point.id);
    }
    let _ = store.settle();
    let _ = store.checkpoint();
    let _ = store.close();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_flipped_bit_is_found_or_does_no_harm(
        ops in prop::collection::vec(op(), 10..40),
        close in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 30),
    ) {
        let mut world = World::new();
        // The states that the log can end in: damage at its very end looks like a crash.
        let mut states = vec![];
        for op in &ops {
            world.run(op).unwrap();
            let lsn = world.store.core().guarded.read().state.lsn;
            states.push((lsn, world.model.clone()));
        }
        let last = world.store.core().guarded.read().state.lsn;
        if close {
            world.run(&Op::Reopen { close: true }).unwrap();
        } else {
            world.store.flush().unwrap();
        }
        let sound = world.disk.copy();
        for (file, bit) in flips {
            let files: Vec<_> = sound.files().into_iter().filter(|(_, len)| *len > 0).collect();
            let (file, len) = files[file.index(files.len())];
            let hurt = Arc::new(sound.copy());
            hurt.flip(file, bit.index(len * 8));
            match Store::on_disk(hurt, small(), false) {
                Ok(store) => {
                    let ids: (Vec<_>, Vec<_>) = (
                        store.volumes().iter().map(|v| v.id).collect(),
                        store.points().iter().map(|p| p.id).collect(),
                    );
                    // A store that has not changed is closed without a checkpoint.
                    if matches!(file, FileName::Log(_)) {
                        let lsn = store.core().guarded.read().state.lsn;
                        prop_assert!(lsn <= last);
                        if let Some((_, model)) = states.iter().rev().find(|state| state.0 == lsn) {
                            prop_assert!(&model_of(&store) == model);
                        }
                    } else {
                        prop_assert!(ids.0.iter().eq(world.model.volumes.keys()));
                        prop_assert!(ids.1.iter().eq(world.model.points.keys()));
                        read_what_can_be(&store, &world.model);
                    }
                    use_it(&store);
                }
                Err(e) => prop_assert!(matches!(e, EngineError::Damaged { .. }), "{e:?}"),
            }
        }
    }

    #[test]
    fn overwritten_and_cut_files_do_not_panic(
        ops in prop::collection::vec(op(), 10..40),
        wounds in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()), 20),
    ) {
        let mut world = World::new();
        for op in &ops {
            world.run(op).unwrap();
        }
        world.store.flush().unwrap();
        for (file, at, from, cut) in wounds {
            let hurt = Arc::new(world.disk.copy());
            let files: Vec<_> = hurt.files().into_iter().filter(|(_, len)| *len > 4096).collect();
            let (file, len) = files[file.index(files.len())];
            let at = at.index(len / 512) * 512;
            if cut {
                hurt.truncate(file, at);
            } else {
                // A sector that belongs elsewhere: a misdirected write.
                let (other, other_len) = files[from.index(files.len())];
                let sector = from.index(other_len / 512) * 512;
                let bytes = hurt.bytes(other);
                hurt.overwrite(file, at, &bytes[sector..sector + 512]);
            }
            match Store::on_disk(hurt, small(), false) {
                Ok(store) => use_it(&store),
                Err(e) => prop_assert!(matches!(e, EngineError::Damaged { .. } | EngineError::Truncated { .. }), "{e:?}"),
            }
        }
    }

    #[test]
    fn a_failing_disk_turns_the_store_read_only_and_loses_nothing(
        ops in prop::collection::vec(op(), 20..50),
        left in 0..150u64,
        syncs in any::<bool>(),
    ) {
        let mut world = World::new();
        world.run(&Op::Flush).unwrap();
        world.disk.set_faults(if syncs {
            Faults { syncs_left: Some(left), ..Faults::default() }
        } else {
            Faults { writes_left: Some(left), ..Faults::default() }
        });
        let mut states = vec![];
        for op in ops.iter().filter(|op| !matches!(op, Op::Reopen { .. })) {
            match world.run(op) {
                Ok(()) => {
                    let core = world.store.core();
                    states.push((core.guarded.read().state.lsn, world.model.clone()));
                }
                Err(e) => {
                    prop_assert!(matches!(e, EngineError::Io { .. } | EngineError::ReadOnly { .. }), "{e:?}");
                    break;
                }
            }
        }
        let durable = world.store.core().durable.load(std::sync::atomic::Ordering::SeqCst);
        let disk = Arc::new(SimDisk::of(world.disk.medium().cut(&[])));
        let store = reopen(&disk);
        let lsn = store.core().guarded.read().state.lsn;
        prop_assert!(lsn >= durable);
        if let Some((_, model)) = states.iter().find(|state| state.0 == lsn) {
            compare(&store, model);
        }
        check(&store);
    }
}

#[test]
fn a_failed_sync_is_never_taken_for_success() {
    let (disk, store) = fresh();
    let v = store.create_volume("v", 1 << 20, Attrs::new()).unwrap();
    store.write(v, 0, &[1; 4096]).unwrap();
    store.flush().unwrap();
    store.write(v, 0, &[2; 4096]).unwrap();
    disk.set_faults(Faults {
        syncs_left: Some(0),
        ..Faults::default()
    });
    assert!(matches!(store.flush(), Err(EngineError::Io { .. })));
    disk.set_faults(Faults::default());
    assert!(matches!(store.flush(), Err(EngineError::ReadOnly { .. })));
    assert!(matches!(
        store.write(v, 0, &[3]),
        Err(EngineError::ReadOnly { .. })
    ));
    assert!(store.stats().read_only.is_some());
    let mut byte = [0];
    store.read(Source::Volume(v), 0, &mut byte).unwrap();
    assert_eq!(byte, [2]);
}

#[test]
fn a_full_disk_fails_writes_and_lets_deletes_through() {
    let (disk, store) = fresh();
    let v = store.create_volume("v", 64 << 20, Attrs::new()).unwrap();
    for i in 0..64u64 {
        store.write(v, i * 65536, &[i as u8 + 1; 65536]).unwrap();
    }
    let used: usize = disk.files().iter().map(|(_, len)| *len).sum();
    disk.set_faults(Faults {
        capacity: Some(used as u64 + (256 << 10)),
        ..Faults::default()
    });
    let mut points = Vec::new();
    let mut model = std::collections::BTreeMap::new();
    let full = (0..10_000u64).find_map(|i| {
        let at = i % 64 * 65536;
        if i % 16 == 0 {
            let request = SnapshotRequest {
                volume: v,
                name: format!("{i}"),
                attrs: Attrs::new(),
            };
            match store.snapshot(&[request]) {
                Ok(ids) => points.extend(ids),
                Err(e) => return Some(e),
            }
        }
        match store.write(v, at, &[(i % 250) as u8 + 1; 4096]) {
            Ok(()) => drop(model.insert(at, (i % 250) as u8 + 1)),
            Err(e) => return Some(e),
        }
        None
    });
    assert!(matches!(full, Some(EngineError::NoSpace)), "{full:?}");
    let look = |store: &Store| {
        for (at, byte) in &model {
            let mut buf = [0; 4096];
            store.read(Source::Volume(v), *at, &mut buf).unwrap();
            assert_eq!(buf, [*byte; 4096]);
        }
    };
    look(&store);
    store.flush().unwrap();
    assert!(store.stats().read_only.is_none());
    for point in points {
        store.delete_point(point).unwrap();
    }
    store.settle().unwrap();
    check(&store);
    look(&store);
    for i in 0..32u64 {
        store.write(v, (4 << 20) + i * 4096, &[9; 4096]).unwrap();
    }
    store.flush().unwrap();
    store.close().unwrap();
    drop(store);
    let store = reopen(&disk);
    look(&store);
    check(&store);
}

#[test]
fn a_full_disk_at_any_moment_is_survived() {
    for extra in (0..600u64).map(|n| n * 2048) {
        let mut world = World::new();
        let used: usize = world.disk.files().iter().map(|(_, len)| *len).sum();
        world.disk.set_faults(Faults {
            capacity: Some(used as u64 + extra),
            ..Faults::default()
        });
        let mut whole = true;
        for i in 0..40u8 {
            let ops = [
                Op::Write {
                    v: 0,
                    spot: i % 6,
                    skip: i % 8,
                    blocks: 11,
                    fill: i | 1,
                },
                if i % 3 == 0 {
                    Op::Snapshot { v: 0, all: true }
                } else {
                    Op::Flush
                },
                if i % 7 == 6 {
                    Op::DeletePoint { p: i }
                } else {
                    Op::ReclaimSteps(1)
                },
            ];
            for op in &ops {
                match world.run(op) {
                    Ok(()) => {}
                    Err(EngineError::NoSpace) => {
                        whole &= !matches!(op, Op::Write { .. } | Op::Snapshot { .. });
                    }
                    Err(e) => panic!("{e:?} of {op:?}"),
                }
            }
        }
        check(&world.store);
        if whole {
            world.compare();
        }
        world.disk.set_faults(Faults::default());
        world.model = model_of(&world.store);
        for op in [
            Op::Flush,
            Op::Snapshot { v: 0, all: true },
            Op::Settle,
            Op::Reopen { close: true },
        ] {
            world.run(&op).unwrap();
        }
        world.compare();
        check(&world.store);
    }
}

#[test]
fn other_versions_and_strangers_are_named() {
    let (disk, store) = fresh();
    store.close().unwrap();
    drop(store);
    let open = |disk: SimDisk| Store::on_disk(Arc::new(disk), small(), false);
    let patched = |at: usize, value: u8| {
        let copy = disk.copy();
        for slot in 0..4 {
            let mut block = copy.bytes(FileName::Super);
            block.resize(4 * 4096, 0);
            let mut one = block[slot * 4096..(slot + 1) * 4096].to_vec();
            one[at] = value;
            let crc = crc32c::crc32c(&one[..4092]);
            one[4092..].copy_from_slice(&crc.to_le_bytes());
            copy.overwrite(FileName::Super, slot * 4096, &one);
        }
        copy
    };
    assert!(matches!(
        open(patched(8, 2)),
        Err(EngineError::Version { found: 2, known: 1 })
    ));
    assert!(matches!(
        open(patched(24, 4)),
        Err(EngineError::Features { bits: 4 })
    ));
    let cut = disk.copy();
    cut.truncate(FileName::Meta, 512);
    let out = open(cut);
    assert!(
        matches!(
            out,
            Err(EngineError::Truncated { .. } | EngineError::Damaged { .. })
        ),
        "{out:?}"
    );
    let strange = disk.copy();
    strange.overwrite(FileName::Super, 0, &[b'x'; 16384]);
    assert!(matches!(open(strange), Err(EngineError::Damaged { .. })));
}

#[test]
fn a_scrub_names_what_is_hurt() {
    let (disk, store) = fresh();
    let v = store.create_volume("v", 4 << 20, Attrs::new()).unwrap();
    for i in 0..20u64 {
        store.write(v, i * 40960, &[i as u8 + 1; 4096]).unwrap();
    }
    let request = SnapshotRequest {
        volume: v,
        name: "p".into(),
        attrs: Attrs::new(),
    };
    let point = store.snapshot(&[request]).unwrap()[0];
    store.write(v, 40960, &[99; 4096]).unwrap();
    store.checkpoint().unwrap();
    let mut told = 0;
    let sound = store
        .scrub(&mut |done, total| {
            told = done * 100 / total;
            true
        })
        .unwrap();
    assert_eq!(
        (sound.blocks, sound.hurt.len(), sound.complete, told),
        (21, 0, true, 100)
    );
    let data = disk.bytes(FileName::Data(0));
    let at = data
        .chunks(4096)
        .position(|block| block == [3; 4096])
        .unwrap();
    disk.flip(FileName::Data(0), at * 4096 * 8 + 77);
    let report = store.scrub(&mut |_, _| true).unwrap();
    let named: Vec<_> = report.hurt.iter().map(|h| (h.source, h.offset)).collect();
    let all = [Source::Point(point), Source::Volume(v)].map(|s| (Some(s), Some(81920)));
    assert_eq!(named, all, "{report:?}");
    let mut buf = [0; 4096];
    let read = store.read(Source::Volume(v), 81920, &mut buf);
    assert!(
        matches!(read, Err(EngineError::HurtBlock { offset: 81920, .. })),
        "{read:?}"
    );
    assert!(!store.scrub(&mut |_, _| false).unwrap().complete);
}
