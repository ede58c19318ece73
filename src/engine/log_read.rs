//! Reading the log after a restart: groups one after the other as long as they
//! are whole and follow each other.

use super::bytes::In;
use super::disk::{Disk, FileName};
use super::error::{EngineError, Result};
use super::log::{
    ALIGN, GROUP_MAGIC, Group, HEADER, INLINE, Log, LogHead, SEGMENT_MAGIC, Segment, aligned,
};
use super::page::BLOCK_LEN;
use super::record::Record;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file that says it is a segment.
struct SegmentFile {
    slot: u32,
    len: u64,
    /// Number of its first group, and checksum of the one before.
    seq: u64,
    chain: u32,
}

/// Such files, by the numbers of the segments.
type Segments = BTreeMap<u64, Vec<SegmentFile>>;

impl Log {
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
        let mut log = Self::at(disk, store, segment_bytes, head);
        log.read_on(replay)?;
        Ok(log)
    }

    /// The same as far as it goes, for reading only; says what kept it from going on.
    pub(super) fn salvage(
        disk: Arc<dyn Disk>,
        store: u64,
        segment_bytes: u64,
        head: LogHead,
        replay: &mut dyn FnMut(Group) -> Result<()>,
    ) -> (Self, Option<EngineError>) {
        let mut log = Self::at(disk, store, segment_bytes, head);
        let trouble = log.read_on(replay).err();
        (log, trouble)
    }

    fn at(disk: Arc<dyn Disk>, store: u64, segment_bytes: u64, head: LogHead) -> Self {
        Self {
            disk,
            store,
            segment_bytes,
            head,
            live: Vec::new(),
            spare: Vec::new(),
            next_slot: 0,
            unsealed: None,
        }
    }

    fn read_on(&mut self, replay: &mut dyn FnMut(Group) -> Result<()>) -> Result<()> {
        let log = self;
        let head = log.head;
        let (disk, store) = (log.disk.clone(), log.store);
        let read = |e| EngineError::io("reading the log", e);
        let mut slots = BTreeMap::new();
        let mut segments = Segments::new();
        for file in disk.list().map_err(read)? {
            let FileName::Log(slot) = file else { continue };
            let len = disk.len(file).map_err(read)?.unwrap_or(0) / ALIGN * ALIGN;
            slots.insert(slot, len);
            if let Some((number, seq, chain)) = read_segment_header(&*disk, store, slot, len)? {
                let found = SegmentFile {
                    slot,
                    len,
                    seq,
                    chain,
                };
                segments.entry(number).or_default().push(found);
            }
        }
        let mut first = segments.get(&head.segment).into_iter().flatten();
        let Some(first) = first.find(|found| found.slot == head.slot) else {
            return Err(EngineError::damaged(format!(
                "the log's segment {} (log.{}) is missing or hurt",
                head.segment, head.slot
            )));
        };
        log.live.push(Segment {
            number: head.segment,
            slot: first.slot,
            len: first.len,
        });
        loop {
            while let Some((group, next)) = log.read_group(log.head, log.current_len())? {
                replay(group)?;
                log.head = next;
            }
            let number = log.head.segment + 1;
            let Some((head, len)) = log.next_of(segments.get(&number))? else {
                break;
            };
            log.head = head;
            log.live.push(Segment {
                number,
                slot: head.slot,
                len,
            });
        }
        log.refuse_hole(&segments)?;
        let live: Vec<u32> = log.live.iter().map(|segment| segment.slot).collect();
        log.next_slot = slots.keys().last().map_or(0, |last| last + 1);
        log.spare = slots
            .into_iter()
            .filter(|(slot, len)| !live.contains(slot) && *len > ALIGN)
            .collect();
        Ok(())
    }

    /// Reads again what was written from `head` on, and hands each group to `found`.
    /// Returns the file and the byte at which it does not read as it was written.
    pub(super) fn reread(
        &self,
        head: LogHead,
        found: &mut dyn FnMut(Group),
    ) -> Result<Option<(u32, u64)>> {
        let mut at = head;
        while at != self.head {
            let of = |number: u64| self.live.iter().find(|segment| segment.number == number);
            let len = of(at.segment).map_or(0, |segment| segment.len);
            if let Ok(Some((group, next))) = self.read_group(at, len) {
                found(group);
                at = next;
                continue;
            }
            let next = of(at.segment + 1).filter(|_| at.segment < self.head.segment);
            let Some(next) = next else {
                return Ok(Some((at.slot, at.offset)));
            };
            let header = read_segment_header(&*self.disk, self.store, next.slot, next.len)?;
            if header != Some((next.number, at.seq, at.chain)) {
                return Ok(Some((at.slot, at.offset)));
            }
            at = LogHead {
                segment: next.number,
                slot: next.slot,
                offset: ALIGN,
                ..at
            };
        }
        Ok(None)
    }

    /// Where the log goes on among files that say they are its next segment. One that
    /// was begun and left again, since its header could not be written, holds no group.
    fn next_of(&self, files: Option<&Vec<SegmentFile>>) -> Result<Option<(LogHead, u64)>> {
        let mut next = None;
        for file in files.into_iter().flatten() {
            if (file.seq, file.chain) != (self.head.seq, self.head.chain) {
                continue;
            }
            let head = LogHead {
                segment: self.head.segment + 1,
                slot: file.slot,
                offset: ALIGN,
                ..self.head
            };
            if self.read_whole(&head, file.len)?.is_some() {
                return Ok(Some((head, file.len)));
            }
            next.get_or_insert((head, file.len));
        }
        Ok(next)
    }

    /// A group is written only when those before it are durable. If there is one
    /// beyond the end, what should be between is hurt.
    fn refuse_hole(&self, segments: &Segments) -> Result<()> {
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
