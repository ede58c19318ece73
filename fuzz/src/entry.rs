//! What the fuzz targets do with their bytes. The tests of the crate do the same with
//! bytes of their own.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use snapdeck::engine::{Attrs, EngineError, OpenOptions, SnapshotRequest, Source, Store};

use super::format::{Files, put_right};

/// A small store that is opened and read, and does nothing by itself.
fn options() -> OpenOptions {
    OpenOptions {
        background: false,
        cache_bytes: 1 << 20,
        ..OpenOptions::default()
    }
}

/// How long the files of a store are.
type Lengths = BTreeMap<String, u64>;

/// The files of a store, but for long stretches at their ends that hold nothing.
pub fn read_files(dir: &Path) -> (Files, Lengths) {
    let (mut files, mut lengths) = (Files::new(), Lengths::new());
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "LOCK" {
            let mut bytes = fs::read(entry.path()).unwrap_or_default();
            lengths.insert(name.clone(), bytes.len() as u64);
            let last = bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0);
            bytes.truncate(last.next_multiple_of(4096) + 8192);
            files.insert(name, bytes);
        }
    }
    (files, lengths)
}

/// Writes the files of a store; what is left to their lengths is a hole.
fn write_files(dir: &Path, files: &Files, lengths: &Lengths) -> std::io::Result<()> {
    for (name, bytes) in files {
        fs::write(dir.join(name), bytes)?;
        let file = fs::OpenOptions::new().write(true).open(dir.join(name))?;
        file.set_len(lengths.get(name).copied().unwrap_or(0))?;
    }
    Ok(())
}

/// A directory whose syncs cost nothing, where there is one.
fn directory() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())
}

/// A store with something of everything, part of it in the log only.
fn sample() -> Result<(Files, Lengths), Box<dyn std::error::Error>> {
    let dir = directory()?;
    let store = Store::create(dir.path(), &options())?;
    let volume = store.create_volume("v", 256 << 20, Attrs::new())?;
    for i in 0..20_u8 {
        store.write(volume, u64::from(i) * (13 << 20), &[i + 1; 8192])?;
    }
    let request = |name: &str| SnapshotRequest {
        volume,
        name: name.into(),
        attrs: [("k".to_owned(), "v".to_owned())].into(),
    };
    let first = store.snapshot(&[request("first")])?[0];
    store.write(volume, 0, &[77; 4096])?;
    store.write_zeroes(volume, 13 << 20, 4096)?;
    let second = store.snapshot(&[request("second")])?[0];
    let clone = store.clone_volume(first, "clone", Attrs::new())?;
    store.write(clone, 4096, &[78; 4096])?;
    store.start_copy(clone)?;
    store.delete_point(second)?;
    store.checkpoint()?;
    store.write(volume, 26 << 20, &[79; 4096])?;
    store.snapshot(&[request("third")])?;
    store.write(clone, 8192, &[80; 20000])?;
    store.flush()?;
    Ok(read_files(dir.path()))
}

/// Changes the sample as the bytes say: a file, a place, how many bytes, which.
fn change(files: &mut Files, mut data: &[u8]) {
    let names: Vec<String> = files.keys().cloned().collect();
    while let [name, a, b, c, len, rest @ ..] = data {
        let len = usize::from(*len % 16) + 1;
        let (bytes, later) = rest.split_at(len.min(rest.len()));
        let file = names
            .get(usize::from(*name) % names.len())
            .and_then(|name| files.get_mut(name));
        if let Some(file) = file {
            let at = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
            // What is small is near the beginning.
            let used = file
                .iter()
                .rposition(|byte| *byte != 0)
                .map_or(1, |last| last + 1);
            let at = at % used;
            for (to, from) in file[at..].iter_mut().zip(bytes) {
                *to = *from;
            }
        }
        data = later;
    }
}

/// Uses all that a store offers; errors are fine.
fn use_all(store: &Store) {
    let mut buf = vec![0; 70_000];
    let mut sources: Vec<(Source, u64)> = Vec::new();
    sources.extend(
        store
            .volumes()
            .iter()
            .map(|v| (Source::Volume(v.id), v.size)),
    );
    sources.extend(store.points().iter().map(|p| (Source::Point(p.id), p.size)));
    for (source, size) in sources.iter().take(8) {
        let _ = store.read(*source, 0, &mut buf);
        let _ = store.read(*source, 13 << 20, &mut buf[..4096]);
        let _ = store.extents(*source, 0, (*size).min(64 << 20));
        let _ = store.difference(*source, sources[0].0, 0, (*size).min(64 << 20));
    }
    let _ = store.scrub(&mut |_, _| true);
    for volume in store.volumes().iter().take(4) {
        let _ = store.write(volume.id, 4096, &[5; 5000]);
        let _ = store.discard(volume.id, 0, volume.size);
        let _ = store.start_copy(volume.id);
    }
    for point in store.points().iter().take(4) {
        let _ = store.clone_volume(point.id, "c", Attrs::new());
        let _ = store.delete_point(point.id);
    }
    let _ = store.repair(&mut |_, _| true);
    let _ = store.settle();
    let _ = store.close();
}

/// Opens a store whose files were changed as the bytes say, with all checksums right, and
/// uses it: an error or none, but an answer.
pub fn open(data: &[u8]) {
    static SAMPLE: OnceLock<(Files, Lengths)> = OnceLock::new();
    let (sound, lengths) = SAMPLE.get_or_init(|| sample().unwrap_or_default());
    let mut files = sound.clone();
    change(&mut files, data);
    put_right(&mut files);
    let Ok(dir) = directory() else { return };
    if write_files(dir.path(), &files, lengths).is_err() {
        return;
    }
    match Store::open(dir.path(), &options()) {
        Ok(store) => use_all(&store),
        Err(EngineError::Damaged { .. } | EngineError::Truncated { .. }) => {
            let salvage = OpenOptions {
                salvage: true,
                ..options()
            };
            if let Ok(store) = Store::open(dir.path(), &salvage) {
                use_all(&store);
            }
        }
        Err(_) => {}
    }
}
