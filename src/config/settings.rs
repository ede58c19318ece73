//! What a user can set, as types. The schema, the checks, the documentation and the defaults are made from
//! these and from nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::profile::Profiles;

/// Everything that can be set in `config.toml`. What is left out has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The theme, by its name: one that comes with the program, or one of your own in `themes/` beside this file.
    /// `auto` takes `light` where the terminal says that its background is light, and else `dark`.
    pub theme: String,
    /// How many colours are shown. `auto` tells from the terminal, and heeds `NO_COLOR`.
    pub colors: Colors,
    /// Which characters are drawn with. `auto` tells from the locale and the terminal.
    pub glyphs: GlyphChoice,
    /// The mouse is taken, so that rows and keys can be pressed with it. Without it the terminal's own selection of
    /// text works; `F6` changes it while the program runs.
    pub mouse: bool,
    /// Whether texts can be copied with OSC 52, the sequence that sets the clipboard of the terminal in front of you,
    /// also over SSH. `auto` sends it where the terminal is known to take it or to pass it over.
    pub clipboard: Clipboard,
    /// Nothing can be changed. `--read-only` says the same for one run; nothing takes it back while the program runs.
    pub read_only: bool,
    /// The directory of the embedded store, where `--store` and `SNAPDECK_STORE` say nothing.
    pub store: Option<PathBuf>,
    /// The systems that are called, by the names that `--profile` takes.
    pub profiles: Profiles,
    /// The profiles, or clouds, that the console opens beside the store when it begins, each in a tab of its own; none
    /// unless said, since that signs in to them. `--profile` opens what it names instead.
    pub open_tabs: Vec<String>,
    /// A fault of the program leaves a file with what happened last, and says where it is.
    pub crash_files: bool,
    /// What is kept for the log view, and written to a file where one is named.
    pub log: LogSettings,
    /// Keys of the console by the name of the action: `snapshot = "ctrl-s"`, or several as `["S", "ctrl-s"]`; `[]`
    /// leaves it without one. An action that is not named keeps its keys, but for those that another was given.
    pub keys: BTreeMap<String, Keys>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: "auto".to_owned(),
            colors: Colors::Auto,
            glyphs: GlyphChoice::Auto,
            mouse: true,
            clipboard: Clipboard::Auto,
            read_only: false,
            store: None,
            profiles: Profiles::new(),
            open_tabs: Vec::new(),
            crash_files: true,
            log: LogSettings::default(),
            keys: BTreeMap::new(),
        }
    }
}

/// How many colours are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Colors {
    /// As many as the terminal is known to have.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// None; bold, underline and reverse only.
    #[serde(rename = "none")]
    None,
    /// The 16 of the terminal's own palette.
    #[serde(rename = "16")]
    Sixteen,
    /// The 256 of xterm.
    #[serde(rename = "256")]
    TwoHundredFiftySix,
    /// 24 bits.
    #[serde(rename = "true")]
    True,
}

/// Which characters are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GlyphChoice {
    /// As the locale and the terminal say.
    #[default]
    Auto,
    /// ASCII only.
    Ascii,
    /// Lines, boxes and signs of Unicode.
    Unicode,
}

/// Whether texts can be copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clipboard {
    /// Where the terminal is known to take it.
    #[default]
    Auto,
    /// Never.
    Off,
}

/// The log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogSettings {
    /// The least grave lines that are kept.
    pub level: LogLevel,
    /// Lines are appended to this file as well.
    pub file: Option<PathBuf>,
}

/// How grave a line of the log is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What was done.
    #[default]
    Info,
    /// Each question and its answer.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word that is shown.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// One key, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Keys {
    /// One.
    One(String),
    /// Several; none takes the key away.
    Several(Vec<String>),
}

impl Keys {
    /// Them all.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(key) => std::slice::from_ref(key),
            Self::Several(keys) => keys,
        }
        .iter()
        .map(String::as_str)
    }
}

/// The JSON schema of `config.toml`.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Settings);
    schema.insert("title".to_owned(), "snapdeck's config.toml".into());
    schema.to_value()
}
