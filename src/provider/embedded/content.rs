//! The bytes of a volume or a point, for reading, and what differs between two of them.

use super::{convert, error};
use crate::engine::{ExtentKind, Source, Store};
use crate::model::{Kind, ObjectRef, Problem};
use crate::provider::{Changes, Content, DataRange, Difference};

/// How much of a mapping is looked at in one call, in bytes of the volume.
const LOOK: u64 = 1 << 30;

/// How much of two mappings is compared in one call, in bytes of the volume: what is found is
/// kept in memory by blocks.
const COMPARE: u64 = 4 << 30;

/// The bytes of one thing of a store.
pub(super) struct StoreContent {
    store: Store,
    source: Source,
    size: u64,
    name: String,
}

impl StoreContent {
    /// Opens the bytes of `object`.
    pub(super) fn open(store: &Store, object: &ObjectRef) -> Result<Self, Problem> {
        let gone = |e| error::problem(&e, format!("{object} cannot be read"));
        let (source, size, name) = match object.kind {
            // A linked target is a volume.
            Kind::Volume | Kind::Target => {
                let id = convert::engine_volume(&object.id)?;
                let info = store.volume(id).map_err(gone)?;
                (Source::Volume(id), info.size, info.name)
            }
            Kind::Snapshot => {
                let id = convert::engine_point(&object.id)?;
                let info = store.point(id).map_err(gone)?;
                (Source::Point(id), info.size, info.name)
            }
            Kind::Group | Kind::Session => {
                let kind = object.kind.one();
                return Err(match object.id.is_empty() {
                    true => Problem::not_found(format!("there is no {kind}")),
                    false => Problem::not_found(format!("a {kind} has no content of its own"))
                        .hint("read its members"),
                });
            }
        };
        Ok(Self {
            store: store.clone(),
            source,
            size,
            name,
        })
    }
}

impl Content for StoreContent {
    fn size(&self) -> u64 {
        self.size
    }

    fn ranges(&self, offset: u64) -> Result<Vec<DataRange>, Problem> {
        if offset >= self.size {
            return Ok(Vec::new());
        }
        let length = LOOK.min(self.size - offset);
        let extents = self
            .store
            .extents(self.source, offset, length)
            .map_err(|e| {
                error::problem(&e, format!("the mapping of {} cannot be read", self.name))
            })?;
        Ok(extents
            .into_iter()
            .map(|extent| DataRange {
                offset: extent.offset,
                length: extent.len,
                data: extent.kind == ExtentKind::Data,
            })
            .collect())
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Problem> {
        self.store
            .read(self.source, offset, buffer)
            .map_err(|e| error::problem(&e, format!("{} cannot be read at {offset}", self.name)))
    }
}

/// What differs between two things of a store.
pub(super) struct StoreDifference {
    old: StoreContent,
    new: StoreContent,
}

impl StoreDifference {
    /// Opens what differs in `to` from `from`.
    pub(super) fn open(store: &Store, from: &ObjectRef, to: &ObjectRef) -> Result<Self, Problem> {
        Ok(Self {
            old: StoreContent::open(store, from)?,
            new: StoreContent::open(store, to)?,
        })
    }
}

impl Difference for StoreDifference {
    fn old_size(&self) -> u64 {
        self.old.size
    }

    fn size(&self) -> u64 {
        self.new.size
    }

    fn changes(&self, offset: u64) -> Result<Changes, Problem> {
        let (old, new) = (&self.old, &self.new);
        if offset >= new.size {
            return Ok(Changes {
                ranges: Vec::new(),
                end: new.size,
            });
        }
        let length = COMPARE.min(new.size - offset);
        let extents = new
            .store
            .difference(old.source, new.source, offset, length)
            .map_err(|e| {
                let (from, to) = (&old.name, &new.name);
                error::problem(&e, format!("{to} cannot be compared with {from}"))
            })?;
        Ok(Changes {
            ranges: extents
                .into_iter()
                .map(|extent| DataRange {
                    offset: extent.offset,
                    length: extent.len,
                    data: extent.kind == ExtentKind::Data,
                })
                .collect(),
            end: offset + length,
        })
    }
}
