//! The screens that are text: all fields of a thing, its raw body, a task's time line, a message.

use crate::config::LogLevel;
use crate::config::theme::Role;
use crate::model::{Bytes, Kind, Object, Problem, StepState, Task, Time, Undo};

use super::rows::{Spans, ago, snapshot_state, task_glyph, volume_state};
use super::state::{Message, Place, State};
use super::text;

/// A line: pieces with their roles.
pub(crate) type Line = Spans<'static>;

/// How wide the names of fields are.
const LABEL: u16 = 14;

/// The lines of the text in hand.
pub(crate) fn lines(state: &State, width: u16) -> Vec<Line> {
    let mut page = Page {
        state,
        width: width.saturating_sub(4).max(10),
        lines: Vec::new(),
    };
    let screen = state.screen();
    match &screen.place {
        Place::Describe(object) => match state.find(object) {
            Some(object) => page.object(&object),
            None => page.text("it is not known any more", Role::Dim),
        },
        Place::Raw(_) => match &screen.raw {
            Some(raw) => {
                for line in raw.text.lines() {
                    let clean = state.clean(&line.replace('\t', "    ")).into_owned();
                    page.text(&clean, Role::Text);
                }
            }
            None => page.text("asking for it", Role::Dim),
        },
        Place::Task(id) => match state.tasks.get(id) {
            Some(task) => page.task(task),
            None => page.text("it is not known any more", Role::Dim),
        },
        Place::Message(number) => match state.messages.get(*number) {
            Some(message) => page.message(message),
            None => page.text("it is not kept any more", Role::Dim),
        },
        Place::Log => page.log(),
        Place::Volumes | Place::Snapshots | Place::Tasks | Place::Messages | Place::Tree(_) => {}
    }
    page.lines
}

/// The fields of a thing, as they stand beside a list.
pub(crate) fn fields(state: &State, object: &Object, width: u16) -> Vec<Line> {
    let mut page = Page {
        state,
        width: width.max(10),
        lines: Vec::new(),
    };
    page.object(object);
    page.lines
}

/// What went wrong, why, and what to try.
pub(crate) fn problem(state: &State, problem: &Problem, width: u16) -> Vec<Line> {
    let mut page = Page {
        state,
        width: width.max(10),
        lines: Vec::new(),
    };
    page.problem(problem);
    page.lines
}

struct Page<'a> {
    state: &'a State,
    width: u16,
    lines: Vec<Line>,
}

impl Page<'_> {
    fn blank(&mut self) {
        self.lines.push(Vec::new());
    }

    fn text(&mut self, clean: &str, role: Role) {
        for line in text::wrap(clean, self.width) {
            self.lines.push(vec![(line.into(), role)]);
        }
    }

    fn heading(&mut self, title: &'static str) {
        self.blank();
        self.lines.push(vec![(title.into(), Role::Heading)]);
    }

    fn bullet(&mut self, glyph: &str, said: &str, role: Role) {
        let clean = self.state.clean(said).into_owned();
        let indent = text::width(glyph) + 1;
        for (i, line) in text::wrap(&clean, self.width.saturating_sub(indent))
            .into_iter()
            .enumerate()
        {
            let lead = if i == 0 {
                format!("{glyph} ")
            } else {
                " ".repeat(usize::from(indent))
            };
            self.lines
                .push(vec![(lead.into(), role), (line.into(), Role::Text)]);
        }
    }

    fn field(&mut self, label: &'static str, value: Spans<'static>) {
        let mut line: Line = vec![(
            format!("{label:<width$}", width = usize::from(LABEL)).into(),
            Role::Dim,
        )];
        line.extend(value);
        self.lines.push(line);
    }

    fn said(&mut self, label: &'static str, value: &str) {
        let clean = self.state.clean(value).into_owned();
        let room = self.width.saturating_sub(LABEL).max(8);
        for (i, line) in text::wrap(&clean, room).into_iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            self.field(label, vec![(line.into(), Role::Text)]);
        }
    }

    fn bytes(&mut self, label: &'static str, value: Option<Bytes>) {
        match value {
            Some(bytes) => self.said(label, &bytes.to_string()),
            None => self.field(label, vec![("not told by the system".into(), Role::Dim)]),
        }
    }

    fn time(&mut self, label: &'static str, value: Option<Time>) {
        if let Some(time) = value {
            let ago = ago(Some(time), self.state);
            let wide = self.width >= LABEL + 38;
            let when = if wide {
                format!("{}  {ago}", stamp(time))
            } else {
                format!("{ago}  ({})", short_stamp(time, self.state.now.wall))
            };
            self.said(label, &when);
        }
    }

    fn object(&mut self, object: &Object) {
        let state = self.state;
        let metadata = match object {
            Object::Volume(volume) => {
                self.said("Name", &volume.name);
                self.field("State", volume_state(volume, state));
                self.bytes("Size", Some(volume.size));
                self.bytes("Used", volume.used);
                self.bytes("Own", volume.exclusive);
                self.bytes("Written", volume.written);
                match (&volume.instance, &volume.device) {
                    (Some(instance), Some(device)) => {
                        self.said("Attached to", &format!("{instance} as {device}"));
                    }
                    (Some(instance), None) => self.said("Attached to", instance),
                    (None, _) => self.said("Attached to", "nothing"),
                }
                self.said("Snapshots", &volume.snapshots.to_string());
                if let Some(parent) = &volume.parent {
                    let parent = crate::model::ObjectRef::from(parent);
                    self.said("Descends from", &state.name_of(&parent));
                }
                self.time("Last snapshot", volume.last_snapshot);
                self.time("Made", volume.created);
                if !volume.description.is_empty() {
                    self.said("Description", &volume.description);
                }
                &volume.metadata
            }
            Object::Snapshot(snapshot) => {
                self.said("Name", &snapshot.name);
                self.field("State", snapshot_state(snapshot, state));
                let of = snapshot.volume_name.as_deref();
                self.said("Of volume", of.unwrap_or(snapshot.volume.as_str()));
                self.time("Taken", snapshot.created);
                self.bytes("Size", Some(snapshot.size));
                self.bytes("Used", snapshot.used);
                self.bytes("Own", snapshot.exclusive);
                self.bytes("Written", snapshot.written);
                match &snapshot.parent {
                    Some(parent) => {
                        let parent = crate::model::ObjectRef::from(parent);
                        self.said("Follows", &state.name_of(&parent));
                    }
                    None => self.said("Follows", "nothing; it is the first"),
                }
                if snapshot.guard {
                    self.said(
                        "Guard",
                        "taken by itself, before something replaced the data",
                    );
                }
                for clone in &snapshot.clones {
                    self.said("Cloned as", &state.name_of(&clone.into()));
                }
                if !snapshot.description.is_empty() {
                    self.said("Description", &snapshot.description);
                }
                &snapshot.metadata
            }
        };
        self.said("Id", object.id());
        if !metadata.is_empty() {
            self.heading("Metadata");
            for (key, value) in metadata {
                self.text(&state.clean(&format!("{key} = {value}")), Role::Text);
            }
        }
    }

    fn task(&mut self, task: &Task) {
        let state = self.state;
        let (glyph, role) = task_glyph(task, state);
        self.text(&capital(&state.clean(&task.plan.summary)), Role::Title);
        self.field(
            "State",
            vec![(
                format!("{glyph} {}", state.clean(task.state.word())).into(),
                role,
            )],
        );
        self.said("Asked by", &task.by);
        self.time("Begun", Some(task.created));
        if task.ended.is_some() {
            self.said("Took", &super::rows::took(task));
        }
        if !task.reason.is_empty() && task.problem().is_none() {
            self.said("Reason", &task.reason);
        }
        self.heading("Steps");
        let glyphs = state.glyphs();
        for (step, planned) in task.steps.iter().zip(&task.plan.steps) {
            let title = state.clean(&planned.title).into_owned();
            let (glyph, role) = match &step.state {
                StepState::Waiting => (glyphs.waiting, Role::Dim),
                StepState::Running => (glyphs.play, Role::Busy),
                StepState::Done(_) => (glyphs.done, Role::Ok),
                StepState::Failed(_) => (glyphs.failed, Role::Error),
            };
            let mut line: Line = vec![
                (format!("{glyph} ").into(), role),
                (title.into(), Role::Text),
            ];
            if let (Some(from), Some(to)) = (step.started, step.ended) {
                let ms = (to.as_millisecond() - from.as_millisecond()).max(0);
                line.push((
                    format!("  {}.{:03} s", ms / 1_000, ms % 1_000).into(),
                    Role::Dim,
                ));
            }
            if step.attempts > 1 {
                line.push((format!("  {} attempts", step.attempts).into(), Role::Warn));
            }
            self.lines.push(line);
            if let Some(progress) = step.progress
                && step.state == StepState::Running
            {
                let mut line: Line = vec![("  ".into(), Role::Text)];
                line.extend(super::rows::bar(progress, 24, state));
                let more = format!(
                    "  {} of {}  {}  {}",
                    progress.done,
                    progress.total,
                    super::rows::rate(progress),
                    super::rows::left(progress)
                );
                line.push((more.trim_end().to_owned().into(), Role::Dim));
                self.lines.push(line);
            }
            match &step.state {
                StepState::Done(outcome) if !outcome.message.is_empty() => {
                    self.bullet(&format!("  {}", glyphs.into), &outcome.message, Role::Info);
                }
                StepState::Failed(problem) => self.problem(problem),
                _ => {}
            }
            for line in planned.call.lines() {
                let clean = state.clean(line).into_owned();
                for line in text::wrap(&clean, self.width.saturating_sub(2)) {
                    self.lines
                        .push(vec![(format!("  {line}").into(), Role::Dim)]);
                }
            }
        }
        self.heading("What it means");
        for loss in &task.plan.losses {
            self.bullet(glyphs.warn, &told_loss(loss), Role::Warn);
        }
        match &task.plan.undo {
            Undo::By { how, .. } => {
                self.bullet(glyphs.dot, &format!("taken back: {how}"), Role::Info);
            }
            Undo::Never(why) => {
                self.bullet(
                    glyphs.warn,
                    &format!("cannot be taken back: {why}"),
                    Role::Warn,
                );
            }
        }
        self.said("Id", task.id.as_str());
    }

    fn log(&mut self) {
        if self.state.log.is_empty() {
            self.text("nothing was said yet", Role::Dim);
        }
        for line in self.state.log.iter().rev() {
            let role = match line.level {
                LogLevel::Error => Role::Error,
                LogLevel::Warn => Role::Warn,
                LogLevel::Info => Role::Info,
                LogLevel::Debug | LogLevel::Trace => Role::Dim,
            };
            let at = line.at.to_zoned(jiff::tz::TimeZone::UTC);
            let lead = format!("{}  {:<6}", at.strftime("%H:%M:%S"), line.level.word());
            let said = format!("{}: {}", line.part, line.text);
            let clean = self.state.clean(&said).into_owned();
            let room = self.width.saturating_sub(text::width(&lead));
            for (i, part) in text::wrap(&clean, room).into_iter().enumerate() {
                let lead = if i == 0 {
                    lead.clone()
                } else {
                    " ".repeat(lead.len())
                };
                self.lines
                    .push(vec![(lead.into(), role), (part.into(), Role::Text)]);
            }
        }
    }

    fn message(&mut self, message: &Message) {
        self.time("When", Some(message.at));
        self.blank();
        self.problem(&message.problem);
    }

    fn problem(&mut self, problem: &Problem) {
        let glyphs = self.state.glyphs();
        self.bullet(glyphs.bad, &problem.what, Role::Error);
        for cause in &problem.causes {
            self.bullet(" ", &format!("because: {cause}"), Role::Dim);
        }
        for hint in &problem.hints {
            self.bullet(glyphs.into, &format!("try: {hint}"), Role::Info);
        }
        if let Some(id) = &problem.request_id {
            self.bullet(" ", &format!("request {id}"), Role::Dim);
        }
    }
}

/// A loss in one line.
pub(crate) fn told_loss(loss: &crate::model::Loss) -> String {
    match loss.bytes {
        Some(bytes) => format!("{} ({bytes})", loss.what),
        None => loss.what.clone(),
    }
}

/// A sentence with a capital.
pub(crate) fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// A time as people read it, in UTC.
fn stamp(time: Time) -> String {
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC);
    zoned.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The same where there is little room: the year only where it is another.
fn short_stamp(time: Time, now: Time) -> String {
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC);
    let year = now.to_zoned(jiff::tz::TimeZone::UTC).year();
    let form = match crate::model::Age::between(time, now).0 {
        ..86_400 => "%H:%M",
        _ if zoned.year() == year => "%m-%d",
        _ => "%Y-%m-%d",
    };
    zoned.strftime(form).to_string()
}

/// The title of a place, for the way to it.
pub(crate) fn title(state: &State, place: &Place) -> String {
    let kind = |kind: Kind| format!("{}s", capital(state.word(kind)));
    match place {
        Place::Volumes => kind(Kind::Volume),
        Place::Snapshots => kind(Kind::Snapshot),
        Place::Tasks => "Tasks".to_owned(),
        Place::Messages => "Messages".to_owned(),
        Place::Tree(id) => state.name_of(&id.into()),
        Place::Task(id) => match state.tasks.get(id) {
            Some(task) => state.clean(&task.plan.subject).into_owned(),
            None => "task".to_owned(),
        },
        Place::Describe(object) => state.name_of(object),
        Place::Raw(object) => format!("{} as it is kept", state.name_of(object)),
        Place::Message(number) => format!("message {}", number + 1),
        Place::Log => "Log".to_owned(),
    }
}
