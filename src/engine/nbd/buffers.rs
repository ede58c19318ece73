//! Memory for payloads and replies, used again: fresh memory costs a page fault for every
//! 4 KiB and zeroing it a pass over all of it, which for a request of 1 MiB is more than all else.

use parking_lot::Mutex;

/// Bytes of a buffer that is worth keeping, and at most kept.
const KEPT: std::ops::RangeInclusive<usize> = (64 << 10)..=(4 << 20);
/// Buffers that are kept.
const COUNT: usize = 16;

/// Bytes that are put together. What the memory held before is written over, not zeroed.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    memory: Vec<u8>,
    /// Bytes that count.
    len: usize,
}

impl Buffer {
    /// What was put together.
    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.get(..self.len).unwrap_or_default()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes there is memory for.
    pub(super) fn room(&self) -> usize {
        self.memory.len()
    }

    /// Forgets what is beyond `len`.
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Sees that there is memory for so many more.
    pub(super) fn reserve(&mut self, more: usize) {
        let need = self.len + more;
        if self.memory.len() >= need {
            return;
        }
        if self.memory.capacity() >= need {
            self.memory.resize(need, 0);
            return;
        }
        // Zeroes from the system are free; a buffer that grows bit by bit does so in long steps.
        let mut memory = vec![0; need.max(self.len * 2)];
        memory[..self.len].copy_from_slice(self.bytes());
        self.memory = memory;
    }

    /// Appends so many bytes with anything in them, to be written over.
    pub(super) fn grow(&mut self, more: usize) -> &mut [u8] {
        self.reserve(more);
        let at = self.len;
        self.len += more;
        self.memory.get_mut(at..self.len).unwrap_or_default()
    }

    pub(super) fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.grow(bytes.len()).copy_from_slice(bytes);
    }
}

/// Buffers that wait to be used again.
#[derive(Debug, Default)]
pub(super) struct Buffers(Mutex<Vec<Buffer>>);

impl Buffers {
    /// An empty buffer with memory for `length` bytes.
    pub(super) fn take(&self, length: usize) -> Buffer {
        let mut buffer = if KEPT.contains(&length) {
            self.0.lock().pop().unwrap_or_default()
        } else {
            Buffer::default()
        };
        buffer.truncate(0);
        buffer.reserve(length);
        buffer
    }

    /// Gives a buffer back.
    pub(super) fn put(&self, buffer: Buffer) {
        if KEPT.contains(&buffer.room()) {
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
        let mut long = buffers.take(1 << 20);
        long.grow(1 << 20).fill(1);
        buffers.put(long);
        let mut again = buffers.take(1 << 19);
        assert!(again.is_empty());
        assert_eq!(again.grow(1 << 19).len(), 1 << 19);
        assert_eq!(again.room(), 1 << 20);
        assert!(buffers.0.lock().is_empty());
        for _ in 0..100 {
            buffers.put(Buffer {
                memory: vec![0; 1 << 20],
                len: 7,
            });
        }
        assert_eq!(buffers.0.lock().len(), COUNT);
    }

    #[test]
    fn what_was_appended_stays_when_the_memory_grows() {
        let mut buffer = Buffer::default();
        for i in 0..1000u32 {
            buffer.extend_from_slice(&i.to_le_bytes());
        }
        let (parts, rest) = buffer.bytes().as_chunks::<4>();
        assert!(rest.is_empty());
        assert!((0..1000u32).eq(parts.iter().map(|part| u32::from_le_bytes(*part))));
        buffer.truncate(8);
        assert_eq!(buffer.bytes(), [0, 0, 0, 0, 1, 0, 0, 0]);
    }
}
