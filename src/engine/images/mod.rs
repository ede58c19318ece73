//! Disk images: raw and qcow2, read and written, sparse both ways.
//!
//! Nothing of an image is believed: every number of a header and of a table is held against what
//! can be before anything is allocated or read for it, an image that is read through another file
//! is refused unless that was asked for, and what cannot be read is refused by name.
//!
//! The format of qcow2 is QEMU's `docs/interop/qcow2.txt`.

mod detect;
mod difference;
mod error;
mod examine;
mod image;
mod origin;
mod qcow2;
mod raw;
mod storage;
#[cfg(test)]
mod tests;

pub use detect::{Format, detect};
pub use difference::{
    DifferenceError, DifferenceReader, DifferenceWriter, Head as DifferenceHead, Record, Seal,
    seal_at_end,
};
pub use error::ImageError;
pub use examine::{examine_difference, examine_image};
pub use image::{Image, OpenImage};
pub use origin::{Origin, data_runs};
pub use qcow2::{
    Compression, Header as Qcow2Header, Packer as Qcow2Packer, WriteError, Writer as Qcow2Writer,
};
pub use storage::ReadAt;

/// A stretch of an image, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
    /// Whether anything but zeroes may be there.
    pub data: bool,
}

/// Appends a run, joined to the one before where both are of one sort.
fn push_run(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        Some(last) if last.data == run.data && last.offset + last.length == run.offset => {
            last.length += run.length;
        }
        _ => runs.push(run),
    }
}
