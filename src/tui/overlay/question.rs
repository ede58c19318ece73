//! A question with a safe answer, which is the default.

use std::time::Duration;

use super::{After, DEAF};
use crate::model::TaskId;
use crate::task::Control;
use crate::tui::event::Effect;
use crate::tui::key::Key;
use crate::tui::state::{Purpose, State, TabAct, TabId};

/// What a yes does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Leaves.
    Quit,
    /// Cancels this task.
    Cancel(TaskId),
    /// Closes this tab.
    Close(TabId),
}

/// A question.
#[derive(Debug)]
pub(crate) struct Question {
    /// What is asked.
    pub(crate) title: String,
    /// What to know.
    pub(crate) lines: Vec<String>,
    /// The word on the safe button.
    pub(crate) no: &'static str,
    /// The word on the other.
    pub(crate) yes: &'static str,
    /// The other has the focus.
    pub(crate) on_yes: bool,
    /// What a yes does.
    pub(crate) then: Then,
    /// When it was asked.
    pub(crate) opened: Duration,
}

impl Question {
    /// Whether to leave while these run.
    pub(crate) fn quit(running: &[String], opened: Duration) -> Self {
        let mut lines: Vec<String> = running.iter().take(6).cloned().collect();
        if running.len() > 6 {
            lines.push(format!("and {} more", running.len() - 6));
        }
        lines.push(String::new());
        lines.push(
            "Whatever is interrupted is in the journal, and is followed on at the next start."
                .to_owned(),
        );
        let title = match running.len() {
            1 => "Leave while a task runs?".to_owned(),
            n => format!("Leave while {n} tasks run?"),
        };
        Self {
            title,
            lines,
            no: "Stay",
            yes: "Leave",
            on_yes: false,
            then: Then::Quit,
            opened,
        }
    }

    /// Whether to close a tab while these run on it.
    pub(crate) fn close(
        tab: TabId,
        name: &str,
        running: &[String],
        stays: bool,
        opened: Duration,
    ) -> Self {
        let mut asks = Self::quit(running, opened);
        asks.title = match running.len() {
            1 => format!("Close {name} while a task runs?"),
            n => format!("Close {name} while {n} tasks run?"),
        };
        asks.lines.pop();
        let what = match stays {
            true => {
                "What the system does goes on there; it is followed on when this is opened again."
            }
            false => {
                "Whatever is interrupted is in the journal, and is followed on when this is opened again."
            }
        };
        asks.lines.push(what.to_owned());
        Self {
            no: "Keep it open",
            yes: "Close it",
            then: Then::Close(tab),
            ..asks
        }
    }

    /// Whether to cancel a task.
    pub(crate) fn cancel(task: TaskId, what: &str, opened: Duration) -> Self {
        Self {
            title: "Cancel this task?".to_owned(),
            lines: vec![
                what.to_owned(),
                String::new(),
                "The steps that are done stay done.".to_owned(),
            ],
            no: "Let it go on",
            yes: "Cancel it",
            on_yes: false,
            then: Then::Cancel(task),
            opened,
        }
    }

    /// Whether it takes no input yet.
    pub(crate) fn is_deaf(&self, now: Duration) -> bool {
        now < self.opened + DEAF
    }

    pub(super) fn key(&mut self, state: &mut State, key: Key) -> After {
        if self.is_deaf(state.now.clock) {
            return After::Stay;
        }
        match key {
            Key::ESC => return After::Close,
            Key::ENTER => return self.answer(state, self.on_yes),
            Key::LEFT | Key::RIGHT | Key::TAB | Key::BACK_TAB => self.on_yes = !self.on_yes,
            key => match key.typed() {
                Some('y') => return self.answer(state, true),
                Some('n') => return After::Close,
                Some('h' | 'l') => self.on_yes = !self.on_yes,
                _ => {}
            },
        }
        After::Stay
    }

    pub(super) fn press(&mut self, state: &mut State, part: usize) -> After {
        if self.is_deaf(state.now.clock) {
            return After::Stay;
        }
        self.answer(state, part == 1)
    }

    fn answer(&self, state: &mut State, yes: bool) -> After {
        match &self.then {
            Then::Quit if yes => state.effect(Effect::Quit),
            Then::Close(id) if yes => state.effect(Effect::Tab(TabAct::Close(*id))),
            Then::Cancel(id) if yes => {
                let id = id.clone();
                state.ask(Purpose::Control(id.clone()), |t| {
                    Effect::Control(t, id, Control::Cancel)
                });
            }
            _ => {}
        }
        After::Close
    }
}
