//! An image that is open for reading, with all that it is read through.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Run;
use super::detect::{Format, LOOK, detect};
use super::error::ImageError;
use super::qcow2::{Header, Qcow2};
use super::raw::Raw;
use super::storage::ReadAt;

/// The most images that stand on one another.
const MAX_DEPTH: usize = 256;
/// The most memory for tables of the first level, of all of them together, in bytes.
const MAX_TABLES: u64 = 256 << 20;

/// How an image is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenImage {
    /// Its format, where it is not to be found from its first bytes.
    pub format: Option<Format>,
    /// Whether the files that its header names (backing files, an external data file) are read.
    /// An image from somebody else can name any file of this machine, and would bring
    /// its content in.
    pub references: bool,
}

/// An image that is open for reading. It can be read from many threads at once.
pub struct Image {
    layer: Layer,
    found: bool,
    files: usize,
}

/// One of the images that stand on one another.
pub(super) enum Layer {
    Raw(Raw),
    Qcow2(Box<Qcow2>),
}

impl Layer {
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Raw(raw) => raw.size(),
            Self::Qcow2(qcow2) => qcow2.size(),
        }
    }

    pub(super) fn runs(&self, offset: u64, end: u64) -> Result<Vec<Run>, ImageError> {
        match self {
            Self::Raw(raw) => raw.runs(offset, end),
            Self::Qcow2(qcow2) => qcow2.runs(offset, end),
        }
    }

    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ImageError> {
        match self {
            Self::Raw(raw) => raw.read(offset, buffer),
            Self::Qcow2(qcow2) => qcow2.read(offset, buffer),
        }
    }
}

impl Image {
    /// Opens the image at `path`.
    ///
    /// # Errors
    /// See [`ImageError`].
    pub fn open(path: &Path, options: &OpenImage) -> Result<Self, ImageError> {
        let mut opening = Opening::default();
        let file = opening.file(path)?;
        if file.length().map_err(|e| ImageError::io(path, e))? == 0 {
            return Err(ImageError::Empty {
                path: path.to_owned(),
            });
        }
        let format = match options.format {
            Some(format) => format,
            None => found(path, &*file)?,
        };
        let layer = opening.layer(path, file, format, options.references)?;
        Ok(Self {
            layer,
            found: options.format.is_none(),
            files: opening.seen.len(),
        })
    }

    /// Opens an image that is in memory, of the format that its first bytes say.
    ///
    /// # Errors
    /// See [`ImageError`]; what it would be read through is never opened.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ImageError> {
        let path = Path::new("the image");
        let file: Arc<dyn ReadAt> = Arc::new(bytes);
        let format = found(path, &*file)?;
        let layer = Opening::default().layer(path, file, format, false)?;
        Ok(Self {
            layer,
            found: true,
            files: 0,
        })
    }

    /// The size of the disk, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.layer.size()
    }

    /// Its format.
    #[must_use]
    pub fn format(&self) -> Format {
        match self.layer {
            Layer::Raw(_) => Format::Raw,
            Layer::Qcow2(_) => Format::Qcow2,
        }
    }

    /// Whether the format was found from its first bytes rather than said.
    #[must_use]
    pub fn format_was_found(&self) -> bool {
        self.found
    }

    /// The header, where the format has one.
    #[must_use]
    pub fn header(&self) -> Option<&Header> {
        match &self.layer {
            Layer::Raw(_) => None,
            Layer::Qcow2(qcow2) => Some(qcow2.header()),
        }
    }

    /// How many files it is read from.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// What is best read at once is a multiple of this, in bytes.
    #[must_use]
    pub fn granule(&self) -> u64 {
        self.header().map_or(4096, Header::cluster)
    }

    /// The runs from `offset` on, in order and without gaps; those of one call end early where
    /// there are many. Empty only at the end.
    ///
    /// # Errors
    /// Where a table cannot be read or says what cannot be.
    pub fn runs(&self, offset: u64) -> Result<Vec<Run>, ImageError> {
        let end = self.size();
        if offset >= end {
            return Ok(Vec::new());
        }
        self.layer.runs(offset, end)
    }

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// Beyond the end, and where what is there cannot be read.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ImageError> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size()) {
            return Err(ImageError::damaged(
                Path::new("the image"),
                format!("{offset} is beyond its end at {}", self.size()),
            ));
        }
        self.layer.read(offset, buffer)
    }
}

fn found(path: &Path, file: &dyn ReadAt) -> Result<Format, ImageError> {
    let io = |e| ImageError::io(path, e);
    let mut head = vec![0; LOOK.min(file.length().map_err(io)? as usize)];
    file.read_exact_at(&mut head, 0).map_err(io)?;
    detect(&head).map_err(|format| ImageError::Foreign {
        path: path.to_owned(),
        format,
    })
}

/// What was opened so far.
#[derive(Default)]
struct Opening {
    /// The files, as device and inode: none is read through itself.
    seen: Vec<(u64, u64)>,
    tables: u64,
}

impl Opening {
    fn file(&mut self, path: &Path) -> Result<Arc<dyn ReadAt>, ImageError> {
        use std::os::unix::fs::MetadataExt as _;
        let io = |e| ImageError::io(path, e);
        // Looked at first: to open a pipe would wait for its other end.
        let metadata = std::fs::metadata(path).map_err(io)?;
        if !metadata.is_file() {
            return Err(ImageError::NotAFile {
                path: path.to_owned(),
            });
        }
        let file = File::open(path).map_err(io)?;
        let here = (metadata.dev(), metadata.ino());
        if self.seen.contains(&here) {
            return Err(ImageError::damaged(path, "it is read through itself"));
        }
        self.seen.push(here);
        if self.seen.len() > MAX_DEPTH {
            return Err(ImageError::unsupported(
                path,
                format!("more than {MAX_DEPTH} images stand on one another"),
            ));
        }
        Ok(Arc::new(file))
    }

    fn layer(
        &mut self,
        path: &Path,
        file: Arc<dyn ReadAt>,
        format: Format,
        references: bool,
    ) -> Result<Layer, ImageError> {
        if format == Format::Raw {
            return Ok(Layer::Raw(Raw::open(path, file)?));
        }
        let header = Header::read(path, &*file)?;
        self.tables += header.table_bytes();
        if self.tables > MAX_TABLES {
            return Err(ImageError::unsupported(
                path,
                "the tables of the images below it are larger than 256 MiB",
            ));
        }
        let data = match (&header.external_data, &header.data_file) {
            (false, _) => None,
            (true, None) => {
                return Err(ImageError::unsupported(
                    path,
                    "its data is in another file, which it does not name",
                ));
            }
            (true, Some(name)) => {
                let path = refer(path, "external data file", name, references)?;
                Some(self.file(&path)?)
            }
        };
        let below = match &header.backing {
            None => None,
            Some(name) => {
                let below = refer(path, "backing file", name, references)?;
                // To look what it is would let a guest that wrote a header into its raw disk
                // name the files that are read.
                let format = match header.backing_format.as_deref() {
                    Some("raw" | "file") => Format::Raw,
                    Some("qcow2") => Format::Qcow2,
                    Some(other) => {
                        return Err(ImageError::unsupported(
                            path,
                            format!("its backing file is of the format {other:?}"),
                        ));
                    }
                    None => {
                        return Err(ImageError::unsupported(
                            path,
                            "it does not say the format of its backing file (`qemu-img rebase -u -b FILE -F FORMAT` does)",
                        ));
                    }
                };
                let file = self.file(&below)?;
                Some(Box::new(self.layer(&below, file, format, references)?))
            }
        };
        Ok(Layer::Qcow2(Box::new(Qcow2::open(
            path, file, header, data, below,
        )?)))
    }
}

/// The path that a name in the header of the image at `path` means.
fn refer(
    path: &Path,
    role: &'static str,
    name: &str,
    allowed: bool,
) -> Result<PathBuf, ImageError> {
    if !allowed {
        return Err(ImageError::Reference {
            path: path.to_owned(),
            role,
            name: name.to_owned(),
        });
    }
    let file = name.strip_prefix("file:").unwrap_or(name);
    let scheme = file
        .split_once(':')
        .is_some_and(|(scheme, _)| !scheme.contains('/'));
    if scheme {
        return Err(ImageError::unsupported(
            path,
            format!("its {role} is {name:?}, and only files are read"),
        ));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(folder.join(file))
}
