//! What somebody chose in the console and finds again at the next start: columns, orders, filters, a theme.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{Problem, ProblemKind};

/// So many filters are kept.
pub const FILTERS: usize = 100;
/// A file that is longer than this, in bytes, is none of ours.
const LONGEST: u64 = 1 << 20;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// The columns that are not shown, by view.
    pub hidden: BTreeMap<String, BTreeSet<String>>,
    /// By which column a view is sorted, and whether it is reversed.
    pub sorts: BTreeMap<String, (String, bool)>,
    /// The filters that were used, the newest last.
    pub filters: Vec<String>,
    /// The theme that was chosen, and what the configuration said then: where it says something else now, that holds.
    pub theme: Option<(String, String)>,
}

impl Kept {
    /// The file in the folder of what the program leaves of itself.
    #[must_use]
    pub fn file(state: &Path) -> PathBuf {
        state.join("console.json")
    }

    /// Reads it; nothing is kept where there is no file.
    ///
    /// # Errors
    /// Where there is one that cannot be read, or is none of ours.
    pub fn read(file: &Path) -> Result<Self, Problem> {
        let ignored = || {
            let what = format!(
                "{} is ignored: what was chosen last is not known",
                file.display()
            );
            let hint =
                "it is written anew when something is chosen; remove it, or correct its rights";
            Problem::new(ProblemKind::Config, what).hint(hint)
        };
        match std::fs::metadata(file) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(ignored().caused_by(&e)),
            Ok(data) if !data.is_file() => return Err(ignored().because("it is no file")),
            Ok(data) if data.len() > LONGEST => {
                return Err(ignored().because("it is far too long"));
            }
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(file).map_err(|e| ignored().caused_by(&e))?;
        let mut kept: Self = serde_json::from_str(&text).map_err(|e| ignored().caused_by(&e))?;
        let surplus = kept.filters.len().saturating_sub(FILTERS);
        kept.filters.drain(..surplus);
        Ok(kept)
    }

    /// Writes it for nobody else to read: beside its place first, then there as a whole.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), Problem> {
        let failed = |e: std::io::Error| {
            let what = format!("{} cannot be written", file.display());
            Problem::new(ProblemKind::Config, what)
                .caused_by(&e)
                .hint("what was chosen holds until the console ends")
        };
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        // Several consoles may be writing.
        let name = format!("json.{}", std::process::id());
        let beside = file.with_extension(name);
        let written = || {
            if let Some(folder) = file.parent() {
                let mut folders = std::fs::DirBuilder::new();
                folders.recursive(true).mode(0o700).create(folder)?;
            }
            let mut options = std::fs::File::options();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut out = options.open(&beside)?;
            out.write_all(text.as_bytes())?;
            std::fs::rename(&beside, file)
        };
        written().map_err(|e| {
            // What is left of it helps nobody.
            let _ = std::fs::remove_file(&beside);
            failed(e)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_kept_is_read_again_by_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = Kept::file(&dir.path().join("new").join("folder"));
        assert_eq!(Kept::read(&file).unwrap(), Kept::default());
        let mut kept = Kept {
            theme: Some(("dusk".into(), "auto".into())),
            filters: vec!["state:error".into()],
            ..Kept::default()
        };
        kept.hidden
            .entry("volumes".into())
            .or_default()
            .insert("own".into());
        kept.sorts.insert("volumes".into(), ("size".into(), true));
        kept.write(&file).unwrap();
        assert_eq!(Kept::read(&file).unwrap(), kept);
        kept.theme = None;
        kept.write(&file).unwrap();
        assert_eq!(Kept::read(&file).unwrap(), kept);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file), 0o600);
        assert_eq!(mode(file.parent().unwrap()), 0o700);
        let there = std::fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(there, 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_none_of_ours_is_ignored_with_a_word() {
        let dir = tempfile::tempdir().unwrap();
        let file = Kept::file(dir.path());
        for bad in ["", "{", "[1]", "{\"filters\": 3}"] {
            std::fs::write(&file, bad).unwrap();
            let problem = Kept::read(&file).unwrap_err();
            assert!(problem.what.contains("is ignored"), "{problem}");
        }
        std::fs::write(&file, "{\"later\": 1}").unwrap();
        assert_eq!(Kept::read(&file).unwrap(), Kept::default());
        std::fs::write(&file, vec![b' '; 2 << 20]).unwrap();
        assert!(Kept::read(&file).is_err());
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(Kept::read(&file).is_err());
        assert!(Kept::default().write(&file).is_err());
    }
}
