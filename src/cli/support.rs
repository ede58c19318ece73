//! `snapdeck support`: a support bundle, shown before it is written.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use super::args::{GlobalOptions, SupportArgs};
use super::{config, output, text};
use crate::config::Paths;
use crate::model::Problem;
use crate::provider::embedded::JOURNAL;
use crate::support::{Bundle, Places};
use crate::tui;

/// Gathers, shows and writes a bundle.
pub(super) fn support(options: &GlobalOptions, args: &SupportArgs) -> Result<u8, Problem> {
    let paths = Paths::of_user();
    let source = config::source(options)?;
    let config = source.read();
    let set = config.as_ref().ok().and_then(|c| c.settings.store.clone());
    let store = match options.store.clone().or(set) {
        Some(store) => store,
        None => paths.as_ref().map_err(Clone::clone)?.store.clone(),
    };
    let places = Places {
        journal: store.join(JOURNAL),
        store,
        state: paths.as_ref().ok().map(|paths| paths.state.clone()),
        home: paths.ok().map(|paths| paths.home),
        names: Vec::new(),
    };
    let bundle = Bundle::gather(&config, &places, tui::terminal());
    if let Some(name) = &args.show {
        let shown = bundle.show(name).ok_or_else(|| {
            Problem::not_found(format!("there is no {name} in it")).hint("--list names all")
        })?;
        let lines = shown.lines().map(|line| text::visible(line) + "\n");
        output::print(&lines.collect::<String>())?;
        return Ok(0);
    }
    if args.list {
        output::print(bundle.manifest())?;
        return Ok(0);
    }
    let file = args.output.clone();
    let file = file.unwrap_or_else(|| PathBuf::from(bundle.file_name()));
    confirm(bundle.manifest(), &file, args.yes)?;
    bundle.write(&file)?;
    output::print(&format!("{}\n", text::visible(&file.display().to_string())))?;
    Ok(0)
}

/// Shows what would be written, and asks.
#[allow(clippy::print_stderr, reason = "questions go to standard error")]
fn confirm(manifest: &str, file: &Path, yes: bool) -> Result<(), Problem> {
    eprint!("{manifest}");
    if yes {
        return Ok(());
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(
            Problem::user("nothing is written before somebody has seen what is in it")
                .hint("look at it with --list and --show NAME, then say --yes"),
        );
    }
    eprint!(
        "\nwrite {}? [y/N] ",
        text::visible(&file.display().to_string())
    );
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    match stdin.lock().read_line(&mut line) {
        Ok(_) if ["y", "Y", "yes"].contains(&line.trim()) => Ok(()),
        _ => Err(Problem::user("nothing is written")),
    }
}
