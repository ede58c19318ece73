//! Reading a difference, record by record; nothing that it says of itself is believed.

use std::io::{Read, Seek, SeekFrom};

use sha2::{Digest as _, Sha256};

use super::{DIGEST, DifferenceError, MAGIC, MAX_NAME, MAX_SEAL, MAX_SIZE, SEAL, Seal};

/// What stands before the records of a difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The name of the earlier snapshot; none: it is everything, from nothing.
    pub from: Option<String>,
    /// The name of the later snapshot; none: of a volume as it was then.
    pub to: Option<String>,
    /// The size of the disk at the later point, in bytes.
    pub size: u64,
}

/// A record of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// So many bytes of data at an offset; they are next.
    Data {
        /// In bytes of the disk.
        offset: u64,
        /// In bytes.
        length: u64,
    },
    /// Zeroes.
    Zeroes {
        /// In bytes of the disk.
        offset: u64,
        /// In bytes.
        length: u64,
    },
}

/// Reads a difference.
pub struct DifferenceReader<R> {
    input: R,
    digest: Sha256,
    version: u8,
    head: Head,
    /// The first tag behind the head.
    pending: Option<u8>,
    /// Bytes of data that are next.
    left: u64,
}

impl<R: Read> DifferenceReader<R> {
    /// Reads what stands before the records.
    ///
    /// # Errors
    /// See [`DifferenceError`].
    pub fn open(input: R) -> Result<Self, DifferenceError> {
        let mut reader = Self {
            input,
            digest: Sha256::new(),
            version: 0,
            head: Head::default(),
            pending: None,
            left: 0,
        };
        let mut magic = [0; MAGIC.len() + 2];
        match reader.take(&mut magic) {
            Err(DifferenceError::Short) => return Err(DifferenceError::Foreign),
            other => other?,
        }
        reader.version = match magic.strip_prefix(MAGIC) {
            Some(b"1\n") => 1,
            Some(b"2\n") => 2,
            _ => return Err(DifferenceError::Foreign),
        };
        let mut size = None;
        loop {
            let [tag] = reader.array()?;
            match tag {
                b'f' => reader.head.from = Some(reader.name()?),
                b't' => reader.head.to = Some(reader.name()?),
                b's' => {
                    reader.length_is(8)?;
                    size = Some(u64::from_le_bytes(reader.array()?));
                }
                b'w' | b'z' | b'e' => {
                    reader.pending = Some(tag);
                    break;
                }
                other => reader.skip(other)?,
            }
        }
        match size {
            Some(size) if size <= MAX_SIZE => reader.head.size = size,
            Some(size) => return Err(damaged(format!("a disk of {size} bytes"))),
            None => return Err(damaged("it does not say the size of the disk")),
        }
        Ok(reader)
    }

    /// What stands before the records.
    pub fn head(&self) -> &Head {
        &self.head
    }

    fn take(&mut self, buffer: &mut [u8]) -> Result<(), DifferenceError> {
        self.input.read_exact(buffer)?;
        self.digest.update(buffer);
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DifferenceError> {
        let mut bytes = [0; N];
        self.take(&mut bytes)?;
        Ok(bytes)
    }

    /// In version 2 each record says how long it is.
    fn length_is(&mut self, expected: u64) -> Result<(), DifferenceError> {
        if self.version == 1 {
            return Ok(());
        }
        let length = u64::from_le_bytes(self.array()?);
        match length == expected {
            true => Ok(()),
            false => Err(damaged(format!("a record of {length} bytes"))),
        }
    }

    fn name(&mut self) -> Result<String, DifferenceError> {
        let said = match self.version {
            1 => None,
            _ => Some(u64::from_le_bytes(self.array()?)),
        };
        let length = u32::from_le_bytes(self.array()?);
        if length > MAX_NAME || said.is_some_and(|said| said != 4 + u64::from(length)) {
            return Err(damaged(format!("the name of a snapshot of {length} bytes")));
        }
        let mut bytes = vec![0; length as usize];
        self.take(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| damaged("the name of a snapshot is no text"))
    }

    /// Passes over a record that is not known, which version 2 allows.
    fn skip(&mut self, tag: u8) -> Result<(), DifferenceError> {
        if self.version == 1 {
            return Err(damaged(format!("a record of the unknown kind {tag:#04x}")));
        }
        let mut left = u64::from_le_bytes(self.array()?);
        let mut buffer = [0; 4096];
        while left > 0 {
            let n = left.min(buffer.len() as u64);
            let part = buffer.get_mut(..n as usize).unwrap_or_default();
            self.take(part)?;
            left -= n;
        }
        Ok(())
    }

    /// The next record; none: they are over. What was not read of the data of the one before
    /// is passed over.
    ///
    /// # Errors
    /// See [`DifferenceError`].
    pub fn next_record(&mut self) -> Result<Option<Record>, DifferenceError> {
        let mut rest = vec![0; self.left.min(1 << 16) as usize];
        while self.left > 0 {
            self.data(&mut rest)?;
        }
        loop {
            let tag = match self.pending.take() {
                Some(tag) => tag,
                None => {
                    let [tag] = self.array()?;
                    tag
                }
            };
            let said = match (tag, self.version) {
                (b'w' | b'z', 2) => Some(u64::from_le_bytes(self.array()?)),
                _ => None,
            };
            match tag {
                b'e' => return Ok(None),
                b'w' | b'z' => {
                    let offset = u64::from_le_bytes(self.array()?);
                    let length = u64::from_le_bytes(self.array()?);
                    let end = offset.checked_add(length);
                    if end.is_none_or(|end| end > self.head.size) {
                        return Err(damaged(format!(
                            "{length} bytes at {offset} of a disk of {}",
                            self.head.size
                        )));
                    }
                    let bytes = 16 + if tag == b'w' { length } else { 0 };
                    if said.is_some_and(|said| said != bytes) {
                        return Err(damaged(format!("a record at {offset} of another length")));
                    }
                    return Ok(Some(if tag == b'w' {
                        self.left = length;
                        Record::Data { offset, length }
                    } else {
                        Record::Zeroes { offset, length }
                    }));
                }
                b'f' | b't' | b's' => {
                    return Err(damaged("what belongs before the data stands behind it"));
                }
                other => self.skip(other)?,
            }
        }
    }

    /// Reads the next bytes of a record of data; how many they were. Zero: there are no more.
    ///
    /// # Errors
    /// See [`DifferenceError`].
    pub fn data(&mut self, buffer: &mut [u8]) -> Result<usize, DifferenceError> {
        let n = self.left.min(buffer.len() as u64) as usize;
        let part = buffer.get_mut(..n).unwrap_or_default();
        self.take(part)?;
        self.left -= n as u64;
        Ok(n)
    }

    /// Reads what stands behind the last record and holds all that was read against it;
    /// none: there is nothing, as `rbd` has it.
    ///
    /// # Errors
    /// See [`DifferenceError`].
    pub fn seal(mut self) -> Result<Option<Seal>, DifferenceError> {
        let mut magic = [0; SEAL.len()];
        let mut filled = 0;
        while let Some(rest) = magic.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        if filled == 0 {
            return Ok(None);
        }
        if filled < magic.len() {
            return Err(DifferenceError::Short);
        }
        if magic != *SEAL {
            return Err(damaged("something else stands behind its end"));
        }
        self.digest.update(magic);
        let length = u32::from_le_bytes(self.array()?);
        if length > MAX_SEAL {
            return Err(damaged(format!("a seal of {length} bytes")));
        }
        let mut text = vec![0; length as usize];
        self.take(&mut text)?;
        let expected = self.digest.clone().finalize();
        let digest: [u8; DIGEST] = self.array()?;
        if digest[..] != expected[..] {
            return Err(DifferenceError::Altered);
        }
        let total = u32::from_le_bytes(self.array()?);
        if u64::from(total) != (SEAL.len() + 4 + DIGEST + 4) as u64 + u64::from(length) {
            return Err(DifferenceError::Altered);
        }
        // Nothing follows.
        if self.input.read(&mut [0])? > 0 {
            return Err(DifferenceError::Altered);
        }
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|_| damaged("its seal cannot be read"))
    }
}

/// Reads the seal at the end of a file without what is before it; none: it has none. It is
/// not held against anything.
pub fn seal_at_end<R: Read + Seek>(mut file: R) -> Result<Option<Seal>, DifferenceError> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut four = [0; 4];
    if end < 4 {
        return Ok(None);
    }
    file.seek(SeekFrom::End(-4))?;
    file.read_exact(&mut four)?;
    let total = u64::from(u32::from_le_bytes(four));
    let least = (SEAL.len() + 4 + DIGEST + 4) as u64;
    if total < least || total > u64::from(MAX_SEAL) || total > end {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(end - total))?;
    let mut bytes = vec![0; total as usize];
    file.read_exact(&mut bytes)?;
    let Some(rest) = bytes.strip_prefix(SEAL) else {
        return Ok(None);
    };
    let text = rest.get(4..rest.len() - DIGEST - 4).unwrap_or_default();
    Ok(serde_json::from_slice(text).ok())
}

fn damaged(what: impl Into<String>) -> DifferenceError {
    DifferenceError::Damaged(what.into())
}
