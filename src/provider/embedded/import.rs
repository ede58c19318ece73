//! Filling a volume from a raw image file. Holes of the file, and zeroes in it, take no
//! room in the volume.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Instant;

use super::{Shared, convert, error, plan, plan_image};
use crate::engine;
use crate::model::{Bytes, Kind, Operation, Plan, Problem, ProblemKind, Progress, StepOutcome};
use crate::provider::StepContext;

/// How much is read and written at once.
const CHUNK: usize = 1 << 20;

/// Whether an interrupted fill can be done again without asking: it is of a new volume, and the
/// image is still there.
pub(super) fn can_go_on(operation: &Operation) -> bool {
    let new = operation.find_text("name").is_some();
    new && operation
        .find_text("file")
        .is_some_and(|file| plan_image::image_length(Path::new(file)).is_ok())
}

/// Fills the volume. Blocking.
pub(super) fn fill(
    shared: &Shared,
    plan: &Plan,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let operation = &plan.operation;
    let path = Path::new(operation.get_text("file")?);
    let id = match operation.find_text("name") {
        Some(_) => convert::engine_volume(&context.made(Kind::Volume)?.id)?,
        None => still_the_same(shared, plan, context)?,
    };
    let _filling = shared.fill(id)?;
    let length = plan_image::image_length(path)?;
    let unreadable = |e: &std::io::Error| {
        Problem::new(
            ProblemKind::System,
            format!("the image {} cannot be read", path.display()),
        )
        .caused_by(e)
    };
    let file = File::open(path).map_err(|e| unreadable(&e))?;
    let store = &shared.store;
    let failed = |e| {
        error::problem(
            &e,
            format!("the image {} was not taken in whole", path.display()),
        )
    };
    let size = store.volume(id).map_err(failed)?.size;

    let started = Instant::now();
    let mut filled = 0;
    let mut buffer = vec![0; CHUNK];
    let mut at = 0;
    while at < length {
        let (data, hole_end) = next_data(&file, at, length).map_err(|e| unreadable(&e))?;
        clear(store, id, at, data - at).map_err(failed)?;
        at = data;
        while at < hole_end {
            if context.should_stop() {
                return Err(Problem::user(format!(
                    "cancelled; the volume holds the first {} of the image",
                    Bytes(at)
                )));
            }
            let n = (hole_end - at).min(CHUNK as u64) as usize;
            let Some(part) = buffer.get_mut(..n) else {
                break;
            };
            file.read_exact_at(part, at).map_err(|e| match e.kind() {
                std::io::ErrorKind::UnexpectedEof => Problem::conflict(format!(
                    "the image {} became shorter while it was read; the volume holds only the first {} of it",
                    path.display(),
                    Bytes(at)
                )),
                _ => unreadable(&e),
            })?;
            store.write(id, at, part).map_err(failed)?;
            at += n as u64;
            filled += n as u64;
            let seconds = started.elapsed().as_secs_f64().max(0.001);
            (context.progress)(Progress {
                done: Bytes(at),
                total: Bytes(length),
                rate: Bytes((filled as f64 / seconds) as u64),
            });
        }
    }
    // What lies behind the image's end is no part of it.
    clear(store, id, length, size.saturating_sub(length)).map_err(failed)?;
    store.flush().map_err(failed)?;
    Ok(StepOutcome {
        message: format!("{} of data in an image of {}", Bytes(filled), Bytes(length)),
        made: Vec::new(),
    })
}

/// The volume that is filled over, if it is what the plan saw: a step that is tried again may
/// come long after, when the volume was restored or is somebody else's matter.
fn still_the_same(
    shared: &Shared,
    plan: &Plan,
    context: &StepContext,
) -> Result<engine::VolumeId, Problem> {
    let id = convert::engine_volume(plan.operation.volume()?.as_str())?;
    let info = shared
        .store
        .volume(id)
        .map_err(|e| error::problem(&e, "the volume cannot be looked at"))?;
    let same = match context.made(Kind::Snapshot) {
        // Its guard is the point in time right above it.
        Ok(guard) => info
            .parent
            .is_some_and(|parent| parent.to_string() == guard.id),
        Err(_) => {
            let now = plan::touched_volume(&info, "").revision;
            plan.touches.iter().any(|touched| touched.revision == now)
        }
    };
    if same {
        return Ok(id);
    }
    Err(Problem::conflict(format!(
        "{} is not what it was when the import was planned",
        info.name
    ))
    .hint("cancel this task, look at the volume, and import anew"))
}

/// Makes a range read as zeroes: whole blocks take no room then, and what shares a block
/// with the range's ends stays.
fn clear(
    store: &engine::Store,
    id: engine::VolumeId,
    offset: u64,
    length: u64,
) -> Result<(), engine::EngineError> {
    // In runs that leave the store responsive.
    const RUN: u64 = 1 << 30;
    let end = offset + length;
    let first = offset.next_multiple_of(engine::BLOCK_SIZE).min(end);
    let last = (end - end % engine::BLOCK_SIZE).max(first);
    store.write_zeroes(id, offset, first - offset)?;
    let mut at = first;
    while at < last {
        let n = RUN.min(last - at);
        store.discard(id, at, n)?;
        at += n;
    }
    store.write_zeroes(id, last, end - last)
}

/// The next run of data at or behind `at`: where it begins and where it ends.
fn next_data(file: &File, at: u64, length: u64) -> std::io::Result<(u64, u64)> {
    use rustix::fs::{SeekFrom, seek};
    let data = match seek(file, SeekFrom::Data(at)) {
        Ok(data) => data,
        // Nothing but a hole is left.
        Err(rustix::io::Errno::NXIO) => return Ok((length, length)),
        // The file system cannot tell: all of it is data.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP) => return Ok((at, length)),
        Err(e) => return Err(e.into()),
    };
    let end = seek(file, SeekFrom::Hole(data)).unwrap_or(length);
    Ok((data.min(length), end.min(length)))
}
