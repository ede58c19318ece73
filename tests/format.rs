//! `docs/engine-format.md` against real stores: a small reader that was written from the
//! document, and shares no code with the engine, finds in the files what the engine put there.
//! And the fuzz target of a store's files, on bytes of its own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says so by ending"
)]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the reader is shared with the fuzz targets"
)]

#[path = "../fuzz/src/entry.rs"]
mod entry;
#[path = "../fuzz/src/format.rs"]
mod format;

use std::collections::BTreeSet;

use format::{Reference, Superblock, crc, u32_at, u64_at};
use snapdeck::engine::{Attrs, OpenOptions, SnapshotRequest, Source, Store, VolumeId};

fn options() -> OpenOptions {
    OpenOptions {
        background: false,
        ..OpenOptions::default()
    }
}

fn fill(store: &Store) -> VolumeId {
    let volume = store.create_volume("v", 1 << 30, Attrs::new()).unwrap();
    for i in 0..40_u8 {
        let at = u64::from(i) * (25 << 20);
        store.write(volume, at, &[i + 1; 12288]).unwrap();
    }
    let request = SnapshotRequest {
        volume,
        name: "point".into(),
        attrs: [("key".to_owned(), "value".to_owned())].into(),
    };
    store.snapshot(&[request]).unwrap();
    store.write(volume, 4096, &[200; 4096]).unwrap();
    store.write_zeroes(volume, 25 << 20, 4096).unwrap();
    volume
}

#[test]
fn the_document_describes_a_checkpoint() {
    assert_eq!(crc(b"123456789"), 0xe306_9283);
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path(), &options()).unwrap();
    let volume = fill(&store);
    let point = store.points()[0].id;
    store.start_copy(volume).unwrap();
    store.checkpoint().unwrap();
    let (files, _) = entry::read_files(dir.path());
    let superblock = Superblock::newest(&files).unwrap();
    let (meta, short) = (&files["meta"], superblock.short());
    let slot = superblock.generation as usize % 2 * 8192;
    let copies = [slot, slot + 4096].map(|at| &files["super"][at..at + 4096]);
    assert_eq!(copies[0], copies[1]);
    assert!(superblock.segment >= 1 && superblock.offset >= 4096 && superblock.group >= 1);

    // Every extent is where the map of `meta` says that something is, and only there.
    let mut sectors = BTreeSet::new();
    let mut nodes = Vec::new();
    let mut root = Vec::new();
    let mut seen = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    format::walk(
        meta,
        superblock.root,
        format::ROOT,
        short,
        &mut |r, kind, _, body| {
            kinds.insert(kind);
            if !seen.insert(r.sector) {
                // A page that trees share.
                assert!(kind == 1 || kind == 2);
                return;
            }
            let first = r.copies()[0] as u64 / 512;
            let last = *r.copies().last().unwrap() as u64 / 512 + u64::from(r.length).div_ceil(512);
            assert!((first..last).all(|sector| sectors.insert(sector)));
            match kind {
                3 => {
                    let mut at = 4;
                    for _ in 0..u32_at(body, 0).unwrap() {
                        let node = format::node(body, at).unwrap();
                        at = node.end;
                        let tree = node
                            .roots
                            .first()
                            .map(|(at, level)| (Reference::at(body, *at).unwrap(), *level));
                        nodes.push((node, tree));
                    }
                    assert_eq!(at, body.len());
                }
                7 => root = body.to_vec(),
                _ => {}
            }
        },
    )
    .unwrap();
    assert_eq!(kinds, BTreeSet::from([1, 2, 3, 4, 5, 6, 7]));
    let maps = format::maps(&root).unwrap();
    let used = format::in_use(meta, &maps[1], short).unwrap();
    assert_eq!(used, sectors.iter().copied().collect::<Vec<_>>());
    assert_eq!(u64_at(&root, 0).unwrap(), superblock.lsn);

    // Volumes and snapshots read as the engine reads them.
    let in_use: BTreeSet<u64> = format::in_use(meta, &maps[0], short)
        .unwrap()
        .into_iter()
        .collect();
    let mut mapped = BTreeSet::new();
    for (name, kind, source) in [
        ("v", 1, Source::Volume(volume)),
        ("point", 2, Source::Point(point)),
    ] {
        let (node, tree) = nodes
            .iter()
            .find(|(node, _)| node.kind == kind && node.name == name)
            .unwrap();
        assert_eq!(node.size, 1 << 30);
        assert_eq!(
            (kind == 1, node.freeze == 0),
            (node.parent.is_some(), kind == 1)
        );
        let (reference, level) = tree.unwrap();
        let mapping = format::mapping(meta, reference, level, short).unwrap();
        let data: Vec<_> = mapping.iter().filter(|entry| entry.1.is_some()).collect();
        assert_eq!(node.referenced, data.len() as u64);
        for (lba, block, sum) in &mapping {
            let mut buf = [0; 4096];
            store.read(source, lba * 4096, &mut buf).unwrap();
            let Some(block) = block else {
                assert_eq!(buf, [0; 4096]);
                continue;
            };
            mapped.insert(*block);
            let chunk = u64::from(superblock.chunk_blocks);
            let file = &files[&format!("data.{}", block / chunk)];
            let at = (block % chunk * 4096) as usize;
            assert_eq!(file[at..at + 4096], buf);
            assert_eq!(crc(&buf), *sum);
        }
    }
    assert_eq!(mapped, in_use);
}

#[test]
fn the_document_describes_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path(), &options()).unwrap();
    fill(&store);
    store.flush().unwrap();
    let (files, _) = entry::read_files(dir.path());
    let superblock = Superblock::newest(&files).unwrap();
    let short = superblock.short();
    let segment = &files[&format!("log.{}", superblock.slot)];
    assert_eq!(&segment[..4], b"SDsg");
    assert_eq!(u64_at(segment, 8), Some(short));
    assert_eq!(u64_at(segment, 16), Some(superblock.segment));
    assert_eq!(u32_at(segment, 32), Some(crc(&segment[..32])));
    assert!(segment[36..4096].iter().all(|byte| *byte == 0));
    let from = (superblock.group, superblock.chain);
    let (groups, (next, _)) = format::groups(segment, superblock.offset as usize, from, short);
    assert!(groups.len() > 1 && next == superblock.group + groups.len() as u64);
    let mut lsn = superblock.lsn;
    let mut kinds = BTreeSet::new();
    for group in &groups {
        assert_eq!(group.first, lsn + 1);
        let records = group.items.iter().filter(|(kind, _)| *kind != 128).count() as u64;
        assert_eq!(group.last, lsn + records);
        lsn = group.last;
        for (kind, body) in &group.items {
            kinds.insert(*kind);
            assert!(*kind != 128 || body.len() == 8 + 4096);
        }
    }
    // Writes, zeroes, a volume made, a snapshot.
    assert!(
        [1, 3, 4, 9].iter().all(|kind| kinds.contains(kind)),
        "{kinds:?}"
    );
}

/// Files with right checksums and wrong content: `SNAPDECK_FUZZ` asks for more or fewer.
#[test]
fn hostile_files_with_right_checksums_are_answered() {
    let asked = std::env::var("SNAPDECK_FUZZ").ok();
    let count = asked.and_then(|n| n.parse().ok()).unwrap_or(400_u64);
    entry::open(&[]);
    for seed in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/open")).unwrap()
    {
        entry::open(&std::fs::read(seed.unwrap().path()).unwrap());
    }
    let next = std::sync::atomic::AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if seed > count {
                        return;
                    }
                    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let mut bytes = Vec::new();
                    for _ in 0..1 + seed % 40 {
                        state ^= state << 13;
                        state ^= state >> 7;
                        state ^= state << 17;
                        bytes.extend_from_slice(&state.to_le_bytes());
                    }
                    entry::open(&bytes);
                }
            });
        }
    });
}
