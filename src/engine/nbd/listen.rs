//! Where clients connect: a TCP port, or a Unix socket that only its owner may use.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;

use super::stream::Stream;

/// A socket that waits for clients. A Unix socket is removed when it is dropped.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener, SocketAddr),
    Unix {
        listener: UnixListener,
        path: PathBuf,
        /// Device and inode: what is removed at the end is what was made.
        made: (u64, u64),
    },
}

impl Listener {
    /// Listens on a TCP address; with port 0 on one that the system chooses.
    ///
    /// # Errors
    /// Those of the system.
    pub fn tcp(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            kind: Kind::Tcp(listener, address),
        })
    }

    /// Listens on a Unix socket, made with rights for its owner alone. A socket that a server
    /// left behind is replaced.
    ///
    /// # Errors
    /// [`io::ErrorKind::AddrInUse`] where a server listens already,
    /// [`io::ErrorKind::AlreadyExists`] where there is something that is no socket, and those of
    /// the system.
    pub fn unix(path: &Path) -> io::Result<Self> {
        match std::fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_socket() => {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            Ok(_) => {
                if UnixStream::connect(path).is_ok() {
                    return Err(io::ErrorKind::AddrInUse.into());
                }
                std::fs::remove_file(path)?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        // A socket's rights come from the mask at the moment it is made.
        let mask = rustix::process::umask(Mode::from_raw_mode(0o177));
        let bound = UnixListener::bind(path);
        rustix::process::umask(mask);
        let listener = bound?;
        listener.set_nonblocking(true)?;
        let path = std::path::absolute(path)?;
        let made = std::fs::symlink_metadata(&path)?;
        Ok(Self {
            kind: Kind::Unix {
                listener,
                path,
                made: (made.dev(), made.ino()),
            },
        })
    }

    /// Whether other machines can connect.
    #[must_use]
    pub fn is_public(&self) -> bool {
        match &self.kind {
            Kind::Tcp(_, address) => !address.ip().is_loopback(),
            Kind::Unix { .. } => false,
        }
    }

    /// The URI of an export here (`doc/uri.md` of the project NetworkBlockDevice/nbd).
    #[must_use]
    pub fn uri(&self, export: &str) -> String {
        let export = percent(export.as_bytes(), "");
        match &self.kind {
            Kind::Tcp(_, address) => format!("nbd://{address}/{export}"),
            Kind::Unix { path, .. } => {
                let path = percent(path.as_os_str().as_encoded_bytes(), "/");
                format!("nbd+unix:///{export}?socket={path}")
            }
        }
    }

    /// A client that is waiting, if there is one.
    pub(super) fn accept(&self) -> io::Result<Option<Stream>> {
        let accepted = match &self.kind {
            Kind::Tcp(listener, _) => listener.accept().map(|(stream, _)| Stream::Tcp(stream)),
            Kind::Unix { listener, .. } => {
                listener.accept().map(|(stream, _)| Stream::Unix(stream))
            }
        };
        match accepted {
            Ok(stream) => Ok(Some(stream)),
            // Nobody any more, or one who has left already.
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::Interrupted
                        | io::ErrorKind::ConnectionAborted
                ) =>
            {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.kind {
            Kind::Tcp(listener, _) => listener.as_fd(),
            Kind::Unix { listener, .. } => listener.as_fd(),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Kind::Unix { path, made, .. } = &self.kind
            && let Ok(there) = std::fs::symlink_metadata(path)
            && (there.dev(), there.ino()) == *made
        {
            // There is no one left to tell.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Bytes as a part of a URI; letters, digits, `-._~` and those of `keep` stay as they are.
fn percent(bytes: &[u8], keep: &str) -> String {
    let mut out = String::new();
    for &byte in bytes {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if plain || keep.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_unix_socket_is_its_owners_and_goes_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a b");
        let listener = Listener::unix(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            listener
                .uri("v@1/é")
                .starts_with("nbd+unix:///v%401%2F%C3%A9?socket=/")
        );
        assert!(listener.uri("v").ends_with("/a%20b"));
        let second = Listener::unix(&path).unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_that_was_left_behind_is_replaced_and_a_file_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("left");
        drop(UnixListener::bind(&path).unwrap());
        assert!(Listener::unix(&path).is_ok());
        let file = dir.path().join("file");
        std::fs::write(&file, "mine").unwrap();
        let refused = Listener::unix(&file).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    }
}
