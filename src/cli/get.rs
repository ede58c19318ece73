//! `snapdeck get`: lists.

use std::sync::Arc;

use serde::Serialize;

use super::args::{GetArgs, GlobalOptions, ListKind};
use super::get_sets::{GroupRow, SessionRow, TargetRow};
use super::open::{Purpose, open};
use super::output::{self, Row};
use super::text;
use crate::model::{
    Age, Kind, Object, Progress, Query, Snapshot, StepState, Task, TaskState, Time, Volume,
    VolumeId,
};
use crate::model::{Problem, Value};
use crate::provider::{Resolver, list_all};

/// Lists what was asked for.
pub(super) async fn get(options: &GlobalOptions, args: &GetArgs) -> Result<u8, Problem> {
    let opened = open(options, Purpose::Look).await?;
    let reader = &*opened.connection.reader;
    if args.volume.is_some() && args.kind != ListKind::Snapshots {
        return Err(Problem::user("--volume narrows snapshots only"));
    }
    match args.kind {
        ListKind::Volumes => {
            let all = list_all(reader, Query::all(Kind::Volume)).await?;
            let volumes: Vec<_> = of(all, |object| match object {
                Object::Volume(volume) => Some(VolumeRow(volume)),
                _ => None,
            });
            output::rows(&volumes, args.output)?;
        }
        ListKind::Snapshots => {
            let query = match &args.volume {
                Some(name) => {
                    let found = Resolver::new(reader).find(Kind::Volume, name, None).await?;
                    Query::snapshots_of(VolumeId(found.id().to_owned()))
                }
                None => Query::all(Kind::Snapshot),
            };
            let all = list_all(reader, query).await?;
            let snapshots: Vec<_> = of(all, |object| match object {
                Object::Snapshot(snapshot) => Some(SnapshotRow(snapshot)),
                _ => None,
            });
            output::rows(&snapshots, args.output)?;
        }
        ListKind::Groups => {
            let all = list_all(reader, Query::all(Kind::Group)).await?;
            let groups: Vec<_> = of(all, |object| match object {
                Object::Group(group) => Some(GroupRow(group)),
                _ => None,
            });
            output::rows(&groups, args.output)?;
        }
        ListKind::Sessions => {
            let all = list_all(reader, Query::all(Kind::Session)).await?;
            let sessions: Vec<_> = of(all, |object| match object {
                Object::Session(session) => Some(SessionRow(session)),
                _ => None,
            });
            output::rows(&sessions, args.output)?;
        }
        ListKind::Targets => {
            let all = list_all(reader, Query::all(Kind::Target)).await?;
            let targets: Vec<_> = of(all, |object| match object {
                Object::Target(target) => Some(TargetRow(target)),
                _ => None,
            });
            output::rows(&targets, args.output)?;
        }
        ListKind::Tasks => {
            let tasks = opened.tracker.tasks();
            let rows: Vec<_> = tasks.into_iter().map(TaskRow::from).collect();
            output::rows(&rows, args.output)?;
        }
    }
    opened.close().await?;
    Ok(0)
}

/// Those that are of one kind.
fn of<R>(all: Vec<Object>, row: impl Fn(Object) -> Option<R>) -> Vec<R> {
    all.into_iter().filter_map(row).collect()
}

/// How long ago, for people.
pub(super) fn age(time: Option<Time>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| Age::between(time, Time::now()).ago(),
    )
}

fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty())
        .unwrap_or("-")
        .to_owned()
}

#[derive(Serialize)]
#[serde(transparent)]
struct VolumeRow(Volume);

impl Row for VolumeRow {
    const HEADER: &'static [&'static str] = &[
        "NAME",
        "SIZE",
        "USED",
        "SNAPS",
        "STATE",
        "INSTANCE",
        "LAST POINT IN TIME",
        "ID",
    ];

    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "state",
        "size",
        "used",
        "exclusive",
        "written",
        "parent",
        "instance",
        "device",
        "description",
        "created",
        "snapshots",
        "last_snapshot",
    ];

    fn cells(&self) -> Vec<String> {
        let Self(volume) = self;
        vec![
            volume.name.clone(),
            volume.size.to_string(),
            text::size(volume.used),
            text::count(volume.snapshots),
            volume.state.to_string(),
            or_dash(volume.instance.as_deref()),
            age(volume.last_snapshot),
            volume.id.to_string(),
        ]
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct SnapshotRow(Snapshot);

impl Row for SnapshotRow {
    const HEADER: &'static [&'static str] = &[
        "VOLUME",
        "NAME",
        "SIZE",
        "WRITTEN",
        "EXCLUSIVE",
        "STATE",
        "TAKEN",
        "ID",
    ];

    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "state",
        "volume",
        "volume_name",
        "parent",
        "size",
        "used",
        "exclusive",
        "written",
        "description",
        "created",
        "guard",
    ];

    fn cells(&self) -> Vec<String> {
        let Self(snapshot) = self;
        vec![
            or_dash(snapshot.volume_name.as_deref()),
            snapshot.name.clone(),
            snapshot.size.to_string(),
            text::size(snapshot.written),
            text::size(snapshot.exclusive),
            snapshot.state.to_string(),
            age(snapshot.created),
            snapshot.id.to_string(),
        ]
    }
}

/// A task as scripts see it.
#[derive(Serialize)]
pub(super) struct TaskRow {
    id: String,
    /// What it is about, in one line.
    name: String,
    operation: &'static str,
    summary: String,
    state: TaskState,
    /// Why it is suspended or has failed.
    reason: Option<String>,
    volume: Option<String>,
    snapshot: Option<String>,
    progress: Option<Progress>,
    steps_done: usize,
    steps: Vec<StepRow>,
    by: String,
    created: Time,
    ended: Option<Time>,
    /// Ids of what it made.
    made: Vec<String>,
}

#[derive(Serialize)]
struct StepRow {
    name: String,
    title: String,
    state: &'static str,
    message: Option<String>,
    attempts: u32,
    started: Option<Time>,
    ended: Option<Time>,
}

impl From<Arc<Task>> for TaskRow {
    fn from(task: Arc<Task>) -> Self {
        let values = &task.plan.operation.values;
        let object = |field: &str| match values.get(field) {
            Some(Value::Object(object)) => Some(object.id.clone()),
            _ => None,
        };
        let steps: Vec<_> = task
            .plan
            .steps
            .iter()
            .zip(&task.steps)
            .map(|(planned, step)| {
                let (state, message) = match &step.state {
                    StepState::Waiting => ("waiting", None),
                    StepState::Running => ("running", None),
                    StepState::Done(outcome) => ("done", Some(outcome.message.clone())),
                    StepState::Failed(problem) => ("failed", Some(problem.to_string())),
                };
                StepRow {
                    name: planned.name.clone(),
                    title: planned.title.clone(),
                    state,
                    message: message.filter(|text| !text.is_empty()),
                    attempts: step.attempts,
                    started: step.started,
                    ended: step.ended,
                }
            })
            .collect();
        Self {
            id: task.id.to_string(),
            name: task.plan.subject.clone(),
            operation: task.plan.operation.kind.name(),
            summary: task.plan.summary.clone(),
            state: task.state.clone(),
            reason: Some(task.reason.clone()).filter(|reason| !reason.is_empty()),
            volume: object("volume"),
            snapshot: object("snapshot"),
            progress: task.progress(),
            steps_done: steps.iter().filter(|step| step.state == "done").count(),
            steps,
            by: task.by.clone(),
            created: task.created,
            ended: task.ended,
            made: task.made().map(|object| object.id.clone()).collect(),
        }
    }
}

impl Row for TaskRow {
    const HEADER: &'static [&'static str] =
        &["OPERATION", "SUBJECT", "STATE", "STEPS", "BEGUN", "ID"];

    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "operation",
        "summary",
        "state",
        "reason",
        "volume",
        "snapshot",
        "steps_done",
        "by",
        "created",
        "ended",
    ];

    fn cells(&self) -> Vec<String> {
        let state = match &self.reason {
            Some(reason) => format!("{}: {reason}", self.state),
            None => self.state.to_string(),
        };
        vec![
            self.operation.to_owned(),
            self.name.clone(),
            state,
            format!("{}/{}", self.steps_done, self.steps.len()),
            age(Some(self.created)),
            self.id.clone(),
        ]
    }
}
