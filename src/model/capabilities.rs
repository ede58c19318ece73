//! What a provider can do, and how it speaks of it.

use serde::{Deserialize, Serialize};

use super::{Kind, OperationKind, OperationSpec, Term, term};

/// A provider's own words for the kinds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// One volume (`volume`, `disk`).
    #[serde(deserialize_with = "term::read")]
    pub volume: Term,
    /// One snapshot (`snapshot`, `point-in-time copy`).
    #[serde(deserialize_with = "term::read")]
    pub snapshot: Term,
    /// One group (`snapshot group`, `group snapshot`).
    #[serde(deserialize_with = "term::read")]
    pub group: Term,
    /// One session (`session`, `snapshot session`).
    #[serde(deserialize_with = "term::read")]
    pub session: Term,
    /// One linked target (`target`, `linked target`).
    #[serde(deserialize_with = "term::read")]
    pub target: Term,
}

impl Words {
    /// The word for one thing of this kind.
    #[must_use]
    pub fn one(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Volume => self.volume,
            Kind::Snapshot => self.snapshot,
            Kind::Group => self.group,
            Kind::Session => self.session,
            Kind::Target => self.target,
        }
    }
}

/// What a provider has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// What kind of system it is (`embedded`).
    #[serde(deserialize_with = "term::read")]
    pub system: Term,
    /// The kinds that it can list.
    pub kinds: Vec<Kind>,
    /// Every operation, with its spec or the reason why it is not there.
    pub operations: Vec<OperationSpec>,
    /// How many things a page of a list has at most.
    pub page_size: usize,
    /// How many calls may be under way at once.
    pub concurrency: usize,
    /// Whether it is called over a network, so that there are calls to look at.
    #[serde(default)]
    pub called: bool,
    /// Its own words.
    pub words: Words,
}

impl Capabilities {
    /// The spec of an operation, supported or not.
    #[must_use]
    pub fn operation(&self, kind: OperationKind) -> Option<&OperationSpec> {
        self.operations.iter().find(|spec| spec.kind == kind)
    }
}
