//! Standard input that is waited for only a moment at a time, so that somebody who wants an
//! end is heard.

use std::io::{self, Read};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How long it is waited for, in nanoseconds.
const MOMENT: i64 = 100_000_000;

/// Standard input; says that it would block where nothing comes for a moment.
pub(super) struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Past the standard library's buffer, of which poll knows nothing.
        let stdin = io::stdin();
        let moment = Timespec {
            tv_sec: 0,
            tv_nsec: MOMENT,
        };
        let ready = {
            let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
            poll(&mut fds, Some(&moment))?
        };
        match ready {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            _ => Ok(rustix::io::read(&stdin, buffer)?),
        }
    }
}
