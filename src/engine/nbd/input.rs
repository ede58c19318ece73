//! What a client sends, read ahead and bounded.

use std::io::{self, Read};
use std::time::Instant;

use super::limits::PATIENCE;

/// A reader that knows how much it has at hand already.
pub(super) struct Input<R> {
    from: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Input<R> {
    /// Reads ahead up to `capacity` bytes.
    pub(super) fn new(from: R, capacity: usize) -> Self {
        Self {
            from,
            buffer: vec![0; capacity],
            start: 0,
            end: 0,
        }
    }

    /// What is at hand.
    pub(super) fn at_hand(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn consume(&mut self, n: usize) {
        self.start += n;
        if self.start >= self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Reads once, as much as comes; false at the end. There is room for that unless
    /// the caller left a whole buffer unread.
    fn fill(&mut self) -> io::Result<bool> {
        if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.from.read(room) {
                Ok(n) => {
                    self.end += n;
                    return Ok(n > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Waits for the first byte of something new, however long that takes; false if the
    /// client ended the connection instead.
    ///
    /// # Errors
    /// Those of the connection.
    pub(super) fn wait(&mut self) -> io::Result<bool> {
        while self.at_hand().is_empty() {
            match self.fill() {
                Ok(more) => return Ok(more),
                // The socket's time limit is for what has begun.
                Err(e) if is_timeout(&e) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }

    /// Fills `out`.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`], [`io::ErrorKind::TimedOut`] where it does not all come
    /// within [`PATIENCE`], and those of the connection.
    pub(super) fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()> {
        let have = self.at_hand().len().min(out.len());
        let (first, rest) = out.split_at_mut(have);
        first.copy_from_slice(self.at_hand().get(..have).unwrap_or_default());
        self.consume(have);
        if rest.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let mut done = 0;
        while done < rest.len() {
            if begun.elapsed() > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if rest.len() - done >= self.buffer.len() {
                // A long payload goes where it is wanted at once.
                match self.from.read(rest.get_mut(done..).unwrap_or_default()) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(n) => done += n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(e),
                }
                continue;
            }
            if !self.fill()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let n = self.at_hand().len().min(rest.len() - done);
            if let (Some(to), Some(from)) = (rest.get_mut(done..done + n), self.at_hand().get(..n))
            {
                to.copy_from_slice(from);
            }
            self.consume(n);
            done += n;
        }
        Ok(())
    }

    /// Reads `n` bytes that nobody wants.
    ///
    /// # Errors
    /// As [`Input::read_exact`].
    pub(super) fn skip(&mut self, n: u64) -> io::Result<()> {
        let begun = Instant::now();
        let mut left = n;
        while left > 0 {
            if begun.elapsed() > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if self.at_hand().is_empty() && !self.fill()? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let now = left.min(self.at_hand().len() as u64);
            self.consume(now as usize);
            left -= now;
        }
        Ok(())
    }

    /// Reads a fixed number of bytes.
    ///
    /// # Errors
    /// As [`Input::read_exact`].
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Whether a socket's time limit is over.
pub(super) fn is_timeout(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_pieces_come_in_order() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        let mut input = Input::new(&bytes[..], 16);
        assert!(input.wait().unwrap());
        let mut got = vec![0; 3];
        input.read_exact(&mut got).unwrap();
        let mut long = vec![0; 500];
        input.read_exact(&mut long).unwrap();
        got.extend(long);
        input.skip(7).unwrap();
        got.extend(input.array::<10>().unwrap());
        assert_eq!(got[..503], bytes[..503]);
        assert_eq!(got[503..], bytes[510..520]);
        input.skip(480).unwrap();
        assert!(!input.wait().unwrap());
        assert!(input.array::<1>().is_err());
    }
}
