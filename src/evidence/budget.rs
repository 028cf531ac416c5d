//! What may still come out of an archive and those in it, so that a small
//! file can neither keep anybody busy for days nor fill the memory.
//!
//! In: the size of the archive. Out: bytes, members, names and memory, taken
//! one after the other until they are used up. All archives of one file
//! share them: nesting buys nothing. A packed file that is no archive has
//! its [`Yield`] alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::limits;

/// How much may still come out of an archive and those in it.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Left>);

#[derive(Debug)]
struct Left {
    bytes: AtomicU64,
    members: AtomicU64,
    /// Bytes of their names.
    names: AtomicU64,
    /// Bytes that come out of members which are packed themselves. Apart
    /// from the others: an archive is unpacked ahead of the scan, which
    /// takes these, and who is first must not matter.
    unpacked: AtomicU64,
    /// Bytes that decoders and archives read whole may take.
    memory: AtomicU64,
}

/// Memory that is taken; given back where this goes.
#[derive(Debug)]
pub(super) struct Hold {
    budget: Budget,
    bytes: u64,
}

impl Budget {
    /// That of an archive of so many bytes.
    pub fn of(bytes: u64) -> Self {
        let most = bytes.saturating_mul(limits::UNPACKED_RATIO);
        Self::new(most.max(limits::UNPACKED_LEAST))
    }

    /// No bound on bytes: for what comes by a pipe, whose size nobody knows.
    pub fn unbounded() -> Self {
        Self::new(u64::MAX)
    }

    /// A budget of so many bytes.
    #[cfg(test)]
    pub(super) fn exactly(bytes: u64) -> Self {
        Self::new(bytes)
    }

    fn new(bytes: u64) -> Self {
        Self(Arc::new(Left {
            bytes: AtomicU64::new(bytes),
            members: AtomicU64::new(limits::MEMBERS as u64),
            names: AtomicU64::new(limits::MEMBER_NAMES),
            unpacked: AtomicU64::new(bytes),
            memory: AtomicU64::new(limits::ARCHIVE_MEMORY),
        }))
    }

    /// A part of what is left, for one of `count` members, whose packed
    /// bytes are `packed` of the `all` ones of the archive: half of it by
    /// heads, half by those. The parts of all members are no more than the
    /// whole, so none depends on what came out of another.
    pub(super) fn share(&self, packed: u64, all: u64, count: u64) -> Self {
        let part = |from: &AtomicU64| {
            let left = u128::from(from.load(Ordering::SeqCst) / 2);
            let (packed, all) = (u128::from(packed), u128::from(all));
            let by_size = left * packed.min(all) / all.max(1);
            let part = left / u128::from(count.max(1)) + by_size;
            AtomicU64::new(u64::try_from(part).unwrap_or(u64::MAX))
        };
        Self(Arc::new(Left {
            bytes: part(&self.0.bytes),
            members: part(&self.0.members),
            names: part(&self.0.names),
            unpacked: part(&self.0.unpacked),
            // Threads read one member each, and need it whole.
            memory: AtomicU64::new(limits::ARCHIVE_MEMORY),
        }))
    }

    /// Takes so many bytes; false where they are not left.
    pub(super) fn take(&self, bytes: u64) -> bool {
        take(&self.0.bytes, bytes)
    }

    /// Bytes that may still come out of members which are packed themselves.
    pub(super) fn unpacked_left(&self) -> u64 {
        self.0.unpacked.load(Ordering::SeqCst)
    }

    /// So many came out of one.
    pub(super) fn unpack(&self, bytes: usize) {
        let bytes = (bytes as u64).min(self.unpacked_left());
        take(&self.0.unpacked, bytes);
    }

    /// Takes a member whose name has so many bytes.
    pub(super) fn take_member(&self, name: usize) -> bool {
        take(&self.0.members, 1) && take(&self.0.names, name as u64)
    }

    /// Takes memory; `None` where it is not left.
    pub(super) fn hold(&self, bytes: u64) -> Option<Hold> {
        let budget = self.clone();
        take(&self.0.memory, bytes).then_some(Hold { budget, bytes })
    }

    /// Memory that is left.
    pub(super) fn memory_left(&self) -> u64 {
        self.0.memory.load(Ordering::SeqCst)
    }
}

/// Whether what came out of packed bytes can be a log, asked after each
/// [`limits::DECOMPRESSED_STEP`].
#[derive(Debug)]
pub(super) struct Yield {
    /// Packed bytes that were asked about.
    taken: u64,
    /// What may still come out beyond what packed bytes are worth.
    left: u64,
}

impl Yield {
    pub fn new() -> Self {
        Self { taken: 0, left: limits::UNPACKED_LEAST }
    }

    /// One more step came out, when `taken` packed bytes were taken in all;
    /// false where it is too much.
    pub fn step(&mut self, taken: u64) -> bool {
        let more = taken.saturating_sub(self.taken);
        let worth = more.saturating_mul(limits::UNPACKED_RATIO);
        let left = self.left.saturating_add(worth);
        let left = left.min(limits::UNPACKED_LEAST);
        self.left = left.saturating_sub(limits::DECOMPRESSED_STEP);
        self.taken = taken;
        self.left > 0
    }
}

fn take(from: &AtomicU64, count: u64) -> bool {
    let less = |left: u64| left.checked_sub(count);
    from.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.0.memory.fetch_add(self.bytes, Ordering::SeqCst);
    }
}
