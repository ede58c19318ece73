//! Takes snapshots of a volume, with random writes of 4 KiB before each, so that each holds
//! something of its own: `estate STORE VOLUME SNAPSHOTS WRITES`. For `run`.

use std::path::Path;

use snapdeck::engine::{Attrs, OpenOptions, SnapshotRequest, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, name, snapshots, writes] = args.as_slice() else {
        return Err("usage: estate STORE VOLUME SNAPSHOTS WRITES".into());
    };
    let options = OpenOptions {
        durable_ops: false,
        ..OpenOptions::default()
    };
    let store = Store::open(Path::new(dir), &options)?;
    let volume = store.volumes().into_iter().find(|v| v.name == *name);
    let volume = volume.ok_or("there is no such volume")?;
    let mut dice: u64 = 88_172_645_463_325_252;
    let mut block = [1; 4096];
    for i in 0..snapshots.parse::<u64>()? {
        for _ in 0..writes.parse::<u64>()? {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let at = dice % (volume.size / 4096);
            block[..8].copy_from_slice(&dice.to_le_bytes());
            store.write(volume.id, at * 4096, &block)?;
        }
        store.snapshot(&[SnapshotRequest {
            volume: volume.id,
            name: format!("bench-{i}"),
            attrs: Attrs::new(),
        }])?;
    }
    Ok(store.close()?)
}
