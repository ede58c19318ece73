//! Driving what is tested: plans run to their end, and the program with a home of its own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use snapdeck::model::{ObjectRef, Operation, OperationKind, Plan, Problem, StepOutcome, TaskId};
use snapdeck::provider::{Connection, StepContext};
use tokio_util::sync::CancellationToken;

pub(crate) fn context(task: &str, before: Vec<StepOutcome>) -> StepContext {
    StepContext {
        task: TaskId(task.to_owned()),
        before,
        progress: Arc::new(|_| {}),
        cancel: CancellationToken::new(),
        detach: CancellationToken::new(),
    }
}

/// Runs a plan to its end.
pub(crate) async fn run(
    connection: &Connection,
    plan: &Plan,
    task: &str,
) -> Result<Vec<ObjectRef>, Problem> {
    let mut before = Vec::new();
    for step in 0..plan.steps.len() {
        let writer = connection.writer.as_ref().unwrap();
        let outcome = writer
            .run(plan, step, context(task, before.clone()))
            .await?;
        before.push(outcome);
    }
    Ok(before
        .into_iter()
        .flat_map(|outcome| outcome.made)
        .collect())
}

pub(crate) fn take(volume: &str, name: &str) -> Operation {
    Operation::new(OperationKind::CreateSnapshot)
        .on_volume(&volume.into())
        .text("name", name)
}

/// The program with a home of its own and a configuration.
pub(crate) fn command(home: &Path, profiles: &str, args: &[&str]) -> Command {
    let config = home.join("config/snapdeck/config.toml");
    if !config.exists() {
        std::fs::create_dir_all(config.parent().unwrap()).unwrap();
        std::fs::write(config, profiles).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapdeck"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"))
        .env("LAB", "correct horse")
        .current_dir(home)
        .args(args);
    command
}

/// Runs it to its end: the exit code, standard output, standard error.
pub(crate) async fn snapdeck(home: &Path, profiles: &str, args: &[&str]) -> (i32, String, String) {
    let mut command = command(home, profiles, args);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}
