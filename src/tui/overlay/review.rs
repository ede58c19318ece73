//! What would be done, shown before it is done; and the answer. Nothing is sent before.

use std::time::Duration;

use tui_input::Input;

use super::{After, DEAF, edit, type_into};
use crate::config::theme::Role;
use crate::model::{Plan, Problem, TaskId};
use crate::tui::event::{Effect, Ticket};
use crate::tui::key::Key;
use crate::tui::state::{Purpose, State};

/// What has the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    /// The field in which a name must be typed.
    Name,
    /// The safe answer.
    Back,
    /// The other.
    Go,
}

/// The plans, and the answer to them.
#[derive(Debug)]
pub(crate) struct Review {
    /// What the button says.
    pub(crate) title: &'static str,
    /// What would be done.
    pub(crate) plans: Vec<Plan>,
    /// What cannot be done, and why.
    pub(crate) refused: Vec<(String, Problem)>,
    /// What must be typed first, where something must.
    pub(crate) confirm: Option<String>,
    /// What is typed.
    pub(crate) typed: Input,
    /// What has the focus.
    pub(crate) focus: Focus,
    /// The first line that is seen; the drawing keeps it in bounds.
    pub(crate) top: usize,
    /// When it was opened.
    pub(crate) opened: Duration,
    /// It was confirmed, and what comes of it is not known yet.
    pub(crate) waiting: Option<(Ticket, Duration)>,
    /// What became of each plan, once it is known.
    pub(crate) results: Option<Vec<Result<TaskId, Problem>>>,
}

impl Review {
    /// A review that was just opened. What is safe has the focus.
    pub(crate) fn new(
        title: &'static str,
        plans: Vec<Plan>,
        refused: Vec<(String, Problem)>,
        opened: Duration,
    ) -> Self {
        let confirm = match plans.as_slice() {
            [one] => one.confirm.clone(),
            many if many.iter().any(|p| p.confirm.is_some()) => {
                Some(format!("{} {}", many[0].operation.kind.verb(), many.len()))
            }
            _ => None,
        };
        Self {
            title,
            focus: if confirm.is_some() {
                Focus::Name
            } else {
                Focus::Back
            },
            confirm,
            plans,
            refused,
            typed: Input::default(),
            top: 0,
            opened,
            waiting: None,
            results: None,
        }
    }

    /// Whether anything would be gone.
    pub(crate) fn is_destructive(&self) -> bool {
        self.plans.iter().any(Plan::is_destructive)
    }

    /// Whether it takes no input yet.
    pub(crate) fn is_deaf(&self, now: Duration) -> bool {
        now < self.opened + DEAF
    }

    /// Whether what must be typed is typed.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirm
            .as_ref()
            .is_none_or(|name| self.typed.value().trim() == name.trim())
    }

    pub(super) fn key(&mut self, state: &mut State, key: Key) -> After {
        if self.is_deaf(state.now.clock) {
            return After::Stay;
        }
        if self.results.is_some() {
            // Only what was refused is still shown; any answer takes it away.
            return match key {
                Key::UP | Key::DOWN | Key::PAGE_UP | Key::PAGE_DOWN => self.scroll(key),
                _ => self.leave(state),
            };
        }
        if self.waiting.is_some() {
            return After::Stay;
        }
        match key {
            Key::ESC => return self.back(state),
            Key::UP | Key::DOWN | Key::PAGE_UP | Key::PAGE_DOWN => return self.scroll(key),
            Key::TAB => self.turn(true),
            Key::BACK_TAB => self.turn(false),
            Key::ENTER => return self.enter(state),
            key if self.focus == Focus::Name => {
                edit(&mut self.typed, key);
            }
            Key::LEFT | Key::RIGHT => self.turn(key == Key::RIGHT),
            key => match key.typed() {
                Some('h') => self.turn(false),
                Some('l') => self.turn(true),
                Some('y') if self.confirm.is_none() && !self.plans.is_empty() => {
                    self.submit(state);
                }
                Some('n') => return self.back(state),
                Some('j') => return self.scroll(Key::DOWN),
                Some('k') => return self.scroll(Key::UP),
                _ => {}
            },
        }
        After::Stay
    }

    fn scroll(&mut self, key: Key) -> After {
        self.top = match key {
            Key::UP => self.top.saturating_sub(1),
            Key::DOWN => self.top + 1,
            Key::PAGE_UP => self.top.saturating_sub(10),
            _ => self.top + 10,
        }
        .min(100_000);
        After::Stay
    }

    fn turn(&mut self, forward: bool) {
        let mut order = vec![Focus::Back, Focus::Go];
        if self.confirm.is_some() {
            order.insert(0, Focus::Name);
        }
        let at = order.iter().position(|f| *f == self.focus).unwrap_or(0);
        let by = if forward { 1 } else { order.len() - 1 };
        self.focus = order[(at + by) % order.len()];
    }

    fn enter(&mut self, state: &mut State) -> After {
        match self.focus {
            Focus::Back => return self.back(state),
            Focus::Name | Focus::Go if !self.is_confirmed() => {
                let name = self.confirm.clone().unwrap_or_default();
                let name = state.clean(&name).into_owned();
                state.notify(format!("type {name} first, exactly so"), Role::Warn);
                self.focus = Focus::Name;
            }
            Focus::Name | Focus::Go => self.submit(state),
        }
        After::Stay
    }

    /// Back to the form, as it was filled in; or out, where there was none to fill in.
    fn back(&self, state: &mut State) -> After {
        if let Some(super::Overlay::Form(form)) = state.overlays.last()
            && form.silent
        {
            state.overlays.pop();
        }
        After::Close
    }

    /// Out of the form as well.
    fn leave(&self, state: &mut State) -> After {
        if let Some(super::Overlay::Form(_)) = state.overlays.last() {
            state.overlays.pop();
        }
        After::Close
    }

    fn submit(&mut self, state: &mut State) {
        if self.plans.is_empty() {
            return;
        }
        let plans = self.plans.clone();
        let ticket = state.ask(Purpose::Submit, |t| Effect::Submit(t, plans));
        self.waiting = Some((ticket, state.now.clock));
    }

    /// What became of the plans. Says whether there is nothing left to show.
    pub(crate) fn submitted(
        &mut self,
        ticket: Ticket,
        results: Vec<Result<TaskId, Problem>>,
    ) -> bool {
        if self.waiting.map(|(t, _)| t) != Some(ticket) {
            return false;
        }
        self.waiting = None;
        let all = results.iter().all(Result::is_ok) && self.refused.is_empty();
        self.results = Some(results);
        self.top = 0;
        all
    }

    pub(super) fn paste(&mut self, state: &mut State, text: &str) {
        if !self.is_deaf(state.now.clock) && self.focus == Focus::Name && self.waiting.is_none() {
            type_into(&mut self.typed, text);
        }
    }

    pub(super) fn press(&mut self, state: &mut State, part: usize) -> After {
        if self.is_deaf(state.now.clock) || self.waiting.is_some() {
            return After::Stay;
        }
        if self.results.is_some() {
            return self.leave(state);
        }
        self.focus = if part == 1 { Focus::Go } else { Focus::Back };
        self.enter(state)
    }
}
