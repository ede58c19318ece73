//! What happens in the demo estate besides what its user does: a host writes, a medium goes bad. All of
//! it really happens, in the engine.

use super::error;
use crate::engine::{BadBlocks, EngineError, ExtentKind, Source, Store, VolumeInfo};
use crate::model::{Bytes, Problem};

/// Bytes that a host writes in one go: several times, here and there.
const WRITES: u64 = 24;
const WRITE: usize = 128 << 10;

/// The means to let something happen.
#[derive(Clone, Debug)]
pub struct Stage {
    store: Store,
    bad: BadBlocks,
}

impl Stage {
    /// The stage of a store that was opened with these blocks.
    #[must_use]
    pub fn new(store: &Store, bad: BadBlocks) -> Self {
        let store = store.clone();
        Self { store, bad }
    }

    fn volume(&self, name: &str) -> Result<VolumeInfo, Problem> {
        let found = self.store.volumes().into_iter().find(|v| v.name == name);
        found.ok_or_else(|| Problem::not_found(format!("there is no volume {name}")))
    }

    /// The host of this volume writes to it, among its data. Returns how many bytes.
    ///
    /// # Errors
    /// Where there is none of this name, or the engine fails.
    pub fn write(&self, name: &str) -> Result<Bytes, Problem> {
        let volume = self.volume(name)?;
        let failed = |e| error::problem(&e, format!("{name} was not written to"));
        let data = self.data(Source::Volume(volume.id), volume.size);
        let data = data.map_err(failed)?;
        let mut buffer = vec![0; WRITE];
        let mut written = 0;
        for n in 0..WRITES {
            for (word, i) in buffer.chunks_mut(8).zip(0u64..) {
                let bytes = (i ^ (n << 32) ^ volume.usage.written).to_le_bytes();
                word.copy_from_slice(bytes.get(..word.len()).unwrap_or(&bytes));
            }
            // Evenly among what was written before; from the front where nothing was.
            let at = match data.len() as u64 {
                0 => n * WRITE as u64,
                count => data
                    .get((n * count / WRITES) as usize)
                    .map_or(0, |(offset, _)| *offset),
            };
            let length = (volume.size.saturating_sub(at)).min(WRITE as u64);
            let piece = buffer.get(..length as usize).unwrap_or_default();
            self.store.write(volume.id, at, piece).map_err(failed)?;
            written += length;
        }
        self.store.flush().map_err(failed)?;
        Ok(Bytes(written))
    }

    /// The medium fails to read a block of the newest point in time of this volume; whoever shares
    /// it cannot read it either.
    ///
    /// # Errors
    /// Where there is none of this name, it has no snapshot with data, or the engine fails.
    pub fn spoil(&self, name: &str) -> Result<(), Problem> {
        let volume = self.volume(name)?;
        let failed = |e| error::problem(&e, format!("{name} was not spoiled"));
        let point = volume
            .parent
            .ok_or_else(|| Problem::not_found(format!("{name} has no snapshot")))?;
        let source = Source::Point(point);
        let size = self.store.point(point).map_err(failed)?.size;
        let data = self.data(source, size).map_err(failed)?;
        let (offset, length) = data
            .get(data.len() / 2)
            .copied()
            .ok_or_else(|| Problem::not_found(format!("{name} holds no data")))?;
        self.store
            .spoil(&self.bad, source, offset + length / 2)
            .map_err(failed)
    }

    /// The medium reads everything again.
    pub fn mend(&self) {
        self.bad.mend();
    }

    /// Where data is: offset and length, in bytes.
    fn data(&self, source: Source, size: u64) -> Result<Vec<(u64, u64)>, EngineError> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < size {
            let extents = self.store.extents(source, at, size - at)?;
            let Some(last) = extents.last() else { break };
            at = last.offset + last.len;
            let data = extents.iter().filter(|e| e.kind == ExtentKind::Data);
            found.extend(data.map(|extent| (extent.offset, extent.len)));
        }
        Ok(found)
    }
}
