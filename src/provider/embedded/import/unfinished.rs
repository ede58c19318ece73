//! What a volume remembers of an import that has not come to its end, so that it can be gone on
//! with: kept as an attribute of the volume, written after what it speaks of, so that
//! whatever a crash leaves, all before the position is there.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::error;
use crate::engine::images::Image;
use crate::engine::{self, Attrs, Source, Store, VolumeInfo};
use crate::model::{Bytes, Problem, TaskId};

/// The attribute.
pub(in super::super) const UNFINISHED: &str = "unfinished-import";

/// How many places are compared before an import is gone on with, and how much at each.
const SAMPLES: u64 = 256;
const SAMPLE: u64 = 64 << 10;

/// An import that has not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Unfinished {
    /// The image.
    pub(in super::super) file: String,
    format: String,
    /// Of the file, in bytes.
    length: u64,
    /// When the file was last changed, in nanoseconds since 1970.
    modified: i128,
    /// The task that fills the volume.
    pub(in super::super) task: String,
    /// The snapshot above the volume: it is another one after a restore, or a snapshot.
    parent: Option<String>,
    /// All before this is in the volume, in bytes of the disk.
    pub(in super::super) position: u64,
}

impl Unfinished {
    /// What an import of this image into this volume is known by.
    pub(super) fn of(
        path: &Path,
        image: &Image,
        info: &VolumeInfo,
        task: &TaskId,
    ) -> Result<Self, Problem> {
        let metadata = std::fs::metadata(path).map_err(|e| {
            Problem::user(format!("the image {} cannot be read", path.display())).caused_by(&e)
        })?;
        Ok(Self {
            file: path.to_string_lossy().into_owned(),
            format: image.format().to_string(),
            length: metadata.len(),
            modified: i128::from(metadata.mtime()) * 1_000_000_000
                + i128::from(metadata.mtime_nsec()),
            task: task.to_string(),
            parent: info.parent.map(|id| id.to_string()),
            position: 0,
        })
    }

    /// What the volume remembers.
    pub(in super::super) fn find(attrs: &Attrs) -> Option<Self> {
        serde_json::from_str(attrs.get(UNFINISHED)?).ok()
    }

    /// Whether the image and the volume are what they were.
    pub(super) fn same_as(&self, now: &Self, name: &str) -> Result<(), Problem> {
        let changed = |what: String| {
            Problem::conflict(format!("the import into {name} cannot be gone on with"))
                .because(what)
                .hint("import anew, without --resume")
        };
        if self.parent != now.parent {
            return Err(changed(format!(
                "a snapshot of {name} was taken or restored since"
            )));
        }
        if self.file != now.file {
            return Err(changed(format!("it was an import of {}", self.file)));
        }
        if (&self.format, self.length, self.modified) != (&now.format, now.length, now.modified) {
            return Err(changed(format!(
                "{} was changed since: its length, its time of change or its format is another",
                self.file
            )));
        }
        Ok(())
    }

    /// Compares places all over what was taken in with the image: whoever changed either and
    /// put the time back is most likely found out.
    pub(super) fn compare(
        &self,
        image: &Image,
        store: &Store,
        info: &VolumeInfo,
    ) -> Result<(), Problem> {
        let end = self.position.min(image.size());
        let step = (end / SAMPLES).max(SAMPLE);
        let mut at = 0;
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        while at < end {
            // The last place is right before the position.
            let from = if at + step >= end {
                end.saturating_sub(SAMPLE)
            } else {
                at
            };
            let n = SAMPLE.min(end - from) as usize;
            theirs.resize(n, 0);
            ours.resize(n, 0);
            image
                .read(from, &mut theirs)
                .map_err(|e| Problem::user(e.to_string()))?;
            store
                .read(Source::Volume(info.id), from, &mut ours)
                .map_err(|e| error::problem(&e, format!("{} cannot be read", info.name)))?;
            if ours != theirs {
                return Err(Problem::conflict(format!(
                    "the import into {} cannot be gone on with",
                    info.name
                ))
                .because(format!(
                    "what it holds at {} is not what {} has there",
                    Bytes(from),
                    self.file
                ))
                .hint("import anew, without --resume"));
            }
            at += step;
        }
        Ok(())
    }

    /// Makes the volume remember it, and all that was written before it durable.
    pub(super) fn keep(&self, store: &Store, id: engine::VolumeId) -> Result<(), Problem> {
        let text = serde_json::to_string(self).unwrap_or_default();
        change(store, id, |attrs| {
            attrs.insert(UNFINISHED.to_owned(), text);
        })
    }

    /// Makes the volume forget it: the import is whole.
    pub(super) fn forget(store: &Store, id: engine::VolumeId) -> Result<(), Problem> {
        change(store, id, |attrs| {
            attrs.remove(UNFINISHED);
        })
    }
}

fn change(
    store: &Store,
    id: engine::VolumeId,
    change: impl FnOnce(&mut Attrs),
) -> Result<(), Problem> {
    let failed = |e| error::problem(&e, "how far the import has come cannot be kept");
    let mut attrs = store.volume(id).map_err(failed)?.attrs;
    change(&mut attrs);
    store.update_volume(id, None, Some(attrs)).map_err(failed)
}
