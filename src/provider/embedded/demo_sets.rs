//! The groups, the sessions and the linked targets of the demo estate.

use super::sets::SetKind;
use super::targets::Link;
use super::{attributes, demo};
use crate::engine::{Attrs, EngineError, PointId, SnapshotRequest, Store, VolumeId};
use crate::model::{CopyMode, Time};

/// A group or a session of the estate.
struct Design {
    kind: SetKind,
    name: &'static str,
    volumes: &'static [&'static str],
    /// The machine, where it is a point in time of one.
    instance: Option<&'static str>,
    /// How long ago it was taken, in minutes; the newest snapshot of any volume is 20 old.
    minutes: i64,
    why: &'static str,
}

const SETS: [Design; 5] = [
    Design {
        kind: SetKind::Group,
        name: "db01-before-patch",
        volumes: &["db01-data", "db01-log", "db01-root"],
        instance: Some("db01"),
        minutes: 18,
        why: "by hand, before the kernel patch",
    },
    Design {
        kind: SetKind::Group,
        name: "quarter-end",
        volumes: &["db01-data", "mail01-spool", "web01-assets"],
        instance: None,
        minutes: 15,
        why: "one moment for the books",
    },
    // One of its members was deleted since.
    Design {
        kind: SetKind::Group,
        name: "mail01-move",
        volumes: &["mail01-index", "mail01-root", "mail01-spool"],
        instance: Some("mail01"),
        minutes: 12,
        why: "before mail01 was moved",
    },
    Design {
        kind: SetKind::Session,
        name: "audit",
        volumes: &["db01-data", "db01-log"],
        instance: None,
        minutes: 9,
        why: "what the auditors look at",
    },
    Design {
        kind: SetKind::Session,
        name: "web-staging",
        volumes: &["web01-root"],
        instance: None,
        minutes: 6,
        why: "nothing is linked to it yet",
    },
];

/// How many snapshots they take of an estate of this scale: none of one too small for them.
pub(super) fn points(scale: u32) -> u32 {
    let all: usize = SETS.iter().map(|design| design.volumes.len()).sum();
    match u32::try_from(all) {
        Ok(all) if scale >= 3 * all => all,
        _ => 0,
    }
}

/// Makes them. Returns how many snapshots there are more.
pub(super) fn seed(store: &Store, now: Time) -> Result<u64, EngineError> {
    let mut taken = 0;
    for design in &SETS {
        let members = take(store, design, now)?;
        taken += members.len() as u64;
        for (volume, _) in &members {
            go_on(store, *volume, design.minutes.unsigned_abs())?;
        }
        match design.name {
            "mail01-move" => {
                if let Some((_, point)) = members.first() {
                    store.delete_point(*point)?;
                    taken -= 1;
                }
            }
            "audit" => link(store, design, &members)?,
            _ => {}
        }
    }
    Ok(taken)
}

fn take(
    store: &Store,
    design: &Design,
    now: Time,
) -> Result<Vec<(VolumeId, PointId)>, EngineError> {
    let ago = jiff::SignedDuration::from_mins(design.minutes);
    let mut attrs = demo::dated(now.checked_sub(ago).unwrap_or(now));
    let mut put = |name, text: &str| attributes::put(&mut attrs, name, Some(text));
    put(attributes::SET, &design.kind.attribute(&id(design)));
    put(attributes::SET_NAME, design.name);
    put(attributes::SET_SIZE, &design.volumes.len().to_string());
    put(attributes::DESCRIPTION, design.why);
    put(attributes::INSTANCE, design.instance.unwrap_or_default());
    let all = store.volumes();
    let of = |name: &&str| {
        all.iter()
            .find(|info| info.name == *name)
            .map(|info| info.id)
    };
    let volumes: Vec<VolumeId> = design.volumes.iter().filter_map(of).collect();
    let requests: Vec<SnapshotRequest> = volumes
        .iter()
        .map(|volume| SnapshotRequest {
            volume: *volume,
            name: design.name.to_owned(),
            attrs: attrs.clone(),
        })
        .collect();
    let points = store.snapshot(&requests)?;
    Ok(volumes.into_iter().zip(points).collect())
}

/// What is written after a point in time was taken, so that it differs from what comes.
fn go_on(store: &Store, volume: VolumeId, seed: u64) -> Result<(), EngineError> {
    for run in 0..24 {
        let block = (run * 401 + seed * 977) % 2_048;
        let length = 4_096 * (1 + (run + seed) % 8) as usize;
        let byte = (run * 13 + seed) as u8;
        store.write(volume, block * 4_096, &vec![byte; length])?;
    }
    Ok(())
}

/// A target that shares with the session and was written to, and one that has copied it all.
fn link(
    store: &Store,
    design: &Design,
    members: &[(VolumeId, PointId)],
) -> Result<(), EngineError> {
    let targets = [
        ("audit-reports", CopyMode::NoCopy, 0),
        ("audit-archive", CopyMode::Copy, 1),
    ];
    for (name, mode, member) in targets {
        let Some((source, point)) = members.get(member) else {
            continue;
        };
        let copies = mode == CopyMode::Copy;
        let mut attrs = Attrs::new();
        Link::new(&id(design), *point, *source, mode).put(&mut attrs);
        let target = store.clone_volume(*point, name, attrs)?;
        match copies {
            true => {
                store.start_copy(target)?;
                store.settle()?;
            }
            false => store.write(target, 0, &[0x5a; 256 << 10])?,
        }
    }
    Ok(())
}

/// The same at every run.
fn id(design: &Design) -> String {
    format!("demo-{}", design.name)
}
