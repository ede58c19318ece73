//! Volumes and snapshots as network block devices, for virtual machines and any tool that
//! speaks NBD: an own implementation of the server's side of the fixed newstyle protocol.
//!
//! The source of all facts of the wire is the protocol document, `doc/proto.md` of the project
//! NetworkBlockDevice/nbd. How it is used is in `docs/nbd.md`. TLS is not spoken. There is no
//! runtime in here: each connection has a few threads.

mod budget;
mod buffers;
mod connection;
mod contexts;
mod execute;
mod export;
mod handshake;
mod input;
mod limits;
mod listen;
mod option_data;
mod reply;
mod request;
mod server;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

pub use export::Export;
pub use listen::Listener;
pub use server::{Server, Stopper};
