//! Exhibits that are copies of each other: counted once, named twice.
//!
//! In: what each exhibit adds to a case, in any order. Out: for each content
//! one exhibit whose lines count, and its copies. Backups, archives and
//! re-zipped months hold the same logs again; counted twice they would make
//! two attacks of one. What is the same is told by the SHA-256 of the
//! content after decompression: an intruder must not be able to make a log
//! pass for the copy of another. A few lines alone may be the same on two
//! hosts, as a worm sends the same to all: there the host must agree too.

use std::collections::HashMap;

use crate::case::draft::Draft;
use crate::case::exhibit::Exhibit;
use crate::case::host::UNKNOWN_HOST;
use crate::case::overlaps::Log;
use crate::case::ties::Traces;
use crate::evidence::Digest;
use crate::limits;
use crate::raw::Raw;

/// What an exhibit adds.
#[derive(Debug)]
pub(super) struct Share {
    pub path: Raw,
    /// Its content; none where it is not known or holds no record.
    pub content: Option<Digest>,
    pub draft: Box<Draft>,
    /// Its hits as lines of JSON.
    pub lines: Vec<u8>,
    /// What it can be known by again.
    pub marks: Vec<u64>,
    /// Its hits, to be found again in the log of URLScan.
    pub traces: Traces,
}

impl Share {
    /// What is kept comes first: a file before a packed one and that before
    /// a member of an archive, then by path, so that neither threads nor
    /// arguments decide.
    fn rank(&self) -> (bool, bool, &Raw) {
        let inside = memchr::memmem::find(self.path.as_bytes(), b"!/");
        (inside.is_some(), self.is_packed(), &self.path)
    }

    fn is_packed(&self) -> bool {
        let row = self.draft.exhibits.get(&self.path);
        row.is_some_and(|row| row.content_sha256.is_some())
    }

    /// Its row; always there.
    pub fn row(&self) -> Option<&Exhibit> {
        self.draft.exhibits.get(&self.path)
    }

    fn host_that_counts(&self) -> Option<Raw> {
        host_that_counts(self.row()?).cloned()
    }

    /// The host that wrote it, where that is known and one.
    pub fn known_host(&self) -> Option<&Raw> {
        let is_known =
            |host: &&Raw| host.as_bytes() != UNKNOWN_HOST.as_bytes();
        self.row()?.host.as_ref().filter(is_known)
    }

    /// True where it counts and can be read twice, which standard input
    /// cannot.
    pub fn may_change(&self) -> bool {
        let path = self.path.as_bytes();
        let is_standard_input = path == b"-" || path.starts_with(b"-!/");
        let is_copy = self.row().is_none_or(|row| row.copy_of.is_some());
        !is_copy && !is_standard_input
    }

    /// What matters where lines are compared; none where it has none, is a
    /// copy, or cannot be read twice.
    pub fn as_log(&mut self) -> Option<Log> {
        let marks = std::mem::take(&mut self.marks);
        let row = self.row()?;
        let (host, site) = (self.known_host().cloned(), row.site.clone());
        let path = self.path.clone();
        let (records, inferred) = (row.records, row.records_inferred);
        let log = Log { path, records, inferred, host, site, marks };
        (self.may_change() && !log.marks.is_empty()).then_some(log)
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
    shares.sort_by(|a, b| a.rank().cmp(&b.rank()));
    let mut kept: HashMap<(Digest, Option<Raw>), Raw> = HashMap::new();
    for share in &mut shares {
        let Some(content) = share.content else { continue };
        let host = share.host_that_counts();
        match kept.get(&(content, host.clone())) {
            Some(original) => {
                share.lines.clear();
                share.draft.reduce_to_copy(&share.path, original);
            }
            None => {
                kept.insert((content, host), share.path.clone());
            }
        }
    }
    shares
}
