//! `snapdeck export`: a volume or a snapshot as an image, or what changed in it as a difference.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use super::args::{ExportArgs, GlobalOptions, ImageFormat};
use super::open::{Purpose, open};
use super::{EXIT_INTERRUPTED, text};
use crate::engine::images::Format;
use crate::model::{Bytes, Object, Problem, ProblemKind};
use crate::provider::{Content, Resolver};

mod image;
mod part;
mod progress;

use part::{Output, Part, State};
use progress::{Pace, Stopped};

/// What stands for standard output.
const STREAM: &str = "-";

/// What is to be done.
struct Export {
    content: Arc<dyn Content>,
    format: Format,
    place: Option<PathBuf>,
    /// What is kept of it, where it can be gone on with: a snapshot is the same tomorrow.
    state: Option<State>,
    resume: bool,
    force: bool,
}

/// Writes the image beside its place, and moves it there when it is whole.
#[allow(clippy::print_stderr, reason = "messages go to standard error")]
pub(super) async fn export(options: &GlobalOptions, args: &ExportArgs) -> Result<u8, Problem> {
    let place = (args.file.as_os_str() != STREAM).then(|| args.file.clone());
    if place.is_none() && std::io::stdout().is_terminal() {
        return Err(Problem::user("an image is not for a terminal")
            .hint("let a program or a file take standard output, or name a file"));
    }
    let opened = open(options, Purpose::Look).await?;
    let reader = &*opened.connection.reader;
    let object = Resolver::new(reader).find_content(&args.source).await?;
    let format = format(args);
    let state = matches!(object, Object::Snapshot(_)).then(|| State {
        source: object.id().to_owned(),
        since: None,
        format: format.to_string(),
        position: 0,
        length: 0,
    });
    if args.resume && (state.is_none() || place.is_none()) {
        return Err(Problem::user(
            "only the export of a snapshot to a file can be gone on with: a volume is not what it was",
        )
        .hint("take a snapshot, and export that"));
    }
    let work = Export {
        content: reader.content(&object.reference())?,
        format,
        place,
        state,
        resume: args.resume,
        force: args.force,
    };
    let written = run(work).await;
    opened.close().await?;
    let to = match args.file.as_os_str() == STREAM {
        true => "standard output".to_owned(),
        false => args.file.display().to_string(),
    };
    match written? {
        Ended::Whole { data, size, from } => {
            let gone_on = match from {
                0 => String::new(),
                from => format!(", gone on with at {}", Bytes(from)),
            };
            eprintln!(
                "done: {} to {to}, {} of data in {}{gone_on}",
                text::visible(&object.full_name()),
                Bytes(data),
                Bytes(size)
            );
            Ok(0)
        }
        Ended::Interrupted(None) => {
            eprintln!("interrupted; nothing was written to {to}");
            Ok(EXIT_INTERRUPTED)
        }
        Ended::Interrupted(Some((part, position))) => {
            eprintln!(
                "interrupted; {} is written to {}\n  the same export with --resume goes on from there",
                Bytes(position),
                part.display()
            );
            Ok(EXIT_INTERRUPTED)
        }
    }
}

/// The format that was said, else the one that the file's ending says, else raw.
fn format(args: &ExportArgs) -> Format {
    match args.format {
        Some(ImageFormat::Qcow2) => Format::Qcow2,
        None if args.file.extension().is_some_and(|end| end == "qcow2") => Format::Qcow2,
        Some(ImageFormat::Raw) | None => Format::Raw,
    }
}

/// How an export ended.
enum Ended {
    Whole {
        data: u64,
        size: u64,
        from: u64,
    },
    /// With the part that is left and how far it has come, where it can be gone on with.
    Interrupted(Option<(PathBuf, u64)>),
}

/// Runs it on a thread that may wait, until it is done or somebody asks it to stop.
async fn run(work: Export) -> Result<Ended, Problem> {
    let failed =
        |e| Problem::new(ProblemKind::System, "signals cannot be waited for").caused_by(&e);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    // A file that may not grow is an error to tell, not the end of the program.
    let too_large = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    let _too_large = signal(too_large).map_err(failed)?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let thread = tokio::task::spawn_blocking(move || whole_or_absent(&work, &stopped));
    tokio::pin!(thread);
    let joined = tokio::select! {
        joined = &mut thread => joined,
        () = async { tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} } } => {
            stop.store(true, Ordering::Relaxed);
            (&mut thread).await
        }
    };
    joined.map_err(|e| Problem::new(ProblemKind::Bug, "the export ended abruptly").caused_by(&e))?
}

fn whole_or_absent(work: &Export, stop: &AtomicBool) -> Result<Ended, Problem> {
    let mut out = match &work.place {
        Some(place) => Output::File(Part::open(place, work.force, work.resume)?),
        None => Output::stream(),
    };
    let from = match out.part().and_then(Part::found) {
        Some(found) => gone_on_with(work, &out, found)?,
        None => 0,
    };
    let size = work.content.size();
    let mut state = work.state.clone();
    if let Some(state) = &mut state {
        state.position = from;
    }
    let mut pace = Pace::new(stop, size, state);
    let written = image::write(&*work.content, work.format, from, &mut out, &mut pace);
    pace.clear();
    let stopped = match written.and_then(|_| Ok(out.finish()?)) {
        Ok(()) => {
            return Ok(Ended::Whole {
                data: pace.data,
                size,
                from,
            });
        }
        Err(stopped) => stopped,
    };
    // What can be gone on with stays, and is told of; nothing else does.
    let left = match (pace.keep(&out), out.part()) {
        (Ok(true), Some(part)) => Some((part.path().to_owned(), pace.position())),
        (_, Some(part)) => {
            part.remove();
            None
        }
        (_, None) => None,
    };
    match (stopped, left) {
        (Stopped::Interrupted, left) => Ok(Ended::Interrupted(left)),
        (Stopped::Problem(problem), None) => Err(problem),
        (Stopped::Problem(problem), Some((part, position))) => Err(problem.hint(format!(
            "put that right and say the same with --resume: {} is written; or remove {}",
            Bytes(position),
            part.display()
        ))),
    }
}

/// Where an interrupted export goes on, if what is there is its beginning.
fn gone_on_with(work: &Export, out: &Output, found: &State) -> Result<u64, Problem> {
    let other = |what: String| {
        let place = work.place.as_deref().unwrap_or(Path::new(STREAM));
        Problem::conflict(format!(
            "the export to {} cannot be gone on with",
            place.display()
        ))
        .because(what)
        .hint("export anew, without --resume")
    };
    let Some(state) = &work.state else {
        return Ok(0);
    };
    if (&found.source, &found.since) != (&state.source, &state.since) {
        return Err(other(format!(
            "it is of another snapshot, {}",
            found.source
        )));
    }
    if found.format != state.format {
        return Err(other(format!("it is a {} image", found.format)));
    }
    let Some(part) = out.part() else {
        return Ok(0);
    };
    if !image::ends_as_said(&*work.content, work.format, found.position, part.file())? {
        return Err(other(format!(
            "{} is not what was written",
            part.path().display()
        )));
    }
    Ok(found.position)
}
