//! The header of a qcow2 image, every number of which is held against what can be.

use std::path::Path;

use super::super::detect::QCOW2_MAGIC;
use super::super::error::ImageError;
use super::super::storage::ReadAt;

/// The least and the most bits of an offset within a cluster: 512 bytes to 2 MiB, as QEMU has it.
const CLUSTER_BITS: std::ops::RangeInclusive<u32> = 9..=21;
/// The least with extended entries.
const EXTENDED_CLUSTER_BITS: u32 = 14;
/// The most bytes of a table of the first level, as QEMU has it.
const MAX_L1_BYTES: u64 = 32 << 20;
/// The most bytes of the name of a backing file.
const MAX_NAME: u32 = 1023;
/// The bytes of a header of version 2, and the fewest of one of version 3.
const V2_BYTES: u64 = 72;
const V3_BYTES: u64 = 104;

const DIRTY: u64 = 1;
const CORRUPT: u64 = 1 << 1;
const EXTERNAL_DATA: u64 = 1 << 2;
const COMPRESSION_TYPE: u64 = 1 << 3;
const EXTENDED_L2: u64 = 1 << 4;
const KNOWN: u64 = DIRTY | CORRUPT | EXTERNAL_DATA | COMPRESSION_TYPE | EXTENDED_L2;

const BACKING_FORMAT: u32 = 0xe279_2aca;
const FEATURE_NAMES: u32 = 0x6803_f857;
const DATA_FILE_NAME: u32 = 0x4441_5441;

/// How compressed clusters are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Raw deflate, with a window of 4 KiB.
    Zlib,
    /// Zstandard.
    Zstd,
}

/// The header of a qcow2 image.
#[derive(Clone, Debug)]
pub struct Header {
    /// 2 or 3.
    pub version: u32,
    /// Bits of an offset within a cluster.
    pub cluster_bits: u32,
    /// The size of the disk, in bytes.
    pub size: u64,
    /// Entries of the table of the first level.
    pub(super) l1_entries: u64,
    /// Where it is in the file.
    pub(super) l1_offset: u64,
    /// Whether entries of the second level have a bitmap of subclusters.
    pub extended: bool,
    /// How compressed clusters are compressed.
    pub compression: Compression,
    /// Snapshots inside the image, which are not read.
    pub snapshots: u32,
    /// The name of the backing file, where there is one.
    pub backing: Option<String>,
    /// Its format, where the image says.
    pub backing_format: Option<String>,
    /// Whether data is in a file of its own.
    pub external_data: bool,
    /// The name of that file, where the image says.
    pub data_file: Option<String>,
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u32::from_be_bytes)
}

fn be64(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|part| part.try_into().ok())
        .map_or(0, u64::from_be_bytes)
}

impl Header {
    /// Reads and checks the header of `file`, which is called `path` in errors.
    ///
    /// # Errors
    /// [`ImageError::Damaged`] where a number cannot be, [`ImageError::Unsupported`] where the image
    /// uses what is not read here, by name.
    pub fn read(path: &Path, file: &dyn ReadAt) -> Result<Self, ImageError> {
        let io = |e| ImageError::io(path, e);
        let damaged = |what: String| ImageError::damaged(path, what);
        let unsupported = |what: &str| ImageError::unsupported(path, what);
        let length = file.length().map_err(io)?;
        let mut bytes = vec![0; V2_BYTES as usize];
        file.read_exact_at(&mut bytes, 0).map_err(io)?;
        if !bytes.starts_with(&QCOW2_MAGIC) {
            return Err(damaged("it does not begin as a qcow2 image does".into()));
        }
        let version = be32(&bytes, 4);
        match version {
            1 => return Err(unsupported("it is of version 1 (qcow), older than qcow2")),
            2 | 3 => {}
            _ => {
                return Err(ImageError::unsupported(
                    path,
                    format!("it is of version {version}, and 2 and 3 are known"),
                ));
            }
        }
        let cluster_bits = be32(&bytes, 20);
        if !CLUSTER_BITS.contains(&cluster_bits) {
            return Err(damaged(format!(
                "clusters of 2^{cluster_bits} bytes; there are 2^9 to 2^21"
            )));
        }
        let cluster = 1_u64 << cluster_bits;
        // What the header, its extensions and the backing file's name are in.
        let mut first = vec![0; cluster.min(length) as usize];
        file.read_exact_at(&mut first, 0).map_err(io)?;

        let (mut incompatible, mut header_bytes) = (0, V2_BYTES);
        if version == 3 {
            if (first.len() as u64) < V3_BYTES {
                return Err(damaged("it ends within its header".into()));
            }
            incompatible = be64(&first, 72);
            header_bytes = u64::from(be32(&first, 100));
            if header_bytes < V3_BYTES || header_bytes > cluster || header_bytes % 8 != 0 {
                return Err(damaged(format!("a header of {header_bytes} bytes")));
            }
            if be32(&first, 96) > 6 {
                return Err(damaged(format!(
                    "reference counts of 2^{} bits",
                    be32(&first, 96)
                )));
            }
        }
        let extensions = Extensions::read(path, &first, header_bytes as usize)?;
        if incompatible & !KNOWN != 0 {
            let names: Vec<String> = (0..64)
                .filter(|bit| incompatible & !KNOWN & 1 << bit != 0)
                .map(|bit| extensions.feature(bit))
                .collect();
            return Err(ImageError::unsupported(
                path,
                format!("it needs what is not known here: {}", names.join(", ")),
            ));
        }
        if incompatible & CORRUPT != 0 {
            return Err(unsupported(
                "it is marked as corrupt (`qemu-img check -r all` may repair it)",
            ));
        }
        match be32(&bytes, 32) {
            0 => {}
            1 => return Err(unsupported("it is encrypted (AES)")),
            2 => return Err(unsupported("it is encrypted (LUKS)")),
            n => {
                return Err(ImageError::unsupported(
                    path,
                    format!("it is encrypted (method {n})"),
                ));
            }
        }
        let compression_type = if header_bytes > V3_BYTES {
            first.get(V3_BYTES as usize).copied().unwrap_or(0)
        } else {
            0
        };
        let compression = match (incompatible & COMPRESSION_TYPE != 0, compression_type) {
            (false, 0) => Compression::Zlib,
            (true, 1) => Compression::Zstd,
            (true, n) if n > 1 => {
                return Err(ImageError::unsupported(
                    path,
                    format!("it is compressed by method {n}; 0 (zlib) and 1 (zstd) are known"),
                ));
            }
            (_, n) => {
                return Err(damaged(format!(
                    "compression of method {n} against its own feature bits"
                )));
            }
        };
        let extended = incompatible & EXTENDED_L2 != 0;
        if extended && cluster_bits < EXTENDED_CLUSTER_BITS {
            return Err(damaged(format!(
                "subclusters in clusters of {cluster} bytes"
            )));
        }
        let external_data = incompatible & EXTERNAL_DATA != 0;

        let size = be64(&bytes, 24);
        let l1_entries = u64::from(be32(&bytes, 36));
        let l1_offset = be64(&bytes, 40);
        let entry_bytes = if extended { 16 } else { 8 };
        let per_table = u128::from(cluster / entry_bytes) * u128::from(cluster);
        let needed = u128::from(size).div_ceil(per_table);
        if l1_entries * 8 > MAX_L1_BYTES {
            return Err(damaged(format!(
                "a table of the first level of {l1_entries} entries, more than 32 MiB"
            )));
        }
        if u128::from(l1_entries) < needed {
            return Err(damaged(format!(
                "a table of the first level of {l1_entries} entries, where {needed} are needed for {size} bytes"
            )));
        }
        if l1_entries > 0 {
            if l1_offset == 0 || !l1_offset.is_multiple_of(cluster) {
                return Err(damaged(format!(
                    "a table of the first level at {l1_offset}"
                )));
            }
            if l1_offset
                .checked_add(l1_entries * 8)
                .is_none_or(|end| end > length)
            {
                return Err(damaged(
                    "its table of the first level lies beyond its end".into(),
                ));
            }
        }
        Ok(Self {
            version,
            cluster_bits,
            size,
            l1_entries,
            l1_offset,
            extended,
            compression,
            snapshots: be32(&bytes, 60),
            backing: backing_name(path, &bytes, &first)?,
            backing_format: extensions.backing_format,
            external_data,
            data_file: extensions.data_file,
        })
    }

    /// The bytes of the table of the first level in memory.
    pub(in super::super) fn table_bytes(&self) -> u64 {
        self.l1_entries * 8
    }

    /// The bytes of a cluster.
    #[must_use]
    pub fn cluster(&self) -> u64 {
        1 << self.cluster_bits
    }
}

fn backing_name(path: &Path, bytes: &[u8], first: &[u8]) -> Result<Option<String>, ImageError> {
    let (offset, length) = (be64(bytes, 8), be32(bytes, 16));
    if offset == 0 {
        return Ok(None);
    }
    if length == 0 || length > MAX_NAME {
        return Err(ImageError::damaged(
            path,
            format!("a backing file with a name of {length} bytes"),
        ));
    }
    let name = usize::try_from(offset)
        .ok()
        .and_then(|from| first.get(from..from.checked_add(length as usize)?))
        .ok_or_else(|| {
            ImageError::damaged(path, "the name of its backing file is outside its header")
        })?;
    Ok(Some(String::from_utf8_lossy(name).into_owned()))
}

/// What stands behind the fields of the header.
#[derive(Default)]
struct Extensions {
    backing_format: Option<String>,
    data_file: Option<String>,
    /// Names of incompatible features, by bit.
    names: Vec<(u8, String)>,
}

impl Extensions {
    fn read(path: &Path, first: &[u8], mut at: usize) -> Result<Self, ImageError> {
        let mut found = Self::default();
        // Old images have no end mark where nothing follows.
        while let Some(head) = first.get(at..at + 8) {
            let (kind, length) = (be32(head, 0), be32(head, 4) as usize);
            if kind == 0 {
                break;
            }
            let body = first.get(at + 8..).and_then(|rest| rest.get(..length));
            let Some(body) = body else {
                return Err(ImageError::damaged(
                    path,
                    format!("a header extension of {length} bytes, which does not fit"),
                ));
            };
            let text = || String::from_utf8_lossy(body).into_owned();
            match kind {
                BACKING_FORMAT => found.backing_format = Some(text()),
                DATA_FILE_NAME => found.data_file = Some(text()),
                FEATURE_NAMES => {
                    for entry in body.chunks_exact(48) {
                        if let [0, bit, name @ ..] = entry {
                            let name = String::from_utf8_lossy(name);
                            let name = name.trim_end_matches('\0').to_owned();
                            found.names.push((*bit, name));
                        }
                    }
                }
                _ => {}
            }
            at += 8 + length.next_multiple_of(8);
        }
        Ok(found)
    }

    fn feature(&self, bit: u8) -> String {
        let known = self.names.iter().find(|(at, _)| *at == bit);
        match known {
            Some((_, name)) if !name.is_empty() => format!("{name} (bit {bit})"),
            _ => format!("bit {bit}"),
        }
    }
}
