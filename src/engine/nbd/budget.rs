//! A bound on the memory that payload and replies of all connections take together.

use parking_lot::{Condvar, Mutex};

/// Bytes that may be in use at once.
#[derive(Debug)]
pub(super) struct Budget {
    left: Mutex<u64>,
    freed: Condvar,
}

/// A share of the budget; it goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self {
            left: Mutex::new(bytes),
            freed: Condvar::new(),
        }
    }

    /// Waits until there are so many bytes. More than there are at all must not be asked for.
    pub(super) fn take(&self, bytes: u64) -> Share<'_> {
        let mut left = self.left.lock();
        while *left < bytes {
            self.freed.wait(&mut left);
        }
        *left -= bytes;
        Share {
            budget: self,
            bytes,
        }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.left.lock() += self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_waits_for_another_to_be_given_back() {
        let budget = Budget::new(10);
        let first = budget.take(8);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(budget.take(8)));
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(!waiting.is_finished());
            drop(first);
        });
        assert_eq!(*budget.left.lock(), 10);
    }
}
