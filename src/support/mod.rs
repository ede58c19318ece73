//! Support bundles: what helps whoever looks for a fault, in one file that names nobody. What is in it and what was
//! withheld is known before it is written.

mod gather;
mod scrub;

use std::fmt::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use self::gather::{Gathered, gather};
use crate::config::{Config, Fault};
use crate::model::{Problem, ProblemKind, Time};

/// The name of the list of what is in a bundle.
const MANIFEST: &str = "MANIFEST.txt";

/// Where it is taken from.
#[derive(Clone, Debug)]
pub struct Places {
    /// The directory of the store.
    pub store: PathBuf,
    /// The journal of its tasks.
    pub journal: PathBuf,
    /// The folder of what the program leaves of itself.
    pub state: Option<PathBuf>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// What names systems and people beside, each with what it is a name of; taken out wherever it stands.
    pub names: Vec<(String, &'static str)>,
}

/// What was gathered; nothing of it is written yet.
#[derive(Debug)]
pub struct Bundle {
    gathered: Gathered,
    manifest: String,
    at: Time,
}

impl Bundle {
    /// Gathers. Nothing is opened that a console may have open, and nothing is changed. `terminal` is what the terminal is
    /// taken for.
    #[must_use]
    pub fn gather(config: &Result<Config, Vec<Fault>>, places: &Places, terminal: String) -> Self {
        let gathered = gather(config, places, terminal);
        let at = Time::now();
        Self {
            manifest: manifest(&gathered, at),
            gathered,
            at,
        }
    }

    /// What is in it, and what is not and why.
    #[must_use]
    pub fn manifest(&self) -> &str {
        &self.manifest
    }

    /// What is in the file of this name.
    #[must_use]
    pub fn show(&self, name: &str) -> Option<&str> {
        let item = self.gathered.items.iter().find(|item| item.name == name);
        match item {
            Some(item) => Some(&item.text),
            None => (name == MANIFEST).then_some(&self.manifest),
        }
    }

    /// A name for the file, by the time.
    #[must_use]
    pub fn file_name(&self) -> String {
        let stamp = self.at.to_zoned(jiff::tz::TimeZone::UTC);
        format!(
            "snapdeck-support-{}.tar.gz",
            stamp.strftime("%Y%m%d-%H%M%S")
        )
    }

    /// Writes a new file that nobody else can read.
    ///
    /// # Errors
    /// Where it is there already, or cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), Problem> {
        write(&self.gathered, &self.manifest, self.at, file).map_err(|e| {
            let what = format!("{} cannot be written", file.display());
            Problem::new(ProblemKind::System, what).caused_by(&e)
        })
    }
}

/// What is in it, and what is not and why.
fn manifest(gathered: &Gathered, now: Time) -> String {
    let mut out = format!(
        "Support bundle of snapdeck {}, {now:.0}\n\nIn it:\n",
        env!("CARGO_PKG_VERSION")
    );
    for item in &gathered.items {
        let _ = writeln!(
            out,
            "  {:<40} {:>8} B  {}",
            item.name,
            item.text.len(),
            item.about
        );
    }
    out.push_str("\nWithheld:\n");
    for (what, why) in &gathered.withheld {
        let _ = writeln!(out, "  {what}:\n    {why}");
    }
    out
}

fn write(gathered: &Gathered, manifest: &str, now: Time, file: &Path) -> std::io::Result<()> {
    let out = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    let packed = flate2::write::GzEncoder::new(out, flate2::Compression::default());
    let mut archive = tar::Builder::new(packed);
    let all = gathered
        .items
        .iter()
        .map(|item| (item.name.as_str(), &item.text));
    let manifest = manifest.to_owned();
    for (name, text) in std::iter::once((MANIFEST, &manifest)).chain(all) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(now.as_second()).unwrap_or(0));
        archive.append_data(
            &mut header,
            format!("snapdeck-support/{name}"),
            text.as_bytes(),
        )?;
    }
    archive.into_inner()?.finish()?.sync_all()
}
