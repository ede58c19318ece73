//! Requests of the transmission phase, taken from the wire.

use std::io::{self, Read};

use super::buffers::{Buffer, Buffers};
use super::input::Input;
use super::wire::{MAX_PAYLOAD, REQUEST_LEN, REQUEST_MAGIC, command};

/// A request as it came ("Request message"). Nothing in it has been judged yet but its magic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The command's flags.
    pub(super) flags: u16,
    /// The command.
    pub(super) kind: u16,
    /// What the client calls the request by; it comes back in the reply.
    pub(super) cookie: u64,
    /// First byte.
    pub(super) offset: u64,
    /// Bytes.
    pub(super) length: u32,
}

/// A header, and the payload of a write.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) header: Header,
    /// Data to be written; empty for other commands, and for a write that is too long.
    pub(super) payload: Buffer,
}

impl Header {
    /// Takes a header apart; none if its magic is wrong, after which nothing that follows
    /// can be understood.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (flags, rest) = rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let (cookie, rest) = rest.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (length, _) = rest.split_first_chunk()?;
        (u32::from_be_bytes(*magic) == REQUEST_MAGIC).then_some(Self {
            flags: u16::from_be_bytes(*flags),
            kind: u16::from_be_bytes(*kind),
            cookie: u64::from_be_bytes(*cookie),
            offset: u64::from_be_bytes(*offset),
            length: u32::from_be_bytes(*length),
        })
    }

    /// Bytes of payload that follow the header.
    pub(super) fn payload(&self) -> u32 {
        if self.kind == command::WRITE {
            self.length
        } else {
            0
        }
    }

    /// Bytes of memory that carrying it out takes, about.
    pub(super) fn memory(&self) -> u64 {
        match self.kind {
            command::READ | command::WRITE if self.length <= MAX_PAYLOAD => u64::from(self.length),
            _ => 0,
        }
    }
}

/// Whether a whole request with its payload is at hand.
pub(super) fn is_whole<R: Read>(input: &Input<R>) -> Option<Header> {
    let header = Header::parse(input.at_hand())?;
    let need = REQUEST_LEN as u64 + u64::from(header.payload());
    (input.at_hand().len() as u64 >= need).then_some(header)
}

/// Reads the next header.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for a wrong magic, and those of the connection.
pub(super) fn read_header<R: Read>(input: &mut Input<R>) -> io::Result<Header> {
    let bytes: [u8; REQUEST_LEN] = input.array()?;
    Header::parse(&bytes).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            "a request does not begin with the protocol's magic number",
        )
    })
}

/// Reads the payload that belongs to a header. One that is longer than allowed is read over.
///
/// # Errors
/// Those of the connection.
pub(super) fn read_payload<R: Read>(
    input: &mut Input<R>,
    header: Header,
    buffers: &Buffers,
) -> io::Result<Request> {
    let length = header.payload();
    let mut payload = Buffer::default();
    if length > MAX_PAYLOAD {
        input.skip(u64::from(length))?;
    } else if length > 0 {
        payload = buffers.take(length as usize);
        input.read_exact(payload.grow(length as usize))?;
    }
    Ok(Request { header, payload })
}
