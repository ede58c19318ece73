//! The log: groups of records in segment files, each group made durable as one.
//!
//! A group is taken for real only if its checksum, its number and the checksum
//! of the group before it are what they must be, so what an earlier use left
//! in a segment is never read as new.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bytes::{In, Out};
use super::disk::{Disk, FileName};
use super::error::{EngineError, Result};
use super::page::BLOCK_LEN;
use super::record::Record;

/// Groups begin at multiples of this.
const ALIGN: u64 = 4096;
const GROUP_MAGIC: u32 = u32::from_le_bytes(*b"SDlg");
const SEGMENT_MAGIC: u32 = u32::from_le_bytes(*b"SDsg");
/// Bytes of a group's header.
const HEADER: usize = 64;
/// The kind of an item that is no record but a block's content.
const INLINE: u8 = 0x80;
/// Bytes before the content of such a block.
const INLINE_HEADER: usize = 13;

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

struct Segment {
    number: u64,
    slot: u32,
    len: u64,
}

/// The log, open for appending.
pub(super) struct Log {
    disk: Arc<dyn Disk>,
    store: u64,
    segment_bytes: u64,
    head: LogHead,
    /// Segments that hold what may have to be replayed; the last is being written.
    live: Vec<Segment>,
    /// Files that can be used again, and their lengths.
    spare: Vec<(u32, u64)>,
    next_slot: u32,
}

fn aligned(len: usize) -> u64 {
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

    fn current_len(&self) -> u64 {
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
        let mut payload = Out(Vec::with_capacity(batch.records.0.len()));
        if with_data {
            for (block, data) in &batch.inline {
                payload.u8(INLINE);
                payload.u32(8 + data.len() as u32);
                payload.u64(*block);
                payload.0.extend_from_slice(data);
            }
        }
        payload.0.extend_from_slice(&batch.records.0);
        let mut out = Out(Vec::with_capacity(
            aligned(HEADER + payload.0.len()) as usize
        ));
        out.u32(GROUP_MAGIC);
        out.u32(self.head.chain);
        out.u64(self.store);
        out.u64(self.head.seq);
        out.u64(self.head.lsn + 1);
        out.u64(last);
        // The watermark: data of records up to here is durable, in its place or inline.
        out.u64(last);
        out.u32(payload.0.len() as u32);
        out.u32(0);
        out.u64(0);
        out.0.extend_from_slice(&payload.0);
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
        Ok(())
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

    /// Reads the log from `head` on, hands each group to `replay`, and opens it
    /// for appending behind the last.
    ///
    /// # Errors
    /// Those of `replay`; [`EngineError::Damaged`] if the log has a hole.
    pub(super) fn recover(
        disk: Arc<dyn Disk>,
        store: u64,
        segment_bytes: u64,
        head: LogHead,
        replay: &mut dyn FnMut(Group) -> Result<()>,
    ) -> Result<Self> {
        let read = |e| EngineError::io("reading the log", e);
        let mut slots = BTreeMap::new();
        let mut segments = BTreeMap::new();
        for file in disk.list().map_err(read)? {
            let FileName::Log(slot) = file else { continue };
            let len = disk.len(file).map_err(read)?.unwrap_or(0) / ALIGN * ALIGN;
            slots.insert(slot, len);
            if let Some((number, seq, chain)) = read_segment_header(&*disk, store, slot, len)? {
                segments.insert(number, (slot, len, seq, chain));
            }
        }
        let mut log = Self {
            disk,
            store,
            segment_bytes,
            head,
            live: Vec::new(),
            spare: Vec::new(),
            next_slot: 0,
        };
        let Some(&(slot, len, ..)) = segments.get(&head.segment).filter(|s| s.0 == head.slot)
        else {
            return Err(EngineError::damaged(format!(
                "the log's segment {} is missing or hurt",
                head.segment
            )));
        };
        log.live.push(Segment {
            number: head.segment,
            slot,
            len,
        });
        loop {
            while let Some((group, next)) = log.read_group(log.head, log.current_len())? {
                replay(group)?;
                log.head = next;
            }
            let number = log.head.segment + 1;
            match segments.get(&number) {
                Some(&(slot, len, seq, chain))
                    if (seq, chain) == (log.head.seq, log.head.chain) =>
                {
                    log.live.push(Segment { number, slot, len });
                    log.head = LogHead {
                        segment: number,
                        slot,
                        offset: ALIGN,
                        ..log.head
                    };
                }
                _ => break,
            }
        }
        log.refuse_hole(&segments)?;
        let live: Vec<u32> = log.live.iter().map(|segment| segment.slot).collect();
        log.next_slot = slots.keys().last().map_or(0, |last| last + 1);
        log.spare = slots
            .into_iter()
            .filter(|(slot, len)| !live.contains(slot) && *len > ALIGN)
            .collect();
        Ok(log)
    }

    /// A group is written only when those before it are durable. If there is one
    /// beyond the end, what should be between is hurt.
    fn refuse_hole(&self, segments: &BTreeMap<u64, (u32, u64, u64, u32)>) -> Result<()> {
        let hole = || {
            EngineError::damaged(format!(
                "the log is hurt in log.{} at byte {}: there are later records behind it",
                self.head.slot, self.head.offset
            ))
        };
        if segments
            .keys()
            .next_back()
            .is_some_and(|&last| last > self.head.segment)
        {
            return Err(hole());
        }
        let len = self.current_len();
        let mut offset = self.head.offset;
        while offset < len {
            let mut header = [0; 24];
            self.read(self.head.slot, offset, &mut header)?;
            let mut input = In::new(&header, "a log group");
            let found = (input.u32()?, input.u32()?, input.u64()?, input.u64()?);
            if found.0 == GROUP_MAGIC && found.2 == self.store && found.3 > self.head.seq {
                let head = LogHead {
                    offset,
                    seq: found.3,
                    chain: found.1,
                    ..self.head
                };
                if self.read_whole(&head, len)?.is_some() {
                    return Err(hole());
                }
            }
            offset += ALIGN;
        }
        Ok(())
    }

    fn read(&self, slot: u32, offset: u64, buf: &mut [u8]) -> Result<()> {
        self.disk
            .read_at(FileName::Log(slot), offset, buf)
            .map_err(|e| EngineError::io(format!("reading log.{slot}"), e))
    }

    /// The bytes of the group that must be at `head`, if it is whole.
    fn read_whole(&self, head: &LogHead, len: u64) -> Result<Option<(Vec<u8>, u32)>> {
        if head.offset + HEADER as u64 > len {
            return Ok(None);
        }
        let mut header = [0; HEADER];
        self.read(head.slot, head.offset, &mut header)?;
        let mut input = In::new(&header, "a log group");
        let found = (input.u32()?, input.u32()?, input.u64()?, input.u64()?);
        if found != (GROUP_MAGIC, head.chain, self.store, head.seq) {
            return Ok(None);
        }
        input.take(24)?;
        let payload_len = u64::from(input.u32()?);
        let crc = input.u32()?;
        if head.offset + HEADER as u64 + payload_len > len {
            return Ok(None);
        }
        let mut bytes = vec![0; HEADER + payload_len as usize];
        self.read(head.slot, head.offset, &mut bytes)?;
        bytes[HEADER - 12..HEADER - 8].fill(0);
        Ok((crc32c::crc32c(&bytes) == crc).then_some((bytes, crc)))
    }

    fn read_group(&self, head: LogHead, len: u64) -> Result<Option<(Group, LogHead)>> {
        let Some((bytes, crc)) = self.read_whole(&head, len)? else {
            return Ok(None);
        };
        let mut input = In::new(&bytes, "a log group");
        input.take(24)?;
        let (first, last) = (input.u64()?, input.u64()?);
        input.take(24)?;
        let mut group = Group {
            records: Vec::new(),
            inline: Vec::new(),
        };
        while !input.is_empty() {
            let kind = input.u8()?;
            let body = input.blob()?;
            if kind == INLINE {
                let mut body = In::new(body, "a block in the log");
                group
                    .inline
                    .push((body.u64()?, body.take(BLOCK_LEN)?.to_vec()));
            } else {
                group.records.push(Record::decode(kind, body)?);
            }
        }
        if first != head.lsn + 1 || last != head.lsn + group.records.len() as u64 {
            return Err(EngineError::damaged(
                "a log group has not the records that it says",
            ));
        }
        let next = LogHead {
            offset: head.offset + aligned(bytes.len()),
            seq: head.seq + 1,
            chain: crc,
            lsn: last,
            ..head
        };
        Ok(Some((group, next)))
    }
}

fn read_segment_header(
    disk: &dyn Disk,
    store: u64,
    slot: u32,
    len: u64,
) -> Result<Option<(u64, u64, u32)>> {
    if len < ALIGN {
        return Ok(None);
    }
    let mut bytes = [0; 36];
    disk.read_at(FileName::Log(slot), 0, &mut bytes)
        .map_err(|e| EngineError::io(format!("reading log.{slot}"), e))?;
    let mut input = In::new(&bytes, "a log segment");
    let (magic, chain, found, number, seq) = (
        input.u32()?,
        input.u32()?,
        input.u64()?,
        input.u64()?,
        input.u64()?,
    );
    let whole =
        magic == SEGMENT_MAGIC && found == store && input.u32()? == crc32c::crc32c(&bytes[..32]);
    Ok(whole.then_some((number, seq, chain)))
}
