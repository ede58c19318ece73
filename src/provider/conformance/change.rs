//! Checks that make things, change them, and take them away again.

use std::time::Duration;

use futures_util::StreamExt as _;

use super::look::everything;
use super::run::Driver;
use super::{Outcome, Violation, hold};
use crate::model::{
    Bytes, Kind, Operation, OperationKind, ProblemKind, Query, SnapshotId, TreeRowKind, Value,
    VolumeId, VolumeState,
};
use crate::model::{Object, SnapshotTree};
use crate::provider::list_all;

/// A volume is made, changed, extended, read and deleted.
pub(super) async fn volume(driver: &Driver<'_>) -> Outcome {
    let id = driver.create("conformance-volume").await?;
    let made = driver.see_volume(&id).await?;
    hold!(
        made.name == "conformance-volume",
        "it is called {}",
        made.name
    );
    let size = driver.least();
    hold!(made.size == size, "it has {}", made.size);
    hold!(made.state == VolumeState::Available, "it is {}", made.state);

    if driver.has_field(OperationKind::UpdateVolume, "name") {
        rename(driver, &id).await?;
    }
    let extend = |size| {
        Operation::new(OperationKind::ExtendVolume)
            .on_volume(&id)
            .with("size", Value::Size(size))
    };
    let larger = Bytes(size.0 + Bytes::gib(1).0);
    driver.run(extend(larger)).await?;
    let seen = driver.see_volume(&id).await?;
    hold!(seen.size == larger, "extended, it has {}", seen.size);
    let kind = driver
        .reader
        .plan(&extend(size))
        .await
        .err()
        .map(|p| p.kind);
    hold!(
        kind == Some(ProblemKind::User),
        "made smaller, it gave {kind:?}"
    );

    if let Ok(content) = driver.reader.content(&(&id).into()) {
        hold!(
            content.size() == larger.0,
            "its content has {} bytes",
            content.size()
        );
        let mut at = 0;
        while at < content.size() {
            let ranges = content.ranges(at)?;
            hold!(!ranges.is_empty(), "its mapping ends at {at}");
            for range in ranges {
                hold!(range.offset == at, "a gap in its mapping at {at}");
                hold!(!range.data, "a new volume has data at {at}");
                at += range.length;
            }
        }
        let mut buffer = [1; 512];
        content.read(content.size() - 512, &mut buffer)?;
        hold!(buffer == [0; 512], "a new volume does not read as zeroes");
        hold!(
            content.read(content.size() - 1, &mut buffer).is_err(),
            "it reads beyond its end"
        );
    }
    driver.remove(&id).await
}

/// What a volume is called is changed, and what is said of it.
async fn rename(driver: &Driver<'_>, id: &VolumeId) -> Outcome {
    let renamed = Operation::new(OperationKind::UpdateVolume)
        .on_volume(id)
        .text("name", "conformance-renamed")
        .text("description", "a text");
    driver.run(renamed).await?;
    let seen = driver.see_volume(id).await?;
    hold!(
        seen.name == "conformance-renamed",
        "renamed, it is called {}",
        seen.name
    );
    hold!(
        seen.description == "a text",
        "its description is {:?}",
        seen.description
    );
    Ok(())
}

/// Snapshots make a chain; after a restore the next one is a sibling; a guard keeps what was
/// replaced; deleting one in the middle leaves the others in their order.
pub(super) async fn snapshot_tree(driver: &Driver<'_>) -> Outcome {
    let id = driver.create("conformance-tree").await?;
    let first = driver.snapshot(&id, "first").await?;
    let second = driver.snapshot(&id, "second").await?;
    let third = driver.snapshot(&id, "third").await?;
    let below = driver.see_volume(&id).await?.parent;
    // A system may keep no tree; then it says so everywhere.
    let tree = below.is_some();
    hold!(
        !tree || below.as_ref() == Some(&third),
        "not below its newest"
    );
    let parent = driver.see_snapshot(&third).await?.parent;
    hold!(parent.as_ref() == tree.then_some(&second), "no chain");

    // With a guard any of them can be gone back to; without one the latest alone.
    let mut left = match driver.has_field(OperationKind::Restore, "guard") {
        true => restore_to_any(driver, &id, [&first, &third], tree).await?,
        false => restore_to_latest(driver, &id, [&first, &third]).await?,
    };

    let delete = Operation::new(OperationKind::DeleteSnapshot).on_snapshot(&second);
    // Where what hangs from it goes along, each is named before.
    let lost = driver.reader.plan(&delete).await?.losses.len() as u64;
    driver.run(delete).await?;
    if lost > 1 {
        left -= lost - 1;
        let kind = driver.reader.show(&(&third).into()).await.err();
        let kind = kind.map(|problem| problem.kind);
        hold!(
            kind == Some(ProblemKind::NotFound),
            "what was said to be lost gave {kind:?}"
        );
    } else {
        let seen = driver.see_snapshot(&third).await?;
        hold!(
            seen.parent.as_ref() == tree.then_some(&first),
            "its parent deleted, it hangs in the air"
        );
    }

    let listed = list_all(driver.reader, Query::snapshots_of(id.clone())).await?;
    let snapshots: Vec<_> = listed
        .into_iter()
        .filter_map(|object| match object {
            Object::Snapshot(snapshot) => Some(snapshot),
            _ => None,
        })
        .collect();
    hold!(
        snapshots.len() as u64 == left,
        "{} snapshots of {left} are listed",
        snapshots.len()
    );
    let volume = driver.see_volume(&id).await?;
    hold!(
        volume.snapshots == Some(left),
        "the volume says {:?} of {left}",
        volume.snapshots
    );
    let tree = SnapshotTree::build(&volume, &snapshots);
    let here = tree
        .rows
        .iter()
        .position(|row| row.kind == TreeRowKind::Here);
    hold!(here.is_some(), "the tree does not say where the volume is");

    if driver.has(OperationKind::DeleteVolume) {
        let kept = Operation::new(OperationKind::DeleteVolume).on_volume(&id);
        let kind = driver.reader.plan(&kept).await.err().map(|p| p.kind);
        hold!(
            kind == Some(ProblemKind::Conflict),
            "deleted over its snapshots: {kind:?}"
        );
    }
    driver.remove(&id).await
}

/// Goes back to an early one, keeping what was replaced; how many snapshots there are without the second.
async fn restore_to_any(
    driver: &Driver<'_>,
    id: &VolumeId,
    [first, third]: [&SnapshotId; 2],
    tree: bool,
) -> Result<u64, Violation> {
    let restore = Operation::new(OperationKind::Restore)
        .on_volume(id)
        .on_snapshot(first)
        .with("guard", Value::Flag(true));
    let made = driver.run(restore).await?;
    let guard = made.iter().find(|object| object.kind == Kind::Snapshot);
    hold!(guard.is_some(), "a restore with a guard made none");
    hold!(
        driver.see_volume(id).await?.parent.as_ref() == tree.then_some(first),
        "not restored to first"
    );
    let branch = driver.snapshot(id, "branch").await?;
    let seen = driver.see_snapshot(&branch).await?;
    hold!(
        seen.parent.as_ref() == tree.then_some(first),
        "after a restore the next is no sibling"
    );
    hold!(
        driver.see_snapshot(third).await.is_ok(),
        "a newer snapshot is gone after a restore"
    );
    Ok(4)
}

/// Goes back to the latest, and is refused an earlier one rather than losing what came after it.
async fn restore_to_latest(
    driver: &Driver<'_>,
    id: &VolumeId,
    [first, third]: [&SnapshotId; 2],
) -> Result<u64, Violation> {
    let restore = |to| {
        Operation::new(OperationKind::Restore)
            .on_volume(id)
            .on_snapshot(to)
    };
    let kind = driver
        .reader
        .plan(&restore(first))
        .await
        .err()
        .map(|p| p.kind);
    hold!(
        kind == Some(ProblemKind::Conflict),
        "restored over later snapshots: {kind:?}"
    );
    let plan = driver.reader.plan(&restore(third)).await?;
    hold!(
        plan.is_destructive() && plan.confirm.is_some(),
        "a restore without a guard does not say what is lost, or does not ask"
    );
    driver.run(restore(third)).await?;
    let volume = driver.see_volume(id).await?;
    hold!(
        volume.state == VolumeState::Available,
        "it is {}",
        volume.state
    );
    let branch = driver.snapshot(id, "branch").await?;
    let seen = driver.see_snapshot(&branch).await?;
    hold!(
        seen.parent.as_ref() == Some(third),
        "the next is not below it"
    );
    Ok(3)
}

/// A clone is a volume of its own, and outlives what it was made from.
pub(super) async fn clone_volume(driver: &Driver<'_>) -> Outcome {
    let id = driver.create("conformance-source").await?;
    let point = driver.snapshot(&id, "point").await?;
    let mut clones = Vec::new();
    for copy in [false, true] {
        let mut operation = Operation::new(OperationKind::Clone)
            .on_snapshot(&point)
            .text("name", "conformance-clone");
        if driver.has_field(OperationKind::Clone, "copy") {
            operation = operation.with("copy", Value::Flag(copy));
        }
        let made = driver.run(operation).await?;
        let clone = made.into_iter().find(|object| object.kind == Kind::Volume);
        hold!(clone.is_some(), "a clone was made, and does not say its id");
        clones.extend(clone.map(|object| crate::model::VolumeId(object.id)));
    }
    driver.remove(&id).await?;
    for clone in clones {
        let seen = driver.see_volume(&clone).await?;
        hold!(
            seen.size == driver.least(),
            "its source gone, the clone has {}",
            seen.size
        );
        driver.remove(&clone).await?;
    }
    Ok(())
}

/// Making a plan changes nothing.
pub(super) async fn plans_are_pure(driver: &Driver<'_>) -> Outcome {
    let id = driver.create("conformance-pure").await?;
    let point = driver.snapshot(&id, "point").await?;
    let before = everything(driver.reader).await?;
    for operation in [
        Operation::new(OperationKind::CreateSnapshot)
            .on_volume(&id)
            .text("name", "x"),
        Operation::new(OperationKind::DeleteSnapshot).on_snapshot(&point),
        Operation::new(OperationKind::Restore)
            .on_volume(&id)
            .on_snapshot(&point),
        Operation::new(OperationKind::Clone)
            .on_snapshot(&point)
            .text("name", "x"),
        Operation::new(OperationKind::DeleteVolume)
            .on_volume(&id)
            .with("snapshots", Value::Flag(true)),
    ] {
        if !driver.has(operation.kind) {
            continue;
        }
        let plan = driver.reader.plan(&operation).await?;
        let again = driver.reader.plan(&operation).await?;
        hold!(
            again.still_holds(&plan),
            "{}: two plans in a row differ",
            operation.kind
        );
        let destructive = matches!(
            operation.kind,
            OperationKind::DeleteSnapshot | OperationKind::DeleteVolume
        );
        hold!(
            !destructive || (plan.is_destructive() && plan.confirm.is_some()),
            "{}: it does not say what is lost, or does not ask",
            operation.kind
        );
    }
    hold!(
        everything(driver.reader).await? == before,
        "a plan changed something"
    );
    driver.remove(&id).await
}

/// A plan does not hold for a thing that has changed since.
pub(super) async fn plans_are_pinned(driver: &Driver<'_>) -> Outcome {
    let id = driver.create("conformance-pinned").await?;
    let delete = match driver.has(OperationKind::DeleteVolume) {
        true => Operation::new(OperationKind::DeleteVolume)
            .on_volume(&id)
            .with("snapshots", Value::Flag(true)),
        // What hangs from it would go along.
        false => {
            let first = driver.snapshot(&id, "first").await?;
            Operation::new(OperationKind::DeleteSnapshot).on_snapshot(&first)
        }
    };
    let plan = driver.reader.plan(&delete).await?;
    driver.snapshot(&id, "later").await?;
    let now = driver.reader.plan(&delete).await?;
    hold!(
        !now.still_holds(&plan),
        "a plan to delete holds for a snapshot that it never saw"
    );
    driver.remove(&id).await
}

/// Who watches hears of a change.
pub(super) async fn watch(driver: &Driver<'_>) -> Outcome {
    let mut changes = driver.reader.watch();
    let id = driver.create("conformance-watched").await?;
    if !driver.has(OperationKind::CreateVolume) {
        driver.snapshot(&id, "watched").await?;
    }
    let heard = tokio::time::timeout(Duration::from_secs(60), changes.next()).await;
    hold!(
        matches!(heard, Ok(Some(_))),
        "something was made, and nobody heard of it"
    );
    driver.remove(&id).await
}
