//! Filling a volume from an image: a file, or what comes through a pipe. Holes of the image, and
//! zeroes in it, take no room in the volume.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Shared, convert, error, plan, plan_image};
use crate::engine::images::ImageError;
use crate::engine::{self, VolumeInfo};
use crate::model::{Bytes, Kind, Operation, Plan, Problem, ProblemKind, Progress, StepOutcome};
use crate::provider::StepContext;

mod copy;
mod input;
mod unfinished;

pub(super) use copy::clear;
use copy::{Copied, Failed};
pub(super) use input::{Input, STREAM};
pub(super) use unfinished::{UNFINISHED, Unfinished};

/// How often it is kept how far a volume is filled.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// And whenever so many bytes of the image have been passed.
const KEEP_BYTES: u64 = 128 << 20;

/// Whether an interrupted fill can be gone on with without asking: it is of a new volume, and the
/// image is still there.
pub(super) fn can_go_on(operation: &Operation) -> bool {
    operation.find_text("name").is_some()
        && operation
            .find_text("file")
            .is_some_and(|file| Path::new(file).is_file())
}

/// The problem that an image is.
pub(super) fn image_problem(e: &ImageError) -> Problem {
    use ImageError as E;
    let kind = match e {
        E::Io { source, .. } => match source.kind() {
            std::io::ErrorKind::NotFound => ProblemKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ProblemKind::User,
            _ => ProblemKind::System,
        },
        _ => ProblemKind::User,
    };
    let problem = Problem::new(kind, e.to_string());
    match e {
        E::Reference { .. } => problem.hint(
            "look what it names (`qemu-img info`), and say --backing to read it where you trust it",
        ),
        E::Foreign { .. } => problem.hint(
            "convert it (`qemu-img convert -O qcow2`), or say --format raw to take its bytes as a disk's",
        ),
        E::Damaged { .. } | E::Unsupported { .. } => {
            problem.hint("`qemu-img check` says more of a qcow2 image; --format raw takes its bytes as a disk's")
        }
        _ => problem,
    }
}

/// Fills the volume. Blocking.
pub(super) fn fill(
    shared: &Shared,
    plan: &Plan,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let operation = &plan.operation;
    let file = operation.get_text("file")?;
    let store = &shared.store;
    // A new volume was made by the step before; one that is gone on with was there when
    // this was planned.
    let new = context.made(Kind::Volume);
    let id = match (&new, plan.touches.first()) {
        (Ok(made), _) => convert::engine_volume(&made.id)?,
        (Err(_), Some(touched)) => convert::engine_volume(&touched.object.id)?,
        (Err(_), None) => convert::engine_volume(operation.volume()?.as_str())?,
    };
    let _filling = shared.fill(id)?;
    let info = store
        .volume(id)
        .map_err(|e| error::problem(&e, "the volume cannot be looked at"))?;
    if file == STREAM {
        if new.is_err() {
            still_the_same(&info, plan, context)?;
        }
        return input::fill(shared, id, new.is_ok(), context);
    }

    let path = Path::new(file);
    let image = plan_image::open(operation)?;
    let mut now = Unfinished::of(path, &image, &info, &context.task)?;
    let resume = operation.flag("resume");
    match Unfinished::find(&info.attrs) {
        Some(before) if resume || before.task == now.task => {
            before.same_as(&now, &info.name)?;
            before.compare(&image, store, &info)?;
            now.position = before.position;
        }
        _ if resume => return Err(nothing_to_resume(&info.name)),
        _ if new.is_err() => still_the_same(&info, plan, context)?,
        _ => {}
    }
    if image.size() > info.size {
        return Err(too_large(image.size(), &info));
    }
    now.keep(store, id)?;
    copy_in(shared, &image, &info, now, context)
}

/// Copies what is left of the image, and keeps how far it has come.
fn copy_in(
    shared: &Shared,
    image: &engine::images::Image,
    info: &VolumeInfo,
    mut now: Unfinished,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let (store, id) = (&shared.store, info.id);
    let file = now.file.clone();
    let failed = |e| error::problem(&e, format!("the image {file} was not taken in whole"));
    let began = now.position;
    let (started, mut kept) = (Instant::now(), Instant::now());
    let mut broken = None;
    let mut tell = |copied: Copied| {
        let seconds = started.elapsed().as_secs_f64().max(0.001);
        let progress = Progress {
            done: Bytes(copied.position),
            total: Bytes(image.size()),
            rate: Bytes((copied.data as f64 / seconds) as u64),
        };
        (context.progress)(progress.into());
        let far = copied.position >= now.position + KEEP_BYTES;
        if far || (kept.elapsed() >= KEEP_EVERY && copied.position > now.position) {
            kept = Instant::now();
            now.position = copied.position;
            broken = now.keep(store, id).err();
        }
        broken.is_none() && !context.should_stop()
    };
    let (copied, ended) = copy::copy(image, store, id, began, &mut tell);
    if let Some(problem) = broken {
        return Err(problem);
    }
    let whole = ended.is_none() && copied.position >= image.size();
    if !whole {
        now.position = copied.position;
        // Where even this fails, what was kept before still holds.
        let _ = now.keep(store, id);
    }
    let position = Bytes(copied.position);
    match ended {
        Some(Failed::Image(e)) => {
            return Err(image_problem(&e).because(format!(
                "{} holds only the first {position} of it",
                info.name
            )));
        }
        Some(Failed::Store(e)) => return Err(failed(e)),
        None if !whole => {
            return Err(Problem::user(format!(
                "cancelled; {} holds the first {position} of the image",
                info.name
            ))
            .hint("the same import with --resume goes on from there"));
        }
        None => {}
    }
    // What lies behind the image's end is no part of it.
    let rest = info.size.saturating_sub(image.size());
    copy::clear(store, id, image.size(), rest).map_err(failed)?;
    store.flush().map_err(failed)?;
    Unfinished::forget(store, id)?;
    let mut message = format!(
        "{} of data in a {} image of {}",
        Bytes(copied.data),
        image.format(),
        Bytes(image.size())
    );
    if began > 0 {
        message.push_str(&format!(", gone on with at {}", Bytes(began)));
    }
    Ok(StepOutcome {
        message,
        made: Vec::new(),
    })
}

pub(super) fn too_large(size: u64, info: &VolumeInfo) -> Problem {
    Problem::user(format!(
        "the image is {}, and {} has only {}",
        Bytes(size),
        info.name,
        Bytes(info.size)
    ))
    .hint("extend the volume first")
}

pub(super) fn nothing_to_resume(name: &str) -> Problem {
    Problem::not_found(format!("no import into {name} is unfinished"))
        .hint("import without --resume")
}

/// Refuses to fill a volume over that is not what the plan saw: a step that is tried again may
/// come long after, when the volume was restored or is somebody else's matter.
fn still_the_same(info: &VolumeInfo, plan: &Plan, context: &StepContext) -> Result<(), Problem> {
    let same = match context.made(Kind::Snapshot) {
        // Its guard is the point in time right above it.
        Ok(guard) => info
            .parent
            .is_some_and(|parent| parent.to_string() == guard.id),
        Err(_) => {
            let now = plan::touched_volume(info, "").revision;
            plan.touches.iter().any(|touched| touched.revision == now)
        }
    };
    if same {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "{} is not what it was when the import was planned",
        info.name
    ))
    .hint("cancel this task, look at the volume, and import anew"))
}
