//! The log: groups of records in segment files, each group made durable as one.
//!
//! A group is taken for real only if its checksum, its number and the checksum
//! of the group before it are what they must be, so what an earlier use left
//! in a segment is never read as new.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::bytes::{In, Out};
use super::disk::{Disk, FileName};
use super::error::{EngineError, Result};
use super::page::BLOCK_LEN;
use super::record::Record;

/// Groups begin at multiples of this.
pub(super) const ALIGN: u64 = 4096;
pub(super) const GROUP_MAGIC: u32 = u32::from_le_bytes(*b"SDlg");
pub(super) const SEGMENT_MAGIC: u32 = u32::from_le_bytes(*b"SDsg");
/// Bytes of a group's header.
pub(super) const HEADER: usize = 64;
/// The kind of an item that is no record but a block's content.
pub(super) const INLINE: u8 = 0x80;
/// Bytes before the content of such a block.
pub(super) const INLINE_HEADER: usize = 13;

/// Where the next group goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogHead {
    /// Counts segments.
    pub(super) segment: u64,
    /// The file that holds it.
    pub(super) slot: u32,
    /// Bytes into it.
    pub(super) offset: u64,
    /// Counts groups.
    pub(super) seq: u64,
    /// The checksum of the group before.
    pub(super) chain: u32,
    /// The last record before.
    pub(super) lsn: u64,
}

impl LogHead {
    pub(super) fn put(&self, out: &mut Out) {
        out.u64(self.segment);
        out.u32(self.slot);
        out.u64(self.offset);
        out.u64(self.seq);
        out.u32(self.chain);
        out.u64(self.lsn);
    }

    pub(super) fn take(input: &mut In<'_>) -> Result<Self> {
        Ok(Self {
            segment: input.u64()?,
            slot: input.u32()?,
            offset: input.u64()?,
            seq: input.u64()?,
            chain: input.u32()?,
            lsn: input.u64()?,
        })
    }
}

/// Records that are to be written, in order.
#[derive(Default)]
pub(super) struct Batch {
    /// The records, encoded.
    pub(super) records: Out,
    pub(super) count: u64,
    /// Blocks written by these records, with their content, as long as it is little.
    pub(super) inline: Vec<(u64, Vec<u8>)>,
    /// There was too much of it: the data files are to be synced.
    pub(super) overflow: bool,
    /// When the first record came.
    pub(super) since: Option<Instant>,
}

impl Batch {
    /// Bytes of the group it becomes, with `more` blocks of inline data.
    pub(super) fn size(&self, more: usize) -> u64 {
        let inline = (self.inline.len() + more) * (BLOCK_LEN + INLINE_HEADER);
        aligned(HEADER + self.records.0.len() + inline)
    }
}

/// A group that was read.
pub(super) struct Group {
    pub(super) records: Vec<Record>,
    pub(super) inline: Vec<(u64, Vec<u8>)>,
}

pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) slot: u32,
    pub(super) len: u64,
}

/// The log, open for appending.
pub(super) struct Log {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) store: u64,
    pub(super) segment_bytes: u64,
    pub(super) head: LogHead,
    /// Segments that hold what may have to be replayed; the last is being written.
    pub(super) live: Vec<Segment>,
    /// Files that can be used again, and their lengths.
    pub(super) spare: Vec<(u32, u64)>,
    pub(super) next_slot: u32,
    /// When the last group was written, if no empty one follows it.
    pub(super) unsealed: Option<Instant>,
}

/// The room a group of this length takes.
pub(super) fn aligned(len: usize) -> u64 {
    (len as u64).next_multiple_of(ALIGN)
}

impl Log {
    /// A new log with its first segment.
    pub(super) fn create(disk: Arc<dyn Disk>, store: u64, segment_bytes: u64) -> Result<Self> {
        let head = LogHead {
            segment: 0,
            slot: 0,
            offset: 0,
            seq: 1,
            chain: 0,
            lsn: 0,
        };
        let mut log = Self {
            disk,
            store,
            segment_bytes,
            head,
            live: Vec::new(),
            spare: Vec::new(),
            next_slot: 0,
            unsealed: None,
        };
        log.add_spare(segment_bytes)?;
        log.next_segment(0)?;
        log.disk
            .sync(FileName::Log(log.head.slot))
            .map_err(|e| EngineError::io("syncing the log", e))?;
        log.add_spare(segment_bytes)?;
        Ok(log)
    }

    /// Where the next group goes.
    pub(super) fn head(&self) -> LogHead {
        self.head
    }

    /// Bytes that may have to be replayed.
    pub(super) fn live_bytes(&self) -> u64 {
        let full: u64 = self
            .live
            .iter()
            .rev()
            .skip(1)
            .map(|segment| segment.len)
            .sum();
        full + self.head.offset
    }

    /// Makes a file for a segment, filled with zeroes so that its blocks are there.
    fn add_spare(&mut self, len: u64) -> Result<()> {
        let slot = self.next_slot;
        let file = FileName::Log(slot);
        let what = || format!("making {file}");
        self.disk
            .reserve(file, 0, len)
            .map_err(|e| EngineError::io(what(), e))?;
        let zeroes = vec![0; 1 << 20];
        let mut at = 0;
        while at < len {
            let n = (len - at).min(zeroes.len() as u64);
            self.disk
                .write_at(file, at, &zeroes[..n as usize])
                .map_err(|e| EngineError::io(what(), e))?;
            at += n;
        }
        self.disk
            .sync(file)
            .map_err(|e| EngineError::io(what(), e))?;
        self.next_slot += 1;
        self.spare.push((slot, len));
        Ok(())
    }

    /// Sees that there is a spare segment, one that takes a group of `need` bytes.
    ///
    /// # Errors
    /// [`EngineError::NoSpace`] if there is no room for one.
    pub(super) fn ensure_spare(&mut self, need: u64) -> Result<()> {
        let len = self
            .segment_bytes
            .max(need.next_multiple_of(ALIGN) + 2 * ALIGN);
        if self
            .spare
            .iter()
            .any(|spare| spare.1 >= len.min(need + 2 * ALIGN))
        {
            Ok(())
        } else {
            self.add_spare(len)
        }
    }

    /// Begins the next segment in a spare file that takes a group of `need` bytes.
    fn next_segment(&mut self, need: u64) -> Result<()> {
        let fits = |&(_, len): &(u32, u64)| len >= need + ALIGN;
        if !self.spare.iter().any(fits) {
            self.add_spare(self.segment_bytes.max(need + ALIGN))?;
        }
        let Some(at) = self.spare.iter().position(fits) else {
            return Err(EngineError::NoSpace);
        };
        let (slot, len) = self.spare[at];
        let number = self.head.segment + 1;
        let mut out = Out::default();
        out.u32(SEGMENT_MAGIC);
        out.u32(self.head.chain);
        out.u64(self.store);
        out.u64(number);
        out.u64(self.head.seq);
        let crc = crc32c::crc32c(&out.0);
        out.u32(crc);
        out.0.resize(ALIGN as usize, 0);
        self.disk
            .write_at(FileName::Log(slot), 0, &out.0)
            .map_err(|e| EngineError::io("writing the log", e))?;
        self.spare.remove(at);
        self.live.push(Segment { number, slot, len });
        self.head = LogHead {
            segment: number,
            slot,
            offset: ALIGN,
            ..self.head
        };
        Ok(())
    }

    pub(super) fn current_len(&self) -> u64 {
        self.live.last().map_or(0, |segment| segment.len)
    }

    /// Sees that a group of `need` bytes can be written.
    ///
    /// # Errors
    /// [`EngineError::NoSpace`] if the disk is full; nothing has changed then.
    pub(super) fn ensure_room(&mut self, need: u64) -> Result<()> {
        if self.head.offset + need > self.current_len() {
            self.next_segment(need)
        } else {
            Ok(())
        }
    }

    /// How large a group can be that is written, without more room on the disk,
    /// after one of `taken` bytes that there is room for in this segment.
    pub(super) fn room(&self, taken: u64) -> u64 {
        let here = self.current_len().saturating_sub(self.head.offset + taken);
        let spare = self.spare.iter().map(|(_, len)| len.saturating_sub(ALIGN));
        spare.fold(here, u64::max)
    }

    /// Writes the batch as one group and makes it durable; `with_data`: its inline data too.
    /// Room has been made for it.
    ///
    /// # Errors
    /// After any error it is not known what is on disk; the log must not be used.
    pub(super) fn write(&mut self, batch: &Batch, with_data: bool) -> std::io::Result<()> {
        let last = self.head.lsn + batch.count;
        let inline = if with_data { batch.inline.len() } else { 0 };
        let payload = batch.records.0.len() + inline * (INLINE_HEADER + BLOCK_LEN);
        let mut out = Out(Vec::with_capacity(aligned(HEADER + payload) as usize));
        out.u32(GROUP_MAGIC);
        out.u32(self.head.chain);
        out.u64(self.store);
        out.u64(self.head.seq);
        out.u64(self.head.lsn + 1);
        out.u64(last);
        // The watermark: data of records up to here is durable, in its place or inline.
        out.u64(last);
        out.u32(payload as u32);
        out.u32(0);
        out.u64(0);
        out.0.extend_from_slice(&batch.records.0);
        for (block, data) in batch.inline.iter().take(inline) {
            out.u8(INLINE);
            out.u32(8 + data.len() as u32);
            out.u64(*block);
            out.0.extend_from_slice(data);
        }
        let crc = crc32c::crc32c(&out.0);
        out.0[HEADER - 12..HEADER - 8].copy_from_slice(&crc.to_le_bytes());
        let len = aligned(out.0.len());
        out.0.resize(len as usize, 0);
        let file = FileName::Log(self.head.slot);
        self.disk.write_at(file, self.head.offset, &out.0)?;
        self.disk.sync(file)?;
        self.head = LogHead {
            offset: self.head.offset + len,
            seq: self.head.seq + 1,
            chain: crc,
            lsn: last,
            ..self.head
        };
        self.unsealed = (batch.count > 0).then(Instant::now);
        Ok(())
    }

    /// Writes an empty group behind the last, where that has been the last for `quiet`: once it is
    /// there, records that cannot be read are damage, and not a write that a crash cut off. Says
    /// whether it did.
    ///
    /// # Errors
    /// As [`Log::write`].
    pub(super) fn seal(&mut self, quiet: Duration) -> std::io::Result<bool> {
        let due = self.unsealed.is_some_and(|at| at.elapsed() >= quiet);
        let fits = self.head.offset + ALIGN <= self.current_len();
        if due && fits {
            self.write(&Batch::default(), false)?;
        }
        Ok(due && fits)
    }

    /// Whether nothing waits to be sealed.
    pub(super) fn is_sealed(&self) -> bool {
        self.unsealed.is_none()
    }

    /// Removes segments that wait to be used again, the longest first, until they have no
    /// more than `keep` bytes together.
    pub(super) fn shed(&mut self, keep: u64) {
        self.spare.sort_by_key(|(_, len)| *len);
        while self.spare.len() > 1
            && self.spare.iter().map(|(_, len)| len).sum::<u64>() > keep
            && let Some((slot, _)) = self.spare.pop()
        {
            // One that cannot be removed is found again when the store is opened.
            let _ = self.disk.remove(FileName::Log(slot));
        }
    }

    /// A checkpoint holds all before `head`: segments before it can be used again.
    pub(super) fn recycle(&mut self, head: &LogHead) {
        let spare = &mut self.spare;
        self.live.retain(|segment| {
            let keep = segment.number >= head.segment;
            if !keep {
                spare.push((segment.slot, segment.len));
            }
            keep
        });
    }
}
