//! Drives a console with keys and answers what it asks from an estate.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::fixtures::{capabilities, estate, moment, plan, sets};
use crate::config::{Config, Theme};
use crate::model::{
    Capabilities, Group, Kind, LinkedTarget, Object, Page, Problem, Query, Raw, Session, Snapshot,
    Task, TaskId, TaskState, Volume,
};
use crate::provider::DataRange;
use crate::tui::event::{Answer, Effect, Event, Layer, Looked, Slice};
use crate::tui::key::Key;
use crate::tui::overlay::Overlay;
use crate::tui::record::Recorder;
use crate::tui::state::{Beginning, Place, State};
use crate::tui::terminal::{ColorTier, CopyRoute, Features};
use crate::tui::tour::Tour;
use crate::tui::update::update;
use crate::tui::view::{Scene, view};

/// How the console begins.
pub(super) struct Start {
    pub(super) size: (u16, u16),
    pub(super) ascii: bool,
    pub(super) tier: ColorTier,
    pub(super) theme: Theme,
    pub(super) read_only: bool,
    pub(super) tours: Vec<Tour>,
    pub(super) kept: crate::config::Kept,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            size: (120, 36),
            ascii: false,
            tier: ColorTier::True,
            theme: Theme::default(),
            read_only: false,
            tours: Vec::new(),
            kept: Default::default(),
        }
    }
}

/// A console, its clock, and the estate that it looks at.
pub(super) struct Driver {
    pub(super) state: State,
    pub(super) ms: u64,
    pub(super) volumes: Vec<Volume>,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) groups: Vec<Group>,
    pub(super) sessions: Vec<Session>,
    pub(super) targets: Vec<LinkedTarget>,
    /// Questions are answered at once while this is set.
    pub(super) answers: bool,
    /// What lists answer with instead, where they fail.
    pub(super) failing: Option<Problem>,
    /// Every effect that was asked for.
    pub(super) asked: Vec<Effect>,
    /// What it began with.
    pub(super) beginning: Beginning,
    /// What happens is recorded.
    pub(super) recorder: Option<Recorder>,
}

impl Driver {
    pub(super) fn new() -> Self {
        Self::start(Start::default(), true)
    }

    pub(super) fn sized(width: u16, height: u16) -> Self {
        let size = (width, height);
        Self::start(
            Start {
                size,
                ..Start::default()
            },
            true,
        )
    }

    pub(super) fn start(start: Start, answers: bool) -> Self {
        Self::on(capabilities(), start, answers)
    }

    /// The same on a system that can do this.
    pub(super) fn on(system: Capabilities, start: Start, answers: bool) -> Self {
        let (volumes, snapshots) = estate();
        let (groups, sessions, targets) = sets();
        let mut config = Config::default();
        config.settings.theme.clone_from(&start.theme.name);
        if config.theme(&start.theme.name) != Some(&start.theme) {
            config.themes.push(start.theme);
        }
        let beginning = Beginning {
            profile: "lab".into(),
            system,
            read_only: start.read_only.then(|| "this is read-only".to_owned()),
            features: Features {
                colors: start.tier,
                ascii: start.ascii,
                light: false,
                synchronized: true,
                copies: CopyRoute::Plain,
            },
            config,
            perf: false,
            tasks: Vec::new(),
            welcome: None,
            kept: start.kept,
            size: start.size,
            now: moment(0),
            tours: start.tours,
            no_tours: None,
            begin: None,
            site: Default::default(),
            opening: false,
            beside: Vec::new(),
            listed: Vec::new(),
        };
        let state = State::new(beginning.clone());
        let mut driver = Self {
            state,
            ms: 0,
            volumes,
            snapshots,
            groups,
            sessions,
            targets,
            answers,
            failing: None,
            asked: Vec::new(),
            beginning,
            recorder: None,
        };
        driver.event(Event::Tasks(Vec::new()));
        driver
    }

    /// The same console before anything has happened to it.
    pub(super) fn unbegun(self) -> Self {
        Self {
            state: State::new(self.beginning.clone()),
            ms: 0,
            asked: Vec::new(),
            ..self
        }
    }

    /// Tells the console something, a moment later.
    pub(super) fn event(&mut self, event: Event) {
        self.ms += 1;
        if let Some(recorder) = &self.recorder {
            recorder.keep(&self.state, moment(self.ms), &event);
        }
        let effects = update(&mut self.state, moment(self.ms), event);
        self.asked.extend(effects.iter().cloned());
        if self.answers {
            for effect in effects {
                self.answer(&effect);
            }
        }
    }

    /// Answers as the estate has it.
    pub(super) fn answer(&mut self, effect: &Effect) {
        for event in self.answers_to(effect) {
            self.event(event);
        }
    }

    /// What is answered, as the estate has it.
    pub(super) fn answers_to(&self, effect: &Effect) -> Vec<Event> {
        let mut answers = Vec::new();
        let mut reply = |ticket, answer| answers.push(Event::Answer(ticket, answer));
        match effect {
            Effect::List(ticket, query) => {
                if let Some(problem) = self.failing.clone() {
                    reply(*ticket, Answer::Listed(Err(problem)));
                    return answers;
                }
                let items = self.list(query);
                reply(*ticket, Answer::Page(Page { items, total: None }));
                reply(*ticket, Answer::Listed(Ok(())));
            }
            Effect::Show(ticket, object) => {
                let all = Kind::ALL.map(|kind| self.list(&Query::all(kind)));
                let found = all.into_iter().flatten().find(|o| o.reference() == *object);
                let result = found.ok_or_else(|| Problem::not_found("it is gone"));
                reply(*ticket, Answer::Shown(Box::new(result)));
            }
            Effect::Raw(ticket, object) => {
                let raw = Raw {
                    media_type: "application/json".into(),
                    text: format!("{{\n  \"id\": \"{}\"\n}}", object.id),
                };
                reply(*ticket, Answer::Raw(Ok(raw)));
            }
            Effect::Look(ticket, layers) => {
                for looked in layers {
                    reply(*ticket, Answer::Slice(slice(looked)));
                }
                reply(*ticket, Answer::Looked(Ok(())));
            }
            Effect::Plan(ticket, operations) => {
                let plans = operations.iter().map(|o| Ok(plan(o))).collect();
                reply(*ticket, Answer::Planned(plans));
            }
            Effect::Submit(ticket, plans) => {
                let ids = (0..plans.len())
                    .map(|i| Ok(TaskId(format!("new{i}"))))
                    .collect();
                reply(*ticket, Answer::Submitted(ids));
            }
            Effect::Stage(ticket, act) => {
                let said = format!("{act:?} has happened");
                reply(*ticket, Answer::Staged(Ok(said)));
            }
            Effect::Control(ticket, ..) => reply(*ticket, Answer::Controlled(Ok(()))),
            Effect::Forget(_)
            | Effect::Copy(..)
            | Effect::Picture(_)
            | Effect::Mouse(_)
            | Effect::Repaint
            | Effect::Reload
            | Effect::SaveTrace
            | Effect::Keep(_)
            | Effect::Gather
            | Effect::Bundle
            | Effect::Lock
            | Effect::Open(_)
            | Effect::Renew
            | Effect::Close
            | Effect::Tab(_)
            | Effect::Profiles
            | Effect::Suspend
            | Effect::Quit => {}
        }
        answers
    }

    fn list(&self, query: &Query) -> Vec<Object> {
        match query.kind {
            Kind::Volume => self.volumes.iter().cloned().map(Object::Volume).collect(),
            Kind::Snapshot => self
                .snapshots
                .iter()
                .filter(|s| query.volume.as_ref().is_none_or(|v| *v == s.volume))
                .cloned()
                .map(Object::Snapshot)
                .collect(),
            Kind::Group => self.groups.iter().cloned().map(Object::Group).collect(),
            Kind::Session => self.sessions.iter().cloned().map(Object::Session).collect(),
            Kind::Target => self.targets.iter().cloned().map(Object::Target).collect(),
        }
    }

    /// Lets time pass, as the runtime does: it wakes the console at each deadline.
    pub(super) fn wait(&mut self, ms: u64) {
        let until = self.ms + ms;
        while let Some(due) = self.state.deadline() {
            let due = (due.as_millis() as u64).max(self.ms + 1);
            if due > until {
                break;
            }
            self.ms = due - 1;
            self.event(Event::Deadline);
        }
        self.ms = until;
    }

    /// Presses keys, named as people write them, one after another without waiting.
    pub(super) fn keys(&mut self, keys: &str) -> &mut Self {
        for name in keys.split_whitespace() {
            self.event(Event::Key(key(name)));
        }
        self
    }

    /// Types text.
    pub(super) fn typed(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.event(Event::Key(Key::char(c)));
        }
        self
    }

    /// Tasks changed.
    pub(super) fn tasks(&mut self, tasks: impl IntoIterator<Item = Task>) {
        self.event(Event::Tasks(tasks.into_iter().map(Arc::new).collect()));
    }

    /// A frame.
    pub(super) fn frame(&self) -> (Buffer, Scene) {
        let (width, height) = self.state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        let scene = view(&self.state, &mut buffer);
        (buffer, scene)
    }

    /// What the screen says, row by row.
    pub(super) fn screen(&self) -> String {
        let (buffer, _) = self.frame();
        let area = buffer.area;
        let mut text = String::new();
        for y in 0..area.height {
            let row: String = (0..area.width).map(|x| buffer[(x, y)].symbol()).collect();
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }

    /// The name of the selected row.
    pub(super) fn selected(&self) -> String {
        match self.state.object() {
            Some(object) => self.state.name_of(&object),
            None => String::new(),
        }
    }

    /// Where the user is.
    pub(super) fn place(&self) -> &Place {
        &self.state.screen().place
    }

    /// The topmost dialog, in a word.
    pub(super) fn top(&self) -> &'static str {
        match self.state.overlays.last() {
            None => "none",
            Some(Overlay::Chooser(_)) => "chooser",
            Some(Overlay::Filter(_)) => "filter",
            Some(Overlay::Help(_)) => "help",
            Some(Overlay::Form(_)) => "form",
            Some(Overlay::Review(_)) => "review",
            Some(Overlay::Question(_)) => "question",
        }
    }

    /// How many plans were submitted.
    pub(super) fn submitted(&self) -> usize {
        let submits = self.asked.iter().map(|effect| match effect {
            Effect::Submit(_, plans) => plans.len(),
            _ => 0,
        });
        submits.sum()
    }

    /// Whether it was told to end.
    pub(super) fn has_quit(&self) -> bool {
        self.asked.contains(&Effect::Quit)
    }
}

/// A quarter is data; a part of that is own; two stretches changed.
fn slice(looked: &Looked) -> Slice {
    let size = 8 << 30;
    let range = |offset: u64, length: u64, data| DataRange {
        offset: offset << 20,
        length: length << 20,
        data,
    };
    let ranges = match looked.layer {
        Layer::Data => vec![range(0, 2048, true), range(2048, 6144, false)],
        Layer::Own => vec![range(512, 96, true)],
        Layer::Changed => vec![range(1024, 200, true), range(7000, 12, false)],
    };
    Slice {
        layer: looked.layer,
        size,
        ranges,
        end: size,
        listed: looked.listed,
    }
}

/// A task under way, one that failed and one that is over.
pub(super) fn some_tasks() -> [Task; 3] {
    use super::fixtures::task;
    [
        task(3, TaskState::Running),
        task(2, TaskState::Failed),
        task(1, TaskState::Succeeded),
    ]
}

pub(super) fn key(name: &str) -> Key {
    match name {
        alt if alt.starts_with("alt-") => Key::alt(alt.chars().last().unwrap()),
        "enter" => Key::ENTER,
        "esc" => Key::ESC,
        "tab" => Key::TAB,
        "shift-tab" => Key::BACK_TAB,
        "up" => Key::UP,
        "down" => Key::DOWN,
        "left" => Key::LEFT,
        "right" => Key::RIGHT,
        "space" => Key::SPACE,
        "pgdn" => Key::PAGE_DOWN,
        "backspace" => Key::plain(crossterm::event::KeyCode::Backspace),
        "F2" => Key::f(2),
        "F6" => Key::f(6),
        "F7" => Key::f(7),
        "F8" => Key::f(8),
        "F9" => Key::f(9),
        "ctrl-c" => Key::ctrl('c'),
        "ctrl-n" => Key::ctrl('n'),
        "ctrl-p" => Key::ctrl('p'),
        "ctrl-w" => Key::ctrl('w'),
        "ctrl-z" => Key::ctrl('z'),
        one if one.chars().count() == 1 => Key::char(one.chars().next().unwrap()),
        other => panic!("no key is called {other}"),
    }
}
