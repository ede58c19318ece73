//! The demo estate: machines, their volumes with real data in them, and a past of
//! snapshots, restores and clones, all of it done by the engine itself.

use super::{attributes, demo_sets, error};
use crate::engine::{Attrs, EngineError, PointId, SnapshotRequest, Store, VolumeId};
use crate::model::{Bytes, Problem, Time};

/// A volume of the estate.
struct Design {
    name: &'static str,
    /// The machine, and the volume's device there.
    instance: Option<(&'static str, &'static str)>,
    size: Bytes,
    /// Data that it begins with, in MiB.
    fill: u64,
    content: Content,
    /// Its part of all snapshots, in hundredths.
    share: u32,
    description: &'static str,
}

/// What the data of a volume is like.
#[derive(Clone, Copy)]
enum Content {
    /// Lines of logs: compresses well.
    Text,
    /// Already compressed or encrypted: does not compress.
    Opaque,
    /// A database or a file system: both, by the page.
    Mixed,
}

const ESTATE: [Design; 12] = [
    volume(
        "db01-data",
        Some(("db01", "vdb")),
        64,
        40,
        Content::Mixed,
        26,
        "PostgreSQL 17, main cluster",
    ),
    volume(
        "db01-log",
        Some(("db01", "vdc")),
        8,
        8,
        Content::Text,
        14,
        "write-ahead log archive",
    ),
    volume(
        "db01-root",
        Some(("db01", "vda")),
        20,
        12,
        Content::Mixed,
        5,
        "Debian 13",
    ),
    volume(
        "web01-root",
        Some(("web01", "vda")),
        20,
        12,
        Content::Mixed,
        6,
        "Debian 13",
    ),
    volume(
        "web01-assets",
        Some(("web01", "vdb")),
        200,
        24,
        Content::Opaque,
        9,
        "pictures and videos",
    ),
    volume(
        "mail01-root",
        Some(("mail01", "vda")),
        20,
        12,
        Content::Mixed,
        4,
        "Debian 13",
    ),
    volume(
        "mail01-spool",
        Some(("mail01", "vdb")),
        100,
        20,
        Content::Text,
        14,
        "maildirs",
    ),
    volume(
        "mail01-index",
        Some(("mail01", "vdc")),
        10,
        6,
        Content::Opaque,
        6,
        "full-text index; can be rebuilt",
    ),
    volume(
        "build01-root",
        Some(("build01", "vda")),
        40,
        12,
        Content::Mixed,
        4,
        "Fedora 43",
    ),
    volume(
        "build01-cache",
        Some(("build01", "vdb")),
        500,
        16,
        Content::Opaque,
        6,
        "compiler cache",
    ),
    volume(
        "build01-artifacts",
        Some(("build01", "vdc")),
        1024,
        20,
        Content::Opaque,
        6,
        "what was built",
    ),
    volume(
        "scratch",
        None,
        10,
        2,
        Content::Text,
        0,
        "nobody's; may be deleted",
    ),
];

const fn volume(
    name: &'static str,
    instance: Option<(&'static str, &'static str)>,
    gib: u64,
    fill: u64,
    content: Content,
    share: u32,
    description: &'static str,
) -> Design {
    Design {
        name,
        instance,
        size: Bytes::gib(gib),
        fill,
        content,
        share,
        description,
    }
}

/// What there is to begin a rehearsal with.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    /// The point in time that the copy under way is made from.
    pub copy_from: PointId,
    /// How many snapshots were taken.
    pub snapshots: u64,
}

/// Makes the estate in an empty store, with about `snapshots` snapshots that end at `now`.
/// `progress` hears how many of how many were taken.
///
/// # Errors
/// Where the store cannot take it (a full disk).
pub fn seed(
    store: &Store,
    snapshots: u32,
    now: Time,
    progress: &dyn Fn(u64, u64),
) -> Result<Seeded, Problem> {
    let mut estate = Estate {
        store,
        now,
        random: Random(0x5eed_da7a),
        taken: 0,
        // So much is written between two snapshots that the whole stays small.
        change: ((96 << 20) / u64::from(snapshots.max(1))).clamp(8 << 10, 1 << 20),
    };
    // What groups and sessions take is part of the scale.
    let sets = demo_sets::points(snapshots);
    let snapshots = snapshots - sets;
    let rounds: u64 = ESTATE.iter().map(|d| estate.rounds(d, snapshots)).sum();
    let total = rounds + u64::from(sets);
    let mut copy_from = None;
    for design in &ESTATE {
        let rounds = estate.rounds(design, snapshots);
        let past = estate
            .make(design, rounds, &|taken| progress(taken, total))
            .map_err(|e| error::problem(&e, "the demo estate could not be made"))?;
        copy_from = copy_from.or(past);
    }
    if sets > 0 {
        estate.taken += demo_sets::seed(store, now)
            .map_err(|e| error::problem(&e, "the demo estate could not be made"))?;
        progress(estate.taken, total);
    }
    store
        .flush()
        .map_err(|e| error::problem(&e, "the demo estate could not be made"))?;
    let copy_from =
        copy_from.ok_or_else(|| Problem::user("the demo estate needs a snapshot at least"))?;
    Ok(Seeded {
        copy_from,
        snapshots: estate.taken,
    })
}

struct Estate<'a> {
    store: &'a Store,
    now: Time,
    random: Random,
    taken: u64,
    /// Bytes written between two snapshots.
    change: u64,
}

impl Estate<'_> {
    fn rounds(&self, design: &Design, snapshots: u32) -> u64 {
        let share = u64::from(snapshots) * u64::from(design.share);
        match design.share {
            0 => 0,
            _ => (share / 100).max(1),
        }
    }

    /// Makes a volume and its past; returns a point of it to copy from.
    fn make(
        &mut self,
        design: &Design,
        rounds: u64,
        progress: &dyn Fn(u64),
    ) -> Result<Option<PointId>, EngineError> {
        let mut attrs = Attrs::new();
        attributes::put(
            &mut attrs,
            attributes::DESCRIPTION,
            Some(design.description),
        );
        if let Some((instance, device)) = design.instance {
            attributes::put(&mut attrs, attributes::INSTANCE, Some(instance));
            attributes::put(&mut attrs, attributes::DEVICE, Some(device));
        }
        let born = self.ago(rounds + 30, rounds);
        attributes::put(&mut attrs, attributes::TAKEN, Some(&born.to_string()));
        let id = self
            .store
            .create_volume(design.name, design.size.0, attrs)?;
        self.fill(id, design)?;
        let mut points = Vec::new();
        for round in 0..rounds {
            let age = rounds - round;
            self.write(id, design)?;
            let (name, why) = name(age, round);
            let point = self.snapshot(id, name, why, self.ago(age, rounds))?;
            points.push(point);
            progress(self.taken);
            self.history(id, design, &points, age, rounds)?;
        }
        self.write(id, design)?;
        Ok(points.get(points.len() / 2).copied())
    }

    /// What else happened: bad days and their restores, clones for rehearsals.
    fn history(
        &mut self,
        id: VolumeId,
        design: &Design,
        points: &[PointId],
        age: u64,
        rounds: u64,
    ) -> Result<(), EngineError> {
        let n = points.len();
        // A volume with a past of some length was taken back a few times in it.
        let restored = rounds >= 12 && (age == rounds / 2 || age == (rounds / 5).max(3));
        if let (true, Some(point)) = (restored, n.checked_sub(3).and_then(|n| points.get(n))) {
            self.write(id, design)?;
            let taken = self.ago(age, rounds);
            let mut attrs = dated(taken);
            attributes::put(&mut attrs, attributes::GUARD, Some("true"));
            attributes::put(
                &mut attrs,
                attributes::DESCRIPTION,
                Some(&format!("what {} held before a restore", design.name)),
            );
            let guard = taken.strftime("guard-%Y%m%d-%H%M%S").to_string();
            self.store.restore(id, *point, Some((guard, attrs)), None)?;
            self.taken += 1;
        }
        if design.name == "db01-data" && n == (rounds as usize).div_ceil(3) {
            let mut attrs = dated(self.ago(age, rounds));
            attributes::put(
                &mut attrs,
                attributes::DESCRIPTION,
                Some("a clone, to rehearse the upgrade on"),
            );
            if let Some(point) = points.last() {
                let clone = self.store.clone_volume(*point, "db01-rehearsal", attrs)?;
                self.write(clone, design)?;
            }
        }
        Ok(())
    }

    fn snapshot(
        &mut self,
        volume: VolumeId,
        name: String,
        why: &str,
        taken: Time,
    ) -> Result<PointId, EngineError> {
        let mut attrs = dated(taken);
        attributes::put(&mut attrs, attributes::DESCRIPTION, Some(why));
        let made = self.store.snapshot(&[SnapshotRequest {
            volume,
            name,
            attrs,
        }])?;
        self.taken += 1;
        made.into_iter()
            .next()
            .ok_or_else(|| EngineError::BadRequest("the snapshot was not made".to_owned()))
    }

    /// When a snapshot of this age, in rounds, was taken: hours near the end, days before,
    /// and never longer ago than two years.
    fn ago(&self, age: u64, rounds: u64) -> Time {
        const HOUR: i64 = 3_600;
        const LONGEST: i64 = 2 * 365 * 24 * HOUR;
        let age = i64::try_from(age).unwrap_or(i64::MAX);
        let rounds = i64::try_from(rounds).unwrap_or(i64::MAX).max(1);
        let seconds = if rounds > 600 {
            // Evenly over two years, however many there are.
            (LONGEST / rounds).saturating_mul(age)
        } else if age <= 6 {
            age * HOUR - 40 * 60
        } else {
            (age - 5).saturating_mul(24 * HOUR)
        };
        let ago = jiff::SignedDuration::from_secs(seconds.min(2 * LONGEST));
        self.now.checked_sub(ago).unwrap_or(self.now)
    }

    /// The data that a volume begins with, at its front and spread behind it.
    fn fill(&mut self, id: VolumeId, design: &Design) -> Result<(), EngineError> {
        let mut buffer = vec![0; 1 << 20];
        for n in 0..design.fill {
            self.content(design.content, &mut buffer);
            let mib = design.size.0 >> 20;
            let at = if n < design.fill / 2 {
                n
            } else {
                design.fill / 2 + self.random.below(mib - design.fill)
            };
            self.store.write(id, at << 20, &buffer)?;
        }
        Ok(())
    }

    /// What changes between two snapshots: runs of blocks, most of them where data is.
    fn write(&mut self, id: VolumeId, design: &Design) -> Result<(), EngineError> {
        let mut left = (self.change / 2 + self.random.below(self.change)) & !4095;
        let mut buffer = vec![0; 64 << 10];
        while left > 0 {
            let run = ((1 + self.random.below(16)) << 12).min(left);
            let within = if self.random.below(8) == 0 {
                design.size.0
            } else {
                (design.fill << 20) / 2
            };
            let at = self.random.below((within - run) >> 12) << 12;
            if let Some(part) = buffer.get_mut(..run as usize) {
                self.content(design.content, part);
                self.store.write(id, at, part)?;
            }
            left -= run;
        }
        Ok(())
    }

    fn content(&mut self, content: Content, buffer: &mut [u8]) {
        for block in buffer.chunks_mut(4096) {
            let text = match content {
                Content::Text => true,
                Content::Opaque => false,
                Content::Mixed => self.random.below(2) == 0,
            };
            if text {
                self.text(block);
            } else {
                for word in block.chunks_mut(8) {
                    let bytes = self.random.next().to_le_bytes();
                    word.copy_from_slice(bytes.get(..word.len()).unwrap_or(&bytes));
                }
            }
        }
    }

    fn text(&mut self, block: &mut [u8]) {
        let number = self.random.next();
        let line = format!(
            "{} app[{}]: request {number:016x} served in {} ms\n",
            self.now,
            self.random.below(9_000),
            self.random.below(400)
        );
        for part in block.chunks_mut(line.len()) {
            part.copy_from_slice(line.as_bytes().get(..part.len()).unwrap_or_default());
        }
    }
}

pub(super) fn dated(taken: Time) -> Attrs {
    let mut attrs = Attrs::new();
    attributes::put(&mut attrs, attributes::TAKEN, Some(&taken.to_string()));
    attrs
}

/// A snapshot's name and why it was taken.
fn name(age: u64, round: u64) -> (String, &'static str) {
    match age {
        1..=6 => (format!("hourly-{round:02}"), "every hour"),
        _ if round % 9 == 4 => (
            format!("before-upgrade-{round}"),
            "by hand, before an upgrade",
        ),
        _ if round % 7 == 6 => (format!("weekly-{round:02}"), "every Sunday"),
        _ => (format!("nightly-{round:02}"), "every night at 02:00"),
    }
}

/// A small generator of numbers that are the same at every run (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 where `n` is 0.
    fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }
}

/// The reference to a point in time, for an operation.
#[must_use]
pub fn reference(point: PointId) -> crate::model::ObjectRef {
    crate::model::ObjectRef::from(&super::convert::snapshot_id(point))
}
