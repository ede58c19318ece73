//! The numbers of the NBD protocol. Their source is the protocol document,
//! `doc/proto.md` of the project NetworkBlockDevice/nbd; each group names its section.

/// First word of the handshake, `NBDMAGIC` ("Newstyle negotiation").
pub(super) const NBD_MAGIC: u64 = 0x4e42_444d_4147_4943;
/// Second word of the handshake and first of each option, `IHAVEOPT` ("Newstyle negotiation").
pub(super) const OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
/// First word of an answer to an option ("Newstyle negotiation").
pub(super) const OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
/// First word of a request ("Request message").
pub(super) const REQUEST_MAGIC: u32 = 0x2560_9513;
/// First word of a simple reply ("Simple reply message").
pub(super) const SIMPLE_REPLY_MAGIC: u32 = 0x6744_6698;
/// First word of a chunk of a structured reply ("Structured reply chunk message").
pub(super) const STRUCTURED_REPLY_MAGIC: u32 = 0x668e_33ef;

/// Bytes of a request without its payload ("Request message").
pub(super) const REQUEST_LEN: usize = 28;

/// "Handshake flags" and "Client flags": the same two bits both ways.
pub(super) const FLAG_FIXED_NEWSTYLE: u16 = 1;
/// No 124 zeroes after the answer to `EXPORT_NAME`.
pub(super) const FLAG_NO_ZEROES: u16 = 1 << 1;

/// "Option types".
pub(super) mod option {
    pub(in crate::engine::nbd) const EXPORT_NAME: u32 = 1;
    pub(in crate::engine::nbd) const ABORT: u32 = 2;
    pub(in crate::engine::nbd) const LIST: u32 = 3;
    pub(in crate::engine::nbd) const INFO: u32 = 6;
    pub(in crate::engine::nbd) const GO: u32 = 7;
    pub(in crate::engine::nbd) const STRUCTURED_REPLY: u32 = 8;
    pub(in crate::engine::nbd) const LIST_META_CONTEXT: u32 = 9;
    pub(in crate::engine::nbd) const SET_META_CONTEXT: u32 = 10;
}

/// "Option reply types".
pub(super) mod answer {
    pub(in crate::engine::nbd) const ACK: u32 = 1;
    pub(in crate::engine::nbd) const SERVER: u32 = 2;
    pub(in crate::engine::nbd) const INFO: u32 = 3;
    pub(in crate::engine::nbd) const META_CONTEXT: u32 = 4;
    pub(in crate::engine::nbd) const ERR_UNSUP: u32 = (1 << 31) + 1;
    pub(in crate::engine::nbd) const ERR_INVALID: u32 = (1 << 31) + 3;
    pub(in crate::engine::nbd) const ERR_UNKNOWN: u32 = (1 << 31) + 6;
    pub(in crate::engine::nbd) const ERR_TOO_BIG: u32 = (1 << 31) + 9;
}

/// `NBD_INFO_*` ("Option reply types").
pub(super) mod info {
    pub(in crate::engine::nbd) const EXPORT: u16 = 0;
    pub(in crate::engine::nbd) const NAME: u16 = 1;
    pub(in crate::engine::nbd) const DESCRIPTION: u16 = 2;
    pub(in crate::engine::nbd) const BLOCK_SIZE: u16 = 3;
}

/// "Transmission flags".
pub(super) mod export_flag {
    pub(in crate::engine::nbd) const HAS_FLAGS: u16 = 1;
    pub(in crate::engine::nbd) const READ_ONLY: u16 = 1 << 1;
    pub(in crate::engine::nbd) const SEND_FLUSH: u16 = 1 << 2;
    pub(in crate::engine::nbd) const SEND_FUA: u16 = 1 << 3;
    pub(in crate::engine::nbd) const SEND_TRIM: u16 = 1 << 5;
    pub(in crate::engine::nbd) const SEND_WRITE_ZEROES: u16 = 1 << 6;
    pub(in crate::engine::nbd) const SEND_DF: u16 = 1 << 7;
    pub(in crate::engine::nbd) const CAN_MULTI_CONN: u16 = 1 << 8;
    pub(in crate::engine::nbd) const SEND_FAST_ZERO: u16 = 1 << 11;
}

/// "Request types".
pub(super) mod command {
    pub(in crate::engine::nbd) const READ: u16 = 0;
    pub(in crate::engine::nbd) const WRITE: u16 = 1;
    pub(in crate::engine::nbd) const DISC: u16 = 2;
    pub(in crate::engine::nbd) const FLUSH: u16 = 3;
    pub(in crate::engine::nbd) const TRIM: u16 = 4;
    pub(in crate::engine::nbd) const WRITE_ZEROES: u16 = 6;
    pub(in crate::engine::nbd) const BLOCK_STATUS: u16 = 7;
}

/// "Command flags".
pub(super) mod command_flag {
    pub(in crate::engine::nbd) const FUA: u16 = 1;
    pub(in crate::engine::nbd) const NO_HOLE: u16 = 1 << 1;
    pub(in crate::engine::nbd) const DF: u16 = 1 << 2;
    pub(in crate::engine::nbd) const REQ_ONE: u16 = 1 << 3;
    pub(in crate::engine::nbd) const FAST_ZERO: u16 = 1 << 4;
}

/// "Structured reply flags" and "Structured reply types".
pub(super) mod chunk {
    pub(in crate::engine::nbd) const FLAG_DONE: u16 = 1;
    pub(in crate::engine::nbd) const NONE: u16 = 0;
    pub(in crate::engine::nbd) const OFFSET_DATA: u16 = 1;
    pub(in crate::engine::nbd) const OFFSET_HOLE: u16 = 2;
    pub(in crate::engine::nbd) const BLOCK_STATUS: u16 = 5;
    pub(in crate::engine::nbd) const ERROR: u16 = (1 << 15) + 1;
    pub(in crate::engine::nbd) const ERROR_OFFSET: u16 = (1 << 15) + 2;
}

/// "Error values".
pub(super) mod errno {
    pub(in crate::engine::nbd) const EPERM: u32 = 1;
    pub(in crate::engine::nbd) const EIO: u32 = 5;
    pub(in crate::engine::nbd) const EINVAL: u32 = 22;
    pub(in crate::engine::nbd) const ENOSPC: u32 = 28;
    pub(in crate::engine::nbd) const ENOTSUP: u32 = 95;
    pub(in crate::engine::nbd) const ESHUTDOWN: u32 = 108;
}

/// State bits of `base:allocation` ("Metadata contexts").
pub(super) mod state {
    /// Nothing is allocated there.
    pub(in crate::engine::nbd) const HOLE: u32 = 1;
    /// It reads as zeroes.
    pub(in crate::engine::nbd) const ZERO: u32 = 1 << 1;
    /// In `snapdeck:dirty-since:…`: it differs. The bit that qemu's dirty bitmaps have too.
    pub(in crate::engine::nbd) const DIRTY: u32 = 1;
}

/// The longest string of the protocol, in bytes ("Values").
pub(super) const MAX_STRING: usize = 4096;
/// The shortest request that need not be cut, in bytes (`NBD_INFO_BLOCK_SIZE`).
pub(super) const MIN_BLOCK: u32 = 1;
/// The length and alignment that cost least, in bytes (`NBD_INFO_BLOCK_SIZE`).
pub(super) const PREFERRED_BLOCK: u32 = 4096;
/// The longest payload of a read or a write, in bytes (`NBD_INFO_BLOCK_SIZE`).
pub(super) const MAX_PAYLOAD: u32 = 32 << 20;
