//! Several changes at one moment.

use super::basics::{get, snap};
use super::{fresh, reopen};
use crate::engine::{
    Action, Attrs, EngineError, Made, PointId, SnapshotRequest, Source, Store, VolumeId,
};

const MIB: u64 = 1 << 20;

fn two(store: &Store) -> [(VolumeId, PointId); 2] {
    [1u8, 2].map(|n| {
        let volume = store
            .create_volume(&format!("v{n}"), MIB, Attrs::new())
            .unwrap();
        store.write(volume, 0, &[n; 4096]).unwrap();
        let point = snap(store, volume, "before");
        store.write(volume, 0, &[n + 10; 4096]).unwrap();
        (volume, point)
    })
}

fn back((volume, point): (VolumeId, PointId)) -> Action {
    Action::Restore {
        volume,
        point,
        keep: Some(("guard".into(), Attrs::new())),
        attrs: None,
    }
}

#[test]
fn restores_of_many_volumes_are_one_record() {
    let (disk, store) = fresh();
    let pairs = two(&store);
    let made = store.transact(pairs.map(back).to_vec()).unwrap();
    let guards: Vec<PointId> = made
        .into_iter()
        .map(|made| match made {
            Some(Made::Point(id)) => id,
            other => panic!("{other:?}"),
        })
        .collect();
    let copy = std::sync::Arc::new(disk.copy());
    for store in [&store, &reopen(&copy)] {
        for (n, (volume, _)) in pairs.iter().enumerate() {
            let n = n as u8 + 1;
            assert_eq!(get(store, Source::Volume(*volume), 0, 1)[0], n);
            let guard = Source::Point(guards[usize::from(n) - 1]);
            assert_eq!(get(store, guard, 0, 1)[0], n + 10);
        }
    }
}

#[test]
fn a_volume_becomes_what_another_ones_snapshot_is() {
    let (_, store) = fresh();
    let [(one, at_one), (_, at_two)] = two(&store);
    let target = store.clone_volume(at_one, "target", Attrs::new()).unwrap();
    store.write(target, 4096, &[7; 4096]).unwrap();
    store.restore(target, at_two, None, None).unwrap();
    assert_eq!(get(&store, Source::Volume(target), 0, 1)[0], 2);
    assert_eq!(get(&store, Source::Volume(target), 4096, 1)[0], 0);
    assert_eq!(store.volume(target).unwrap().parent, Some(at_two));
    assert_eq!(store.point(at_two).unwrap().clones, [target]);
    assert!(store.point(at_one).unwrap().clones.is_empty());
    store.delete_volume(one, true).unwrap();
    store.settle().unwrap();
    assert_eq!(get(&store, Source::Volume(target), 0, 1)[0], 2);
}

#[test]
fn what_does_not_go_together_changes_nothing() {
    let (_, store) = fresh();
    let [(one, at_one), (two, at_two)] = two(&store);
    let refused = |actions: Vec<Action>| store.transact(actions).unwrap_err();
    let twice = vec![back((one, at_one)), back((one, at_one))];
    assert!(matches!(refused(twice), EngineError::BadRequest(_)));
    assert!(matches!(refused(vec![]), EngineError::BadRequest(_)));
    let delete = |point| Action::DeletePoint { point };
    let rests = vec![back((one, at_one)), delete(at_one)];
    assert!(matches!(refused(rests), EngineError::BadRequest(_)));
    let gone = Action::DeleteVolume {
        volume: two,
        cascade: true,
    };
    let rests = vec![gone, back((one, at_two))];
    assert!(matches!(refused(rests), EngineError::BadRequest(_)));
    let unknown = vec![delete(at_one), delete(PointId::new())];
    assert!(matches!(refused(unknown), EngineError::NoPoint(_)));
    assert_eq!(store.points().len(), 2);
    assert_eq!(store.volumes().len(), 2);
    assert_eq!(get(&store, Source::Volume(one), 0, 1)[0], 11);
    store
        .transact(vec![delete(at_one), delete(at_two)])
        .unwrap();
    assert!(store.points().is_empty());
}

#[test]
fn a_group_has_no_write_that_an_earlier_one_is_missing_for() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (_, store) = fresh();
    let volumes = ["a", "b"].map(|name| store.create_volume(name, MIB, Attrs::new()).unwrap());
    let (begun, done) = (AtomicBool::new(false), AtomicBool::new(false));
    let number = |source| {
        let bytes = get(&store, source, 0, 8);
        u64::from_le_bytes(bytes.try_into().unwrap())
    };
    std::thread::scope(|scope| {
        // Each number goes to the first volume, then to the second.
        let writer = scope.spawn(|| {
            let mut n = 0u64;
            while !done.load(Ordering::Relaxed) {
                n += 1;
                let mut block = [0; 4096];
                block[..8].copy_from_slice(&n.to_le_bytes());
                for volume in volumes {
                    store.write(volume, 0, &block).unwrap();
                }
                begun.store(true, Ordering::Relaxed);
            }
            n
        });
        while !begun.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        for round in 0..300 {
            let request = |volume| SnapshotRequest {
                volume,
                name: format!("g{round}"),
                attrs: Attrs::new(),
            };
            let group = store.snapshot(&volumes.map(request)).unwrap();
            let [first, second] = [0, 1].map(|i| number(Source::Point(group[i])));
            assert!(
                first == second || first == second + 1,
                "{first} and {second}"
            );
            let gone = |point: &PointId| Action::DeletePoint { point: *point };
            store.transact(group.iter().map(gone).collect()).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 0);
    });
    store.settle().unwrap();
}
