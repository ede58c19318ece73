//! What needs attention, a row each; and above it everything at a glance.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Column, Rows, Spans, ago, one};
use crate::config::theme::Role;
use crate::model::{
    Age, Bytes, GroupState, Kind, ObjectRef, SnapshotState, TargetState, TaskState, Time,
    VolumeState,
};
use crate::tui::state::{RowId, SnapshotRow, State};

const COLUMNS: &[Column] = &[
    Column::text("name", "ATTENTION", 24, 0),
    Column::text("what", "WHAT", 10, 2),
    Column::text("why", "WHY", 30, 1),
];

/// A volume whose newest point in time is older than this is told of, in seconds.
const OLD: i64 = 7 * 86_400;
/// So many rows are shown at most.
const MOST: usize = 2_000;
/// The sparkline goes back so many days.
const DAYS: usize = 30;
/// The glyphs of a sparkline, and those for terminals without them.
const SPARKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_SPARKS: [&str; 4] = [".", ":", "|", "#"];

struct Row {
    id: RowId,
    name: String,
    what: &'static str,
    why: String,
    role: Role,
}

/// What needs attention, the worst first.
pub(super) struct Pulse<'a> {
    state: &'a State,
    rows: Vec<Row>,
}

impl<'a> Pulse<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        let mut rows = Vec::new();
        tasks(state, &mut rows);
        things(state, &mut rows);
        unguarded(state, &mut rows);
        rows.truncate(MOST);
        rows.sort_by_key(|row| row.role != Role::Error);
        Self { state, rows }
    }
}

fn tasks(state: &State, rows: &mut Vec<Row>) {
    for task in &state.tasks.items {
        let role = match task.state {
            TaskState::Failed if state.tasks.is_present(task) => Role::Error,
            TaskState::Suspended | TaskState::Lost | TaskState::Unknown(_) => Role::Warn,
            _ => continue,
        };
        rows.push(Row {
            id: RowId::Task(task.id.clone()),
            name: state.clean(&task.plan.subject).into_owned(),
            what: task.plan.operation.kind.verb(),
            why: match task.reason.is_empty() {
                true => task.state.word().to_owned(),
                false => task.reason.clone(),
            },
            role,
        });
    }
    for message in state.messages.items.iter().rev() {
        if message.number >= state.messages.seen {
            rows.push(Row {
                id: RowId::Message(message.number),
                name: message.problem.what.clone(),
                what: "message",
                why: message.problem.hints.first().cloned().unwrap_or_default(),
                role: Role::Error,
            });
        }
    }
}

fn things(state: &State, rows: &mut Vec<Row>) {
    let inventory = &state.inventory;
    let mut add = |object: ObjectRef, name: &str, why: String, role| {
        rows.push(Row {
            what: state.word(object.kind),
            id: RowId::Object(object),
            name: name.to_owned(),
            why,
            role,
        });
    };
    for volume in &inventory.volumes.items {
        match &volume.state {
            VolumeState::Error => {
                add(
                    (&volume.id).into(),
                    &volume.name,
                    "not usable".to_owned(),
                    Role::Error,
                );
            }
            VolumeState::Unknown(word) => {
                add((&volume.id).into(), &volume.name, word.clone(), Role::Warn);
            }
            _ => {}
        }
    }
    let broken = |s: &SnapshotRow<'_>| s.state() == SnapshotState::Error;
    for snapshot in inventory.snapshots.items.iter().filter(broken) {
        add(
            (&snapshot.id()).into(),
            snapshot.name,
            "not usable".to_owned(),
            Role::Error,
        );
    }
    let sets = inventory.groups.items.iter().map(|group| {
        let id = ObjectRef::from(&group.id);
        (
            id,
            &group.name,
            &group.state,
            group.members.len(),
            group.taken,
        )
    });
    let sessions = inventory.sessions.items.iter().map(|session| {
        let id = ObjectRef::from(&session.id);
        (
            id,
            &session.name,
            &session.state,
            session.members.len(),
            session.taken,
        )
    });
    for (id, name, value, there, taken) in sets.chain(sessions) {
        match value {
            GroupState::Incomplete => {
                let gone = taken.saturating_sub(there as u64);
                add(
                    id,
                    name,
                    format!("{gone} of {taken} points in time are gone"),
                    Role::Warn,
                );
            }
            GroupState::Error => add(id, name, "not usable".to_owned(), Role::Error),
            GroupState::RestoreError => {
                let said = "its restore failed: retry it, or roll it back".to_owned();
                add(id, name, said, Role::Error);
            }
            _ => {}
        }
    }
    for target in &inventory.targets.items {
        match target.state {
            TargetState::Error => {
                add(
                    (&target.id).into(),
                    &target.name,
                    "not usable".to_owned(),
                    Role::Error,
                );
            }
            TargetState::Paused => {
                let why = "its copy waits to be resumed".to_owned();
                add((&target.id).into(), &target.name, why, Role::Warn);
            }
            _ => {}
        }
    }
}

/// Volumes in use that nothing would bring back.
fn unguarded(state: &State, rows: &mut Vec<Row>) {
    let word = state.word(Kind::Snapshot);
    for volume in &state.inventory.volumes.items {
        if volume.instance.is_none() {
            continue;
        }
        let age = volume
            .last_snapshot
            .map(|at| Age::between(at, state.now.wall));
        let why = match age {
            None => format!("in use, and there is no {word} of it"),
            Some(age) if age.0 > OLD => format!("its last {word} is {age} old"),
            Some(_) => continue,
        };
        rows.push(Row {
            id: RowId::Object((&volume.id).into()),
            name: volume.name.clone(),
            what: state.word(Kind::Volume),
            why,
            role: Role::Warn,
        });
    }
}

impl Rows for Pulse<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn id(&self, row: usize) -> RowId {
        self.rows[row].id.clone()
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        self.rows[row].id == *id
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        self.state.clean(&self.rows[row].name)
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let at = &self.rows[row];
        match column {
            0 => one(self.name(row), Role::Text),
            1 => one(at.what, Role::Dim),
            _ => one(self.state.clean(&at.why), at.role),
        }
    }

    fn order(&self, a: usize, b: usize, _column: usize) -> Ordering {
        a.cmp(&b)
    }

    fn sortable(&self) -> bool {
        false
    }

    fn lead(&self, row: usize) -> Spans<'_> {
        let glyphs = self.state.glyphs();
        let (glyph, role) = match self.rows[row].role {
            Role::Error => (glyphs.bad, Role::Error),
            _ => (glyphs.warn, Role::Warn),
        };
        one(format!("{glyph} "), role)
    }

    fn version(&self) -> u64 {
        let inventory = &self.state.inventory;
        let lists = Kind::ALL.map(|kind| inventory.standing(kind).version);
        let now = self.state.now.clock.as_secs() / 60;
        lists.iter().sum::<u64>()
            + self.state.tasks.version
            + self.state.messages.next
            + self.state.messages.seen
            + now
    }

    fn empty(&self) -> String {
        "nothing needs attention".to_owned()
    }
}

/// Everything at a glance, a line each.
pub(crate) fn summary(state: &State, width: u16) -> Vec<Spans<'static>> {
    let inventory = &state.inventory;
    let volumes = &inventory.volumes.items;
    let sum = |of: &dyn Fn(&crate::model::Volume) -> Option<Bytes>| -> u64 {
        volumes.iter().filter_map(of).map(|bytes| bytes.0).sum()
    };
    let (size, used, own) = (
        sum(&|v| Some(v.size)),
        sum(&|v| v.used),
        sum(&|v| v.exclusive),
    );
    let label = |said: &str| (Cow::Owned(format!("{said:<11}")), Role::Heading);
    let text = |said: String| (Cow::Owned(said), Role::Text);
    let dim = |said: String| (Cow::Owned(said), Role::Dim);
    let columns = (width / 4).clamp(8, 40);

    let mut capacity = vec![label("Capacity")];
    capacity.extend(share(own, used, columns, state));
    capacity.push(text(format!("  {} used", Bytes(used))));
    let shared = Bytes(used.saturating_sub(own));
    capacity.push(dim(format!(
        ", {} own, {shared} shared, of {} seen",
        Bytes(own),
        Bytes(size)
    )));

    let machines = inventory.instances.items.len();
    let word = format!("{}s", crate::tui::page::capital(state.word(Kind::Volume)));
    let mut things = vec![label(&word)];
    things.push(text(state.counted(volumes.len() as u64, Kind::Volume)));
    things.push(dim(match machines {
        1 => ", 1 machine".to_owned(),
        n => format!(", {n} machines"),
    }));

    let mut points = vec![label("Points")];
    // Where one is not counted yet, neither is the sum.
    let snapshots: Option<u64> = volumes.iter().map(|v| v.snapshots).sum();
    if let Some(count) = snapshots {
        points.push(text(state.counted(count, Kind::Snapshot)));
    }
    let newest = volumes.iter().filter_map(|v| v.last_snapshot).max();
    let oldest = inventory
        .snapshots
        .items
        .iter()
        .filter_map(|s| s.created)
        .min();
    for (word, at) in [("newest", newest), ("oldest", oldest)] {
        if at.is_some() {
            points.push(dim(format!(", {word} {}", ago(at, state))));
        }
    }
    let mut sets = vec![label("Together")];
    let counts = [Kind::Group, Kind::Session, Kind::Target].map(|kind| {
        let count = match kind {
            Kind::Group => inventory.groups.items.len(),
            Kind::Session => inventory.sessions.items.len(),
            _ => inventory.targets.items.len(),
        };
        state.counted(count as u64, kind)
    });
    sets.push(text(counts.join(", ")));
    let copying = inventory
        .targets
        .items
        .iter()
        .filter(|t| t.copy.is_some())
        .count();
    if copying > 0 {
        sets.push((format!(", {copying} copying").into(), Role::Busy));
    }

    let active: Vec<_> = state.tasks.active().collect();
    let mut tasks = vec![label("Tasks")];
    tasks.push(match active.len() {
        0 => dim("nothing runs".to_owned()),
        1 => (Cow::Owned("1 runs".to_owned()), Role::Busy),
        n => (Cow::Owned(format!("{n} run")), Role::Busy),
    });
    let rate: u64 = active
        .iter()
        .filter_map(|t| t.progress())
        .map(|p| p.rate.0)
        .sum();
    if rate > 0 {
        tasks.push(dim(format!(", copying {}/s", Bytes(rate))));
    }
    let mut lines = vec![capacity, things, points, sets, tasks];
    if state.speaks {
        return lines;
    }
    let mut days = vec![label("30 days")];
    let taken = inventory.snapshots.items.iter().filter_map(|s| s.created);
    days.push((spark(taken, state).into(), Role::Info));
    days.push(dim(format!(
        "  {}s taken each day, up to today",
        state.word(Kind::Snapshot)
    )));
    lines.push(days);
    lines
}

/// How much of a whole is a part of its own.
fn share(part: u64, whole: u64, columns: u16, state: &State) -> Spans<'static> {
    let glyphs = state.glyphs();
    let full = (part * u64::from(columns)).checked_div(whole).unwrap_or(0) as u16;
    let full = full.min(columns);
    vec![
        (glyphs.bar.repeat(usize::from(full)).into(), Role::Bar),
        (
            glyphs.rest.repeat(usize::from(columns - full)).into(),
            Role::BarRest,
        ),
    ]
}

/// How many were taken on each of the last days, as a line of bars.
fn spark(taken: impl Iterator<Item = Time>, state: &State) -> String {
    let mut days = [0_u64; DAYS];
    for at in taken {
        let day = Age::between(at, state.now.wall).0 / 86_400;
        if let Some(count) = DAYS
            .checked_sub(1 + day as usize)
            .and_then(|d| days.get_mut(d))
        {
            *count += 1;
        }
    }
    let most = days.iter().max().copied().unwrap_or(0).max(1);
    let glyphs: &[&str] = if state.ascii { &ASCII_SPARKS } else { &SPARKS };
    let bar = |count: &u64| match count {
        0 => " ",
        n => glyphs[((n * glyphs.len() as u64).div_ceil(most) as usize).clamp(1, glyphs.len()) - 1],
    };
    days.iter().map(bar).collect()
}
