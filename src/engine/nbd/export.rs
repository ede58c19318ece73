//! What is served: one volume or one snapshot.

use super::wire::export_flag;
use crate::engine::error::Result;
use crate::engine::{Source, Store, VolumeId};

/// A volume or a snapshot, and how clients may use it.
#[derive(Clone, Debug)]
pub struct Export {
    pub(super) store: Store,
    pub(super) source: Source,
    /// The volume, or the volume that the snapshot is of.
    pub(super) volume: VolumeId,
    pub(super) name: String,
    pub(super) description: String,
    /// Its size, in bytes.
    pub(super) size: u64,
    pub(super) read_only: bool,
}

impl Export {
    /// An export of `source` under `name`. A snapshot can only be read.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`](crate::engine::EngineError::NoVolume) and `NoPoint`.
    pub fn new(store: &Store, source: Source, name: &str, read_only: bool) -> Result<Self> {
        let (volume, size, description) = match source {
            Source::Volume(id) => {
                let info = store.volume(id)?;
                (id, info.size, format!("volume {id}"))
            }
            Source::Point(id) => {
                let info = store.point(id)?;
                let text = format!("snapshot {id}, taken {}", info.created);
                (info.volume, info.size, text)
            }
        };
        Ok(Self {
            store: store.clone(),
            source,
            volume,
            name: name.to_owned(),
            description,
            size,
            read_only: read_only || matches!(source, Source::Point(_)),
        })
    }

    /// Its name, as clients may ask for it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether clients may only read it.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether a client that asks for `name` means this one. It is the default export too,
    /// whose name is empty.
    pub(super) fn answers_to(&self, name: &str) -> bool {
        name.is_empty() || name == self.name
    }

    /// "Transmission flags". `SEND_DF` only where structured replies were agreed on.
    pub(super) fn flags(&self, structured: bool) -> u16 {
        let mut flags = export_flag::HAS_FLAGS
            | export_flag::SEND_FLUSH
            | export_flag::SEND_FUA
            | export_flag::CAN_MULTI_CONN;
        if structured {
            flags |= export_flag::SEND_DF;
        }
        flags
            | if self.read_only {
                export_flag::READ_ONLY
            } else {
                export_flag::SEND_TRIM
                    | export_flag::SEND_WRITE_ZEROES
                    | export_flag::SEND_FAST_ZERO
            }
    }
}
