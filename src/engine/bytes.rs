//! Little-endian bytes, written and read with bounds.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::error::{EngineError, Result};

/// Bytes being put together.
#[derive(Default)]
pub(super) struct Out(pub(super) Vec<u8>);

impl Out {
    pub(super) fn u8(&mut self, v: u8) {
        self.0.push(v);
    }
    pub(super) fn u16(&mut self, v: u16) {
        self.0.extend_from_slice(&v.to_le_bytes());
    }
    pub(super) fn u32(&mut self, v: u32) {
        self.0.extend_from_slice(&v.to_le_bytes());
    }
    pub(super) fn u64(&mut self, v: u64) {
        self.0.extend_from_slice(&v.to_le_bytes());
    }
    pub(super) fn i64(&mut self, v: i64) {
        self.0.extend_from_slice(&v.to_le_bytes());
    }
    pub(super) fn uuid(&mut self, v: Uuid) {
        self.0.extend_from_slice(v.as_bytes());
    }
    pub(super) fn flag(&mut self, v: bool) {
        self.u8(u8::from(v));
    }
    /// A length (32 bits) and that many bytes.
    pub(super) fn blob(&mut self, v: &[u8]) {
        self.u32(u32::try_from(v.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(v);
    }
    pub(super) fn text(&mut self, v: &str) {
        self.blob(v.as_bytes());
    }
    /// A flag, then the number if there is one.
    pub(super) fn opt_u64(&mut self, v: Option<u64>) {
        self.flag(v.is_some());
        if let Some(v) = v {
            self.u64(v);
        }
    }
    pub(super) fn attrs(&mut self, v: &BTreeMap<String, String>) {
        self.u32(u32::try_from(v.len()).unwrap_or(u32::MAX));
        for (key, value) in v {
            self.text(key);
            self.text(value);
        }
    }
}

/// Bytes being taken apart. Every reader fails, rather than panics, at the end.
pub(super) struct In<'a> {
    rest: &'a [u8],
    of: &'static str,
}

impl<'a> In<'a> {
    /// Reads `bytes`; `of` names them in errors.
    pub(super) fn new(bytes: &'a [u8], of: &'static str) -> Self {
        Self { rest: bytes, of }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// An error about these bytes.
    pub(super) fn bad(&self, what: &str) -> EngineError {
        EngineError::damaged(format!("{}: {what}", self.of))
    }

    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        match self.rest.split_at_checked(n) {
            Some((head, rest)) => {
                self.rest = rest;
                Ok(head)
            }
            None => Err(self.bad("it ends too early")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some((head, rest)) = self.rest.split_first_chunk() else {
            return Err(self.bad("it ends too early"));
        };
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }
    pub(super) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    pub(super) fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }
    pub(super) fn uuid(&mut self) -> Result<Uuid> {
        Ok(Uuid::from_bytes(self.array()?))
    }
    pub(super) fn flag(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.bad("a flag is neither 0 nor 1")),
        }
    }
    pub(super) fn blob(&mut self) -> Result<&'a [u8]> {
        let len = self.u32()? as usize;
        self.take(len)
    }
    pub(super) fn str(&mut self) -> Result<&'a str> {
        let bytes = self.blob()?;
        std::str::from_utf8(bytes).map_err(|_| self.bad("a text is not UTF-8"))
    }
    pub(super) fn text(&mut self) -> Result<String> {
        self.str().map(str::to_owned)
    }
    pub(super) fn opt_u64(&mut self) -> Result<Option<u64>> {
        Ok(if self.flag()? {
            Some(self.u64()?)
        } else {
            None
        })
    }
    pub(super) fn attrs(&mut self) -> Result<BTreeMap<String, String>> {
        let n = self.u32()?;
        let mut attrs = BTreeMap::new();
        for _ in 0..n {
            let key = self.text()?;
            attrs.insert(key, self.text()?);
        }
        Ok(attrs)
    }
}
