//! What one client may ask for: all that is read from the network is bounded by these.

use std::time::Duration;

/// Bytes of an option's data. A longer one is read over and refused.
pub(super) const OPTION_BYTES: u32 = 64 << 10;
/// Bytes of an option's data beyond which the connection is ended.
pub(super) const OPTION_BYTES_READ_OVER: u32 = 4 << 20;
/// Options of one handshake.
pub(super) const OPTIONS: usize = 1000;
/// Metadata contexts that one connection may select.
pub(super) const CONTEXTS: usize = 16;
/// Metadata contexts that are listed in one answer.
pub(super) const LISTED: usize = 1000;
/// Descriptors of one answer to `BLOCK_STATUS`, for each context.
pub(super) const DESCRIPTORS: usize = 4096;
/// Bytes of a volume that are looked into at a time for `BLOCK_STATUS`.
pub(super) const STATUS_WINDOW: u64 = 256 << 20;
/// Bytes of a message that goes with an error.
pub(super) const MESSAGE: usize = 512;

/// Threads of one connection at most: so many requests of it are carried out at once.
pub(super) const THREADS: usize = 4;
/// Requests that a thread takes in one go, of those that have arrived already.
pub(super) const BATCH: usize = 8;
/// Bytes that a connection reads ahead.
pub(super) const READ_AHEAD: usize = 256 << 10;
/// Bytes of replies that are put together before they are sent.
pub(super) const REPLIES: usize = 256 << 10;
/// Bytes of payload and replies of all connections together.
pub(super) const BUDGET: u64 = 256 << 20;
/// Connections at once.
pub(super) const CONNECTIONS: usize = 128;

/// How long a client may take for a handshake, for the rest of a request that it began,
/// or for taking a reply.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How long requests under way may take once the server is stopping.
pub(super) const GRACE: Duration = Duration::from_secs(10);
