//! A crash at any moment: the store is what it was after some record, not
//! before the last flush, and everything in it adds up.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::check::check;
use super::world::{Image, Model, Op, World, compare, model_of, op};
use super::{reopen, small};
use crate::engine::core::Tuning;
use crate::engine::disk::sim::{Event, Fate, Files, Medium, SimDisk, Step, fingerprint};
use crate::engine::superblock::Superblock;
use crate::engine::{EngineError, Source, Store};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Distinct crash images to look at; `SNAPDECK_CRASHES` asks for more or fewer.
fn crashes() -> u64 {
    number("SNAPDECK_CRASHES").unwrap_or(100_000)
}

/// A store after an operation.
struct Mark {
    /// Things done to the disk until then.
    done: usize,
    lsn: u64,
    durable: u64,
    model: Model,
}

fn durable(store: &Store) -> u64 {
    store.core().durable.load(Ordering::SeqCst)
}

fn mark(world: &World) -> Mark {
    Mark {
        done: world.disk.done(),
        lsn: world.store.core().guarded.read().state.lsn,
        durable: durable(&world.store),
        model: world.model.clone(),
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.roll() >> 8) as usize % n.max(1)
    }

    /// A step that came to be in part.
    fn torn(&mut self) -> Fate {
        match self.roll() % 4 {
            0 => Fate::Torn {
                unit: 512,
                seed: self.roll(),
            },
            1 => Fate::Torn {
                unit: 4096,
                seed: self.roll(),
            },
            2 => Fate::Begun(self.below(17)),
            _ => Fate::Hollow,
        }
    }

    fn fate(&mut self) -> Fate {
        match self.roll() % 8 {
            0..3 => Fate::Lost,
            3..6 => Fate::Kept,
            _ => self.torn(),
        }
    }

    /// What may become of steps that were not synced.
    fn fates(&mut self, steps: &[Step], style: usize) -> Vec<Fate> {
        let n = steps.len();
        if n == 0 {
            return Vec::new();
        }
        let at = self.below(n);
        let fates = |here: Fate, before: Fate, after: Fate| {
            let mut fates = vec![before; at];
            fates.push(here);
            fates.resize(n, after);
            fates
        };
        match style {
            0 => vec![Fate::Lost; n],
            1 => vec![Fate::Kept; n],
            // In order up to a point, and not all of what was under way there.
            2 => fates(self.torn(), Fate::Kept, Fate::Lost),
            // One overtook all others, or came too late.
            3 => fates(Fate::Kept, Fate::Lost, Fate::Lost),
            4 => fates(Fate::Lost, Fate::Kept, Fate::Kept),
            5 => fates(self.torn(), Fate::Kept, Fate::Kept),
            // A file whose writes, name and length are all missing.
            6 => {
                let file = steps[at].file();
                let fate = |step: &Step| match step.file() == file {
                    true => Fate::Lost,
                    false => Fate::Kept,
                };
                steps.iter().map(fate).collect()
            }
            _ => steps.iter().map(|_| self.fate()).collect(),
        }
    }
}

/// Ways in which [`Dice::fates`] chooses.
const STYLES: usize = 9;

/// Every block is what it was before or what it was to be; a snapshot has no in between.
fn between(held: &Model, before: &Model, after: &Model) {
    assert!(
        held.volumes.keys().eq(before.volumes.keys())
            || held.volumes.keys().eq(after.volumes.keys()),
        "volumes of neither state"
    );
    assert!(
        held.points == before.points || held.points == after.points,
        "snapshots of neither state"
    );
    let none = Image::default();
    for (id, image) in &held.volumes {
        let (a, b) = (
            before.volumes.get(id).unwrap_or(&none),
            after.volumes.get(id).unwrap_or(&none),
        );
        assert!(image.size == a.size || image.size == b.size);
        for lba in image
            .blocks
            .keys()
            .chain(a.blocks.keys())
            .chain(b.blocks.keys())
        {
            let is = image.blocks.get(lba);
            let beyond = lba * 4096 >= image.size;
            assert!(
                beyond || is == a.blocks.get(lba) || is == b.blocks.get(lba),
                "block {lba} of {id} is neither"
            );
        }
    }
}

/// What was done to a disk, and what the store was at each moment.
struct Tale {
    marks: Vec<Mark>,
}

impl Tale {
    /// What is durable once `at` things were done.
    fn durable(&self, at: usize) -> Option<u64> {
        let before = self.marks.iter().take_while(|mark| mark.done <= at);
        before.last().map(|mark| mark.durable)
    }

    /// The store holds what it held after some record, `floor` or one after it.
    fn judge(&self, store: &Store, floor: u64) {
        let lsn = store.core().guarded.read().state.lsn;
        assert!(
            lsn >= floor,
            "record {lsn} is the last, and {floor} was durable"
        );
        let after = self
            .marks
            .iter()
            .position(|mark| mark.lsn >= lsn)
            .expect("records that never were");
        if self.marks[after].lsn == lsn {
            compare(store, &self.marks[after].model);
        } else if after > 0 {
            between(
                &model_of(store),
                &self.marks[after - 1].model,
                &self.marks[after].model,
            );
        }
        check(store);
    }
}

/// What a power cut has left is a store that can be used, and stays whole.
fn work_on(disk: Arc<SimDisk>, store: Store, much: bool) {
    let report = store.scrub(&mut |_, _| true).unwrap();
    assert!(report.complete && report.hurt.is_empty(), "{report:?}");
    let model = model_of(&store);
    let mut world = World::with(disk, store, model);
    let write = |v, fill| Op::Write {
        v,
        spot: 2,
        skip: 3,
        blocks: 9,
        fill,
    };
    let some = [
        Op::Create,
        write(0, 77),
        Op::Snapshot { v: 0, all: true },
        write(1, 78),
        Op::Restore {
            v: 0,
            p: 255,
            keep: false,
        },
        Op::Reopen { close: false },
    ];
    let more = [
        write(0, 79),
        Op::Settle,
        Op::Reopen { close: true },
        Op::DeletePoints { p: 0, count: 4 },
        Op::Settle,
    ];
    for op in some.iter().chain(more.iter().filter(|_| much)) {
        world.run(op).unwrap();
    }
    world.compare();
    check(&world.store);
}

/// A workload whose every moment is a crash.
struct Crashes {
    dice: Dice,
    tale: Tale,
    /// Images that were looked at.
    seen: HashSet<u64>,
}

impl Crashes {
    /// Opens what a power cut left, and makes one if the making was cut short.
    fn open(&self, disk: &Arc<SimDisk>, floor: Option<u64>) -> Store {
        match Store::on_disk(disk.clone(), small(), false) {
            Ok(store) => store,
            Err(e) => {
                assert!(floor.is_none(), "{e}");
                assert!(Superblock::unfinished(&**disk).unwrap(), "{e}");
                Store::on_disk(disk.clone(), small(), true).unwrap()
            }
        }
    }

    /// Looks at what a power cut left when this much was durable.
    fn look(&mut self, files: Files, floor: Option<u64>) {
        if !self.seen.insert(fingerprint(&files)) {
            return;
        }
        let disk = Arc::new(SimDisk::of(files));
        disk.remember();
        let before = disk.medium();
        let store = self.open(&disk, floor);
        self.tale.judge(&store, floor.unwrap_or(0));
        let opening = disk.history();
        // The power goes again while the store is opened, or just after.
        if self.dice.roll().is_multiple_of(4) {
            let events = self.dice.below(opening.len() + 1);
            self.again(before, &opening[..events], floor);
        }
        let much = self.dice.roll().is_multiple_of(32);
        work_on(disk, store, much);
    }

    /// A power cut on top of another.
    fn again(&mut self, mut medium: Medium, events: &[Event], floor: Option<u64>) {
        for event in events {
            medium.advance(event);
        }
        let style = self.dice.below(STYLES);
        let files = medium.cut(&self.dice.fates(medium.at_risk(), style));
        if self.seen.insert(fingerprint(&files)) {
            let store = self.open(&Arc::new(SimDisk::of(files)), floor);
            self.tale.judge(&store, floor.unwrap_or(0));
        }
    }

    /// The program is killed and started again; then the power goes. What the
    /// store said was durable in between is there.
    fn killed(&mut self, medium: &Medium, floor: Option<u64>) {
        let disk = Arc::new(SimDisk::on(medium.clone()));
        let store = self.open(&disk, floor);
        let mut claimed = durable(&store);
        if self.dice.roll().is_multiple_of(2)
            && let Some(volume) = store.volumes().first()
        {
            let mut was = [0; 4096];
            store.read(Source::Volume(volume.id), 0, &mut was).unwrap();
            // The same content again: no mark need know of it.
            store.write(volume.id, 0, &was).unwrap();
            store.flush().unwrap();
            claimed = claimed.max(durable(&store) - 1);
        }
        drop(store);
        let medium = disk.medium();
        let style = self.dice.below(STYLES);
        let files = medium.cut(&self.dice.fates(medium.at_risk(), style));
        if self.seen.insert(fingerprint(&files)) {
            let store = self.open(&Arc::new(SimDisk::of(files)), floor);
            check(&store);
            let lsn = store.core().guarded.read().state.lsn;
            assert!(
                lsn >= claimed,
                "record {lsn} is the last, and {claimed} was durable"
            );
        }
    }
}

/// What there is to be looked at: how many, and what has been used.
struct Hunt {
    images: AtomicU64,
    used: Mutex<HashSet<Discriminant<Op>>>,
}

fn crash_everywhere(ops: &[Op], seed: u64, hunt: &Hunt) {
    // Now and then little is durable, and blocks are scarce.
    let lazy = seed.is_multiple_of(2);
    let grow_blocks = if seed.is_multiple_of(3) { 2 } else { 16 };
    let disk = Arc::new(SimDisk::new());
    disk.remember();
    let mut world = World::made_on(
        disk,
        Tuning {
            durable_ops: !lazy,
            grow_blocks,
            ..small()
        },
    );
    let mut marks = vec![mark(&world)];
    for op in ops {
        if !matches!(op, Op::Reopen { .. }) {
            world.run(op).unwrap();
            marks.push(mark(&world));
        }
    }
    hunt.used.lock().extend(ops.iter().map(discriminant));
    let mut crashes = Crashes {
        dice: Dice(seed | 1),
        tale: Tale { marks },
        seen: HashSet::new(),
    };
    let mut medium = Medium::default();
    for (at, event) in world.disk.history().iter().enumerate() {
        medium.advance(event);
        let floor = crashes.tale.durable(at + 1);
        let risk = medium.at_risk().len();
        let known = crashes.seen.len();
        for style in 0..if risk == 0 { 1 } else { STYLES } {
            // All are looked at where little can happen, some where it is much the same as before.
            if crashes.dice.below(STYLES) < 5 {
                let files = medium.cut(&crashes.dice.fates(medium.at_risk(), style));
                crashes.look(files, floor);
            }
        }
        if crashes.dice.below(16) == 0 {
            crashes.killed(&medium, floor);
        }
        let new = (crashes.seen.len() - known) as u64;
        if hunt.images.fetch_add(new, Ordering::Relaxed) >= self::crashes() {
            return;
        }
    }
}

/// A workload, by the seed of its choice.
pub(super) fn workload(seed: u64) -> Vec<Op> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = prop::collection::vec(op(), 10..60);
    strategy.new_tree(&mut runner).unwrap().current()
}

#[test]
fn a_crash_leaves_a_prefix_not_shorter_than_the_last_flush() {
    let hunt = Hunt {
        images: AtomicU64::new(0),
        used: Mutex::default(),
    };
    // A failure names the seed; `SNAPDECK_CRASH_SEED` begins with that one.
    let first = number("SNAPDECK_CRASH_SEED").unwrap_or_else(|| {
        let id = uuid::Uuid::now_v7().as_u64_pair();
        id.1
    });
    let next = AtomicU64::new(first);
    let hunter = || {
        while hunt.images.load(Ordering::Relaxed) < crashes() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let ops = workload(seed);
            let outcome = catch_unwind(AssertUnwindSafe(|| crash_everywhere(&ops, seed, &hunt)));
            if let Err(e) = outcome {
                hunt.images.store(u64::MAX / 2, Ordering::Relaxed);
                eprintln!("SNAPDECK_CRASH_SEED={seed}: the workload was {ops:?}");
                resume_unwind(e);
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(hunter);
        }
    });
    let images = hunt.images.load(Ordering::Relaxed);
    assert!(images >= crashes(), "only {images} were looked at");
    if images >= 20_000 {
        // A closed store is opened by another test; here it is opened after each cut.
        let all = op_kinds();
        let used = hunt.used.lock();
        let missing: Vec<_> = all
            .iter()
            .filter(|op| !used.contains(&discriminant(op)))
            .collect();
        assert!(missing.is_empty(), "no workload had {missing:?}");
    }
}

/// One operation of each kind.
fn op_kinds() -> Vec<Op> {
    let mut seen = HashSet::new();
    let mut kinds = Vec::new();
    for seed in 0..200 {
        let mut ops = workload(seed);
        ops.retain(|op| seen.insert(discriminant(op)));
        kinds.extend(ops);
    }
    assert!(kinds.len() > 20, "{kinds:?}");
    kinds
}

#[test]
fn a_store_that_was_not_made_to_its_end_is_told_from_a_hurt_one() {
    let disk = Arc::new(SimDisk::new());
    disk.remember();
    drop(Store::on_disk(disk.clone(), small(), true).unwrap());
    let mut medium = Medium::default();
    let (mut made, mut unmade) = (0, 0);
    for event in disk.history() {
        medium.advance(&event);
        for keep in 0..1_u32 << medium.at_risk().len().min(6) {
            let fate = |i: usize| match keep >> (i % 6) & 1 {
                1 => Fate::Kept,
                _ => Fate::Lost,
            };
            let fates: Vec<Fate> = (0..medium.at_risk().len()).map(fate).collect();
            let disk = Arc::new(SimDisk::of(medium.cut(&fates)));
            match Store::on_disk(disk.clone(), small(), false) {
                Ok(store) => {
                    made += 1;
                    assert!(!Superblock::unfinished(&*disk).unwrap());
                    assert!(store.volumes().is_empty());
                }
                Err(EngineError::Damaged { .. } | EngineError::Io { .. }) => {
                    unmade += 1;
                    assert!(Superblock::unfinished(&*disk).unwrap());
                    let store = Store::on_disk(disk.clone(), small(), true).unwrap();
                    drop(store);
                    check(&reopen(&disk));
                }
                Err(e) => panic!("{e}"),
            }
        }
    }
    assert!(made > 0 && unmade > 0, "{made} {unmade}");
}
