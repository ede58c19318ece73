//! What went wrong, in the user's words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose matter a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// What was asked for makes no sense or is not allowed.
    User,
    /// The configuration, a profile or a file of ours is wrong.
    Config,
    /// Signing in failed, or the account may not do this.
    Auth,
    /// The thing is not there.
    NotFound,
    /// The thing is not in a state for this, is in use, or has changed.
    Conflict,
    /// No room, or a limit is reached.
    Quota,
    /// The system was not reached, or did not answer.
    Network,
    /// The system answered that it failed; or its data is damaged.
    System,
    /// A fault of this program.
    Bug,
}

impl ProblemKind {
    /// The exit code of the command line for this kind; stable, documented in
    /// `docs/command-line.md`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Bug => 1,
            Self::User => 2,
            Self::Config => 3,
            Self::Auth => 4,
            Self::NotFound => 5,
            Self::Conflict => 6,
            Self::Quota => 7,
            Self::Network => 8,
            Self::System => 9,
        }
    }
}

/// One problem, whole: what was being done, why it failed, what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Whose matter it is.
    pub kind: ProblemKind,
    /// What failed, of whom, in one sentence in lower case.
    pub what: String,
    /// Why, outermost first.
    pub causes: Vec<String>,
    /// What to try.
    pub hints: Vec<String>,
    /// The system's id of the request, where there is one.
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem with no causes and no hints yet.
    #[must_use]
    pub fn new(kind: ProblemKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            request_id: None,
        }
    }

    /// Wrong input.
    #[must_use]
    pub fn user(what: impl Into<String>) -> Self {
        Self::new(ProblemKind::User, what)
    }

    /// The thing is not there.
    #[must_use]
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, what)
    }

    /// Not in a state for this.
    #[must_use]
    pub fn conflict(what: impl Into<String>) -> Self {
        Self::new(ProblemKind::Conflict, what)
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The whole chain of an error as causes, outermost first.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            self.causes.push(error.to_string());
            next = error.source();
        }
        self
    }
}

impl fmt::Display for Problem {
    /// One line: what, and its causes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
