//! A small reader of a store's files, written from `docs/engine-format.md` and from
//! nothing else: it knows no code of the engine. It also puts checksums right in files
//! that were changed, from the leaves up, so that what is wrong lies behind them.

use std::collections::BTreeMap;

/// The files of a store, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

const KIND_LEAF: u8 = 1;
const KIND_INNER: u8 = 2;
const KIND_NODES: u8 = 3;
const KIND_JOBS: u8 = 4;
const KIND_BITMAP: u8 = 5;
const KIND_TABLE: u8 = 6;
const KIND_ROOT: u8 = 7;

pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(
        bytes.get(at..at.checked_add(2)?)?.try_into().ok()?,
    ))
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(
        bytes.get(at..at.checked_add(4)?)?.try_into().ok()?,
    ))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(
        bytes.get(at..at.checked_add(8)?)?.try_into().ok()?,
    ))
}

/// CRC-32C, bit by bit.
pub fn crc(bytes: &[u8]) -> u32 {
    static TABLE: std::sync::OnceLock<[u32; 256]> = std::sync::OnceLock::new();
    let table = TABLE.get_or_init(|| {
        std::array::from_fn(|i| {
            (0..8).fold(i as u32, |crc, _| {
                if crc & 1 == 1 {
                    crc >> 1 ^ 0x82f6_3b78
                } else {
                    crc >> 1
                }
            })
        })
    });
    !bytes.iter().fold(!0_u32, |crc, byte| {
        crc >> 8 ^ table[((crc ^ u32::from(*byte)) & 0xff) as usize]
    })
}

/// A reference to an extent of metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    pub sector: u64,
    pub length: u32,
    /// Bits 31 and 30 of the length.
    pub twin: u8,
    pub crc: u32,
    pub birth: u64,
}

impl Reference {
    pub fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let length = u32_at(bytes, at + 8)?;
        Some(Self {
            sector: u64_at(bytes, at)?,
            length: length & 0x3fff_ffff,
            twin: (length >> 30) as u8,
            crc: u32_at(bytes, at + 12)?,
            birth: u64_at(bytes, at + 16)?,
        })
    }

    /// The byte at which each copy begins.
    pub fn copies(&self) -> Vec<usize> {
        let n = u64::from(self.length).div_ceil(512);
        let second = match self.twin {
            0 => None,
            2 => Some(n),
            _ => Some((n + 7).next_multiple_of(8)),
        };
        let sectors = [Some(0), second].into_iter().flatten();
        sectors
            .map(|distance| (self.sector.wrapping_add(distance) as usize).wrapping_mul(512))
            .collect()
    }
}

/// The body of an extent, once its header and both copies are what they should be.
pub fn body(meta: &[u8], r: Reference, kind: u8, level: u8, short: u64) -> Result<&[u8], String> {
    let mut first: Option<&[u8]> = None;
    for at in r.copies() {
        let copy = at
            .checked_add(r.length as usize)
            .and_then(|end| meta.get(at..end))
            .ok_or("an extent is beyond the end of meta")?;
        if crc(copy) != r.crc {
            return Err(format!(
                "the checksum of kind {kind} at sector {} is wrong",
                r.sector
            ));
        }
        if first.is_some_and(|first| first != copy) {
            return Err("two copies are not the same".into());
        }
        first = Some(copy);
    }
    let bytes = first.ok_or("no copy")?;
    let header = (&bytes[..4], bytes[4], bytes[5], u16_at(bytes, 6));
    if header != (b"SDpg", kind, level, Some(0)) {
        return Err(format!(
            "the header is {header:?}, and should be of kind {kind}"
        ));
    }
    if u64_at(bytes, 8) != Some(short) || u64_at(bytes, 16) != Some(r.sector) {
        return Err("an extent of another store or place".into());
    }
    if u64_at(bytes, 24) != Some(r.birth) || u32_at(bytes, 32) != Some(r.length - 36) {
        return Err("birth or length of an extent do not agree".into());
    }
    Ok(&bytes[36..])
}

/// A superblock.
#[derive(Clone, Debug)]
pub struct Superblock {
    pub uuid: [u8; 16],
    pub generation: u64,
    pub chunk_blocks: u32,
    pub root: Reference,
    pub segment: u64,
    pub slot: u32,
    pub offset: u64,
    pub group: u64,
    pub chain: u32,
    pub lsn: u64,
}

impl Superblock {
    /// The newest copy whose checksum matches.
    pub fn newest(files: &Files) -> Option<Self> {
        let bytes = files.get("super")?;
        let copies = bytes.chunks_exact(4096).take(4).filter_map(Self::of);
        copies.max_by_key(|copy| copy.generation)
    }

    pub fn of(copy: &[u8]) -> Option<Self> {
        let whole = u32_at(copy, 4092) == Some(crc(&copy[..4092]));
        let known = &copy[..8] == b"snapdeck" && u32_at(copy, 8) == Some(1);
        if !whole || !known || copy[132..4092].iter().any(|byte| *byte != 0) {
            return None;
        }
        Some(Self {
            uuid: copy[32..48].try_into().ok()?,
            generation: u64_at(copy, 48)?,
            chunk_blocks: u32_at(copy, 64)?,
            root: Reference::at(copy, 68)?,
            segment: u64_at(copy, 92)?,
            slot: u32_at(copy, 100)?,
            offset: u64_at(copy, 104)?,
            group: u64_at(copy, 112)?,
            chain: u32_at(copy, 120)?,
            lsn: u64_at(copy, 124)?,
        })
    }

    pub fn short(&self) -> u64 {
        self.uuid[8..]
            .iter()
            .fold(0, |id, byte| id << 8 | u64::from(*byte))
    }
}

/// Where the references are in the body of an extent that has such, and what is at their ends.
fn references(kind: u8, level: u8, body: &[u8]) -> Vec<(usize, u8, u8)> {
    let mut out = Vec::new();
    match kind {
        KIND_INNER => {
            let children = u64_at(body, 0).unwrap_or(0).count_ones() as usize;
            let below = if level == 1 { KIND_LEAF } else { KIND_INNER };
            out.extend((0..children).map(|i| (8 + 24 * i, below, level.saturating_sub(1))));
        }
        KIND_TABLE => {
            let here = |at: usize| body.get(at + 4) == Some(&1);
            let slots = (0..128).map(|i| 29 * i).filter(|at| here(*at));
            out.extend(slots.map(|at| (at + 5, KIND_BITMAP, 0)));
        }
        KIND_ROOT => drop(root_references(body, &mut out)),
        KIND_NODES => {
            let mut at = 4;
            for _ in 0..u32_at(body, 0).unwrap_or(0) {
                match node(body, at) {
                    Some(node) => {
                        let tree = |level: u8| if level == 0 { KIND_LEAF } else { KIND_INNER };
                        out.extend(
                            node.roots
                                .iter()
                                .map(|(at, level)| (*at, tree(*level), *level)),
                        );
                        at = node.end;
                    }
                    None => break,
                }
            }
        }
        _ => {}
    }
    out
}

/// The tables of the two maps that a root names: of the data files, and of `meta`.
pub fn maps(body: &[u8]) -> Option<[Vec<Option<Reference>>; 2]> {
    let mut at = 36 + 32 * u32_at(body, 32)? as usize;
    let option = |at: usize| match body.get(at)? {
        1 => Some((Some(Reference::at(body, at + 1)?), at + 25)),
        _ => Some((None, at + 1)),
    };
    at = option(at)?.1;
    let mut map = || {
        let count = u32_at(body, at)?;
        at += 4;
        let mut tables = Vec::new();
        for _ in 0..count {
            let (table, next) = option(at)?;
            tables.push(table);
            at = next;
        }
        Some(tables)
    };
    Some([map()?, map()?])
}

/// The units in use that a map's tables and bitmaps say there are.
pub fn in_use(meta: &[u8], tables: &[Option<Reference>], short: u64) -> Result<Vec<u64>, String> {
    let mut out = Vec::new();
    for (t, table) in tables.iter().enumerate() {
        let Some(table) = table else { continue };
        let table = body(meta, *table, KIND_TABLE, 0, short)?;
        for slot in 0..128 {
            let at = slot * 29;
            if table.get(at + 4) != Some(&1) {
                continue;
            }
            let bitmap = Reference::at(table, at + 5).ok_or("a table is cut short")?;
            let bits = body(meta, bitmap, KIND_BITMAP, 0, short)?;
            let first = (t * 128 + slot) as u64 * 32768;
            let set = (0..32768_u64).filter(|i| bits[(i / 8) as usize] >> (i % 8) & 1 == 1);
            let before = out.len();
            out.extend(set.map(|i| first + i));
            if u32_at(table, at) != Some((out.len() - before) as u32) {
                return Err("a table counts other units than its bitmap".into());
            }
        }
    }
    Ok(out)
}

fn root_references(body: &[u8], out: &mut Vec<(usize, u8, u8)>) -> Option<usize> {
    let mut at = 32;
    let chunks = u32_at(body, at)?;
    at += 4;
    for _ in 0..chunks {
        Reference::at(body, at + 8)?;
        out.push((at + 8, KIND_NODES, 0));
        at += 32;
    }
    let mut option = |at: usize, kind: u8| -> Option<usize> {
        if *body.get(at)? == 1 {
            Reference::at(body, at + 1)?;
            out.push((at + 1, kind, 0));
            return Some(at + 25);
        }
        Some(at + 1)
    };
    at = option(at, KIND_JOBS)?;
    for _ in 0..2 {
        let tables = u32_at(body, at)?;
        at += 4;
        for _ in 0..tables {
            at = option(at, KIND_TABLE)?;
        }
    }
    Some(at)
}

/// A node of the checkpoint.
#[derive(Debug)]
pub struct Node {
    pub id: u64,
    pub parent: Option<u64>,
    pub size: u64,
    pub freeze: u64,
    pub referenced: u64,
    pub written: u64,
    pub exclusive: Option<u64>,
    /// Where the references of its trees are, its own first, and their levels.
    pub roots: Vec<(usize, u8)>,
    pub kind: u8,
    pub name: String,
    pub end: usize,
}

fn text(bytes: &[u8], at: usize) -> Option<(String, usize)> {
    let end = (at + 4).checked_add(u32_at(bytes, at)? as usize)?;
    let text = String::from_utf8_lossy(bytes.get(at + 4..end)?).into_owned();
    Some((text, end))
}

fn attributes(bytes: &[u8], mut at: usize) -> Option<usize> {
    let count = u32_at(bytes, at)?;
    at += 4;
    for _ in 0..count {
        at = text(bytes, at)?.1;
        at = text(bytes, at)?.1;
    }
    Some(at)
}

/// The node that begins at byte `at`.
pub fn node(bytes: &[u8], at: usize) -> Option<Node> {
    let option = |at: usize| match bytes.get(at)? {
        1 => Some((Some(u64_at(bytes, at + 1)?), at + 9)),
        _ => Some((None, at + 1)),
    };
    let id = u64_at(bytes, at)?;
    let (parent, at) = option(at + 8)?;
    let (size, freeze) = (u64_at(bytes, at)?, u64_at(bytes, at + 16)?);
    let (referenced, written) = (u64_at(bytes, at + 24)?, u64_at(bytes, at + 32)?);
    let (exclusive, mut at) = option(at + 40)?;
    let mut roots = Vec::new();
    let level = *bytes.get(at)?;
    if *bytes.get(at + 1)? == 1 {
        Reference::at(bytes, at + 2)?;
        roots.push((at + 2, level));
        at += 26;
    } else {
        at += 2;
    }
    let kind = *bytes.get(at)?;
    at += 1;
    let mut name = String::new();
    match kind {
        1 => {
            (name, at) = text(bytes, at + 16)?;
            at = attributes(bytes, at + 8)?;
        }
        2 => {
            (name, at) = text(bytes, at + 32)?;
            at = attributes(bytes, at)?;
        }
        _ => {
            let older = u32_at(bytes, at + 8)?;
            at += 12;
            for _ in 0..older {
                Reference::at(bytes, at + 1)?;
                roots.push((at + 1, *bytes.get(at)?));
                at += 25;
            }
        }
    }
    Some(Node {
        id,
        parent,
        size,
        freeze,
        referenced,
        written,
        exclusive,
        roots,
        kind,
        name,
        end: at,
    })
}

/// Calls `found` with each extent below a root, its kind, its level and its body.
pub fn walk(
    meta: &[u8],
    r: Reference,
    (kind, level): (u8, u8),
    short: u64,
    found: &mut dyn FnMut(Reference, u8, u8, &[u8]),
) -> Result<(), String> {
    let body = body(meta, r, kind, level, short)?;
    found(r, kind, level, body);
    for (at, kind, level) in references(kind, level, body) {
        let below = Reference::at(body, at).ok_or("a reference is cut short")?;
        walk(meta, below, (kind, level), short, found)?;
    }
    Ok(())
}

/// The root's kind and level, to begin [`walk`] with.
pub const ROOT: (u8, u8) = (KIND_ROOT, 0);

/// The blocks that a tree maps: place, block of the store, checksum. Zeroes have no block.
pub fn mapping(
    meta: &[u8],
    root: Reference,
    level: u8,
    short: u64,
) -> Result<Vec<(u64, Option<u64>, u32)>, String> {
    fn visit(
        meta: &[u8],
        r: Reference,
        (level, base): (u8, u64),
        short: u64,
        out: &mut Vec<(u64, Option<u64>, u32)>,
    ) -> Result<(), String> {
        let kind = if level == 0 { KIND_LEAF } else { KIND_INNER };
        let body = body(meta, r, kind, level, short)?;
        let cut = || "a page is cut short".to_owned();
        if level > 0 {
            let bits = u64_at(body, 0).ok_or_else(cut)?;
            let places = (0..64_u64).filter(|i| bits >> i & 1 == 1);
            for (n, i) in places.enumerate() {
                let below = Reference::at(body, 8 + 24 * n).ok_or_else(cut)?;
                let base = base * 64 + i;
                visit(meta, below, (level - 1, base), short, out)?;
            }
            return Ok(());
        }
        let set = |i: &u64| body[(i / 8) as usize] >> (i % 8) & 1 == 1;
        for (n, i) in (0..256_u64).filter(set).enumerate() {
            let low = u64_at(body, 32 + 16 * n).ok_or_else(cut)?;
            let crc = u32_at(body, 32 + 16 * n + 12).ok_or_else(cut)?;
            let block = (low >> 40 & 0xff == 1).then_some(low & 0xff_ffff_ffff);
            out.push((base * 256 + i, block, crc));
        }
        Ok(())
    }
    let mut out = Vec::new();
    visit(meta, root, (level, 0), short, &mut out)?;
    Ok(out)
}

/// A group of the log: its first and last record, and the kinds of its items with their bodies.
#[derive(Debug)]
pub struct Group {
    pub first: u64,
    pub last: u64,
    pub items: Vec<(u8, Vec<u8>)>,
}

/// The groups of one segment from a byte on; where they end, and the number and checksum to go on with.
pub fn groups(
    segment: &[u8],
    mut offset: usize,
    (mut number, mut chain): (u64, u32),
    short: u64,
) -> (Vec<Group>, (u64, u32)) {
    let mut out = Vec::new();
    loop {
        let Some(header) = segment.get(offset..offset + 64) else {
            break;
        };
        let start = (
            &header[..4],
            u32_at(header, 4),
            u64_at(header, 8),
            u64_at(header, 16),
        );
        if start != (b"SDlg", Some(chain), Some(short), Some(number)) {
            break;
        }
        let len = u32_at(header, 48).unwrap_or(0) as usize;
        let Some(bytes) = segment.get(offset..offset + 64 + len) else {
            break;
        };
        let mut unsigned = bytes.to_vec();
        unsigned[52..56].fill(0);
        if u32_at(bytes, 52) != Some(crc(&unsigned)) {
            break;
        }
        let mut items = Vec::new();
        let mut at = 64;
        while at < bytes.len() {
            let end = at + 5 + u32_at(bytes, at + 1).unwrap_or(0) as usize;
            let Some(item) = bytes.get(at + 5..end) else {
                break;
            };
            items.push((bytes[at], item.to_vec()));
            at = end;
        }
        out.push(Group {
            first: u64_at(bytes, 24).unwrap_or(0),
            last: u64_at(bytes, 32).unwrap_or(0),
            items,
        });
        chain = u32_at(bytes, 52).unwrap_or(0);
        number += 1;
        offset += (64 + len).next_multiple_of(4096);
    }
    (out, (number, chain))
}

/// Puts the checksum of an extent right after those of all below it, copies it to its second
/// place, and returns it. `left` bounds how many are looked at.
fn seal(meta: &mut [u8], r: Reference, (kind, level): (u8, u8), left: &mut u32) -> Option<u32> {
    *left = left.checked_sub(1)?;
    let places = r.copies();
    let at = *places.first()?;
    let end = at.checked_add(r.length as usize)?;
    let inside = meta.get(at.checked_add(36)?..end)?.to_vec();
    for (place, kind, level) in references(kind, level, &inside) {
        let below = Reference::at(&inside, place)?;
        if let Some(crc) = seal(meta, below, (kind, level), left) {
            let here = at + 36 + place + 12;
            meta.get_mut(here..here + 4)?
                .copy_from_slice(&crc.to_le_bytes());
        }
    }
    let bytes = meta.get(at..end)?.to_vec();
    for second in &places[1..] {
        let to = meta.get_mut(*second..second.checked_add(bytes.len())?)?;
        to.copy_from_slice(&bytes);
    }
    Some(crc(&bytes))
}

/// Puts all checksums right: of metadata, of the superblocks, of the log's groups in a row.
pub fn put_right(files: &mut Files) {
    let Some(mut superblocks) = files.get("super").cloned() else {
        return;
    };
    superblocks.resize(superblocks.len().next_multiple_of(4096), 0);
    let newest = superblocks
        .chunks_exact(4096)
        .filter(|copy| &copy[..8] == b"snapdeck")
        .max_by_key(|copy| u64_at(copy, 48));
    let Some(mut newest) = newest.map(<[u8]>::to_vec) else {
        return;
    };
    let mut left = 20_000;
    if let (Some(r), Some(meta)) = (Reference::at(&newest, 68), files.get_mut("meta"))
        && let Some(crc) = seal(meta, r, ROOT, &mut left)
    {
        newest[80..84].copy_from_slice(&crc.to_le_bytes());
    }
    let sum = crc(&newest[..4092]);
    newest[4092..].copy_from_slice(&sum.to_le_bytes());
    for copy in superblocks
        .chunks_exact_mut(4096)
        .filter(|copy| u64_at(copy, 48) == u64_at(&newest, 48))
    {
        copy.copy_from_slice(&newest);
    }
    files.insert("super".into(), superblocks);

    let slot = u32_at(&newest, 100).unwrap_or(0);
    let Some(log) = files.get_mut(&format!("log.{slot}")) else {
        return;
    };
    let mut at = u64_at(&newest, 104).unwrap_or(0) as usize;
    let mut chain = u32_at(&newest, 120).unwrap_or(0);
    while log.get(at..at.saturating_add(4)) == Some(b"SDlg") {
        let len = u32_at(log, at + 48).unwrap_or(0) as usize;
        let Some(group) = log.get_mut(at..at.saturating_add(64 + len)) else {
            break;
        };
        if group.len() < 64 {
            break;
        }
        group[4..8].copy_from_slice(&chain.to_le_bytes());
        group[52..56].fill(0);
        chain = crc(group);
        group[52..56].copy_from_slice(&chain.to_le_bytes());
        at += (64 + len).next_multiple_of(4096);
    }
}
