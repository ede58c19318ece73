//! The talk: what is said when, and what a number means that was said. Numbers are pinned to things, never to places.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Desk, say};
use crate::config::theme::Role;
use crate::model::{OperationKind, Task, TaskId, TaskState};
use crate::tui::overlay::{Overlay, Pick};
use crate::tui::rows;
use crate::tui::state::{Place, Purpose, RowId, Stage, State};

/// So many rows are read at once.
pub(super) const PAGE: usize = 20;
/// So many lines of a text.
pub(super) const LINES: usize = 40;
/// What changes all the time is not waited for longer than this once a line was heard.
const RESTLESS: Duration = Duration::from_millis(500);
/// Nor is a system that does not answer.
const SILENT: Duration = Duration::from_secs(5);
/// How a task goes is told so often at most, and not for less than a tenth of the whole.
const PACE: Duration = Duration::from_secs(3);

/// Where in the list or the text in hand somebody is.
type Here = (Vec<Place>, String, Option<(usize, bool)>);

/// What is in hand; another one is said.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scene {
    Screen(Here, usize),
    Chooser(String, String, usize),
    Form(OperationKind, usize),
    Review(Duration, bool),
    Question(String),
}

/// How a task stood when it was told of.
struct Told {
    state: TaskState,
    step: Option<usize>,
    tenth: u64,
    at: Duration,
}

/// What was said, and what is waited for.
pub(super) struct Talk {
    pub(super) said: Option<Scene>,
    /// The screen whose rows or lines were read last.
    read: Option<Scene>,
    here: Option<Here>,
    /// The first row, or line, of the page in hand.
    pub(super) top: usize,
    /// How many there are of them.
    pub(super) count: usize,
    /// What the numbers of the rows mean, and the first of them.
    pub(super) rows: (usize, Vec<RowId>),
    /// The first entry of the page of the list to choose from, and what the numbers mean.
    pub(super) entries: (usize, Vec<Pick>),
    pub(super) entry_top: usize,
    /// What is in hand is to be said again, whole.
    pub(super) again: bool,
    /// Somebody waits to be asked.
    pub(super) asks: bool,
    /// The form of which it was said what it is for.
    begun: Option<OperationKind>,
    /// A name to choose once the list is there.
    pub(super) wanted: Option<String>,
    /// Nothing is asked while a task runs.
    pub(super) waits: bool,
    /// When the last line was heard.
    pub(super) heard: Duration,
    notice: Option<Duration>,
    messages: u64,
    tasks: Option<BTreeMap<TaskId, Told>>,
    /// Somebody types, who can interrupt a wait by a line.
    interactive: bool,
}

impl Talk {
    /// Nothing was said yet.
    pub(super) fn new(interactive: bool) -> Self {
        Self {
            said: None,
            read: None,
            here: None,
            top: 0,
            count: 0,
            rows: (0, Vec::new()),
            entries: (0, Vec::new()),
            entry_top: 0,
            again: false,
            asks: true,
            begun: None,
            wanted: None,
            waits: false,
            heard: Duration::ZERO,
            notice: None,
            messages: 0,
            tasks: None,
            interactive,
        }
    }

    /// Somebody has gone to the tab of this talk: where it is, is said again.
    pub(super) fn come_back(&mut self, state: &State) {
        (self.said, self.read) = (None, None);
        self.asks = true;
        self.heard = state.now.clock;
    }

    /// Whether a line can be taken: what was asked for is there.
    pub(super) fn is_ready(&self, state: &State) -> bool {
        let now = state.now.clock;
        let bound = match state.overlays.last() {
            Some(Overlay::Form(form)) => form.waiting.is_some(),
            Some(Overlay::Review(review)) => review.waiting.is_some() || review.is_deaf(now),
            Some(Overlay::Question(question)) => question.is_deaf(now),
            _ => false,
        };
        if bound || (self.waits && !self.interactive) {
            return false;
        }
        // Who types may turn to another tab meanwhile; a script goes on once it is known what came of it.
        if !self.interactive && matches!(state.stage, Stage::Opening(_)) {
            return false;
        }
        let asked = state.asked.values();
        let unanswered = asked.filter(|(why, _)| !matches!(why, Purpose::Control(_)));
        let quiet = unanswered.count() == 0 && state.changed.since.is_none();
        let kinds = state.screen().place.kinds().iter();
        let has = |kind: &&crate::model::Kind| state.system.kinds.contains(kind);
        let loaded = kinds
            .filter(has)
            .all(|kind| state.inventory.standing(*kind).loaded.is_some());
        quiet || (loaded && now >= self.heard + RESTLESS) || now >= self.heard + SILENT
    }

    /// When it is to be looked again whether a line can be taken.
    pub(super) fn due(&self, state: &State) -> Option<Duration> {
        let now = state.now.clock;
        let dues = [self.heard + RESTLESS, self.heard + SILENT];
        dues.into_iter().find(|due| *due > now)
    }

    /// Says whatever there is to say.
    pub(super) fn speak(&mut self, desk: &mut impl Desk) {
        self.tell(desk);
        if self.waits && desk.state().tasks.active().next().is_none() {
            self.waits = false;
            self.asks = true;
            desk.line("Nothing runs any more.");
        }
        if !self.is_ready(desk.state()) {
            return;
        }
        if let Some(name) = self.wanted.take() {
            self.pick(desk, &name);
            self.tell(desk);
            if !self.is_ready(desk.state()) {
                return;
            }
        }
        let scene = self.scene(desk.state());
        let same = self.said.as_ref() == Some(&scene);
        if same && !self.again && !self.asks {
            return;
        }
        if !same || self.again {
            let known = self.read.as_ref() == Some(&scene) && !same;
            let lines = match &scene {
                Scene::Screen(..) if known => {
                    self.begun = None;
                    vec![format!("Back in {}.", say::title(desk.state()))]
                }
                Scene::Screen(..) => {
                    self.read = Some(scene.clone());
                    self.begun = None;
                    self.screen(desk.state())
                }
                _ => self.dialog(desk.state()),
            };
            for line in lines {
                desk.line(&line);
            }
        }
        if scene.decides() {
            desk.drop_typed();
        }
        let prompt = self.prompt(desk.state());
        desk.line(&prompt);
        self.said = Some(scene);
        (self.again, self.asks) = (false, false);
    }

    /// What is in hand.
    fn scene(&mut self, state: &State) -> Scene {
        match state.overlays.last() {
            Some(Overlay::Chooser(chooser)) => {
                let search = chooser.input.value().to_owned();
                let same = matches!(&self.said, Some(Scene::Chooser(title, before, _))
                    if *title == chooser.title && *before == search);
                if !same {
                    self.entry_top = 0;
                }
                Scene::Chooser(chooser.title.clone(), search, self.entry_top)
            }
            Some(Overlay::Form(form)) => Scene::Form(form.spec.kind, form.focus),
            Some(Overlay::Review(review)) => Scene::Review(review.opened, review.results.is_some()),
            Some(Overlay::Question(question)) => Scene::Question(question.title.clone()),
            Some(Overlay::Filter(_) | Overlay::Help(_)) | None => {
                let screen = state.screen();
                let stack = state.views.stack().iter();
                let here = (
                    stack.map(|s| s.place.clone()).collect(),
                    screen.filter.clone(),
                    screen.sort.map(|sort| (sort.column, sort.descending)),
                );
                if self.here.as_ref() != Some(&here) {
                    self.top = 0;
                    self.here = Some(here.clone());
                }
                Scene::Screen(here, self.top)
            }
        }
    }

    /// A page of the rows or of the text in hand.
    fn screen(&mut self, state: &State) -> Vec<String> {
        let screen = state.screen();
        let title = say::title(state);
        let Some(rows) = rows::of(state, &screen.place) else {
            let lines = say::text(state);
            self.count = lines.len();
            self.rows = (0, Vec::new());
            let mut said = vec![match self.count > LINES {
                true => format!(
                    "{title}, {}",
                    say::part(self.top, LINES, self.count, "lines")
                ),
                false => format!("{title}."),
            }];
            let page = lines.into_iter().skip(self.top).take(LINES);
            said.extend(page.filter(|line| !line.trim().is_empty()));
            return said;
        };
        self.count = screen.shown.len();
        let mut said = match self.count {
            0 => vec![format!("{title}{}: nothing is listed.", say::filter(state))],
            count => {
                let of = say::part(self.top, PAGE, count, "");
                vec![format!("{title}, {of}{}:", say::order(state, &*rows))]
            }
        };
        said.extend(say::summary(state));
        if rows.len() == 0 {
            said.push(rows.empty());
        }
        let page = screen.shown.iter().skip(self.top).take(PAGE);
        let page: Vec<usize> = page.map(|row| *row as usize).collect();
        self.rows = (self.top, page.iter().map(|&row| rows.id(row)).collect());
        let numbered = page.iter().zip(self.top + 1..);
        said.extend(numbered.map(|(&row, n)| format!("{n}. {}", say::row(state, &*rows, row))));
        said
    }

    /// The dialog in hand.
    fn dialog(&mut self, state: &State) -> Vec<String> {
        match state.overlays.last() {
            Some(Overlay::Chooser(chooser)) => {
                let found = chooser.found.len();
                let mut said = vec![match found {
                    0 => format!("{}: nothing to choose from.", chooser.title),
                    _ => format!(
                        "{}, {}:",
                        chooser.title,
                        say::part(self.entry_top, PAGE, found, "")
                    ),
                }];
                let page = chooser.found.iter().skip(self.entry_top).take(PAGE);
                let page: Vec<_> = page.map(|&i| &chooser.entries[i]).collect();
                self.entries = (
                    self.entry_top,
                    page.iter().map(|entry| entry.pick.clone()).collect(),
                );
                let numbered = page.iter().zip(self.entry_top + 1..);
                said.extend(
                    numbered
                        .map(|(entry, n)| format!("{n}. {}", say::entry(state, chooser, entry))),
                );
                said
            }
            Some(Overlay::Form(form)) => {
                let mut said = match self.begun.replace(form.spec.kind) {
                    Some(kind) if kind == form.spec.kind => Vec::new(),
                    _ => say::form(state, form),
                };
                if form.focus == form.fields.len() {
                    said.extend(say::filled(state, form));
                } else {
                    if let Some(problem) = &form.problem {
                        said.extend(say::problem(state, problem));
                    }
                    said.extend(say::field(state, form, form.focus));
                }
                said
            }
            Some(Overlay::Review(review)) => say::review(state, review),
            Some(Overlay::Question(question)) => say::question(state, question),
            Some(Overlay::Filter(_) | Overlay::Help(_)) | None => Vec::new(),
        }
    }

    /// Reads on, or back.
    pub(super) fn turn(&mut self, desk: &mut impl Desk, forward: bool) {
        let state = desk.state();
        let (top, page, count) = match state.overlays.last() {
            Some(Overlay::Chooser(chooser)) => (&mut self.entry_top, PAGE, chooser.found.len()),
            _ if state.screen().place.is_text() => (&mut self.top, LINES, self.count),
            _ => (&mut self.top, PAGE, state.screen().shown.len()),
        };
        if forward && *top + page < count {
            *top += page;
        } else if !forward && *top > 0 {
            *top = top.saturating_sub(page);
        } else {
            let end = if forward { "end" } else { "beginning" };
            desk.line(&format!("This is the {end}."));
        }
    }

    /// What happened meanwhile: notices, problems, tasks.
    fn tell(&mut self, desk: &mut impl Desk) {
        let state = desk.state();
        let mut said = Vec::new();
        let notice = state.notice.as_ref();
        if let Some(notice) = notice.filter(|n| self.notice != Some(n.until)) {
            self.notice = Some(notice.until);
            // What went wrong is told whole.
            if notice.role != Role::Error {
                said.push(notice.text.clone());
            }
        }
        for message in state
            .messages
            .items
            .iter()
            .filter(|m| m.number >= self.messages)
        {
            said.extend(say::problem(state, &message.problem));
        }
        self.messages = state.messages.next;
        self.tell_tasks(state, &mut said);
        for line in said {
            desk.line(&line);
        }
    }

    fn tell_tasks(&mut self, state: &State, said: &mut Vec<String>) {
        let now = state.now.clock;
        let first = self.tasks.is_none();
        let told = self.tasks.get_or_insert_default();
        // The oldest first, as they happened.
        for task in state.tasks.items.iter().rev() {
            if !state.tasks.is_present(task) {
                continue;
            }
            let stands = Told::of(task, now);
            let tell = match told.get(&task.id) {
                None => !(first && task.state.is_over()),
                Some(before) => before.is_old(&stands),
            };
            if tell {
                said.push(say::task(state, task));
                told.insert(task.id.clone(), stands);
            }
        }
    }
}

impl Told {
    fn of(task: &Task, at: Duration) -> Self {
        let part = task.progress().and_then(|progress| progress.fraction());
        let state = match &task.state {
            // That it waits for its turn is nothing to be told of.
            TaskState::Queued | TaskState::Pending => TaskState::Running,
            other => other.clone(),
        };
        Self {
            state,
            step: task.current(),
            tenth: part.map_or(0, |part| (part * 10.0) as u64),
            at,
        }
    }

    /// Whether this is old enough for the news to be told.
    fn is_old(&self, news: &Self) -> bool {
        self.state != news.state
            || ((self.step, self.tenth) != (news.step, news.tenth) && news.at >= self.at + PACE)
    }
}
