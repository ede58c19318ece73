//! Where the socket is.

use std::path::{Path, PathBuf};

/// Beside the files of the store.
const NAME: &str = "control.sock";

/// The most bytes that the path of a socket may have, on every system that there is.
const PATH: usize = 100;

/// The path by which the socket is bound or reached. Where the real one is too long for
/// the system, it goes by way of the open directory, which must be kept until then.
pub(super) struct Place {
    pub(super) path: PathBuf,
    _dir: Option<std::fs::File>,
}

impl Place {
    /// The socket of the store in `dir`.
    pub(super) fn of(dir: &Path) -> std::io::Result<Self> {
        use std::os::fd::AsRawFd as _;
        let path = dir.join(NAME);
        if path.as_os_str().len() <= PATH {
            return Ok(Self { path, _dir: None });
        }
        let open = std::fs::File::open(dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{NAME}", open.as_raw_fd()));
        let _dir = Some(open);
        Ok(Self { path, _dir })
    }
}
