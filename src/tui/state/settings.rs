//! What the user has set, as it is in force.

use std::sync::Arc;

use super::State;
use crate::config::theme::Role;
use crate::config::{Config, Fault, Theme};
use crate::http::{Call, Trace};
use crate::tui::actions::Keymap;
use crate::tui::event::Effect;
use crate::tui::log::{KEPT, LogLine};
use crate::tui::skin::Skin;
use crate::tui::terminal::Features;

/// The theme that a configuration asks for on this terminal.
pub(super) fn theme(config: &Config, features: &Features) -> Theme {
    let name = match config.settings.theme.as_str() {
        "auto" if features.light => "light",
        "auto" => "dark",
        name => name,
    };
    config.theme(name).cloned().unwrap_or_default()
}

impl State {
    /// Changes how everything looks.
    pub(crate) fn wear(&mut self, theme: Theme) {
        self.skin = Skin::new(&theme, self.tier);
        self.theme = theme;
    }

    /// Takes a configuration that was read again; one that is not sound leaves the one before in force.
    pub(crate) fn configure(&mut self, read: Result<Config, Vec<Fault>>) {
        let taken = read.and_then(|config| Keymap::new(&config).map(|keymap| (config, keymap)));
        let (config, keymap) = match taken {
            Ok(taken) => taken,
            Err(faults) => {
                let mut problem = Fault::problem(&faults);
                problem.what = "the configuration is not taken; the one before stays".to_owned();
                self.complain(problem);
                return;
            }
        };
        let before = std::mem::replace(&mut self.config, config);
        self.keymap = keymap;
        let settings = &self.config.settings;
        self.tier = self.features.tier(settings);
        self.ascii = self.features.is_ascii(settings);
        // A theme that was chosen here stays, as its file has it now, until the setting itself is changed.
        let chosen = (before.settings.theme == settings.theme)
            .then(|| self.config.theme(&self.theme.name).cloned())
            .flatten();
        let theme = chosen.unwrap_or_else(|| theme(&self.config, &self.features));
        self.wear(theme);
        if before.settings.mouse != self.config.settings.mouse {
            self.take_mouse(self.config.settings.mouse);
        }
        if self.config.settings.read_only && self.read_only.is_none() {
            self.read_only = Some("this is read-only, as the configuration says now".to_owned());
            self.effect(Effect::Lock);
        }
        let mut said = "the configuration was read again".to_owned();
        if before.settings.store != self.config.settings.store {
            said.push_str("; the other store is opened at the next start");
        }
        for loss in self.keymap.losses().take(1) {
            said.push_str(&format!("; {loss}"));
        }
        self.notify(said, Role::Info);
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub(crate) fn take_mouse(&mut self, on: bool) {
        self.mouse = on;
        self.effect(Effect::Mouse(on));
    }

    /// Keeps what parts of the program said.
    pub(crate) fn hear(&mut self, lines: Vec<LogLine>) {
        self.log.extend(lines);
        let surplus = self.log.len().saturating_sub(KEPT);
        self.log.drain(..surplus);
    }

    /// Takes in calls that were made.
    pub(crate) fn called(&mut self, calls: Vec<Arc<Call>>) {
        self.calls.extend(calls);
        let surplus = self.calls.len().saturating_sub(Trace::KEPT);
        self.calls.drain(..surplus);
    }

    /// The call of this number, where it is kept.
    pub(crate) fn call(&self, number: u64) -> Option<&Call> {
        let found = self.calls.iter().find(|call| call.number == number);
        found.map(AsRef::as_ref)
    }
}
