//! A volume that other programs may write to meanwhile is exported as it is at one moment: from a
//! snapshot that is taken for it, and deleted after.

use super::super::open::Opened;
use crate::model::{
    Kind, Object, ObjectRef, OperationKind, Problem, ProblemKind, StepState, Task, Time,
};

/// The snapshot that an export is from.
pub(super) struct Moment {
    snapshot: ObjectRef,
}

impl Moment {
    /// Takes one, where the store is open in another program, too; a volume of a store that
    /// nobody else has stays as it is.
    ///
    /// # Errors
    /// Where it is needed and cannot be taken.
    pub(super) async fn of(opened: &Opened, object: &Object) -> Result<Option<Self>, Problem> {
        if opened.guest_of().is_none() || matches!(object, Object::Snapshot(_)) {
            return Ok(None);
        }
        let name = Time::now().strftime("export-%Y%m%d-%H%M%S").to_string();
        let why = "taken for an export, and deleted after it";
        let fields = [
            ("volume", object.id()),
            ("name", &name),
            ("description", why),
        ];
        let outcome = run(opened, OperationKind::CreateSnapshot, &fields).await;
        let task = outcome.map_err(|problem| {
            problem.hint(format!(
                "another program may write to {} meanwhile: export a snapshot of it",
                object.full_name()
            ))
        })?;
        let snapshot = task.made().find(|made| made.kind == Kind::Snapshot);
        match snapshot {
            Some(snapshot) => Ok(Some(Self {
                snapshot: snapshot.clone(),
            })),
            None => Err(Problem::new(ProblemKind::Bug, "no snapshot was taken")),
        }
    }

    /// The snapshot.
    pub(super) fn snapshot(&self) -> &ObjectRef {
        &self.snapshot
    }

    /// Deletes it; its room comes back in the other program's background.
    pub(super) async fn over(self, opened: &Opened) -> Result<(), Problem> {
        let fields = [("snapshot", self.snapshot.id.as_str())];
        run(opened, OperationKind::DeleteSnapshot, &fields)
            .await
            .map(|_| ())
    }
}

/// Runs an operation until what it records is done.
async fn run(
    opened: &Opened,
    kind: OperationKind,
    fields: &[(&str, &str)],
) -> Result<std::sync::Arc<Task>, Problem> {
    let reader = &*opened.connection.reader;
    let spec = reader
        .capabilities()
        .operation(kind)
        .ok_or_else(|| Problem::user(format!("there is no {kind} here")))?;
    let tracker = &opened.tracker;
    let plan = tracker.plan(&spec.operation(fields)?).await?;
    let id = tracker.submit(plan).await?;
    let recorded = |task: &Task| {
        let first = task.steps.first().map(|step| &step.state);
        task.is_settled() || matches!(first, Some(StepState::Done(_)))
    };
    let task = tracker.wait(&id, recorded).await?;
    match task.problem() {
        Some(problem) => Err(problem.clone()),
        None => Ok(task),
    }
}
