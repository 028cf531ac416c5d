//! What the evidence holds twice: finds it, and reads again what it
//! concerns.
//!
//! In: what each exhibit adds, identical copies settled. Out: the same,
//! where each request counts once: lines of a log that a longer one holds
//! too, and lines of URLScan that IIS logged as well. Counts cannot be taken
//! back from a sum, so an exhibit that loses lines is scanned once more.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::case::builder::CaseBuilder;
use crate::case::copies::Share;
use crate::case::exhibit::Copied;
use crate::case::hit_line;
use crate::case::overlaps::{self, Log, Overlap};
use crate::case::part::CasePart;
use crate::case::ties::{self, Tie};
use crate::evidence::Evidence;
use crate::raw::Raw;
use crate::scan::{
    Again, Collector, Known, Progress, Scanner, Setting, Tally,
};
use crate::warning::{Kind, Warning};

/// Settles what exhibits have in common; false where it was interrupted,
/// and nothing has changed then.
pub(super) fn settle(
    builder: &CaseBuilder<'_>,
    shares: &mut [Share],
    scanner: &Scanner<'_>,
    evidence: &Evidence,
    progress: &dyn Progress,
) -> bool {
    let logs = logs(shares);
    let Some(found) = overlaps::find(&logs, scanner, evidence, progress)
    else {
        return false;
    };
    for path in found.skipped {
        let detail = "too long to be compared with a log that it seems to \
                      share lines with: they may count twice";
        builder.warn(Warning::new(Kind::Copied, path, detail));
    }
    let mut changes = Changes::new(shares, found.found, ties::find(shares));
    let again = changes.again();
    if !again.is_empty() {
        let second = Second { builder, shares: Mutex::default() };
        if !scanner.scan_again(evidence, &again, &second, progress) {
            return false;
        }
        let read = second.shares.into_inner();
        changes.read = read.unwrap_or_else(PoisonError::into_inner);
    }
    changes.make(shares);
    true
}

/// The logs that may share lines, the longest first: of two the longer one
/// keeps its lines, or the one that says what they mean. `shares` are in the
/// order in which they count.
fn logs(shares: &[Share]) -> Vec<Log> {
    let able = shares.iter().filter(|share| share.may_change());
    let marks = able.flat_map(|share| share.marks.iter().copied());
    let mut marks: Vec<u64> = marks.collect();
    marks.sort_unstable();
    // Nearly always none: so not all logs are made ready to be compared.
    let common = |two: &[u64]| match two {
        [a, b] if a == b => Some(*a),
        _ => None,
    };
    let mut common: Vec<u64> = marks.windows(2).filter_map(common).collect();
    drop(marks);
    common.dedup();
    let is_met = |mark: &u64| common.binary_search(mark).is_ok();
    let mut logs: Vec<Log> = shares
        .iter()
        .filter(|share| share.may_change() && share.marks.iter().any(is_met))
        .map(Share::as_log)
        .collect();
    logs.sort_by_key(|log| (Reverse(log.records), log.inferred));
    logs
}

/// What becomes of one exhibit.
#[derive(Default)]
struct Change {
    passed: Vec<u64>,
    refused: Vec<u64>,
    /// By path.
    copied: BTreeMap<Raw, u64>,
    /// The exhibit that holds all that this one holds.
    keeper: Option<Raw>,
    /// Lines that go with one of URLScan's.
    ties: Vec<Tie>,
}

/// What becomes of all.
struct Changes {
    by_path: BTreeMap<Raw, Change>,
    /// What was read again.
    read: BTreeMap<Raw, Share>,
}

impl Changes {
    fn new(shares: &[Share], overlaps: Vec<Overlap>, ties: Vec<Tie>) -> Self {
        let mut by_path: BTreeMap<Raw, Change> = BTreeMap::new();
        for overlap in overlaps {
            let change = by_path.entry(overlap.path).or_default();
            change.passed = overlap.offsets;
            change.copied = overlap
                .copied
                .into_iter()
                .map(|it| (it.path, it.records))
                .collect();
        }
        for share in shares {
            if let Some(change) = by_path.get_mut(share.path()) {
                change.keeper = keeper_of_all(share, change);
            }
        }
        // What counts in a longer log is tied there.
        let is_settled = |path: &Raw| by_path.contains_key(path);
        let ties: Vec<Tie> = ties
            .into_iter()
            .filter(|it| !is_settled(&it.filter.path))
            .filter(|it| !is_settled(&it.server.path))
            .collect();
        for tie in ties {
            let filter = by_path.entry(tie.filter.path.clone()).or_default();
            filter.passed.push(tie.filter.offset);
            let server = tie.server.path.clone();
            *filter.copied.entry(server.clone()).or_default() += 1;
            let change = by_path.entry(server).or_default();
            if tie.is_news {
                change.refused.push(tie.server.offset);
            }
            change.ties.push(tie);
        }
        Self { by_path, read: BTreeMap::new() }
    }

    /// What is to be read again, and without what; that is gone from here.
    fn again(&mut self) -> Again {
        let mut again = Again::default();
        for (path, change) in &mut self.by_path {
            let passed = std::mem::take(&mut change.passed);
            let refused = std::mem::take(&mut change.refused);
            let is_same = passed.is_empty() && refused.is_empty();
            if change.keeper.is_none() && !is_same {
                again.read(path.clone(), Known::new(passed, refused));
            }
        }
        again
    }

    fn make(mut self, shares: &mut [Share]) {
        for share in shares {
            let Some(change) = self.by_path.remove(share.path()) else {
                continue;
            };
            if let Some(keeper) = &change.keeper {
                share.reduce_to_copy(keeper);
                continue;
            }
            if let Some(rest) = self.read.remove(share.path()) {
                replace(share, rest, change.copied);
            }
            if let Some(rest) = &mut share.rest
                && !change.ties.is_empty()
            {
                rest.lines = tied(&rest.lines, &change.ties);
            }
        }
    }
}

/// The exhibit that holds all that this one holds. A rejected line is
/// compared with none.
fn keeper_of_all(share: &Share, change: &Change) -> Option<Raw> {
    let row = &share.row;
    let mut keepers = change.copied.iter();
    let (keeper, records) = keepers.next()?;
    let is_all = *records == row.records && row.rejected == 0;
    (is_all && keepers.next().is_none()).then(|| keeper.clone())
}

/// Puts what was read again in the place of what was read first.
fn replace(share: &mut Share, mut rest: Share, copied: BTreeMap<Raw, u64>) {
    let (old, new) = (&share.row, &mut rest.row);
    // Where the file changed meanwhile, the first reading holds.
    if new.records != old.records {
        return;
    }
    let copied = copied.into_iter();
    new.copied_from =
        copied.map(|(path, records)| Copied { path, records }).collect();
    // Whose log it is and what time it covers do not change.
    new.host.clone_from(&old.host);
    new.hosts.clone_from(&old.hosts);
    new.site.clone_from(&old.site);
    new.sites.clone_from(&old.sites);
    (new.first, new.last) = (old.first, old.last);
    *share = rest;
}

/// The lines of hits, those of a tie with the place of URLScan's line.
fn tied(lines: &[u8], ties: &[Tie]) -> Vec<u8> {
    let by_offset: BTreeMap<u64, &Tie> =
        ties.iter().map(|tie| (tie.server.offset, tie)).collect();
    let mut out = Vec::with_capacity(lines.len());
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let tie = hit_line::offset(line).and_then(|it| by_offset.get(&it));
        match (tie, line.strip_suffix(b"}\n")) {
            (Some(tie), Some(members)) => {
                out.extend_from_slice(members);
                let place = &tie.filter;
                out.extend_from_slice(b",\"urlscan\":{\"exhibit\":");
                out.extend_from_slice(&hit_line::json(&place.path));
                let rest = format!(
                    ",\"line\":{},\"offset\":{}}}}}\n",
                    place.line, place.offset
                );
                out.extend_from_slice(rest.as_bytes());
            }
            _ => out.extend_from_slice(line),
        }
    }
    out
}

/// Takes what is read again.
struct Second<'b, 'a> {
    builder: &'b CaseBuilder<'a>,
    shares: Mutex<BTreeMap<Raw, Share>>,
}

impl<'a> Collector for Second<'_, 'a> {
    type Part = CasePart<'a>;

    fn part(&self, setting: &Setting) -> CasePart<'a> {
        self.builder.part(setting)
    }

    fn aside(&self, _warning: Warning) {}

    fn exhibit(&self, setting: &Setting, tally: Tally, part: CasePart<'a>) {
        let share = part.finish(setting, tally);
        let mut shares =
            self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.insert(share.path().clone(), share);
    }
}
