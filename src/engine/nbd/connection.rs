//! One client's connection in the transmission phase.
//!
//! Each thread takes what has arrived, carries it out and sends the replies: requests that came
//! together are answered together. As long as everything is in memory one thread does it all.
//! Once something takes longer than that, or much is to be copied, another takes what comes next,
//! and more come as they are needed, so that a request that waits for the disk holds up at most
//! those it came with; of those, reads that would wait are begun together, and answered after
//! what is at hand. A client that sends nothing
//! while it waits for a reply is served by one thread all along.

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread::Scope;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::budget::{Budget, Share};
use super::buffers::{Buffer, Buffers};
use super::execute::{Outcome, Refusal, execute};
use super::export::Export;
use super::handshake::{Agreed, negotiate};
use super::input::Input;
use super::limits::{BATCH, PATIENCE, READ_AHEAD, REPLIES, THREADS};
use super::request::{Header, Request, is_whole, read_header, read_payload};
use super::stream::Stream;
use super::wire::{command, command_flag};

/// Requests with more bytes of data than this come alone, and take their share of the budget.
const SMALL: u64 = 16 << 10;

/// Requests that took long and were alone, after which it is expected of the next too.
const LONELY: u32 = 8;

/// Bytes that the chunks of a long reply take besides their data, mostly.
const OVERHEAD: usize = 4 << 10;

/// What the connections of a server share.
pub(super) struct Shared {
    pub(super) export: Export,
    pub(super) budget: Budget,
    pub(super) buffers: Buffers,
    /// Requests that arrive from now on are refused.
    pub(super) stopping: AtomicBool,
    /// Told what an administrator should know.
    pub(super) note: Box<dyn Fn(&str) + Send + Sync>,
}

/// The receiving side. Whoever holds it takes the next requests.
struct Receiver<'a> {
    input: Input<&'a Stream>,
    ended: bool,
}

struct Connection<'a> {
    shared: &'a Shared,
    agreed: Agreed,
    stream: &'a Stream,
    receiver: Mutex<Receiver<'a>>,
    sender: Mutex<()>,
    /// The requests before took no longer than what is in memory takes.
    fast: AtomicBool,
    /// Requests in a row that took long, and the client sent nothing meanwhile.
    lonely: AtomicU32,
    /// Times that requests were taken.
    arrivals: AtomicU64,
    /// Threads that there are, and those of them that wait for requests.
    threads: AtomicUsize,
    waiting: AtomicUsize,
    /// What ended the connection, where another thread met it than the first.
    trouble: Mutex<Option<io::Error>>,
    /// What went wrong on this side was told once already.
    told: AtomicBool,
}

/// Requests that a thread took, and the memory they may use.
struct Taken<'a> {
    requests: Vec<Request>,
    share: Option<Share<'a>>,
}

/// Serves a client until it leaves.
///
/// # Errors
/// What ended the connection, if it was not the client's wish.
pub(super) fn serve(stream: &Stream, shared: &Shared) -> io::Result<()> {
    stream.prepare(PATIENCE)?;
    let mut input = Input::new(stream, READ_AHEAD);
    let Some(agreed) = negotiate(&mut input, stream, &shared.export)? else {
        return Ok(());
    };
    let connection = Connection {
        shared,
        agreed,
        stream,
        receiver: Mutex::new(Receiver {
            input,
            ended: false,
        }),
        sender: Mutex::new(()),
        fast: AtomicBool::new(true),
        lonely: AtomicU32::new(0),
        arrivals: AtomicU64::new(0),
        threads: AtomicUsize::new(1),
        waiting: AtomicUsize::new(0),
        trouble: Mutex::new(None),
        told: AtomicBool::new(false),
    };
    let served = std::thread::scope(|scope| connection.work(scope));
    served.and(connection.trouble.into_inner().map_or(Ok(()), Err))
}

/// Ends the connection where a fault of ours would leave a request without an answer.
struct Unanswered<'a>(&'a Stream);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.shut(Shutdown::Both);
        }
    }
}

impl<'a> Connection<'a> {
    /// Sees that somebody waits for requests while the caller is busy. Where no thread can be made,
    /// the caller takes them itself when it is done.
    fn call<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        let one_more = |n| (n < THREADS).then_some(n + 1);
        let (after, before) = (Ordering::AcqRel, Ordering::Acquire);
        if self.waiting.load(before) > 0
            || (self.threads.fetch_update(after, before, one_more)).is_err()
        {
            return;
        }
        let work = || {
            if let Err(e) = self.work(scope) {
                self.trouble.lock().get_or_insert(e);
            }
        };
        let name = "nbd".to_owned();
        // Those that there are go on by themselves.
        let _ = std::thread::Builder::new()
            .name(name)
            .spawn_scoped(scope, work);
    }

    /// Takes requests and answers them until there are no more.
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) -> io::Result<()> {
        let _unanswered = Unanswered(self.stream);
        let mut replies = Buffer::default();
        let mut held = None;
        loop {
            let mut receiver = held.take().unwrap_or_else(|| {
                self.waiting.fetch_add(1, Ordering::AcqRel);
                let receiver = self.receiver.lock();
                self.waiting.fetch_sub(1, Ordering::AcqRel);
                receiver
            });
            let taken = match self.take(&mut receiver) {
                Ok(Some(taken)) => taken,
                Ok(None) => return Ok(()),
                Err(e) => {
                    drop(receiver);
                    self.end();
                    return Err(e);
                }
            };
            // While all goes fast, or the client waits for each reply, one thread does it all:
            // waking another would take longer.
            let slow = taken.share.is_some() || taken.requests.iter().any(|r| is_slow(&r.header));
            let alone = self.fast.load(Ordering::Relaxed) && !slow
                || self.lonely.load(Ordering::Relaxed) >= LONELY;
            let arrivals = self.arrivals.load(Ordering::Relaxed);
            if alone {
                held = Some(receiver);
            } else {
                drop(receiver);
                self.call(scope);
            }
            let allowed: Duration = taken.requests.iter().map(|r| fast(&r.header)).sum();
            let begun = Instant::now();
            let done = self.answer(&taken, &mut replies).and_then(|()| {
                let fast = begun.elapsed() <= allowed;
                self.fast.store(fast, Ordering::Relaxed);
                if slow || !fast {
                    // Before the replies are sent: what has come by now did not wait for them.
                    let more = match &held {
                        Some(receiver) => self.has_more(receiver),
                        None => self.arrivals.load(Ordering::Relaxed) != arrivals,
                    };
                    if more {
                        self.lonely.store(0, Ordering::Relaxed);
                    } else {
                        self.lonely.fetch_add(1, Ordering::Relaxed);
                    }
                }
                self.send(&mut replies)?;
                for request in taken.requests {
                    self.shared.buffers.put(request.payload);
                }
                Ok(())
            });
            if let Err(e) = done {
                drop(held);
                self.end();
                return Err(e);
            }
        }
    }

    /// Whether the client has sent more than was taken.
    fn has_more(&self, receiver: &Receiver<'_>) -> bool {
        let mut waiting = [PollFd::new(self.stream, PollFlags::IN)];
        !receiver.input.at_hand().is_empty()
            || poll(&mut waiting, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// Wakes the thread that waits for requests; no more are taken.
    fn end(&self) {
        self.stream.shut(Shutdown::Both);
        self.receiver.lock().ended = true;
    }

    /// The next requests; none when the client has left.
    fn take(&self, receiver: &mut Receiver<'a>) -> io::Result<Option<Taken<'a>>> {
        if receiver.ended {
            return Ok(None);
        }
        let first = match receiver.input.wait() {
            Ok(true) => read_header(&mut receiver.input),
            Ok(false) => {
                receiver.ended = true;
                return Ok(None);
            }
            Err(e) => Err(e),
        };
        self.arrivals.fetch_add(1, Ordering::Relaxed);
        let taken = first.and_then(|header| self.take_from(receiver, header));
        if taken.is_err() {
            receiver.ended = true;
        }
        taken
    }

    fn take_from(
        &self,
        receiver: &mut Receiver<'a>,
        first: Header,
    ) -> io::Result<Option<Taken<'a>>> {
        let mut taken = Taken {
            requests: Vec::new(),
            share: None,
        };
        let mut header = first;
        loop {
            if header.kind == command::DISC {
                receiver.ended = true;
                break;
            }
            let large = header.memory() > SMALL;
            if large {
                taken.share = Some(self.shared.budget.take(header.memory()));
            }
            let request = read_payload(&mut receiver.input, header, &self.shared.buffers)?;
            taken.requests.push(request);
            if large || taken.requests.len() == BATCH {
                break;
            }
            match is_whole(&receiver.input) {
                Some(next) if next.memory() <= SMALL => {}
                _ => break,
            }
            header = read_header(&mut receiver.input)?;
        }
        Ok(Some(taken))
    }

    /// Carries out what was taken. Replies that were not sent yet are left in `replies`.
    fn answer(&self, taken: &Taken<'_>, replies: &mut Buffer) -> io::Result<()> {
        if taken.share.is_some() && replies.room() < REPLIES {
            // A long reply; its memory goes back when it is sent.
            let reads = |r: &&Request| r.header.kind == command::READ;
            if let Some(long) = taken.requests.first().filter(reads) {
                let length = long.header.memory() as usize + OVERHEAD;
                *replies = self.shared.buffers.take(length);
            }
        }
        let mut later = Vec::new();
        for request in &taken.requests {
            if is_slow(&request.header) && !replies.is_empty() {
                // What is done does not wait for what is not.
                self.send(replies)?;
            }
            if !self.do_one(request, replies, taken.requests.len() == 1)? {
                later.push(request);
            }
        }
        if !later.is_empty() {
            self.send(replies)?;
        }
        for request in later {
            self.do_one(request, replies, true)?;
        }
        Ok(())
    }

    /// Carries out one request; false if it was put off, since it would have to wait.
    fn do_one(&self, request: &Request, replies: &mut Buffer, wait: bool) -> io::Result<bool> {
        let (export, header) = (&self.shared.export, &request.header);
        if self.shared.stopping.load(Ordering::Acquire) {
            Refusal::shutting_down().reply(replies, header, &self.agreed);
            return Ok(true);
        }
        match execute(export, &self.agreed, request, replies, wait) {
            Outcome::Later => return Ok(false),
            Outcome::Replied(None) => {}
            Outcome::Replied(Some(refusal)) => {
                if let Some(words) = refusal.trouble()
                    && !self.told.swap(true, Ordering::Relaxed)
                {
                    (self.shared.note)(words);
                }
            }
        }
        if replies.len() >= REPLIES {
            self.send(replies)?;
        }
        Ok(true)
    }

    fn send(&self, replies: &mut Buffer) -> io::Result<()> {
        if replies.is_empty() {
            return Ok(());
        }
        let sending = self.sender.lock();
        let mut stream = self.stream;
        let sent = stream.write_all(replies.bytes());
        drop(sending);
        replies.truncate(0);
        if replies.room() > REPLIES {
            self.shared.buffers.put(std::mem::take(replies));
        }
        sent
    }
}

/// What a request takes whose blocks are in memory, on a machine that is not idle.
fn fast(header: &Header) -> Duration {
    Duration::from_micros(50) + Duration::from_nanos(header.memory())
}

/// Whether a request may take much longer than those before it.
fn is_slow(header: &Header) -> bool {
    header.flags & command_flag::FUA != 0 || !matches!(header.kind, command::READ | command::WRITE)
}
