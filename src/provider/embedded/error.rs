//! The engine's errors in the user's words.

use std::path::Path;

use crate::engine::EngineError;
use crate::model::{Problem, ProblemKind};

/// The problem that `error` is, while `what` was being done.
pub(super) fn problem(error: &EngineError, what: impl Into<String>) -> Problem {
    use EngineError as E;
    let kind = match error {
        E::NoStore { .. } | E::NoVolume(_) | E::NoPoint(_) | E::NoJob(_) => ProblemKind::NotFound,
        E::Locked { .. }
        | E::Exists { .. }
        | E::HasSnapshots { .. }
        | E::CopyRunning { .. }
        | E::Closed => ProblemKind::Conflict,
        E::OutOfRange { .. }
        | E::BadSize { .. }
        | E::BadName { .. }
        | E::BadAttrs { .. }
        | E::BadRequest(_) => ProblemKind::User,
        E::Foreign { .. } | E::Version { .. } | E::Features { .. } => ProblemKind::Config,
        E::NoSpace => ProblemKind::Quota,
        E::Truncated { .. }
        | E::Damaged { .. }
        | E::HurtBlock { .. }
        | E::ReadOnly { .. }
        | E::Io { .. } => ProblemKind::System,
    };
    // The engine's own text names its source already.
    Problem::new(kind, what).because(error.to_string())
}

/// The problem that kept the store in `dir` from being opened.
pub(super) fn opening(error: &EngineError, dir: &Path) -> Problem {
    let problem = problem(
        error,
        format!("the store {} cannot be opened", dir.display()),
    );
    match error {
        EngineError::NoStore { .. } => {
            problem.hint("`snapdeck run create-volume` or `snapdeck import` makes one")
        }
        EngineError::Locked { .. } => {
            problem.hint("a store is open in one program at a time; quit the console that has it")
        }
        EngineError::Damaged { .. } | EngineError::Truncated { .. } => problem
            .hint("`snapdeck --salvage get volumes` and `snapdeck --salvage export` read what can be read of it, and change nothing")
            .hint("if the disk below failed, make a copy of the directory before anything else is tried"),
        _ => problem,
    }
}
