//! Opening the console: on a store, or on the demo estate.

use std::io::IsTerminal as _;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{Colors, DemoArgs, GlobalOptions};
use super::open::{Opened, store_dir, with_tracker};
use super::text;
use crate::config::Theme;
use crate::model::{Kind, Operation, OperationKind, Problem, ProblemKind, Query, Time, Value};
use crate::provider::embedded::demo::{self, Seeded};
use crate::provider::embedded::{Embedded, Options};
use crate::provider::list_all;
use crate::tui::{self, ColorTier};

/// The copy that is under way when the demo opens takes about so long, in seconds.
const DEMO_COPY_SECONDS: u64 = 90;

/// Opens the console on a store, and makes it where there is none.
pub(super) async fn console(options: &GlobalOptions) -> Result<u8, Problem> {
    needs_terminal()?;
    let embedded = Embedded::open(
        &store_dir(options)?,
        &Options {
            read_only: options.read_only,
            create: true,
            ..Options::default()
        },
    )?;
    open_console(with_tracker(embedded, "console")?, options, None, false).await
}

/// Makes the demo estate, and opens the console on it.
pub(super) async fn demo(options: &GlobalOptions, args: &DemoArgs) -> Result<u8, Problem> {
    if !args.build_only {
        needs_terminal()?;
    } else if options.store.is_none() {
        return Err(
            Problem::user("an estate that is only made needs a place to stay")
                .hint("say where with --store DIR"),
        );
    }
    // Without --store it is thrown away when this ends.
    let (dir, _throw_away) = match &options.store {
        Some(dir) => (dir.clone(), None),
        None => {
            let folder = tempfile::Builder::new()
                .prefix("snapdeck-demo-")
                .tempdir()
                .map_err(|e| {
                    Problem::new(ProblemKind::System, "there is no room for the demo").caused_by(&e)
                })?;
            (folder.path().join("demo"), Some(folder))
        }
    };
    let fresh = {
        let embedded = demo_store(&dir, true)?;
        let volumes = list_all(&*embedded.connection.reader, Query::all(Kind::Volume)).await?;
        if volumes.is_empty() {
            Some(build(embedded, args.scale).await?)
        } else {
            embedded.close()?;
            None
        }
    };
    // Opened again as any store is: what happens to it from now on is kept.
    let embedded = demo_store(&dir, false)?;
    let Some(seeded) = fresh else {
        if args.build_only {
            embedded.close()?;
            return Err(
                Problem::conflict(format!("{} holds a store already", dir.display()))
                    .hint("name another directory, or open this one with `snapdeck --store DIR`"),
            );
        }
        let welcome = "The demo estate as it was left.".to_owned();
        let opened = read_only(with_tracker(embedded, "console")?, options);
        return open_console(opened, options, Some(welcome), false).await;
    };
    let opened = with_tracker(embedded, "demo")?;
    begin_copy(&opened, &seeded).await?;
    if args.build_only {
        opened.close().await?;
        return Ok(0);
    }
    let welcome = format!(
        "A throw-away estate with {} snapshots; a copy is under way. Try anything: ? shows the keys.",
        seeded.snapshots
    );
    let throw_away = options.store.is_none();
    open_console(
        read_only(opened, options),
        options,
        Some(welcome),
        throw_away,
    )
    .await
}

/// Opens the store of the demo, always with the means to write: the console may be given
/// a connection without.
fn demo_store(dir: &Path, hasty: bool) -> Result<Embedded, Problem> {
    Embedded::open(
        dir,
        &Options {
            create: true,
            hasty,
            ..Options::default()
        },
    )
}

/// Takes the means to write away, where that was asked for.
fn read_only(mut opened: Opened, options: &GlobalOptions) -> Opened {
    if options.read_only {
        opened.embedded.connection.writer = None;
    }
    opened
}

/// Fills an empty store with the estate, and closes it.
async fn build(embedded: Embedded, scale: u32) -> Result<Seeded, Problem> {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10))
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) =
        ProgressStyle::with_template("making the demo estate {bar:30} {pos}/{len} snapshots")
    {
        bar.set_style(style);
    }
    let work = tokio::task::spawn_blocking(move || {
        let seeded = demo::seed(embedded.store(), scale, Time::now(), &|done, total| {
            bar.set_length(total);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        let closed = embedded.close();
        seeded.and_then(|seeded| closed.map(|()| seeded))
    });
    let made = tokio::select! {
        made = work => made,
        // What is half made goes with its folder.
        _ = tokio::signal::ctrl_c() => return Err(Problem::user("interrupted: the estate is not whole")),
    };
    made.map_err(|e| Problem::new(ProblemKind::Bug, "the demo estate was not made").caused_by(&e))?
}

/// Begins a full copy that is slow enough to be looked at.
async fn begin_copy(opened: &Opened, seeded: &Seeded) -> Result<(), Problem> {
    let operation = Operation::new(OperationKind::Clone)
        .with("snapshot", Value::Object(demo::reference(seeded.copy_from)))
        .text("name", "db01-standalone")
        .text("description", "a full copy for the auditors")
        .with("copy", Value::Flag(true));
    let plan = opened.tracker.plan(&operation).await?;
    let rate = (plan.copies.0 / DEMO_COPY_SECONDS).max(64 << 10);
    opened.embedded.store().set_copy_rate(Some(rate));
    opened.tracker.submit(plan).await?;
    Ok(())
}

fn needs_terminal() -> Result<(), Problem> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(
        Problem::user("the console needs a terminal, and this is none")
            .hint("`snapdeck get`, `describe` and `run` do the same from a script"),
    )
}

/// Opens the console, and says at the end what still runs and how to follow it.
async fn open_console(
    opened: Opened,
    options: &GlobalOptions,
    welcome: Option<String>,
    throw_away: bool,
) -> Result<u8, Problem> {
    let theme = match &options.theme {
        None => Theme::default(),
        Some(name) => Theme::named(name).ok_or_else(|| {
            let names: Vec<_> = Theme::built_in().into_iter().map(|t| t.name).collect();
            Problem::user(format!("there is no theme \"{name}\""))
                .hint(format!("the themes are {}", names.join(", ")))
        })?,
    };
    let setup = tui::Setup {
        connection: opened.embedded.connection.clone(),
        tracker: opened.tracker.clone(),
        options: tui::Options {
            theme,
            read_only: options.read_only,
            ascii: options.ascii.then_some(true),
            colors: options.colors.map(|colors| match colors {
                Colors::None => ColorTier::None,
                Colors::Sixteen => ColorTier::Ansi16,
                Colors::TwoHundredFiftySix => ColorTier::Ansi256,
                Colors::True => ColorTier::True,
            }),
            mouse: true,
            welcome,
            throw_away,
        },
    };
    let ended = tui::run(setup).await;
    opened.close().await?;
    let farewell = ended?;
    if !throw_away {
        farewell_lines(&farewell);
    }
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
