//! What takes a task back: the operation that its plan names, or the one that follows from what
//! it made.

use crate::model::{
    Availability, Capabilities, Kind, ObjectRef, Operation, OperationKind, StepState, Task,
    TaskState, Undo, Value,
};

/// The operation that takes back what a task did.
///
/// # Errors
/// The reason why there is none, as a clause.
pub fn undo(task: &Task) -> Result<Operation, String> {
    if task.state != TaskState::Succeeded {
        return Err("only what has succeeded is taken back".to_owned());
    }
    back(task)
}

/// The operation that takes back what a task did before it failed or was cancelled. `system` may have one of its own for a
/// restore that failed in mid-way.
///
/// # Errors
/// The reason why there is none, as a clause.
pub fn roll_back(task: &Task, system: &Capabilities) -> Result<Operation, String> {
    if !matches!(task.state, TaskState::Failed | TaskState::Cancelled) {
        return Err("only what has failed or was cancelled is rolled back".to_owned());
    }
    if let Some(operation) = of_restore(task, system) {
        return Ok(operation);
    }
    back_of_part(task)
}

/// What takes back the part of a task that was done.
fn back_of_part(task: &Task) -> Result<Operation, String> {
    let first = task.steps.first().map(|step| &step.state);
    if !matches!(first, Some(StepState::Done(_))) {
        return Err("nothing of it was done".to_owned());
    }
    back(task)
}

/// Whether `later` has put right what `failed` left: rolled it back, or retried a restore of the same group.
#[must_use]
pub fn puts_right(later: &Task, failed: &Task) -> bool {
    use OperationKind as O;
    if later.state != TaskState::Succeeded {
        return false;
    }
    let (own, other) = (&failed.plan.operation, &later.plan.operation);
    let of_restore = matches!(own.kind, O::RestoreGroup | O::RetryRestore)
        && matches!(other.kind, O::RetryRestore | O::RollBackRestore)
        && own.values.get(Kind::Group.one()) == other.values.get(Kind::Group.one());
    of_restore || back_of_part(failed).is_ok_and(|back| *other == back)
}

/// What rolls a restore of a group back, where the system has that and the restore itself was what failed.
fn of_restore(task: &Task, system: &Capabilities) -> Option<Operation> {
    use OperationKind as O;
    let operation = &task.plan.operation;
    let is_restore = matches!(operation.kind, O::RestoreGroup | O::RetryRestore);
    let spec = system.operation(O::RollBackRestore)?;
    let has = spec.availability == Availability::Supported;
    let last = task.steps.last()?;
    if !is_restore || !has || !matches!(last.state, StepState::Failed(_)) {
        return None;
    }
    let group = operation.values.get(Kind::Group.one())?;
    let back = Operation::new(O::RollBackRestore).with(Kind::Group.one(), group.clone());
    Some(match operation.values.get("force") {
        Some(force) => back.with("force", force.clone()),
        None => back,
    })
}

fn back(task: &Task) -> Result<Operation, String> {
    match &task.plan.undo {
        Undo::Never(why) => Err(format!("it cannot be taken back: {why}")),
        Undo::By {
            operation: Some(operation),
            ..
        } => Ok(operation.clone()),
        Undo::By { how, .. } => inverse(task).ok_or_else(|| format!("by hand: {how}")),
    }
}

/// What follows from what was made: it is deleted again, or the volume goes back to the guard
/// that was taken of it. `None` where more than one operation would be needed.
fn inverse(task: &Task) -> Option<Operation> {
    use OperationKind as O;
    let operation = &task.plan.operation;
    let made = |kind: Kind| {
        let mut all = task.made().filter(|object| object.kind == kind);
        all.next().filter(|_| all.next().is_none())
    };
    let with = |kind: O, object: &ObjectRef| {
        Operation::new(kind).with(object.kind.one(), Value::Object(object.clone()))
    };
    match operation.kind {
        O::CreateVolume | O::Clone => Some(with(O::DeleteVolume, made(Kind::Volume)?)),
        O::ImportImage if !operation.values.contains_key("volume") => {
            Some(with(O::DeleteVolume, made(Kind::Volume)?))
        }
        // Its snapshot came with it.
        O::ApplyDifference => {
            let delete = with(O::DeleteVolume, made(Kind::Volume)?);
            Some(delete.with("snapshots", Value::Flag(true)))
        }
        O::CreateSnapshot => Some(with(O::DeleteSnapshot, made(Kind::Snapshot)?)),
        O::CreateGroup => Some(with(O::DeleteGroup, made(Kind::Group)?)),
        O::CreateSession => Some(with(O::DeleteSession, made(Kind::Session)?)),
        O::LinkTarget => {
            let unlink = with(O::UnlinkTarget, made(Kind::Target)?);
            Some(unlink.with("delete", Value::Flag(true)))
        }
        O::Restore | O::ShrinkVolume | O::ImportImage => {
            let back = with(O::Restore, made(Kind::Snapshot)?);
            let back = back.on_volume(&operation.volume().ok()?);
            Some(back.with("guard", Value::Flag(true)))
        }
        // The guards of several volumes are a group.
        O::RestoreGroup | O::RestoreSession => {
            let back = with(O::RestoreGroup, made(Kind::Group)?);
            Some(back.with("guard", Value::Flag(true)))
        }
        // A target is seen by a volume of the same id.
        O::RelinkTarget => {
            let back = with(O::Restore, made(Kind::Snapshot)?);
            let mut touched = task.plan.touches.iter().map(|touched| &touched.object);
            let volume = touched.find(|object| object.kind == Kind::Volume)?;
            let back = back.with("volume", Value::Object(volume.clone()));
            Some(back.with("guard", Value::Flag(true)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bytes, Plan, PlannedStep, StepEvent, StepOutcome, TaskId, Time};

    fn task(operation: Operation, undo: Undo, made: Vec<ObjectRef>, state: TaskState) -> Task {
        let plan = Plan {
            operation,
            subject: String::new(),
            summary: String::new(),
            steps: vec![PlannedStep {
                name: "record".into(),
                title: String::new(),
                call: String::new(),
                follows: false,
                pauses: false,
            }],
            touches: Vec::new(),
            losses: Vec::new(),
            copies: Bytes(0),
            undo,
            notes: Vec::new(),
            confirm: None,
        };
        let at = Time::from_second(0).unwrap();
        let mut task = Task::new(TaskId("t".into()), plan, "test".into(), at);
        let message = String::new();
        let outcome = StepOutcome { message, made };
        task.apply(&StepEvent::Done { step: 0, outcome }, at);
        task.apply(&StepEvent::Finished { state }, at);
        task
    }

    fn by() -> Undo {
        Undo::By {
            how: "somehow".into(),
            operation: None,
        }
    }

    #[test]
    fn what_was_made_is_deleted_and_what_was_restored_goes_back_to_its_guard() {
        let volume = ObjectRef::new(Kind::Volume, "v");
        let guard = ObjectRef::new(Kind::Snapshot, "g");
        let made = task(
            Operation::new(OperationKind::CreateVolume),
            by(),
            vec![volume],
            TaskState::Succeeded,
        );
        let back = undo(&made).unwrap();
        assert_eq!(back.kind, OperationKind::DeleteVolume);
        assert_eq!(back.volume().unwrap().as_str(), "v");

        let restore = Operation::new(OperationKind::Restore)
            .on_volume(&"v".into())
            .on_snapshot(&"s".into());
        let restored = task(restore, by(), vec![guard], TaskState::Succeeded);
        let back = undo(&restored).unwrap();
        assert_eq!(back.kind, OperationKind::Restore);
        assert_eq!(back.snapshot().unwrap().as_str(), "g");
        assert!(back.flag("guard"));
    }

    #[test]
    fn what_has_no_inverse_says_why() {
        let kind = OperationKind::DeleteVolume;
        let never = Undo::Never("it is gone".into());
        let deleted = task(
            Operation::new(kind),
            never,
            Vec::new(),
            TaskState::Succeeded,
        );
        assert_eq!(
            undo(&deleted).unwrap_err(),
            "it cannot be taken back: it is gone"
        );
        let two = ["a", "b"].map(|id| ObjectRef::new(Kind::Snapshot, id));
        let kind = OperationKind::RestoreGroup;
        let group = task(
            Operation::new(kind),
            by(),
            two.clone().into(),
            TaskState::Succeeded,
        );
        assert_eq!(undo(&group).unwrap_err(), "by hand: somehow");

        let mut made = two.to_vec();
        made.push(ObjectRef::new(Kind::Group, "guards"));
        let group = task(Operation::new(kind), by(), made, TaskState::Succeeded);
        let back = undo(&group).unwrap();
        assert_eq!(back.kind, kind);
        assert_eq!(back.object("group", Kind::Group).unwrap(), "guards");
        let failed = task(Operation::new(kind), by(), Vec::new(), TaskState::Failed);
        assert!(undo(&failed).is_err());
    }

    #[test]
    fn a_restore_that_failed_is_rolled_back_by_the_system_where_it_can() {
        let group = ObjectRef::new(Kind::Group, "g");
        let on = |kind| {
            let group = Value::Object(group.clone());
            Operation::new(kind).with("group", group)
        };
        let mut failed = task(
            on(OperationKind::RestoreGroup),
            by(),
            Vec::new(),
            TaskState::Failed,
        );
        let problem = crate::model::Problem::user("one of them");
        let at = Time::from_second(0).unwrap();
        failed.apply(&StepEvent::Failed { step: 0, problem }, at);
        let embedded = crate::provider::embedded::capabilities();
        let why = roll_back(&failed, &embedded).unwrap_err();
        assert_eq!(why, "nothing of it was done");
        let system = crate::provider::powervc::capabilities();
        let back = roll_back(&failed, &system).unwrap();
        assert_eq!(back, on(OperationKind::RollBackRestore));
        // It is put right by that, and by a retry, of the same group alone.
        for (kind, group, right) in [
            (OperationKind::RollBackRestore, "g", true),
            (OperationKind::RetryRestore, "g", true),
            (OperationKind::RetryRestore, "other", false),
            (OperationKind::DeleteGroup, "g", false),
        ] {
            let object = Value::Object(ObjectRef::new(Kind::Group, group));
            let operation = Operation::new(kind).with("group", object);
            let later = task(operation, by(), Vec::new(), TaskState::Succeeded);
            assert_eq!(puts_right(&later, &failed), right, "{kind} {group}");
        }
    }
}
