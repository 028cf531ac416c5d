//! Exhibits that are copies of each other: counted once, named twice.
//!
//! In: what each exhibit adds to a case, in any order. Out: for each content
//! one exhibit whose lines count, and its copies. Backups, archives and
//! re-zipped months hold the same logs again; counted twice they would make
//! two attacks of one. What is the same is told by the SHA-256 of the
//! content after decompression: an intruder must not be able to make a log
//! pass for the copy of another. A few lines alone may be the same on two
//! hosts, as a worm sends the same to all: there the host must agree too.

use crate::case::digest::Sha256;
use crate::case::draft::Draft;
use crate::case::exhibit::Exhibit;
use crate::case::host::UNKNOWN_HOST;
use crate::case::overlaps::Log;
use crate::case::pool::{Pool, Seat};
use crate::case::ties::{Trace, Traces};
use crate::limits;
use crate::raw::Raw;

/// What an exhibit adds. There are as many as exhibits, so it is small where
/// there is little to add.
#[derive(Debug)]
pub(super) struct Share {
    pub row: Box<Exhibit>,
    /// Its content is known, and holds a record.
    pub has_content: bool,
    /// The host of its records, where there is one only.
    pub seat: Option<Seat>,
    /// What else there is.
    pub rest: Option<Box<Rest>>,
    /// What it can be known by again.
    pub marks: Box<[u64]>,
}

/// What few exhibits add.
#[derive(Debug, Default)]
pub(super) struct Rest {
    pub draft: Draft,
    /// Its hits as lines of JSON.
    pub lines: Vec<u8>,
    /// Its hits, to be found again in the log of URLScan.
    pub traces: Traces,
}

impl Share {
    pub fn path(&self) -> &Raw {
        &self.row.path
    }

    /// Keeps what other exhibits tell as well only once, while this one
    /// waits.
    pub fn wait(&mut self, pool: &mut Pool) {
        let Some(rest) = &mut self.rest else { return };
        if let Some(host) = rest.draft.take_single_host() {
            let seat = pool.seat(host);
            seat.share(&mut self.row.host);
            seat.share(&mut self.row.site);
            self.seat = Some(seat);
        }
        if rest.is_empty() {
            self.rest = None;
        } else {
            rest.shrink();
        }
    }

    /// Leaves nothing but the row, which says whose copy it is, and what is
    /// to be said of it.
    pub fn reduce_to_copy(&mut self, original: &Raw) {
        self.row.copy_of = Some(original.clone());
        self.seat = None;
        if let Some(rest) = &mut self.rest {
            rest.draft.reduce_to_copy();
            (rest.lines, rest.traces) = Default::default();
        }
    }

    /// What is kept comes first: a file before a packed one and that before
    /// a member of an archive, then by path, so that neither threads nor
    /// arguments decide.
    fn rank(&self) -> (bool, bool, &Raw) {
        let inside = memchr::memmem::find(self.path().as_bytes(), b"!/");
        let is_packed = self.row.content_sha256.is_some();
        (inside.is_some(), is_packed, self.path())
    }

    /// What makes it a copy of another; none where that is not known.
    fn content(&self) -> Option<(&Sha256, Option<&Raw>)> {
        let content = self.row.content().filter(|_| self.has_content)?;
        Some((content, host_that_counts(&self.row)))
    }

    /// The host that wrote it, where that is known and one.
    pub fn known_host(&self) -> Option<&Raw> {
        let is_known =
            |host: &&Raw| host.as_bytes() != UNKNOWN_HOST.as_bytes();
        self.row.host.as_ref().filter(is_known)
    }

    /// True where it counts and can be read twice, which standard input
    /// cannot.
    pub fn may_change(&self) -> bool {
        let path = self.path().as_bytes();
        let is_standard_input = path == b"-" || path.starts_with(b"-!/");
        self.row.copy_of.is_none() && !is_standard_input
    }

    /// Its hits, to be found again.
    pub fn traces(&self) -> &[Trace] {
        self.rest.as_ref().map_or(&[], |rest| rest.traces.all())
    }

    /// What matters where lines are compared.
    pub fn as_log(&self) -> Log {
        let row = &*self.row;
        let (host, site) = (self.known_host().cloned(), row.site.clone());
        let (path, marks) = (row.path.clone(), self.marks.to_vec());
        let (records, inferred) = (row.records, row.records_inferred);
        Log { path, records, inferred, host, site, marks }
    }
}

impl Rest {
    fn shrink(&mut self) {
        self.draft.shrink();
        self.lines.shrink_to_fit();
        self.traces.shrink();
    }

    fn is_empty(&self) -> bool {
        self.draft.is_empty()
            && self.lines.is_empty()
            && self.traces.all().is_empty()
    }
}

/// The host of an exhibit, where another may have logged the same.
pub(super) fn host_that_counts(row: &Exhibit) -> Option<&Raw> {
    let is_short = row.records < limits::RECORDS_OF_A_COPY;
    row.host.as_ref().filter(|_| is_short)
}

/// Puts the shares in the order in which they count, and reduces copies to
/// their row, which names what they are copies of.
pub(super) fn settle(mut shares: Vec<Share>) -> Vec<Share> {
    shares.sort_unstable_by(|a, b| a.rank().cmp(&b.rank()));
    let content = |place: &usize| shares.get(*place).and_then(Share::content);
    let known = (0..shares.len()).filter(|place| content(place).is_some());
    let mut places: Vec<usize> = known.collect();
    // The sort is stable: of the same content the first in order is kept.
    places.sort_by_key(content);
    let mut copies = Vec::new();
    for same in places.chunk_by(|a, b| content(a) == content(b)) {
        let Some((first, others)) = same.split_first() else { continue };
        copies.extend(others.iter().map(|copy| (*first, *copy)));
    }
    for (first, copy) in copies {
        let original = shares.get(first).map(|it| it.path().clone());
        if let (Some(original), Some(copy)) = (original, shares.get_mut(copy))
        {
            copy.reduce_to_copy(&original);
        }
    }
    shares
}
