//! Opening the console on a store.

use std::io::IsTerminal as _;

use super::args::{Configured, GlobalOptions};
use super::open::{Opened, open_in, store_dir};
use super::text;
use crate::config::Paths;
use crate::model::Problem;
use crate::provider::embedded::Options;
use crate::tui;

/// Opens the console on a store, and makes it where there is none.
pub(super) async fn console(options: &GlobalOptions) -> Result<u8, Problem> {
    needs_terminal()?;
    let how = Options {
        read_only: options.read_only,
        create: true,
        copy_rate: options.copy_rate.map(|rate| rate.0),
        cache: options.cache.map(|bytes| bytes.0),
        ..Options::default()
    };
    let opened = open_in(&store_dir(options)?, &how, "console").await?;
    open_console(opened, options, None, tui::Tours::default()).await
}

/// Refuses where there is no terminal to draw on.
pub(super) fn needs_terminal() -> Result<(), Problem> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(
        Problem::user("the console needs a terminal, and this is none")
            .hint("`snapdeck get`, `describe` and `run` do the same from a script"),
    )
}

/// Opens the console, and says at the end what still runs and how to follow it.
pub(super) async fn open_console(
    mut opened: Opened,
    options: &GlobalOptions,
    welcome: Option<String>,
    tours: tui::Tours,
) -> Result<u8, Problem> {
    let Configured { config, source } = options.configured.clone();
    // What is said before the console opens is seen in its log too.
    let log = tui::LogTap::install(&config.settings.log)?;
    opened.let_others_in();
    let setup = tui::Setup {
        connection: opened.connection.clone(),
        tracker: opened.tracker.clone(),
        options: tui::Options {
            config,
            source,
            welcome,
            record: options.record.clone(),
            perf: options.perf,
            state: Paths::of_user().ok().map(|paths| paths.state),
            log: Some(log),
        },
        tours,
    };
    let ended = tui::run(setup).await;
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
