//! Copying an image into a volume, with several blocks in flight.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::engine::images::{Image, ImageError, Run};
use crate::engine::{self, EngineError, Store, VolumeId};

/// How much is read and written at once, unless the image's clusters are larger.
const CHUNK: u64 = 1 << 20;
/// How much is cleared at once: runs that leave the store responsive.
const CLEAR: u64 = 1 << 30;
/// Blocks in flight.
const WORKERS: usize = 3;
/// How often it is told how far the copy has come.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Why a copy ended early.
pub(super) enum Failed {
    Image(ImageError),
    Store(EngineError),
}

/// How far a copy has come.
#[derive(Clone, Copy, Default)]
pub(super) struct Copied {
    /// All before this is in the volume, in bytes of the image.
    pub(super) position: u64,
    /// Bytes of data among it that were copied now.
    pub(super) data: u64,
}

/// What the workers share.
struct Queue {
    runs: VecDeque<Run>,
    /// What comes next; all before it was given out.
    next: u64,
    /// Where what was given out and is not done begins.
    open: BTreeSet<u64>,
    data: u64,
    failed: Option<Failed>,
    stop: bool,
    workers: usize,
}

impl Queue {
    fn copied(&self) -> Copied {
        Copied {
            position: self.open.first().copied().unwrap_or(self.next),
            data: self.data,
        }
    }

    /// The next piece, of one sort.
    fn take(&mut self, image: &Image, chunk: u64) -> Result<Option<Run>, ImageError> {
        if self.stop || self.failed.is_some() {
            return Ok(None);
        }
        if self.runs.is_empty() {
            self.runs = image.runs(self.next)?.into();
        }
        let Some(run) = self.runs.front_mut() else {
            return Ok(None);
        };
        // Pieces end where clusters do, so that none is unpacked twice.
        let most = match run.data {
            true => chunk - run.offset % chunk,
            false => CLEAR,
        };
        let piece = Run {
            length: run.length.min(most),
            ..*run
        };
        run.offset += piece.length;
        run.length -= piece.length;
        if run.length == 0 {
            self.runs.pop_front();
        }
        self.next = piece.offset + piece.length;
        self.open.insert(piece.offset);
        Ok(Some(piece))
    }
}

/// Copies the image from `from` on into the volume, and calls `tell` with how far it has come, now and
/// then and at the end; it ends early where that says so. Holes and zeroes of the image take no
/// room in the volume.
pub(super) fn copy(
    image: &Image,
    store: &Store,
    id: VolumeId,
    from: u64,
    tell: &mut dyn FnMut(Copied) -> bool,
) -> (Copied, Option<Failed>) {
    let chunk = CHUNK.max(image.granule());
    let queue = Mutex::new(Queue {
        runs: VecDeque::new(),
        next: from,
        open: BTreeSet::new(),
        data: 0,
        failed: None,
        stop: false,
        workers: WORKERS,
    });
    let ended = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                if let Err(failed) = work(&queue, image, chunk, store, id) {
                    queue.lock().failed.get_or_insert(failed);
                }
                queue.lock().workers -= 1;
                ended.notify_all();
            });
        }
        loop {
            let mut state = queue.lock();
            if state.workers > 0 {
                ended.wait_for(&mut state, TELL_EVERY);
            }
            let (copied, over) = (state.copied(), state.workers == 0);
            drop(state);
            if !tell(copied) {
                queue.lock().stop = true;
            }
            if over {
                break;
            }
        }
    });
    let queue = queue.into_inner();
    (queue.copied(), queue.failed)
}

fn work(
    queue: &Mutex<Queue>,
    image: &Image,
    chunk: u64,
    store: &Store,
    id: VolumeId,
) -> Result<(), Failed> {
    let mut buffer = Vec::new();
    loop {
        let piece = queue.lock().take(image, chunk).map_err(Failed::Image)?;
        let Some(piece) = piece else {
            return Ok(());
        };
        if piece.data {
            buffer.resize(piece.length as usize, 0);
            image
                .read(piece.offset, &mut buffer)
                .map_err(Failed::Image)?;
            store
                .write(id, piece.offset, &buffer)
                .map_err(Failed::Store)?;
        } else {
            clear(store, id, piece.offset, piece.length).map_err(Failed::Store)?;
        }
        let mut state = queue.lock();
        state.open.remove(&piece.offset);
        if piece.data {
            state.data += piece.length;
        }
    }
}

/// Makes a range read as zeroes: whole blocks take no room then, and what shares a block
/// with the range's ends stays.
pub(in super::super) fn clear(
    store: &Store,
    id: VolumeId,
    offset: u64,
    length: u64,
) -> Result<(), EngineError> {
    let end = offset + length;
    let first = offset.next_multiple_of(engine::BLOCK_SIZE).min(end);
    let last = (end - end % engine::BLOCK_SIZE).max(first);
    store.write_zeroes(id, offset, first - offset)?;
    let mut at = first;
    while at < last {
        let n = CLEAR.min(last - at);
        store.discard(id, at, n)?;
        at += n;
    }
    store.write_zeroes(id, last, end - last)
}
