//! What an open store holds in memory for each snapshot: counted in bytes that were asked for and not given
//! back, in a process of its own.
#![allow(clippy::unwrap_used, reason = "a test says so by ending")]
#![allow(
    unsafe_code,
    reason = "an allocator cannot be written without it, and nothing else counts bytes"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use snapdeck::engine::{Attrs, OpenOptions, SnapshotRequest, Store};

/// The system's allocator, and a count of what it has given out.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Snapshots of the larger store.
const COUNT: usize = 20_000;
/// Bytes that each may take, with a name of 18 and attributes of 45.
const EACH: usize = 300;

fn options() -> OpenOptions {
    OpenOptions {
        background: false,
        durable_ops: false,
        ..OpenOptions::default()
    }
}

/// Makes a store with so many snapshots of one volume.
fn make(dir: &Path, count: usize) {
    let store = Store::create(dir, &options()).unwrap();
    let volume = store.create_volume("db01", 1 << 30, Attrs::new()).unwrap();
    for n in 0..count {
        let attrs = [
            ("description", "taken by the timer".to_owned()),
            ("taken", format!("2026-08-21T03:00:00.{n:06}Z")),
        ];
        let request = SnapshotRequest {
            volume,
            name: format!("nightly-2026-{n:06}"),
            attrs: attrs.map(|(name, value)| (name.to_owned(), value)).into(),
        };
        store.snapshot(&[request]).unwrap();
    }
    store.close().unwrap();
}

/// Bytes that it holds once it is open.
fn held(dir: &Path, count: usize) -> usize {
    let before = HELD.load(Ordering::Relaxed);
    let store = Store::open(dir, &options()).unwrap();
    assert_eq!(store.point_count(), count);
    let held = HELD.load(Ordering::Relaxed) - before;
    store.close().unwrap();
    held
}

#[test]
fn a_snapshot_takes_three_hundred_bytes_at_most() {
    let [few, many] = [1, COUNT].map(|count| {
        let dir = tempfile::tempdir().unwrap();
        make(dir.path(), count);
        held(dir.path(), count)
    });
    let each = many.saturating_sub(few) / (COUNT - 1);
    println!("{each} bytes each");
    assert!(many > few && each < EACH, "{each} bytes each");
}
