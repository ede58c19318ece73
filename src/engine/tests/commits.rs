//! Commits: what several threads make durable together.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::small;
use crate::engine::disk::sim::SimDisk;
use crate::engine::disk::{Disk, FileName};
use crate::engine::{Attrs, Store};

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
