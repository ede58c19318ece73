//! Making a block unreadable on purpose, so that what happens then can be seen.

use super::disk::{BadBlocks, FileName};
use super::error::{EngineError, Result};
use super::info::Source;
use super::page::{BLOCK, Entry};
use super::store::Store;

impl Store {
    /// From now on the block that holds byte `offset` of a volume or a point cannot be read, by
    /// whomever it is shared, until `bad` is mended. The store must have been opened with `bad`
    /// ([`OpenOptions::bad_blocks`](super::OpenOptions::bad_blocks)).
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::NoPoint`], [`EngineError::OutOfRange`];
    /// [`EngineError::BadRequest`] where nothing was written there.
    pub fn spoil(&self, bad: &BadBlocks, source: Source, offset: u64) -> Result<()> {
        let core = self.core();
        let looked = core.look_up(source, offset / BLOCK, 1)?;
        let entry = looked.entries.first().copied().flatten();
        let Some(block) = entry.and_then(Entry::block) else {
            return Err(EngineError::BadRequest(format!(
                "nothing was written at byte {offset}: there is no block that could be unreadable"
            )));
        };
        let (file, at, _) = core.locate(block);
        bad.spoil(FileName::Data(file), at);
        Ok(())
    }
}
