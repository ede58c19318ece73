//! A disk in memory for tests. It keeps what has been written apart from what
//! has been synced, makes images of what a crash could leave, and fails on demand.

mod content;
mod medium;

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Disk, FileName};
pub(in crate::engine) use content::{Files, fingerprint};
pub(in crate::engine) use medium::{Event, Fate, Medium, Step};

/// Faults to be met. Each counts down the requests of its kind that succeed.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Faults {
    pub(in crate::engine) reads_left: Option<u64>,
    pub(in crate::engine) writes_left: Option<u64>,
    pub(in crate::engine) syncs_left: Option<u64>,
    /// Requests that take more room on the medium.
    pub(in crate::engine) growths_left: Option<u64>,
    /// One request fails, those after it succeed again.
    pub(in crate::engine) once: bool,
    /// Bytes that the files may take in all.
    pub(in crate::engine) capacity: Option<u64>,
}

/// Requests that a disk has been asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct Counts {
    pub(in crate::engine) reads: u64,
    pub(in crate::engine) writes: u64,
    pub(in crate::engine) syncs: u64,
    pub(in crate::engine) growths: u64,
}

#[derive(Default)]
struct Inner {
    files: Files,
    medium: Medium,
    faults: Faults,
    counts: Counts,
    history: Option<Vec<Event>>,
}

/// Files in memory.
#[derive(Default)]
pub(in crate::engine) struct SimDisk(Mutex<Inner>);

/// Whether a countdown has come to its end.
fn due(left: &mut Option<u64>, once: bool) -> bool {
    match left {
        Some(0) => {
            if once {
                *left = None;
            }
            true
        }
        Some(n) => {
            *n -= 1;
            false
        }
        None => false,
    }
}

impl SimDisk {
    pub(in crate::engine) fn new() -> Self {
        Self::default()
    }

    /// A disk with these files, all of them durable.
    pub(in crate::engine) fn of(files: Files) -> Self {
        Self::on(Medium::of(files))
    }

    /// A disk as it is after the program that used it was killed: nothing is lost,
    /// but what was not synced still is not.
    pub(in crate::engine) fn on(medium: Medium) -> Self {
        Self(Mutex::new(Inner {
            files: medium.seen(),
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

    /// What it has been asked for.
    pub(in crate::engine) fn counts(&self) -> Counts {
        self.0.lock().counts
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
        let inner = self.0.lock();
        let files = inner.files.iter();
        files.map(|(name, bytes)| (*name, bytes.len())).collect()
    }

    /// Bytes that its files take on the medium.
    pub(in crate::engine) fn allocated(&self) -> usize {
        self.0
            .lock()
            .files
            .values()
            .map(content::Content::allocated)
            .sum()
    }

    pub(in crate::engine) fn flip(&self, file: FileName, bit: usize) {
        let mut byte = [0];
        if let Some(content) = self.0.lock().files.get_mut(&file)
            && content.read(bit / 8, &mut byte).is_some()
        {
            content.write(bit / 8, &[byte[0] ^ 1 << (bit % 8)]);
        }
    }

    pub(in crate::engine) fn truncate(&self, file: FileName, len: usize) {
        if let Some(content) = self.0.lock().files.get_mut(&file) {
            content.truncate(len);
        }
    }

    pub(in crate::engine) fn overwrite(&self, file: FileName, offset: usize, data: &[u8]) {
        if let Some(content) = self.0.lock().files.get_mut(&file) {
            content.write(offset, data);
        }
    }

    pub(in crate::engine) fn bytes(&self, file: FileName) -> Vec<u8> {
        let inner = self.0.lock();
        inner
            .files
            .get(&file)
            .map_or_else(Vec::new, content::Content::bytes)
    }
}

impl Inner {
    fn note(&mut self, event: Event) {
        self.medium.advance(&event);
        if let Some(history) = &mut self.history {
            history.push(event);
        }
    }

    fn step(&mut self, step: Step) -> io::Result<()> {
        self.counts.writes += 1;
        let once = self.faults.once;
        if due(&mut self.faults.writes_left, once) {
            // What fails may have been done in part.
            if let Step::Write { file, offset, data } = &step
                && let Some(begun) = data.get(..data.len() / 1024 * 512)
                && !begun.is_empty()
            {
                let begun = Step::Write {
                    file: *file,
                    offset: *offset,
                    data: Arc::from(begun),
                };
                medium::apply(&mut self.files, &begun, Fate::Kept);
                self.note(Event::Step(begun));
            }
            return Err(io::Error::other("the simulated disk fails writes"));
        }
        let (offset, len) = match &step {
            Step::Write { offset, data, .. } => (*offset, data.len() as u64),
            Step::Reserve { offset, len, .. } => (*offset, *len),
            Step::Punch { .. } | Step::Remove { .. } => (0, 0),
        };
        let none = content::Content::default();
        let content = self.files.get(&step.file()).unwrap_or(&none);
        let growth = content.growth(offset as usize, len as usize);
        if growth > 0 {
            self.counts.growths += 1;
            let taken: usize = self.files.values().map(content::Content::allocated).sum();
            let full = |capacity: u64| (taken + growth) as u64 > capacity;
            if due(&mut self.faults.growths_left, once) || self.faults.capacity.is_some_and(full) {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        medium::apply(&mut self.files, &step, Fate::Kept);
        self.note(Event::Step(step));
        Ok(())
    }
}

impl Disk for SimDisk {
    fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let mut inner = self.0.lock();
        inner.counts.reads += 1;
        let once = inner.faults.once;
        if due(&mut inner.faults.reads_left, once) {
            return Err(io::Error::other("the simulated disk fails reads"));
        }
        let content = inner.files.get(&file).ok_or(io::ErrorKind::NotFound)?;
        let read = content.read(offset as usize, buf);
        read.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn write_at(&self, file: FileName, offset: u64, data: &[u8]) -> io::Result<()> {
        let data = Arc::from(data);
        self.0.lock().step(Step::Write { file, offset, data })
    }

    fn sync(&self, file: FileName) -> io::Result<()> {
        let mut inner = self.0.lock();
        inner.counts.syncs += 1;
        let once = inner.faults.once;
        if due(&mut inner.faults.syncs_left, once) {
            return Err(io::Error::other("the simulated disk fails syncs"));
        }
        inner.note(Event::Sync(file));
        Ok(())
    }

    fn reserve(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        self.0.lock().step(Step::Reserve { file, offset, len })
    }

    fn punch(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        self.0.lock().step(Step::Punch { file, offset, len })
    }

    fn remove(&self, file: FileName) -> io::Result<()> {
        self.0.lock().step(Step::Remove { file })
    }

    fn len(&self, file: FileName) -> io::Result<Option<u64>> {
        let inner = self.0.lock();
        Ok(inner.files.get(&file).map(|content| content.len() as u64))
    }

    fn list(&self) -> io::Result<Vec<FileName>> {
        Ok(self.0.lock().files.keys().copied().collect())
    }
}
