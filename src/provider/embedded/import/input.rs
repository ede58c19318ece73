//! Filling a volume from a stream of bytes: a raw image that comes through a pipe. Its length
//! is known only at its end.

use std::io::{self, Read};

use super::super::{Shared, error};
use super::copy::clear;
use crate::engine::images::{Format, detect};
use crate::engine::{self, VolumeId};
use crate::model::{Bytes, Problem, ProblemKind, Progress, StepOutcome};
use crate::provider::StepContext;

/// What stands for a stream rather than a file.
pub(in super::super) const STREAM: &str = "-";
/// How much is read and written at once.
const CHUNK: usize = 1 << 20;
/// The first bytes, which say what it is; all that stands before the data of a difference.
const HEAD: usize = 16 << 10;
/// A volume grows in steps of this at least, in bytes.
const GROW: u64 = 64 << 20;

/// A stream of bytes, of which the first were looked at.
pub(in super::super) struct Input {
    head: Vec<u8>,
    rest: Box<dyn Read + Send>,
}

impl Input {
    /// Waits for the first bytes.
    pub(in super::super) fn new(mut rest: Box<dyn Read + Send>) -> io::Result<Self> {
        let mut head = vec![0; HEAD];
        let n = read_full(&mut rest, &mut head, &|| false)?;
        head.truncate(n);
        Ok(Self { head, rest })
    }

    /// The first bytes.
    pub(in super::super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// All of it.
    pub(in super::super) fn into_read(self) -> impl Read {
        io::Cursor::new(self.head).chain(self.rest)
    }

    /// Whether it can be taken in as a raw image.
    pub(in super::super) fn check(&self, format: Option<Format>) -> Result<(), Problem> {
        if self.head.is_empty() {
            return Err(Problem::user("nothing comes from standard input"));
        }
        let found = match format {
            Some(format) => Ok(format),
            None => detect(&self.head),
        };
        match found {
            Ok(Format::Raw) => Ok(()),
            Ok(Format::Qcow2) => Err(Problem::user(
                "a qcow2 image cannot be read from standard input: its tables are anywhere in it",
            )
            .hint("write it to a file first; or say --format raw to take its bytes as a disk's")),
            Err(name) => Err(Problem::user(format!(
                "what comes from standard input is a {name} image, which is not read here"
            ))
            .hint("say --format raw to take its bytes as a disk's")),
        }
    }
}

/// Fills the volume to the end of the stream. A new volume grows as needed and is made as long as
/// the stream was; of one that was there the rest is cleared. Blocking.
pub(super) fn fill(
    shared: &Shared,
    id: VolumeId,
    new: bool,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let Some(input) = shared.input.lock().take() else {
        return Err(
            Problem::conflict("standard input was read already, or there is none")
                .hint("cancel this task, and import anew"),
        );
    };
    let store = &shared.store;
    let failed = |e| error::problem(&e, "what came from standard input was not taken in whole");
    let mut size = store.volume(id).map_err(failed)?.size;
    let mut source = input.into_read();
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    loop {
        let n = read_full(&mut source, &mut buffer, &|| context.should_stop()).map_err(|e| {
            Problem::new(ProblemKind::System, "standard input cannot be read")
                .because(format!("the volume holds the first {} of it", Bytes(at)))
                .caused_by(&e)
        })?;
        if context.should_stop() {
            return Err(Problem::user(format!(
                "cancelled; the volume holds the first {} of what came from standard input",
                Bytes(at)
            )));
        }
        let Some(part) = buffer.get(..n).filter(|part| !part.is_empty()) else {
            break;
        };
        let end = at + n as u64;
        if end > size && new {
            size = end
                .max(size * 2)
                .next_multiple_of(GROW)
                .min(engine::MAX_VOLUME_SIZE.max(end));
            store.resize_volume(id, size).map_err(failed)?;
        }
        if end > size {
            return Err(Problem::user(format!(
                "more comes from standard input than the volume's {}; it holds the first part now",
                Bytes(size)
            ))
            .hint("restore its guard snapshot, extend it, and import anew"));
        }
        store.write(id, at, part).map_err(failed)?;
        at = end;
        let progress = Progress {
            done: Bytes(at),
            total: Bytes(0),
            rate: Bytes(0),
        };
        (context.progress)(progress.into());
    }
    if new {
        let size = at.next_multiple_of(engine::BLOCK_SIZE);
        store.resize_volume(id, size).map_err(failed)?;
    } else {
        clear(store, id, at, size - at).map_err(failed)?;
    }
    store.flush().map_err(failed)?;
    Ok(StepOutcome {
        message: format!("{} from standard input", Bytes(at)),
        made: Vec::new(),
    })
}

/// Reads until the buffer is full, the stream has ended or `stop` says so. A stream that has
/// nothing just now says that it would block.
fn read_full(
    source: &mut impl Read,
    buffer: &mut [u8],
    stop: &dyn Fn() -> bool,
) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock && stop() => break,
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                ) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
