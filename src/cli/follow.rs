//! Following tasks on standard error: bars on a terminal, lines elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use futures_util::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{FollowArgs, GlobalOptions};
use super::open::{Purpose, open};
use super::{EXIT_CANCELLED, EXIT_INTERRUPTED, EXIT_SUSPENDED, text};
use crate::model::{Problem, StepState, Task, TaskId, TaskState};
use crate::task::Tracker;

/// How following ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// As far as was asked for.
    ToTheEnd,
    /// Ctrl-C; the task goes on without us.
    Interrupted,
}

/// Takes up what was left under way, and waits for it.
#[allow(clippy::print_stderr, reason = "messages go to standard error")]
pub(super) async fn follow(options: &GlobalOptions, args: &FollowArgs) -> Result<u8, Problem> {
    let mut opened = open(options, Purpose::Follow).await?;
    opened.let_others_in();
    let tracker = &opened.tracker;
    tracker.follow_on().await;
    let ids: Vec<TaskId> = match &args.task {
        Some(id) => {
            let id = TaskId(id.clone());
            if tracker.task(&id).is_none() {
                return Err(Problem::not_found(format!("there is no task \"{id}\""))
                    .hint("`snapdeck get tasks` lists them"));
            }
            vec![id]
        }
        None => {
            let tasks = tracker.tasks();
            let open = tasks.iter().filter(|task| !task.state.is_over());
            open.map(|task| task.id.clone()).collect()
        }
    };
    if ids.is_empty() {
        eprintln!("nothing is under way");
    }
    let mut code = 0;
    for id in &ids {
        if watch(tracker, id, Task::is_settled).await? == Followed::Interrupted {
            code = EXIT_INTERRUPTED;
            break;
        }
        if let Some(task) = tracker.task(id) {
            tell_end(&task);
            code = code.max(exit_code(&task));
        }
    }
    opened.close().await?;
    Ok(code)
}

/// Says how a task stands, and what can be done about it.
#[allow(clippy::print_stderr, reason = "messages go to standard error")]
pub(super) fn tell_end(task: &Task) {
    let summary = text::visible(&task.plan.summary);
    let state = match &task.state {
        TaskState::Succeeded => "done",
        other => other.word(),
    };
    eprintln!("{state}: {summary}");
    if !task.reason.is_empty() {
        eprintln!("  because: {}", text::visible(&task.reason));
    }
    if task.state == TaskState::Suspended {
        let on = match task.pausable() {
            Some(_) => "resume",
            None => "retry",
        };
        eprintln!(
            "  try: `snapdeck task {on} {0}`, `snapdeck task cancel {0}`, or the console",
            task.id
        );
    }
}

/// The exit code that a task's state stands for.
pub(super) fn exit_code(task: &Task) -> u8 {
    match &task.state {
        TaskState::Failed => task.problem().map_or(1, |problem| problem.kind.exit_code()),
        TaskState::Cancelled => EXIT_CANCELLED,
        TaskState::Suspended => EXIT_SUSPENDED,
        _ => 0,
    }
}

/// Shows how a task goes until `enough` says so, or Ctrl-C.
pub(super) async fn watch(
    tracker: &Tracker,
    id: &TaskId,
    enough: impl Fn(&Task) -> bool + Send,
) -> Result<Followed, Problem> {
    let mut updates = std::pin::pin!(tracker.updates());
    let mut screen = Screen::new();
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    loop {
        let task = tracker
            .task(id)
            .ok_or_else(|| Problem::not_found(format!("there is no task {id}")))?;
        screen.show(&task);
        if enough(&task) {
            return Ok(Followed::ToTheEnd);
        }
        tokio::select! {
            batch = updates.next() => if batch.is_none() {
                return Ok(Followed::ToTheEnd);
            },
            _ = &mut interrupted => return Ok(Followed::Interrupted),
        }
    }
}

/// What is shown of one task.
struct Screen {
    bars: Option<(MultiProgress, ProgressBar)>,
    /// How many steps were told to be over.
    told: usize,
}

impl Screen {
    fn new() -> Self {
        let bars = std::io::stderr().is_terminal().then(|| {
            let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
            let bar = bars.add(ProgressBar::no_length());
            bar.enable_steady_tick(Duration::from_millis(250));
            (bars, bar)
        });
        Self { bars, told: 0 }
    }

    #[allow(clippy::print_stderr, reason = "progress goes to standard error")]
    fn tell(&self, line: &str) {
        match &self.bars {
            Some((bars, _)) => {
                let _ = bars.println(line);
            }
            None => eprintln!("{line}"),
        }
    }

    fn show(&mut self, task: &Task) {
        let steps: Vec<_> = task.plan.steps.iter().zip(&task.steps).collect();
        for (planned, step) in steps.iter().skip(self.told) {
            let line = match &step.state {
                StepState::Done(outcome) if outcome.message.is_empty() => planned.title.clone(),
                StepState::Done(outcome) => format!("{}: {}", planned.title, outcome.message),
                _ => break,
            };
            self.tell(&text::visible(&line));
            self.told += 1;
        }
        let Some((_, bar)) = &self.bars else {
            return;
        };
        let Some((planned, _)) = steps.get(self.told) else {
            bar.finish_and_clear();
            return;
        };
        if let Some(progress) = task.progress().filter(|progress| progress.total.0 > 0) {
            if bar.length().is_none() {
                let template =
                    "{msg} {bar:30} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style);
                }
            }
            bar.set_length(progress.total.0);
            bar.set_position(progress.done.0);
        }
        bar.set_message(text::visible(&planned.title));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some((_, bar)) = &self.bars {
            bar.finish_and_clear();
        }
    }
}
