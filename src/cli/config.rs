//! `snapdeck config`, and reading the configuration for every other command.

use super::args::{Colors as Tier, ConfigArgs, ConfigCommand, Configured, GlobalOptions};
use super::{output, text};
use crate::config::{Colors, Fault, Flags, GlyphChoice, Paths, Source, Theme, document, schema};
use crate::model::Problem;
use crate::tui;

/// Where the configuration is read from.
pub(super) fn source(options: &GlobalOptions) -> Result<Source, Problem> {
    let flags = Flags {
        theme: options.theme.clone(),
        colors: options.colors.map(|tier| match tier {
            Tier::None => Colors::None,
            Tier::Sixteen => Colors::Sixteen,
            Tier::TwoHundredFiftySix => Colors::TwoHundredFiftySix,
            Tier::True => Colors::True,
        }),
        glyphs: match (options.ascii, options.unicode) {
            (true, _) => Some(GlyphChoice::Ascii),
            (_, true) => Some(GlyphChoice::Unicode),
            _ => None,
        },
        read_only: options.read_only,
        no_config: options.no_config,
    };
    match &options.config {
        Some(file) => {
            if !file.exists() {
                return Err(Problem::user(format!(
                    "there is no file {}",
                    file.display()
                )));
            }
            let folder = file.parent().unwrap_or_else(|| std::path::Path::new("."));
            Ok(Source {
                file: file.clone(),
                themes: folder.join("themes"),
                flags,
            })
        }
        None => {
            let paths = Paths::of_user()?;
            Ok(Source {
                file: paths.config_file(),
                themes: paths.themes(),
                flags,
            })
        }
    }
}

/// Reads the configuration, and sets what the command line left open.
///
/// # Errors
/// Everything that is wrong in it: what it says of the store and of changes must not be missed.
pub(super) fn settle(options: &mut GlobalOptions) -> Result<(), Problem> {
    // Without a home there is nothing to read, and a store may be named all the same.
    let source = match source(options) {
        Ok(source) => Some(source),
        Err(_) if options.config.is_none() => None,
        Err(problem) => return Err(problem),
    };
    let read = source
        .as_ref()
        .map_or_else(|| Ok(Default::default()), Source::read);
    let checked = read.and_then(|config| tui::check(&config).map(|_| config));
    let config = checked
        .map_err(|faults| Fault::problem(&faults).hint("`--no-config` goes on without it"))?;
    if options.store.is_none() {
        options.store.clone_from(&config.settings.store);
    }
    options.read_only |= config.settings.read_only;
    options.configured = Configured { config, source };
    Ok(())
}

/// Does what `snapdeck config` was asked for.
pub(super) fn config(options: &GlobalOptions, args: &ConfigArgs) -> Result<u8, Problem> {
    match &args.what {
        ConfigCommand::Check { file } => {
            let mut options = options.clone();
            if file.is_some() {
                options.config.clone_from(file);
            }
            check(&source(&options)?)?;
        }
        ConfigCommand::Doc { schema: true } => output::print(&output::json(&schema())?)?,
        ConfigCommand::Doc { schema: false } => output::print(&document(&tui::keys()))?,
        ConfigCommand::Path => output::print(&paths(options)?)?,
    }
    Ok(0)
}

fn check(source: &Source) -> Result<(), Problem> {
    let checked = source
        .read()
        .and_then(|config| tui::check(&config).map(|notes| (config, notes)));
    let (config, mut notes) = checked.map_err(|faults| Fault::problem(&faults))?;
    let built_in = Theme::built_in();
    for theme in config.themes.iter().filter(|t| !built_in.contains(t)) {
        notes.extend(theme.faint().into_iter().map(|(role, ratio)| {
            let (theme, role) = (&theme.name, role.name());
            format!("{role} is hard to read in the theme {theme}: its contrast is {ratio:.1}")
        }));
    }
    let mut said = String::new();
    for note in notes {
        said.push_str(&format!("note: {}\n", text::visible(&note)));
    }
    let name = text::visible(&source.file.display().to_string());
    said.push_str(&if source.file.exists() {
        format!("{name} is right\n")
    } else {
        format!("{name} is not there; the defaults hold\n")
    });
    output::print(&said)
}

fn paths(options: &GlobalOptions) -> Result<String, Problem> {
    let source = source(options)?;
    let paths = Paths::of_user()?;
    let store = options.store.as_ref().unwrap_or(&paths.store);
    let rows = [
        ("configuration", &source.file),
        ("themes", &source.themes),
        ("store", store),
        ("demo", &paths.demo),
        ("state", &paths.state),
    ];
    let lines = rows.map(|(name, path)| {
        let path = text::visible(&path.display().to_string());
        format!("{name:<14} {path}\n")
    });
    Ok(lines.concat())
}
