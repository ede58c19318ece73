use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::model::{Bytes, Time};
use crate::tui::tests::fixtures::snapshot;

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<u128>().prop_map(|n| uuid::Uuid::from_u128(n).to_string()),
        1 => any::<u128>().prop_map(|n| uuid::Uuid::from_u128(n).to_string().to_uppercase()),
        1 => any::<u128>().prop_map(|n| uuid::Uuid::from_u128(n).simple().to_string()),
        2 => "[a-f0-9-]{0,3}",
        1 => ".{0,5}",
    ]
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        (0..1_u64 << 40).prop_map(|n| Bytes(n << 12)),
        any::<u64>().prop_map(Bytes)
    ]
}

fn time() -> impl Strategy<Value = Time> {
    let (least, most) = (Time::MIN.as_nanosecond(), Time::MAX.as_nanosecond());
    prop_oneof![
        (0..2_000_000_000_i64).prop_map(|s| Time::from_second(s).unwrap()),
        (least..=most).prop_map(|n| Time::from_nanosecond(n).unwrap()),
    ]
}

prop_compose! {
    fn any_snapshot()(
        (id, volume, parent) in (id(), "v[0-3]", option::of(id())),
        name in "\\PC{0,8}",
        volume_name in option::of("[ab]"),
        state in prop_oneof![3 => Just("available".to_owned()), 1 => Just("error".to_owned()), 1 => "\\PC{0,4}"],
        size in bytes(),
        (used, exclusive, written) in (option::of(bytes()), option::of(bytes()), option::of(bytes())),
        description in prop_oneof!["nightly", "", "\\PC{0,20}"],
        created in option::of(time()),
        guard in any::<bool>(),
        clones in prop::collection::vec(id().prop_map(VolumeId), 0..3),
        (group, session) in (option::of(id()), option::of(id())),
        metadata in prop::collection::btree_map("[a-c]{1,2}", "\\PC{0,4}", 0..3),
    ) -> Snapshot {
        Snapshot {
            id: SnapshotId(id),
            name,
            state: state.as_str().into(),
            volume: VolumeId(volume),
            volume_name,
            parent: parent.map(SnapshotId),
            size,
            used,
            exclusive,
            written,
            description,
            created,
            guard,
            clones,
            group: group.as_deref().map(Into::into),
            session: session.as_deref().map(Into::into),
            metadata,
        }
    }
}

proptest! {
    #[test]
    fn what_was_packed_comes_out_as_it_was(all in prop::collection::vec(any_snapshot(), 0..20)) {
        let mut packed = Packed::default();
        all.iter().cloned().for_each(|one| packed.push(one));
        let out: Vec<Snapshot> = packed.iter().map(|row| row.unpack()).collect();
        prop_assert_eq!(&out, &all);
        for (at, one) in all.iter().enumerate() {
            let row = packed.row(at);
            prop_assert_eq!(row.id(), one.id.clone());
            prop_assert!(row.is(one.id.as_str()));
            prop_assert_eq!(row.state(), one.state.clone());
            prop_assert_eq!(row.clone_count(), one.clones.len());
            prop_assert_eq!(row.is_plain(), !one.guard && one.state == SnapshotState::Available
                && one.clones.is_empty() && one.group.is_none() && one.session.is_none());
            for (to, other) in all.iter().enumerate() {
                prop_assert_eq!(packed.taken(at).cmp(&packed.taken(to)), one.created.cmp(&other.created));
                prop_assert_eq!(row.key().cmp(&packed.row(to).key()), one.id.cmp(&other.id));
                let same = (&one.volume, &one.volume_name) == (&other.volume, &other.volume_name);
                if row.volume_number() == packed.row(to).volume_number() {
                    prop_assert!(same);
                }
            }
        }
    }

    #[test]
    fn it_is_kept_as_a_sorted_list_is(
        first in prop::collection::vec(any_snapshot(), 0..30),
        steps in prop::collection::vec((any_snapshot(), any::<prop::sample::Index>(), 0..4), 0..200),
    ) {
        let mut packed = Packed::default();
        let mut plain = first.clone();
        first.into_iter().for_each(|one| packed.push(one));
        plain.sort_by(|a, b| a.id.cmp(&b.id));
        plain.dedup_by(|a, b| a.id == b.id);
        packed.sort(0);
        for at in (1..packed.len()).rev() {
            if packed.row(at).key() == packed.row(at - 1).key() {
                packed.remove(at);
            }
        }
        let ids = |packed: &Packed| packed.iter().map(|row| row.id()).collect::<Vec<_>>();
        prop_assert_eq!(ids(&packed), plain.iter().map(|one| one.id.clone()).collect::<Vec<_>>());
        // Of several with the same id, which one is kept is left open.
        plain = packed.iter().map(|row| row.unpack()).collect();
        for (one, index, what) in steps {
            match (packed.find(one.id.as_str()), what) {
                (_, 0) if !plain.is_empty() => {
                    let at = index.index(plain.len());
                    packed.remove(at);
                    plain.remove(at);
                }
                (_, 1) if !plain.is_empty() => {
                    let at = index.index(plain.len());
                    let changed = Snapshot { id: plain[at].id.clone(), ..one };
                    packed.set(at, changed.clone());
                    plain[at] = changed;
                }
                (Ok(at), _) => prop_assert_eq!(&plain[at].id, &one.id),
                (Err(at), _) => {
                    packed.insert(at, one.clone());
                    plain.insert(at, one);
                }
            }
            prop_assert!(packed.dead <= packed.len() + 64);
        }
        let out: Vec<Snapshot> = packed.iter().map(|row| row.unpack()).collect();
        prop_assert_eq!(out, plain);
    }
}

#[test]
fn a_long_one_has_a_piece_of_its_own() {
    let mut packed = Packed::default();
    for n in 0..6 {
        let mut one = snapshot("db01", &format!("n{n}"), None, 60);
        one.name = "x".repeat(n * 40_000);
        packed.push(one);
    }
    for n in 0..6 {
        assert_eq!(packed.row(n).name.len(), n * 40_000);
    }
}

/// A hundred bytes each, with all that belongs to them: ten MB for a hundred thousand.
#[test]
fn a_hundred_thousand_take_ten_megabytes() {
    let count = 100_000_u128;
    let mut packed = Packed::default();
    let id = |n: u128| uuid::Uuid::from_u128((n << 64) | (n * 7919)).to_string();
    for n in 0..count {
        packed.push(Snapshot {
            id: SnapshotId(id(n)),
            parent: n.checked_sub(1).map(|n| SnapshotId(id(n))),
            description: format!("before the upgrade of week {}", n % 52),
            ..snapshot(
                "db01-data",
                &format!("nightly-2026-08-{n:07}"),
                None,
                n as i64,
            )
        });
    }
    packed.shrink();
    let pieces: usize = packed.pieces.iter().map(Vec::capacity).sum();
    let spots = packed.spots.capacity() * size_of::<Spot>();
    assert!(
        pieces + spots < 100 * count as usize,
        "{pieces} and {spots}"
    );
}
