//! A disk in memory for tests. It keeps what has been written apart from what
//! has been synced, makes images of what a crash could leave, and fails on demand.

use std::collections::BTreeMap;
use std::io;

use parking_lot::Mutex;

use super::{Disk, FileName};

const SECTOR: usize = 512;

/// A step taken on the disk.
#[derive(Clone, Debug)]
enum Step {
    Write {
        file: FileName,
        offset: u64,
        data: Vec<u8>,
    },
    Grow {
        file: FileName,
        len: u64,
    },
}

impl Step {
    fn file(&self) -> FileName {
        match self {
            Self::Write { file, .. } | Self::Grow { file, .. } => *file,
        }
    }
}

/// Faults to be met.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Faults {
    /// Writes that succeed before they all fail.
    pub(in crate::engine) writes_left: Option<u64>,
    /// Syncs that succeed before they all fail.
    pub(in crate::engine) syncs_left: Option<u64>,
    /// Bytes that the files may have in all.
    pub(in crate::engine) capacity: Option<u64>,
}

#[derive(Clone, Default)]
struct Inner {
    files: BTreeMap<FileName, Vec<u8>>,
    /// What has certainly survived.
    durable: BTreeMap<FileName, Vec<u8>>,
    unsynced: Vec<Step>,
    faults: Faults,
    /// Writes and syncs so far.
    steps: u64,
    /// Stop the world after so many steps: all later ones are lost.
    stop_at: Option<u64>,
}

/// Files in memory.
#[derive(Default)]
pub(in crate::engine) struct SimDisk(Mutex<Inner>);

fn apply(files: &mut BTreeMap<FileName, Vec<u8>>, step: &Step) {
    match step {
        Step::Write { file, offset, data } => {
            let bytes = files.entry(*file).or_default();
            let end = *offset as usize + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*offset as usize..end].copy_from_slice(data);
        }
        Step::Grow { file, len } => {
            let bytes = files.entry(*file).or_default();
            if bytes.len() < *len as usize {
                bytes.resize(*len as usize, 0);
            }
        }
    }
}

impl SimDisk {
    pub(in crate::engine) fn new() -> Self {
        Self::default()
    }

    /// A disk with the content that this one has now.
    pub(in crate::engine) fn copy(&self) -> Self {
        let inner = self.0.lock();
        let files = inner.files.clone();
        Self(Mutex::new(Inner {
            durable: files.clone(),
            files,
            ..Inner::default()
        }))
    }

    pub(in crate::engine) fn set_faults(&self, faults: Faults) {
        self.0.lock().faults = faults;
    }

    /// Writes and syncs so far.
    pub(in crate::engine) fn steps(&self) -> u64 {
        self.0.lock().steps
    }

    /// Loses all that is done after this many steps, without telling.
    pub(in crate::engine) fn stop_at(&self, steps: u64) {
        self.0.lock().stop_at = Some(steps);
    }

    /// Whether the point to stop at has been passed.
    pub(in crate::engine) fn stopped(&self) -> bool {
        let inner = self.0.lock();
        inner.stop_at.is_some_and(|at| inner.steps >= at)
    }

    /// What a crash now could leave: of what was not synced each sector is
    /// there or not, as `choose` says. A write that is torn is torn at sectors.
    pub(in crate::engine) fn crash(&self, choose: &mut dyn FnMut() -> Fate) -> Self {
        let inner = self.0.lock();
        let mut files = inner.durable.clone();
        for step in &inner.unsynced {
            match (choose(), step) {
                (Fate::Lost, _) => {}
                (Fate::Kept, _) | (Fate::Torn(_), Step::Grow { .. }) => apply(&mut files, step),
                (Fate::Torn(seed), Step::Write { file, offset, data }) => {
                    for (i, part) in data.chunks(SECTOR).enumerate() {
                        if seed >> (i % 61) & 1 == 1 {
                            let offset = offset + (i * SECTOR) as u64;
                            apply(
                                &mut files,
                                &Step::Write {
                                    file: *file,
                                    offset,
                                    data: part.to_vec(),
                                },
                            );
                        }
                    }
                }
            }
        }
        Self(Mutex::new(Inner {
            durable: files.clone(),
            files,
            ..Inner::default()
        }))
    }

    /// All bytes there are, to be hurt.
    pub(in crate::engine) fn files(&self) -> Vec<(FileName, usize)> {
        self.0
            .lock()
            .files
            .iter()
            .map(|(name, bytes)| (*name, bytes.len()))
            .collect()
    }

    pub(in crate::engine) fn flip(&self, file: FileName, bit: usize) {
        if let Some(bytes) = self.0.lock().files.get_mut(&file) {
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    pub(in crate::engine) fn truncate(&self, file: FileName, len: usize) {
        if let Some(bytes) = self.0.lock().files.get_mut(&file) {
            bytes.truncate(len);
        }
    }

    pub(in crate::engine) fn overwrite(&self, file: FileName, offset: usize, data: &[u8]) {
        if let Some(bytes) = self.0.lock().files.get_mut(&file) {
            bytes[offset..offset + data.len()].copy_from_slice(data);
        }
    }

    pub(in crate::engine) fn bytes(&self, file: FileName) -> Vec<u8> {
        self.0.lock().files.get(&file).cloned().unwrap_or_default()
    }
}

/// What becomes of a write that was not synced.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) enum Fate {
    Lost,
    Kept,
    /// Some sectors of it, by the bits of this number.
    Torn(u64),
}

impl Inner {
    fn step(&mut self, step: Step) -> io::Result<()> {
        self.steps += 1;
        if self.stop_at.is_some_and(|at| self.steps > at) {
            return Ok(());
        }
        if let Some(left) = &mut self.faults.writes_left {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("the simulated disk fails writes"))?;
        }
        let mut files = std::mem::take(&mut self.files);
        let before = files.get(&step.file()).map_or(0, Vec::len);
        let end = match &step {
            Step::Write { offset, data, .. } => *offset as usize + data.len(),
            Step::Grow { len, .. } => *len as usize,
        };
        let total: usize = files.values().map(Vec::len).sum::<usize>() + end.saturating_sub(before);
        if end > before
            && self
                .faults
                .capacity
                .is_some_and(|capacity| total as u64 > capacity)
        {
            self.files = files;
            return Err(io::ErrorKind::StorageFull.into());
        }
        apply(&mut files, &step);
        self.files = files;
        self.unsynced.push(step);
        Ok(())
    }
}

impl Disk for SimDisk {
    fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let inner = self.0.lock();
        let bytes = inner.files.get(&file).ok_or(io::ErrorKind::NotFound)?;
        let end = offset as usize + buf.len();
        let from = bytes
            .get(offset as usize..end)
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(from);
        Ok(())
    }

    fn write_at(&self, file: FileName, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.lock().step(Step::Write {
            file,
            offset,
            data: data.to_vec(),
        })
    }

    fn sync(&self, file: FileName) -> io::Result<()> {
        let mut inner = self.0.lock();
        inner.steps += 1;
        if inner.stop_at.is_some_and(|at| inner.steps > at) {
            return Ok(());
        }
        if let Some(left) = &mut inner.faults.syncs_left {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("the simulated disk fails syncs"))?;
        }
        let (now, later): (Vec<Step>, Vec<Step>) = std::mem::take(&mut inner.unsynced)
            .into_iter()
            .partition(|step| step.file() == file);
        inner.unsynced = later;
        let mut durable = std::mem::take(&mut inner.durable);
        for step in &now {
            apply(&mut durable, step);
        }
        inner.durable = durable;
        Ok(())
    }

    fn reserve(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        self.0.lock().step(Step::Grow {
            file,
            len: offset + len,
        })
    }

    fn len(&self, file: FileName) -> io::Result<Option<u64>> {
        Ok(self
            .0
            .lock()
            .files
            .get(&file)
            .map(|bytes| bytes.len() as u64))
    }

    fn list(&self) -> io::Result<Vec<FileName>> {
        Ok(self.0.lock().files.keys().copied().collect())
    }
}
