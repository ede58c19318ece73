//! What the console opens by the names that the user gave it: the store, and the profiles.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;

use super::args::GlobalOptions;
use super::open::{Opened, open_in, open_profile};
use super::profile;
use crate::config::{Clouds, Config, Paths, Surroundings};
use crate::model::Problem;
use crate::provider::Connection;
use crate::provider::embedded::{JOURNAL, Options};
use crate::support::Places;
use crate::task::{Place, Tracker};
use crate::tui::{Lease, Listed, Opener, Site};

/// Who asks, in journals.
const BY: &str = "console";

/// What can be opened, as it is set now.
pub(super) struct Sites {
    options: Arc<Mutex<GlobalOptions>>,
    store: PathBuf,
}

impl Sites {
    pub(super) fn new(options: &GlobalOptions, store: PathBuf) -> Self {
        Self {
            options: Arc::new(Mutex::new(options.clone())),
            store,
        }
    }

    fn options(&self) -> GlobalOptions {
        self.options.lock().clone()
    }

    /// Opens the system of a profile.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) async fn profile(&self, name: &str) -> Result<Leased, Problem> {
        let options = self.options();
        let opened = open_profile(&options, name, options.read_only, BY).await?;
        Ok(Leased {
            opened,
            site: Site::Profile(name.to_owned()),
            support: places(&options, name),
            set: Some(self.options.clone()),
        })
    }
}

/// How the console opens a store.
pub(super) fn store_options(options: &GlobalOptions) -> Options {
    Options {
        read_only: options.read_only,
        create: true,
        copy_rate: options.copy_rate.map(|rate| rate.0),
        cache: options.cache.map(|bytes| bytes.0),
        ..Options::default()
    }
}

#[async_trait]
impl Opener for Sites {
    fn configure(&self, config: &Config) {
        let mut options = self.options.lock();
        options.read_only |= config.settings.read_only;
        options.configured.config.clone_from(config);
    }

    fn list(&self) -> (Vec<Listed>, Option<Problem>) {
        let options = self.options();
        // Profiles are there without it.
        let (clouds, problem) = match Clouds::read(&Surroundings::of_process()) {
            Ok(clouds) => (clouds, None),
            Err(problem) => (Clouds::default(), Some(problem)),
        };
        let store = &self.store;
        let name = store.file_name().unwrap_or(store.as_os_str());
        let mut listed = vec![Listed {
            site: Site::Store,
            name: name.to_string_lossy().into_owned(),
            system: "embedded".to_owned(),
            address: Some(store.display().to_string()),
            read_only: options.read_only,
        }];
        let rows = profile::rows(&options, &clouds).into_iter();
        listed.extend(rows.map(|row| Listed {
            site: Site::Profile(row.name.clone()),
            name: row.name,
            system: row.provider.to_owned(),
            address: row.endpoint,
            read_only: row.read_only,
        }));
        (listed, problem)
    }

    async fn open(&self, site: &Site) -> Result<Box<dyn Lease>, Problem> {
        let options = self.options();
        Ok(match site {
            Site::Store => {
                let opened = open_in(&self.store, &store_options(&options), BY).await?;
                let mut leased = Leased::store(opened, self.store.clone());
                leased.let_others_in();
                Box::new(leased)
            }
            Site::Profile(name) => Box::new(self.profile(name).await?),
        })
    }
}

/// Something that the console has open.
pub(super) struct Leased {
    opened: Opened,
    site: Site,
    support: Option<Places>,
    /// What is set now, for whoever signs in again.
    set: Option<Arc<Mutex<GlobalOptions>>>,
}

impl Leased {
    /// A store.
    pub(super) fn store(opened: Opened, dir: PathBuf) -> Self {
        let paths = Paths::of_user().ok();
        let support = Places {
            journal: dir.join(JOURNAL),
            store: dir,
            state: paths.as_ref().map(|paths| paths.state.clone()),
            home: paths.map(|paths| paths.home),
            names: Vec::new(),
        };
        Self {
            opened,
            site: Site::Store,
            support: Some(support),
            set: None,
        }
    }

    /// Lets other programs of this user in, where the store is open here.
    pub(super) fn let_others_in(&mut self) {
        self.opened.let_others_in();
    }
}

/// Where a bundle of a profile is taken from: its journal, and what the program leaves of itself. What the profile says of
/// systems and people is known by its names, and taken out.
fn places(options: &GlobalOptions, name: &str) -> Option<Places> {
    let paths = Paths::of_user().ok()?;
    let dir = paths.of_profile(name);
    let mut names = vec![(name.to_owned(), "profile")];
    names.extend(
        profile::names(options, name)
            .into_iter()
            .map(|said| (said, "account")),
    );
    Some(Places {
        journal: Place::first(&dir),
        store: dir,
        state: Some(paths.state),
        home: Some(paths.home),
        names,
    })
}

#[async_trait]
impl Lease for Leased {
    fn site(&self) -> Site {
        self.site.clone()
    }

    fn connection(&self) -> Connection {
        self.opened.connection.clone()
    }

    fn tracker(&self) -> Tracker {
        self.opened.tracker.clone()
    }

    fn support(&self) -> Option<Places> {
        self.support.clone()
    }

    async fn renew(&mut self) -> Result<(), Problem> {
        let (Site::Profile(name), Some(set)) = (&self.site, &self.set) else {
            return Err(Problem::user(
                "a store is here: there is nothing to sign in to",
            ));
        };
        let options = set.lock().clone();
        self.opened.sign_in_again(&options, name, BY).await
    }

    async fn close(self: Box<Self>) -> Result<(), Problem> {
        self.opened.close().await
    }
}
