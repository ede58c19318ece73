//! The bytes of volumes and snapshots over the socket.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::host::say;
use super::socket::Place;
use super::wire::{ContentCall, LINE, Reply, Request};
use crate::model::{ObjectRef, Problem, ProblemKind};
use crate::provider::{Content, DataRange, Reader};

/// The most bytes of one read.
const READ: u64 = 16 << 20;

/// Answers calls until the peer is gone.
pub(super) async fn serve_content(
    from: &mut tokio::io::BufReader<OwnedReadHalf>,
    to: &mut OwnedWriteHalf,
    reader: &dyn Reader,
    object: &ObjectRef,
) -> std::io::Result<()> {
    let content = match reader.content(object) {
        Ok(content) => content,
        Err(problem) => return say(to, &Reply::<()>::Failed(problem)).await,
    };
    say(to, &Reply::Item(content.size())).await?;
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut *from).take(LINE).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let content = content.clone();
        match serde_json::from_str(&line) {
            Ok(ContentCall::Ranges(offset)) => {
                let work = move || content.ranges(offset);
                match blocking(work).await? {
                    Ok(ranges) => say(to, &Reply::Item(bare(&ranges))).await?,
                    Err(problem) => say(to, &Reply::<()>::Failed(problem)).await?,
                }
            }
            Ok(ContentCall::Read(offset, length)) if length <= READ => {
                let work = move || {
                    let mut buffer = vec![0; length as usize];
                    content.read(offset, &mut buffer).map(|()| buffer)
                };
                match blocking(work).await? {
                    Ok(buffer) => {
                        say(to, &Reply::Item(length)).await?;
                        to.write_all(&buffer).await?;
                    }
                    Err(problem) => say(to, &Reply::<()>::Failed(problem)).await?,
                }
            }
            _ => {
                let problem = Problem::user("the call is not understood");
                return say(to, &Reply::<()>::Failed(problem)).await;
            }
        }
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(std::io::Error::other)
}

/// The content of a thing that another process has open. One call at a time.
pub(super) struct AttachedContent {
    size: u64,
    stream: Mutex<BufReader<UnixStream>>,
}

/// A connection to the process that has the store in `dir`.
pub(super) fn connect(dir: &Path) -> Result<BufReader<UnixStream>, Problem> {
    let place = Place::of(dir).map_err(|e| lost(&e))?;
    let stream = UnixStream::connect(&place.path).map_err(|e| lost(&e))?;
    Ok(BufReader::new(stream))
}

/// Runs as they are sent.
pub(super) fn bare(ranges: &[DataRange]) -> Vec<(u64, u64, bool)> {
    ranges
        .iter()
        .map(|r| (r.offset, r.length, r.data))
        .collect()
}

/// Runs as they were sent.
pub(super) fn ranges(bare: Vec<(u64, u64, bool)>) -> Vec<DataRange> {
    let range = |(offset, length, data)| DataRange {
        offset,
        length,
        data,
    };
    bare.into_iter().map(range).collect()
}

impl AttachedContent {
    /// Opens the content of `object` of the store in `dir`.
    pub(super) fn open(dir: &Path, object: &ObjectRef) -> Result<Self, Problem> {
        let mut stream = connect(dir)?;
        let size = ask(&mut stream, &Request::Content(object.clone()))?;
        Ok(Self {
            size,
            stream: Mutex::new(stream),
        })
    }
}

/// What is said when the process that has the store does not answer any more.
pub(super) fn lost(error: &(dyn std::error::Error + 'static)) -> Problem {
    Problem::new(
        ProblemKind::Network,
        "the program that has the store open does not answer any more",
    )
    .caused_by(error)
    .hint("start again: the store is free when that program has ended")
}

/// Says a line, and reads the line that answers it.
pub(super) fn ask<Q: serde::Serialize, T: serde::de::DeserializeOwned>(
    stream: &mut BufReader<UnixStream>,
    question: &Q,
) -> Result<T, Problem> {
    let mut line = serde_json::to_string(question).map_err(|e| lost(&e))?;
    line.push('\n');
    stream
        .get_mut()
        .write_all(line.as_bytes())
        .map_err(|e| lost(&e))?;
    line.clear();
    let read = (&mut *stream).take(LINE).read_line(&mut line);
    read.map_err(|e| lost(&e))?;
    match serde_json::from_str(&line).map_err(|e| lost(&e))? {
        Reply::Item(item) => Ok(item),
        Reply::Failed(problem) => Err(problem),
        Reply::End => Err(lost(&std::io::Error::other("the answer is empty"))),
    }
}

impl Content for AttachedContent {
    fn size(&self) -> u64 {
        self.size
    }

    fn ranges(&self, offset: u64) -> Result<Vec<DataRange>, Problem> {
        let mut stream = self.stream.lock();
        Ok(ranges(ask(&mut stream, &ContentCall::Ranges(offset))?))
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Problem> {
        let mut stream = self.stream.lock();
        let mut at = offset;
        for part in buffer.chunks_mut(READ as usize) {
            let _: u64 = ask(&mut stream, &ContentCall::Read(at, part.len() as u64))?;
            stream.read_exact(part).map_err(|e| lost(&e))?;
            at += part.len() as u64;
        }
        Ok(())
    }
}
