//! What each operation would do, told without doing any of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::act::{Act, SOME_GROUP, SOME_KEY};
use super::session::Ask;
use super::{Shared, convert};
use crate::model::{
    Bytes, Kind, ObjectRef, Operation, OperationKind, Plan, PlannedStep, Problem, Touched, Undo,
};
use crate::wire::cinder::{Limits, Snapshot, Volume};

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
        OperationKind::Restore => look.revert().await,
        OperationKind::Clone => look.clone_volume().await,
        OperationKind::CreateGroup => look.create_group().await,
        OperationKind::DeleteGroup => look.delete_group().await,
        // Its spec says why not.
        _ => Err(absent()),
    }
}

/// An operation, and the service that it is planned on.
pub(in crate::provider) struct Look<'a> {
    pub(in crate::provider) shared: &'a Arc<Shared>,
    pub(in crate::provider) operation: &'a Operation,
}

/// How a thing is taken back that a plan makes.
pub(in crate::provider) fn by(how: &str) -> Undo {
    Undo::By {
        how: how.to_owned(),
        operation: None,
    }
}

/// A plan without steps yet.
pub(in crate::provider) fn blank(
    operation: &Operation,
    subject: &str,
    summary: String,
    undo: Undo,
) -> Plan {
    Plan {
        operation: operation.clone(),
        subject: subject.to_owned(),
        summary,
        steps: Vec::new(),
        touches: Vec::new(),
        losses: Vec::new(),
        copies: Bytes(0),
        undo,
        notes: Vec::new(),
        confirm: None,
    }
}

/// What an operation changes of name and description, a line for each; `back` gets what they were.
pub(in crate::provider) fn renames(
    operation: &Operation,
    old: [&str; 2],
    back: &mut Operation,
) -> Vec<String> {
    let mut changes = Vec::new();
    for (field, old) in ["name", "description"].into_iter().zip(old) {
        let Some(new) = operation.find_text(field) else {
            continue;
        };
        if old != new {
            changes.push(format!("{field}: \"{old}\" becomes \"{new}\""));
            *back = back.clone().text(field, old);
        }
    }
    changes
}

/// Why there is nothing to do.
pub(in crate::provider) fn nothing_to_change() -> Problem {
    Problem::user("there is nothing to change").hint("give a value that is not the present one")
}

/// A volume as it was seen, with its snapshots where those matter.
pub(in crate::provider) fn touched_volume(volume: &Volume, snapshots: &[Snapshot]) -> Touched {
    let ids: Vec<&str> = snapshots
        .iter()
        .map(|snapshot| snapshot.id.as_str())
        .collect();
    Touched {
        object: ObjectRef::new(Kind::Volume, volume.id.clone()),
        name: convert::volume_name(volume),
        revision: format!(
            "{}|{}|{}|{}",
            volume.name,
            volume.size,
            volume.group_id.as_deref().unwrap_or_default(),
            ids.join(",")
        ),
    }
}

/// A snapshot as it was seen.
pub(super) fn touched_snapshot(snapshot: &Snapshot, full: &str) -> Touched {
    Touched {
        object: ObjectRef::new(Kind::Snapshot, snapshot.id.clone()),
        name: full.to_owned(),
        revision: format!("{}|{}|{}", snapshot.name, snapshot.volume_id, snapshot.size),
    }
}

impl Look<'_> {
    pub(in crate::provider) fn plan(&self, subject: &str, summary: String, undo: Undo) -> Plan {
        blank(self.operation, subject, summary, undo)
    }

    /// A step, with the calls that it would make.
    pub(super) async fn step(&self, act: &Act, title: &str) -> Result<PlannedStep, Problem> {
        let mut call = String::new();
        for ask in act.asks(self.operation, SOME_KEY, SOME_GROUP, "$UPDATED_AT")? {
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

    /// `VOLUME@SNAPSHOT`, with the volume's id where it is gone.
    pub(super) async fn full_name(&self, snapshot: &Snapshot) -> String {
        let name = convert::named(&snapshot.name, &snapshot.id);
        match self.shared.volume(&snapshot.volume_id).await {
            Ok(volume) => format!("{}@{name}", convert::volume_name(&volume)),
            Err(_) => format!("{}@{name}", snapshot.volume_id),
        }
    }

    /// What is used of the project's quota, for what takes of it.
    pub(in crate::provider) async fn quota(&self, plan: &mut Plan, things: &str) {
        let ask = Ask::get("/limits");
        // A plan is a plan without it.
        let Ok(answer) = self
            .shared
            .session
            .read(&ask, "the limits cannot be read")
            .await
        else {
            return;
        };
        let Ok(mut body) = serde_json::from_slice::<BTreeMap<String, Limits>>(&answer.body) else {
            return;
        };
        let Some(limits) = body.remove("limits") else {
            return;
        };
        plan.notes
            .extend(quota_lines(&limits, &[things, "Gigabytes"]));
    }

    /// The plan of a change of name and description.
    pub(in crate::provider) fn update(
        &self,
        step: PlannedStep,
        what: &str,
        full: &str,
        old: [&str; 2],
        mut back: Operation,
    ) -> Result<Plan, Problem> {
        let changes = renames(self.operation, old, &mut back);
        if changes.is_empty() {
            return Err(nothing_to_change());
        }
        let undo = Undo::By {
            how: "change it back".to_owned(),
            operation: Some(back),
        };
        let mut plan = self.plan(full, format!("change the {what} {full}"), undo);
        plan.steps = vec![step];
        plan.notes = changes;
        Ok(plan)
    }
}

/// How much of what is limited is used, a line for each.
pub(in crate::provider) fn quota_lines(limits: &Limits, things: &[&str]) -> Vec<String> {
    let of = |name: String| limits.absolute.get(&name).copied();
    things
        .iter()
        .filter_map(|things| {
            let (most, word) = match *things {
                "Gigabytes" => (of("maxTotalVolumeGigabytes".to_owned())?, "GiB".to_owned()),
                other => (of(format!("maxTotal{other}"))?, other.to_lowercase()),
            };
            let used = of(format!("total{things}Used"))?;
            (most >= 0).then(|| format!("the project uses {used} of {most} {word}"))
        })
        .collect()
}
