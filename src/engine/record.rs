//! The records of the log: every change there is, each whole or not at all.

use super::bytes::{In, Out};
use super::error::Result;
use super::ids::{JobId, PointId, VolumeId};
use super::info::Attrs;
use super::ops::MAX_VOLUME_SIZE;
use super::page::BLOCK;

/// What a run of blocks is written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// This many blocks of zeroes.
    Zero(u16),
    /// Data in blocks of the store from `block` on, with these checksums.
    Data { block: u64, crcs: Vec<u32> },
}

impl Piece {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Zero(n) => u64::from(*n),
            Self::Data { crcs, .. } => crcs.len() as u64,
        }
    }
}

/// A block that a copy installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CopiedBlock {
    /// Place in the leaf.
    pub(super) at: u8,
    pub(super) block: u64,
    pub(super) crc: u32,
}

/// A change. Nodes and blocks are numbers of the store, `lba` is a block of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// Blocks of one leaf are written.
    Write {
        node: u64,
        lba: u64,
        pieces: Vec<Piece>,
    },
    /// Blocks of one leaf are forgotten.
    Discard {
        node: u64,
        lba: u64,
        count: u16,
    },
    /// Blocks of one leaf that hold data hold zeroes.
    Zero {
        node: u64,
        lba: u64,
        count: u16,
    },
    CreateVolume {
        id: VolumeId,
        name: String,
        size: u64,
        created: i64,
        attrs: Attrs,
    },
    UpdateVolume {
        id: VolumeId,
        name: Option<String>,
        attrs: Option<Attrs>,
    },
    UpdatePoint {
        id: PointId,
        name: Option<String>,
        attrs: Option<Attrs>,
    },
    Resize {
        id: VolumeId,
        size: u64,
    },
    /// With all its snapshots, if it has any.
    DeleteVolume {
        id: VolumeId,
    },
    /// Volumes, and the snapshot each gets.
    Snapshot {
        created: i64,
        members: Vec<(VolumeId, PointId, String, Attrs)>,
    },
    Restore {
        volume: VolumeId,
        point: PointId,
        created: i64,
        keep: Option<(PointId, String, Attrs)>,
        attrs: Option<Attrs>,
    },
    Clone {
        id: VolumeId,
        point: PointId,
        name: String,
        created: i64,
        attrs: Attrs,
    },
    DeletePoint {
        id: PointId,
    },
    /// Leaves below `to` of a deleted node are given back.
    Sweep {
        node: u64,
        to: u64,
    },
    /// Deleted nodes in a line become one.
    Join {
        first: u64,
        last: u64,
    },
    StartCopy {
        id: JobId,
        volume: VolumeId,
        threshold: u64,
        total: u64,
    },
    /// A leaf has been copied as far as it was still what it was.
    Copied {
        id: JobId,
        node: u64,
        leaf: u64,
        blocks: Vec<CopiedBlock>,
    },
    /// The copy is over; `cut`: the volume descends from nothing now.
    EndCopy {
        id: JobId,
        cut: bool,
    },
    PauseCopy {
        id: JobId,
        paused: bool,
    },
    /// Several that happen at one moment, all or none; none of them is a transaction.
    Transaction(Vec<Record>),
}

fn put_opt_text(out: &mut Out, v: Option<&String>) {
    out.flag(v.is_some());
    if let Some(v) = v {
        out.text(v);
    }
}

fn take_opt_text(input: &mut In<'_>) -> Result<Option<String>> {
    Ok(if input.flag()? {
        Some(input.text()?)
    } else {
        None
    })
}

fn put_opt_attrs(out: &mut Out, v: Option<&Attrs>) {
    out.flag(v.is_some());
    if let Some(v) = v {
        out.attrs(v);
    }
}

/// A block of the store: they have 40 bits.
fn take_block(input: &mut In<'_>) -> Result<u64> {
    match input.u64()? {
        block if block >> 40 == 0 => Ok(block),
        _ => Err(input.bad("a block is beyond what a store can have")),
    }
}

fn take_size(input: &mut In<'_>) -> Result<u64> {
    match input.u64()? {
        size if size <= MAX_VOLUME_SIZE && size.is_multiple_of(BLOCK) => Ok(size),
        _ => Err(input.bad("a volume has a size that it cannot have")),
    }
}

fn take_opt_attrs(input: &mut In<'_>) -> Result<Option<Attrs>> {
    Ok(if input.flag()? {
        Some(input.attrs()?)
    } else {
        None
    })
}

impl Record {
    /// Appends the record: its kind, its length, its body.
    pub(super) fn encode(&self, out: &mut Out) {
        let at = out.0.len();
        out.u8(0);
        out.u32(0);
        let kind = self.encode_body(out);
        let len = (out.0.len() - at - 5) as u32;
        out.0[at] = kind;
        out.0[at + 1..at + 5].copy_from_slice(&len.to_le_bytes());
    }

    fn encode_body(&self, out: &mut Out) -> u8 {
        match self {
            Self::Write { node, lba, pieces } => {
                out.u64(*node);
                out.u64(*lba);
                for piece in pieces {
                    match piece {
                        Piece::Zero(n) => {
                            out.u8(0);
                            out.u16(*n);
                        }
                        Piece::Data { block, crcs } => {
                            out.u8(1);
                            out.u16(crcs.len() as u16);
                            out.u64(*block);
                            for crc in crcs {
                                out.u32(*crc);
                            }
                        }
                    }
                }
                1
            }
            Self::Discard { node, lba, count } | Self::Zero { node, lba, count } => {
                out.u64(*node);
                out.u64(*lba);
                out.u16(*count);
                if matches!(self, Self::Discard { .. }) {
                    2
                } else {
                    3
                }
            }
            Self::CreateVolume {
                id,
                name,
                size,
                created,
                attrs,
            } => {
                out.uuid(id.0);
                out.text(name);
                out.u64(*size);
                out.i64(*created);
                out.attrs(attrs);
                4
            }
            Self::UpdateVolume {
                id: VolumeId(id),
                name,
                attrs,
            }
            | Self::UpdatePoint {
                id: PointId(id),
                name,
                attrs,
            } => {
                out.uuid(*id);
                put_opt_text(out, name.as_ref());
                put_opt_attrs(out, attrs.as_ref());
                if matches!(self, Self::UpdateVolume { .. }) {
                    5
                } else {
                    6
                }
            }
            Self::Resize { id, size } => {
                out.uuid(id.0);
                out.u64(*size);
                7
            }
            Self::DeleteVolume { id } => {
                out.uuid(id.0);
                8
            }
            Self::Snapshot { created, members } => {
                out.i64(*created);
                for (volume, point, name, attrs) in members {
                    out.uuid(volume.0);
                    out.uuid(point.0);
                    out.text(name);
                    out.attrs(attrs);
                }
                9
            }
            Self::Restore {
                volume,
                point,
                created,
                keep,
                attrs,
            } => {
                out.uuid(volume.0);
                out.uuid(point.0);
                out.i64(*created);
                out.flag(keep.is_some());
                if let Some((id, name, attrs)) = keep {
                    out.uuid(id.0);
                    out.text(name);
                    out.attrs(attrs);
                }
                put_opt_attrs(out, attrs.as_ref());
                10
            }
            Self::Clone {
                id,
                point,
                name,
                created,
                attrs,
            } => {
                out.uuid(id.0);
                out.uuid(point.0);
                out.text(name);
                out.i64(*created);
                out.attrs(attrs);
                11
            }
            Self::DeletePoint { id } => {
                out.uuid(id.0);
                12
            }
            Self::Sweep { node, to } => {
                out.u64(*node);
                out.u64(*to);
                13
            }
            Self::Join { first, last } => {
                out.u64(*first);
                out.u64(*last);
                18
            }
            Self::StartCopy {
                id,
                volume,
                threshold,
                total,
            } => {
                out.uuid(id.0);
                out.uuid(volume.0);
                out.u64(*threshold);
                out.u64(*total);
                14
            }
            Self::Copied {
                id,
                node,
                leaf,
                blocks,
            } => {
                out.uuid(id.0);
                out.u64(*node);
                out.u64(*leaf);
                for block in blocks {
                    out.u8(block.at);
                    out.u64(block.block);
                    out.u32(block.crc);
                }
                15
            }
            Self::EndCopy { id, cut: on } | Self::PauseCopy { id, paused: on } => {
                out.uuid(id.0);
                out.flag(*on);
                if matches!(self, Self::EndCopy { .. }) {
                    16
                } else {
                    17
                }
            }
            Self::Transaction(records) => {
                for record in records {
                    record.encode(out);
                }
                19
            }
        }
    }

    /// A record of this kind from its body.
    pub(super) fn decode(kind: u8, body: &[u8]) -> Result<Self> {
        let mut input = In::new(body, "a log record");
        let i = &mut input;
        let record = match kind {
            1 => {
                let (node, lba) = (i.u64()?, i.u64()?);
                let mut pieces = Vec::new();
                while !i.is_empty() {
                    let (tag, n) = (i.u8()?, i.u16()?);
                    pieces.push(match tag {
                        0 => Piece::Zero(n),
                        1 => Piece::Data {
                            block: take_block(i)?,
                            crcs: (0..n).map(|_| i.u32()).collect::<Result<_>>()?,
                        },
                        _ => return Err(i.bad("a piece is of an unknown kind")),
                    });
                }
                Self::Write { node, lba, pieces }
            }
            2 => Self::Discard {
                node: i.u64()?,
                lba: i.u64()?,
                count: i.u16()?,
            },
            3 => Self::Zero {
                node: i.u64()?,
                lba: i.u64()?,
                count: i.u16()?,
            },
            4 => Self::CreateVolume {
                id: VolumeId(i.uuid()?),
                name: i.text()?,
                size: take_size(i)?,
                created: i.i64()?,
                attrs: i.attrs()?,
            },
            5 => Self::UpdateVolume {
                id: VolumeId(i.uuid()?),
                name: take_opt_text(i)?,
                attrs: take_opt_attrs(i)?,
            },
            6 => Self::UpdatePoint {
                id: PointId(i.uuid()?),
                name: take_opt_text(i)?,
                attrs: take_opt_attrs(i)?,
            },
            7 => Self::Resize {
                id: VolumeId(i.uuid()?),
                size: take_size(i)?,
            },
            8 => Self::DeleteVolume {
                id: VolumeId(i.uuid()?),
            },
            9 => {
                let created = i.i64()?;
                let mut members = Vec::new();
                while !i.is_empty() {
                    members.push((
                        VolumeId(i.uuid()?),
                        PointId(i.uuid()?),
                        i.text()?,
                        i.attrs()?,
                    ));
                }
                Self::Snapshot { created, members }
            }
            10 => Self::Restore {
                volume: VolumeId(i.uuid()?),
                point: PointId(i.uuid()?),
                created: i.i64()?,
                keep: if i.flag()? {
                    Some((PointId(i.uuid()?), i.text()?, i.attrs()?))
                } else {
                    None
                },
                attrs: take_opt_attrs(i)?,
            },
            11 => Self::Clone {
                id: VolumeId(i.uuid()?),
                point: PointId(i.uuid()?),
                name: i.text()?,
                created: i.i64()?,
                attrs: i.attrs()?,
            },
            12 => Self::DeletePoint {
                id: PointId(i.uuid()?),
            },
            13 => Self::Sweep {
                node: i.u64()?,
                to: i.u64()?,
            },
            14 => Self::StartCopy {
                id: JobId(i.uuid()?),
                volume: VolumeId(i.uuid()?),
                threshold: i.u64()?,
                total: i.u64()?,
            },
            15 => {
                let (id, node, leaf) = (JobId(i.uuid()?), i.u64()?, i.u64()?);
                let mut blocks = Vec::new();
                while !i.is_empty() {
                    blocks.push(CopiedBlock {
                        at: i.u8()?,
                        block: take_block(i)?,
                        crc: i.u32()?,
                    });
                }
                Self::Copied {
                    id,
                    node,
                    leaf,
                    blocks,
                }
            }
            16 => Self::EndCopy {
                id: JobId(i.uuid()?),
                cut: i.flag()?,
            },
            17 => Self::PauseCopy {
                id: JobId(i.uuid()?),
                paused: i.flag()?,
            },
            18 => Self::Join {
                first: i.u64()?,
                last: i.u64()?,
            },
            19 => {
                let mut records = Vec::new();
                while !i.is_empty() {
                    let kind = i.u8()?;
                    if !matches!(kind, 5 | 6 | 8 | 10 | 11 | 12) {
                        return Err(i.bad("a part of a transaction is of a wrong kind"));
                    }
                    let len = i.u32()? as usize;
                    records.push(Self::decode(kind, i.take(len)?)?);
                }
                Self::Transaction(records)
            }
            _ => return Err(i.bad("it is of an unknown kind")),
        };
        if !i.is_empty() {
            return Err(i.bad("it is longer than what it holds"));
        }
        Ok(record)
    }
}
