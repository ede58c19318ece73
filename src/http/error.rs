//! Why a call came to nothing, and whether the system may have heard it.

use std::time::Duration;

use crate::model::{Problem, ProblemKind};

/// The part of a call that has a time limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Finding the address, connecting, TLS.
    Connect,
    /// From the request to the first byte of its answer.
    FirstByte,
    /// From one part of the body to the next.
    Between,
    /// The whole call.
    Whole,
}

impl Phase {
    fn told(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::FirstByte => "waiting for the answer to begin",
            Self::Between => "waiting for more of the answer",
            Self::Whole => "the whole call",
        }
    }
}

/// A call that has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HttpError {
    /// The client itself cannot be made.
    #[error("{what}")]
    Setup {
        /// What is wrong.
        what: String,
    },
    /// The address makes no sense.
    #[error("\"{url}\" is no address that can be called: {why}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody was reached.
    #[error("{host} was not reached: {why}")]
    Connect {
        /// Of whom it was asked.
        host: String,
        /// Why, innermost last.
        why: String,
    },
    /// The other side is not who it should be.
    #[error("{host} was not trusted: {why}")]
    Tls {
        /// Of whom it was asked.
        host: String,
        /// Why.
        why: String,
    },
    /// Too slow.
    #[error("{host} took longer than {} s ({})", limit.as_secs_f64(), phase.told())]
    Timeout {
        /// Of whom it was asked.
        host: String,
        /// In which phase.
        phase: Phase,
        /// How long was waited.
        limit: Duration,
    },
    /// The connection ended in the midst of it.
    #[error("the answer of {host} broke off: {why}")]
    Broken {
        /// Of whom it was asked.
        host: String,
        /// Why.
        why: String,
    },
    /// More than is taken.
    #[error("the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Of whom it was asked.
        host: String,
        /// What is taken at most, in bytes.
        limit: usize,
    },
    /// Sent elsewhere, where no credential of this system goes.
    #[error("{host} sends the call on to {target}")]
    Redirect {
        /// Of whom it was asked.
        host: String,
        /// To whom it was sent on.
        target: String,
    },
}

impl HttpError {
    /// Whether the system may have heard the call, so that what came of it is not known.
    #[must_use]
    pub fn may_have_been_heard(&self) -> bool {
        match self {
            Self::Setup { .. }
            | Self::Address { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Redirect { .. }
            | Self::Timeout {
                phase: Phase::Connect,
                ..
            } => false,
            Self::Timeout { .. } | Self::Broken { .. } | Self::TooLarge { .. } => true,
        }
    }

    /// Whether the same call may fare better.
    pub(super) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. } | Self::Timeout { .. } | Self::Broken { .. }
        )
    }

    /// The problem that this is, while `what` was being done.
    #[must_use]
    pub fn problem(&self, what: impl Into<String>) -> Problem {
        let kind = match self {
            Self::Setup { .. } | Self::Address { .. } => ProblemKind::Config,
            _ => ProblemKind::Network,
        };
        let problem = Problem::new(kind, what).because(self.to_string());
        match self {
            Self::Setup { .. } => problem,
            Self::Address { .. } => problem.hint("look at the endpoint in the profile"),
            Self::Connect { .. } => {
                problem.hint("`snapdeck doctor PROFILE` says in which step it ends")
            }
            Self::Tls { .. } => {
                problem.hint("name the certificate of your authority as `ca-bundle` in the profile")
            }
            Self::Timeout { .. } | Self::Broken { .. } => problem
                .hint("look whether the system is well; the limits can be set in the profile"),
            Self::TooLarge { .. } => {
                problem.hint("set `limits.body` in the profile if that is right")
            }
            Self::Redirect { .. } => problem
                .hint("no credential is sent to another host; correct the endpoint in the profile"),
        }
    }
}
