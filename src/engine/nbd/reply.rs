//! Replies of the transmission phase, put together in memory.

use super::buffers::Buffer;
use super::request::Header;
use super::wire::{SIMPLE_REPLY_MAGIC, STRUCTURED_REPLY_MAGIC, chunk};

/// Bytes of a chunk's header ("Structured reply chunk message").
pub(super) const CHUNK_LEN: usize = 20;

/// Appends a simple reply; the data of a successful read is to follow.
pub(super) fn simple(out: &mut Buffer, header: &Header, error: u32) {
    out.extend_from_slice(&SIMPLE_REPLY_MAGIC.to_be_bytes());
    out.extend_from_slice(&error.to_be_bytes());
    out.extend_from_slice(&header.cookie.to_be_bytes());
}

/// Appends the header of a chunk with `length` bytes to follow.
pub(super) fn chunk(out: &mut Buffer, header: &Header, flags: u16, kind: u16, length: u32) {
    out.extend_from_slice(&STRUCTURED_REPLY_MAGIC.to_be_bytes());
    out.extend_from_slice(&flags.to_be_bytes());
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&header.cookie.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
}

/// Appends the header of a chunk of data, which is to follow.
pub(super) fn data(out: &mut Buffer, header: &Header, last: bool, offset: u64, length: u32) {
    let flags = if last { chunk::FLAG_DONE } else { 0 };
    chunk(out, header, flags, chunk::OFFSET_DATA, length + 8);
    out.extend_from_slice(&offset.to_be_bytes());
}

/// Appends a chunk that says that a range reads as zeroes.
pub(super) fn hole(out: &mut Buffer, header: &Header, last: bool, offset: u64, length: u32) {
    let flags = if last { chunk::FLAG_DONE } else { 0 };
    chunk(out, header, flags, chunk::OFFSET_HOLE, 12);
    out.extend_from_slice(&offset.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
}

/// Appends a chunk without content that ends a reply.
pub(super) fn done(out: &mut Buffer, header: &Header) {
    chunk(out, header, chunk::FLAG_DONE, chunk::NONE, 0);
}

/// Appends the descriptors of one metadata context.
pub(super) fn status(
    out: &mut Buffer,
    header: &Header,
    last: bool,
    context: u32,
    descriptors: &[(u32, u32)],
) {
    let flags = if last { chunk::FLAG_DONE } else { 0 };
    let length = 4 + 8 * descriptors.len() as u32;
    chunk(out, header, flags, chunk::BLOCK_STATUS, length);
    out.extend_from_slice(&context.to_be_bytes());
    for (length, state) in descriptors {
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&state.to_be_bytes());
    }
}

/// Appends an error with its words, and where it lies if that is known.
pub(super) fn error(
    out: &mut Buffer,
    header: &Header,
    error: u32,
    message: &str,
    offset: Option<u64>,
) {
    let kind = match offset {
        Some(_) => chunk::ERROR_OFFSET,
        None => chunk::ERROR,
    };
    let tail = offset.map(u64::to_be_bytes);
    let tail = tail.as_ref().map_or(&[][..], |bytes| &bytes[..]);
    let length = 6 + message.len() as u32 + tail.len() as u32;
    chunk(out, header, chunk::FLAG_DONE, kind, length);
    out.extend_from_slice(&error.to_be_bytes());
    out.extend_from_slice(&(message.len() as u16).to_be_bytes());
    out.extend_from_slice(message.as_bytes());
    out.extend_from_slice(tail);
}
