//! A file system that is really full. Where one cannot be mounted, this shows nothing and says so.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]

use std::path::Path;
use std::process::{Command, Stdio};

use snapdeck::engine::{Attrs, EngineError, OpenOptions, SnapshotRequest, Source, Store};

const MIB: u64 = 1 << 20;

/// A file system in memory, until it is dropped.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", size, "none"])
            .arg(dir.path());
        let done = mount.stderr(Stdio::null()).status();
        done.is_ok_and(|status| status.success()).then(|| Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_full_file_system_fails_writes_and_nothing_else() {
    let Some(disk) = Mounted::new("size=96m") else {
        eprintln!("no file system can be mounted here");
        return;
    };
    let dir = disk.path().join("store");
    let options = OpenOptions {
        background: false,
        ..OpenOptions::default()
    };
    let store = Store::create(&dir, &options).unwrap();
    let volume = store.create_volume("v", 1 << 30, Attrs::new()).unwrap();
    let block = |i: u64| vec![(i % 250) as u8 + 1; 65536];
    for i in 0..64 {
        store.write(volume, i * 65536, &block(i)).unwrap();
    }
    let request = SnapshotRequest {
        volume,
        name: "p".into(),
        attrs: Attrs::new(),
    };
    let point = store.snapshot(&[request]).unwrap()[0];
    // What somebody else puts there leaves nothing, a few times over.
    for round in 0..3_u64 {
        let mut last = 64;
        let full = (64..16384).find_map(|i| {
            last = i;
            store.write(volume, i * 65536, &block(i + round)).err()
        });
        assert!(matches!(full, Some(EngineError::NoSpace)), "{full:?}");
        store.flush().unwrap();
        assert!(store.stats().read_only.is_none());
        let mut buf = vec![0; 65536];
        for i in 64..last {
            store
                .read(Source::Volume(volume), i * 65536, &mut buf)
                .unwrap();
            assert!(buf == block(i + round), "{i}");
        }
        store.discard(volume, 4 * MIB, (1 << 30) - 4 * MIB).unwrap();
        store.settle().unwrap();
    }
    store.delete_point(point).unwrap();
    store.settle().unwrap();
    store.write(volume, 0, &block(7)).unwrap();
    store.close().unwrap();
    drop(store);
    let store = Store::open(&dir, &options).unwrap();
    let report = store.scrub(&mut |_, _| true).unwrap();
    assert!(report.complete && report.hurt.is_empty(), "{report:?}");
    let mut buf = vec![0; 65536];
    store.read(Source::Volume(volume), 0, &mut buf).unwrap();
    assert!(buf == block(7));
    store.close().unwrap();
}
