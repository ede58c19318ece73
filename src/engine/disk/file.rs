//! The files of a store in a directory.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate};
use rustix::io::{ReadWriteFlags, preadv2};

use super::direct::{Bounce, Direct};
use super::{Disk, FileName};

/// An open file.
struct Open {
    file: File,
    /// For segments of the log.
    direct: Option<Direct>,
}

/// A directory of files.
pub(in crate::engine) struct FileDisk {
    dir: PathBuf,
    files: RwLock<HashMap<FileName, Arc<Open>>>,
    bounce: Bounce,
    /// A file was made whose name may not be durable yet. Held while names are
    /// synced, so that no one takes another's sync that is under way for done.
    names_dirty: Mutex<bool>,
}

/// Makes a directory, and those above it that are missing, durably.
pub(in crate::engine) fn make_directory(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let above = match dir.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    make_directory(above)?;
    match std::fs::create_dir(dir) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists || !dir.is_dir() => return Err(e),
        _ => {}
    }
    File::open(above)?.sync_all()
}

impl FileDisk {
    /// The files in `dir`.
    pub(in crate::engine) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            files: RwLock::default(),
            bounce: Bounce::default(),
            // Whoever made them may have been killed before that.
            names_dirty: Mutex::new(true),
        }
    }

    fn open(&self, name: FileName, create: bool) -> io::Result<Arc<Open>> {
        if let Some(file) = self.files.read().get(&name) {
            return Ok(file.clone());
        }
        let mut files = self.files.write();
        if let Some(file) = files.get(&name) {
            return Ok(file.clone());
        }
        let path = self.dir.join(name.to_string());
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let file = match options.open(&path) {
            Err(e) if create && e.kind() == io::ErrorKind::NotFound => {
                let file = options.create(true).truncate(false).open(&path)?;
                *self.names_dirty.lock() = true;
                file
            }
            other => other?,
        };
        let direct = match name {
            FileName::Log(_) => Direct::open(&path),
            _ => None,
        };
        let open = Arc::new(Open { file, direct });
        files.insert(name, open.clone());
        Ok(open)
    }
}

impl Disk for FileDisk {
    fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.open(file, false)?.file.read_exact_at(buf, offset)
    }

    fn read_at_hand(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<bool> {
        let file = &self.open(file, false)?.file;
        let wanted = buf.len();
        let mut parts = [IoSliceMut::new(buf)];
        // Whatever the reason is that it does not go so, the ordinary way finds it out.
        let read = preadv2(file, &mut parts, offset, ReadWriteFlags::NOWAIT);
        Ok(read.is_ok_and(|read| read == wanted))
    }

    fn fetch(&self, file: FileName, offset: u64, len: u64) {
        if let Ok(open) = self.open(file, false) {
            // A hint: it does no harm where it is not taken.
            let _ = fadvise(&open.file, offset, NonZeroU64::new(len), Advice::WillNeed);
        }
    }

    fn write_at(&self, file: FileName, offset: u64, data: &[u8]) -> io::Result<()> {
        let open = self.open(file, true)?;
        if let Some(direct) = &open.direct
            && direct.write_at(&self.bounce, data, offset)?
        {
            return Ok(());
        }
        open.file.write_all_at(data, offset)
    }

    fn sync(&self, file: FileName) -> io::Result<()> {
        self.open(file, true)?.file.sync_data()?;
        let mut names_dirty = self.names_dirty.lock();
        if *names_dirty {
            File::open(&self.dir)?.sync_all()?;
            *names_dirty = false;
        }
        Ok(())
    }

    fn reserve(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        let file = &self.open(file, true)?.file;
        match fallocate(file, FallocateFlags::empty(), offset, len) {
            Ok(()) => Ok(()),
            // A file system without preallocation: the file grows, the room is not certain.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                let end = offset + len;
                if file.metadata()?.len() < end {
                    file.set_len(end)
                } else {
                    Ok(())
                }
            }
            Err(e) => Err(e.into()),
        }
    }

    fn punch(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        let file = &self.open(file, false)?.file;
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match fallocate(file, flags, offset, len) {
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                Err(io::ErrorKind::Unsupported.into())
            }
            other => Ok(other?),
        }
    }

    fn remove(&self, file: FileName) -> io::Result<()> {
        self.files.write().remove(&file);
        std::fs::remove_file(self.dir.join(file.to_string()))?;
        *self.names_dirty.lock() = true;
        Ok(())
    }

    fn len(&self, file: FileName) -> io::Result<Option<u64>> {
        match std::fs::metadata(self.dir.join(file.to_string())) {
            Ok(meta) => Ok(Some(meta.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn list(&self) -> io::Result<Vec<FileName>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            if let Some(name) = entry?.file_name().to_str().and_then(FileName::parse) {
                names.push(name);
            }
        }
        Ok(names)
    }
}
