//! Memory for long payloads and replies, used again: fresh memory costs a page fault for every
//! 4 KiB, which for a request of 1 MiB is more than all else.

use parking_lot::Mutex;

/// Bytes of a buffer that is worth keeping, and at most kept.
const KEPT: std::ops::RangeInclusive<usize> = (64 << 10)..=(4 << 20);
/// Buffers that are kept.
const COUNT: usize = 16;

/// Buffers that wait to be used again.
#[derive(Debug, Default)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// A buffer of this length with anything in it.
    pub(super) fn take(&self, length: usize) -> Vec<u8> {
        let mut buffer = if KEPT.contains(&length) {
            self.0.lock().pop().unwrap_or_default()
        } else {
            Vec::new()
        };
        if buffer.capacity() < length {
            // Zeroes from the system are free, and nothing is copied.
            return vec![0; length];
        }
        buffer.resize(length, 0);
        buffer
    }

    /// Gives a buffer back.
    pub(super) fn put(&self, buffer: Vec<u8>) {
        if KEPT.contains(&buffer.capacity()) {
            let mut kept = self.0.lock();
            if kept.len() < COUNT {
                kept.push(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_buffers_are_used_again_and_short_ones_are_not_kept() {
        let buffers = Buffers::default();
        buffers.put(buffers.take(100));
        assert!(buffers.0.lock().is_empty());
        buffers.put(vec![1; 1 << 20]);
        let again = buffers.take(1 << 19);
        assert_eq!(again.len(), 1 << 19);
        assert!(again.capacity() >= 1 << 20);
        assert!(buffers.0.lock().is_empty());
        for _ in 0..100 {
            buffers.put(vec![0; 1 << 20]);
        }
        assert_eq!(buffers.0.lock().len(), COUNT);
    }
}
