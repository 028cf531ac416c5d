//! Exhibits that are copies of each other: counted once, named twice.
//!
//! In: what each exhibit adds to a case, in any order. Out: for each content
//! one exhibit whose lines count, and its copies. Backups, archives and
//! re-zipped months hold the same logs again; counted twice they would make
//! two attacks of one. What is the same is told by the SHA-256 of the
//! content after decompression: an intruder must not be able to make a log
//! pass for the copy of another. A few lines alone may be the same on two
//! hosts, as a worm sends the same to all: there the host must agree too.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use crate::case::draft::Draft;
use crate::case::exhibit::Exhibit;
use crate::case::host::UNKNOWN_HOST;
use crate::case::overlaps::{Log, Overlap};
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

    /// What matters where lines are compared; none where it has none, is a
    /// copy, or cannot be read twice.
    fn as_log(&mut self) -> Option<Log> {
        let marks = std::mem::take(&mut self.marks);
        // Standard input cannot be read twice.
        let path = self.path.as_bytes();
        let is_standard_input = path == b"-" || path.starts_with(b"-!/");
        let row = self.row()?;
        let is_known =
            |host: &&Raw| host.as_bytes() != UNKNOWN_HOST.as_bytes();
        let host = row.host.as_ref().filter(is_known).cloned();
        let site = row.site.clone();
        let path = self.path.clone();
        let (records, inferred) = (row.records, row.records_inferred);
        let log = Log { path, records, inferred, host, site, marks };
        let counts = row.copy_of.is_none() && !is_standard_input;
        (counts && !log.marks.is_empty()).then_some(log)
    }
}

/// The logs that may share lines, the longest first: of two the longer one
/// keeps its lines, or the one that says what they mean. `shares` are in the order in which they count.
pub(super) fn logs(shares: &mut [Share]) -> Vec<Log> {
    let mut logs: Vec<Log> =
        shares.iter_mut().filter_map(Share::as_log).collect();
    logs.sort_by_key(|log| (Reverse(log.records), log.inferred));
    logs
}

/// Leaves out of each share what counts elsewhere: it was read again without
/// it, or nothing else is in it.
pub(super) fn leave_out(
    shares: &mut [Share],
    overlaps: Vec<Overlap>,
    mut again: BTreeMap<Raw, Share>,
) {
    let mut overlaps: BTreeMap<Raw, Overlap> =
        overlaps.into_iter().map(|it| (it.path.clone(), it)).collect();
    for share in shares {
        let Some(overlap) = overlaps.remove(&share.path) else { continue };
        if let Some(keeper) = keeper_of_all(share, &overlap) {
            share.lines.clear();
            share.draft.reduce_to_copy(&share.path, &keeper);
        } else if let Some(mut rest) = again.remove(&share.path)
            && let Some(old) = share.row()
            && let Some(new) = rest.draft.exhibits.get_mut(&share.path)
            && new.records == old.records
        {
            new.copied_from = overlap.copied;
            // Whose log it is and what time it covers do not change.
            new.host.clone_from(&old.host);
            new.hosts.clone_from(&old.hosts);
            new.site.clone_from(&old.site);
            new.sites.clone_from(&old.sites);
            (new.first, new.last) = (old.first, old.last);
            *share = rest;
        }
    }
}

/// The exhibit that holds all that this one holds. A rejected line is
/// compared with none.
pub(super) fn keeper_of_all(share: &Share, overlap: &Overlap) -> Option<Raw> {
    let row = share.row()?;
    let [keeper] = overlap.copied.as_slice() else { return None };
    let is_all = keeper.records == row.records && row.rejected == 0;
    is_all.then(|| keeper.path.clone())
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
