//! The members of an archive that can be read in any order.
//!
//! In: the directory of a zip in a file. Out: [`Member`]s, the largest
//! first, to any number of threads, each of which decompresses its own.
//!
//! Who asks first must not matter, so all that is counted is counted before:
//! each member takes the bytes that it claims, and is cut there; archives
//! among them get a share of what is left.

use std::io::Read;
use std::sync::{Mutex, PoisonError};

use super::archive::{Archive, Faults};
use super::budget::Budget;
use super::members::{Member, Naming, Refusal, STEP, Sized, Steady};
use super::stream::StreamEnd;
use super::zip::{Entry, Listing};
use crate::raw::Raw;
use crate::warning::Kind;

/// Members that wait to be read.
pub struct Apart {
    /// Nobody asks it before the end.
    archive: Mutex<Archive>,
    listing: Listing,
    naming: Naming,
    faults: Faults,
    /// The next one last.
    waiting: Mutex<Vec<Part>>,
    left: Budget,
    /// Packed bytes of all members.
    packed: u64,
    count: u64,
}

struct Part {
    name: Raw,
    entry: Entry,
    /// More than may come out of the archive.
    is_too_much: bool,
}

impl Apart {
    pub(super) fn new(
        archive: Archive,
        mut listing: Listing,
        mut naming: Naming,
        budget: &Budget,
        mut faults: Faults,
    ) -> Self {
        let entries = std::mem::take(&mut listing.entries);
        let (mut waiting, mut packed) = (Vec::new(), 0_u64);
        for entry in entries {
            let Some(name) = naming.name(&entry.name, budget) else {
                Naming::too_many(&mut faults);
                break;
            };
            let is_too_much = !budget.take(entry.size());
            packed = packed.saturating_add(entry.packed());
            waiting.push(Part { name, entry, is_too_much });
        }
        // Else one thread may be left with a long one at the end.
        waiting.sort_by_key(|part| part.entry.size());
        let count = waiting.len() as u64;
        let (archive, waiting) = (Mutex::new(archive), Mutex::new(waiting));
        let left = budget.clone();
        Self { archive, listing, naming, faults, waiting, left, packed, count }
    }

    /// True where members wait.
    pub fn has_more(&self) -> bool {
        let waiting = self.waiting.lock();
        !waiting.unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// The next member, and what may come out of it where it is an archive.
    pub fn next(&self) -> Option<(Member, Budget)> {
        let waiting = self.waiting.lock();
        let part = waiting.unwrap_or_else(PoisonError::into_inner).pop()?;
        let packed = part.entry.packed();
        let budget = self.left.share(packed, self.packed, self.count);
        let path = self.naming.path(&part.entry.name);
        let bytes = self.open(&part);
        let size = Some(part.entry.size());
        Some((Member::new(part.name, path, size, bytes), budget))
    }

    fn open(&self, part: &Part) -> Result<Box<dyn Read + Send>, Refusal> {
        let size = part.entry.size();
        if part.is_too_much {
            let why = format!(
                "unpacks to {size} bytes as it says: more than an honest \
                 archive holds"
            );
            return Err(Refusal { kind: Kind::Limit, why });
        }
        let plain = self.listing.open(&part.entry)?;
        let step = if part.entry.is_frank() { usize::MAX } else { STEP };
        Ok(Box::new(Steady::new(Sized::new(plain, size), size, step)))
    }

    /// What is known of the archive, once all members were read.
    pub fn finish(self) -> StreamEnd {
        let archive = self.archive.into_inner();
        let archive = archive.unwrap_or_else(PoisonError::into_inner);
        let mut end = archive.finish();
        end.warnings.extend(self.faults.finish());
        end
    }
}
