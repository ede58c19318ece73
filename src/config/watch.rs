//! Notices that the configuration was written, and reads it again.

use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use notify::{RecursiveMode, Watcher as _};

use super::fault::Fault;
use super::source::{Config, Source};

/// An editor writes a file in several steps: it is read when nothing has happened for so long.
const SETTLED: Duration = Duration::from_millis(80);

/// What came of reading it.
pub(super) type Read = Result<Config, Vec<Fault>>;

/// The folders of the configuration, watched for as long as this is kept.
pub struct Watch {
    _watcher: notify::RecommendedWatcher,
}

impl Watch {
    /// Begins to watch, and tells what is read after each change. `None` where nothing can be watched: there is
    /// no such folder, or the system does not let it; what is there can still be read again when somebody asks for it.
    pub fn start(source: Source, tell: impl Fn(Read) + Send + 'static) -> Option<Self> {
        let (sender, changes) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<_>| {
            // What is only read changes nothing; and it is read here.
            let changes = |event: &notify::Event| !event.kind.is_access();
            if event.as_ref().map_or(true, changes) {
                // Nobody listens any more once the console ends.
                let _ = sender.send(());
            }
        })
        .map_err(|error| tracing::warn!(%error, "the configuration is not watched"))
        .ok()?;
        let folder = source.file.parent().map(PathBuf::from);
        // The folder rather than the file: editors replace files by new ones.
        let folders = [folder, Some(source.themes.clone())];
        let mut any = false;
        for folder in folders.into_iter().flatten().filter(|f| f.is_dir()) {
            any |= watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok();
        }
        if !any {
            return None;
        }
        let last = source.read();
        std::thread::Builder::new()
            .name("configuration".to_owned())
            .spawn(move || follow(&source, &changes, last, &tell))
            .ok()?;
        Some(Self { _watcher: watcher })
    }
}

/// Ends when the watcher is dropped.
fn follow(source: &Source, changes: &mpsc::Receiver<()>, mut last: Read, tell: &dyn Fn(Read)) {
    while changes.recv().is_ok() {
        loop {
            match changes.recv_timeout(SETTLED) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let read = source.read();
        if read != last {
            last = read.clone();
            tell(read);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    #[test]
    fn what_is_written_is_read_once_it_has_settled() {
        let dir = tempfile::tempdir().unwrap();
        let source = Source {
            file: dir.path().join("config.toml"),
            themes: dir.path().join("themes"),
            flags: Flags::default(),
        };
        let (sender, told) = mpsc::channel();
        let watch = Watch::start(source.clone(), move |read| {
            let _ = sender.send(read);
        });
        assert!(watch.is_some());
        let patience = Duration::from_secs(60);
        std::fs::write(&source.file, "mouse = false\n").unwrap();
        let read = told.recv_timeout(patience).unwrap().unwrap();
        assert!(!read.settings.mouse);
        // As editors do it: beside it, and moved over it.
        let beside = dir.path().join("config.toml.new");
        std::fs::write(&beside, "mouse = 3\n").unwrap();
        std::fs::rename(&beside, &source.file).unwrap();
        let faults = told.recv_timeout(patience).unwrap().unwrap_err();
        assert!(faults[0].what.contains("true or false"), "{faults:?}");
        drop(watch);
        assert!(told.recv_timeout(patience).is_err(), "the thread has ended");
    }

    #[test]
    fn without_a_folder_there_is_nothing_to_watch() {
        let source = Source {
            file: PathBuf::from("/nowhere/config.toml"),
            themes: PathBuf::from("/nowhere/themes"),
            flags: Flags::default(),
        };
        assert!(Watch::start(source, |_| {}).is_none());
    }
}
