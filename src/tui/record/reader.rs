//! Reads a recording.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use super::{Entry, FORM, Header};
use crate::model::{Problem, ProblemKind};
use crate::tui::event::Event;
use crate::tui::state::Beginning;

/// No terminal is larger; what says so is no recording of one.
const LARGEST: (u16, u16) = (2_000, 1_000);

/// A recording, whole.
#[derive(Debug)]
pub(crate) struct Recording {
    /// The version of the program that wrote it.
    pub(crate) program: String,
    /// What the console began with.
    pub(crate) beginning: Beginning,
    /// What happened, in its order.
    pub(crate) entries: Vec<Entry>,
    /// The last line is cut short: whoever wrote it was ended in the middle.
    pub(crate) cut: bool,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read or is no recording, with the line.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let wrong =
            |what: &str| Problem::new(ProblemKind::Config, format!("{} {what}", path.display()));
        let file = std::fs::File::open(path).map_err(|e| wrong("cannot be read").caused_by(&e))?;
        let mut lines = BufReader::new(file).split(b'\n');
        let first = match lines.next() {
            Some(line) => line.map_err(|e| wrong("cannot be read").caused_by(&e))?,
            None => return Err(wrong("is empty")),
        };
        let header = header(&first).map_err(|e| wrong("is no recording").because(e))?;
        let mut recording = Self {
            program: header.program,
            beginning: header.beginning,
            entries: Vec::new(),
            cut: false,
        };
        let mut lines = lines.zip(2u64..).peekable();
        while let Some((line, number)) = lines.next() {
            let line = line.map_err(|e| wrong("cannot be read").caused_by(&e))?;
            match entry(&line) {
                Ok(entry) => recording.entries.push(entry),
                Err(_) if lines.peek().is_none() => recording.cut = true,
                Err(e) => {
                    return Err(wrong(&format!("is damaged at line {number}")).because(e));
                }
            }
        }
        recording
            .check_sizes()
            .map_err(|e| wrong("is damaged").because(e))?;
        Ok(recording)
    }

    fn check_sizes(&self) -> Result<(), String> {
        fn resized(event: &Event) -> Option<(u16, u16)> {
            match event {
                Event::Resize(width, height) => Some((*width, *height)),
                Event::Tab(_, event) => resized(event),
                _ => None,
            }
        }
        let entries = self.entries.iter();
        let resized = entries.filter_map(|entry| resized(&entry.event));
        for (width, height) in std::iter::once(self.beginning.size).chain(resized) {
            if width > LARGEST.0 || height > LARGEST.1 {
                return Err(format!("no terminal has {width}x{height}"));
            }
        }
        Ok(())
    }
}

fn header(line: &[u8]) -> Result<Header, String> {
    let value: serde_json::Value = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    match value
        .get("snapdeck-recording")
        .and_then(serde_json::Value::as_u64)
    {
        Some(form) if form == u64::from(FORM) => {}
        Some(form) => return Err(format!("it has form {form}, and this program reads {FORM}")),
        None => return Err("its first line does not say that it is one".to_owned()),
    }
    serde_json::from_value(value).map_err(|e| e.to_string())
}

fn entry(line: &[u8]) -> Result<Entry, String> {
    serde_json::from_slice(line).map_err(|e| e.to_string())
}
