//! `snapdeck export`: a volume or a snapshot as an image, or what changed in it as a difference.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use super::args::{ExportArgs, ExportFormat, GlobalOptions};
use super::open::{Opened, Purpose, open};
use super::{EXIT_INTERRUPTED, text};
use crate::engine::images::{Format, Seal};
use crate::model::{Bytes, Kind, Object, ObjectRef, Problem, ProblemKind};
use crate::provider::embedded::ORIGIN;
use crate::provider::{Content, Reader, Resolver};

mod difference;
mod image;
mod moment;
mod part;
mod progress;

use difference::{Begun, Ends};
use moment::Moment;
use part::{Output, Part, State};
use progress::{Pace, Stopped};

/// What stands for standard output.
const STREAM: &str = "-";

/// What is written.
enum What {
    Image(Format),
    /// A qcow2 image with compressed clusters.
    Packed,
    Difference(Box<Ends>),
}

impl What {
    fn name(&self) -> &'static str {
        match self {
            Self::Image(format) => format.name(),
            Self::Packed => "compressed qcow2",
            Self::Difference(_) => "difference",
        }
    }
}

/// What is to be done.
struct Export {
    content: Arc<dyn Content>,
    what: What,
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
    let moment = Moment::of(&opened, &object).await?;
    let result = from_moment(&opened, args, place, &object, moment.as_ref()).await;
    let over = match moment {
        Some(moment) => moment.over(&opened).await,
        None => Ok(()),
    };
    opened.close().await?;
    let written = result?;
    over?;
    let to = match args.file.as_os_str() == STREAM {
        true => "standard output".to_owned(),
        false => args.file.display().to_string(),
    };
    match written {
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

/// Exports what the object is, or what it was at that moment.
async fn from_moment(
    opened: &Opened,
    args: &ExportArgs,
    place: Option<PathBuf>,
    object: &Object,
    moment: Option<&Moment>,
) -> Result<Ended, Problem> {
    let reader = &*opened.connection.reader;
    let source = moment.map_or_else(|| object.reference(), |moment| moment.snapshot().clone());
    let (what, since) = what(reader, args, object, &source).await?;
    // Where a compressed cluster goes is not known from the mapping alone.
    let known = matches!(object, Object::Snapshot(_)) && !args.compress;
    let state = known.then(|| State {
        source: object.id().to_owned(),
        since,
        format: what.name().to_owned(),
        position: 0,
        length: 0,
        digest: None,
    });
    if args.resume && (state.is_none() || place.is_none()) {
        return Err(Problem::user(
            "only the export of a snapshot to a file, without --compress, can be gone on with: a volume is not what it was",
        )
        .hint("take a snapshot, and export that"));
    }
    run(Export {
        content: reader.content(&source)?,
        what,
        place,
        state,
        resume: args.resume,
        force: args.force,
    })
    .await
}

/// What is to be written: what was said, else what the file's ending says, else a raw image.
/// With the id of the snapshot that it is since.
async fn what(
    reader: &dyn Reader,
    args: &ExportArgs,
    object: &Object,
    source: &ObjectRef,
) -> Result<(What, Option<String>), Problem> {
    let qcow2 = args.file.extension().is_some_and(|end| end == "qcow2");
    let format = match args.format {
        Some(format) => format,
        None if args.since.is_some() => ExportFormat::Diff,
        None if qcow2 => ExportFormat::Qcow2,
        None => ExportFormat::Raw,
    };
    if args.compress && format != ExportFormat::Qcow2 {
        return Err(Problem::user("only a qcow2 image is compressed")
            .hint("say --format qcow2, or let the file's name end so"));
    }
    match (format, &args.since) {
        (ExportFormat::Diff, since) => {
            let since = match since {
                Some(name) => Some(
                    Resolver::new(reader)
                        .find(Kind::Snapshot, name, None)
                        .await?,
                ),
                None => None,
            };
            let id = since.as_ref().map(|since| since.id().to_owned());
            let ends = Box::new(ends(reader, object, source, since.as_ref())?);
            Ok((What::Difference(ends), id))
        }
        (_, Some(_)) => Err(
            Problem::user("an image is of all there is, not since a snapshot")
                .hint("leave out --since, or --format"),
        ),
        (ExportFormat::Qcow2, None) if args.compress && args.file.as_os_str() == STREAM => {
            Err(Problem::user(
                "a compressed image cannot be written to standard output: its header is written last",
            )
            .hint("name a file, or leave out --compress"))
        }
        (ExportFormat::Qcow2, None) if args.compress => Ok((What::Packed, None)),
        (ExportFormat::Raw, None) => Ok((What::Image(Format::Raw), None)),
        (ExportFormat::Qcow2, None) => Ok((What::Image(Format::Qcow2), None)),
    }
}

/// The name of a snapshot, and its id where it was first taken.
fn point(object: &Object) -> (Option<String>, Option<String>) {
    match object {
        Object::Snapshot(snapshot) => {
            let id = snapshot.metadata.get(ORIGIN).cloned();
            let id = id.unwrap_or_else(|| snapshot.id.to_string());
            (Some(snapshot.name.clone()), Some(id))
        }
        _ => (None, None),
    }
}

fn ends(
    reader: &dyn Reader,
    object: &Object,
    source: &ObjectRef,
    since: Option<&Object>,
) -> Result<Ends, Problem> {
    let (to, to_id) = point(object);
    let (from, from_id) = since.map(point).unwrap_or_default();
    let full = object.full_name();
    let volume = full.split('@').next().unwrap_or_default();
    Ok(Ends {
        from,
        to,
        seal: Seal {
            from: from_id,
            to: to_id,
            taken: match object {
                Object::Snapshot(snapshot) => snapshot.created.map(|time| time.to_string()),
                _ => None,
            },
            volume: volume.to_owned(),
        },
        since: match since {
            Some(since) => Some(reader.difference(&since.reference(), source)?),
            None => None,
        },
    })
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
    let begun = match out.part().and_then(Part::found) {
        Some(found) => gone_on_with(work, &out, found)?,
        None => Begun::default(),
    };
    let from = begun.position;
    let size = work.content.size();
    let mut state = work.state.clone();
    if let Some(state) = &mut state {
        (state.position, state.length) = (from, begun.length);
        state.digest = out
            .part()
            .and_then(Part::found)
            .and_then(|found| found.digest.clone());
    }
    let mut pace = Pace::new(stop, size, state);
    let content = &*work.content;
    let written = match &work.what {
        What::Image(format) => image::write(content, *format, from, &mut out, &mut pace),
        What::Packed => image::pack(content, &mut out, &mut pace),
        What::Difference(ends) => difference::write(content, ends, &begun, &mut out, &mut pace),
    };
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
fn gone_on_with(work: &Export, out: &Output, found: &State) -> Result<Begun, Problem> {
    let other = |what: String| {
        let place = work.place.as_deref().unwrap_or(Path::new(STREAM));
        Problem::conflict(format!(
            "the export to {} cannot be gone on with",
            place.display()
        ))
        .because(what)
        .hint("export anew, without --resume")
    };
    let (Some(state), Some(part)) = (&work.state, out.part()) else {
        return Ok(Begun::default());
    };
    if (&found.source, &found.since) != (&state.source, &state.since) {
        return Err(other(format!(
            "it is of another snapshot, {}",
            found.source
        )));
    }
    if found.format != state.format {
        return Err(other(format!("it is a {}", found.format)));
    }
    let (position, length) = (found.position, found.length);
    let begun = match &work.what {
        What::Image(format) => image::ends_as_said(&*work.content, *format, position, part.file())?
            .then(|| Begun {
                position,
                ..Begun::default()
            }),
        What::Packed => None,
        What::Difference(_) => Begun::check(part.file(), position, length, found.digest.as_deref())
            .map_err(|e| part::unwritable(part.path(), &e))?,
    };
    begun.ok_or_else(|| other(format!("{} is not what was written", part.path().display())))
}
