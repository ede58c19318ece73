//! The attributes of a snapshot as they are kept in memory: one piece each, since there may be
//! a hundred thousand snapshots.

use super::bytes::{In, Out};
use super::error::Result;
use super::info::Attrs;

/// Attributes of a snapshot, to be looked up.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PackedAttrs(Box<[u8]>);

impl PackedAttrs {
    /// Takes them apart from what is on disk, in the form in which they are kept.
    pub(super) fn take(input: &mut In<'_>) -> Result<Self> {
        let mut out = Out::default();
        let n = input.u32()?;
        out.u32(n);
        for _ in 0..n {
            out.text(input.str()?);
            out.text(input.str()?);
        }
        Ok(Self(out.0.into()))
    }

    /// Appends them in that form.
    pub(super) fn put(&self, out: &mut Out) {
        match self.0.is_empty() {
            true => out.attrs(&Attrs::new()),
            false => out.0.extend_from_slice(&self.0),
        }
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut input = In::new(&self.0, "attributes");
        let n = input.u32().unwrap_or(0);
        (0..n).map_while(move |_| Some((input.str().ok()?, input.str().ok()?)))
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// All of them.
    pub fn unpack(&self) -> Attrs {
        self.iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }
}

impl From<&Attrs> for PackedAttrs {
    fn from(attrs: &Attrs) -> Self {
        if attrs.is_empty() {
            return Self::default();
        }
        let mut out = Out::default();
        out.attrs(attrs);
        Self(out.0.into())
    }
}

impl std::fmt::Debug for PackedAttrs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_found_and_comes_out_as_it_was() {
        let mut attrs = Attrs::new();
        for n in 0..20 {
            let packed = PackedAttrs::from(&attrs);
            assert_eq!(packed.unpack(), attrs);
            let mut out = Out::default();
            packed.put(&mut out);
            let mut plain = Out::default();
            plain.attrs(&attrs);
            assert_eq!(out.0, plain.0);
            let again = PackedAttrs::take(&mut In::new(&out.0, "attributes")).unwrap();
            assert_eq!(again.unpack(), attrs);
            assert_eq!(packed.get("none"), None);
            for (name, value) in &attrs {
                assert_eq!(packed.get(name), Some(value.as_str()));
            }
            attrs.insert(format!("näme {n}"), "v".repeat(n));
        }
    }

    #[test]
    fn what_is_cut_off_or_no_text_is_refused() {
        let attrs = Attrs::from([("a".to_owned(), "1".to_owned())]);
        let mut out = Out::default();
        out.attrs(&attrs);
        for end in 0..out.0.len() {
            assert!(PackedAttrs::take(&mut In::new(&out.0[..end], "attributes")).is_err());
        }
        let last = out.0.len() - 1;
        out.0[last] = 0xff;
        assert!(PackedAttrs::take(&mut In::new(&out.0, "attributes")).is_err());
    }
}
