//! Checks of groups, sessions and linked targets, where a system has them.

use super::run::Driver;
use super::{Outcome, Violation, hold};
use crate::model::{
    CopyMode, Group, GroupId, GroupState, Kind, LinkedTarget, Member, Object, ObjectRef, Operation,
    OperationKind, ProblemKind, Query, Session, SessionId, TargetState, Value, VolumeId,
};
use crate::provider::list_all;

/// The machine that is lent to the checks.
const MACHINE: &str = "conformance";

fn of(kind: OperationKind, object: &ObjectRef) -> Operation {
    Operation::new(kind).with(object.kind.one(), Value::Object(object.clone()))
}

fn on(kind: OperationKind, name: &str, volumes: &[VolumeId]) -> Operation {
    let volumes = volumes.iter().map(ObjectRef::from).collect();
    Operation::new(kind)
        .text("name", name)
        .with("volumes", Value::Objects(volumes))
}

/// The thing of this kind among those made.
fn made(all: &[ObjectRef], kind: Kind) -> Result<ObjectRef, Violation> {
    let found = all.iter().find(|object| object.kind == kind).cloned();
    hold!(found.is_some(), "a {} was made and not told", kind.one());
    Ok(found.unwrap_or_else(|| ObjectRef::new(kind, "")))
}

async fn see(driver: &Driver<'_>, object: &ObjectRef) -> Result<Object, Violation> {
    Ok(driver.reader.show(object).await?)
}

async fn group(driver: &Driver<'_>, object: &ObjectRef) -> Result<Group, Violation> {
    match see(driver, object).await? {
        Object::Group(group) => Ok(group),
        other => Err(wrong(&other)),
    }
}

async fn session(driver: &Driver<'_>, object: &ObjectRef) -> Result<Session, Violation> {
    match see(driver, object).await? {
        Object::Session(session) => Ok(session),
        other => Err(wrong(&other)),
    }
}

async fn target(driver: &Driver<'_>, object: &ObjectRef) -> Result<LinkedTarget, Violation> {
    match see(driver, object).await? {
        Object::Target(target) => Ok(target),
        other => Err(wrong(&other)),
    }
}

fn wrong(object: &Object) -> Violation {
    Violation {
        check: "",
        what: format!("shown as a {}", object.kind().one()),
    }
}

async fn gone(driver: &Driver<'_>, object: &ObjectRef) -> Outcome {
    let kind = driver.reader.show(object).await.err().map(|p| p.kind);
    hold!(
        kind == Some(ProblemKind::NotFound),
        "{object} is gone and gave {kind:?}"
    );
    Ok(())
}

/// Two volumes, for what is about several.
async fn pair(driver: &Driver<'_>) -> Result<[VolumeId; 2], Violation> {
    if !driver.has(OperationKind::CreateVolume) {
        let lent = <[VolumeId; 2]>::try_from(driver.borrow_volumes().await?);
        hold!(
            lent.is_ok(),
            "the machine whose volumes are lent has more than two"
        );
        return Ok(lent.unwrap_or_else(|_| ["".into(), "".into()]));
    }
    Ok([
        driver.create("conformance-one").await?,
        driver.create("conformance-two").await?,
    ])
}

fn covers(members: &[Member], volumes: &[VolumeId]) -> bool {
    members.len() == volumes.len()
        && volumes
            .iter()
            .all(|volume| members.iter().any(|member| member.volume == *volume))
}

/// A group is taken, renamed, restored as one, parted and deleted.
pub(super) async fn groups(driver: &Driver<'_>) -> Outcome {
    use OperationKind as O;
    let volumes = pair(driver).await?;
    let all = driver
        .run(on(O::CreateGroup, "conformance-group", &volumes))
        .await?;
    let id = made(&all, Kind::Group)?;
    let seen = group(driver, &id).await?;
    hold!(
        seen.name == "conformance-group",
        "it is called {}",
        seen.name
    );
    hold!(seen.state == GroupState::Available, "it is {}", seen.state);
    hold!(seen.taken == 2, "it was taken with {}", seen.taken);
    hold!(
        covers(&seen.members, &volumes),
        "its members are {:?}",
        seen.members
    );
    for member in &seen.members {
        let snapshot = driver.see_snapshot(&member.snapshot).await?;
        let says = snapshot.group.as_ref().map(GroupId::as_str);
        hold!(says == Some(id.id.as_str()), "a member says {says:?}");
    }

    if driver.has(O::Ungroup) {
        change_group(driver, &id, &volumes).await?;
    } else {
        keep_group_whole(driver, &id).await?;
    }

    let all = driver.run(on(O::CreateGroup, "again", &volumes)).await?;
    let id = made(&all, Kind::Group)?;
    let members = group(driver, &id).await?.members;
    driver.run(of(O::DeleteGroup, &id)).await?;
    gone(driver, &id).await?;
    for member in &members {
        gone(driver, &(&member.snapshot).into()).await?;
    }
    for volume in &volumes {
        driver.remove(volume).await?;
    }
    Ok(())
}

/// Renames a group, takes its volumes back to it, deletes a member of it, and parts it.
async fn change_group(driver: &Driver<'_>, id: &ObjectRef, volumes: &[VolumeId]) -> Outcome {
    use OperationKind as O;
    let rename = of(O::UpdateGroup, id).text("name", "conformance-renamed");
    driver.run(rename).await?;
    let seen = group(driver, id).await?;
    hold!(seen.name == "conformance-renamed", "it is {}", seen.name);

    let all = driver
        .run(of(O::RestoreGroup, id).with("guard", Value::Flag(true)))
        .await?;
    let guards = all.iter().filter(|object| object.kind == Kind::Snapshot);
    hold!(guards.count() == 2, "restored with guards: {all:?}");
    for volume in volumes {
        let parent = driver.see_volume(volume).await?.parent;
        let back = seen
            .members
            .iter()
            .any(|m| Some(&m.snapshot) == parent.as_ref());
        hold!(back, "a volume was not taken back: {parent:?}");
    }

    // The first may be what holds the group together.
    let member = seen.members.last().map(|member| member.snapshot.clone());
    let lone = Operation::new(O::DeleteSnapshot);
    if let Some(member) = member {
        driver.run(lone.on_snapshot(&member)).await?;
    }
    let seen = group(driver, id).await?;
    hold!(
        seen.state == GroupState::Incomplete && seen.taken == 2 && seen.members.len() == 1,
        "a member gone, it is {} with {} of {}",
        seen.state,
        seen.members.len(),
        seen.taken
    );
    driver.run(of(O::Ungroup, id)).await?;
    gone(driver, id).await?;
    for member in &seen.members {
        let group = driver.see_snapshot(&member.snapshot).await?.group;
        hold!(group.is_none(), "parted, a member says {group:?}");
    }
    Ok(())
}

/// A group that cannot be parted is deleted whole, and none of its members alone.
async fn keep_group_whole(driver: &Driver<'_>, id: &ObjectRef) -> Outcome {
    use OperationKind as O;
    for member in &group(driver, id).await?.members {
        let lone = Operation::new(O::DeleteSnapshot).on_snapshot(&member.snapshot);
        let kind = driver.reader.plan(&lone).await.err().map(|p| p.kind);
        hold!(
            kind == Some(ProblemKind::Conflict),
            "a member was deleted alone: {kind:?}"
        );
    }
    driver.run(of(O::DeleteGroup, id)).await?;
    gone(driver, id).await
}

/// The volumes of the machine that is lent to the checks.
pub(super) async fn machine(driver: &Driver<'_>) -> Result<Vec<VolumeId>, Violation> {
    let all = list_all(driver.reader, Query::all(Kind::Volume)).await?;
    let of_it = |object| match object {
        Object::Volume(volume) if volume.instance.as_deref() == Some(MACHINE) => Some(volume.id),
        _ => None,
    };
    Ok(all.into_iter().filter_map(of_it).collect())
}

/// Snapshots of a machine are taken of all its volumes and of some, renamed, restored with a guard, and deleted whole.
pub(super) async fn instance_snapshots(driver: &Driver<'_>, volumes: &[VolumeId]) -> Outcome {
    use OperationKind as O;
    let whole = Operation::new(O::CreateGroup)
        .text("name", "conformance-whole")
        .text("instance", MACHINE);
    let whole = made(&driver.run(whole).await?, Kind::Group)?;
    let seen = group(driver, &whole).await?;
    hold!(seen.state == GroupState::Available, "it is {}", seen.state);
    hold!(
        seen.instance.as_deref() == Some(MACHINE) && covers(&seen.members, volumes),
        "of {:?}: {:?}",
        seen.instance,
        seen.members
    );
    for member in &seen.members {
        let snapshot = driver.see_snapshot(&member.snapshot).await?;
        let says = snapshot.group.as_ref().map(GroupId::as_str);
        hold!(says == Some(whole.id.as_str()), "a member says {says:?}");
    }
    let part = on(O::CreateGroup, "conformance-part", &volumes[..1]);
    let part = made(&driver.run(part).await?, Kind::Group)?;
    let members = group(driver, &part).await?.members;
    hold!(
        covers(&members, &volumes[..1]),
        "of one volume: {members:?}"
    );
    let rename = of(O::UpdateGroup, &part)
        .text("name", "conformance-renamed")
        .text("description", "a text");
    driver.run(rename).await?;
    let renamed = group(driver, &part).await?;
    hold!(
        (renamed.name.as_str(), renamed.description.as_str()) == ("conformance-renamed", "a text"),
        "renamed, it is {} ({})",
        renamed.name,
        renamed.description
    );
    let refused = |plan: Result<crate::model::Plan, crate::model::Problem>, what: &str| {
        let kind = plan.err().map(|problem| problem.kind);
        hold!(kind == Some(ProblemKind::Conflict), "{what}: {kind:?}");
        Ok(())
    };
    for kind in [O::RetryRestore, O::RollBackRestore] {
        let plan = driver.reader.plan(&of(kind, &whole)).await;
        refused(plan, "no restore of it has failed")?;
    }
    for member in &seen.members {
        let lone = Operation::new(O::DeleteSnapshot).on_snapshot(&member.snapshot);
        refused(
            driver.reader.plan(&lone).await,
            "a member was deleted alone",
        )?;
    }
    let restore = of(O::RestoreGroup, &whole).with("guard", Value::Flag(true));
    let guard = made(&driver.run(restore).await?, Kind::Group)?;
    let kept = group(driver, &guard).await?;
    hold!(
        kept.guard && covers(&kept.members, volumes),
        "restored with a guard: {kept:?}"
    );
    let back = group(driver, &whole).await?;
    hold!(
        back.state == GroupState::Available && back.members.iter().all(|m| !m.failed),
        "restored, it is {}",
        back.state
    );
    for id in [&whole, &part, &guard] {
        let members = group(driver, id).await?.members;
        driver.run(of(O::DeleteGroup, id)).await?;
        gone(driver, id).await?;
        for member in &members {
            gone(driver, &(&member.snapshot).into()).await?;
        }
    }
    Ok(())
}

/// A session is taken, targets are linked to it, put on another, and parted.
pub(super) async fn sessions(driver: &Driver<'_>) -> Outcome {
    use OperationKind as O;
    let pair = pair(driver).await?;
    // A system may take sessions of single volumes, or of groups that were made for it.
    let refused = driver
        .reader
        .plan(&on(O::CreateSession, "first", &pair))
        .await;
    let volumes = match refused.map_err(|problem| problem.kind) {
        Err(ProblemKind::User) => &pair[..1],
        _ => &pair[..],
    };
    let first = driver.run(on(O::CreateSession, "first", volumes)).await?;
    let first = made(&first, Kind::Session)?;
    let second = driver.run(on(O::CreateSession, "second", volumes)).await?;
    let second = made(&second, Kind::Session)?;
    let mut targets = Vec::new();
    for mode in ["nocopy", "copy"] {
        let link = of(O::LinkTarget, &first)
            .text("name", format!("conformance-{mode}"))
            .text("mode", mode);
        let all = driver.run(link).await?;
        let linked: Vec<ObjectRef> = all
            .into_iter()
            .filter(|object| object.kind == Kind::Target)
            .collect();
        let (n, of) = (linked.len(), volumes.len());
        hold!(n == of, "{n} targets of {of} volumes");
        for object in linked {
            let seen = target(driver, &object).await?;
            let of = seen.session.as_ref().map(SessionId::as_str);
            hold!(of == Some(first.id.as_str()), "linked to {of:?}");
            hold!(seen.mode == CopyMode::from(mode), "{mode}: {}", seen.mode);
            let state = match mode {
                // Where nothing is told of what is shared, nothing is of what was copied.
                "copy" if seen.shared.is_some() => TargetState::Copied,
                _ => TargetState::Linked,
            };
            hold!(seen.state == state, "{mode}: it is {}", seen.state);
            let device = driver.see_volume(&seen.volume).await?;
            hold!(device.size == seen.size, "its device has {}", device.size);
            targets.push((object, seen));
        }
    }
    let seen = session(driver, &first).await?;
    hold!(
        seen.targets.len() == 2 * volumes.len() && covers(&seen.members, volumes),
        "it says {} targets, {} members",
        seen.targets.len(),
        seen.members.len()
    );
    let kind = driver.reader.plan(&of(O::DeleteSession, &first)).await;
    let kind = kind.err().map(|problem| problem.kind);
    hold!(
        kind == Some(ProblemKind::Conflict),
        "deleted below its targets: {kind:?}"
    );

    for (object, before) in &targets {
        let mut relink = of(O::RelinkTarget, object).with("session", Value::Object(second.clone()));
        if driver.has_field(O::RelinkTarget, "guard") {
            relink = relink.with("guard", Value::Flag(false));
        }
        driver.run(relink).await?;
        let seen = target(driver, object).await?;
        let of = seen.session.as_ref().map(SessionId::as_str);
        hold!(of == Some(second.id.as_str()), "relinked to {of:?}");
        hold!(seen.source == before.source, "it shows {:?}", seen.source);
    }
    for (n, (object, before)) in targets.iter().enumerate() {
        let delete = n % 2 == 1;
        let unlink = of(O::UnlinkTarget, object).with("delete", Value::Flag(delete));
        let made = driver.run(unlink).await?;
        gone(driver, object).await?;
        // Its device may be a volume of another id then.
        let device = made.into_iter().find(|object| object.kind == Kind::Volume);
        let device = device.map_or(before.volume.clone(), |object| VolumeId(object.id));
        match delete {
            true => gone(driver, &(&device).into()).await?,
            false => driver.remove(&device).await?,
        }
    }
    driver
        .run(of(O::RestoreSession, &first).with("guard", Value::Flag(true)))
        .await?;
    for id in [&first, &second] {
        driver.run(of(O::DeleteSession, id)).await?;
        gone(driver, id).await?;
    }
    for volume in &pair {
        driver.remove(volume).await?;
    }
    Ok(())
}
