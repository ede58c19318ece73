//! The signals that end, stop and continue the program.

use rustix::process::{Signal as Number, kill_current_process_group};
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

use crate::model::{Problem, ProblemKind};

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// End, for this signal.
    End(i32),
    /// Stop until continued.
    Stop,
    /// Go on.
    Continued,
    /// The terminal has another size.
    Resized,
}

/// The signals, listened for.
pub(crate) struct Signals {
    terminate: Stream,
    hangup: Stream,
    interrupt: Stream,
    quit: Stream,
    stop: Stream,
    continued: Stream,
    resized: Stream,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// Where the system does not let it.
    pub(crate) fn listen() -> Result<Self, Problem> {
        let on = |kind| {
            signal(kind).map_err(|e| {
                Problem::new(ProblemKind::System, "signals cannot be listened for").caused_by(&e)
            })
        };
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            hangup: on(SignalKind::hangup())?,
            interrupt: on(SignalKind::interrupt())?,
            quit: on(SignalKind::quit())?,
            stop: on(SignalKind::from_raw(Number::TSTP.as_raw()))?,
            continued: on(SignalKind::from_raw(Number::CONT.as_raw()))?,
            resized: on(SignalKind::window_change())?,
        })
    }

    /// The next signal.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::End(Number::TERM.as_raw()),
            _ = self.hangup.recv() => Signal::End(Number::HUP.as_raw()),
            _ = self.interrupt.recv() => Signal::End(Number::INT.as_raw()),
            _ = self.quit.recv() => Signal::End(Number::QUIT.as_raw()),
            _ = self.stop.recv() => Signal::Stop,
            _ = self.continued.recv() => Signal::Continued,
            _ = self.resized.recv() => Signal::Resized,
        }
    }

    /// Stops the whole job, as the shell would, and returns when it is continued.
    pub(crate) async fn stop(&mut self) {
        if kill_current_process_group(Number::STOP).is_ok() {
            self.continued.recv().await;
        }
    }
}
