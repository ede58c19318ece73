//! The data of those options that carry more than a name ("Option types").

use super::wire::MAX_STRING;

/// The data of `INFO` and `GO`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GoRequest<'a> {
    /// The export that is asked for.
    pub(super) name: &'a str,
    /// The information that is asked for.
    pub(super) infos: Vec<u16>,
}

/// The data of `LIST_META_CONTEXT` and `SET_META_CONTEXT`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MetaRequest<'a> {
    /// The export that is asked about.
    pub(super) name: &'a str,
    /// The contexts that are asked for.
    pub(super) queries: Vec<&'a str>,
}

fn number<'a>(bytes: &mut &'a [u8]) -> Option<u32> {
    let (number, rest): (&'a [u8; 4], _) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_be_bytes(*number))
}

/// A length and so many bytes of UTF-8.
fn string<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = number(bytes)? as usize;
    if length > MAX_STRING {
        return None;
    }
    let (string, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(string).ok()
}

impl<'a> GoRequest<'a> {
    /// None if the lengths in it do not agree with its own, or a name is not UTF-8.
    pub(super) fn parse(mut data: &'a [u8]) -> Option<Self> {
        let name = string(&mut data)?;
        let (count, rest) = data.split_first_chunk()?;
        let (infos, left) = rest.as_chunks();
        let infos: Vec<u16> = infos.iter().map(|info| u16::from_be_bytes(*info)).collect();
        let agrees = left.is_empty() && infos.len() == usize::from(u16::from_be_bytes(*count));
        agrees.then_some(Self { name, infos })
    }
}

impl<'a> MetaRequest<'a> {
    /// As [`GoRequest::parse`].
    pub(super) fn parse(mut data: &'a [u8]) -> Option<Self> {
        let name = string(&mut data)?;
        let count = number(&mut data)?;
        let mut queries = Vec::new();
        for _ in 0..count {
            // Each takes four bytes at least, so that a wrong count ends soon.
            queries.push(string(&mut data)?);
        }
        data.is_empty().then_some(Self { name, queries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_do_not_agree_are_refused() {
        let good = b"\0\0\0\x02db\0\x01\0\x03";
        let parsed = GoRequest::parse(good).unwrap();
        assert_eq!((parsed.name, parsed.infos), ("db", vec![3]));
        for n in 0..good.len() {
            assert_eq!(GoRequest::parse(&good[..n]), None);
        }
        assert_eq!(GoRequest::parse(b"\0\0\0\0\0\0\0"), None);
        assert_eq!(GoRequest::parse(b"\xff\xff\xff\xff\0\0"), None);
        let good = b"\0\0\0\0\0\0\0\x01\0\0\0\x05base:";
        assert_eq!(MetaRequest::parse(good).unwrap().queries, ["base:"]);
        for n in 0..good.len() {
            assert_eq!(MetaRequest::parse(&good[..n]), None);
        }
        assert_eq!(MetaRequest::parse(b"\0\0\0\0\xff\xff\xff\xff"), None);
        assert_eq!(MetaRequest::parse(b"\0\0\0\x01\xff\0\0\0\0"), None);
    }
}
