//! A disk on which some syncs are still owed: nothing is written before they are done, and who only reads
//! need not wait for them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::{Disk, FileName};

/// What is owed.
enum Owed {
    /// These files are to be synced.
    Syncs(Vec<FileName>),
    /// One of them could not be: it is not known what is on the medium.
    Failed(String),
}

/// Another disk, behind what is owed to it.
pub(in crate::engine) struct Late {
    below: Arc<dyn Disk>,
    owed: Mutex<Owed>,
    /// Nothing is.
    paid: AtomicBool,
}

impl Late {
    /// Owes nothing yet.
    pub(in crate::engine) fn new(below: Arc<dyn Disk>) -> Self {
        Self {
            below,
            owed: Mutex::new(Owed::Syncs(Vec::new())),
            paid: AtomicBool::new(true),
        }
    }

    /// Before anything else is written, these files are synced.
    pub(in crate::engine) fn owe(&self, files: Vec<FileName>) {
        *self.owed.lock() = Owed::Syncs(files);
        self.paid.store(false, Ordering::Release);
    }
}

impl Disk for Late {
    fn pay(&self) -> io::Result<()> {
        if self.paid.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut owed = self.owed.lock();
        let failed = match &*owed {
            Owed::Failed(why) => why.clone(),
            Owed::Syncs(files) => {
                let sync = |file: &FileName| {
                    let synced = self.below.sync(*file);
                    synced.map_err(|e| format!("syncing {file}: {e}"))
                };
                match files.iter().try_for_each(sync) {
                    Ok(()) => {
                        *owed = Owed::Syncs(Vec::new());
                        self.paid.store(true, Ordering::Release);
                        return Ok(());
                    }
                    Err(why) => why,
                }
            }
        };
        // A sync that failed is not tried again: the next one may tell a success that is none.
        *owed = Owed::Failed(failed.clone());
        Err(io::Error::other(failed))
    }

    fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.below.read_at(file, offset, buf)
    }

    fn read_at_hand(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<bool> {
        self.below.read_at_hand(file, offset, buf)
    }

    fn fetch(&self, file: FileName, offset: u64, len: u64) {
        self.below.fetch(file, offset, len);
    }

    fn write_at(&self, file: FileName, offset: u64, data: &[u8]) -> io::Result<()> {
        self.pay()?;
        self.below.write_at(file, offset, data)
    }

    fn sync(&self, file: FileName) -> io::Result<()> {
        self.pay()?;
        self.below.sync(file)
    }

    fn reserve(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        self.pay()?;
        self.below.reserve(file, offset, len)
    }

    fn punch(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
        self.pay()?;
        self.below.punch(file, offset, len)
    }

    fn remove(&self, file: FileName) -> io::Result<()> {
        self.pay()?;
        self.below.remove(file)
    }

    fn len(&self, file: FileName) -> io::Result<Option<u64>> {
        self.below.len(file)
    }

    fn list(&self) -> io::Result<Vec<FileName>> {
        self.below.list()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::disk::FileDisk;

    /// A disk that notes what is done to it, and fails to sync one file.
    struct Noting(FileDisk, Mutex<Vec<String>>, Option<FileName>);

    impl Disk for Noting {
        fn read_at(&self, file: FileName, offset: u64, buf: &mut [u8]) -> io::Result<()> {
            self.0.read_at(file, offset, buf)
        }
        fn write_at(&self, file: FileName, offset: u64, data: &[u8]) -> io::Result<()> {
            self.1.lock().push(format!("write {file}"));
            self.0.write_at(file, offset, data)
        }
        fn sync(&self, file: FileName) -> io::Result<()> {
            self.1.lock().push(format!("sync {file}"));
            match self.2 == Some(file) {
                true => Err(io::Error::other("torn cable")),
                false => self.0.sync(file),
            }
        }
        fn reserve(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
            self.0.reserve(file, offset, len)
        }
        fn punch(&self, file: FileName, offset: u64, len: u64) -> io::Result<()> {
            self.0.punch(file, offset, len)
        }
        fn remove(&self, file: FileName) -> io::Result<()> {
            self.0.remove(file)
        }
        fn len(&self, file: FileName) -> io::Result<Option<u64>> {
            self.0.len(file)
        }
        fn list(&self) -> io::Result<Vec<FileName>> {
            self.0.list()
        }
    }

    fn owing(dir: &std::path::Path, broken: Option<FileName>) -> (Arc<Noting>, Late) {
        let below = Noting(FileDisk::new(dir), Mutex::default(), broken);
        below.write_at(FileName::Log(0), 0, b"log").unwrap();
        below.write_at(FileName::Super, 0, b"super").unwrap();
        below.1.lock().clear();
        let below = Arc::new(below);
        let late = Late::new(below.clone());
        late.owe(vec![FileName::Log(0), FileName::Super]);
        (below, late)
    }

    #[test]
    fn what_is_owed_is_paid_before_the_first_write_and_once() {
        let dir = tempfile::tempdir().unwrap();
        let (below, late) = owing(dir.path(), None);
        let mut three = [0; 3];
        late.read_at(FileName::Log(0), 0, &mut three).unwrap();
        assert_eq!((&three, below.1.lock().len()), (b"log", 0));
        for _ in 0..2 {
            late.write_at(FileName::Data(0), 0, b"x").unwrap();
        }
        let noted = ["sync log.0", "sync super", "write data.0", "write data.0"];
        assert_eq!(*below.1.lock(), noted);
    }

    #[test]
    fn a_sync_that_failed_is_never_taken_for_done() {
        let dir = tempfile::tempdir().unwrap();
        let (below, late) = owing(dir.path(), Some(FileName::Log(0)));
        for _ in 0..2 {
            assert!(late.write_at(FileName::Data(0), 0, b"x").is_err());
            assert!(late.sync(FileName::Super).is_err());
            assert!(late.pay().is_err());
        }
        assert_eq!(
            *below.1.lock(),
            ["sync log.0"],
            "once, and nothing after it"
        );
    }
}
