//! A disk in memory for tests. It keeps what has been written apart from what
//! has been synced, makes images of what a crash could leave, and fails on demand.

use std::collections::BTreeMap;
use std::io;

use parking_lot::Mutex;

use super::{Disk, FileName};

const SECTOR: usize = 512;

/// A step taken on the disk.
#[derive(Clone, Debug)]
pub(in crate::engine) enum Step {
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

/// Something done to the disk.
#[derive(Clone, Debug)]
pub(in crate::engine) enum Event {
    Step(Step),
    Sync(FileName),
}

/// What a crash cannot take, and what it can.
#[derive(Clone, Default)]
pub(in crate::engine) struct Medium {
    durable: BTreeMap<FileName, Vec<u8>>,
    unsynced: Vec<Step>,
}

impl Medium {
    /// Does what was done.
    pub(in crate::engine) fn advance(&mut self, event: &Event) {
        match event {
            Event::Step(step) => self.unsynced.push(step.clone()),
            Event::Sync(file) => {
                let (now, later): (Vec<Step>, Vec<Step>) = std::mem::take(&mut self.unsynced)
                    .into_iter()
                    .partition(|step| step.file() == *file);
                self.unsynced = later;
                for step in &now {
                    apply(&mut self.durable, step);
                }
            }
        }
    }

    /// Writes that a crash could take.
    pub(in crate::engine) fn at_risk(&self) -> usize {
        self.unsynced.len()
    }

    /// What a crash now could leave: `choose` says what becomes of each write
    /// that was not synced. A write that is torn is torn at sectors.
    pub(in crate::engine) fn crash(&self, choose: &mut dyn FnMut() -> Fate) -> SimDisk {
        let mut files = self.durable.clone();
        for step in &self.unsynced {
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
        SimDisk::of(files)
    }
}

#[derive(Default)]
struct Inner {
    files: BTreeMap<FileName, Vec<u8>>,
    medium: Medium,
    faults: Faults,
    history: Option<Vec<Event>>,
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

    fn of(files: BTreeMap<FileName, Vec<u8>>) -> Self {
        let medium = Medium {
            durable: files.clone(),
            unsynced: Vec::new(),
        };
        Self(Mutex::new(Inner {
            files,
            medium,
            ..Inner::default()
        }))
    }

    /// A disk with the content that this one has now.
    pub(in crate::engine) fn copy(&self) -> Self {
        Self::of(self.0.lock().files.clone())
    }

    pub(in crate::engine) fn set_faults(&self, faults: Faults) {
        self.0.lock().faults = faults;
    }

    /// From now on, all that is done is remembered.
    pub(in crate::engine) fn remember(&self) {
        self.0.lock().history = Some(Vec::new());
    }

    /// Things done since [`Self::remember`].
    pub(in crate::engine) fn done(&self) -> usize {
        self.0.lock().history.as_ref().map_or(0, Vec::len)
    }

    /// What was done since [`Self::remember`].
    pub(in crate::engine) fn history(&self) -> Vec<Event> {
        self.0.lock().history.clone().unwrap_or_default()
    }

    /// What the medium holds and what is on its way to it.
    pub(in crate::engine) fn medium(&self) -> Medium {
        self.0.lock().medium.clone()
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
        let event = Event::Step(step);
        self.medium.advance(&event);
        self.history
            .iter_mut()
            .for_each(|history| history.push(event.clone()));
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
        if let Some(left) = &mut inner.faults.syncs_left {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("the simulated disk fails syncs"))?;
        }
        let event = Event::Sync(file);
        inner.medium.advance(&event);
        inner
            .history
            .iter_mut()
            .for_each(|history| history.push(event.clone()));
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
