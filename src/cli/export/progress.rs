//! How far an export has come: on the screen, beside the part, and whether to go on.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::part::{Output, State};
use crate::model::Problem;

/// How often it is kept how far an export has come.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// Why an export ended early.
pub(super) enum Stopped {
    /// Somebody asked for it.
    Interrupted,
    /// It cannot go on.
    Problem(Problem),
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Follows an export.
pub(super) struct Pace<'a> {
    stop: &'a AtomicBool,
    bar: ProgressBar,
    /// What is kept of it, where it can be gone on with.
    state: Option<State>,
    kept: Instant,
    reached: (u64, u64),
    /// The digest of the output so far, where it is kept.
    pub(super) digest: Option<String>,
    /// Bytes of data that were written.
    pub(super) data: u64,
}

impl<'a> Pace<'a> {
    /// `total` is what there is to pass, in bytes of the volume.
    pub(super) fn new(stop: &'a AtomicBool, total: u64, state: Option<State>) -> Self {
        Self {
            stop,
            bar: bar(total),
            reached: state.as_ref().map_or((0, 0), |s| (s.position, s.length)),
            digest: state.as_ref().and_then(|s| s.digest.clone()),
            state,
            kept: Instant::now(),
            data: 0,
        }
    }

    /// All before `position` is written, `data` bytes more than before, and the output is `length`
    /// bytes long where it is written from its first to its last.
    pub(super) fn moved(
        &mut self,
        position: u64,
        data: u64,
        length: u64,
        out: &Output,
    ) -> Result<(), Stopped> {
        self.data += data;
        self.reached = (position, length);
        self.bar.set_position(position);
        if self.stop.load(Ordering::Relaxed) {
            return Err(Stopped::Interrupted);
        }
        if self.kept.elapsed() >= KEEP_EVERY {
            self.kept = Instant::now();
            self.keep(out)?;
        }
        Ok(())
    }

    /// Keeps how far it has come. Says whether there is anything to go on with.
    pub(super) fn keep(&mut self, out: &Output) -> Result<bool, Problem> {
        let (Some(state), Some(part)) = (&mut self.state, out.part()) else {
            return Ok(false);
        };
        (state.position, state.length) = self.reached;
        state.digest.clone_from(&self.digest);
        if state.position == 0 {
            return Ok(false);
        }
        part.keep(state)?;
        Ok(true)
    }

    /// How far it has come, in bytes of the volume.
    pub(super) fn position(&self) -> u64 {
        self.reached.0
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn bar(size: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr_with_hz(10));
    let template =
        "exporting {bar:30} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
