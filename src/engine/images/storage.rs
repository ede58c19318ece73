//! Bytes that an image is read from: a file, or memory.

use std::fs::File;
use std::io;

/// Bytes that can be read at any place, from many threads at once.
pub trait ReadAt: Send + Sync {
    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] beyond the end, and those of the system.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// The length in bytes, as it is now.
    ///
    /// # Errors
    /// Those of the system.
    fn length(&self) -> io::Result<u64>;

    /// The next run of data at or behind `offset`, as far as `end`: where it begins and where it
    /// ends; both are `end` where nothing but a hole is left.
    ///
    /// # Errors
    /// Those of the system.
    fn next_data(&self, offset: u64, end: u64) -> io::Result<(u64, u64)>;
}

impl ReadAt for File {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn next_data(&self, offset: u64, end: u64) -> io::Result<(u64, u64)> {
        use rustix::fs::{SeekFrom, seek};
        use rustix::io::Errno;
        // The place that this leaves the file at is of no use to anybody: all is read at offsets.
        let data = match seek(self, SeekFrom::Data(offset)) {
            Ok(data) => data,
            // Nothing but a hole is left.
            Err(Errno::NXIO) => return Ok((end, end)),
            // The file system cannot tell: all of it is data.
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok((offset, end)),
            Err(e) => return Err(e.into()),
        };
        if data >= end {
            return Ok((end, end));
        }
        let hole = seek(self, SeekFrom::Hole(data)).unwrap_or(end);
        Ok((data, hole.min(end)))
    }
}

impl ReadAt for Vec<u8> {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let part = usize::try_from(offset)
            .ok()
            .and_then(|from| self.get(from..from.checked_add(buffer.len())?));
        match part {
            Some(part) => {
                buffer.copy_from_slice(part);
                Ok(())
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn next_data(&self, offset: u64, end: u64) -> io::Result<(u64, u64)> {
        Ok((offset.min(end), end))
    }
}
