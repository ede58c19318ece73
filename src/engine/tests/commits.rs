//! Commits: what several threads make durable together.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::check::check;
use super::{fresh, reopen, small};
use crate::engine::core::Tuning;
use crate::engine::disk::sim::{Fate, SimDisk};
use crate::engine::disk::{Disk, FileName};
use crate::engine::{Attrs, Source, Store, VolumeId};

/// A disk whose data files take their time: a sync of one waits until the gate is open.
#[derive(Default)]
struct Gated {
    disk: SimDisk,
    closed: Mutex<bool>,
    opened: Condvar,
    /// A sync has come to the gate.
    waiting: AtomicBool,
}

impl Gated {
    fn open(&self) {
        *self.closed.lock() = false;
        self.opened.notify_all();
    }
}

impl Disk for Gated {
    fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.disk.read_at(file, offset, buf)
    }
    fn write_at(&self, file: FileName, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.write_at(file, offset, data)
    }
    fn sync(&self, file: FileName) -> io::Result<()> {
        if matches!(file, FileName::Data(_)) {
            let mut closed = self.closed.lock();
            while *closed {
                self.waiting.store(true, Ordering::Release);
                self.opened.wait(&mut closed);
            }
        }
        self.disk.sync(file)
    }
    fn reserve(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        self.disk.reserve(file, offset, len)
    }
    fn punch(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        self.disk.punch(file, offset, len)
    }
    fn remove(&self, file: FileName) -> io::Result<()> {
        self.disk.remove(file)
    }
    fn len(&self, file: FileName) -> io::Result<Option<u64>> {
        self.disk.len(file)
    }
    fn list(&self) -> io::Result<Vec<FileName>> {
        self.disk.list()
    }
}

#[test]
fn a_flush_waits_for_the_sync_that_another_has_begun() {
    let disk = Arc::new(Gated::default());
    let store = Store::on_disk(disk.clone(), small(), true).unwrap();
    let v = store.create_volume("v", 1 << 20, Attrs::new()).unwrap();
    // More than goes into the log.
    store.write(v, 0, &[1; 64 << 10]).unwrap();
    *disk.closed.lock() = true;
    std::thread::scope(|scope| {
        let first = scope.spawn(|| store.core().sync_data());
        while !disk.waiting.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        let flush = scope.spawn(|| store.flush());
        std::thread::sleep(Duration::from_millis(50));
        assert!(
            !flush.is_finished(),
            "flushed before its data was on the disk"
        );
        disk.open();
        first.join().unwrap().unwrap();
        flush.join().unwrap().unwrap();
    });
}

/// Blocks of the data files that are in use or held back.
fn taken(store: &Store) -> u64 {
    let space = store.core().space.lock();
    space.backed - space.free()
}

fn read(store: &Store, v: VolumeId, lba: u64) -> u8 {
    let mut block = [0; 4096];
    store
        .read(Source::Volume(v), lba * 4096, &mut block)
        .unwrap();
    assert!(block.iter().all(|byte| *byte == block[0]), "a torn block");
    block[0]
}

#[test]
fn what_is_written_again_and_again_before_a_flush_takes_one_place() {
    let (_, store) = fresh();
    let v = store.create_volume("v", 1 << 20, Attrs::new()).unwrap();
    store.write(v, 0, &[1; 4096]).unwrap();
    store.flush().unwrap();
    let before = taken(&store);
    for fill in 2..100 {
        store.write(v, 0, &[fill; 4096]).unwrap();
    }
    assert_eq!(read(&store, v, 0), 99);
    // Besides the durable one the last and the one before it, whose place the next would take.
    assert_eq!(taken(&store) - before, 2);
    store.flush().unwrap();
    check(&store);
}

#[test]
fn a_block_that_a_reader_looks_at_is_not_written_over() {
    let (_, store) = fresh();
    let v = store.create_volume("v", 1 << 20, Attrs::new()).unwrap();
    store.write(v, 0, &[1; 4096]).unwrap();
    let core = store.core();
    let looked = core.look_up(Source::Volume(v), 0, 1).unwrap();
    for fill in 2..20 {
        store.write(v, 0, &[fill; 4096]).unwrap();
    }
    let entry = looked.entries[0].unwrap();
    let mut block = [0; 4096];
    core.read_blocks(entry.block().unwrap(), &mut block)
        .unwrap();
    assert_eq!(block, [1; 4096]);
    drop(looked);
    check(&store);
}

/// Writes blocks over and over, with a flush now and then, and crashes in between.
#[test]
fn a_crash_finds_what_was_flushed_though_places_were_used_again() {
    let mut dice: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut roll = move || {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        dice
    };
    for round in 0..300 {
        // In some rounds the data goes into the log, in others to its place only.
        let blocks: u64 = if round % 2 == 0 { 1 } else { 7 };
        let (disk, store) = fresh();
        let v = store.create_volume("v", 1 << 20, Attrs::new()).unwrap();
        let (mut flushed, mut last) = (0, 0);
        for fill in 1..40u8 {
            let data = vec![fill; blocks as usize * 4096];
            store.write(v, roll() % 3 * 4096, &data).unwrap();
            store.write(v, 9 * 4096, &[fill; 4096]).unwrap();
            last = fill;
            if roll() % 8 == 0 {
                store.flush().unwrap();
                flushed = fill;
            }
        }
        let medium = disk.medium();
        let fates: Vec<Fate> = medium
            .at_risk()
            .iter()
            .map(|_| match roll() % 3 {
                0 => Fate::Lost,
                1 => Fate::Kept,
                _ => Fate::Torn {
                    unit: 512,
                    seed: roll(),
                },
            })
            .collect();
        let image = Arc::new(SimDisk::of(medium.cut(&fates)));
        let held = reopen(&image);
        for lba in 0..12 {
            assert!(read(&held, v, lba) <= last);
        }
        let held = read(&held, v, 9);
        assert!(
            (flushed..=last).contains(&held),
            "{held}, but {flushed} was flushed"
        );
        check(&store);
    }
}

#[test]
fn the_background_commits_what_has_waited() {
    let disk = Arc::new(SimDisk::new());
    let tuning = Tuning {
        background: true,
        commit_after: Duration::from_millis(1),
        ..small()
    };
    let store = Store::on_disk(disk.clone(), tuning, true).unwrap();
    let v = store.create_volume("v", 1 << 20, Attrs::new()).unwrap();
    store.write(v, 0, &[1; 64 << 10]).unwrap();
    let core = store.core();
    let lsn = core.guarded.read().state.lsn;
    while core.durable.load(Ordering::Acquire) < lsn {
        std::thread::sleep(Duration::from_millis(1));
    }
    let image = Arc::new(SimDisk::of(disk.medium().cut(&[])));
    assert_eq!(read(&reopen(&image), v, 15), 1);
}
