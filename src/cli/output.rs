//! Rows for people, and for programs.

use std::io::Write as _;

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use super::format::Format;
use super::text;
use crate::model::{Problem, ProblemKind};

/// A thing that can be a row of a table.
pub(super) trait Row: Serialize {
    /// The titles of the columns.
    const HEADER: &'static [&'static str];

    /// The fields that CSV has, named as in the JSON.
    const FIELDS: &'static [&'static str];

    /// The cells, one for each column.
    fn cells(&self) -> Vec<String>;
}

/// Writes rows to standard output.
pub(super) fn rows<R: Row>(rows: &[R], format: Format) -> Result<(), Problem> {
    let text = match format {
        Format::Table => table(rows),
        Format::Json => json(rows)?,
        Format::Yaml => yaml(rows)?,
        Format::Csv => csv_text(rows)?,
    };
    print(&text)
}

/// JSON with a line's end.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Problem> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|e| Problem::new(ProblemKind::Bug, "the result cannot be written").caused_by(&e))
}

/// YAML.
pub(super) fn yaml<T: Serialize + ?Sized>(value: &T) -> Result<String, Problem> {
    serde_norway::to_string(value)
        .map_err(|e| Problem::new(ProblemKind::Bug, "the result cannot be written").caused_by(&e))
}

/// Writes to standard output. A reader that has gone away (`| head`) is no problem.
pub(super) fn print(text: &str) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Problem::new(
            ProblemKind::System,
            "the result cannot be written to standard output",
        )
        .caused_by(&e)),
        _ => Ok(()),
    }
}

fn table<R: Row>(rows: &[R]) -> String {
    let mut lines: Vec<Vec<String>> = vec![R::HEADER.iter().map(|h| (*h).to_owned()).collect()];
    for row in rows {
        lines.push(row.cells().iter().map(|cell| text::visible(cell)).collect());
    }
    let widths: Vec<usize> = (0..R::HEADER.len())
        .map(|n| {
            let cells = lines.iter().filter_map(|line| line.get(n));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        })
        .collect();
    let mut out = String::new();
    for line in lines {
        let mut shown = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            shown.push_str(cell);
            shown.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        out.push_str(shown.trim_end());
        out.push('\n');
    }
    out
}

fn csv_text<R: Row>(rows: &[R]) -> Result<String, Problem> {
    let failed = |e: &dyn std::fmt::Display| {
        Problem::new(ProblemKind::Bug, "the result cannot be written").because(e.to_string())
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(R::FIELDS).map_err(|e| failed(&e))?;
    for row in rows {
        let value = serde_json::to_value(row).map_err(|e| failed(&e))?;
        let cells = R::FIELDS.iter().map(|field| match &value[*field] {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        writer.write_record(cells).map_err(|e| failed(&e))?;
    }
    let bytes = writer.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}
