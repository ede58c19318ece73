//! What happened last, kept in memory, and left in a file when the program breaks.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::Time;
use crate::tui::event::{Answer, Event, Moment};

/// How many events are kept.
const KEPT: usize = 300;
/// How long a thread that breaks waits for one that is writing here.
const PATIENCE: Duration = Duration::from_millis(200);

static LAST: Mutex<VecDeque<(Moment, String)>> = Mutex::new(VecDeque::new());
static FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Where crash files are left from now on; `None` leaves none.
pub(crate) fn leave_in(folder: Option<&Path>) {
    *FOLDER.lock() = folder.map(Path::to_owned);
}

/// Keeps what happens, in a few words. `typing` says that a secret field has the keys.
pub(super) fn note(at: Moment, event: &Event, typing: bool) {
    let said = brief(event, typing);
    let mut last = LAST.lock();
    if last.len() == KEPT {
        last.pop_front();
    }
    last.push_back((at, said));
}

/// Leaves a file with what happened before this report; where it is.
pub(crate) fn leave(report: &str) -> Option<PathBuf> {
    let folder = FOLDER.try_lock_for(PATIENCE)?.clone()?;
    let last = match LAST.try_lock_for(PATIENCE) {
        Some(last) => last.iter().cloned().collect(),
        None => Vec::new(),
    };
    let now = Time::now();
    let stamp = now.to_zoned(jiff::tz::TimeZone::UTC);
    let name = format!("crash-{}.txt", stamp.strftime("%Y%m%d-%H%M%S-%3f"));
    let path = folder.join(name);
    let text = text(
        report,
        now,
        &last,
        &std::backtrace::Backtrace::force_capture(),
    );
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .ok()?;
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .ok()?;
    file.write_all(text.as_bytes()).ok()?;
    Some(path)
}

fn text(
    report: &str,
    now: Time,
    last: &[(Moment, String)],
    backtrace: &std::backtrace::Backtrace,
) -> String {
    let mut out = format!(
        "snapdeck {} broke at {now}\n\n{report}\n\nWhat happened before, the last of it at the end:\n",
        env!("CARGO_PKG_VERSION"),
    );
    for (at, said) in last {
        let _ = writeln!(out, "{:>12.3} s  {said}", at.clock.as_secs_f64());
    }
    let _ = write!(out, "\nWhere it was:\n{backtrace}");
    out
}

fn brief(event: &Event, typing: bool) -> String {
    match event {
        Event::Key(key) if typing && key.typed().is_some() => "key (withheld)".to_owned(),
        Event::Key(key) => format!("key {key}"),
        Event::Paste(text) => format!("paste of {} characters", text.chars().count()),
        Event::Click(hit) => format!("click on {hit:?}"),
        Event::Menu(row) => format!("menu of {row:?}"),
        Event::Wheel(rows) => format!("wheel {rows}"),
        Event::Resize(width, height) => format!("resize {width}x{height}"),
        Event::Tasks(tasks) => {
            let mut said = format!("{} tasks", tasks.len());
            for task in tasks.iter().take(4) {
                let _ = write!(
                    said,
                    "; {} {} {}",
                    task.id, task.plan.operation.kind, task.state
                );
            }
            said
        }
        Event::Changed(change) => format!("changed {change:?}"),
        Event::Answer(ticket, answer) => format!("answer {}: {}", ticket.0, answered(answer)),
        Event::Deadline => "deadline".to_owned(),
        Event::Fault(problem) => format!("fault: {problem}"),
        Event::Signal(number) => format!("signal {number}"),
        Event::Configured(Ok(_)) => "the configuration was read".to_owned(),
        Event::Configured(Err(faults)) => format!("{} faults in the configuration", faults.len()),
        Event::Told(Ok(said)) => format!("told: {said}"),
        Event::Told(Err(problem)) => format!("told: {problem}"),
        Event::Gathered(Ok(_)) => "a support bundle was gathered".to_owned(),
        Event::Gathered(Err(problem)) => format!("gathered: {problem}"),
        Event::Logged(lines) => format!("{} lines of the log", lines.len()),
        Event::Called(calls) => format!("{} calls", calls.len()),
        // What it is comes first: a support bundle leaves some of it out by that.
        Event::Tab(tab, event) => format!("{} (tab {})", brief(event, typing), tab.0),
        Event::Opened(opened) => format!("open, with {} tasks", opened.tasks.len()),
        Event::NotOpened(problem) => format!("fault: not open: {problem}"),
        Event::Renewed(Ok(_)) => "signed in again".to_owned(),
        Event::Renewed(Err(problem)) => format!("fault: not signed in: {problem}"),
        Event::Profiles(listed) => format!("{} profiles", listed.len()),
        Event::Drawn(cost) => format!("frame {} of {} bytes", cost.frame, cost.bytes),
    }
}

fn answered(answer: &Answer) -> String {
    fn came<T>(result: &Result<T, crate::model::Problem>) -> String {
        match result {
            Ok(_) => "well".to_owned(),
            Err(problem) => problem.to_string(),
        }
    }
    let all = |good: usize, all: usize| format!("{good} of {all} well");
    match answer {
        Answer::Page(page) => format!("a page of {}", page.items.len()),
        Answer::Slice(slice) => format!("{} stretches of {:?}", slice.ranges.len(), slice.layer),
        Answer::Looked(result) => format!("looked, {}", came(result)),
        Answer::Listed(result) => format!("listed, {}", came(result)),
        Answer::Shown(result) => format!("shown, {}", came(result)),
        Answer::Raw(result) => format!("raw, {}", came(result)),
        Answer::Planned(plans) => {
            let good = plans.iter().filter(|plan| plan.is_ok()).count();
            format!("planned, {}", all(good, plans.len()))
        }
        Answer::Submitted(tasks) => {
            let good = tasks.iter().filter(|task| task.is_ok()).count();
            format!("submitted, {}", all(good, tasks.len()))
        }
        Answer::Staged(result) => format!("staged, {}", came(result)),
        Answer::Controlled(result) => format!("controlled, {}", came(result)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::key::Key;
    use crate::tui::tests::moment;

    #[test]
    fn a_crash_file_says_what_happened_and_no_secret() {
        let events = [
            (Event::Key(Key::char('S')), false),
            (Event::Key(Key::char('h')), true),
            (Event::Paste("hunter2".to_owned()), true),
            (Event::Resize(80, 24), false),
        ];
        let last: Vec<_> = events
            .iter()
            .zip(0..)
            .map(|((event, typing), ms)| (moment(ms), brief(event, *typing)))
            .collect();
        let backtrace = std::backtrace::Backtrace::disabled();
        let text = text("panicked at x.rs:1", Time::now(), &last, &backtrace);
        assert!(text.contains("panicked at x.rs:1"));
        assert!(text.contains("0.000 s  key S\n"));
        assert!(text.contains("0.001 s  key (withheld)\n"));
        assert!(text.contains("0.002 s  paste of 7 characters\n"));
        assert!(text.contains("0.003 s  resize 80x24\n"));
        assert!(!text.contains("hunter2"));
    }
}
