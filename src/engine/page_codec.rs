//! Metadata extents on disk: a header that says what it is and where it
//! belongs, then the body. See `docs/engine-format.md`.

use super::bytes::{In, Out};
use super::error::{EngineError, Result};
use super::page::{Body, Child, Entry, FAN_BITS, Inner, Leaf, Page, PageRef, Twin};

/// What a metadata extent holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum PageKind {
    /// A leaf of a mapping tree.
    Leaf = 1,
    /// An inner page of a mapping tree.
    Inner = 2,
    /// Nodes of the catalog.
    Nodes = 3,
    /// The jobs.
    Jobs = 4,
    /// A page of an allocation bitmap.
    Bitmap = 5,
    /// A table of bitmap pages.
    Table = 6,
    /// The root of a checkpoint.
    Root = 7,
}

const MAGIC: u32 = u32::from_le_bytes(*b"SDpg");
/// Bytes of a header.
pub(super) const HEADER: usize = 36;
/// Bytes of a page reference.
pub(super) const REF_LEN: usize = 24;

impl PageKind {
    /// Leaves are many, and each is about 1 MiB only; all else is on disk twice. Of
    /// inner pages there are so many that what is between two copies would count.
    pub(super) fn twin(self) -> Twin {
        match self {
            Self::Leaf => Twin::None,
            Self::Inner => Twin::Next,
            _ => Twin::Apart,
        }
    }
}

/// The bits of a reference's length that say where the second copy is.
const TWIN_NEXT: u32 = 1 << 31;
const TWIN_APART: u32 = 1 << 30;

/// Lays out an extent: header and body.
pub(super) fn seal(
    kind: PageKind,
    level: u8,
    store: u64,
    addr: u64,
    birth: u64,
    body: &[u8],
) -> Vec<u8> {
    let mut out = Out(Vec::with_capacity(
        (HEADER + body.len()).next_multiple_of(512),
    ));
    out.u32(MAGIC);
    out.u8(kind as u8);
    out.u8(level);
    out.u16(0);
    out.u64(store);
    out.u64(addr);
    out.u64(birth);
    out.u32(body.len() as u32);
    out.0.extend_from_slice(body);
    out.0
}

/// Checks an extent that was read where `r` points, and returns its body.
pub(super) fn unseal<'a>(
    bytes: &'a [u8],
    r: &PageRef,
    kind: PageKind,
    level: u8,
    store: u64,
) -> Result<&'a [u8]> {
    let bad = |what: &str| {
        EngineError::damaged(format!(
            "the {kind:?} page at sector {} of meta: {what}",
            r.addr
        ))
    };
    if crc32c::crc32c(bytes) != r.crc {
        return Err(bad("its checksum does not match"));
    }
    let mut input = In::new(bytes, "a metadata page");
    let header = (input.u32()?, input.u8()?, input.u8()?, input.u16()?);
    if header != (MAGIC, kind as u8, level, 0) {
        return Err(bad("it is of another kind"));
    }
    if input.u64()? != store {
        return Err(bad("it belongs to another store"));
    }
    if (input.u64()?, input.u64()?) != (r.addr, r.birth) {
        return Err(bad("it belongs elsewhere"));
    }
    input
        .blob()
        .ok()
        .filter(|_| input.is_empty())
        .ok_or_else(|| bad("its length does not match"))
}

/// Appends a reference.
pub(super) fn put_ref(out: &mut Out, r: &PageRef) {
    out.u64(r.addr);
    out.u32(match r.twin {
        Twin::None => r.len,
        Twin::Next => r.len | TWIN_NEXT,
        Twin::Apart => r.len | TWIN_APART,
    });
    out.u32(r.crc);
    out.u64(r.birth);
}

/// Takes a reference.
pub(super) fn take_ref(input: &mut In<'_>) -> Result<PageRef> {
    let (addr, len) = (input.u64()?, input.u32()?);
    let twin = match len & (TWIN_NEXT | TWIN_APART) {
        0 => Twin::None,
        TWIN_NEXT => Twin::Next,
        TWIN_APART => Twin::Apart,
        _ => return Err(input.bad("a page reference is of an unknown kind")),
    };
    let r = PageRef {
        addr,
        len: len & !(TWIN_NEXT | TWIN_APART),
        twin,
        crc: input.u32()?,
        birth: input.u64()?,
    };
    if (r.len as usize) < HEADER || r.addr > u64::MAX >> 12 {
        return Err(input.bad("a page reference is out of bounds"));
    }
    Ok(r)
}

/// The body of a leaf: a bitmap of what is mapped, then the entries.
pub(super) fn encode_leaf(leaf: &Leaf) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + leaf.entries.len() * 16);
    out.extend(leaf.present.iter().flat_map(|word| word.to_le_bytes()));
    for entry in &leaf.entries {
        let both = u128::from(entry.low) | u128::from(entry.high) << 64;
        out.extend_from_slice(&both.to_le_bytes());
    }
    out
}

/// The body of an inner page: a bitmap of its children, then their references.
pub(super) fn encode_inner(children: &[(usize, PageRef)]) -> Vec<u8> {
    let mut out = Out(Vec::with_capacity(8 + children.len() * REF_LEN));
    out.u64(children.iter().fold(0, |bits, (i, _)| bits | 1 << i));
    for (_, r) in children {
        put_ref(&mut out, r);
    }
    out.0
}

fn take_entry(bytes: &[u8; 16]) -> Entry {
    let both = u128::from_le_bytes(*bytes);
    Entry {
        low: both as u64,
        high: (both >> 64) as u64,
    }
}

/// A tree page from its body.
pub(super) fn decode_tree_page(body: &[u8], level: u8, r: PageRef) -> Result<Page> {
    let mut input = In::new(
        body,
        if level == 0 {
            "a leaf page"
        } else {
            "an inner page"
        },
    );
    let body = if level == 0 {
        let present = [input.u64()?, input.u64()?, input.u64()?, input.u64()?];
        let n: u32 = present.iter().map(|w| w.count_ones()).sum();
        let bytes = input.take(n as usize * 16)?.as_chunks::<16>().0;
        let entries: Vec<Entry> = bytes.iter().map(take_entry).collect();
        if !entries.iter().copied().all(Entry::is_known) {
            return Err(input.bad("an entry is of an unknown kind"));
        }
        Body::Leaf(Leaf { present, entries })
    } else {
        let present = input.u64()?;
        let mut children = Vec::with_capacity(1 << FAN_BITS);
        for _ in 0..present.count_ones() {
            children.push(Child::Disk(take_ref(&mut input)?));
        }
        Body::Inner(Inner { present, children })
    };
    if !input.is_empty() {
        return Err(input.bad("it is longer than what it holds"));
    }
    let page = Page::new(r.birth, body);
    let _ = page.disk.set(r);
    Ok(page)
}
