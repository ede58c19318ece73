//! Opening the console on a store.

use std::io::IsTerminal as _;
use std::path::Path;

use super::args::{Configured, GlobalOptions};
use super::open::{Opened, open_in, open_profile, store_dir};
use super::text;
use crate::config::{Kept, Paths};
use crate::model::Problem;
use crate::provider::embedded::{JOURNAL, Options};
use crate::support::Places;
use crate::tui;

/// Opens the console on a store, and makes it where there is none.
pub(super) async fn console(options: &GlobalOptions) -> Result<u8, Problem> {
    let face = Face::of(options)?;
    if let Some(name) = &options.profile {
        let opened = open_profile(options, name, options.read_only, "console").await?;
        let dir = Paths::of_user()?.of_profile(name);
        return open_console(opened, &dir, options, face, None, tui::Tours::default()).await;
    }
    let how = Options {
        read_only: options.read_only,
        create: true,
        copy_rate: options.copy_rate.map(|rate| rate.0),
        cache: options.cache.map(|bytes| bytes.0),
        ..Options::default()
    };
    let dir = store_dir(options)?;
    let opened = open_in(&dir, &how, "console").await?;
    open_console(opened, &dir, options, face, None, tui::Tours::default()).await
}

/// How the console shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// It draws.
    Screen,
    /// It asks and tells in lines.
    Lines {
        /// Because the terminal cannot be drawn on.
        dumb: bool,
    },
}

impl Face {
    /// The face that was asked for; lines on a terminal that cannot be drawn on.
    ///
    /// # Errors
    /// Where there is no terminal, and lines were not asked for.
    pub(super) fn of(options: &GlobalOptions) -> Result<Self, Problem> {
        if options.linear {
            return Ok(Self::Lines { dumb: false });
        }
        needs_terminal()?;
        match std::env::var("TERM").as_deref() {
            Ok("dumb") => Ok(Self::Lines { dumb: true }),
            _ => Ok(Self::Screen),
        }
    }
}

/// Refuses where there is no terminal to draw on.
pub(super) fn needs_terminal() -> Result<(), Problem> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(
        Problem::user("the console needs a terminal, and this is none")
            .hint("`snapdeck get`, `describe` and `run` do the same from a script")
            .hint("`--linear` asks and tells in lines, on anything"),
    )
}

/// Opens the console, and says at the end what still runs and how to follow it.
pub(super) async fn open_console(
    mut opened: Opened,
    dir: &Path,
    options: &GlobalOptions,
    face: Face,
    welcome: Option<String>,
    tours: tui::Tours,
) -> Result<u8, Problem> {
    let welcome = match face {
        Face::Lines { dumb: true } => {
            let why = "This terminal calls itself dumb, so the console asks and tells in lines.";
            Some(welcome.map_or_else(|| why.to_owned(), |more| format!("{why} {more}")))
        }
        _ => welcome,
    };
    let Configured { config, source } = options.configured.clone();
    let config = config.without_profiles();
    // What is said before the console opens is seen in its log too.
    let log = tui::LogTap::install(&config.settings.log)?;
    opened.let_others_in();
    let paths = Paths::of_user().ok();
    let setup = tui::Setup {
        connection: opened.connection.clone(),
        tracker: opened.tracker.clone(),
        options: tui::Options {
            config,
            source,
            welcome,
            record: options.record.clone(),
            perf: options.perf,
            kept: paths
                .as_ref()
                .filter(|_| !options.no_config && !options.no_state)
                .map(|paths| Kept::file(&paths.state)),
            // A bundle names nobody, and what is kept of a profile names systems.
            support: options.profile.is_none().then(|| Places {
                store: dir.to_owned(),
                journal: dir.join(JOURNAL),
                state: paths.as_ref().map(|paths| paths.state.clone()),
                home: paths.as_ref().map(|paths| paths.home.clone()),
            }),
            state: paths.map(|paths| paths.state),
            log: Some(log),
        },
        tours,
    };
    let ended = match face {
        Face::Screen => tui::run(setup).await,
        Face::Lines { .. } => tui::linear(setup).await,
    };
    opened.close().await?;
    let farewell = ended?;
    farewell_lines(&farewell);
    Ok(match farewell.signal {
        // As shells have it.
        Some(signal) => 128u8.saturating_add(u8::try_from(signal).unwrap_or(0)),
        None => 0,
    })
}

/// Names what was under way.
#[allow(
    clippy::print_stderr,
    reason = "the console has given the terminal back"
)]
fn farewell_lines(farewell: &tui::Farewell) {
    for task in &farewell.unfinished {
        let verb = task.plan.operation.kind.verb();
        eprintln!("under way: {verb} {}", text::visible(&task.plan.subject));
    }
    if !farewell.unfinished.is_empty() {
        eprintln!("The next start follows it on; `snapdeck get tasks` tells how it stands.");
    }
}
