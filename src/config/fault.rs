//! What is wrong in a file of the user's, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{Problem, ProblemKind};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// In which file.
    pub file: PathBuf,
    /// The line, from 1; 0 where it is the whole file.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
    /// What was meant, or can be said instead.
    pub meant: Option<String>,
}

impl Fault {
    /// Something wrong at a line of a file.
    pub(super) fn new(file: &Path, line: usize, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            what: what.into(),
            meant: None,
        }
    }

    /// The same with what was meant.
    pub(super) fn meant(mut self, meant: Option<String>) -> Self {
        self.meant = meant;
        self
    }

    /// All of them as one problem.
    #[must_use]
    pub fn problem(faults: &[Self]) -> Problem {
        let mut problem = Problem::new(ProblemKind::Config, "the configuration cannot be taken");
        problem.causes = faults.iter().map(ToString::to_string).collect();
        problem.hint("`snapdeck config doc` shows all that can be set")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}", self.what)?;
        match &self.meant {
            Some(meant) => write!(f, "; {meant}"),
            None => Ok(()),
        }
    }
}

/// The word of a list that was most likely meant.
pub fn nearest<'a>(typed: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let near = words
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&typed, &word.to_lowercase()), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    near.map(|(_, word)| word)
}

/// The question that asks whether it was meant.
pub(super) fn did_you_mean<'a>(
    typed: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(typed, words).map(|word| format!("did you mean \"{word}\"?"))
}
