//! `snapdeck scrub`: all of a store is read and checked.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::EXIT_INTERRUPTED;
use super::args::{GlobalOptions, ScrubArgs};
use super::format::Format;
use super::open::{Purpose, open};
use super::output::{self, Row};
use crate::engine::{BLOCK_SIZE, Hurt, ScrubReport, Source, Store};
use crate::model::{Bytes, Problem, ProblemKind};

/// Reads everything, and says what is not what was written.
#[allow(clippy::print_stderr, reason = "messages go to standard error")]
pub(super) async fn scrub(options: &GlobalOptions, args: &ScrubArgs) -> Result<u8, Problem> {
    let purpose = if args.repair {
        Purpose::Follow
    } else {
        Purpose::Look
    };
    let opened = open(options, purpose).await?;
    let repair = args.repair;
    let stop = Arc::new(AtomicBool::new(false));
    let (store, stopped) = (opened.store()?.clone(), stop.clone());
    let work = tokio::task::spawn_blocking(move || check(&store, repair, &stopped));
    tokio::pin!(work);
    let joined = tokio::select! {
        joined = &mut work => joined,
        _ = tokio::signal::ctrl_c() => {
            stop.store(true, Ordering::Relaxed);
            (&mut work).await
        }
    };
    let found = joined
        .map_err(|e| Problem::new(ProblemKind::Bug, "the scrub ended abruptly").caused_by(&e))??;
    opened.close().await?;
    match args.output {
        Format::Table if found.hurt.is_empty() => {}
        Format::Table | Format::Csv => output::rows(&found.hurt, args.output)?,
        Format::Json => output::print(&output::json(&found)?)?,
        Format::Yaml => output::print(&output::yaml(&found)?)?,
    }
    let checked = Bytes(found.checked);
    let left = found.hurt.iter().filter(|hurt| !hurt.repaired).count();
    let mended = found.hurt.len() - left;
    if mended > 0 {
        eprintln!("repaired: {mended}");
    }
    if left > 0 {
        eprintln!("hurt: {left} found in {checked} of data that was checked");
        return Ok(ProblemKind::System.exit_code());
    }
    if found.complete {
        eprintln!("whole: {checked} of data, and all mappings");
        Ok(0)
    } else {
        eprintln!("interrupted; {checked} of data was checked, and is whole");
        Ok(EXIT_INTERRUPTED)
    }
}

/// What a scrub found, as it is written.
#[derive(Serialize)]
struct Found {
    /// Bytes of data.
    checked: u64,
    complete: bool,
    hurt: Vec<HurtRow>,
}

/// Something hurt. What is neither a volume's nor a snapshot's was deleted.
#[derive(Serialize)]
struct HurtRow {
    volume: Option<String>,
    volume_name: Option<String>,
    snapshot: Option<String>,
    snapshot_name: Option<String>,
    /// In bytes; of a block of 4 KiB. None: a mapping.
    offset: Option<u64>,
    length: Option<u64>,
    what: String,
    repaired: bool,
}

impl Row for HurtRow {
    const HEADER: &'static [&'static str] =
        &["VOLUME", "SNAPSHOT", "OFFSET", "LENGTH", "REPAIRED", "WHAT"];

    const FIELDS: &'static [&'static str] = &[
        "volume",
        "volume_name",
        "snapshot",
        "snapshot_name",
        "offset",
        "length",
        "what",
        "repaired",
    ];

    fn cells(&self) -> Vec<String> {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            name(&self.volume_name),
            name(&self.snapshot_name),
            self.offset
                .map_or_else(|| "-".to_owned(), |offset| offset.to_string()),
            self.length
                .map_or_else(|| "-".to_owned(), |length| length.to_string()),
            if self.repaired { "yes" } else { "no" }.to_owned(),
            self.what.clone(),
        ]
    }
}

fn row(store: &Store, hurt: Hurt) -> HurtRow {
    let point = match hurt.source {
        Some(Source::Point(id)) => store.point(id).ok(),
        _ => None,
    };
    let volume = match hurt.source {
        Some(Source::Volume(id)) => Some(id),
        _ => point.as_ref().map(|point| point.volume),
    };
    HurtRow {
        volume: volume.map(|id| id.to_string()),
        volume_name: volume
            .and_then(|id| store.volume(id).ok())
            .map(|volume| volume.name),
        snapshot: point.as_ref().map(|point| point.id.to_string()),
        snapshot_name: point.map(|point| point.name),
        offset: hurt.offset,
        length: hurt.offset.map(|_| hurt.len),
        repaired: hurt.repaired,
        what: match hurt.source {
            Some(_) => hurt.what,
            None => format!("{}: {}", hurt.of, hurt.what),
        },
    }
}

fn check(store: &Store, repair: bool, stop: &AtomicBool) -> Result<Found, Problem> {
    let bar = bar();
    let mut progress = |done: u64, total: u64| {
        bar.set_length(total.max(done));
        bar.set_position(done);
        !stop.load(Ordering::Relaxed)
    };
    let report = if repair {
        store.repair(&mut progress)
    } else {
        store.scrub(&mut progress)
    };
    bar.finish_and_clear();
    let ScrubReport {
        blocks,
        hurt,
        complete,
    } = report.map_err(|e| {
        Problem::new(ProblemKind::System, "the store cannot be checked").caused_by(&e)
    })?;
    Ok(Found {
        checked: blocks * BLOCK_SIZE,
        complete,
        hurt: hurt.into_iter().map(|hurt| row(store, hurt)).collect(),
    })
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
    let template =
        "checking {bar:30} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
