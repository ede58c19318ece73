//! Writing: data goes to free blocks first, then one record per leaf puts
//! these blocks in the place of the old ones.

use super::core::{Core, Guarded};
use super::error::{EngineError, Result};
use super::ids::VolumeId;
use super::page::{BLOCK, BLOCK_LEN, Entry, LEAF_BLOCKS};
use super::read::check_range;
use super::record::{Piece, Record};
use super::space::Run;
use super::store::Store;
use super::tree::as_leaf;

static ZEROES: [u8; BLOCK_LEN] = [0; BLOCK_LEN];

/// A change of a stretch of blocks without data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wipe {
    /// They are forgotten.
    Discard,
    /// Those that hold data hold zeroes.
    Zero,
}

/// The pieces of a write for which blocks have been taken, and filled.
struct Placed {
    pieces: Vec<Piece>,
    runs: Vec<Run>,
}

impl Core {
    /// Writes data that is not zero into blocks of its own.
    fn place(&self, data: &[u8]) -> Result<Placed> {
        let zero: Vec<bool> = data
            .chunks_exact(BLOCK_LEN)
            .map(|block| block == ZEROES)
            .collect();
        let want = zero.iter().filter(|zero| !**zero).count() as u64;
        let runs = if want > 0 {
            self.take_blocks(want)?
        } else {
            Vec::new()
        };
        match self.fill(data, &zero, &runs) {
            Ok(pieces) => Ok(Placed { pieces, runs }),
            Err(e) => {
                self.put_back(&runs);
                Err(e)
            }
        }
    }

    fn fill(&self, data: &[u8], zero: &[bool], runs: &[Run]) -> Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut left = runs.iter().copied();
        let mut run = Run { start: 0, len: 0 };
        let mut i = 0;
        while i < zero.len() {
            let n = zero[i..].iter().take_while(|z| **z == zero[i]).count();
            if zero[i] {
                pieces.push(Piece::Zero(n as u16));
                i += n;
                continue;
            }
            if run.len == 0 {
                run = left.next().ok_or(EngineError::NoSpace)?;
            }
            let n = n.min(run.len as usize);
            let part = &data[i * BLOCK_LEN..(i + n) * BLOCK_LEN];
            let crcs = part.chunks_exact(BLOCK_LEN).map(crc32c::crc32c).collect();
            self.write_blocks(run.start, part)?;
            pieces.push(Piece::Data {
                block: run.start,
                crcs,
            });
            run = Run {
                start: run.start + n as u64,
                len: run.len - n as u64,
            };
            i += n;
        }
        Ok(pieces)
    }

    /// Keeps the content of a write for the log, as long as there is little to keep.
    fn keep_inline(&self, guarded: &mut Guarded, pieces: &[Piece], data: &[u8]) {
        let batch = &mut guarded.batch;
        if batch.overflow {
            return;
        }
        let blocks = data.len() / BLOCK_LEN;
        let inline = (batch.inline.len() + blocks) * BLOCK_LEN;
        if inline > self.tuning.inline_limit || batch.size(blocks) > guarded.room {
            batch.overflow = true;
            batch.inline = Vec::new();
            return;
        }
        let mut rest = data;
        for piece in pieces {
            let (now, later) = rest.split_at(piece.len() as usize * BLOCK_LEN);
            if let Piece::Data { block, .. } = piece {
                for (block, content) in (*block..).zip(now.chunks_exact(BLOCK_LEN)) {
                    // A block that was used before in this batch counts as it is now.
                    match batch.inline.iter_mut().find(|kept| kept.0 == block) {
                        Some(kept) => kept.1.copy_from_slice(content),
                        None => batch.inline.push((block, content.to_vec())),
                    }
                }
            }
            rest = later;
        }
    }

    /// Writes whole blocks of one leaf. With `expect`, only if the first of them
    /// is still mapped to that; false if it is not.
    fn write_leaf(
        &self,
        volume: VolumeId,
        lba: u64,
        data: &[u8],
        expect: Option<Option<Entry>>,
    ) -> Result<bool> {
        self.admit()?;
        let placed = self.place(data)?;
        match self.install_write(volume, lba, data, &placed, expect) {
            Ok(true) => Ok(true),
            other => {
                self.put_back(&placed.runs);
                other
            }
        }
    }

    fn install_write(
        &self,
        volume: VolumeId,
        lba: u64,
        data: &[u8],
        placed: &Placed,
        expect: Option<Option<Entry>>,
    ) -> Result<bool> {
        // The leaf is brought into memory while others go on.
        {
            let guarded = self.guarded.read();
            let catalog = &guarded.state.catalog;
            if let Some(head) = catalog
                .volumes
                .get(&volume)
                .and_then(|v| catalog.nodes.get(&v.head))
            {
                head.tree.leaf(&self.pages, lba / LEAF_BLOCKS)?;
            }
        }
        let half = self.tuning.batch_limit / 2;
        let (lsn, waited, waiting) = {
            let mut guarded = self.guarded.write();
            let waited = guarded.batch.records.0.len();
            let catalog = &guarded.state.catalog;
            let head = catalog
                .volumes
                .get(&volume)
                .and_then(|v| catalog.nodes.get(&v.head));
            let head = head.ok_or(EngineError::NoVolume(volume))?;
            check_range(lba * BLOCK, data.len() as u64, head.size)?;
            if let Some(expect) = expect {
                let page = head.tree.leaf(&self.pages, lba / LEAF_BLOCKS)?;
                let now = match &page {
                    Some(page) => as_leaf(page)?.get((lba % LEAF_BLOCKS) as usize),
                    None => None,
                };
                if now != expect {
                    return Ok(false);
                }
            }
            let record = Record::Write {
                node: head.id,
                lba,
                pieces: placed.pieces.clone(),
            };
            let lsn = self.record(&mut guarded, &record)?;
            self.keep_inline(&mut guarded, &placed.pieces, data);
            (lsn, waited, guarded.batch.records.0.len())
        };
        if waiting > self.tuning.batch_limit {
            self.commit(lsn)?;
        } else if waited <= half && waiting > half {
            self.nudge();
        }
        Ok(true)
    }

    /// Writes a part of a block: the rest stays what it is, whoever else writes.
    fn write_part(&self, volume: VolumeId, lba: u64, skip: usize, data: &[u8]) -> Result<()> {
        let mut block = vec![0; BLOCK_LEN];
        loop {
            let was = self.read_block(volume, lba, &mut block)?;
            block[skip..skip + data.len()].copy_from_slice(data);
            if self.write_leaf(volume, lba, &block, Some(was))? {
                return Ok(());
            }
        }
    }

    /// Discards or zeroes whole blocks; only leaves that there are are touched.
    fn wipe(&self, volume: VolumeId, lba: u64, count: u64, wipe: Wipe) -> Result<()> {
        let end = lba + count;
        let mut at = lba;
        while at < end {
            let lsn = {
                let mut guarded = self.guarded.write();
                let catalog = &guarded.state.catalog;
                let head = catalog
                    .volumes
                    .get(&volume)
                    .and_then(|v| catalog.nodes.get(&v.head));
                let head = head.ok_or(EngineError::NoVolume(volume))?;
                let node = head.id;
                let Some((leaf, _)) = head.tree.next_leaf(&self.pages, at / LEAF_BLOCKS)? else {
                    return Ok(());
                };
                let first = at.max(leaf * LEAF_BLOCKS);
                let last = end.min((leaf + 1) * LEAF_BLOCKS);
                if first >= last {
                    return Ok(());
                }
                at = last;
                let (lba, count) = (first, (last - first) as u16);
                let record = match wipe {
                    Wipe::Discard => Record::Discard { node, lba, count },
                    Wipe::Zero => Record::Zero { node, lba, count },
                };
                let lsn = self.record(&mut guarded, &record)?;
                (guarded.batch.records.0.len() > self.tuning.batch_limit).then_some(lsn)
            };
            if let Some(lsn) = lsn {
                self.commit(lsn)?;
            }
        }
        Ok(())
    }

    /// Forgets what a volume maps from byte `offset` on.
    pub(super) fn discard_beyond(&self, volume: VolumeId, offset: u64) -> Result<()> {
        let lba = offset / BLOCK;
        self.wipe(volume, lba, (1 << 38) - lba, Wipe::Discard)
    }

    fn wipe_range(&self, volume: VolumeId, offset: u64, len: u64, wipe: Wipe) -> Result<()> {
        self.admit_delete()?;
        check_range(
            offset,
            len,
            self.size_of(super::info::Source::Volume(volume))?,
        )?;
        let end = offset + len;
        let (first, last) = (offset.div_ceil(BLOCK), end / BLOCK);
        if wipe == Wipe::Zero && first > last {
            // All of it lies within one block.
            return self.write_part(
                volume,
                last,
                (offset % BLOCK) as usize,
                &ZEROES[..len as usize],
            );
        }
        if wipe == Wipe::Zero {
            let head = (first * BLOCK - offset) as usize;
            if head > 0 {
                self.write_part(volume, first - 1, BLOCK_LEN - head, &ZEROES[..head])?;
            }
            let tail = (end - last * BLOCK) as usize;
            if tail > 0 {
                self.write_part(volume, last, 0, &ZEROES[..tail])?;
            }
        }
        if first < last {
            self.wipe(volume, first, last - first, wipe)
        } else {
            Ok(())
        }
    }
}

impl Store {
    /// Writes `data` at `offset`. It can be read at once, and is durable once
    /// [`Store::flush`] has returned. After a crash before that, each block of
    /// 4 KiB is what it was or what was written.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::OutOfRange`], [`EngineError::ReadOnly`];
    /// [`EngineError::NoSpace`] and [`EngineError::Io`]: a first part of it may have been written.
    pub fn write(&self, volume: VolumeId, offset: u64, data: &[u8]) -> Result<()> {
        let core = self.core();
        core.check_writable()?;
        check_range(
            offset,
            data.len() as u64,
            core.size_of(super::info::Source::Volume(volume))?,
        )?;
        let (mut at, mut rest) = (offset, data);
        while !rest.is_empty() {
            let (lba, skip) = (at / BLOCK, (at % BLOCK) as usize);
            let n = if skip > 0 || rest.len() < BLOCK_LEN {
                let n = rest.len().min(BLOCK_LEN - skip);
                core.write_part(volume, lba, skip, &rest[..n])?;
                n
            } else {
                let blocks = (LEAF_BLOCKS - lba % LEAF_BLOCKS).min((rest.len() / BLOCK_LEN) as u64);
                let n = blocks as usize * BLOCK_LEN;
                core.write_leaf(volume, lba, &rest[..n], None)?;
                n
            };
            at += n as u64;
            rest = &rest[n..];
        }
        Ok(())
    }

    /// Forgets the whole blocks of 4 KiB in a range; they read as zeroes then,
    /// and take no space. Parts of blocks at the edges stay as they are.
    ///
    /// # Errors
    /// [`EngineError::NoVolume`], [`EngineError::OutOfRange`], [`EngineError::ReadOnly`].
    pub fn discard(&self, volume: VolumeId, offset: u64, len: u64) -> Result<()> {
        self.core().wipe_range(volume, offset, len, Wipe::Discard)
    }

    /// Makes every byte of a range zero, without writing zeroes where whole blocks are concerned.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_zeroes(&self, volume: VolumeId, offset: u64, len: u64) -> Result<()> {
        self.core().wipe_range(volume, offset, len, Wipe::Zero)
    }
}
