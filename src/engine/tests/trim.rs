//! Room that is free in the store goes back to the file system.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use super::check::check;
use super::fresh;
use crate::engine::core::Tuning;
use crate::engine::disk::FileDisk;
use crate::engine::disk::sim::Faults;
use crate::engine::{Attrs, EngineError, SnapshotRequest, Source, Store};

const MIB: u64 = 1 << 20;

/// Bytes that a file system has given to the files in a directory.
fn room(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap();
    let blocks = entries.map(|entry| entry.unwrap().metadata().unwrap().blocks());
    blocks.sum::<u64>() * 512
}

/// Whether the file system can take back a part of a file.
fn can_punch(dir: &Path) -> bool {
    let file = std::fs::File::create(dir.join("probe")).unwrap();
    let flags = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
    let done = rustix::fs::fallocate(&file, flags, 0, 4096).is_ok();
    std::fs::remove_file(dir.join("probe")).unwrap();
    done
}

#[test]
fn deleting_gives_room_back_to_the_file_system() {
    let dir = tempfile::tempdir().unwrap();
    if !can_punch(dir.path()) {
        eprintln!(
            "the file system of {} punches no holes",
            dir.path().display()
        );
        return;
    }
    let tuning = Tuning {
        keep_blocks: 256,
        trim_blocks: 256,
        grow_blocks: 256,
        chunk_blocks: 4096,
        background: false,
        ..Tuning::for_cache(0)
    };
    let open = |create| {
        let disk = Arc::new(FileDisk::new(dir.path()));
        Store::on_disk(disk, tuning.clone(), create).unwrap()
    };
    let store = open(true);
    let v = store.create_volume("v", 64 * MIB, Attrs::new()).unwrap();
    let fill = |store: &Store, byte: u8| {
        for i in 0..24 {
            store.write(v, i * MIB, &[byte; MIB as usize]).unwrap();
        }
    };
    let mut points = Vec::new();
    for byte in 1..4 {
        fill(&store, byte);
        let (volume, name) = (v, "p".to_owned());
        let attrs = Attrs::new();
        let request = SnapshotRequest {
            volume,
            name,
            attrs,
        };
        points.extend(store.snapshot(&[request]).unwrap());
    }
    store.checkpoint().unwrap();
    let full = room(dir.path());
    assert!(full > 72 * MIB, "{full}");
    for point in &points[..2] {
        store.delete_point(*point).unwrap();
    }
    store.settle().unwrap();
    store.checkpoint().unwrap();
    let kept = store.stats().data_bytes;
    assert_eq!(kept, 24 * MIB);
    let log = store.stats().log_bytes.max(32 * MIB);
    let now = room(dir.path());
    // Besides the data: a sixteenth that is kept, the log, the mapping.
    assert!(now < kept + kept / 16 + 4 * MIB + log, "{now} of {full}");
    check(&store);
    // What was given back is taken again.
    fill(&store, 9);
    store.close().unwrap();
    drop(store);
    let store = open(false);
    fill(&store, 11);
    let mut byte = [0];
    store.read(Source::Volume(v), 23 * MIB, &mut byte).unwrap();
    assert_eq!(byte, [11]);
    store
        .read(Source::Point(points[2]), 23 * MIB, &mut byte)
        .unwrap();
    assert_eq!(byte, [3]);
    check(&store);
}

#[test]
fn a_disk_that_filled_up_meanwhile_fails_the_write_before_it_is_acknowledged() {
    let (disk, store) = fresh();
    let v = store.create_volume("v", MIB, Attrs::new()).unwrap();
    for i in 0..128 {
        store.write(v, i * 4096, &[7; 4096]).unwrap();
    }
    store.flush().unwrap();
    store.discard(v, 4096 * 8, 120 * 4096).unwrap();
    store.settle().unwrap();
    let before = disk.allocated();
    assert!(before < 80 * 4096 + 64 * 4096, "{before}");
    disk.set_faults(Faults {
        capacity: Some(before as u64),
        ..Faults::default()
    });
    let full = (8..128).find_map(|i| store.write(v, i * 4096, &[8; 4096]).err());
    assert!(matches!(full, Some(EngineError::NoSpace)), "{full:?}");
    assert!(store.stats().read_only.is_none());
    disk.set_faults(Faults::default());
    store.write(v, 100 * 4096, &[9; 4096]).unwrap();
    store.flush().unwrap();
    check(&store);
}
