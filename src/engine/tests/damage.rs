//! Damage of every kind: found, named, put right where there is a second copy, and never
//! taken for what was written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::check::check;
use super::crash::workload;
use super::points::each;
use super::world::{Model, Op, World, compare, model_of};
use super::{fresh, reopen, small};
use crate::engine::disk::FileName;
use crate::engine::disk::sim::{SimDisk, fingerprint};
use crate::engine::{
    Attrs, EngineError, Hurt, PointId, ScrubReport, SnapshotRequest, Source, Store, VolumeId,
};

const MIB: u64 = 1 << 20;

fn scrub(store: &Store) -> ScrubReport {
    let report = store.scrub(&mut |_, _| true).unwrap();
    assert!(report.complete);
    report
}

fn repair(store: &Store) -> ScrubReport {
    let report = store.repair(&mut |_, _| true).unwrap();
    assert!(report.complete);
    report
}

fn snap(store: &Store, volume: VolumeId) -> PointId {
    let request = SnapshotRequest {
        volume,
        name: "p".into(),
        attrs: Attrs::new(),
    };
    store.snapshot(&[request]).unwrap()[0]
}

/// A store with a volume of several inner pages, and a snapshot of it.
fn shared() -> (Arc<SimDisk>, Store, VolumeId, PointId) {
    let (disk, store) = fresh();
    let v = store.create_volume("v", 200 * MIB, Attrs::new()).unwrap();
    for i in 0..200 {
        store.write(v, i * MIB, &[i as u8 + 1; 4096]).unwrap();
    }
    let p = snap(&store, v);
    store.write(v, 0, &[99; 4096]).unwrap();
    store.checkpoint().unwrap();
    (disk, store, v, p)
}

fn zero(disk: &SimDisk, file: FileName, at: u64, len: u64) {
    disk.overwrite(file, at as usize, &vec![0; len as usize]);
}

#[test]
fn a_hurt_mapping_page_costs_what_it_maps_and_nothing_beside_it() {
    let (disk, store, v, p) = shared();
    let leaf = {
        let core = store.core();
        let guarded = core.guarded.read();
        let node = guarded.state.catalog.node_of(Source::Point(p)).unwrap();
        let page = node.tree.leaf(&core.pages, 77).unwrap().unwrap();
        *page.disk.get().unwrap()
    };
    zero(&disk, FileName::Meta, leaf.addr * 512, leaf.sectors() * 512);
    let report = scrub(&store);
    let named: Vec<_> = report
        .hurt
        .iter()
        .map(|h| (h.source, h.offset, h.len))
        .collect();
    let lost = (Some(77 * MIB), MIB);
    let all = [Source::Point(p), Source::Volume(v)].map(|s| (Some(s), lost.0, lost.1));
    assert_eq!(named, all, "{report:?}");
    // All others were looked at.
    assert_eq!(report.blocks, 200);
    let mut buf = [0; 4096];
    let read = store.read(Source::Volume(v), 77 * MIB, &mut buf);
    assert!(matches!(read, Err(EngineError::Damaged { .. })), "{read:?}");
    store.read(Source::Volume(v), 78 * MIB, &mut buf).unwrap();
    assert_eq!(buf, [79; 4096]);
    // What nobody can put right stays named, and nothing is given up that may be in use.
    let before = store.stats().data_bytes;
    let report = repair(&store);
    assert!(report.hurt.iter().any(|hurt| !hurt.repaired));
    assert_eq!(store.stats().data_bytes, before);
}

#[test]
fn one_hurt_copy_of_two_is_read_around_and_written_anew() {
    let (disk, store, v, _) = shared();
    let root = {
        let core = store.core();
        let guarded = core.guarded.read();
        let node = guarded.state.catalog.node_of(Source::Volume(v)).unwrap();
        node.tree.root.as_ref().unwrap().disk().unwrap()
    };
    let fixed = store.core().checkpoints.lock().root.unwrap();
    drop(store);
    for r in [root, fixed] {
        for sector in r.copies() {
            let hurt = Arc::new(disk.copy());
            zero(
                &hurt,
                FileName::Meta,
                sector * 512,
                u64::from(r.len).min(512),
            );
            let store = reopen(&hurt);
            let mut buf = [0; 4096];
            store.read(Source::Volume(v), 5 * MIB, &mut buf).unwrap();
            assert_eq!(buf, [6; 4096]);
            let report = scrub(&store);
            assert_eq!(report.hurt.len(), 1, "{report:?}");
            let report = repair(&store);
            assert!(report.hurt.iter().all(|hurt| hurt.repaired), "{report:?}");
            assert_eq!(scrub(&store).hurt, []);
            drop(store);
            let store = reopen(&hurt);
            assert_eq!(scrub(&store).hurt, []);
            check(&store);
        }
    }
}

#[test]
fn copies_of_the_superblock_are_written_anew() {
    let (disk, store, ..) = shared();
    for hurt in 1..15_usize {
        let disk = Arc::new(disk.copy());
        let store = reopen(&disk);
        for copy in (0..4).filter(|copy| hurt >> copy & 1 == 1) {
            disk.flip(FileName::Super, copy * 4096 * 8 + 800);
        }
        let found = scrub(&store).hurt;
        assert!(found.iter().all(|h| h.of == "the superblock") && !found.is_empty());
        assert!(repair(&store).hurt.iter().all(|h| h.repaired));
        assert_eq!(scrub(&store).hurt, []);
        drop(store);
        check(&reopen(&disk));
    }
    drop(store);
}

#[test]
fn a_hurt_log_is_found_while_the_store_still_knows_what_was_in_it() {
    let (disk, store, v, _) = shared();
    store.write(v, 3 * MIB, &[1; 4096]).unwrap();
    store.flush().unwrap();
    store.write(v, 4 * MIB, &[2; 4096]).unwrap();
    store.flush().unwrap();
    let log = store.core().log.lock().head();
    disk.flip(
        FileName::Log(log.slot),
        (log.offset as usize - 8192) * 8 + 777,
    );
    let found = scrub(&store).hurt;
    assert!(found.len() == 1 && found[0].of == "the log", "{found:?}");
    let model = model_of(&store);
    assert!(repair(&store).hurt.iter().all(|h| h.repaired));
    assert_eq!(scrub(&store).hurt, []);
    drop(store);
    compare(&reopen(&disk), &model);
}

#[test]
fn a_hurt_block_is_restored_from_the_log_if_it_is_there() {
    let (disk, store, v, _) = shared();
    store.write(v, 3 * MIB, &[0xfa; 4096]).unwrap();
    store.flush().unwrap();
    let at = disk
        .bytes(FileName::Data(0))
        .chunks(4096)
        .position(|b| b == [0xfa; 4096]);
    disk.flip(FileName::Data(0), at.unwrap() * 4096 * 8 + 5);
    let found = scrub(&store).hurt;
    let expected = (Some(Source::Volume(v)), Some(3 * MIB), 4096);
    assert_eq!((found[0].source, found[0].offset, found[0].len), expected);
    let found = repair(&store).hurt;
    assert!(found.len() == 1 && found[0].repaired, "{found:?}");
    assert_eq!(scrub(&store).hurt, []);
    let mut buf = [0; 4096];
    store.read(Source::Volume(v), 3 * MIB, &mut buf).unwrap();
    assert_eq!(buf, [0xfa; 4096]);
}

#[test]
fn leaked_space_and_wrong_maps_and_counters_are_found_and_put_right() {
    let (disk, store, v, p) = shared();
    let core = store.core();
    let used = store.stats().data_bytes;
    let runs = core.space.lock().take(&core.pages, 5).unwrap();
    for run in &runs {
        for block in run.start..run.start + run.len {
            core.space.lock().set(block);
        }
    }
    {
        let mut guarded = core.guarded.write();
        let id = guarded.state.catalog.node_of(Source::Point(p)).unwrap().id;
        let node = guarded.state.catalog.node_mut(id).unwrap();
        node.written += 3;
        node.exclusive.set(44);
    }
    store.checkpoint().unwrap();
    assert_eq!(store.stats().data_bytes, used + 5 * 4096);
    let named = |report: &ScrubReport| -> Vec<String> {
        report
            .hurt
            .iter()
            .map(|hurt| format!("{}: {}", hurt.of, hurt.what))
            .collect()
    };
    let found = named(&scrub(&store));
    assert!(
        found.len() == 2 && found[0].contains("20480 bytes are marked as used"),
        "{found:?}"
    );
    assert!(found[1].contains("counters"), "{found:?}");
    assert!(repair(&store).hurt.iter().all(|hurt| hurt.repaired));
    assert_eq!(scrub(&store).hurt, []);
    assert_eq!(store.stats().data_bytes, used);
    check(&store);
    store.write(v, 9 * MIB, &[7; 40960]).unwrap();
    store.flush().unwrap();
    drop(store);
    let store = reopen(&disk);
    check(&store);
    assert_eq!(scrub(&store).hurt, []);
}

/// Both copies of each page that is in no tree, one after the other.
#[test]
fn what_is_held_in_memory_is_written_anew() {
    let (disk, store, v, _) = shared();
    store.start_copy(v).unwrap();
    store.checkpoint().unwrap();
    let model = model_of(&store);
    let core = store.core();
    let refs = {
        let checkpoints = core.checkpoints.lock();
        let space = core.space.lock();
        let mut refs: Vec<_> = checkpoints.chunks.values().copied().collect();
        refs.extend(checkpoints.root);
        refs.extend(checkpoints.jobs);
        for map in [&*space, &checkpoints.meta] {
            refs.extend(map.tables.iter().flatten());
            refs.extend(map.pages.iter().filter_map(|page| page.disk));
        }
        refs
    };
    assert!(refs.len() >= 7);
    for r in refs {
        let disk = Arc::new(disk.copy());
        let store = reopen(&disk);
        zero(&disk, FileName::Meta, r.addr * 512, r.sectors() * 512);
        let found = scrub(&store).hurt;
        assert!(
            found.iter().any(|h| h.what.contains("both copies")),
            "{found:?}"
        );
        let found = repair(&store).hurt;
        assert!(found.iter().all(|h| h.repaired), "{found:?}");
        assert_eq!(scrub(&store).hurt, []);
        check(&store);
        drop(store);
        let store = reopen(&disk);
        compare(&store, &model);
        check(&store);
        assert_eq!(scrub(&store).hurt, []);
    }
}

/// Whether a store still holds what the model says, as far as it can be read.
fn right_or_refused(store: &Store, models: &[(u64, Model)], last: u64) {
    let lsn = store.core().guarded.read().state.lsn;
    assert!(lsn <= last, "records that never were");
    let Some((_, model)) = models.iter().rev().find(|model| model.0 == lsn) else {
        return;
    };
    let volumes = model
        .volumes
        .iter()
        .map(|(id, image)| (Source::Volume(*id), image));
    let points = model
        .points
        .iter()
        .map(|(id, image)| (Source::Point(*id), image));
    for (source, image) in volumes.chain(points) {
        for spot in [0, 3, 250, 510, 16380, 24570_u64] {
            for lba in (spot..spot + 20).filter(|lba| (lba + 1) * 4096 <= image.size) {
                let mut buf = vec![0xee; 4096];
                if store.read(source, lba * 4096, &mut buf).is_ok() {
                    let zeroes = vec![0; 4096];
                    let expected = image.blocks.get(&lba).map_or(&zeroes, |b| &**b);
                    assert!(&buf == expected, "block {lba} of {source:?} is wrong");
                }
            }
        }
    }
}

/// A store with a history, its models, and the number of its last record.
type History = (Arc<SimDisk>, Vec<(u64, Model)>, u64);

fn histories(count: u64) -> Vec<History> {
    let history = |seed| {
        let mut world = World::new();
        let mut models = Vec::new();
        for op in workload(seed) {
            world.run(&op).unwrap();
            let lsn = world.store.core().guarded.read().state.lsn;
            models.push((lsn, world.model.clone()));
        }
        world.run(&Op::Flush).unwrap();
        let lsn = world.store.core().guarded.read().state.lsn;
        models.push((lsn, world.model.clone()));
        if seed % 2 == 0 {
            world.run(&Op::Reopen { close: true }).unwrap();
        }
        (Arc::new(world.disk.copy()), models, lsn)
    };
    (1..=count).map(history).collect()
}

/// Wounds; `SNAPDECK_WOUNDS` asks for more or fewer.
fn wounds() -> u64 {
    let asked = std::env::var("SNAPDECK_WOUNDS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(20_000)
}

#[test]
fn no_wound_gives_wrong_bytes() {
    let histories = histories(12);
    let (opened, saved) = (AtomicU64::new(0), AtomicU64::new(0));
    each(wounds(), |i| {
        let mut dice = (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut roll = || {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            (dice >> 3) as usize
        };
        let (disk, models, last) = &histories[i as usize % histories.len()];
        let hurt = Arc::new(disk.copy());
        for _ in 0..roll() % 3 + 1 {
            let files: Vec<_> = hurt.files().into_iter().filter(|f| f.1 > 0).collect();
            let (file, len) = files[roll() % files.len()];
            let at = roll() % len;
            let many = (1 << (roll() % 14)).min(len - at);
            match roll() % 4 {
                0 => hurt.flip(file, at * 8 + roll() % 8),
                1 => hurt.overwrite(file, at, &vec![0; many]),
                2 => {
                    let garbage: Vec<u8> = (0..many).map(|_| roll() as u8).collect();
                    hurt.overwrite(file, at, &garbage);
                }
                // What belongs elsewhere.
                _ => {
                    let (other, len) = files[roll() % files.len()];
                    let bytes = hurt.bytes(other);
                    let from = roll() % len / 512 * 512;
                    let end = (from + many).min(len);
                    let at =
                        (at / 512 * 512).min(hurt.bytes(file).len().saturating_sub(end - from));
                    hurt.overwrite(file, at, &bytes[from..end]);
                }
            }
        }
        match Store::on_disk(hurt.clone(), small(), false) {
            Ok(store) => {
                opened.fetch_add(1, Ordering::Relaxed);
                right_or_refused(&store, models, *last);
                scrub(&store);
                let _ = store.repair(&mut |_, _| true);
                right_or_refused(&store, models, *last);
            }
            Err(EngineError::Damaged { .. }) => {
                if let Ok(store) = Store::salvaged(hurt.clone(), small()) {
                    saved.fetch_add(1, Ordering::Relaxed);
                    right_or_refused(&store, models, *last);
                    scrub(&store);
                }
            }
            Err(e) => panic!("{e:?}"),
        }
    });
    assert!(opened.into_inner() > wounds() / 4);
    assert!(saved.into_inner() > wounds() / 100);
}

/// Every byte of the superblocks, the headers of the log, and the first pages.
#[test]
fn no_flip_in_the_first_bytes_of_a_file_goes_unnoticed() {
    let histories = histories(1);
    let (disk, models, last) = &histories[0];
    let mut places = Vec::new();
    for (file, len) in disk.files() {
        let first = match file {
            FileName::Super | FileName::Meta => 16 << 10,
            FileName::Log(_) => 4096 + 256,
            FileName::Data(_) => 64,
        };
        places.extend((0..len.min(first)).map(|at| (file, at)));
    }
    each(places.len() as u64, |i| {
        let (file, at) = places[i as usize];
        let hurt = Arc::new(disk.copy());
        hurt.flip(file, at * 8 + at % 8);
        match Store::on_disk(hurt, small(), false) {
            Ok(store) => {
                if i % 16 == 0 {
                    right_or_refused(&store, models, *last);
                }
            }
            Err(EngineError::Damaged { .. }) => {}
            Err(e) => panic!("{e:?}"),
        }
    });
}

#[test]
fn hurt_is_told_in_stretches() {
    let (disk, store) = fresh();
    let v = store.create_volume("v", MIB, Attrs::new()).unwrap();
    store.write(v, 8192, &[3; 40960]).unwrap();
    store.checkpoint().unwrap();
    let len = disk.bytes(FileName::Data(0)).len();
    zero(&disk, FileName::Data(0), 0, len as u64);
    let hurt = scrub(&store).hurt;
    let expected = Hurt {
        of: format!("volume v ({v})"),
        source: Some(Source::Volume(v)),
        offset: Some(8192),
        len: 40960,
        what: "its content does not match its checksum".into(),
        repaired: false,
    };
    assert_eq!(hurt, [expected]);
}

#[test]
fn what_is_left_of_a_log_with_a_hole_can_be_read_when_asked_for() {
    let (disk, store, v, p) = shared();
    let mut ends = Vec::new();
    for i in 0..5u8 {
        store
            .write(v, u64::from(i) * MIB, &[i + 230; 4096])
            .unwrap();
        store.flush().unwrap();
        ends.push(store.core().log.lock().head());
    }
    let hurt = Arc::new(SimDisk::of(disk.medium().seen()));
    // The third of them.
    let at = ends[1];
    hurt.flip(FileName::Log(at.slot), at.offset as usize * 8 + 4000);
    let refused = Store::on_disk(hurt.clone(), small(), false);
    assert!(
        matches!(refused, Err(EngineError::Damaged { .. })),
        "{refused:?}"
    );
    let before = hurt.medium().seen();
    let saved = Store::salvaged(hurt.clone(), small()).unwrap();
    let said = saved.stats().read_only.unwrap();
    assert!(
        said.contains("log") && said.contains("later records"),
        "{said}"
    );
    let mut buf = [0; 4096];
    for (i, expected) in [230, 231, 3, 4, 5].into_iter().enumerate() {
        saved
            .read(Source::Volume(v), i as u64 * MIB, &mut buf)
            .unwrap();
        assert_eq!(buf, [expected; 4096], "{i}");
    }
    saved.read(Source::Point(p), 0, &mut buf).unwrap();
    assert_eq!(buf, [1; 4096]);
    let refused = saved.write(v, 0, &[1; 4096]);
    assert!(
        matches!(refused, Err(EngineError::ReadOnly { .. })),
        "{refused:?}"
    );
    let refused = saved.repair(&mut |_, _| true);
    assert!(matches!(refused, Err(EngineError::ReadOnly { .. })));
    scrub(&saved);
    saved.close().unwrap();
    drop(saved);
    assert_eq!(fingerprint(&before), fingerprint(&hurt.medium().seen()));
}

#[test]
fn a_store_whose_newest_checkpoint_is_gone_is_saved_from_the_one_before() {
    let (disk, store, v, _) = shared();
    let root = store.core().checkpoints.lock().root.unwrap();
    store.close().unwrap();
    zero(&disk, FileName::Meta, root.addr * 512, root.sectors() * 512);
    let refused = Store::on_disk(disk.clone(), small(), false);
    assert!(
        matches!(refused, Err(EngineError::Damaged { .. })),
        "{refused:?}"
    );
    let saved = Store::salvaged(disk, small()).unwrap();
    assert!(saved.stats().read_only.unwrap().contains("the one before"));
    let mut buf = [0; 4096];
    // It may be older, and parts of it may be gone; what is read is right.
    for i in 1..200 {
        if saved.volume(v).is_ok() && saved.read(Source::Volume(v), i * MIB, &mut buf).is_ok() {
            assert!(buf == [i as u8 + 1; 4096] || buf == [0; 4096], "{i}");
        }
    }
}

#[test]
fn damage_to_the_last_records_is_told_from_a_crash_once_the_log_is_sealed() {
    for sealed in [false, true] {
        let (disk, store) = fresh();
        let v = store.create_volume("v", MIB, Attrs::new()).unwrap();
        store.checkpoint().unwrap();
        store.write(v, 0, &[1; 4096]).unwrap();
        store.flush().unwrap();
        let (slot, at) = {
            let log = store.core().log.lock();
            (log.head().slot, log.head().offset)
        };
        store.write(v, 0, &[2; 4096]).unwrap();
        store.flush().unwrap();
        if sealed {
            store.core().seal_log().unwrap();
            let after = store.core().log.lock().head().offset;
            // One is enough.
            store.core().seal_log().unwrap();
            assert_eq!(store.core().log.lock().head().offset, after);
        }
        let (image, whole) = (Arc::new(disk.copy()), Arc::new(disk.copy()));
        image.flip(FileName::Log(slot), (at as usize + 100) * 8);
        match Store::on_disk(image, small(), false) {
            Err(EngineError::Damaged { what, .. }) => {
                assert!(sealed, "{what}");
                assert!(what.contains("later records"), "{what}");
            }
            Err(other) => panic!("{other}"),
            Ok(store) => {
                assert!(!sealed);
                let mut byte = [0];
                store.read(Source::Volume(v), 0, &mut byte).unwrap();
                assert_eq!(byte, [1]);
            }
        }
        // Not hurt, it opens with all that was flushed, sealed or not.
        let store = reopen(&whole);
        let mut byte = [0];
        store.read(Source::Volume(v), 0, &mut byte).unwrap();
        assert_eq!(byte, [2]);
        check(&store);
    }
}
