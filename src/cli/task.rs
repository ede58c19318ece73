//! `snapdeck task`: pausing, resuming, retrying, cancelling and taking back what is there.

use super::args::{GlobalOptions, TaskAction, TaskArgs};
use super::follow::{Followed, exit_code, tell_end, watch};
use super::format::OneFormat;
use super::open::{Opened, Purpose, open};
use super::run::{Manner, carry_out};
use super::{EXIT_INTERRUPTED, text};
use crate::model::{Problem, Task, TaskId};
use crate::task::{Control, Tracker, roll_back, undo};

/// Does to a task what was asked for. What goes on then is waited for.
pub(super) async fn task(options: &GlobalOptions, args: &TaskArgs) -> Result<u8, Problem> {
    let mut opened = open(options, Purpose::Follow).await?;
    let result = control(options, &mut opened, args).await;
    let closed = opened.close().await;
    let code = result?;
    closed?;
    Ok(code)
}

#[allow(clippy::print_stderr, reason = "messages go to standard error")]
async fn control(
    options: &GlobalOptions,
    opened: &mut Opened,
    args: &TaskArgs,
) -> Result<u8, Problem> {
    let id = find(&opened.tracker, &args.task)?;
    let (control, goes_on) = match args.action {
        TaskAction::RollBack | TaskAction::Undo => {
            return take_back(options, opened, args, &id).await;
        }
        _ if args.plan || args.yes => {
            return Err(Problem::user("--plan and --yes are for undo and roll-back"));
        }
        TaskAction::Pause => (Control::Pause, false),
        TaskAction::Resume => (Control::Resume, true),
        TaskAction::Retry => (Control::Retry, true),
        TaskAction::Cancel => (Control::Cancel, false),
    };
    let tracker = &opened.tracker;
    if control == Control::Pause {
        // What was left under way is paused once it is followed again.
        tracker.follow_on().await;
        // A step that was begun has something to pause once it has told of it.
        let moves = |task: &Task| task.pausable().is_some() && task.progress().is_some();
        let known = |task: &Task| task.is_settled() || moves(task);
        tracker.wait(&id, known).await?;
    }
    tracker.control(&id, control).await?;
    if goes_on && watch(tracker, &id, Task::is_settled).await? == Followed::Interrupted {
        eprintln!("left under way; `snapdeck follow` takes it up again");
        return Ok(EXIT_INTERRUPTED);
    }
    let task = tracker.task(&id).ok_or_else(|| gone(&args.task))?;
    match goes_on {
        true => {
            tell_end(&task);
            Ok(exit_code(&task))
        }
        false => {
            let summary = text::visible(&task.plan.summary);
            let said = match control {
                Control::Pause => "paused",
                _ => "cancelled",
            };
            eprintln!("{said}: {summary}");
            Ok(0)
        }
    }
}

/// Plans, shows and runs the operation that takes a task back.
async fn take_back(
    options: &GlobalOptions,
    opened: &mut Opened,
    args: &TaskArgs,
    id: &TaskId,
) -> Result<u8, Problem> {
    let task = opened.tracker.task(id).ok_or_else(|| gone(&args.task))?;
    let back = match args.action {
        TaskAction::Undo => undo(&task),
        _ => roll_back(&task, opened.connection.reader.capabilities()),
    };
    let operation = back.map_err(|reason| {
        Problem::conflict(format!(
            "{} cannot be taken back",
            text::visible(&task.plan.summary)
        ))
        .because(reason)
    })?;
    let manner = Manner {
        plan: args.plan,
        wait: true,
        yes: args.yes,
        output: OneFormat::Text,
    };
    carry_out(options, opened, &operation, &manner).await
}

/// The task with this id, or the only one whose id begins so.
fn find(tracker: &Tracker, text: &str) -> Result<TaskId, Problem> {
    let tasks = tracker.tasks();
    let begins = |task: &&std::sync::Arc<Task>| task.id.as_str().starts_with(text);
    let mut found = tasks.iter().filter(begins);
    match (found.next(), found.next()) {
        (Some(task), None) => Ok(task.id.clone()),
        (Some(_), Some(_)) if text.is_empty() => Err(gone(text)),
        (Some(one), Some(other)) => Err(Problem::conflict(format!(
            "\"{text}\" is how the ids of several tasks begin"
        ))
        .because(one.id.to_string())
        .because(other.id.to_string())),
        (None, _) => Err(gone(text)),
    }
}

fn gone(text: &str) -> Problem {
    Problem::not_found(format!("there is no task \"{text}\""))
        .hint("`snapdeck get tasks` lists them")
}
