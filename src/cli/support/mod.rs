//! `snapdeck support`: what helps whoever looks for a fault, in one file that names nobody. What is in it and what
//! was withheld is shown before it is written.

mod gather;
mod scrub;

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use self::gather::{Gathered, Places, gather};
use super::args::{GlobalOptions, SupportArgs};
use super::{config, output, text};
use crate::config::Paths;
use crate::model::{Problem, ProblemKind, Time};
use crate::provider::embedded::JOURNAL;

/// The name of the list of what is in a bundle.
const MANIFEST: &str = "MANIFEST.txt";

/// Gathers, shows and writes a bundle.
pub(super) fn support(options: &GlobalOptions, args: &SupportArgs) -> Result<u8, Problem> {
    let paths = Paths::of_user();
    let source = config::source(options)?;
    let config = source.read();
    let set = config.as_ref().ok().and_then(|c| c.settings.store.clone());
    let store = match options.store.clone().or(set) {
        Some(store) => store,
        None => paths.as_ref().map_err(Clone::clone)?.store.clone(),
    };
    let places = Places {
        journal: store.join(JOURNAL),
        store,
        state: paths.as_ref().ok().map(|paths| paths.state.clone()),
        home: paths.ok().map(|paths| paths.home),
    };
    let gathered = gather(&config, &places);
    let now = Time::now();
    let manifest = manifest(&gathered, now);
    if let Some(name) = &args.show {
        let item = gathered.items.iter().find(|item| item.name == *name);
        let shown = item.map_or_else(
            || (name == MANIFEST).then_some(&manifest),
            |item| Some(&item.text),
        );
        let shown = shown.ok_or_else(|| {
            Problem::not_found(format!("there is no {name} in it")).hint("--list names all")
        })?;
        let lines = shown.lines().map(|line| text::visible(line) + "\n");
        output::print(&lines.collect::<String>())?;
        return Ok(0);
    }
    if args.list {
        output::print(&manifest)?;
        return Ok(0);
    }
    let file = args.output.clone().unwrap_or_else(|| {
        let stamp = now.to_zoned(jiff::tz::TimeZone::UTC);
        PathBuf::from(format!(
            "snapdeck-support-{}.tar.gz",
            stamp.strftime("%Y%m%d-%H%M%S")
        ))
    });
    confirm(&manifest, &file, args.yes)?;
    write(&gathered, &manifest, now, &file).map_err(|e| {
        Problem::new(
            ProblemKind::System,
            format!("{} cannot be written", file.display()),
        )
        .caused_by(&e)
    })?;
    output::print(&format!("{}\n", text::visible(&file.display().to_string())))?;
    Ok(0)
}

/// What is in it, and what is not and why.
fn manifest(gathered: &Gathered, now: Time) -> String {
    let mut out = format!(
        "Support bundle of snapdeck {}, {now:.0}\n\nIn it:\n",
        env!("CARGO_PKG_VERSION")
    );
    for item in &gathered.items {
        let _ = writeln!(
            out,
            "  {:<40} {:>8} B  {}",
            item.name,
            item.text.len(),
            item.about
        );
    }
    out.push_str("\nWithheld:\n");
    for (what, why) in &gathered.withheld {
        let _ = writeln!(out, "  {what}:\n    {why}");
    }
    out
}

/// Shows what would be written, and asks.
#[allow(clippy::print_stderr, reason = "questions go to standard error")]
fn confirm(manifest: &str, file: &Path, yes: bool) -> Result<(), Problem> {
    eprint!("{manifest}");
    if yes {
        return Ok(());
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(
            Problem::user("nothing is written before somebody has seen what is in it")
                .hint("look at it with --list and --show NAME, then say --yes"),
        );
    }
    eprint!(
        "\nwrite {}? [y/N] ",
        text::visible(&file.display().to_string())
    );
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    match stdin.lock().read_line(&mut line) {
        Ok(_) if ["y", "Y", "yes"].contains(&line.trim()) => Ok(()),
        _ => Err(Problem::user("nothing is written")),
    }
}

fn write(gathered: &Gathered, manifest: &str, now: Time, file: &Path) -> std::io::Result<()> {
    let out = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    let packed = flate2::write::GzEncoder::new(out, flate2::Compression::default());
    let mut archive = tar::Builder::new(packed);
    let all = gathered
        .items
        .iter()
        .map(|item| (item.name.as_str(), &item.text));
    let manifest = manifest.to_owned();
    for (name, text) in std::iter::once((MANIFEST, &manifest)).chain(all) {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(now.as_second()).unwrap_or(0));
        archive.append_data(
            &mut header,
            format!("snapdeck-support/{name}"),
            text.as_bytes(),
        )?;
    }
    archive.into_inner()?.finish()?.sync_all()
}
