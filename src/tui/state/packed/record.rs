//! The bytes of a packed snapshot: its parts, when it was taken, its id, and then the rest one after another.

use std::cmp::Ordering;
use std::fmt;

use uuid::Uuid;

use crate::model::Time;

/// Bytes of a time.
pub(super) const TIME: usize = 9;
/// What is added to seconds, so that times before 1970 come before those after it.
const EPOCH: i64 = 1 << 39;
/// An id that is a UUID in its usual form has this in the place of a length.
const UUID: u64 = 0;

/// An id: most are UUIDs, which take less as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Id<'a> {
    /// A UUID in small letters, with hyphens.
    Uuid(Uuid),
    /// Anything else.
    Text(&'a str),
}

/// An id that is looked for.
pub(super) struct Wanted<'a> {
    text: &'a str,
    uuid: Option<Uuid>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let uuid = uuid(text);
        Self { text, uuid }
    }
}

/// The UUID that this is the usual form of.
fn uuid(text: &str) -> Option<Uuid> {
    let usual = text.len() == 36 && !text.bytes().any(|b| b.is_ascii_uppercase());
    usual.then(|| Uuid::try_parse(text).ok()).flatten()
}

impl<'a> Id<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        uuid(text).map_or(Self::Text(text), Self::Uuid)
    }
}

impl Id<'_> {
    /// Its place beside one that is looked for: the order is that of the texts.
    pub(super) fn order(&self, wanted: &Wanted<'_>) -> Ordering {
        match (self, wanted.uuid) {
            (Self::Uuid(id), Some(wanted)) => id.cmp(&wanted),
            _ => self.with(|text| text.cmp(wanted.text)),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&str) -> T) -> T {
        match self {
            Self::Uuid(id) => look(id.hyphenated().encode_lower(&mut Uuid::encode_buffer())),
            Self::Text(text) => look(text),
        }
    }
}

impl Ord for Id<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            (a, b) => a.with(|a| b.with(|b| a.cmp(b))),
        }
    }
}

impl PartialOrd for Id<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|text| f.write_str(text))
    }
}

pub(super) fn put_parts(out: &mut Vec<u8>, parts: u16) {
    out.extend_from_slice(&parts.to_le_bytes());
}

/// Seconds and billionths of one, the greater first: bytes are in the order of times.
pub(super) fn put_time(out: &mut Vec<u8>, time: Option<Time>) {
    let Some(time) = time else {
        out.extend_from_slice(&[0; TIME]);
        return;
    };
    const BILLION: i128 = 1_000_000_000;
    let nanos = time.as_nanosecond();
    let seconds = nanos.div_euclid(BILLION) as i64 + EPOCH;
    out.extend_from_slice(&seconds.to_be_bytes()[3..]);
    out.extend_from_slice(&(nanos.rem_euclid(BILLION) as u32).to_be_bytes());
}

pub(super) fn put_id(out: &mut Vec<u8>, text: &str) {
    match uuid(text) {
        Some(id) => {
            put_number(out, UUID);
            out.extend_from_slice(id.as_bytes());
        }
        None => {
            put_number(out, text.len() as u64 + 1);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Seven bits a byte.
pub(super) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Takes a record apart. It was put together here, so that it has what is asked for; where it has not, there is
/// nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at_checked(count).unwrap_or_default();
        self.0 = rest;
        bytes
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.bytes(N).try_into().unwrap_or([0; N])
    }

    pub(super) fn parts(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    /// The bytes of when it was taken, of a record that was not looked into yet.
    pub(super) fn taken(mut self) -> [u8; TIME] {
        self.parts();
        self.array()
    }

    pub(super) fn time(&mut self) -> Option<Time> {
        let [a, b, c, d, e, nanos @ ..]: [u8; TIME] = self.array();
        let seconds = i64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        let nanos = i128::from(u32::from_be_bytes(nanos));
        let there = seconds != 0 || nanos != 0;
        let nanos = i128::from(seconds - EPOCH) * 1_000_000_000 + nanos;
        there.then(|| Time::from_nanosecond(nanos).ok()).flatten()
    }

    pub(super) fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let [byte] = self.array();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    pub(super) fn id(&mut self) -> Id<'a> {
        match self.number() {
            UUID => Id::Uuid(Uuid::from_bytes(self.array())),
            length => Id::Text(self.str(length - 1)),
        }
    }

    pub(super) fn text(&mut self) -> &'a str {
        let length = self.number();
        self.str(length)
    }

    fn str(&mut self, length: u64) -> &'a str {
        std::str::from_utf8(self.bytes(length as usize)).unwrap_or_default()
    }
}
