//! Opening the console on a store.

use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;

use super::args::{Configured, GlobalOptions};
use super::open::{Opened, open_in, store_dir};
use super::sites::{Leased, Sites, store_options};
use super::{profile, text};
use crate::config::{Account, Kept, Paths, Profile, Surroundings};
use crate::model::{Problem, ProblemKind};
use crate::tui::{self, Lease, Site};

/// Opens the console on the store, which is made where there is none, or on the profiles that are named: each in a tab.
pub(super) async fn console(options: &GlobalOptions) -> Result<u8, Problem> {
    let face = Face::of(options)?;
    let dir = store_dir(options)?;
    let sites = Sites::new(options, dir.clone());
    // A name that nobody knows is told here, rather than by an empty tab.
    for name in &options.profile {
        let named = profile::find(options, name)?;
        if face == Face::Screen && named.secret.command.is_some() {
            let asked = ask_before(named).await;
            if options.profile.len() == 1 {
                asked?;
            }
        }
    }
    let mut first = match (options.profile.as_slice(), face) {
        ([], _) => {
            let opened = open_in(&dir, &store_options(options), "console").await?;
            Some(Leased::store(opened, dir))
        }
        // Lines that come from a file want to know at once that nothing is there to answer them.
        ([name, ..], Face::Lines { .. }) => Some(sites.profile(name).await?),
        (_, Face::Screen) => None,
    };
    let named = match options.profile.as_slice() {
        [] => &options.configured.config.settings.open_tabs,
        named => named,
    };
    let mut open: Vec<Site> = Vec::new();
    for name in named {
        let site = Site::Profile(name.clone());
        let there = first.as_ref().map(Lease::site);
        if there.as_ref() != Some(&site) && !open.contains(&site) {
            open.push(site);
        }
    }
    let tours = tui::Tours::default();
    let what = What {
        first: first.take(),
        open,
        opener: Some(Arc::new(sites)),
    };
    begin(what, options, face, None, tours).await
}

/// Has the command of a profile give its secret once before the console takes the terminal: what it asks for there, as for
/// a passphrase, can be answered, and is known when the tab opens.
async fn ask_before(profile: Profile) -> Result<(), Problem> {
    let asked = tokio::task::spawn_blocking(move || {
        Account::of(&profile, &Surroundings::of_process()).map(drop)
    });
    asked
        .await
        .map_err(|e| Problem::new(ProblemKind::Bug, "the profile was not read").caused_by(&e))?
}

/// What a console is opened on.
struct What {
    first: Option<Leased>,
    open: Vec<Site>,
    opener: Option<Arc<dyn tui::Opener>>,
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

/// Opens the console on one store, with nothing else to open.
pub(super) async fn open_console(
    opened: Opened,
    dir: &Path,
    options: &GlobalOptions,
    face: Face,
    welcome: Option<String>,
    tours: tui::Tours,
) -> Result<u8, Problem> {
    let what = What {
        first: Some(Leased::store(opened, dir.to_owned())),
        open: Vec::new(),
        opener: None,
    };
    begin(what, options, face, welcome, tours).await
}

/// Runs the console, and says at the end what still runs and how to follow it.
async fn begin(
    what: What,
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
    let paths = Paths::of_user().ok();
    let first = what.first.map(|mut first| {
        first.let_others_in();
        Box::new(first) as Box<dyn Lease>
    });
    let setup = tui::Setup {
        first,
        open: what.open,
        opener: what.opener,
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
            state: paths.map(|paths| paths.state),
            log: Some(log),
        },
        tours,
    };
    let farewell = match face {
        Face::Screen => tui::run(setup).await,
        Face::Lines { .. } => tui::linear(setup).await,
    }?;
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
    for (site, name, task) in &farewell.unfinished {
        let verb = task.plan.operation.kind.verb();
        let on = match site {
            Site::Store => String::new(),
            Site::Profile(_) => format!(", on {}", text::visible(name)),
        };
        eprintln!(
            "under way: {verb} {}{on}",
            text::visible(&task.plan.subject)
        );
    }
    let mut sites: Vec<&Site> = farewell.unfinished.iter().map(|(site, ..)| site).collect();
    sites.dedup();
    for site in sites {
        let how = match site {
            Site::Store => "snapdeck get tasks".to_owned(),
            Site::Profile(name) => {
                format!("snapdeck --profile {} get tasks", text::visible(name))
            }
        };
        eprintln!("The next start follows it on; `{how}` tells how it stands.");
    }
}
