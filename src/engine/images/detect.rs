//! What an image is, from its first bytes.

use std::fmt;
use std::str::FromStr;

/// A format that is read and written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// The bytes of the disk as they are.
    Raw,
    /// QEMU's format, version 2 or 3.
    Qcow2,
}

impl Format {
    /// Its name, as on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "raw" => Ok(Self::Raw),
            "qcow2" => Ok(Self::Qcow2),
            _ => Err(format!("\"{text}\" is neither raw nor qcow2")),
        }
    }
}

/// The first bytes of a qcow2 image.
pub(super) const QCOW2_MAGIC: [u8; 4] = *b"QFI\xfb";

/// How many of an image's first bytes [`detect`] wants to see.
pub(super) const LOOK: usize = 68;

/// Formats that are known by their first bytes, and not read here.
const FOREIGN: [(&[u8], usize, &str); 8] = [
    (b"KDMV", 0, "VMDK"),
    (b"COWD", 0, "VMDK"),
    (b"# Disk DescriptorFile", 0, "VMDK"),
    (b"vhdxfile", 0, "VHDX"),
    (b"conectix", 0, "VHD"),
    (b"QED\0", 0, "QED"),
    (b"\x7f\x10\xda\xbe", 64, "VDI"),
    (b"rbd diff v", 0, "RBD difference"),
];

/// The format that a file's first bytes say; what says nothing is raw.
///
/// # Errors
/// The name of a format that is not read here.
pub fn detect(head: &[u8]) -> Result<Format, &'static str> {
    if head.starts_with(&QCOW2_MAGIC) {
        return Ok(Format::Qcow2);
    }
    let foreign = FOREIGN
        .iter()
        .find(|(magic, at, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    match foreign {
        Some((_, _, name)) => Err(name),
        None => Ok(Format::Raw),
    }
}
