//! Wakes those who wait, and costs nothing where nobody does.
//!
//! A condition variable asks the system each time it is rung; for ten
//! thousand small files on one thread that is thirty thousand calls in vain.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, MutexGuard, PoisonError};

/// A condition variable that knows whether somebody waits.
#[derive(Debug, Default)]
pub(super) struct Bell {
    condition: Condvar,
    /// Counted under the mutex that waiters hold.
    waiting: AtomicUsize,
}

impl Bell {
    /// Waits for a ring; the mutex is free meanwhile.
    pub fn wait<'g, T>(&self, guard: MutexGuard<'g, T>) -> MutexGuard<'g, T> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let guard = self.condition.wait(guard);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        guard.unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all who wait. What they wait for was changed before, under the
    /// mutex: so whoever is not yet counted sees the change.
    pub fn ring(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.condition.notify_all();
        }
    }
}
