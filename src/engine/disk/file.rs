//! The files of a store in a directory.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use rustix::fs::{FallocateFlags, fallocate};

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
    /// A file was made whose name is not durable yet.
    names_dirty: AtomicBool,
}

impl FileDisk {
    /// The files in `dir`.
    pub(in crate::engine) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            files: RwLock::default(),
            bounce: Bounce::default(),
            names_dirty: AtomicBool::new(false),
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
                self.names_dirty.store(true, Ordering::Release);
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
        if self.names_dirty.swap(false, Ordering::AcqRel)
            && let Err(e) = File::open(&self.dir).and_then(|dir| dir.sync_all())
        {
            self.names_dirty.store(true, Ordering::Release);
            return Err(e);
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
