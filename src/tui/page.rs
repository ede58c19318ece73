//! The screens that are text: all fields of a thing, its raw body, a task's time line, a message.

mod call;
pub(crate) mod map;
mod object;
pub(crate) mod plan;
mod task;

use crate::config::LogLevel;
use crate::config::theme::Role;
use crate::model::{Bytes, Kind, Object, Problem, Time};

use super::actions::{Action, ActionId};
use super::rows::{self, Spans, ago};
use super::state::{Message, PATIENCE, Place, Stage, State};
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
        Place::Call(number) => match state.call(*number) {
            Some(call) => page.call(call),
            None => page.text("it is not kept any more", Role::Dim),
        },
        Place::Log => page.log(),
        Place::Bundle => page.bundle(),
        Place::Opening => page.opening(),
        Place::Map(object, mark) => page.map(object, mark.as_ref()),
        _ => {}
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

    /// What would be written, and how.
    fn bundle(&mut self) {
        let how = Action::of(ActionId::Support).hint(self.state);
        let said = format!(
            "Nothing is written or sent yet. {how} here writes it to a file, for you to send."
        );
        self.text(&said, Role::Info);
        self.blank();
        for line in self.state.bundle.as_deref().unwrap_or_default().lines() {
            let clean = self.state.clean(line).into_owned();
            self.text(&clean, Role::Text);
        }
    }

    /// How opening goes; nothing before it is worth a word.
    fn opening(&mut self) {
        let state = self.state;
        let name = state.clean(&state.profile).into_owned();
        let address = state
            .around
            .said_of(&state.site)
            .and_then(|l| l.address.as_deref());
        let hint = |id| Action::of(id).hint(state);
        let others = state.around.are_several();
        match &state.stage {
            Stage::Opening(since) if state.now.clock < *since + PATIENCE => {}
            Stage::Opening(since) | Stage::Open(Some(since)) => {
                let said = format!("{} opening {name}", state.glyphs().busy);
                let mut line: Line = vec![(said.into(), Role::Busy)];
                let waited = rows::waited(state, *since);
                if !waited.is_empty() {
                    line.push((format!(", since{waited}").into(), Role::Dim));
                }
                self.lines.push(line);
                if let Some(address) = address {
                    self.bullet(" ", address, Role::Dim);
                }
                self.blank();
                if others {
                    let back = hint(ActionId::Back);
                    let said = format!("{back} gives it up; the other tabs go on meanwhile.");
                    self.text(&said, Role::Dim);
                }
            }
            Stage::Failed(problem, at) => {
                self.text(&format!("{name} is not open."), Role::Text);
                self.blank();
                self.problem(problem);
                self.blank();
                self.time("Tried", Some(*at));
                self.blank();
                let again = hint(ActionId::SignIn);
                let mut said = format!("{again} tries again");
                if others {
                    said.push_str(&format!(", {} closes it", hint(ActionId::Back)));
                }
                if let crate::tui::Site::Profile(name) = &state.site {
                    said.push_str(&format!(
                        "; `snapdeck doctor {}` says in which step it ends",
                        state.clean(name)
                    ));
                }
                self.text(&said, Role::Dim);
            }
            Stage::Open(None) => {}
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

/// The title of a view where there is little room: the last word of what it is called, unless another is called so.
pub(crate) fn tab(state: &State, place: &Place) -> String {
    let title = title(state, place);
    match title.rsplit_once(' ') {
        Some((_, last)) => {
            let short = capital(last);
            let snapshots = self::title(state, &Place::Snapshots);
            match short == snapshots {
                true => title,
                false => short,
            }
        }
        None => title,
    }
}

/// The title of a place, for the way to it.
pub(crate) fn title(state: &State, place: &Place) -> String {
    let kind = |kind: Kind| format!("{}s", capital(state.word(kind)));
    match place {
        Place::Pulse => "Pulse".to_owned(),
        Place::Instances => "Instances".to_owned(),
        Place::Instance(name) => state.clean(name).into_owned(),
        Place::Volumes => kind(Kind::Volume),
        Place::Snapshots => kind(Kind::Snapshot),
        Place::Groups => kind(Kind::Group),
        Place::Sessions => kind(Kind::Session),
        Place::Targets => kind(Kind::Target),
        Place::Tasks => "Tasks".to_owned(),
        Place::Journal => "Journal".to_owned(),
        Place::Messages => "Messages".to_owned(),
        Place::Trace => "Trace".to_owned(),
        Place::Tree(id) => state.name_of(&id.into()),
        Place::Task(id) => match state.tasks.get(id) {
            Some(task) => state.clean(&task.plan.subject).into_owned(),
            None => "task".to_owned(),
        },
        Place::Describe(object) | Place::Members(object) => state.name_of(object),
        Place::Map(object, _) => format!("{} as it lies", state.name_of(object)),
        Place::Difference(..) => "difference".to_owned(),
        Place::Raw(object) => format!("{} as it is kept", state.name_of(object)),
        Place::Message(number) => format!("message {}", number + 1),
        Place::Call(number) => format!("call {}", number + 1),
        Place::Log => "Log".to_owned(),
        Place::Bundle => "Support bundle".to_owned(),
        Place::Profiles => "Profiles".to_owned(),
        Place::Opening => match state.stage {
            Stage::Failed(..) => "Failed".to_owned(),
            _ => "Opening".to_owned(),
        },
    }
}
