//! The command line: what the console does by hand, from a script. Results go to
//! standard output alone; progress, questions and problems to standard error.

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::model::{Problem, ProblemKind};

mod args;
mod ask;
mod config;
mod console;
mod demo;
mod demo_tours;

mod describe;
mod diff;
mod doctor;
mod export;
mod follow;
mod format;
mod get;
mod get_sets;
mod input;
mod nbd;
mod nbd_service;
mod open;
mod operation_args;
mod output;
mod plan_text;
mod profile;
mod replay;
mod run;
mod scrub;
mod sites;
mod support;
mod task;
mod text;

pub use args::{Cli, Command};

/// A task was cancelled by somebody else than this command.
pub const EXIT_CANCELLED: u8 = 10;
/// A task waits for a decision.
pub const EXIT_SUSPENDED: u8 = 11;
/// Interrupted by Ctrl-C, as shells have it.
pub const EXIT_INTERRUPTED: u8 = 130;

/// Reads the command line and does what it says.
///
/// # Errors
/// What only a fault of this program brings about; all else is reported here and told by the
/// exit code.
pub fn main() -> color_eyre::Result<ExitCode> {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches)?;
    if let Command::Completions { shell } = cli.chosen() {
        let mut command = Cli::command();
        clap_complete::generate(shell, &mut command, "snapdeck", &mut std::io::stdout());
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let code = match runtime.block_on(dispatch(cli)) {
        Ok(code) => code,
        Err(problem) => {
            report(&problem);
            problem.kind.exit_code()
        }
    };
    // A blocking call that hangs must not keep the program from ending.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    Ok(ExitCode::from(code))
}

async fn dispatch(cli: Cli) -> Result<u8, Problem> {
    let mut options = cli.options.clone();
    let chosen = cli.chosen();
    // What looks at a configuration must not stumble over it.
    if !chosen.is_about_the_program() {
        config::settle(&mut options)?;
    }
    if let ([_, second, ..], false) = (
        options.profile.as_slice(),
        matches!(chosen, Command::Console),
    ) {
        let what = format!(
            "one profile at a time: \"{}\" is one too many",
            text::visible(second)
        );
        return Err(Problem::user(what).hint("the console opens several side by side"));
    }
    match chosen {
        Command::Console => console::console(&options).await,
        Command::Demo(demo) => demo::demo(&options, &demo).await,
        Command::Get(get) => get::get(&options, &get).await,
        Command::Describe(describe) => describe::describe(&options, &describe).await,
        Command::Run(asked) => run::run(&options, &asked).await,
        Command::Import(import) => run::import(&options, &import).await,
        Command::Export(export) => export::export(&options, &export).await,
        Command::Apply(apply) => run::apply_difference(&options, &apply).await,
        Command::Diff(args) => diff::diff(&options, &args).await,
        Command::Nbd(nbd) => nbd::nbd(&options, &nbd).await,
        Command::Follow(follow) => follow::follow(&options, &follow).await,
        Command::Task(args) => task::task(&options, &args).await,
        Command::Scrub(args) => scrub::scrub(&options, &args).await,
        Command::Replay(args) => replay::replay(&options, &args).await,
        Command::Profile(args) => profile::profile(&options, &args).await,
        Command::Doctor(args) => doctor::doctor(&options, &args).await,
        Command::Config(args) => config::config(&options, &args),
        Command::Support(args) => support::support(&options, &args),
        // Done before there is a runtime.
        Command::Completions { .. } => Ok(0),
    }
}

/// Tells a problem on standard error: what, why, and what to try.
#[allow(clippy::print_stderr, reason = "this is where problems are told")]
fn report(problem: &Problem) {
    eprintln!("error: {}", text::visible(&problem.what));
    for cause in &problem.causes {
        eprintln!("  because: {}", text::visible(cause));
    }
    for hint in &problem.hints {
        eprintln!("  try: {}", text::visible(hint));
    }
    if let Some(id) = &problem.request_id {
        eprintln!("  request: {}", text::visible(id));
    }
    if problem.kind == ProblemKind::Bug {
        eprintln!("  this is a fault of snapdeck; please report it with what you did");
    }
}
