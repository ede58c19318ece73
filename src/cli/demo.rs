//! `snapdeck demo`: an estate to try things on. It is kept, so that what was done is found
//! again at the next start, until a fresh one is asked for.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{DemoArgs, GlobalOptions};
use super::console::{Face, open_console};
use super::demo_tours::Chosen;
use super::open::{Opened, with_tracker};
use crate::config::Paths;
use crate::engine::BadBlocks;
use crate::model::{Operation, OperationKind, Problem, ProblemKind, Task, Time, Value};
use crate::provider::embedded::demo::{self, Seeded};
use crate::provider::embedded::demo_stage::Stage;
use crate::provider::embedded::{Embedded, Options};
use crate::share::attach;

/// About how many snapshots an estate has that nothing was said of.
const SCALE: u32 = 120;
/// Why there are no tours where nothing can be changed.
const READ_ONLY: &str = "nothing can be changed here, and a tour is taken by doing";
/// Why there are none where the console asks and tells in lines.
const LINES: &str = "what leads through it is a panel on the screen";
/// The file beside a store that says that it is a demo estate, whole, and of which scale.
const MARK: &str = "demo-estate";
/// The copy that is under way when the demo opens takes about so long, in seconds.
const COPY_SECONDS: u64 = 90;

/// Makes the demo estate where there is none, and opens the console on it.
pub(super) async fn demo(options: &GlobalOptions, args: &DemoArgs) -> Result<u8, Problem> {
    let face = match args.build_only {
        true => Face::Screen,
        false => Face::of(options)?,
    };
    let chosen = Chosen::from(args)?;
    let estate = Estate {
        dir: match &options.store {
            Some(dir) => dir.clone(),
            None => Paths::of_user()?.demo,
        },
        ours: options.store.is_none(),
    };
    if !args.fresh
        && !args.build_only
        && let Some(attached) = attach(&estate.dir, options.read_only, "console").await?
    {
        let welcome = format!("Process {} has this estate open too.", attached.pid);
        let why = "another process has this estate; what happens on a tour happens there";
        let tours = chosen.refuse(why)?;
        return open_console(
            Opened::guest(attached),
            &estate.dir,
            options,
            face,
            Some(welcome),
            tours,
        )
        .await;
    }
    if options.read_only {
        chosen.refuse(READ_ONLY)?;
    }
    let there = estate.look(args)?;
    let off = match &there {
        _ if options.read_only => Some(chosen.refuse(READ_ONLY)?),
        _ if matches!(face, Face::Lines { .. }) => Some(chosen.refuse(LINES)?),
        Found::Other => {
            Some(chosen.refuse("no demo made this store, and nothing is let happen in it")?)
        }
        Found::Whole | Found::Nothing => None,
    };
    let seeded = match &there {
        Found::Nothing => Some(estate.make(args.scale.unwrap_or(SCALE)).await?),
        Found::Whole | Found::Other => None,
    };
    let bad = BadBlocks::default();
    let embedded = estate.open(bad.clone())?;
    let stage = Stage::new(embedded.store(), bad);
    let opened = with_tracker(embedded, if seeded.is_some() { "demo" } else { "console" })?;
    let welcome = match &seeded {
        Some(seeded) => {
            // Nobody would look on where nothing is opened, or nothing may go on: then it is waited for.
            begin_copy(&opened, seeded, args.build_only || options.read_only).await?;
            format!(
                "An estate with {} snapshots to try anything on",
                seeded.snapshots
            )
        }
        None => there.welcome().to_owned(),
    };
    let welcome = match chosen.is_quiet() && off.is_none() {
        true => format!("{welcome}; :tours leads through it."),
        false => format!("{welcome}."),
    };
    if args.build_only {
        opened.close().await?;
        return match seeded {
            Some(_) => Ok(0),
            None => Err(Problem::conflict(format!(
                "{} holds a store already",
                estate.dir.display()
            ))
            .hint("say --fresh to make a demo estate anew, or name another directory")),
        };
    }
    let opened = if options.read_only {
        // Opened again without the means to change anything.
        opened.close().await?;
        let looked_at = Options {
            read_only: true,
            ..Options::default()
        };
        with_tracker(Embedded::open(&estate.dir, &looked_at)?, "console")?
    } else {
        opened
    };
    let tours = off.unwrap_or_else(|| chosen.on(stage));
    open_console(opened, &estate.dir, options, face, Some(welcome), tours).await
}

/// What is in the demo's directory.
enum Found {
    /// No store.
    Nothing,
    /// A demo estate.
    Whole,
    /// A store that no demo made; it is opened as it is.
    Other,
}

impl Found {
    fn welcome(&self) -> &'static str {
        match self {
            Self::Other => "A store of your own, as it was left; no demo made it",
            Self::Nothing | Self::Whole => "As it was left; `demo --fresh` makes it anew",
        }
    }
}

/// Where the estate is.
struct Estate {
    dir: PathBuf,
    /// It is the demo's own place, where nothing but a demo is kept.
    ours: bool,
}

impl Estate {
    /// Looks what is there; takes away what is to be made anew, or was left half made.
    fn look(&self, args: &DemoArgs) -> Result<Found, Problem> {
        if !self.dir.join("super").exists() {
            return Ok(Found::Nothing);
        }
        let mark = std::fs::read_to_string(self.dir.join(MARK)).ok();
        match mark {
            Some(_) if args.fresh => {}
            Some(scale) => {
                let scale = scale.trim();
                return match args.scale {
                    Some(asked) if asked.to_string() != scale => Err(Problem::conflict(format!(
                        "the demo estate that is there has scale {scale}"
                    ))
                    .hint("say --fresh to make it anew")),
                    _ => Ok(Found::Whole),
                };
            }
            // Interrupted while it was made.
            None if self.ours => {}
            None if args.fresh => {
                return Err(Problem::conflict(format!(
                    "{} holds a store that no demo made; it is not replaced",
                    self.dir.display()
                ))
                .hint("name another directory"));
            }
            None if args.scale.is_some() => {
                return Err(Problem::conflict(format!(
                    "{} holds a store that no demo made",
                    self.dir.display()
                ))
                .hint("name another directory, or open this one with `snapdeck --store DIR`"));
            }
            None => return Ok(Found::Other),
        }
        self.remove()?;
        Ok(Found::Nothing)
    }

    /// Removes the store's files and nothing else, once it is sure that nobody has it open.
    fn remove(&self) -> Result<(), Problem> {
        let idle = Options {
            idle: true,
            ..Options::default()
        };
        match Embedded::open(&self.dir, &idle) {
            Ok(embedded) => embedded.close()?,
            Err(problem) if problem.kind == ProblemKind::Conflict => return Err(problem),
            // Damaged: all the more reason.
            Err(_) => {}
        }
        let failed = |e: std::io::Error| {
            let what = format!(
                "the demo estate in {} cannot be removed",
                self.dir.display()
            );
            Problem::new(ProblemKind::System, what).caused_by(&e)
        };
        // The mark goes last but one: what is left without it is known to be half a store.
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let text = name.to_string_lossy();
            let file = text.split('.').next().unwrap_or_default();
            if matches!(
                file,
                "super" | "meta" | "log" | "data" | "LOCK" | "journal" | MARK
            ) {
                names.push(name);
            }
        }
        names.sort_by_key(|name| (name == "super", name == MARK));
        for name in names {
            std::fs::remove_file(self.dir.join(name)).map_err(failed)?;
        }
        Ok(())
    }

    /// Makes an estate in an empty directory.
    async fn make(&self, scale: u32) -> Result<Seeded, Problem> {
        let hasty = Options {
            create: true,
            hasty: true,
            ..Options::default()
        };
        let seeded = build(Embedded::open(&self.dir, &hasty)?, scale).await?;
        std::fs::write(self.dir.join(MARK), format!("{scale}\n")).map_err(|e| {
            Problem::new(
                ProblemKind::System,
                "the demo estate cannot be marked as whole",
            )
            .caused_by(&e)
        })?;
        Ok(seeded)
    }

    /// Opens the store with the means to write, on a medium that can be spoiled.
    fn open(&self, bad_blocks: BadBlocks) -> Result<Embedded, Problem> {
        let options = Options {
            create: true,
            bad_blocks: Some(bad_blocks),
            ..Options::default()
        };
        Embedded::open(&self.dir, &options)
    }
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

/// Begins a full copy that is slow enough to be looked at; or makes one, to its end.
async fn begin_copy(opened: &Opened, seeded: &Seeded, whole: bool) -> Result<(), Problem> {
    let operation = Operation::new(OperationKind::Clone)
        .with("snapshot", Value::Object(demo::reference(seeded.copy_from)))
        .text("name", "db01-standalone")
        .text("description", "a full copy for the auditors")
        .with("copy", Value::Flag(true));
    let plan = opened.tracker.plan(&operation).await?;
    if !whole {
        let rate = (plan.copies.0 / COPY_SECONDS).max(64 << 10);
        opened.store()?.set_copy_rate(Some(rate));
    }
    let id = opened.tracker.submit(plan).await?;
    if whole {
        let task = opened.tracker.wait(&id, Task::is_settled).await?;
        if let Some(problem) = task.problem() {
            return Err(problem.clone());
        }
    }
    Ok(())
}
