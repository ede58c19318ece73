//! Carrying out one request, and its reply.
//! Source: "Request types", "Command flags" and "Error values" of the protocol document.

use super::buffers::Buffer;
use super::export::Export;
use super::handshake::Agreed;
use super::limits::MESSAGE;
use super::reply;
use super::request::{Header, Request};
use super::wire::{MAX_PAYLOAD, command, command_flag, errno};
use crate::engine::error::Result as EngineResult;
use crate::engine::{BLOCK_SIZE, EngineError, ExtentKind, Source, VolumeId};

/// Bytes of a read from which on holes are looked for.
const HOLES_FROM: u32 = 64 << 10;
/// Bytes below which a hole is sent as data rather than in a chunk of its own.
const SMALL_HOLE: u64 = 32 << 10;

/// Why a request was not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    error: u32,
    message: String,
    offset: Option<u64>,
}

impl Refusal {
    fn new(error: u32, message: impl Into<String>) -> Self {
        Self {
            error,
            message: message.into(),
            offset: None,
        }
    }

    fn invalid(message: &str) -> Self {
        Self::new(errno::EINVAL, message)
    }

    /// For a request that arrives when the server is about to end.
    pub(super) fn shutting_down() -> Self {
        Self::new(errno::ESHUTDOWN, "the server is about to end")
    }

    /// Words for an administrator, where it is the store and not the client that is at fault.
    pub(super) fn trouble(&self) -> Option<&str> {
        matches!(self.error, errno::EIO | errno::ENOSPC).then_some(&self.message)
    }

    /// Appends it as the reply to a request.
    pub(super) fn reply(&self, out: &mut Buffer, header: &Header, agreed: &Agreed) {
        if !agreed.structured {
            return reply::simple(out, header, self.error);
        }
        let mut end = self.message.len().min(MESSAGE);
        while !self.message.is_char_boundary(end) {
            end -= 1;
        }
        let message = self.message.get(..end).unwrap_or_default();
        let inside = header.offset..header.offset.saturating_add(u64::from(header.length));
        let offset = self.offset.filter(|offset| inside.contains(offset));
        reply::error(out, header, self.error, message, offset);
    }
}

impl From<EngineError> for Refusal {
    fn from(e: EngineError) -> Self {
        let error = match &e {
            EngineError::NoSpace => errno::ENOSPC,
            EngineError::OutOfRange { .. } | EngineError::BadRequest(_) => errno::EINVAL,
            EngineError::Closed => errno::ESHUTDOWN,
            // Also a store that turned read-only: what failed was the medium below.
            _ => errno::EIO,
        };
        let offset = match &e {
            EngineError::HurtBlock { offset, .. } => Some(*offset),
            _ => None,
        };
        Self {
            error,
            message: e.to_string(),
            offset,
        }
    }
}

/// Flags that go with a command; with any other it is refused.
fn allowed_flags(kind: u16, agreed: &Agreed) -> u16 {
    command_flag::FUA
        | match kind {
            command::READ if agreed.structured => command_flag::DF,
            command::WRITE_ZEROES => command_flag::NO_HOLE | command_flag::FAST_ZERO,
            command::BLOCK_STATUS => command_flag::REQ_ONE,
            _ => 0,
        }
}

/// What is wrong with a request before it is looked at what it wants.
fn check(export: &Export, agreed: &Agreed, header: &Header) -> Result<(), Refusal> {
    let writes = matches!(
        header.kind,
        command::WRITE | command::TRIM | command::WRITE_ZEROES
    );
    if writes && export.read_only {
        return Err(Refusal::new(errno::EPERM, "this export can only be read"));
    }
    if header.flags & !allowed_flags(header.kind, agreed) != 0 {
        return Err(Refusal::invalid("a flag does not go with this command"));
    }
    if matches!(header.kind, command::READ | command::WRITE) && header.length > MAX_PAYLOAD {
        return Err(Refusal::invalid("the request is longer than 32 MiB"));
    }
    let end = header.offset.checked_add(u64::from(header.length));
    if header.kind != command::FLUSH && end.is_none_or(|end| end > export.size) {
        let error = if writes { errno::ENOSPC } else { errno::EINVAL };
        return Err(Refusal::new(error, "the range reaches beyond the end"));
    }
    Ok(())
}

/// What became of a request.
pub(super) enum Outcome {
    /// Its reply was appended; it says what was in the way.
    Replied(Option<Refusal>),
    /// It would have to wait for the disk, which was told of it; nothing was appended.
    Later,
}

/// Carries out a request and appends its reply. Unless it is to `wait`, a read of what is
/// not in memory is put off.
pub(super) fn execute(
    export: &Export,
    agreed: &Agreed,
    request: &Request,
    out: &mut Buffer,
    wait: bool,
) -> Outcome {
    let before = out.len();
    let header = &request.header;
    match carry_out(export, agreed, request, out, wait) {
        Ok(true) => Outcome::Replied(None),
        Ok(false) => {
            out.truncate(before);
            Outcome::Later
        }
        Err(refusal) => {
            out.truncate(before);
            refusal.reply(out, header, agreed);
            Outcome::Replied(Some(refusal))
        }
    }
}

fn carry_out(
    export: &Export,
    agreed: &Agreed,
    request: &Request,
    out: &mut Buffer,
    wait: bool,
) -> Result<bool, Refusal> {
    let header = &request.header;
    check(export, agreed, header)?;
    match header.kind {
        command::READ => return read(export, agreed, header, out, wait),
        command::BLOCK_STATUS => {
            block_status(export, agreed, header, out)?;
            return Ok(true);
        }
        command::FLUSH if export.read_only => {}
        command::FLUSH => export.store.flush()?,
        command::WRITE | command::TRIM | command::WRITE_ZEROES => {
            let Source::Volume(volume) = export.source else {
                return Err(Refusal::new(errno::EPERM, "this export can only be read"));
            };
            change(export, volume, request)?;
            if header.flags & command_flag::FUA != 0 {
                export.store.flush()?;
            }
        }
        _ => return Err(Refusal::invalid("this command is not known here")),
    }
    reply::simple(out, header, 0);
    Ok(true)
}

fn change(export: &Export, volume: VolumeId, request: &Request) -> Result<(), Refusal> {
    let header = &request.header;
    let (offset, length) = (header.offset, u64::from(header.length));
    if length == 0 {
        return Ok(());
    }
    match header.kind {
        command::WRITE => export
            .store
            .write(volume, offset, request.payload.bytes())?,
        command::TRIM => export.store.discard(volume, offset, length)?,
        _ => {
            let (first, last) = (
                offset.next_multiple_of(BLOCK_SIZE),
                (offset + length) / BLOCK_SIZE * BLOCK_SIZE,
            );
            if header.flags & command_flag::FAST_ZERO != 0 && first >= last {
                return Err(Refusal::new(
                    errno::ENOTSUP,
                    "no whole block of 4 KiB is to be zeroed, which is as slow as writing",
                ));
            }
            export.store.write_zeroes(volume, offset, length)?;
            if header.flags & command_flag::NO_HOLE == 0 && first < last {
                // They read the same, and the mapping gets shorter.
                export.store.discard(volume, first, last - first)?;
            }
        }
    }
    Ok(())
}

/// A stretch of a read: data, or zeroes that need not be sent.
#[derive(Clone, Copy)]
struct Stretch {
    offset: u64,
    length: u64,
    data: bool,
}

/// What a read consists of, so that no more than a few chunks come of it.
fn stretches(export: &Export, header: &Header) -> EngineResult<Vec<Stretch>> {
    let extents = export
        .store
        .extents(export.source, header.offset, u64::from(header.length))?;
    let mut out: Vec<Stretch> = Vec::new();
    // Neighbouring zeroes of two kinds are one hole.
    for extent in extents {
        let data = extent.kind == ExtentKind::Data;
        match out.last_mut() {
            Some(last) if last.data == data => last.length += extent.len,
            _ => out.push(Stretch {
                offset: extent.offset,
                length: extent.len,
                data,
            }),
        }
    }
    let mut merged: Vec<Stretch> = Vec::new();
    for mut stretch in out {
        stretch.data |= stretch.length < SMALL_HOLE;
        match merged.last_mut() {
            Some(last) if last.data == stretch.data => last.length += stretch.length,
            _ => merged.push(stretch),
        }
    }
    Ok(merged)
}

/// Reads a range to the end of the reply. False, unless it is to `wait`: it is not in memory.
fn append(
    export: &Export,
    offset: u64,
    length: u64,
    out: &mut Buffer,
    wait: bool,
) -> Result<bool, Refusal> {
    let buffer = out.grow(length as usize);
    if wait {
        export.store.read(export.source, offset, buffer)?;
        return Ok(true);
    }
    Ok(export.store.read_at_hand(export.source, offset, buffer)?)
}

fn read(
    export: &Export,
    agreed: &Agreed,
    header: &Header,
    out: &mut Buffer,
    wait: bool,
) -> Result<bool, Refusal> {
    let (offset, length) = (header.offset, header.length);
    out.reserve(length as usize + reply::CHUNK_LEN + 8);
    if !agreed.structured {
        reply::simple(out, header, 0);
        return append(export, offset, u64::from(length), out, wait);
    }
    if length == 0 {
        reply::done(out, header);
        return Ok(true);
    }
    if length < HOLES_FROM || header.flags & command_flag::DF != 0 {
        reply::data(out, header, true, offset, length);
        return append(export, offset, u64::from(length), out, wait);
    }
    let mut stretches = stretches(export, header)?.into_iter().peekable();
    while let Some(stretch) = stretches.next() {
        let (last, length) = (stretches.peek().is_none(), stretch.length as u32);
        if !stretch.data {
            reply::hole(out, header, last, stretch.offset, length);
            continue;
        }
        reply::data(out, header, last, stretch.offset, length);
        if !append(export, stretch.offset, stretch.length, out, wait)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn block_status(
    export: &Export,
    agreed: &Agreed,
    header: &Header,
    out: &mut Buffer,
) -> Result<(), Refusal> {
    if agreed.contexts.is_empty() {
        return Err(Refusal::invalid("no metadata context was agreed on"));
    }
    if header.length == 0 {
        return Err(Refusal::invalid("the range is empty"));
    }
    let one = header.flags & command_flag::REQ_ONE != 0;
    for (i, context) in agreed.contexts.iter().enumerate() {
        let pieces = context.status(export, header.offset, header.length, one)?;
        let last = i + 1 == agreed.contexts.len();
        reply::status(out, header, last, i as u32 + 1, &pieces);
    }
    Ok(())
}
