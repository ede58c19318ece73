//! The format qcow2, versions 2 and 3.

mod compressed;
mod header;
mod map;
mod packer;
mod reader;
mod writer;

pub use header::{Compression, Header};
pub use packer::Packer;
pub(super) use reader::Qcow2;
pub use writer::{WriteError, Writer};
