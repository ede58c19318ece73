//! Where things are kept on this machine, as the XDG base directories say.

use std::path::PathBuf;

use etcetera::{AppStrategy as _, AppStrategyArgs, choose_app_strategy};

use crate::model::{Problem, ProblemKind};

/// The folders of this user.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The home folder itself.
    pub home: PathBuf,
    /// Where the default store is kept (`~/.local/share/snapdeck/store`).
    pub store: PathBuf,
    /// Where the demo estate is kept (`~/.local/share/snapdeck/demo`).
    pub demo: PathBuf,
    /// Where the configuration is (`~/.config/snapdeck`).
    pub config: PathBuf,
    /// Where what the program leaves of itself is kept: pictures of the screen, crash files (`~/.local/state/snapdeck`).
    pub state: PathBuf,
}

impl Paths {
    /// The folders of this user.
    ///
    /// # Errors
    /// Where the system does not say where this user's home is.
    pub fn of_user() -> Result<Self, Problem> {
        let strategy = choose_app_strategy(AppStrategyArgs {
            top_level_domain: "org".to_owned(),
            author: "snapdeck".to_owned(),
            app_name: "snapdeck".to_owned(),
        })
        .map_err(|e| {
            Problem::new(ProblemKind::Config, "your home folder is not known")
                .caused_by(&e)
                .hint("set HOME, or name a store with --store DIR")
        })?;
        Ok(Self {
            home: strategy.home_dir().to_owned(),
            store: strategy.data_dir().join("store"),
            demo: strategy.data_dir().join("demo"),
            config: strategy.config_dir(),
            // Only where there is no such folder on a system is there none here.
            state: strategy
                .state_dir()
                .unwrap_or_else(|| strategy.data_dir().join("state")),
        })
    }

    /// What the user has set.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// Where the journals of a profile are kept. A name may hold anything; a folder's may not.
    #[must_use]
    pub fn of_profile(&self, name: &str) -> PathBuf {
        let mut folder = String::new();
        for c in name.chars() {
            match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => folder.push(c),
                other => folder.push_str(&format!("+{:x}", u32::from(other))),
            }
        }
        self.state.join("profiles").join(folder)
    }

    /// The user's own themes.
    #[must_use]
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }
}
