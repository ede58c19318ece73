//! What a power cut can leave: all that was synced, and any part of the rest.

use std::sync::Arc;

use super::content::Files;
use crate::engine::disk::FileName;

/// A step taken on the disk.
#[derive(Clone, Debug)]
pub(in crate::engine) enum Step {
    Write {
        file: FileName,
        offset: u64,
        data: Arc<[u8]>,
    },
    /// Room is taken for a range, and the file reaches to its end.
    Reserve {
        file: FileName,
        offset: u64,
        len: u64,
    },
    /// The room of a range is given back.
    Punch {
        file: FileName,
        offset: u64,
        len: u64,
    },
    Remove {
        file: FileName,
    },
}

impl Step {
    pub(in crate::engine) fn file(&self) -> FileName {
        match self {
            Self::Write { file, .. }
            | Self::Reserve { file, .. }
            | Self::Punch { file, .. }
            | Self::Remove { file } => *file,
        }
    }
}

/// Something done to the disk.
#[derive(Clone, Debug)]
pub(in crate::engine) enum Event {
    Step(Step),
    Sync(FileName),
}

/// What becomes of a step that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Fate {
    Lost,
    Kept,
    /// The file is as long as it would be, and nothing else of it came to be.
    Hollow,
    /// Parts of it of this many bytes, by the bits of this number.
    Torn {
        unit: usize,
        seed: u64,
    },
    /// Its first so many units of 512 bytes.
    Begun(usize),
}

/// Does a step.
pub(in crate::engine) fn apply(files: &mut Files, step: &Step, fate: Fate) {
    if fate == Fate::Lost {
        return;
    }
    if let Step::Remove { file } = step {
        files.remove(file);
        return;
    }
    let content = files.entry(step.file()).or_default();
    match (step, fate) {
        (Step::Write { offset, data, .. }, Fate::Hollow) => {
            content.extend(*offset as usize + data.len());
        }
        (Step::Reserve { offset, len, .. }, Fate::Hollow) => {
            content.extend((offset + len) as usize);
        }
        (Step::Write { offset, data, .. }, Fate::Torn { unit, seed }) => {
            let (from, end) = (*offset as usize, *offset as usize + data.len());
            let mut at = from;
            while at < end {
                let next = (at / unit + 1).saturating_mul(unit).min(end);
                if seed >> ((at - from) / unit % 61) & 1 == 1 {
                    content.write(at, &data[at - from..next - from]);
                }
                at = next;
            }
        }
        (Step::Write { offset, data, .. }, Fate::Begun(sectors)) => {
            content.write(*offset as usize, &data[..data.len().min(sectors * 512)]);
        }
        (Step::Write { offset, data, .. }, _) => content.write(*offset as usize, data),
        (Step::Reserve { offset, len, .. }, _) => content.reserve(*offset as usize, *len as usize),
        (Step::Punch { offset, len, .. }, Fate::Torn { seed, .. }) => {
            for i in 0..len / 4096 {
                if seed >> (i % 61) & 1 == 1 {
                    content.punch((offset + i * 4096) as usize, 4096);
                }
            }
        }
        (Step::Punch { offset, len, .. }, _) => content.punch(*offset as usize, *len as usize),
        (Step::Remove { .. }, _) => {}
    }
}

/// What a power cut cannot take, and what it can.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Medium {
    durable: Files,
    unsynced: Vec<Step>,
}

impl Medium {
    pub(super) fn of(durable: Files) -> Self {
        Self {
            durable,
            unsynced: Vec::new(),
        }
    }

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
                    apply(&mut self.durable, step, Fate::Kept);
                }
            }
        }
    }

    /// The steps that a power cut could take, in order.
    pub(in crate::engine) fn at_risk(&self) -> &[Step] {
        &self.unsynced
    }

    /// What a power cut now leaves if these are the fates of what was not synced.
    pub(in crate::engine) fn cut(&self, fates: &[Fate]) -> Files {
        let mut files = self.durable.clone();
        for (step, fate) in self.unsynced.iter().zip(fates) {
            apply(&mut files, step, *fate);
        }
        files
    }

    /// What programs see.
    pub(in crate::engine) fn seen(&self) -> Files {
        self.cut(&vec![Fate::Kept; self.unsynced.len()])
    }
}
