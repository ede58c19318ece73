//! Each operation once, by hand.

use super::check::check;
use super::{fresh, reopen};
use crate::engine::{
    Attrs, EngineError, ExtentKind, OpenOptions, PointId, SnapshotRequest, Source, Store, VolumeId,
};

const MIB: u64 = 1 << 20;

pub(super) fn snap(store: &Store, volume: VolumeId, name: &str) -> PointId {
    store
        .snapshot(&[SnapshotRequest {
            volume,
            name: name.into(),
            attrs: Attrs::new(),
        }])
        .unwrap()[0]
}

pub(super) fn get(store: &Store, source: Source, offset: u64, len: usize) -> Vec<u8> {
    let mut buf = vec![0xee; len];
    store.read(source, offset, &mut buf).unwrap();
    buf
}

#[test]
fn a_volume_keeps_what_is_written_through_a_reopen() {
    let (disk, store) = fresh();
    let v = store.create_volume("v", 4 * MIB, Attrs::new()).unwrap();
    store.write(v, 4096, &[7; 8192]).unwrap();
    store.write(v, 2 * MIB - 100, &[9; 300]).unwrap();
    store.flush().unwrap();
    check(&store);
    let look = |store: &Store| {
        assert_eq!(get(store, Source::Volume(v), 4096, 8192), vec![7; 8192]);
        assert_eq!(get(store, Source::Volume(v), 0, 4096), vec![0; 4096]);
        let edge = get(store, Source::Volume(v), 2 * MIB - 101, 302);
        assert_eq!((edge[0], edge[1], edge[300], edge[301]), (0, 9, 9, 0));
    };
    look(&store);
    // From the log alone: the first handle has written no checkpoint.
    let copy = std::sync::Arc::new(disk.copy());
    let again = reopen(&copy);
    look(&again);
    check(&again);
    store.close().unwrap();
    drop(store);
    let again = reopen(&disk);
    look(&again);
    check(&again);
}

#[test]
fn snapshots_keep_their_moment_and_restore_makes_siblings() {
    let (disk, store) = fresh();
    let v = store.create_volume("v", 4 * MIB, Attrs::new()).unwrap();
    store.write(v, 0, &[1; 4096]).unwrap();
    let one = snap(&store, v, "one");
    store.write(v, 0, &[2; 4096]).unwrap();
    let two = snap(&store, v, "two");
    store.write(v, 0, &[3; 4096]).unwrap();
    let guard = store
        .restore(v, one, Some(("guard".into(), Attrs::new())), None)
        .unwrap()
        .unwrap();
    store.checkpoint().unwrap();
    check(&store);
    let three = snap(&store, v, "three");
    let at = |store: &Store, source| get(store, source, 0, 1)[0];
    let look = |store: &Store| {
        assert_eq!(at(store, Source::Point(one)), 1);
        assert_eq!(at(store, Source::Point(two)), 2);
        assert_eq!(at(store, Source::Point(guard)), 3);
        assert_eq!(at(store, Source::Volume(v)), 1);
        let parent = |id| store.point(id).unwrap().parent;
        assert_eq!(
            (parent(one), parent(two), parent(guard), parent(three)),
            (None, Some(one), Some(two), Some(one))
        );
        assert_eq!(store.volume(v).unwrap().parent, Some(three));
        assert_eq!(store.points_of(v).unwrap().len(), 4);
    };
    look(&store);
    let copy = std::sync::Arc::new(disk.copy());
    look(&reopen(&copy));
    store.delete_point(one).unwrap();
    store.settle().unwrap();
    check(&store);
    assert_eq!(at(&store, Source::Point(two)), 2);
    store.delete_point(guard).unwrap();
    store.settle().unwrap();
    check(&store);
    assert_eq!(at(&store, Source::Volume(v)), 1);
    store.delete_volume(v, true).unwrap();
    store.settle().unwrap();
    check(&store);
    assert_eq!(store.stats().data_bytes, 0);
}

#[test]
fn a_clone_shares_until_it_is_copied() {
    let (_, store) = fresh();
    let v = store.create_volume("v", 8 * MIB, Attrs::new()).unwrap();
    for i in 0..100u64 {
        store
            .write(v, i * 81920 / 4096 * 4096, &[i as u8 + 1; 4096])
            .unwrap();
    }
    let point = snap(&store, v, "p");
    let clone = store.clone_volume(point, "c", Attrs::new()).unwrap();
    assert_eq!(store.point(point).unwrap().clones, vec![clone]);
    let before = store.stats().data_bytes;
    store.start_copy(clone).unwrap();
    assert!(matches!(
        store.start_copy(clone),
        Err(EngineError::CopyRunning { .. })
    ));
    assert_eq!(store.jobs().len(), 1);
    store.write(clone, 0, &[200; 4096]).unwrap();
    check(&store);
    store.settle().unwrap();
    check(&store);
    assert!(store.jobs().is_empty());
    assert_eq!(store.volume(clone).unwrap().parent, None);
    assert_eq!(store.stats().data_bytes, before * 2);
    store.delete_volume(v, true).unwrap();
    store.settle().unwrap();
    check(&store);
    assert_eq!(store.stats().data_bytes, before);
    assert_eq!(get(&store, Source::Volume(clone), 0, 1), [200]);
    assert_eq!(get(&store, Source::Volume(clone), 81920, 1), [2]);
}

#[test]
fn extents_and_differences_are_exact() {
    let (_, store) = fresh();
    let v = store.create_volume("v", 1 << 40, Attrs::new()).unwrap();
    store.write(v, 8192, &[1; 8192]).unwrap();
    store.write(v, 16384, &[0; 4096]).unwrap();
    let point = snap(&store, v, "p");
    let kinds = |list: Vec<crate::engine::Extent>| -> Vec<_> {
        list.iter().map(|e| (e.offset, e.len, e.kind)).collect()
    };
    let extents = kinds(store.extents(Source::Point(point), 0, 1 << 40).unwrap());
    assert_eq!(
        extents,
        [
            (0, 8192, ExtentKind::Absent),
            (8192, 8192, ExtentKind::Data),
            (16384, 4096, ExtentKind::Zero),
            (20480, (1 << 40) - 20480, ExtentKind::Absent)
        ]
    );
    store.write(v, 8192, &[1; 4096]).unwrap();
    store.write(v, 12288, &[2; 4096]).unwrap();
    store.write(v, 1 << 39, &[3; 4096]).unwrap();
    store.discard(v, 16384, 4096).unwrap();
    let changed = kinds(
        store
            .difference(Source::Point(point), Source::Volume(v), 0, 1 << 40)
            .unwrap(),
    );
    assert_eq!(
        changed,
        [
            (12288, 4096, ExtentKind::Data),
            (1 << 39, 4096, ExtentKind::Data)
        ]
    );
    check(&store);
}

#[test]
fn resizing_never_brings_back_what_was_cut_off() {
    let (_, store) = fresh();
    let v = store.create_volume("v", 4 * MIB, Attrs::new()).unwrap();
    store.write(v, 3 * MIB, &[5; 4096]).unwrap();
    store.resize_volume(v, MIB).unwrap();
    check(&store);
    assert!(matches!(
        store.write(v, MIB, &[1]),
        Err(EngineError::OutOfRange { .. })
    ));
    store.resize_volume(v, 64 << 40).unwrap();
    assert_eq!(get(&store, Source::Volume(v), 3 * MIB, 4096), vec![0; 4096]);
    store.write(v, (64 << 40) - 4096, &[6; 4096]).unwrap();
    assert_eq!(get(&store, Source::Volume(v), (64 << 40) - 1, 1), [6]);
    check(&store);
    store.discard(v, 0, 64 << 40).unwrap();
    store.settle().unwrap();
    assert_eq!(store.stats().data_bytes, 0);
    check(&store);
}

#[test]
fn a_directory_is_told_from_a_store() {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions {
        background: false,
        ..OpenOptions::default()
    };
    assert!(matches!(
        Store::open(dir.path(), &options),
        Err(EngineError::NoStore { .. })
    ));
    let store = Store::open_or_create(dir.path(), &options).unwrap();
    match Store::open(dir.path(), &options) {
        Err(EngineError::Locked { pid, .. }) => assert_eq!(pid, std::process::id()),
        other => panic!("{other:?}"),
    }
    let v = store.create_volume("v", MIB, Attrs::new()).unwrap();
    store.write(v, 5, b"hello").unwrap();
    store.close().unwrap();
    assert!(matches!(store.flush(), Err(EngineError::Closed)));
    assert!(matches!(
        Store::create(dir.path(), &options),
        Err(EngineError::Exists { .. })
    ));
    let store = Store::open(dir.path(), &options).unwrap();
    assert_eq!(get(&store, Source::Volume(v), 5, 5), b"hello");
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("letter.txt"), "dear").unwrap();
    assert!(matches!(
        Store::create(other.path(), &options),
        Err(EngineError::Foreign { .. })
    ));
    assert!(matches!(
        Store::open(other.path(), &options),
        Err(EngineError::Foreign { .. })
    ));
}

#[test]
fn a_long_copy_does_not_outgrow_the_log() {
    let (_, store) = fresh();
    let v = store.create_volume("v", 24 * MIB, Attrs::new()).unwrap();
    for i in 0..24u64 {
        store
            .write(v, i * MIB, &[i as u8 + 1; MIB as usize])
            .unwrap();
    }
    let point = snap(&store, v, "p");
    let clone = store.clone_volume(point, "c", Attrs::new()).unwrap();
    let job = store.start_copy(clone).unwrap();
    // Without the commit that an end of the job brings about.
    for _ in 0..24 {
        store.core().copy_step(job).unwrap();
    }
    store.settle().unwrap();
    check(&store);
    assert_eq!(store.stats().data_bytes, 48 * MIB);
}
