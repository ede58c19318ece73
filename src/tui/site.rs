//! What a tab is opened on, and what the console is given to open it with: it knows no system, and no file that
//! names one.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::model::Problem;
use crate::provider::Connection;
use crate::support::Places;
use crate::task::Tracker;

/// Which system a tab is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Site {
    /// The embedded store.
    #[default]
    Store,
    /// The profile, or the cloud, of this name.
    Profile(String),
}

impl Site {
    /// What it is called; `listed` is what the list says of it.
    pub(crate) fn name<'a>(&'a self, listed: Option<&'a Listed>) -> &'a str {
        match (listed, self) {
            (Some(listed), _) => &listed.name,
            (None, Self::Profile(name)) => name,
            (None, Self::Store) => "store",
        }
    }
}

/// Something that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// What it is.
    pub site: Site,
    /// What it is called.
    pub name: String,
    /// The kind of system.
    pub system: String,
    /// Where it is: an address, or a directory. In no recording.
    pub address: Option<String>,
    /// Nothing can be changed in it.
    pub read_only: bool,
}

/// Opens systems by the names that the user gave them.
#[async_trait]
pub trait Opener: Send + Sync {
    /// Takes the configuration as it was read anew.
    fn configure(&self, config: &Config);

    /// Everything that can be opened, as far as the files that say so can be read; and why not all of them can.
    fn list(&self) -> (Vec<Listed>, Option<Problem>);

    /// Opens one.
    ///
    /// # Errors
    /// Why it cannot be used.
    async fn open(&self, site: &Site) -> Result<Box<dyn Lease>, Problem>;
}

/// A system that is open, for as long as a tab is.
#[async_trait]
pub trait Lease: Send {
    /// What it is.
    fn site(&self) -> Site;

    /// The system.
    fn connection(&self) -> Connection;

    /// The tasks on it.
    fn tracker(&self) -> Tracker;

    /// Where a support bundle is taken from.
    fn support(&self) -> Option<Places>;

    /// Signs in again with what is set now. What is open stays so where that fails; where it does not, the connection and
    /// the tracker are others from then on.
    ///
    /// # Errors
    /// Why it cannot be signed in to.
    async fn renew(&mut self) -> Result<(), Problem>;

    /// Stops following tasks, and closes it.
    ///
    /// # Errors
    /// Where what was written may not be kept.
    async fn close(self: Box<Self>) -> Result<(), Problem>;
}
