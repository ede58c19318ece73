//! The rows of all tasks, and how a task is told in few words.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::{Column, Quantity, Rows, Spans, age_of, ago, one};
use crate::config::theme::Role;
use crate::model::{PartState, Progress, Task, TaskState, Undo};
use crate::task::undo;
use crate::tui::state::{RowId, State};

const COLUMNS: &[Column] = &[
    Column {
        key: "subject",
        title: "TASK",
        width: 24,
        right: false,
        falls: false,
        rank: 0,
    },
    Column {
        key: "verb",
        title: "WHAT",
        width: 9,
        right: false,
        falls: false,
        rank: 3,
    },
    Column {
        key: "state",
        title: "STATE",
        width: 18,
        right: false,
        falls: false,
        rank: 1,
    },
    Column {
        key: "step",
        title: "STEP",
        width: 30,
        right: false,
        falls: false,
        rank: 5,
    },
    Column {
        key: "progress",
        title: "PROGRESS",
        width: 18,
        right: false,
        falls: false,
        rank: 2,
    },
    Column {
        key: "begun",
        title: "BEGUN",
        width: 12,
        right: false,
        falls: true,
        rank: 4,
    },
    Column {
        key: "took",
        title: "TOOK",
        width: 9,
        right: true,
        falls: true,
        rank: 6,
    },
    Column {
        key: "by",
        title: "BY",
        width: 13,
        right: false,
        falls: false,
        rank: 7,
    },
    Column::text("undo", "TAKEN BACK BY", 26, 8),
];

/// The tasks of the present, or all.
pub(super) struct Tasks<'a> {
    state: &'a State,
    /// Those of the present, by their places; `None` where all are shown.
    present: Option<Vec<usize>>,
}

impl<'a> Tasks<'a> {
    /// What runs, waits, or was done while this console ran.
    pub(super) fn present(state: &'a State) -> Self {
        let tasks = state.tasks.items.iter().enumerate();
        let present = tasks.filter(|(_, task)| state.tasks.is_present(task));
        Self {
            state,
            present: Some(present.map(|(i, _)| i).collect()),
        }
    }

    /// Everything that was ever done.
    pub(super) fn all(state: &'a State) -> Self {
        let present = None;
        Self { state, present }
    }

    fn at(&self, row: usize) -> &'a Task {
        let place = self.present.as_ref().map_or(row, |present| present[row]);
        &self.state.tasks.items[place]
    }
}

impl Rows for Tasks<'_> {
    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn len(&self) -> usize {
        match &self.present {
            Some(present) => present.len(),
            None => self.state.tasks.items.len(),
        }
    }

    fn id(&self, row: usize) -> RowId {
        RowId::Task(self.at(row).id.clone())
    }

    fn is(&self, row: usize, id: &RowId) -> bool {
        matches!(id, RowId::Task(id) if *id == self.at(row).id)
    }

    fn name(&self, row: usize) -> Cow<'_, str> {
        self.state.clean(&self.at(row).plan.subject)
    }

    fn cell(&self, row: usize, column: usize) -> Spans<'_> {
        let task = self.at(row);
        let state = self.state;
        match column {
            0 => one(self.name(row), Role::Text),
            1 => one(task.plan.operation.kind.verb(), Role::Text),
            2 => {
                let (glyph, role) = glyph(task, state);
                let word = state.clean(task.state.word()).into_owned();
                one(format!("{glyph} {word}"), role)
            }
            3 if !task.reason.is_empty() => one(state.clean(&task.reason), Role::Warn),
            3 => one(step_text(task, state), Role::Dim),
            4 => match task.progress().filter(|_| !task.state.is_over()) {
                Some(progress) => bar(progress, 12, state),
                None => Vec::new(),
            },
            5 => one(ago(Some(task.created), state), Role::Dim),
            6 => one(took(task), Role::Dim),
            7 => one(state.clean(&task.by), Role::Dim),
            _ => one(undo_text(task), Role::Dim),
        }
    }

    fn order(&self, a: usize, b: usize, column: usize) -> Ordering {
        let (x, y) = (self.at(a), self.at(b));
        match column {
            0 => x.plan.subject.cmp(&y.plan.subject),
            1 => x
                .plan
                .operation
                .kind
                .verb()
                .cmp(y.plan.operation.kind.verb()),
            2 => x.state.word().cmp(y.state.word()),
            7 => x.by.cmp(&y.by),
            _ => Ordering::Equal,
        }
        .then_with(|| y.id.cmp(&x.id))
    }

    fn quantity(&self, row: usize, column: usize) -> Option<Quantity> {
        (column == 5).then(|| age_of(Some(self.at(row).created), self.state))?
    }

    fn version(&self) -> u64 {
        self.state.tasks.version
    }

    fn empty(&self) -> String {
        match self.state.tasks.items.len() {
            0 => "nothing was done yet".to_owned(),
            n => format!("nothing runs; the journal has {n} that are over"),
        }
    }
}

/// How a task that was done is taken back, or why not.
fn undo_text(task: &Task) -> String {
    match (&task.plan.undo, &task.state, undo(task)) {
        (Undo::By { how, .. }, TaskState::Succeeded, Ok(_)) => how.clone(),
        (Undo::Never(why), TaskState::Succeeded, _) => {
            format!("cannot be undone because {why}")
        }
        (_, TaskState::Succeeded, Err(why)) => why,
        _ => String::new(),
    }
}

/// The glyph and the role of a task's state.
pub(crate) fn glyph(task: &Task, state: &State) -> (&'static str, Role) {
    let glyphs = state.glyphs();
    match &task.state {
        TaskState::Queued | TaskState::Pending => (glyphs.waiting, Role::Dim),
        TaskState::Running => (glyphs.play, Role::Busy),
        TaskState::Suspended => (glyphs.paused, Role::Warn),
        TaskState::Succeeded => (glyphs.done, Role::Ok),
        TaskState::Failed => (glyphs.failed, Role::Error),
        TaskState::Cancelled => (glyphs.stopped, Role::Dim),
        TaskState::Lost | TaskState::Unknown(_) => (glyphs.warn, Role::Warn),
    }
}

/// The glyph and the role of a part of a step.
pub(crate) fn part_glyph(value: PartState, state: &State) -> (&'static str, Role) {
    let glyphs = state.glyphs();
    match value {
        PartState::Waiting => (glyphs.waiting, Role::Dim),
        PartState::Running => (glyphs.play, Role::Busy),
        PartState::Done => (glyphs.done, Role::Ok),
        PartState::Failed => (glyphs.failed, Role::Error),
    }
}

/// Which step is at hand, of how many: `2/3 copying db01-log`.
pub(crate) fn step_text(task: &Task, state: &State) -> String {
    let all = task.steps.len();
    let Some(at) = task.current() else {
        return format!("{all}/{all}");
    };
    let title = task.plan.steps.get(at).map_or("", |step| &step.title);
    format!("{}/{all} {}", at + 1, state.clean(title))
}

/// A bar of so many columns, and the percentage.
pub(crate) fn bar(progress: Progress, columns: u16, state: &State) -> Spans<'static> {
    let Some(part) = progress.fraction() else {
        return one(progress.done.to_string(), Role::Dim);
    };
    let glyphs = state.glyphs();
    let full = ((part * f64::from(columns)).round() as u16).min(columns);
    vec![
        (glyphs.bar.repeat(usize::from(full)).into(), Role::Bar),
        (
            glyphs.rest.repeat(usize::from(columns - full)).into(),
            Role::BarRest,
        ),
        // Whole only when it is: nothing is at 100 % that is not done.
        (
            format!(" {:>3.0} %", (part * 100.0).floor()).into(),
            Role::Text,
        ),
    ]
}

/// Bytes a second; empty where nobody knows.
pub(crate) fn rate(progress: Progress) -> String {
    match progress.rate.0 {
        0 => String::new(),
        _ => format!("{}/s", progress.rate),
    }
}

/// The time to the end; empty where nobody knows.
pub(crate) fn left(progress: Progress) -> String {
    match progress.seconds_left() {
        None => String::new(),
        Some(s) if s >= 3_600 => format!("{}:{:02}:{:02} left", s / 3_600, s / 60 % 60, s % 60),
        Some(s) => format!("{}:{:02} left", s / 60, s % 60),
    }
}

/// How long a task that is over took.
pub(crate) fn took(task: &Task) -> String {
    let Some(ended) = task.ended else {
        return String::new();
    };
    let ms = (ended.as_millisecond() - task.created.as_millisecond()).max(0);
    match ms {
        ..100 => format!("{ms} ms"),
        100..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{}:{:02} min", ms / 60_000, ms / 1_000 % 60),
        _ => format!("{}:{:02} h", ms / 3_600_000, ms / 60_000 % 60),
    }
}
