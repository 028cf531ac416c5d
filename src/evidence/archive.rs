//! Archives behind one face: what is one, how it opens, and how much may
//! come out of it.
//!
//! In: a stream or a file that starts like an archive. Out: a queue of
//! members, and a [`Walk`] that fills it on a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use super::members::{Member, Members, members};
use super::stream::StreamEnd;
use super::tar::Tar;
use super::zip::Zip;
use crate::limits;
use crate::raw::Raw;
use crate::warning::{Kind, Warning};

/// A file of files.
#[derive(Debug)]
pub enum Archive {
    /// Read from front to back, packed or not.
    Tar(Tar),
    /// Has a directory at its end.
    Zip(Zip),
}

impl Archive {
    /// The queue of its members, and what fills it. `name` and `path` are
    /// those of the archive; `budget` bounds what comes out.
    pub fn open(
        self,
        name: &Raw,
        path: &Path,
        budget: &Budget,
    ) -> (Walk, Receiver<Member>) {
        let (to, from) = members(name.clone(), path, budget.clone());
        let faults = Faults { name: name.clone(), ..Faults::default() };
        (Walk { archive: self, to, faults }, from)
    }

    /// What is known of it, once nothing more is asked of it.
    pub fn finish(self) -> StreamEnd {
        match self {
            Self::Tar(tar) => tar.finish(),
            Self::Zip(zip) => zip.finish(),
        }
    }
}

/// An archive that is being walked.
pub struct Walk {
    archive: Archive,
    to: Members,
    faults: Faults,
}

impl Walk {
    /// Hands over the members, until there are no more or nobody wants
    /// them. What was met goes with the rest.
    pub fn run(self) -> StreamEnd {
        let Self { mut archive, mut to, mut faults } = self;
        match &mut archive {
            Archive::Tar(tar) => tar.walk(&mut to, &mut faults),
            Archive::Zip(zip) => zip.walk(&mut to, &mut faults),
        }
        if to.is_over_budget() {
            let detail = "more came out of it than an honest archive holds; \
                          the rest was not read";
            faults.note(Kind::Limit, detail);
        }
        let mut end = archive.finish();
        end.warnings.extend(faults.finish());
        end
    }
}

/// How many bytes may still come out of an archive and those in it, so that
/// a small file cannot keep anybody busy for days.
#[derive(Clone, Debug)]
pub struct Budget(Arc<AtomicU64>);

impl Budget {
    /// That of an archive of so many bytes.
    pub fn of(bytes: u64) -> Self {
        let most = bytes.saturating_mul(limits::UNPACKED_RATIO);
        Self(Arc::new(AtomicU64::new(most.max(limits::UNPACKED_LEAST))))
    }

    /// No bound: for what comes by a pipe, whose size nobody knows.
    pub fn unbounded() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }

    /// A budget of so many bytes.
    #[cfg(test)]
    pub(super) fn exactly(bytes: u64) -> Self {
        Self(Arc::new(AtomicU64::new(bytes)))
    }

    /// Takes so many bytes; false where they are not left.
    pub(super) fn take(&self, bytes: u64) -> bool {
        let take = |left: u64| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok()
    }
}

/// What was met in an archive.
#[derive(Default)]
pub(super) struct Faults {
    name: Raw,
    warnings: Vec<Warning>,
    links: u64,
}

impl Faults {
    pub fn note(&mut self, kind: Kind, detail: impl Into<String>) {
        self.warnings.push(Warning::new(kind, self.name.clone(), detail));
    }

    /// A member that is no file.
    pub fn link(&mut self) {
        self.links += 1;
    }

    fn finish(mut self) -> Vec<Warning> {
        if self.links > 0 {
            let detail = "members that are no files, such as links".to_owned();
            let (exhibit, count) = (self.name, self.links);
            let kind = Kind::Odd;
            self.warnings.push(Warning { kind, exhibit, detail, count });
        }
        self.warnings
    }
}
