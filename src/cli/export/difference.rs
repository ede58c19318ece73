//! Writing what changed as a difference.

use std::fs::File;
use std::io::{self, Read as _, Write};

use sha2::{Digest as _, Sha256};

use super::part::Output;
use super::progress::{Pace, Stopped};
use crate::engine::images::{DifferenceWriter, Seal};
use crate::model::Problem;
use crate::provider::{Changes, Content, Difference};

/// How much is read and written at once, in bytes.
const CHUNK: u64 = 1 << 20;

/// What a difference leads from and to.
pub(super) struct Ends {
    /// The name of the earlier snapshot.
    pub(super) from: Option<String>,
    /// The name of the later one.
    pub(super) to: Option<String>,
    /// The ids of both where they were first taken.
    pub(super) seal: Seal,
    /// What differs; none: all that there is does.
    pub(super) since: Option<std::sync::Arc<dyn Difference>>,
}

impl Ends {
    fn changes(&self, content: &dyn Content, offset: u64) -> Result<Changes, Problem> {
        if let Some(since) = &self.since {
            return since.changes(offset);
        }
        let mut ranges = content.ranges(offset)?;
        let end = ranges
            .last()
            .map_or(content.size(), |range| range.offset + range.length);
        ranges.retain(|range| range.data);
        Ok(Changes { ranges, end })
    }
}

/// The output from its first byte to its last.
struct Sequel<'a> {
    out: &'a mut Output,
    at: u64,
}

impl Write for Sequel<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.put(self.at, bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.end_at(self.at)
    }
}

/// Where an interrupted export goes on: in the disk, in the file, and with this digest.
#[derive(Clone, Default)]
pub(super) struct Begun {
    pub(super) position: u64,
    pub(super) length: u64,
    pub(super) digest: Sha256,
}

impl Begun {
    /// Holds the beginning of a part against its digest.
    pub(super) fn check(
        mut file: &File,
        position: u64,
        length: u64,
        digest: Option<&str>,
    ) -> io::Result<Option<Self>> {
        use std::io::Seek as _;
        file.rewind()?;
        let mut hash = Sha256::new();
        let mut left = length;
        let mut buffer = vec![0; CHUNK as usize];
        while left > 0 {
            let n = left.min(CHUNK) as usize;
            let part = buffer.get_mut(..n).unwrap_or_default();
            match file.read_exact(part) {
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                other => other?,
            }
            hash.update(&*part);
            left -= n as u64;
        }
        if digest != Some(&hex(&hash)) {
            return Ok(None);
        }
        // What was written behind it and not kept is written again.
        file.set_len(length)?;
        Ok(Some(Self {
            position,
            length,
            digest: hash,
        }))
    }
}

fn hex(hash: &Sha256) -> String {
    let digest = hash.clone().finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the difference from where it was left.
pub(super) fn write(
    content: &dyn Content,
    ends: &Ends,
    from: &Begun,
    out: &mut Output,
    pace: &mut Pace<'_>,
) -> Result<u64, Stopped> {
    let size = content.size();
    let place = out.part().map(|part| part.place().to_owned());
    let failed = |e| Stopped::Problem(Output::failure(place.as_deref(), &e));
    let begun = if from.position == 0 {
        let sequel = Sequel { out, at: 0 };
        DifferenceWriter::begin(sequel, ends.from.as_deref(), ends.to.as_deref(), size)
    } else {
        let at = from.length;
        let sequel = Sequel { out, at };
        Ok(DifferenceWriter::go_on(sequel, from.digest.clone(), at))
    };
    let mut writer = begun.map_err(failed)?;
    let mut buffer = vec![0; CHUNK as usize];
    let mut at = from.position;
    while at < size {
        let changes = ends.changes(content, at)?;
        for range in changes.ranges {
            let (mut place, end) = (range.offset, range.offset + range.length);
            while place < end {
                let n = match range.data {
                    true => CHUNK.min(end - place),
                    false => end - place,
                };
                let written = match buffer.get_mut(..n as usize) {
                    Some(part) if range.data => {
                        content.read(place, part)?;
                        writer.data(place, part)
                    }
                    _ => writer.zeroes(place, n),
                };
                written.map_err(failed)?;
                place += n;
                pace.digest = Some(hex(writer.digest()));
                let (length, data) = (writer.length(), if range.data { n } else { 0 });
                pace.moved(place, data, length, writer.output().out)?;
            }
        }
        at = changes.end;
    }
    writer.end(&ends.seal).map_err(failed)?;
    Ok(size)
}
