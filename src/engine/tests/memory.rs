//! Memory that a volume of 1 TiB takes of which every block is mapped. Long, and asked for by name:
//! `cargo test --release --lib -- --ignored --nocapture tests::memory`; 10 GiB of room for `TMPDIR`.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use super::crash::Dice;
use crate::engine::core::Tuning;
use crate::engine::disk::{Disk, FileDisk, FileName};
use crate::engine::{Attrs, SnapshotRequest, Source, Store};

const SIZE: u64 = 1 << 40;
const MIB: u64 = 1 << 20;
/// What every block holds, so that the data need not be kept.
const FILL: u8 = 0x5a;

/// A directory in which the data files have a length and no content.
struct Hollow(FileDisk);

impl Disk for Hollow {
    fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        match file {
            FileName::Data(_) => {
                buf.fill(FILL);
                Ok(())
            }
            _ => self.0.read_at(file, offset, buf),
        }
    }
    fn write_at(&self, file: FileName, offset: u64, data: &[u8]) -> io::Result<()> {
        match file {
            FileName::Data(_) => Ok(()),
            _ => self.0.write_at(file, offset, data),
        }
    }
    fn sync(&self, file: FileName) -> io::Result<()> {
        self.0.sync(file)
    }
    fn reserve(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        match file {
            // A hole.
            FileName::Data(_) => self.0.write_at(file, offset + len - 1, &[0]),
            _ => self.0.reserve(file, offset, len),
        }
    }
    fn punch(&self, _: FileName, _: u64, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn remove(&self, file: FileName) -> io::Result<()> {
        self.0.remove(file)
    }
    fn len(&self, file: FileName) -> io::Result<Option<u64>> {
        self.0.len(file)
    }
    fn list(&self) -> io::Result<Vec<FileName>> {
        self.0.list()
    }
}

fn store(dir: &Path, cache_bytes: u64, create: bool) -> Store {
    let tuning = Tuning {
        grow_blocks: 4 << 20,
        durable_ops: false,
        ..Tuning::for_cache(cache_bytes)
    };
    Store::on_disk(Arc::new(Hollow(FileDisk::new(dir))), tuning, create).unwrap()
}

/// The most memory this process has had, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse::<u64>().unwrap() >> 10
}

/// Every MiB in an order that has none, then 1,000 snapshots with a few writes after each.
fn build(dir: &Path) {
    let begun = Instant::now();
    let store = store(dir, 256 * MIB, true);
    let v = store.create_volume("v", SIZE, Attrs::new()).unwrap();
    let data = vec![FILL; MIB as usize];
    // A step that has no factor in common with the number of MiB comes to each once.
    for i in 0..SIZE / MIB {
        let at = i * 618_034_949 % (SIZE / MIB);
        store.write(v, at * MIB, &data).unwrap();
    }
    let mut dice = Dice(3);
    for i in 0..1000 {
        let request = SnapshotRequest {
            volume: v,
            name: format!("s{i}"),
            attrs: Attrs::new(),
        };
        store.snapshot(&[request]).unwrap();
        for _ in 0..10 {
            let at = dice.roll() % (SIZE / 4096);
            store.write(v, at * 4096, &data[..4096]).unwrap();
        }
    }
    store.close().unwrap();
    println!("made in {:?}, peak {} MiB", begun.elapsed(), peak());
}

/// Opens, reads and writes at random, and says what it took.
fn serve(dir: &Path, cache: u64) {
    let at_rest = peak();
    let begun = Instant::now();
    let store = store(dir, cache * MIB, false);
    let opened = (begun.elapsed(), peak());
    let volume = store.volumes()[0].clone();
    assert_eq!(volume.usage.referenced, SIZE);
    let mut dice = Dice(7);
    let mut block = [0; 4096];
    let begun = Instant::now();
    for _ in 0..200_000 {
        let at = dice.roll() % (SIZE / 4096) * 4096;
        store
            .read(Source::Volume(volume.id), at, &mut block)
            .unwrap();
        assert_eq!(block, [FILL; 4096]);
    }
    let read = (begun.elapsed() / 200_000, peak());
    let begun = Instant::now();
    for _ in 0..400_000 {
        let at = dice.roll() % (SIZE / 4096) * 4096;
        store.write(volume.id, at, &block).unwrap();
    }
    let written = (begun.elapsed() / 400_000, peak());
    store.close().unwrap();
    println!(
        "cache {cache} MiB: peak {at_rest} MiB before; opened in {:?}, {} MiB; a read {:?}, {} MiB; \
         a write {:?}, {} MiB; closed {} MiB",
        opened.0,
        opened.1,
        read.0,
        read.1,
        written.0,
        written.1,
        peak()
    );
    assert!(
        peak() <= cache + 64 + at_rest,
        "more than the cache and the write buffer"
    );
}

#[test]
#[ignore = "takes minutes and 10 GiB"]
fn a_tebibyte_that_is_mapped_whole_is_served_in_bounded_memory() {
    if let Ok(dir) = std::env::var("SNAPDECK_TERABYTE") {
        let cache = std::env::var("SNAPDECK_CACHE").unwrap();
        return serve(Path::new(&dir), cache.parse().unwrap());
    }
    let dir = tempfile::tempdir().unwrap();
    build(dir.path());
    // Each in a process of its own, which has had no memory before.
    for cache in ["256", "16"] {
        let this = std::env::current_exe().unwrap();
        let name =
            "engine::tests::memory::a_tebibyte_that_is_mapped_whole_is_served_in_bounded_memory";
        let status = Command::new(this)
            .args(["--ignored", "--nocapture", "--exact", name])
            .env("SNAPDECK_TERABYTE", dir.path())
            .env("SNAPDECK_CACHE", cache)
            .status()
            .unwrap();
        assert!(status.success());
    }
}
