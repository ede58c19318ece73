//! The server: takes connections, gives each its threads, and ends them in good order.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::event::{PollFd, PollFlags, poll};

use super::budget::Budget;
use super::buffers::Buffers;
use super::connection::{self, Shared};
use super::export::Export;
use super::limits::{BUDGET, CONNECTIONS, GRACE};
use super::listen::Listener;
use super::stream::Stream;

/// Serves one export over NBD until it is stopped.
pub struct Server {
    inner: Arc<Inner>,
    /// Becomes readable when the server is to stop.
    stopped: UnixStream,
}

/// Stops a server, from any thread.
pub struct Stopper {
    inner: Arc<Inner>,
    stop: UnixStream,
}

struct Inner {
    shared: Shared,
    clients: Mutex<HashMap<u64, Arc<Stream>>>,
    left: Condvar,
}

impl Server {
    /// A server of `export`; `note` is told what an administrator should know: connections that
    /// ended badly, and the first trouble of each with the store.
    ///
    /// # Errors
    /// Those of the system.
    pub fn new(
        export: Export,
        note: Box<dyn Fn(&str) + Send + Sync>,
    ) -> io::Result<(Self, Stopper)> {
        let (stopped, stop) = UnixStream::pair()?;
        let inner = Arc::new(Inner {
            shared: Shared {
                export,
                budget: Budget::new(BUDGET),
                buffers: Buffers::default(),
                stopping: AtomicBool::new(false),
                note,
            },
            clients: Mutex::default(),
            left: Condvar::new(),
        });
        let stopper = Stopper {
            inner: inner.clone(),
            stop,
        };
        Ok((Self { inner, stopped }, stopper))
    }

    /// Takes connections until it is stopped; requests under way are finished then, and all is
    /// flushed. The store stays open.
    ///
    /// # Errors
    /// Those of waiting for connections, and of the last flush.
    pub fn run(&self, listener: Listener) -> io::Result<()> {
        let served = self.accept(&listener);
        // Nobody is to connect any more.
        drop(listener);
        self.inner.shared.stopping.store(true, Ordering::Release);
        self.inner.see_off();
        served?;
        let export = &self.inner.shared.export;
        if export.read_only {
            return Ok(());
        }
        export.store.flush().map_err(io::Error::other)
    }

    fn accept(&self, listener: &Listener) -> io::Result<()> {
        let mut next = 0;
        loop {
            let mut waiting = [
                PollFd::new(listener, PollFlags::IN),
                PollFd::new(&self.stopped, PollFlags::IN),
            ];
            match poll(&mut waiting, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other?,
            };
            if !waiting[1].revents().is_empty() {
                return Ok(());
            }
            match listener.accept() {
                Ok(Some(stream)) => {
                    next += 1;
                    self.begin(next, stream);
                }
                Ok(None) => {}
                Err(e) => {
                    // Mostly too many open files: others go on, and it passes.
                    (self.inner.shared.note)(&format!("a connection could not be taken: {e}"));
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
        }
    }

    fn begin(&self, id: u64, stream: Stream) {
        let stream = Arc::new(stream);
        {
            let mut clients = self.inner.clients.lock();
            if clients.len() >= CONNECTIONS {
                drop(clients);
                (self.inner.shared.note)("a connection was refused: there are too many");
                return;
            }
            clients.insert(id, stream.clone());
        }
        let inner = self.inner.clone();
        let started = std::thread::Builder::new()
            .name(format!("nbd {id}"))
            .spawn(move || {
                let _leaving = Leaving { inner: &inner, id };
                if let Err(e) = connection::serve(&stream, &inner.shared)
                    && !is_departure(&e)
                    && !inner.shared.stopping.load(Ordering::Acquire)
                {
                    (inner.shared.note)(&format!("connection {id} was ended: {e}"));
                }
            });
        if let Err(e) = started {
            (self.inner.shared.note)(&format!("connection {id} could not be served: {e}"));
            self.inner.clients.lock().remove(&id);
        }
    }
}

/// Whether a client just went away, as many do.
fn is_departure(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::NotConnected
    )
}

/// Takes a client off the list, however its thread ends.
struct Leaving<'a> {
    inner: &'a Inner,
    id: u64,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if let Some(stream) = self.inner.clients.lock().remove(&self.id) {
            stream.shut(Shutdown::Both);
        }
        self.inner.left.notify_all();
    }
}

impl Inner {
    /// Lets clients take the replies to what they asked before, then ends their connections.
    fn see_off(&self) {
        let mut clients = self.clients.lock();
        for stream in clients.values() {
            stream.shut(Shutdown::Read);
        }
        let until = Instant::now() + GRACE;
        while !clients.is_empty() {
            if self.left.wait_until(&mut clients, until).timed_out() {
                break;
            }
        }
        for stream in clients.values() {
            stream.shut(Shutdown::Both);
        }
        while !clients.is_empty() {
            self.left.wait(&mut clients);
        }
    }
}

impl Stopper {
    /// Stops the server: requests that arrive from now on are refused.
    pub fn stop(&self) {
        self.inner.shared.stopping.store(true, Ordering::Release);
        // It is full only if it was told already.
        let _ = (&self.stop).write(&[1]);
    }
}
