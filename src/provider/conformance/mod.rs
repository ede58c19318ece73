//! What every provider must hold to, checked by using it. One suite for the embedded
//! engine, for recorded answers, for this project's own server, and for a real system
//! where one is configured.
//!
//! The checks make things of their own, named `conformance-…`, and take them away again;
//! they change nothing else. A system that makes no volumes is asked for some that are called `conformance-…` and have
//! no snapshots: all that one stopped machine has, two at least. They are given back as they were.
//! Snapshots of machines are checked on a machine that is called `conformance`, where there is one: its
//! volumes are taken back.

mod change;
mod look;
mod run;
mod sets;

use super::Connection;
use crate::model::{Kind, OperationKind, Problem};

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The check that found it.
    pub check: &'static str,
    /// What was expected, and what was found.
    pub what: String,
}

impl From<Problem> for Violation {
    fn from(problem: Problem) -> Self {
        Self {
            check: "",
            what: format!("it failed: {problem}"),
        }
    }
}

type Outcome = Result<(), Violation>;

/// Fails a check with a sentence, unless the condition holds.
macro_rules! hold {
    ($condition:expr, $($what:tt)+) => {
        if !$condition {
            return Err($crate::provider::conformance::Violation {
                check: "",
                what: format!($($what)+),
            });
        }
    };
}
use hold;

/// Runs every check that applies to the connection; returns the names of those that were
/// run, and what was violated.
pub async fn check(connection: &Connection) -> (Vec<&'static str>, Vec<Violation>) {
    let mut run = Vec::new();
    let mut violations = Vec::new();
    let mut note = |name: &'static str, outcome: Outcome| {
        run.push(name);
        if let Err(violation) = outcome {
            violations.push(Violation {
                check: name,
                ..violation
            });
        }
    };
    let reader = &*connection.reader;
    note("capabilities", look::capabilities(reader));
    note("lists", look::lists(reader).await);
    note("nothing there", look::nothing_there(reader).await);
    if let Some(writer) = &connection.writer {
        let driver = run::Driver {
            reader,
            writer: &**writer,
        };
        if driver.has(OperationKind::CreateVolume) {
            note("volume", change::volume(&driver).await);
        }
        note("snapshot tree", change::snapshot_tree(&driver).await);
        if driver.has(OperationKind::Clone) && driver.has(OperationKind::DeleteVolume) {
            note("clone", change::clone_volume(&driver).await);
        }
        note("plans are pure", change::plans_are_pure(&driver).await);
        note("plans are pinned", change::plans_are_pinned(&driver).await);
        let has = |kind| reader.capabilities().kinds.contains(&kind);
        if has(Kind::Group) && driver.has_field(OperationKind::CreateGroup, "instance") {
            // Nobody makes a machine from here: one that is called so is lent to the check.
            match sets::machine(&driver).await {
                Ok(volumes) if volumes.is_empty() => {}
                Ok(volumes) => {
                    let outcome = sets::instance_snapshots(&driver, &volumes).await;
                    note("instance snapshots", outcome);
                }
                Err(violation) => note("instance snapshots", Err(violation)),
            }
        } else if has(Kind::Group) {
            note("groups", sets::groups(&driver).await);
        }
        if has(Kind::Session) {
            note("sessions", sets::sessions(&driver).await);
        }
        note("watch", change::watch(&driver).await);
        note("lists with things in them", look::lists(reader).await);
    }
    (run, violations)
}
