//! Where the clusters of a qcow2 image are: its tables of the first and the second level.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::super::error::ImageError;
use super::super::storage::ReadAt;
use super::header::Header;

/// The bits of an entry that say where something is, in both levels.
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;
const COPIED: u64 = 1 << 63;
const COMPRESSED: u64 = 1 << 62;
const READS_AS_ZERO: u64 = 1;
/// The parts that a cluster with an extended entry has.
const SUBCLUSTERS: u64 = 32;
/// Memory for tables of the second level, in bytes; two of the largest fit.
const CACHE_BYTES: usize = 8 << 20;

/// Where a stretch of the disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Not in this image: in the one below, or nowhere.
    Below,
    /// Zeroes.
    Zero,
    /// Here in the file.
    Data(u64),
    /// A compressed cluster: here in the file, at most so many bytes.
    Compressed(u64, u64),
}

/// The tables of an image.
pub(super) struct Map {
    path: PathBuf,
    file: Arc<dyn ReadAt>,
    /// Of the file that the tables are in, in bytes.
    length: u64,
    header: Header,
    l1: Vec<u64>,
    /// Tables of the second level by where they are, the last used first.
    cache: Mutex<Vec<(u64, Arc<[u64]>)>>,
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes
        .chunks_exact(8)
        .map(|part| part.try_into().map_or(0, u64::from_be_bytes))
}

impl Map {
    pub(super) fn open(
        path: PathBuf,
        file: Arc<dyn ReadAt>,
        header: Header,
    ) -> Result<Self, ImageError> {
        let length = file.length().map_err(|e| ImageError::io(&path, e))?;
        // No more of it than the disk's size needs; the header was checked to have that many.
        let covered = Self::covered(&header);
        let entries = header.size.div_ceil(covered).min(header.l1_entries);
        let mut bytes = vec![0; entries as usize * 8];
        file.read_exact_at(&mut bytes, header.l1_offset)
            .map_err(|e| ImageError::io(&path, e))?;
        Ok(Self {
            length,
            l1: numbers(&bytes).collect(),
            cache: Mutex::default(),
            path,
            file,
            header,
        })
    }

    fn entry_words(header: &Header) -> u64 {
        if header.extended { 2 } else { 1 }
    }

    /// The bytes of the disk that a table of the second level is about.
    fn covered(header: &Header) -> u64 {
        header.cluster() * (header.cluster() / 8 / Self::entry_words(header))
    }

    fn damaged(&self, what: String) -> ImageError {
        ImageError::damaged(&self.path, what)
    }

    /// The table of the second level at `offset` of the file.
    fn table(&self, offset: u64) -> Result<Arc<[u64]>, ImageError> {
        let mut cache = self.cache.lock();
        if let Some(found) = cache.iter().position(|(at, _)| *at == offset) {
            let hit = cache.remove(found);
            let table = hit.1.clone();
            cache.insert(0, hit);
            return Ok(table);
        }
        // Read under the lock: others would most likely want the same one.
        let cluster = self.header.cluster();
        let fits = offset
            .checked_add(cluster)
            .is_some_and(|end| end <= self.length);
        if !offset.is_multiple_of(cluster) || !fits {
            return Err(self.damaged(format!(
                "a table of the second level at {offset}, of {} bytes in all",
                self.length
            )));
        }
        let mut bytes = vec![0; cluster as usize];
        self.file
            .read_exact_at(&mut bytes, offset)
            .map_err(|e| ImageError::io(&self.path, e))?;
        let table: Arc<[u64]> = numbers(&bytes).collect();
        cache.insert(0, (offset, table.clone()));
        cache.truncate((CACHE_BYTES / cluster as usize).clamp(2, 64));
        Ok(table)
    }

    /// Where the bytes from `offset` on are, and how many of them up to `end` are there in
    /// one piece; not beyond what one table is about, where there is one.
    pub(super) fn place(&self, offset: u64, end: u64) -> Result<(Place, u64), ImageError> {
        let covered = Self::covered(&self.header);
        let l1 = |n: u64| self.l1.get(n as usize).map_or(0, |entry| entry & OFFSET);
        let (first, last) = (offset / covered, (end - 1) / covered);
        let at = l1(first);
        if at == 0 {
            let mut next = first + 1;
            while next <= last && l1(next) == 0 {
                next += 1;
            }
            return Ok((Place::Below, end.min(next * covered) - offset));
        }
        let table = self.table(at)?;
        let end = end.min((first + 1) * covered);
        let unit = match self.header.extended {
            true => self.header.cluster() / SUBCLUSTERS,
            false => self.header.cluster(),
        };
        let within = offset % unit;
        let (place, mut stop) = self.unit(&table, offset - within, unit)?;
        let place = match place {
            Place::Data(host) => Place::Data(host + within),
            other => other,
        };
        while stop < end && !matches!(place, Place::Compressed(..)) {
            let (next, next_stop) = self.unit(&table, stop, unit)?;
            let joins = match (place, next) {
                (Place::Data(host), Place::Data(next)) => next == host + (stop - offset),
                (place, next) => place == next,
            };
            if !joins {
                break;
            }
            stop = next_stop;
        }
        Ok((place, stop.min(end) - offset))
    }

    /// Where the unit (a cluster, or a part of one) that begins at `offset` of the disk is, and
    /// where what is said of it ends.
    fn unit(&self, table: &[u64], offset: u64, unit: u64) -> Result<(Place, u64), ImageError> {
        let cluster = self.header.cluster();
        let words = Self::entry_words(&self.header);
        let index = (offset / cluster) % (cluster / 8 / words) * words;
        let word = |n: u64| table.get(n as usize).copied().unwrap_or(0);
        let entry = word(index);
        let cluster_end = offset - offset % cluster + cluster;
        if entry & COMPRESSED != 0 {
            return Ok((self.compressed(entry, offset)?, cluster_end));
        }
        let host = entry & OFFSET;
        // In a file that holds nothing but data, the first byte is as good as any.
        let allocated = host != 0 || (self.header.external_data && entry & COPIED != 0);
        if !host.is_multiple_of(cluster) {
            return Err(self.damaged(format!("a cluster at {host}, for offset {offset}")));
        }
        if !self.header.extended {
            let zero = self.header.version >= 3 && entry & READS_AS_ZERO != 0;
            let place = match (zero, allocated) {
                (true, _) => Place::Zero,
                (false, true) => Place::Data(host),
                (false, false) => Place::Below,
            };
            return Ok((place, cluster_end));
        }
        let bitmap = word(index + 1);
        let part = offset % cluster / unit;
        let (here, zero) = (bitmap >> part & 1 != 0, bitmap >> (part + 32) & 1 != 0);
        let place = match (here, zero) {
            (true, true) => {
                return Err(self.damaged(format!(
                    "a subcluster that is data and zeroes at once, at offset {offset}"
                )));
            }
            (true, false) if !allocated => {
                return Err(
                    self.damaged(format!("a subcluster that is nowhere, at offset {offset}"))
                );
            }
            (true, false) => Place::Data(host + part * unit),
            (false, true) => Place::Zero,
            (false, false) => Place::Below,
        };
        Ok((place, offset + unit))
    }

    fn compressed(&self, entry: u64, offset: u64) -> Result<Place, ImageError> {
        if self.header.external_data {
            return Err(self.damaged(format!(
                "a compressed cluster beside an external data file, at offset {offset}"
            )));
        }
        let bits = 62 - (self.header.cluster_bits - 8);
        let host = entry & ((1 << bits) - 1);
        let sectors = (entry & (COMPRESSED - 1)) >> bits;
        let length = (sectors + 1) * 512 - host % 512;
        if host >= self.length {
            return Err(self.damaged(format!(
                "a compressed cluster at {host}, beyond its end, for offset {offset}"
            )));
        }
        // The last sector need not be whole.
        Ok(Place::Compressed(host, length.min(self.length - host)))
    }
}
