//! What differs between two points in time, over the socket.

use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::path::Path;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::content::{ask, bare, blocking, connect, ranges};
use super::host::say;
use super::wire::{LINE, Reply, Request, Sizes, WireChanges};
use crate::model::{ObjectRef, Problem};
use crate::provider::{Changes, Difference, Reader};

/// Answers until the peer is gone.
pub(super) async fn serve_difference(
    input: &mut tokio::io::BufReader<OwnedReadHalf>,
    to: &mut OwnedWriteHalf,
    reader: &dyn Reader,
    (from, until): (&ObjectRef, &ObjectRef),
) -> std::io::Result<()> {
    let difference = match reader.difference(from, until) {
        Ok(difference) => difference,
        Err(problem) => return say(to, &Reply::<()>::Failed(problem)).await,
    };
    let sizes = Sizes(difference.old_size(), difference.size());
    say(to, &Reply::Item(sizes)).await?;
    let mut line = String::new();
    loop {
        line.clear();
        if (&mut *input).take(LINE).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let Ok(offset) = line.trim().parse::<u64>() else {
            let problem = Problem::user("the call is not understood");
            return say(to, &Reply::<()>::Failed(problem)).await;
        };
        let difference = difference.clone();
        match blocking(move || difference.changes(offset)).await? {
            Ok(changes) => {
                let ranges = bare(&changes.ranges);
                let end = changes.end;
                say(to, &Reply::Item(WireChanges { ranges, end })).await?;
            }
            Err(problem) => say(to, &Reply::<()>::Failed(problem)).await?,
        }
    }
}

/// A difference that another process tells. One call at a time.
pub(super) struct AttachedDifference {
    sizes: Sizes,
    stream: Mutex<BufReader<UnixStream>>,
}

impl AttachedDifference {
    /// What differs in `until` from `from`, in the store in `dir`.
    pub(super) fn open(dir: &Path, from: &ObjectRef, until: &ObjectRef) -> Result<Self, Problem> {
        let mut stream = connect(dir)?;
        let request = Request::Difference {
            from: from.clone(),
            to: until.clone(),
        };
        Ok(Self {
            sizes: ask(&mut stream, &request)?,
            stream: Mutex::new(stream),
        })
    }
}

impl Difference for AttachedDifference {
    fn old_size(&self) -> u64 {
        self.sizes.0
    }

    fn size(&self) -> u64 {
        self.sizes.1
    }

    fn changes(&self, offset: u64) -> Result<Changes, Problem> {
        let changes: WireChanges = ask(&mut self.stream.lock(), &offset)?;
        Ok(Changes {
            ranges: ranges(changes.ranges),
            end: changes.end,
        })
    }
}
