//! `snapdeck export`: a volume or a snapshot as a sparse raw image.

use std::fs::{File, OpenOptions};
use std::io::IsTerminal as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{ExportArgs, GlobalOptions};
use super::open::{Purpose, open};
use super::{EXIT_INTERRUPTED, text};
use crate::model::{Bytes, Problem, ProblemKind};
use crate::provider::{Content, Resolver};

/// How much is read and written at once.
const CHUNK: u64 = 1 << 20;

/// Writes the image beside its place, and moves it there when it is whole.
#[allow(clippy::print_stderr, reason = "messages go to standard error")]
pub(super) async fn export(options: &GlobalOptions, args: &ExportArgs) -> Result<u8, Problem> {
    let opened = open(options, Purpose::Look).await?;
    let reader = &*opened.connection.reader;
    let object = Resolver::new(reader).find_content(&args.source).await?;
    let content = reader.content(&object.reference())?;
    let stop = Arc::new(AtomicBool::new(false));
    let (file, force, stopped) = (args.file.clone(), args.force, stop.clone());
    let name = object.full_name();
    let work =
        tokio::task::spawn_blocking(move || whole_or_absent(&*content, &file, force, &stopped));
    tokio::pin!(work);
    let joined = tokio::select! {
        joined = &mut work => joined,
        _ = tokio::signal::ctrl_c() => {
            stop.store(true, Ordering::Relaxed);
            (&mut work).await
        }
    };
    let written = joined
        .map_err(|e| Problem::new(ProblemKind::Bug, "the export ended abruptly").caused_by(&e))??;
    opened.close().await?;
    match written {
        Some(written) => {
            eprintln!(
                "done: {} to {}, {} of data in {}",
                text::visible(&name),
                args.file.display(),
                Bytes(written.data),
                Bytes(written.size)
            );
            Ok(0)
        }
        None => {
            eprintln!(
                "interrupted; nothing was written to {}",
                args.file.display()
            );
            Ok(EXIT_INTERRUPTED)
        }
    }
}

/// What was written, in bytes.
struct Written {
    size: u64,
    data: u64,
}

fn whole_or_absent(
    content: &dyn Content,
    file: &Path,
    force: bool,
    stop: &AtomicBool,
) -> Result<Option<Written>, Problem> {
    match std::fs::symlink_metadata(file) {
        Ok(there) if !there.is_file() => {
            return Err(Problem::user(format!(
                "{} is not a regular file",
                file.display()
            )));
        }
        Ok(there) if there.len() > 0 && !force => {
            return Err(
                Problem::conflict(format!("{} is there already", file.display()))
                    .hint("name another file, or say --force to replace it"),
            );
        }
        _ => {}
    }
    let part = part_path(file)?;
    let result = write_image(content, &part, stop);
    match result {
        Ok(Some(written)) => {
            std::fs::rename(&part, file).map_err(|e| unwritable(file, &e))?;
            Ok(Some(written))
        }
        other => {
            let _ = std::fs::remove_file(&part);
            other
        }
    }
}

/// A name beside the file, of this process alone.
fn part_path(file: &Path) -> Result<PathBuf, Problem> {
    let name = file
        .file_name()
        .ok_or_else(|| Problem::user(format!("{} is not the name of a file", file.display())))?;
    let mut part = std::ffi::OsString::from(".");
    part.push(name);
    part.push(format!(".{}.part", std::process::id()));
    Ok(file.with_file_name(part))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Problem {
    let kind = match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ProblemKind::Quota,
        std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => ProblemKind::User,
        _ => ProblemKind::System,
    };
    Problem::new(kind, format!("{} cannot be written", path.display())).caused_by(error)
}

fn write_image(
    content: &dyn Content,
    path: &Path,
    stop: &AtomicBool,
) -> Result<Option<Written>, Problem> {
    let failed = |e: std::io::Error| unwritable(path, &e);
    let file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    let size = content.size();
    file.set_len(size).map_err(failed)?;
    let bar = bar(size);
    let mut buffer = vec![0; CHUNK as usize];
    let mut data = 0;
    let mut at = 0;
    while at < size {
        let ranges = content.ranges(at)?;
        if ranges.is_empty() {
            return Err(Problem::new(
                ProblemKind::Bug,
                format!("the mapping ends at {at}, before the end"),
            ));
        }
        for range in ranges {
            let end = range.offset + range.length;
            at = range.offset;
            while range.data && at < end {
                if stop.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                let n = CHUNK.min(end - at);
                let Some(part) = buffer.get_mut(..n as usize) else {
                    break;
                };
                content.read(at, part)?;
                file.write_all_at(part, at).map_err(failed)?;
                at += n;
                data += n;
                bar.set_position(at);
            }
            at = end;
            bar.set_position(at);
        }
    }
    file.sync_all().map_err(failed)?;
    bar.finish_and_clear();
    Ok(Some(Written { size, data }))
}

fn bar(size: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::stderr_with_hz(10));
    let template =
        "exporting {bar:30} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
