//! The name and the attributes of a snapshot as they are kept in memory: one piece, since there may be
//! a hundred thousand snapshots.

use super::bytes::{In, Out};
use super::error::Result;
use super::info::Attrs;

/// Names of attributes that nearly all snapshots have where they are those of this program: each is kept by
/// its place here. Nothing on disk knows of it.
const WORDS: [&str; 8] = [
    "description",
    "guard",
    "instance",
    "made-key",
    "set",
    "set-name",
    "set-size",
    "taken",
];

/// The name and the attributes of a snapshot. A number of seven bits a byte says how long a text is; that of
/// an attribute's name, doubled, with the lowest bit set if it is one of the words instead.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Label(Box<[u8]>);

impl Label {
    pub(super) fn new(name: &str, attrs: &Attrs) -> Self {
        let mut packed = Vec::new();
        put_text(&mut packed, name);
        put_number(&mut packed, attrs.len());
        for (key, value) in attrs {
            put_pair(&mut packed, key, value);
        }
        Self(packed.into())
    }

    /// Takes it from what is on disk. `room` is used meanwhile.
    pub(super) fn take(input: &mut In<'_>, room: &mut Vec<u8>) -> Result<Self> {
        room.clear();
        put_text(room, input.str()?);
        let count = input.u32()?;
        put_number(room, count as usize);
        for _ in 0..count {
            let key = input.str()?;
            put_pair(room, key, input.str()?);
        }
        Ok(Self(room.as_slice().into()))
    }

    /// Appends it as it is on disk.
    pub(super) fn put(&self, out: &mut Out) {
        out.text(self.name());
        let attrs = self.attrs();
        out.u32(attrs.len() as u32);
        for (key, value) in attrs.iter() {
            out.text(key);
            out.text(value);
        }
    }

    pub(super) fn name(&self) -> &str {
        Rest(&self.0).text().unwrap_or_default()
    }

    pub(super) fn attrs(&self) -> PackedAttrs<'_> {
        let mut rest = Rest(&self.0);
        let _ = rest.text();
        PackedAttrs(rest.0)
    }
}

impl std::fmt::Debug for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.name(), self.attrs())
    }
}

/// Attributes of a snapshot, to be looked up.
#[derive(Clone, Copy)]
pub struct PackedAttrs<'a>(&'a [u8]);

impl<'a> PackedAttrs<'a> {
    fn len(self) -> usize {
        Rest(self.0).number().unwrap_or(0)
    }

    /// Names and values, in order.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = Rest(self.0);
        let count = rest.number().unwrap_or(0);
        (0..count).map_while(move |_| {
            let key = match rest.number()? {
                word if word & 1 == 1 => *WORDS.get(word >> 1)?,
                length => rest.str(length >> 1)?,
            };
            Some((key, rest.text()?))
        })
    }

    /// The value of an attribute.
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// All of them.
    pub fn unpack(self) -> Attrs {
        self.iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }
}

impl std::fmt::Debug for PackedAttrs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

fn put_number(out: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_pair(out: &mut Vec<u8>, key: &str, value: &str) {
    match WORDS.iter().position(|word| *word == key) {
        Some(word) => put_number(out, word << 1 | 1),
        None => {
            put_number(out, key.len() << 1);
            out.extend_from_slice(key.as_bytes());
        }
    }
    put_text(out, value);
}

/// What is still to be taken apart.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..usize::BITS).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= usize::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn str(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        self.str(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_disk(name: &str, attrs: &Attrs) -> Vec<u8> {
        let mut out = Out::default();
        out.text(name);
        out.attrs(attrs);
        out.0
    }

    #[test]
    fn what_was_packed_is_found_and_comes_out_as_it_was() {
        let mut attrs = Attrs::new();
        for n in 0..20 {
            let name = "näme".repeat(n * 3);
            let label = Label::new(&name, &attrs);
            assert_eq!(label.name(), name);
            assert_eq!(label.attrs().unpack(), attrs);
            let mut out = Out::default();
            label.put(&mut out);
            assert_eq!(out.0, on_disk(&name, &attrs));
            let mut room = vec![1, 2, 3];
            let again = Label::take(&mut In::new(&out.0, "a label"), &mut room).unwrap();
            assert_eq!(again, label);
            assert_eq!(label.attrs().get("none"), None);
            for (key, value) in &attrs {
                assert_eq!(label.attrs().get(key), Some(value.as_str()));
            }
            let key = WORDS
                .get(n / 2)
                .filter(|_| n % 2 == 1)
                .map_or(format!("näme {n}"), |word| (*word).to_owned());
            attrs.insert(key, "v".repeat(n * 40));
        }
    }

    #[test]
    fn what_is_cut_off_or_no_text_is_refused() {
        let attrs = Attrs::from([("a".to_owned(), "1".to_owned())]);
        let mut bytes = on_disk("name", &attrs);
        let take = |bytes: &[u8]| Label::take(&mut In::new(bytes, "a label"), &mut Vec::new());
        assert!(take(&bytes).is_ok());
        for end in 0..bytes.len() {
            assert!(take(&bytes[..end]).is_err());
        }
        let last = bytes.len() - 1;
        bytes[last] = 0xff;
        assert!(take(&bytes).is_err());
    }
}
