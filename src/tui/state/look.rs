//! What is known of how a volume or a snapshot lies: layers of stretches, summed up in buckets, so
//! that the largest volume takes no more room than a small one.

use crate::model::Problem;
use crate::tui::event::{Layer, Slice, Ticket};

/// So many buckets at most; a bucket is a block or more.
const BUCKETS: u64 = 1 << 16;
/// What a system writes at once at least.
const BLOCK: u64 = 4096;
/// So many stretches are kept to be listed.
const LISTED: usize = 20_000;

/// A stretch that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Where it begins, in bytes.
    pub(crate) offset: u64,
    /// How long it is, in bytes.
    pub(crate) length: u64,
    /// Whether it holds anything but zeroes now.
    pub(crate) data: bool,
}

/// What is known so far.
#[derive(Debug)]
pub(crate) struct Look {
    /// What it was asked for with.
    pub(crate) ticket: Ticket,
    /// The size in bytes; zero while nothing is known.
    pub(crate) size: u64,
    /// The bytes of each layer by bucket.
    buckets: Vec<[u64; Layer::COUNT]>,
    /// The bytes of each layer.
    pub(crate) totals: [u64; Layer::COUNT],
    /// How far each layer was looked at, in bytes.
    reached: [u64; Layer::COUNT],
    /// The stretches that differ, in order, as many as are kept.
    pub(crate) stretches: Vec<Stretch>,
    /// How many differ in all.
    pub(crate) count: u64,
    /// Counts the changes.
    pub(crate) version: u64,
    /// Everything was looked at.
    pub(crate) done: bool,
    /// Why it was not.
    pub(crate) problem: Option<Problem>,
}

impl Look {
    /// Nothing is known yet.
    pub(crate) fn new(ticket: Ticket) -> Self {
        Self {
            ticket,
            size: 0,
            buckets: Vec::new(),
            totals: [0; Layer::COUNT],
            reached: [0; Layer::COUNT],
            stretches: Vec::new(),
            count: 0,
            version: 0,
            done: false,
            problem: None,
        }
    }

    /// How many bytes a bucket stands for.
    fn bucket(&self) -> u64 {
        let blocks = self.size.div_ceil(BLOCK).max(1);
        blocks.div_ceil(BUCKETS) * BLOCK
    }

    /// Takes in what was found.
    pub(crate) fn take(&mut self, slice: &Slice) {
        if self.buckets.is_empty() || self.size < slice.size {
            self.size = self.size.max(slice.size);
            let count = self.size.div_ceil(self.bucket()).max(1);
            self.buckets = vec![[0; Layer::COUNT]; count as usize];
        }
        let layer = slice.layer as usize;
        self.version += 1;
        self.reached[layer] = slice.end;
        for range in &slice.ranges {
            if slice.layer != Layer::Data && slice.listed {
                // What one slice ends with, the next may go on with.
                match self.stretches.last_mut() {
                    Some(last)
                        if last.offset + last.length == range.offset && last.data == range.data =>
                    {
                        last.length += range.length;
                    }
                    _ => {
                        self.count += 1;
                        if self.stretches.len() < LISTED {
                            self.stretches.push(Stretch {
                                offset: range.offset,
                                length: range.length,
                                data: range.data,
                            });
                        }
                    }
                }
            }
            if slice.layer != Layer::Data || range.data {
                self.add(layer, range.offset, range.length);
            }
        }
    }

    fn add(&mut self, layer: usize, offset: u64, length: u64) {
        let bucket = self.bucket();
        let end = (offset + length).min(self.size);
        self.totals[layer] += end.saturating_sub(offset);
        let mut at = offset;
        while at < end {
            let place = at / bucket;
            let to = ((place + 1) * bucket).min(end);
            if let Some(sums) = self.buckets.get_mut(place as usize) {
                sums[layer] += to - at;
            }
            at = to;
        }
    }

    /// The bytes of each layer in the part `index` of `parts`, and how many bytes that part has.
    pub(crate) fn part(&self, index: u64, parts: u64) -> ([u64; Layer::COUNT], u64) {
        let count = self.buckets.len() as u64;
        let parts = parts.max(1);
        let from = (index * count / parts).min(count);
        let to = ((index + 1) * count / parts).max(from + 1).min(count);
        let mut sums = [0; Layer::COUNT];
        for bucket in self
            .buckets
            .get(from as usize..to as usize)
            .unwrap_or_default()
        {
            for (sum, bytes) in sums.iter_mut().zip(bucket) {
                *sum += bytes;
            }
        }
        (sums, (to - from) * self.bucket())
    }

    /// How far all of it was looked at, in hundredths, by the layers that were asked for.
    pub(crate) fn percent(&self) -> u64 {
        let reached = self.reached.iter().filter(|reached| **reached > 0).min();
        match (reached, self.size) {
            (Some(reached), size) if size > 0 => (reached * 100 / size).min(100),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::DataRange;

    fn slice(layer: Layer, size: u64, ranges: &[(u64, u64, bool)]) -> Slice {
        let range = |&(offset, length, data): &(u64, u64, bool)| DataRange {
            offset,
            length,
            data,
        };
        Slice {
            layer,
            size,
            ranges: ranges.iter().map(range).collect(),
            end: size,
            listed: layer == Layer::Changed,
        }
    }

    #[test]
    fn stretches_are_summed_up_where_they_lie() {
        let mut look = Look::new(Ticket(1));
        let size = 64 << 40;
        look.take(&slice(
            Layer::Data,
            size,
            &[(0, 1 << 40, true), (1 << 40, 63 << 40, false)],
        ));
        assert_eq!(look.totals[Layer::Data as usize], 1 << 40);
        assert_eq!(look.part(0, 64).0[Layer::Data as usize], 1 << 40);
        assert_eq!(look.part(1, 64).0[Layer::Data as usize], 0);
        assert_eq!(look.percent(), 100);
    }

    #[test]
    fn a_small_volume_has_a_bucket_for_each_block() {
        let mut look = Look::new(Ticket(1));
        look.take(&slice(
            Layer::Changed,
            16 * 4096,
            &[(4096, 8192, true), (12288, 4096, false)],
        ));
        let changed = |i| look.part(i, 16).0[Layer::Changed as usize];
        assert_eq!([0, 1, 2, 3, 4].map(changed), [0, 4096, 4096, 4096, 0]);
        assert_eq!((look.count, look.stretches.len()), (2, 2));
        // More parts than buckets: neighbours show the same.
        assert_eq!(look.part(2, 32).0[Layer::Changed as usize], 4096);
    }

    #[test]
    fn what_goes_on_in_the_next_slice_is_one_stretch() {
        let mut look = Look::new(Ticket(1));
        look.take(&slice(Layer::Changed, 1 << 20, &[(0, 4096, true)]));
        look.take(&slice(Layer::Changed, 1 << 20, &[(4096, 4096, true)]));
        assert_eq!((look.count, look.stretches[0].length), (1, 8192));
    }
}
