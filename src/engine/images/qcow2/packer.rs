//! Writing a qcow2 image whose clusters are compressed. How small each becomes is not known before, so
//! the tables stand behind what they are about, and the header is written last: into a file only.

use std::io;

use flate2::{Compress, FlushCompress, Status};

use super::super::origin::{Origin, data_runs};
use super::writer::{
    CLUSTER, CLUSTER_BITS, COPIED, COUNTS, COVERED, ENTRIES, Put, entries, header,
};

const COMPRESSED: u64 = 1 << 62;
/// The bit of an entry at which the number of further sectors begins.
const SECTORS: u32 = 62 - (CLUSTER_BITS - 8);
/// The window that the format has, in bits: 4 KiB.
const WINDOW: u8 = 12;
/// How hard it is tried, as zlib does unless told otherwise.
const LEVEL: u32 = 6;
/// Clusters that are compressed at once.
const BATCH: u64 = 64;

/// Compresses a cluster; none where that makes it no smaller.
fn deflate(cluster: &[u8]) -> Option<Vec<u8>> {
    let level = flate2::Compression::new(LEVEL);
    let mut deflater = Compress::new_with_window_bits(level, false, WINDOW);
    let mut out = vec![0; cluster.len() - 1];
    let status = deflater.compress(cluster, &mut out, FlushCompress::Finish);
    match status {
        Ok(Status::StreamEnd) => {
            out.truncate(deflater.total_out() as usize);
            Some(out)
        }
        _ => None,
    }
}

/// Compresses clusters, each on any processor.
fn deflate_all(bytes: &[u8]) -> Vec<Option<Vec<u8>>> {
    let clusters: Vec<&[u8]> = bytes.chunks(CLUSTER as usize).collect();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let share = clusters.len().div_ceil(workers).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = clusters
            .chunks(share)
            .map(|part| {
                scope.spawn(move || part.iter().map(|one| deflate(one)).collect::<Vec<_>>())
            })
            .collect();
        // A worker that ended abruptly compressed nothing.
        let all = parts.into_iter().zip(clusters.chunks(share));
        all.flat_map(|(part, clusters)| part.join().unwrap_or_else(|_| vec![None; clusters.len()]))
            .collect()
    })
}

/// Writes an image with compressed clusters.
#[derive(Debug, Default)]
pub struct Packer {
    /// Where the next thing goes.
    at: u64,
    /// The table of the second level that is being filled, and which it is.
    table: Vec<u64>,
    number: u64,
    l1: Vec<u64>,
    /// What each cluster of the file is referred to.
    counts: Vec<u16>,
}

impl Packer {
    /// Writes all of the origin, and calls `moved` with the offset in the disk that was reached and
    /// how much data that was. Returns the length of the file.
    ///
    /// # Errors
    /// Those of the origin, of writing (made what the caller has by `wrong`) and of `moved`.
    pub fn write<O: Origin, E: From<O::Error>>(
        origin: &O,
        put: Put<'_>,
        wrong: &dyn Fn(io::Error) -> E,
        moved: &mut dyn FnMut(u64, u64) -> Result<(), E>,
    ) -> Result<u64, E> {
        let size = origin.size();
        let mut packer = Self {
            at: CLUSTER,
            l1: vec![0; size.div_ceil(COVERED) as usize],
            ..Self::default()
        };
        packer.count(0, CLUSTER);
        let mut buffer = Vec::new();
        data_runs(origin, CLUSTER, 0, &mut |offset, length| {
            let (mut at, end) = (offset, offset + length);
            while at < end {
                let n = (BATCH * CLUSTER).min(end - at);
                // The last cluster of a disk need not be whole.
                buffer.clear();
                buffer.resize(n.next_multiple_of(CLUSTER) as usize, 0);
                if let Some(part) = buffer.get_mut(..n as usize) {
                    origin.read(at, part)?;
                }
                let packed = deflate_all(&buffer);
                let clusters = buffer.chunks(CLUSTER as usize).zip(packed);
                for (i, (plain, packed)) in clusters.enumerate() {
                    let place = at + i as u64 * CLUSTER;
                    packer
                        .cluster(place, plain, packed.as_deref(), put)
                        .map_err(wrong)?;
                }
                at += n;
                moved(at, n)?;
            }
            Ok::<(), E>(())
        })?;
        packer.end(size, put).map_err(wrong)
    }

    /// Counts that a stretch of the file is referred to once more.
    fn count(&mut self, offset: u64, length: u64) {
        let (first, last) = (offset / CLUSTER, (offset + length - 1) / CLUSTER);
        if self.counts.len() as u64 <= last {
            self.counts.resize(last as usize + 1, 0);
        }
        for n in first..=last {
            if let Some(count) = self.counts.get_mut(n as usize) {
                *count += 1;
            }
        }
    }

    /// Writes whole clusters at a place of their own; where.
    fn whole(&mut self, bytes: &[u8], put: Put<'_>) -> io::Result<u64> {
        let place = self.at.next_multiple_of(CLUSTER);
        put(place, bytes)?;
        self.count(place, bytes.len() as u64);
        self.at = place + bytes.len() as u64;
        Ok(place)
    }

    fn cluster(
        &mut self,
        offset: u64,
        plain: &[u8],
        packed: Option<&[u8]>,
        put: Put<'_>,
    ) -> io::Result<()> {
        if self.number != offset / COVERED {
            self.end_table(put)?;
            self.number = offset / COVERED;
        }
        let entry = match packed {
            Some(packed) => {
                let (place, length) = (self.at, packed.len() as u64);
                put(place, packed)?;
                self.count(place, length);
                self.at += length;
                let sectors = (place + length - 1) / 512 - place / 512;
                COMPRESSED | (sectors << SECTORS) | place
            }
            None => self.whole(plain, put)? | COPIED,
        };
        self.table.resize(ENTRIES as usize, 0);
        if let Some(slot) = self.table.get_mut((offset / CLUSTER % ENTRIES) as usize) {
            *slot = entry;
        }
        Ok(())
    }

    fn end_table(&mut self, put: Put<'_>) -> io::Result<()> {
        if self.table.is_empty() {
            return Ok(());
        }
        let table = std::mem::take(&mut self.table);
        let place = self.whole(&entries(&mut table.into_iter()), put)?;
        if let Some(slot) = self.l1.get_mut(self.number as usize) {
            *slot = place | COPIED;
        }
        Ok(())
    }

    /// Writes the tables that are left, the counts and the header; the length of the file.
    fn end(mut self, size: u64, put: Put<'_>) -> io::Result<u64> {
        self.end_table(put)?;
        let l1 = std::mem::take(&mut self.l1);
        let (l1_entries, l1) = (l1.len() as u64, entries(&mut l1.into_iter()));
        let l1_place = self.whole(&l1, put)?;
        // The counts count themselves too.
        let used = self.counts.len() as u64;
        let (mut tables, mut blocks) = (1, 1);
        loop {
            let need = (used + tables + blocks).div_ceil(COUNTS);
            let more = (need.div_ceil(ENTRIES), need);
            if more == (tables, blocks) {
                break;
            }
            (tables, blocks) = more;
        }
        let place = used * CLUSTER;
        self.count(place, (tables + blocks) * CLUSTER);
        let mut counts: Vec<u8> = self.counts.iter().flat_map(|n| n.to_be_bytes()).collect();
        counts.resize((blocks * CLUSTER) as usize, 0);
        let first = place + tables * CLUSTER;
        let mut table = entries(&mut (0..blocks).map(|n| first + n * CLUSTER));
        table.resize((tables * CLUSTER) as usize, 0);
        put(place, &table)?;
        put(first, &counts)?;
        put(0, &header(size, (l1_entries, l1_place), (place, tables)))?;
        Ok(first + blocks * CLUSTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_become_smaller_is_left_as_it_is() {
        let noise: Vec<u8> = (0..CLUSTER as u32)
            .map(|n| {
                (n.wrapping_mul(2_654_435_761) >> 13) as u8 ^ (n.wrapping_mul(40_503) >> 7) as u8
            })
            .collect();
        let flat = vec![7; CLUSTER as usize];
        assert!(deflate(&flat).is_some_and(|packed| packed.len() < 500));
        let all = deflate_all(&[flat.clone(), noise, flat].concat());
        assert!(all.len() == 3 && all[0].is_some() && all[2] == all[0]);
    }
}
