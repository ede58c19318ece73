//! Reading a qcow2 image through its tables and the image below.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::error::ImageError;
use super::super::image::Layer;
use super::super::storage::ReadAt;
use super::super::{Run, push_run};
use super::compressed::decompress;
use super::header::Header;
use super::map::{Map, Place};

/// Look-ups that one call for runs makes at most.
const MOST: usize = 1024;

/// A qcow2 image, and what is below it.
pub(in super::super) struct Qcow2 {
    path: PathBuf,
    header: Header,
    map: Map,
    file: Arc<dyn ReadAt>,
    /// Where data is: the same file unless it has one of its own.
    data: Arc<dyn ReadAt>,
    data_length: u64,
    below: Option<Box<Layer>>,
}

impl Qcow2 {
    /// Opens an image whose header was read; `data` is the file that data is in where that is
    /// another one, `below` the image that it stands on.
    pub(in super::super) fn open(
        path: &Path,
        file: Arc<dyn ReadAt>,
        header: Header,
        data: Option<Arc<dyn ReadAt>>,
        below: Option<Box<Layer>>,
    ) -> Result<Self, ImageError> {
        let map = Map::open(path.to_owned(), file.clone(), header.clone())?;
        let data = data.unwrap_or_else(|| file.clone());
        let data_length = data.length().map_err(|e| ImageError::io(path, e))?;
        Ok(Self {
            path: path.to_owned(),
            header,
            map,
            file,
            data,
            data_length,
            below,
        })
    }

    pub(in super::super) fn header(&self) -> &Header {
        &self.header
    }

    pub(in super::super) fn size(&self) -> u64 {
        self.header.size
    }

    pub(in super::super) fn runs(&self, offset: u64, end: u64) -> Result<Vec<Run>, ImageError> {
        let mut runs = Vec::new();
        let mut at = offset;
        for _ in 0..MOST {
            if at >= end {
                break;
            }
            let (place, length) = self.map.place(at, end)?;
            let here = |data| Run {
                offset: at,
                length,
                data,
            };
            match (place, &self.below) {
                (Place::Below, Some(below)) => {
                    let (stop, edge) = (at + length, below.size());
                    if at >= edge {
                        push_run(&mut runs, here(false));
                        at = stop;
                        continue;
                    }
                    let told = below.runs(at, stop.min(edge))?;
                    at = told.last().map_or(stop, |run| run.offset + run.length);
                    for run in told {
                        push_run(&mut runs, run);
                    }
                    continue;
                }
                (Place::Below, None) | (Place::Zero, _) => push_run(&mut runs, here(false)),
                (Place::Data(_) | Place::Compressed(..), _) => push_run(&mut runs, here(true)),
            }
            at += length;
        }
        Ok(runs)
    }

    pub(in super::super) fn read(
        &self,
        offset: u64,
        mut buffer: &mut [u8],
    ) -> Result<(), ImageError> {
        let mut at = offset;
        while !buffer.is_empty() {
            let (place, length) = self.map.place(at, at + buffer.len() as u64)?;
            let Some((part, rest)) = buffer.split_at_mut_checked(length as usize) else {
                break;
            };
            match place {
                Place::Zero => part.fill(0),
                Place::Data(host) => self.data_at(host, at, part)?,
                Place::Compressed(host, packed) => self.unpack(host, packed, at, part)?,
                Place::Below => self.below(at, part)?,
            }
            at += length;
            buffer = rest;
        }
        Ok(())
    }

    fn data_at(&self, host: u64, offset: u64, part: &mut [u8]) -> Result<(), ImageError> {
        if host
            .checked_add(part.len() as u64)
            .is_none_or(|end| end > self.data_length)
        {
            return Err(ImageError::damaged(
                &self.path,
                format!(
                    "what it holds at {offset} would be at {host}, beyond its end at {}; was it cut short?",
                    self.data_length
                ),
            ));
        }
        self.data
            .read_exact_at(part, host)
            .map_err(|e| ImageError::io(&self.path, e))
    }

    fn unpack(
        &self,
        host: u64,
        length: u64,
        offset: u64,
        part: &mut [u8],
    ) -> Result<(), ImageError> {
        let mut packed = vec![0; length as usize];
        self.file
            .read_exact_at(&mut packed, host)
            .map_err(|e| ImageError::io(&self.path, e))?;
        let mut cluster = vec![0; self.header.cluster() as usize];
        decompress(self.header.compression, &packed, &mut cluster).map_err(|e| {
            ImageError::damaged(
                &self.path,
                format!(
                    "the compressed cluster at {host} (offset {offset}) cannot be unpacked: {e}"
                ),
            )
        })?;
        let from = (offset % self.header.cluster()) as usize;
        if let Some(wanted) = cluster.get(from..from + part.len()) {
            part.copy_from_slice(wanted);
        }
        Ok(())
    }

    fn below(&self, offset: u64, part: &mut [u8]) -> Result<(), ImageError> {
        let Some(below) = &self.below else {
            part.fill(0);
            return Ok(());
        };
        let there = below.size().saturating_sub(offset).min(part.len() as u64);
        let (inside, beyond) = part.split_at_mut(there as usize);
        beyond.fill(0);
        if inside.is_empty() {
            return Ok(());
        }
        below.read(offset, inside)
    }
}
