//! What each operation would do, told without doing any of it.

use std::sync::Arc;

use super::act::{Act, Blanks};
use super::look::{quota_lines, quota_set};
use super::{Shared, convert};
use crate::model::{
    Kind, ObjectRef, Operation, OperationKind, Plan, PlannedStep, Problem, Touched, Undo,
};
use crate::provider::cinder::plan::blank;
use crate::wire::evs::{AUTOMATIC, Snapshot, Volume};

/// Plans an operation as things stand now.
pub(super) async fn plan(shared: &Arc<Shared>, operation: &Operation) -> Result<Plan, Problem> {
    let absent = || Problem::user(format!("there is no {} here", operation.kind));
    let spec = shared
        .capabilities
        .operation(operation.kind)
        .ok_or_else(absent)?;
    spec.check(operation)?;
    let look = Look { shared, operation };
    match operation.kind {
        OperationKind::CreateVolume => look.create_volume().await,
        OperationKind::UpdateVolume => look.update_volume().await,
        OperationKind::ExtendVolume => look.extend_volume().await,
        OperationKind::DeleteVolume => look.delete_volume().await,
        OperationKind::CreateSnapshot => look.create_snapshot().await,
        OperationKind::UpdateSnapshot => look.update_snapshot().await,
        OperationKind::DeleteSnapshot => look.delete_snapshot().await,
        OperationKind::Restore => look.roll_back().await,
        OperationKind::Clone => look.clone_volume().await,
        // Its spec says why not.
        _ => Err(absent()),
    }
}

/// An operation, and the service that it is planned on.
pub(super) struct Look<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) operation: &'a Operation,
}

/// A disk as it was seen, with its snapshots where those matter.
pub(super) fn touched_volume(disk: &Volume, snapshots: &[Snapshot]) -> Touched {
    let mut ids: Vec<&str> = snapshots
        .iter()
        .map(|snapshot| snapshot.id.as_str())
        .collect();
    ids.sort_unstable();
    Touched {
        object: ObjectRef::new(Kind::Volume, disk.id.clone()),
        name: convert::disk_name(disk),
        revision: format!("{}|{}|{}", disk.name(), disk.size, ids.join(",")),
    }
}

/// A disk as it was seen, with when it was last changed: what rolls it back must know later whether it was.
pub(super) fn touched_moment(disk: &Volume, snapshots: &[Snapshot]) -> Touched {
    let mut touched = touched_volume(disk, snapshots);
    let changed = disk.updated().unwrap_or("never");
    touched.revision.push_str(&format!("|changed {changed}"));
    touched
}

/// When a disk was last changed, by what [`touched_moment`] keeps of it.
pub(super) fn changed(revision: &str) -> Option<String> {
    let (_, last) = revision.rsplit_once('|')?;
    let at = last.strip_prefix("changed ")?;
    (at != "never").then(|| at.to_owned())
}

/// A snapshot as it was seen.
pub(super) fn touched_snapshot(snapshot: &Snapshot, full: &str) -> Touched {
    Touched {
        object: ObjectRef::new(Kind::Snapshot, snapshot.id.clone()),
        name: full.to_owned(),
        revision: format!(
            "{}|{}|{}",
            snapshot.name(),
            snapshot.volume_id,
            snapshot.size
        ),
    }
}

/// Refuses a name that the service's own snapshots have: nothing could be done with it afterwards.
pub(super) fn not_automatic(name: &str) -> Result<(), Problem> {
    match name.starts_with(AUTOMATIC) {
        false => Ok(()),
        true => Err(Problem::user(format!(
            "\"{name}\" is a name of the service's own snapshots"
        ))
        .because(format!(
            "snapshots called {AUTOMATIC}… are made by backups of disks, and the service does nothing with them"
        ))
        .hint("give another name")),
    }
}

impl Look<'_> {
    pub(super) fn plan(&self, subject: &str, summary: String, undo: Undo) -> Plan {
        blank(self.operation, subject, summary, undo)
    }

    /// A step, with the calls that it would make.
    pub(super) async fn step(&self, act: &Act, title: &str) -> Result<PlannedStep, Problem> {
        let mut call = String::new();
        for ask in act.asks(self.operation, self.shared.family, Blanks::SHOWN)? {
            call.push_str(&self.shared.session.curl(&ask).await?);
            call.push('\n');
        }
        Ok(PlannedStep {
            name: act.name(),
            title: title.to_owned(),
            call: call.trim_end().to_owned(),
            follows: false,
            pauses: false,
        })
    }

    pub(super) async fn the_volume(&self) -> Result<Volume, Problem> {
        self.shared.volume(self.operation.volume()?.as_str()).await
    }

    pub(super) async fn the_snapshot(&self) -> Result<Snapshot, Problem> {
        self.shared
            .snapshot(self.operation.snapshot()?.as_str())
            .await
    }

    /// `DISK@SNAPSHOT`, with the disk's id where it is gone.
    pub(super) async fn full_name(&self, snapshot: &Snapshot) -> String {
        let name = convert::snapshot_name(snapshot);
        match self.shared.volume(&snapshot.volume_id).await {
            Ok(disk) => format!("{}@{name}", convert::disk_name(&disk)),
            Err(_) => format!("{}@{name}", snapshot.volume_id),
        }
    }

    /// What is used of the project's quota, for what takes of it; of disks of this type too, where one is known.
    pub(super) async fn quota(&self, plan: &mut Plan, things: &str, kind: Option<&str>) {
        let of = |name: &str| kind.map(|kind| format!("{name}_{kind}"));
        let mut names = vec![things.to_owned(), "gigabytes".to_owned()];
        names.extend(of(things));
        names.extend(of("gigabytes"));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        // A plan is a plan without it.
        if let Ok(quotas) = quota_set(&self.shared.session).await {
            plan.notes.extend(quota_lines(&quotas, &names));
        }
    }
}
