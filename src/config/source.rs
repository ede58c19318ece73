//! Where a configuration is read from, and what the command line says over it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::de::{DeTable, DeValue};

use super::check::{Check, line};
use super::fault::{Fault, did_you_mean};
use super::settings::{Colors, GlyphChoice, Settings, schema};
use super::theme::Theme;

/// What the command line says; it goes before the file, also when that is read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The theme.
    pub theme: Option<String>,
    /// The colours.
    pub colors: Option<Colors>,
    /// The glyphs.
    pub glyphs: Option<GlyphChoice>,
    /// Nothing can be changed.
    pub read_only: bool,
    /// No configuration is read at all, the defaults hold.
    pub no_config: bool,
}

/// Where a configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `config.toml`. It need not be there.
    pub file: PathBuf,
    /// The folder of the user's own themes. It need not be there.
    pub themes: PathBuf,
    /// What the command line says.
    pub flags: Flags,
}

/// A configuration that was read and is sound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// What is set.
    pub settings: Settings,
    /// The themes that there are: those of the program, then the user's own.
    pub themes: Vec<Theme>,
    /// The file, where there is one.
    pub file: PathBuf,
    /// At which line of it a setting stands, by its path (`keys.snapshot`).
    pub lines: BTreeMap<String, usize>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            themes: Theme::built_in(),
            file: PathBuf::new(),
            lines: BTreeMap::new(),
        }
    }
}

impl Config {
    /// The theme of this name.
    #[must_use]
    pub fn theme(&self, name: &str) -> Option<&Theme> {
        // The user's own go before those of the program.
        self.themes.iter().rev().find(|theme| theme.name == name)
    }

    /// The same without its profiles: they name systems and people, and what is not known cannot be recorded.
    #[must_use]
    pub fn without_profiles(mut self) -> Self {
        self.settings.profiles.clear();
        self.settings.open_tabs.clear();
        self.lines.retain(|path, _| !path.starts_with("profiles"));
        self
    }

    /// Something wrong with a setting, at its line.
    #[must_use]
    pub fn fault(&self, path: &str, what: String, meant: Option<String>) -> Fault {
        let line = self.lines.get(path).copied().unwrap_or(0);
        Fault::new(&self.file, line, what).meant(meant)
    }
}

impl Source {
    /// Reads everything. A file that is not there says nothing.
    ///
    /// # Errors
    /// Everything that is wrong, not the first thing only.
    pub fn read(&self) -> Result<Config, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut themes = Theme::built_in();
        let mut config = Config::default();
        if !self.flags.no_config {
            themes.extend(self.own_themes(&mut faults));
            match std::fs::read_to_string(&self.file) {
                Ok(text) => match parse(&self.file, &text) {
                    Ok(read) => config = read,
                    Err(wrong) => faults.extend(wrong),
                },
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => faults.push(Fault::new(&self.file, 0, format!("it cannot be read: {e}"))),
            }
        }
        config.themes = themes;
        self.overlay(&mut config.settings);
        let name = &config.settings.theme;
        if name != "auto" && config.theme(name).is_none() {
            let names = || config.themes.iter().map(|t| t.name.as_str());
            let what = format!("there is no theme \"{name}\"");
            let meant = did_you_mean(name, names()).or_else(|| {
                Some(format!(
                    "there are {}",
                    names().collect::<Vec<_>>().join(", ")
                ))
            });
            faults.push(match &self.flags.theme {
                Some(_) => Fault::new(Path::new("--theme"), 0, what).meant(meant),
                None => config.fault("theme", what, meant),
            });
        }
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(faults)
        }
    }

    fn overlay(&self, settings: &mut Settings) {
        if let Some(theme) = &self.flags.theme {
            settings.theme.clone_from(theme);
        }
        if let Some(colors) = self.flags.colors {
            settings.colors = colors;
        }
        if let Some(glyphs) = self.flags.glyphs {
            settings.glyphs = glyphs;
        }
        settings.read_only |= self.flags.read_only;
        for path in [&mut settings.store, &mut settings.log.file]
            .into_iter()
            .flatten()
        {
            if let (Ok(rest), Ok(home)) = (path.strip_prefix("~"), etcetera::home_dir()) {
                *path = home.join(rest);
            }
        }
    }

    /// The user's own themes, in the order of their files.
    fn own_themes(&self, faults: &mut Vec<Fault>) -> Vec<Theme> {
        let Ok(entries) = std::fs::read_dir(&self.themes) else {
            return Vec::new();
        };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "toml"))
            .collect();
        files.sort();
        let mut themes = Vec::new();
        for file in files {
            let read = std::fs::read_to_string(&file)
                .map_err(|e| Fault::new(&file, 0, format!("it cannot be read: {e}")));
            let theme = read
                .and_then(|text| Theme::parse(&text).map_err(|e| Fault::new(&file, e.line, e.why)));
            match theme {
                Ok(theme) => themes.push(theme),
                Err(fault) => faults.push(fault),
            }
        }
        themes
    }
}

/// Reads a `config.toml`.
///
/// # Errors
/// Everything that is wrong in it.
pub fn parse(file: &Path, text: &str) -> Result<Config, Vec<Fault>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let fault = |e: &toml::de::Error| {
            let at = e.span().map_or(1, |span| line(text, span.start));
            Fault::new(file, at, e.message().to_owned())
        };
        return Err(errors.iter().map(fault).collect());
    }
    let mut check = Check {
        file,
        text,
        schema: &schema(),
        faults: Vec::new(),
    };
    check.document(&table);
    if !check.faults.is_empty() {
        check.faults.sort_by_key(|fault| fault.line);
        return Err(check.faults);
    }
    let mut lines = BTreeMap::new();
    note_lines(table.get_ref(), "", text, &mut lines);
    // What the schema lets pass is read by the types that it was made from.
    let settings = toml::from_str(text).map_err(|e: toml::de::Error| {
        let at = e.span().map_or(1, |span| line(text, span.start));
        vec![Fault::new(file, at, e.message().to_owned())]
    })?;
    Ok(Config {
        settings,
        themes: Theme::built_in(),
        file: file.to_owned(),
        lines,
    })
}

fn note_lines(table: &DeTable<'_>, path: &str, text: &str, lines: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let here = match path {
            "" => key.get_ref().to_string(),
            path => format!("{path}.{}", key.get_ref()),
        };
        if let DeValue::Table(inner) = value.get_ref() {
            note_lines(inner, &here, text, lines);
        }
        lines.insert(here, line(text, key.span().start));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let faults = parse(Path::new("c"), text).unwrap_err();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(
            parse(Path::new("c"), "").unwrap().settings,
            Settings::default()
        );
    }

    #[test]
    fn everything_that_is_wrong_is_named_with_its_line_and_what_was_meant() {
        assert_eq!(
            faults(
                "them = \"dark\"\ncolors = 256\nmouse = \"yes\"\n\n[log]\nlevel = \"informative\"\n\
                 size = 3\n[keys]\nsnapshot = [\"S\", 4]\nopen = true\nglyphs = \"x\"\n"
            ),
            [
                "c:1: there is no setting \"them\"; did you mean \"theme\"?",
                "c:2: colors is \"auto\", \"none\", \"16\", \"256\" or \"true\"; write it as text: \"256\"",
                "c:3: mouse is true or false, not the text \"yes\"",
                "c:6: log.level is \"error\", \"warn\", \"info\", \"debug\" or \"trace\"; did you mean \"info\"?",
                "c:7: there is no setting \"log.size\"; there are file, level",
                "c:9: keys.snapshot is text, not the number 4",
                "c:10: keys.open is text or a list, not true",
            ]
        );
        assert_eq!(faults("colors = [1]").len(), 1);
        assert_eq!(faults("log = 3"), ["c:1: log is a table, not the number 3"]);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let faults = faults("theme = \"dark\"\nmouse = \n");
        assert!(faults[0].starts_with("c:2: "), "{faults:?}");
    }

    #[test]
    fn what_is_set_is_read() {
        let config = parse(
            Path::new("c"),
            "theme = \"light\"\ncolors = \"256\"\nglyphs = \"ascii\"\nstore = \"/srv/x\"\n\n[keys]\n\
             snapshot = \"ctrl-s\"\nhelp = [\"?\", \"F1\"]\n",
        )
        .unwrap();
        assert_eq!(config.settings.colors, Colors::TwoHundredFiftySix);
        assert_eq!(config.settings.glyphs, GlyphChoice::Ascii);
        assert_eq!(config.settings.store, Some(PathBuf::from("/srv/x")));
        let keys: Vec<_> = config.settings.keys["help"].iter().collect();
        assert_eq!(keys, ["?", "F1"]);
        assert_eq!(config.lines["keys.snapshot"], 7);
    }

    #[test]
    fn the_command_line_goes_before_the_file_and_own_themes_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let themes = dir.path().join("themes");
        std::fs::create_dir(&themes).unwrap();
        let own = include_str!("../../themes/light.toml").replace("\"light\"", "\"mine\"");
        std::fs::write(themes.join("mine.toml"), own).unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, "theme = \"mine\"\ncolors = \"16\"\n").unwrap();
        let mut source = Source {
            file,
            themes,
            flags: Flags::default(),
        };
        let config = source.read().unwrap();
        assert_eq!(config.theme("mine").unwrap().name, "mine");
        source.flags.colors = Some(Colors::None);
        source.flags.theme = Some("mien".to_owned());
        let faults = source.read().unwrap_err();
        assert_eq!(
            faults[0].to_string(),
            "--theme: there is no theme \"mien\"; did you mean \"mine\"?"
        );
        source.flags.theme = None;
        assert_eq!(source.read().unwrap().settings.colors, Colors::None);

        std::fs::write(source.themes.join("bad.toml"), "name = \"bad\"\n[roles]\n").unwrap();
        let faults = source.read().unwrap_err();
        assert!(faults[0].what.contains("has no look"), "{faults:?}");
        source.flags.no_config = true;
        assert_eq!(source.read().unwrap().settings.theme, "auto");
    }
}
