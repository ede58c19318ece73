//! Writing a volume or a snapshot as an image, raw or qcow2.

use super::part::Output;
use super::progress::{Pace, Stopped};
use crate::engine::images::{Format, Origin, Qcow2Packer, Qcow2Writer, Run, WriteError, data_runs};
use crate::model::Problem;
use crate::provider::Content;

/// How much is read and written at once, in bytes.
const CHUNK: u64 = 1 << 20;
/// A hole of a raw image is a whole number of these, in bytes.
const BLOCK: u64 = 4096;

/// The bytes of a volume or a snapshot, for an image.
pub(super) struct Bytes<'a>(pub(super) &'a dyn Content);

impl Origin for Bytes<'_> {
    type Error = Problem;

    fn size(&self) -> u64 {
        self.0.size()
    }

    fn runs(&self, offset: u64) -> Result<Vec<Run>, Problem> {
        let ranges = self.0.ranges(offset)?;
        let runs = ranges.into_iter().map(|range| Run {
            offset: range.offset,
            length: range.length,
            data: range.data,
        });
        Ok(runs.collect())
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Problem> {
        self.0.read(offset, buffer)
    }
}

/// Writes the image from `from` on; what is before it is there. Returns the length of the file.
pub(super) fn write(
    content: &dyn Content,
    format: Format,
    from: u64,
    out: &mut Output,
    pace: &mut Pace<'_>,
) -> Result<u64, Stopped> {
    let origin = Bytes(content);
    let (cluster, mut host, length, writer) = match format {
        Format::Raw => (BLOCK, None, content.size(), None),
        Format::Qcow2 => {
            let writer = Qcow2Writer::new(&origin)?;
            let host = writer.data_offset(&origin, from)?;
            let length = writer.file_length();
            (Qcow2Writer::CLUSTER, Some(host), length, Some(writer))
        }
    };
    if let (Some(writer), 0) = (&writer, from) {
        let put = &mut |offset, bytes: &[u8]| out.put(offset, bytes);
        match writer.metadata(&origin, put) {
            Ok(()) => {}
            Err(WriteError::Origin(problem)) => return Err(problem.into()),
            Err(WriteError::Output(e)) => return Err(out.failed(&e).into()),
        }
    }
    let mut buffer = vec![0; CHUNK as usize];
    data_runs(&origin, cluster, from, &mut |offset, length| {
        let (mut at, end) = (offset, offset + length);
        while at < end {
            let n = CHUNK.min(end - at);
            let Some(part) = buffer.get_mut(..n as usize) else {
                break;
            };
            content.read(at, part)?;
            let place = host.unwrap_or(at);
            out.put(place, part).map_err(|e| out.failed(&e))?;
            at += n;
            host = host.map(|host| host + n.next_multiple_of(cluster));
            pace.moved(at, n, 0, out)?;
        }
        Ok::<(), Stopped>(())
    })?;
    out.end_at(length).map_err(|e| out.failed(&e))?;
    Ok(length)
}

/// Writes a qcow2 image with compressed clusters.
pub(super) fn pack(
    content: &dyn Content,
    out: &mut Output,
    pace: &mut Pace<'_>,
) -> Result<u64, Stopped> {
    let out = std::cell::RefCell::new(out);
    let length = Qcow2Packer::write(
        &Bytes(content),
        &mut |offset, bytes: &[u8]| out.borrow_mut().put(offset, bytes),
        &|e| Stopped::Problem(out.borrow().failed(&e)),
        &mut |at, data| pace.moved(at, data, 0, &out.borrow()),
    )?;
    let out = out.into_inner();
    out.end_at(length).map_err(|e| out.failed(&e))?;
    Ok(length)
}

/// Whether the last data before `position` is in the file as it is in the snapshot.
pub(super) fn ends_as_said(
    content: &dyn Content,
    format: Format,
    position: u64,
    file: &std::fs::File,
) -> Result<bool, Problem> {
    use std::os::unix::fs::FileExt as _;
    // A part ends at a whole cluster, or at the end.
    let from = position.saturating_sub(1) / Qcow2Writer::CLUSTER * Qcow2Writer::CLUSTER;
    let length = (position - from) as usize;
    let place = match format {
        Format::Raw => from,
        Format::Qcow2 => {
            let origin = Bytes(content);
            Qcow2Writer::new(&origin)?.data_offset(&origin, from)?
        }
    };
    let (mut ours, mut theirs) = (vec![0; length], vec![0; length]);
    content.read(from, &mut ours)?;
    Ok(file.read_exact_at(&mut theirs, place).is_ok() && ours == theirs)
}
