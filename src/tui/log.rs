//! The log: what the parts of the program say of themselves, kept for the log view and written to a
//! file where one is named. Nothing is ever printed over the console.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::config::{LogLevel, LogSettings};
use crate::model::{Problem, ProblemKind, Time};

/// How many lines wait to be taken, and how many the view keeps.
pub(crate) const KEPT: usize = 2_000;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLine {
    /// When.
    pub(crate) at: Time,
    /// How grave it is.
    pub(crate) level: LogLevel,
    /// The part of the program that says it.
    pub(crate) part: String,
    /// What it says.
    pub(crate) text: String,
}

impl std::fmt::Display for LogLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = self.level.word();
        write!(f, "{} {level:<5} {}: {}", self.at, self.part, self.text)
    }
}

/// Where the lines come together.
#[derive(Clone, Debug, Default)]
pub struct LogTap {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<VecDeque<LogLine>>,
    told: Notify,
    level: Mutex<LogLevel>,
    file: Mutex<Option<File>>,
}

impl LogTap {
    /// Begins to take in what is said from now on, by whatever part of the program.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn install(settings: &LogSettings) -> Result<Self, Problem> {
        let tap = Self::default();
        tap.set_level(settings.level);
        if let Some(path) = &settings.file {
            *tap.shared.file.lock() = Some(open(path)?);
        }
        let subscriber = tracing_subscriber::registry().with(tap.clone());
        // Somebody who listens already, as a test may, goes on alone.
        let _ = tracing::subscriber::set_global_default(subscriber);
        Ok(tap)
    }

    /// The least grave lines that are kept from now on.
    pub(crate) fn set_level(&self, level: LogLevel) {
        *self.shared.level.lock() = level;
    }

    /// The lines since the last call, as soon as there are any.
    pub(crate) async fn next(&self) -> Vec<LogLine> {
        loop {
            let told = self.shared.told.notified();
            let lines: Vec<_> = self.shared.lines.lock().drain(..).collect();
            if !lines.is_empty() {
                return lines;
            }
            told.await;
        }
    }

    fn keep(&self, line: LogLine) {
        if let Some(file) = self.shared.file.lock().as_mut() {
            // A full disk must not end what is being done.
            let _ = writeln!(file, "{line}");
        }
        let mut lines = self.shared.lines.lock();
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
        drop(lines);
        self.shared.told.notify_one();
    }
}

fn open(path: &Path) -> Result<File, Problem> {
    let mut options = File::options();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.append(true).create(true).open(path).map_err(|e| {
        let what = format!("the log file {} cannot be written", path.display());
        Problem::new(ProblemKind::Config, what).caused_by(&e)
    })
}

impl<S: tracing::Subscriber> Layer<S> for LogTap {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let level = level(*metadata.level());
        let Some(part) = metadata.target().strip_prefix("snapdeck") else {
            // Libraries talk to their makers.
            return;
        };
        if level > *self.shared.level.lock() {
            return;
        }
        let mut said = Said::default();
        event.record(&mut said);
        self.keep(LogLine {
            at: Time::now(),
            level,
            part: part.trim_start_matches("::").replace("::", "/"),
            text: said.message + &said.fields,
        });
    }
}

fn level(level: tracing::Level) -> LogLevel {
    match level {
        tracing::Level::ERROR => LogLevel::Error,
        tracing::Level::WARN => LogLevel::Warn,
        tracing::Level::INFO => LogLevel::Info,
        tracing::Level::DEBUG => LogLevel::Debug,
        tracing::Level::TRACE => LogLevel::Trace,
    }
}

#[derive(Default)]
struct Said {
    message: String,
    fields: String,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to memory does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, "  {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_by_their_level_and_written_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let tap = LogTap::default();
        tap.set_level(LogLevel::Info);
        *tap.shared.file.lock() = Some(open(&path).unwrap());
        let subscriber = tracing_subscriber::registry().with(tap.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(rows = 3, "read \x1b[31m");
            tracing::debug!("not this");
            tracing::info!(target: "other", "nor this");
        });
        let lines: Vec<_> = tap.shared.lines.lock().drain(..).collect();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].text, "read \x1b[31m  rows=3");
        assert_eq!(lines[0].part, "tui/log/tests");
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(written, format!("{}\n", lines[0]));
    }
}
