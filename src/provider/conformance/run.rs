//! Running plans step by step, each step twice: with the same key it is done once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

use super::{Violation, hold};
use crate::model::{
    Availability, Bytes, FieldType, Kind, Object, ObjectRef, Operation, OperationKind, Problem,
    ProblemKind, Query, Snapshot, SnapshotId, StepOutcome, TaskId, Value, Volume, VolumeId,
};
use crate::provider::{Fate, Reader, StepContext, Writer, list_all};

/// Both means at once.
pub(super) struct Driver<'a> {
    pub(super) reader: &'a dyn Reader,
    pub(super) writer: &'a dyn Writer,
}

static TASK: AtomicU64 = AtomicU64::new(0);

impl Driver<'_> {
    /// Whether the system has an operation.
    pub(super) fn has(&self, kind: OperationKind) -> bool {
        let spec = self.reader.capabilities().operation(kind);
        spec.is_some_and(|spec| spec.availability == Availability::Supported)
    }

    /// Whether an operation has a field.
    pub(super) fn has_field(&self, kind: OperationKind, field: &str) -> bool {
        let spec = self.reader.capabilities().operation(kind);
        spec.is_some_and(|spec| spec.field(field).is_some())
    }

    /// The size of the volumes that are made: 1 GiB, or the least that the system makes.
    pub(super) fn least(&self) -> Bytes {
        let spec = self
            .reader
            .capabilities()
            .operation(OperationKind::CreateVolume);
        let size = spec.and_then(|spec| spec.field("size"));
        match size.map(|field| &field.ty) {
            Some(FieldType::Size { min, .. }) => Bytes::gib(1).max(*min),
            _ => Bytes::gib(1),
        }
    }

    /// Plans and runs an operation to its end.
    pub(super) async fn run(&self, operation: Operation) -> Result<Vec<ObjectRef>, Violation> {
        let plan = self.reader.plan(&operation).await?;
        hold!(!plan.steps.is_empty(), "{} has no steps", operation.kind);
        hold!(
            !plan.summary.is_empty(),
            "{} has no summary",
            operation.kind
        );
        let task = TaskId(format!(
            "conformance-{}-{}",
            uuid::Uuid::now_v7(),
            TASK.fetch_add(1, Ordering::Relaxed)
        ));
        let mut before: Vec<StepOutcome> = Vec::new();
        for step in 0..plan.steps.len() {
            let planned = &plan.steps[step];
            hold!(
                !planned.title.is_empty() && !planned.call.is_empty(),
                "a step says nothing"
            );
            let context = StepContext {
                task: task.clone(),
                before: before.clone(),
                progress: Arc::new(|_| {}),
                cancel: CancellationToken::new(),
                detach: CancellationToken::new(),
            };
            let fate = self.writer.fate(&plan, step, &task).await?;
            let begun = matches!(fate, Fate::Done(_));
            hold!(!begun, "{}: done before it was run", planned.name);
            let once = self.writer.run(&plan, step, context.clone()).await?;
            let again = self.writer.run(&plan, step, context).await?;
            hold!(
                once.made == again.made,
                "{}: run again with the same key it made {:?} beside {:?}",
                planned.name,
                again.made,
                once.made
            );
            let fate = self.writer.fate(&plan, step, &task).await?;
            hold!(
                fate != Fate::NotDone,
                "{}: done, and said not to be",
                planned.name
            );
            before.push(once);
        }
        Ok(before
            .into_iter()
            .flat_map(|outcome| outcome.made)
            .collect())
    }

    /// Makes a volume, and returns its id.
    pub(super) async fn create(&self, name: &str) -> Result<VolumeId, Violation> {
        if !self.has(OperationKind::CreateVolume) {
            let lent = self.borrow_volumes().await?;
            return Ok(lent.into_iter().next_back().unwrap_or_else(|| "".into()));
        }
        let operation = Operation::new(OperationKind::CreateVolume)
            .text("name", name)
            .with("size", Value::Size(self.least()));
        let made = self.run(operation).await?;
        let id = made.iter().find(|object| object.kind == Kind::Volume);
        hold!(id.is_some(), "a volume was made, and does not say its id");
        Ok(VolumeId(
            id.map(|object| object.id.clone()).unwrap_or_default(),
        ))
    }

    /// The volumes of a machine that are there to be tried on, two at least.
    pub(super) async fn borrow_volumes(&self) -> Result<Vec<VolumeId>, Violation> {
        let all = list_all(self.reader, Query::all(Kind::Volume)).await?;
        let mut machines: BTreeMap<String, Vec<Volume>> = BTreeMap::new();
        for object in all {
            if let Object::Volume(volume) = object
                && let Some(instance) = volume.instance.clone()
            {
                machines.entry(instance).or_default().push(volume);
            }
        }
        let lent = |v: &Volume| v.name.starts_with("conformance-") && v.snapshots == Some(0);
        let found = machines
            .into_values()
            .find(|volumes| volumes.len() > 1 && volumes.iter().all(lent));
        hold!(
            found.is_some(),
            "there is no machine whose volumes are called conformance-… and have no snapshots"
        );
        let mut found = found.unwrap_or_default();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found.into_iter().map(|volume| volume.id).collect())
    }

    /// Deletes all snapshots of a volume that was lent.
    async fn give_back(&self, id: &VolumeId) -> Result<(), Violation> {
        // Deleting one may take others along.
        while let Some(object) = list_all(self.reader, Query::snapshots_of(id.clone()))
            .await?
            .first()
        {
            let delete = Operation::new(OperationKind::DeleteSnapshot)
                .on_snapshot(&SnapshotId(object.id().to_owned()));
            self.run(delete).await?;
            let kind = self.reader.show(&object.reference()).await.err();
            let kind = kind.map(|problem| problem.kind);
            hold!(
                kind == Some(ProblemKind::NotFound),
                "a deleted snapshot is still shown ({kind:?})"
            );
        }
        Ok(())
    }

    /// Takes a snapshot, and returns its id.
    pub(super) async fn snapshot(
        &self,
        volume: &VolumeId,
        name: &str,
    ) -> Result<SnapshotId, Violation> {
        let operation = Operation::new(OperationKind::CreateSnapshot)
            .on_volume(volume)
            .text("name", name);
        let made = self.run(operation).await?;
        let id = made.iter().find(|object| object.kind == Kind::Snapshot);
        hold!(id.is_some(), "a snapshot was made, and does not say its id");
        Ok(SnapshotId(
            id.map(|object| object.id.clone()).unwrap_or_default(),
        ))
    }

    /// A volume as it is now.
    pub(super) async fn see_volume(&self, id: &VolumeId) -> Result<Volume, Violation> {
        match self.reader.show(&id.into()).await? {
            Object::Volume(volume) => Ok(volume),
            other => Err(wrong(&other)),
        }
    }

    /// A snapshot as it is now.
    pub(super) async fn see_snapshot(&self, id: &SnapshotId) -> Result<Snapshot, Violation> {
        match self.reader.show(&id.into()).await? {
            Object::Snapshot(snapshot) => Ok(snapshot),
            other => Err(wrong(&other)),
        }
    }

    /// Deletes a volume and its snapshots.
    pub(super) async fn remove(&self, id: &VolumeId) -> Result<(), Violation> {
        if !self.has(OperationKind::DeleteVolume) {
            return self.give_back(id).await;
        }
        let operation = Operation::new(OperationKind::DeleteVolume)
            .on_volume(id)
            .with("snapshots", Value::Flag(true));
        self.run(operation).await?;
        let kind = self.reader.show(&id.into()).await.err().map(|p| p.kind);
        hold!(
            kind == Some(ProblemKind::NotFound),
            "a deleted volume is still shown ({kind:?})"
        );
        Ok(())
    }
}

fn wrong(object: &Object) -> Violation {
    Problem::user(format!("shown as a {}", object.kind().one())).into()
}
