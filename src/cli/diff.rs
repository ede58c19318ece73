//! `snapdeck diff`: where two points in time differ.

use std::sync::Arc;

use serde::Serialize;

use super::args::{DiffArgs, GlobalOptions};
use super::format::Format;
use super::open::{Purpose, open};
use super::output::{self, Row};
use crate::model::{Bytes, Problem, ProblemKind};
use crate::provider::{Difference, Resolver};

/// Lists the extents in which the second differs from the first.
#[allow(clippy::print_stderr, reason = "messages go to standard error")]
pub(super) async fn diff(options: &GlobalOptions, args: &DiffArgs) -> Result<u8, Problem> {
    let opened = open(options, Purpose::Look).await?;
    let reader = &*opened.connection.reader;
    let resolver = Resolver::new(reader);
    let from = resolver.find_content(&args.from).await?;
    let to = resolver.find_content(&args.to).await?;
    let difference = reader.difference(&from.reference(), &to.reference())?;
    let listed = tokio::task::spawn_blocking(move || list(&difference))
        .await
        .map_err(|e| Problem::new(ProblemKind::Bug, "the diff ended abruptly").caused_by(&e))?;
    let (from, to) = (from.full_name(), to.full_name());
    let found = Found {
        from,
        to,
        ..listed?
    };
    opened.close().await?;
    match args.output {
        Format::Table | Format::Csv => output::rows(&found.extents, args.output)?,
        Format::Json => output::print(&output::json(&found)?)?,
        Format::Yaml => output::print(&output::yaml(&found)?)?,
    }
    eprintln!("{}", found.summary());
    Ok(0)
}

/// What differs, as it is written.
#[derive(Default, Serialize)]
pub(super) struct Found {
    from: String,
    to: String,
    /// The sizes of the two, in bytes.
    from_size: u64,
    size: u64,
    /// Bytes that differ and hold data now, and such that read as zeroes now.
    data: u64,
    zero: u64,
    extents: Vec<Extent>,
}

impl Found {
    fn summary(&self) -> String {
        let mut text = format!(
            "{} of data and {} of zeroes differ, in {} extents",
            Bytes(self.data),
            Bytes(self.zero),
            self.extents.len()
        );
        if self.from_size != self.size {
            let (from, to) = (Bytes(self.from_size), Bytes(self.size));
            text.push_str(&format!("; the size goes from {from} to {to}"));
        }
        text
    }
}

/// A stretch that differs.
#[derive(Serialize)]
struct Extent {
    /// In bytes.
    offset: u64,
    length: u64,
    /// What it holds now: data, or zero.
    kind: &'static str,
}

impl Row for Extent {
    const HEADER: &'static [&'static str] = &["OFFSET", "LENGTH", "KIND"];

    const FIELDS: &'static [&'static str] = &["offset", "length", "kind"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.offset.to_string(),
            self.length.to_string(),
            self.kind.to_owned(),
        ]
    }
}

fn list(difference: &Arc<dyn Difference>) -> Result<Found, Problem> {
    let mut found = Found {
        from_size: difference.old_size(),
        size: difference.size(),
        ..Found::default()
    };
    let mut at = 0;
    while at < found.size {
        let changes = difference.changes(at)?;
        for range in changes.ranges {
            let (kind, sum) = match range.data {
                true => ("data", &mut found.data),
                false => ("zero", &mut found.zero),
            };
            *sum += range.length;
            match found.extents.last_mut() {
                // What was looked at in two calls is one.
                Some(last) if last.kind == kind && last.offset + last.length == range.offset => {
                    last.length += range.length;
                }
                _ => found.extents.push(Extent {
                    offset: range.offset,
                    length: range.length,
                    kind,
                }),
            }
        }
        at = changes.end;
    }
    Ok(found)
}
