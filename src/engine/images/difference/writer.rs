//! Writing a difference, from its first byte to its last.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use super::{MAGIC, SEAL, Seal};

/// Writes a difference.
pub struct DifferenceWriter<W> {
    out: W,
    digest: Sha256,
    length: u64,
}

impl<W: Write> DifferenceWriter<W> {
    /// Begins one: what it leads from and to, by name, and the size of the disk then, in bytes.
    ///
    /// # Errors
    /// Those of writing.
    pub fn begin(out: W, from: Option<&str>, to: Option<&str>, size: u64) -> io::Result<Self> {
        let mut writer = Self::go_on(out, Sha256::new(), 0);
        writer.put(MAGIC)?;
        writer.put(b"1\n")?;
        for (tag, name) in [(b"f", from), (b"t", to)] {
            if let Some(name) = name {
                writer.put(tag)?;
                writer.put(&(name.len() as u32).to_le_bytes())?;
                writer.put(name.as_bytes())?;
            }
        }
        writer.put(b"s")?;
        writer.put(&size.to_le_bytes())?;
        Ok(writer)
    }

    /// Goes on with one of which `length` bytes, with this digest, were written.
    pub fn go_on(out: W, digest: Sha256, length: u64) -> Self {
        Self {
            out,
            digest,
            length,
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// How long it is so far, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The digest of all so far.
    pub fn digest(&self) -> &Sha256 {
        &self.digest
    }

    /// What it is written to.
    pub fn output(&self) -> &W {
        &self.out
    }

    /// Data at an offset.
    ///
    /// # Errors
    /// Those of writing.
    pub fn data(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.record(b"w", offset, bytes.len() as u64)?;
        self.put(bytes)
    }

    /// Zeroes at an offset.
    ///
    /// # Errors
    /// Those of writing.
    pub fn zeroes(&mut self, offset: u64, length: u64) -> io::Result<()> {
        self.record(b"z", offset, length)
    }

    fn record(&mut self, tag: &[u8], offset: u64, length: u64) -> io::Result<()> {
        self.put(tag)?;
        self.put(&offset.to_le_bytes())?;
        self.put(&length.to_le_bytes())
    }

    /// Ends it with its seal.
    ///
    /// # Errors
    /// Those of writing.
    pub fn end(mut self, seal: &Seal) -> io::Result<()> {
        self.put(b"e")?;
        let text = serde_json::to_vec(seal).map_err(io::Error::other)?;
        self.put(SEAL)?;
        self.put(&(text.len() as u32).to_le_bytes())?;
        self.put(&text)?;
        let digest = self.digest.clone().finalize();
        self.put(&digest)?;
        let length = SEAL.len() + 4 + text.len() + digest.len() + 4;
        self.put(&(length as u32).to_le_bytes())?;
        self.out.flush()
    }
}
