//! Writing past the page cache. A log group is written once and not read again: through the
//! page cache it would be copied, and the sync that follows would have to find its pages.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rustix::fs::OFlags;

/// What offsets, lengths and memory are multiples of; enough for every device there is.
const ALIGN: usize = 4096;
/// Bytes that are written at a time.
const CHUNK: usize = 256 << 10;

/// A file that is written past the page cache, if its file system has a way to do that.
#[derive(Debug)]
pub(super) struct Direct {
    file: File,
    /// The file system took the flag, but not the write.
    refused: AtomicBool,
}

impl Direct {
    /// Opens a file that there is; none where the file system has no such way.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .custom_flags(OFlags::DIRECT.bits() as i32);
        Some(Self {
            file: options.open(path).ok()?,
            refused: AtomicBool::new(false),
        })
    }

    /// Writes `data`, if it can be written so. False: nothing was written that counts.
    ///
    /// # Errors
    /// Those of the system.
    pub(super) fn write_at(&self, bounce: &Bounce, data: &[u8], offset: u64) -> io::Result<bool> {
        let fits = offset.is_multiple_of(ALIGN as u64) && data.len().is_multiple_of(ALIGN);
        if !fits || self.refused.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match bounce.write(&self.file, data, offset) {
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => {
                self.refused.store(true, Ordering::Relaxed);
                Ok(false)
            }
            other => other.map(|()| true),
        }
    }
}

/// Memory at an address that such writes may come from.
#[derive(Debug, Default)]
pub(super) struct Bounce(Mutex<Vec<u8>>);

impl Bounce {
    fn write(&self, file: &File, data: &[u8], offset: u64) -> io::Result<()> {
        let mut memory = self.0.lock();
        if memory.is_empty() {
            memory.resize(CHUNK + ALIGN, 0);
        }
        let start = memory.as_ptr().align_offset(ALIGN);
        let chunk = memory
            .get_mut(start..)
            .and_then(|aligned| aligned.get_mut(..CHUNK))
            .ok_or(io::ErrorKind::InvalidInput)?;
        let mut at = offset;
        for part in data.chunks(CHUNK) {
            let (now, _) = chunk.split_at_mut(part.len());
            now.copy_from_slice(part);
            file.write_all_at(now, at)?;
            at += part.len() as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roundtrip(dir: &Path) {
        let path = dir.join("f");
        std::fs::write(&path, vec![0; 1 << 20]).unwrap();
        let data: Vec<u8> = (0..300u32 << 10).map(|i| (i * 7 % 251) as u8).collect();
        let bounce = Bounce::default();
        let written = match Direct::open(&path) {
            Some(direct) => {
                // What is not aligned is left to the page cache.
                assert!(!direct.write_at(&bounce, &data[..100], 4096).unwrap());
                assert!(!direct.write_at(&bounce, &data[..4096], 100).unwrap());
                direct.write_at(&bounce, &data, 8192).unwrap()
            }
            None => false,
        };
        let held = std::fs::read(&path).unwrap();
        let expected = if written { &data[..] } else { &[0; 300 << 10] };
        assert!(held[8192..8192 + data.len()] == *expected);
        assert!(held[..8192].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_was_written_past_the_page_cache_is_read_through_it() {
        roundtrip(tempfile::tempdir().unwrap().path());
    }

    #[test]
    fn a_file_system_that_has_no_such_way_is_no_fault() {
        // Held in memory; whether it takes such writes depends on the kernel.
        roundtrip(tempfile::tempdir_in("/dev/shm").unwrap().path());
    }

    #[test]
    fn a_write_that_is_refused_is_not_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, [1; 4096]).unwrap();
        // A file that cannot be written so stands for a file system that takes the flag only.
        let direct = Direct {
            file: File::open(&path).unwrap(),
            refused: AtomicBool::new(true),
        };
        let bounce = Bounce::default();
        assert!(!direct.write_at(&bounce, &[2; 4096], 0).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), [1; 4096]);
    }
}
