//! The embedded engine as a provider: a store in a directory, opened by this process.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::broadcast;

use super::Connection;
use crate::engine::{BadBlocks, OpenOptions, Store, VolumeId};
use crate::model::{Capabilities, Change, Kind, Problem, ProblemKind};

mod attributes;
mod check;
mod content;
mod convert;
pub mod demo;
mod demo_sets;
pub mod demo_stage;

mod difference;
mod error;
mod import;
mod plan;
mod plan_difference;
mod plan_image;
mod plan_sets;
mod plan_snapshots;
mod plan_targets;
mod plan_volumes;
mod raw;
mod reader;
mod run;
mod run_sets;
mod sets;
mod specs;
mod targets;
mod writer;

pub use attributes::ORIGIN;
pub use specs::capabilities;

/// How a store is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Never make the means to change anything.
    pub read_only: bool,
    /// Make the store where there is none.
    pub create: bool,
    /// Leave background work (copies, reclaiming) as it is: for a look that ends at once.
    pub idle: bool,
    /// Open a damaged store as far as it can be read; it is read-only then.
    pub salvage: bool,
    /// The most that background copies write, in bytes a second.
    pub copy_rate: Option<u64>,
    /// Memory for the mapping, in bytes; the engine's own choice where `None`.
    pub cache: Option<u64>,
    /// Operations are on the medium only when the store is closed: for an estate that is
    /// made from nothing, where there is nothing to lose.
    pub hasty: bool,
    /// For rehearsals: blocks that can be made unreadable.
    pub bad_blocks: Option<BadBlocks>,
}

/// The file in the store's directory that the task journal is kept in.
pub const JOURNAL: &str = "journal.jsonl";

/// A store that is open. Both handles of its connection share it.
pub(super) struct Shared {
    store: Store,

    capabilities: Capabilities,
    changes: broadcast::Sender<Change>,
    /// Volumes that an image is being copied into.
    filling: Mutex<HashSet<VolumeId>>,
    /// What comes from standard input, where an import is to read it.
    input: Arc<Mutex<Option<import::Input>>>,
}

impl Shared {
    /// Refuses while an image is being copied into the volume: what it holds is neither the
    /// old nor the new.
    fn not_filling(&self, id: VolumeId) -> Result<(), Problem> {
        if self.filling.lock().contains(&id) {
            return Err(
                Problem::conflict(format!("an image is being copied into volume {id}"))
                    .hint("wait for it, or cancel its task"),
            );
        }
        Ok(())
    }

    /// Notes that an image is being copied into the volume, until this is dropped.
    fn fill(&self, id: VolumeId) -> Result<Filling<'_>, Problem> {
        self.not_filling(id)?;
        self.filling.lock().insert(id);
        Ok(Filling { shared: self, id })
    }
}

/// A volume that an image is being copied into.
struct Filling<'a> {
    shared: &'a Shared,
    id: VolumeId,
}

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        self.shared.filling.lock().remove(&self.id);
    }
}

/// An open store, its connection, and where its journal is.
pub struct Embedded {
    store: Store,
    input: Arc<Mutex<Option<import::Input>>>,
    /// The means to look and to change.
    pub connection: Connection,
    /// The journal of tasks.
    pub journal: PathBuf,
}

impl Embedded {
    /// Opens the store in `dir`.
    ///
    /// # Errors
    /// Where there is none (and none is to be made), another process has it, or it is
    /// damaged or foreign; the problem says which.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, Problem> {
        let engine = OpenOptions {
            background: !options.idle,
            salvage: options.salvage,
            copy_rate: options.copy_rate,
            durable_ops: !options.hasty,
            bad_blocks: options.bad_blocks.clone(),
            ..OpenOptions::default()
        };
        let engine = match options.cache {
            Some(cache_bytes) => OpenOptions {
                cache_bytes,
                ..engine
            },
            None => engine,
        };
        let opened = if options.create && !options.read_only && !options.salvage {
            Store::open_or_create(dir, &engine)
        } else {
            Store::open(dir, &engine)
        };
        let store = opened.map_err(|e| error::opening(&e, dir))?;
        Ok(Self::over(store, dir, options.read_only || options.salvage))
    }

    fn over(store: Store, dir: &Path, read_only: bool) -> Self {
        let (changes, _) = broadcast::channel(256);
        let sender = changes.clone();
        store.subscribe(Box::new(move |change| {
            if let Some(change) = convert::change(change) {
                // Nobody listening is no fault.
                let _ = sender.send(change);
            }
        }));
        let shared = Arc::new(Shared {
            store: store.clone(),

            capabilities: capabilities(),
            changes,
            filling: Mutex::default(),
            input: Arc::default(),
        });
        let input = shared.input.clone();
        let connection = Connection {
            name: connection_name(dir),
            reader: Arc::new(reader::EmbeddedReader::new(shared.clone())),
            writer: (!read_only).then(|| Arc::new(writer::EmbeddedWriter::new(shared)) as _),
            trace: None,
        };
        Self {
            store,
            input,
            connection,
            journal: dir.join(JOURNAL),
        }
    }

    /// The engine below, for the demo estate.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Lets one import of `-` read this stream; waits for its first bytes.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn offer_input(&self, input: Box<dyn std::io::Read + Send>) -> Result<(), Problem> {
        let input = import::Input::new(input).map_err(|e| {
            Problem::new(ProblemKind::System, "standard input cannot be read").caused_by(&e)
        })?;
        *self.input.lock() = Some(input);
        Ok(())
    }

    /// Brings everything to the medium and gives the store up to other processes.
    ///
    /// # Errors
    /// Where the last data could not be written.
    pub fn close(self) -> Result<(), Problem> {
        self.store
            .close()
            .map_err(|e| error::problem(&e, "the store could not be closed"))
    }
}

/// What a profile made for a directory alone is called: the directory's name.
fn connection_name(dir: &Path) -> String {
    dir.file_name().map_or_else(
        || dir.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// Every kind, for a reader that fell behind.
fn everything() -> [Change; Kind::ALL.len()] {
    Kind::ALL.map(Change::Kind)
}
