//! A store and a plain model of it, taken through the same operations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::{reopen, small};
use crate::engine::core::Tuning;
use crate::engine::disk::sim::SimDisk;
use crate::engine::reclaim::Step;
use crate::engine::{
    Action, Attrs, EngineError, Made, PointId, SnapshotRequest, Source, Store, VolumeId,
};

const B: u64 = 4096;
/// Large enough for a tree of three levels.
pub(super) const SIZE: u64 = 96 << 20;
/// Where writes go: the edges of leaves and of inner pages.
const SPOTS: [u64; 6] = [0, 3, 250, 510, 16380, 24570];

/// Blocks that are not zero, by number.
pub(super) type Blocks = BTreeMap<u64, Arc<Vec<u8>>>;

/// A volume or a snapshot as it must read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) size: u64,
    pub(super) blocks: Blocks,
    /// The volume a snapshot belongs to; none for a volume.
    pub(super) of: Option<VolumeId>,
    pub(super) name: String,
}

/// What the store must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Model {
    pub(super) volumes: BTreeMap<VolumeId, Image>,
    pub(super) points: BTreeMap<PointId, Image>,
}

/// An operation; small numbers choose among what there is.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Create,
    Write {
        v: u8,
        spot: u8,
        skip: u8,
        blocks: u8,
        fill: u8,
    },
    WritePart {
        v: u8,
        spot: u8,
        offset: u16,
        len: u16,
        fill: u8,
    },
    Discard {
        v: u8,
        spot: u8,
        skip: u8,
        blocks: u16,
    },
    Zeroes {
        v: u8,
        spot: u8,
        offset: u16,
        len: u16,
    },
    Snapshot {
        v: u8,
        all: bool,
    },
    Restore {
        v: u8,
        p: u8,
        keep: bool,
    },
    Clone {
        p: u8,
    },
    DeletePoint {
        p: u8,
    },
    DeleteVolume {
        v: u8,
        cascade: bool,
    },
    Resize {
        v: u8,
        size: u8,
    },
    Rename {
        v: u8,
        p: u8,
    },
    StartCopy {
        v: u8,
    },
    CancelCopy,
    PauseCopy(bool),
    /// Every volume goes back to a snapshot, at one moment.
    RestoreAll {
        p: u8,
        keep: bool,
    },
    /// Several snapshots go at one moment.
    DeletePoints {
        p: u8,
        count: u8,
    },
    CopySteps(u8),
    ReclaimSteps(u8),
    Settle,
    Trim,
    Flush,
    Checkpoint,
    /// Closed and opened, or opened from what the files hold without closing.
    Reopen {
        close: bool,
    },
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let n = || any::<u8>();
    prop_oneof![
        2 => Just(Op::Create),
        24 => (n(), 0..6u8, 0..8u8, 1..12u8, n())
            .prop_map(|(v, spot, skip, blocks, fill)| Op::Write { v, spot, skip, blocks, fill }),
        6 => (n(), 0..6u8, any::<u16>(), 1..9000u16, n())
            .prop_map(|(v, spot, offset, len, fill)| Op::WritePart { v, spot, offset, len, fill }),
        5 => (n(), 0..6u8, 0..8u8, 1..600u16)
            .prop_map(|(v, spot, skip, blocks)| Op::Discard { v, spot, skip, blocks }),
        3 => (n(), 0..6u8, any::<u16>(), 1..20000u16)
            .prop_map(|(v, spot, offset, len)| Op::Zeroes { v, spot, offset, len }),
        9 => (n(), any::<bool>()).prop_map(|(v, all)| Op::Snapshot { v, all }),
        5 => (n(), n(), any::<bool>()).prop_map(|(v, p, keep)| Op::Restore { v, p, keep }),
        4 => n().prop_map(|p| Op::Clone { p }),
        6 => n().prop_map(|p| Op::DeletePoint { p }),
        2 => (n(), any::<bool>()).prop_map(|(v, cascade)| Op::DeleteVolume { v, cascade }),
        2 => (n(), n()).prop_map(|(v, size)| Op::Resize { v, size }),
        1 => (n(), n()).prop_map(|(v, p)| Op::Rename { v, p }),
        3 => n().prop_map(|v| Op::StartCopy { v }),
        1 => Just(Op::CancelCopy),
        2 => any::<bool>().prop_map(Op::PauseCopy),
        1 => (n(), any::<bool>()).prop_map(|(p, keep)| Op::RestoreAll { p, keep }),
        2 => (n(), 2..5u8).prop_map(|(p, count)| Op::DeletePoints { p, count }),
        5 => (1..4u8).prop_map(Op::CopySteps),
        8 => (1..5u8).prop_map(Op::ReclaimSteps),
        1 => Just(Op::Settle),
        2 => Just(Op::Trim),
        3 => Just(Op::Flush),
        5 => Just(Op::Checkpoint),
        3 => any::<bool>().prop_map(|close| Op::Reopen { close }),
    ]
}

fn pick<K: Copy, V>(map: &BTreeMap<K, V>, i: u8) -> Option<K> {
    map.keys().nth(usize::from(i) % map.len().max(1)).copied()
}

impl Image {
    fn write(&mut self, offset: u64, data: &[u8]) {
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u64;
            let (lba, skip) = (at / B, (at % B) as usize);
            let n = (B as usize - skip).min(data.len() - done);
            let block = self
                .blocks
                .entry(lba)
                .or_insert_with(|| Arc::new(vec![0; B as usize]));
            Arc::make_mut(block)[skip..skip + n].copy_from_slice(&data[done..done + n]);
            if block.iter().all(|byte| *byte == 0) {
                self.blocks.remove(&lba);
            }
            done += n;
        }
    }

    fn forget(&mut self, from: u64, to: u64) {
        self.blocks.retain(|lba, _| *lba < from || *lba >= to);
    }
}

/// Bytes that tell where and by whom they were written.
fn pattern(fill: u8, count: u64, len: usize) -> Vec<u8> {
    let mut data = vec![fill; len];
    if fill.is_multiple_of(8) {
        data.fill(0);
    } else {
        for block in data.chunks_mut(B as usize) {
            let n = block.len().min(8);
            block[..n].copy_from_slice(&count.to_le_bytes()[..n]);
        }
    }
    data
}

/// Both, side by side.
pub(super) struct World {
    pub(super) disk: Arc<SimDisk>,
    pub(super) store: Store,
    pub(super) model: Model,
    count: u64,
}

impl World {
    pub(super) fn new() -> Self {
        Self::tuned(small())
    }

    pub(super) fn tuned(tuning: Tuning) -> Self {
        Self::made_on(Arc::new(SimDisk::new()), tuning)
    }

    /// A new store on a disk.
    pub(super) fn made_on(disk: Arc<SimDisk>, tuning: Tuning) -> Self {
        let store = Store::on_disk(disk.clone(), tuning, true).unwrap();
        let mut world = Self {
            disk,
            store,
            model: Model::default(),
            count: 0,
        };
        world.run(&Op::Create).unwrap();
        world.run(&Op::Flush).unwrap();
        world
    }

    /// Goes on with a store that holds what the model says.
    pub(super) fn with(disk: Arc<SimDisk>, store: Store, model: Model) -> Self {
        Self {
            disk,
            store,
            model,
            count: 1 << 20,
        }
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("n{}", self.count)
    }

    /// Runs the operation on both. On an error of the store the model stays what it was.
    pub(super) fn run(&mut self, op: &Op) -> Result<(), EngineError> {
        let mut model = self.model.clone();
        let result = self.run_on(op, &mut model);
        if result.is_ok() {
            self.model = model;
        }
        result
    }

    fn run_on(&mut self, op: &Op, model: &mut Model) -> Result<(), EngineError> {
        let store = self.store.clone();
        let name = self.name();
        let volume = |i: u8| pick(&self.model.volumes, i);
        let point = |i: u8| pick(&self.model.points, i);
        match *op {
            Op::Create => {
                let id = store.create_volume(&name, SIZE, Attrs::new())?;
                model.volumes.insert(
                    id,
                    Image {
                        size: SIZE,
                        name,
                        ..Image::default()
                    },
                );
            }
            Op::Write {
                v,
                spot,
                skip,
                blocks,
                fill,
            } => {
                let Some(v) = volume(v) else { return Ok(()) };
                let offset = (SPOTS[usize::from(spot)] + u64::from(skip)) * B;
                let data = pattern(fill, self.count, usize::from(blocks) * B as usize);
                return self.write(v, offset, &data, model);
            }
            Op::WritePart {
                v,
                spot,
                offset,
                len,
                fill,
            } => {
                let Some(v) = volume(v) else { return Ok(()) };
                let offset = SPOTS[usize::from(spot)] * B + u64::from(offset);
                let data = pattern(fill, self.count, usize::from(len));
                return self.write(v, offset, &data, model);
            }
            Op::Discard {
                v,
                spot,
                skip,
                blocks,
            } => {
                let Some(v) = volume(v) else { return Ok(()) };
                let image = model.volumes.get_mut(&v).unwrap();
                let first = SPOTS[usize::from(spot)] + u64::from(skip);
                let end = (first + u64::from(blocks)).min(image.size / B);
                if first < end {
                    store.discard(v, first * B, (end - first) * B)?;
                    image.forget(first, end);
                }
            }
            Op::Zeroes {
                v,
                spot,
                offset,
                len,
            } => {
                let Some(v) = volume(v) else { return Ok(()) };
                let image = model.volumes.get_mut(&v).unwrap();
                let offset = SPOTS[usize::from(spot)] * B + u64::from(offset);
                let len = u64::from(len).min(image.size.saturating_sub(offset));
                if len > 0 {
                    store.write_zeroes(v, offset, len)?;
                    image.write(offset, &vec![0; len as usize]);
                }
            }
            Op::Snapshot { v, all } => {
                let Some(v) = volume(v) else { return Ok(()) };
                let members: Vec<_> = self
                    .model
                    .volumes
                    .keys()
                    .copied()
                    .filter(|id| all || *id == v)
                    .collect();
                let requests: Vec<_> = members
                    .iter()
                    .map(|v| SnapshotRequest {
                        volume: *v,
                        name: name.clone(),
                        attrs: Attrs::new(),
                    })
                    .collect();
                for (id, volume) in store.snapshot(&requests)?.into_iter().zip(members) {
                    let image = Image {
                        of: Some(volume),
                        name: name.clone(),
                        ..self.model.volumes[&volume].clone()
                    };
                    model.points.insert(id, image);
                }
            }
            Op::Restore { v, p, keep } => {
                let (Some(v), Some(p)) = (volume(v), point(p)) else {
                    return Ok(());
                };
                let kept = store.restore(v, p, keep.then(|| (name.clone(), Attrs::new())), None)?;
                let old = &self.model.volumes[&v];
                if let Some(kept) = kept {
                    model.points.insert(
                        kept,
                        Image {
                            of: Some(v),
                            name,
                            ..old.clone()
                        },
                    );
                }
                let image = Image {
                    of: None,
                    name: old.name.clone(),
                    ..self.model.points[&p].clone()
                };
                model.volumes.insert(v, image);
            }
            Op::Clone { p } => {
                let Some(p) = point(p).filter(|_| self.model.volumes.len() < 5) else {
                    return Ok(());
                };
                let id = store.clone_volume(p, &name, Attrs::new())?;
                model.volumes.insert(
                    id,
                    Image {
                        of: None,
                        name,
                        ..self.model.points[&p].clone()
                    },
                );
            }
            Op::DeletePoint { p } => {
                let Some(p) = point(p) else { return Ok(()) };
                store.delete_point(p)?;
                model.points.remove(&p);
            }
            Op::DeleteVolume { v, cascade } => {
                let Some(v) = volume(v) else { return Ok(()) };
                match store.delete_volume(v, cascade) {
                    Err(EngineError::HasSnapshots { count, .. }) => {
                        assert!(!cascade);
                        assert_eq!(
                            count,
                            self.model
                                .points
                                .values()
                                .filter(|p| p.of == Some(v))
                                .count()
                        );
                        return Ok(());
                    }
                    other => other?,
                }
                model.volumes.remove(&v);
                model.points.retain(|_, image| image.of != Some(v));
            }
            Op::Resize { v, size } => {
                let Some(v) = volume(v) else { return Ok(()) };
                let size = if size < 100 {
                    u64::from(size) * B + B
                } else {
                    SIZE + u64::from(size) * B
                };
                store.resize_volume(v, size)?;
                let image = model.volumes.get_mut(&v).unwrap();
                image.size = size;
                image.forget(size / B, u64::MAX);
            }
            Op::Rename { v, p } => {
                if let Some(v) = volume(v) {
                    store.update_volume(v, Some(name.clone()), None)?;
                    model.volumes.get_mut(&v).unwrap().name.clone_from(&name);
                }
                if let Some(p) = point(p) {
                    store.update_point(p, Some(name.clone()), None)?;
                    model.points.get_mut(&p).unwrap().name = name;
                }
            }
            Op::StartCopy { v } => {
                let Some(v) = volume(v) else { return Ok(()) };
                match store.start_copy(v) {
                    Err(EngineError::CopyRunning { .. }) => {}
                    other => drop(other?),
                }
            }
            Op::CancelCopy => {
                if let Some(job) = store.jobs().into_iter().find(|job| job.volume.is_some()) {
                    store.cancel_job(job.id)?;
                }
            }
            Op::PauseCopy(pause) => {
                if let Some(job) = store.jobs().into_iter().find(|job| job.volume.is_some()) {
                    if pause {
                        store.pause_job(job.id)?;
                    } else {
                        store.resume_job(job.id)?;
                    }
                }
            }
            Op::RestoreAll { p, keep } => {
                let volumes: Vec<_> = self.model.volumes.keys().copied().collect();
                let with = |i: usize| point(p.wrapping_add(i as u8 * 3));
                let pairs: Vec<_> = (0..volumes.len())
                    .filter_map(|i| Some((volumes[i], with(i)?)))
                    .collect();
                if pairs.is_empty() {
                    return Ok(());
                }
                let keep = keep.then(|| (name.clone(), Attrs::new()));
                let action = |&(volume, point): &(VolumeId, PointId)| Action::Restore {
                    volume,
                    point,
                    keep: keep.clone(),
                    attrs: None,
                };
                let made = store.transact(pairs.iter().map(action).collect())?;
                for ((v, p), made) in pairs.into_iter().zip(made) {
                    let old = &self.model.volumes[&v];
                    if let Some(Made::Point(kept)) = made {
                        let of = Some(v);
                        let (name, old) = (name.clone(), old.clone());
                        model.points.insert(kept, Image { of, name, ..old });
                    }
                    let image = Image {
                        of: None,
                        name: old.name.clone(),
                        ..self.model.points[&p].clone()
                    };
                    model.volumes.insert(v, image);
                }
            }
            Op::DeletePoints { p, count } => {
                let points: BTreeSet<_> = (0..count)
                    .filter_map(|i| point(p.wrapping_add(i)))
                    .collect();
                if points.is_empty() {
                    return Ok(());
                }
                let action = |&point: &PointId| Action::DeletePoint { point };
                store.transact(points.iter().map(action).collect())?;
                model.points.retain(|id, _| !points.contains(id));
            }
            Op::CopySteps(n) => {
                for _ in 0..n {
                    if let Some(job) = store.jobs().into_iter().find(|job| job.volume.is_some()) {
                        store.core().copy_step(job.id)?;
                    }
                }
            }
            Op::ReclaimSteps(n) => {
                for _ in 0..n {
                    if store.core().reclaim_step()? == Step::AfterCheckpoint {
                        store.checkpoint()?;
                    }
                }
            }
            Op::Settle => store.settle()?,
            Op::Trim => while store.core().trim_step()? {},
            Op::Flush => store.flush()?,
            Op::Checkpoint => store.checkpoint()?,
            Op::Reopen { close } => {
                if close {
                    store.close()?;
                    drop(store);
                    self.store = reopen(&self.disk);
                } else {
                    store.flush()?;
                    drop(store);
                    self.disk = Arc::new(self.disk.copy());
                    self.store = reopen(&self.disk);
                }
            }
        }
        Ok(())
    }

    fn write(
        &self,
        v: VolumeId,
        offset: u64,
        data: &[u8],
        model: &mut Model,
    ) -> Result<(), EngineError> {
        let image = model.volumes.get_mut(&v).unwrap();
        if offset + data.len() as u64 > image.size {
            return match self.store.write(v, offset, data) {
                Err(EngineError::OutOfRange { .. }) => Ok(()),
                Ok(()) => panic!("a write beyond the end was done"),
                other => other,
            };
        }
        self.store.write(v, offset, data)?;
        image.write(offset, data);
        Ok(())
    }

    /// Both hold the same.
    pub(super) fn compare(&self) {
        compare(&self.store, &self.model);
    }
}

/// What a store holds, in the model's terms.
pub(super) fn image_of(store: &Store, source: Source, size: u64) -> Blocks {
    let mut blocks = Blocks::new();
    let mut at = 0;
    while at < size {
        let extents = store.extents(source, at, size - at).unwrap();
        for extent in &extents {
            if extent.kind != crate::engine::ExtentKind::Data {
                continue;
            }
            let mut data = vec![0; extent.len as usize];
            store.read(source, extent.offset, &mut data).unwrap();
            for (i, block) in data.chunks(B as usize).enumerate() {
                assert!(
                    block.iter().any(|byte| *byte != 0),
                    "a block of zeroes takes space"
                );
                blocks.insert(extent.offset / B + i as u64, Arc::new(block.to_vec()));
            }
        }
        at = extents
            .last()
            .map_or(size, |extent| extent.offset + extent.len);
    }
    blocks
}

/// All that a store holds.
pub(super) fn model_of(store: &Store) -> Model {
    let mut model = Model::default();
    for v in store.volumes() {
        let blocks = image_of(store, Source::Volume(v.id), v.size);
        model.volumes.insert(
            v.id,
            Image {
                size: v.size,
                blocks,
                of: None,
                name: v.name,
            },
        );
    }
    for p in store.points() {
        let blocks = image_of(store, Source::Point(p.id), p.size);
        model.points.insert(
            p.id,
            Image {
                size: p.size,
                blocks,
                of: Some(p.volume),
                name: p.name,
            },
        );
    }
    model
}

pub(super) fn compare(store: &Store, model: &Model) {
    let held = model_of(store);
    // Not assert_eq: the images are large.
    assert!(
        held.volumes.keys().eq(model.volumes.keys()),
        "the volumes are not the same"
    );
    assert!(
        held.points.keys().eq(model.points.keys()),
        "the snapshots are not the same"
    );
    let all = held
        .volumes
        .iter()
        .map(|(id, image)| (id.to_string(), image, &model.volumes[id]));
    let all = all.chain(
        held.points
            .iter()
            .map(|(id, image)| (id.to_string(), image, &model.points[id])),
    );
    for (id, image, expected) in all {
        assert_eq!(
            (image.size, &image.name, image.of),
            (expected.size, &expected.name, expected.of),
            "{id}"
        );
        let differ = |lba: &&u64| image.blocks.get(*lba) != expected.blocks.get(*lba);
        let wrong: Vec<_> = image
            .blocks
            .keys()
            .chain(expected.blocks.keys())
            .filter(differ)
            .collect();
        assert!(
            wrong.is_empty(),
            "{id} differs from the model in blocks {wrong:?}"
        );
    }
}
