//! One exhibit in a case: what it is, and what became of each of its lines.
//!
//! In: the tally of a scan. Out: the row of `exhibits` in `case.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::case::digest::Sha256;
use crate::case::rare::Rare;
use crate::case::tally::{is_zero, join_spans};
use crate::raw::Raw;
use crate::scan::{Setting, Tally};
use crate::w3c::{Dialect, Timestamp};

/// One exhibit and its line accounting:
/// `lines = records + directives + blank + rejected`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhibit {
    /// Its path as given.
    pub path: Raw,
    /// Its size as found.
    pub bytes: u64,
    /// SHA-256 in hexadecimal; none where not asked for or not readable
    /// whole.
    pub sha256: Option<Sha256>,
    /// SHA-256 of its content, where that is another: it is packed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_sha256: Option<Box<Sha256>>,
    /// The exhibit that holds all of its records, and whose lines count in
    /// its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<Raw>,
    /// Exhibits that hold some of its records, which count there.
    #[serde(default, skip_serializing_if = "Rare::is_nothing")]
    pub copied_from: Rare<Vec<Copied>>,
    /// What kind of log it is.
    pub dialect: Dialect,
    /// How its text is encoded, where it had to be decoded: lines and
    /// offsets are then those of the text in UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Box<str>>,
    /// The code page in which its bytes are read that are no UTF-8, where
    /// the user told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codepage: Option<Box<str>>,
    /// The server that wrote it, where there is one only.
    pub host: Option<Raw>,
    /// The IIS site, where there is one only.
    pub site: Option<Raw>,
    /// Time of its earliest record, UTC.
    pub first: Option<Timestamp>,
    /// Time of its latest.
    pub last: Option<Timestamp>,
    /// All lines.
    pub lines: u64,
    /// Lines that are records.
    pub records: u64,
    /// Lines that begin with `#`.
    pub directives: u64,
    /// Lines of nothing but blanks or NUL bytes.
    pub blank: u64,
    /// Lines that do not fit their layout.
    pub rejected: u64,
    /// The servers, where more than one wrote it (central logging).
    #[serde(default, skip_serializing_if = "Rare::is_nothing")]
    pub hosts: Rare<BTreeSet<Raw>>,
    /// The sites, where it holds more than one.
    #[serde(default, skip_serializing_if = "Rare::is_nothing")]
    pub sites: Rare<BTreeSet<Raw>>,
    /// The first rejected lines, up to [`crate::limits::LISTED_REJECTS`].
    #[serde(default)]
    pub rejects: Rare<Vec<RejectedLine>>,
    /// Rejected lines by reason.
    #[serde(default)]
    pub rejected_by: Rare<BTreeMap<String, u64>>,
    /// Records whose day was not on the line.
    #[serde(default)]
    pub times_derived: u64,
    /// Records whose time is known less surely for another reason, by its
    /// code.
    #[serde(default, skip_serializing_if = "Rare::is_nothing")]
    pub time_notes: Rare<BTreeMap<String, u64>>,
    /// Records whose columns were told from the rows, as no `#Fields` came
    /// before them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub records_inferred: u64,
    /// Records outside the time that was asked for: not looked at.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub records_outside: u64,
    /// Records that stand in another exhibit as well and count there.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub records_copied: u64,
    /// All of it lies outside that time, and it was not read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// Lines longer than [`crate::limits::LINE_BYTES`].
    #[serde(default)]
    pub lines_cut: u64,
}

/// Records that count in another exhibit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// That exhibit.
    pub path: Raw,
    /// How many.
    pub records: u64,
}

/// A line that is no record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedLine {
    /// Its number, from 1.
    pub line: u64,
    /// The byte it begins at.
    pub offset: u64,
    /// The code of the reason.
    pub reason: String,
}

impl Exhibit {
    /// The row of an exhibit that was scanned; hosts, sites and times follow
    /// from its records.
    pub(super) fn new(setting: &Setting, tally: &Tally) -> Self {
        let rejects = tally.rejects.iter().map(|line| RejectedLine {
            line: line.line,
            offset: line.offset,
            reason: line.reason.as_str().to_owned(),
        });
        let by = tally.reject_counts.iter();
        let notes = tally.time_notes.iter().filter_map(|(note, count)| {
            Some((note.as_str()?.to_owned(), *count))
        });
        Self {
            path: setting.name.clone(),
            bytes: tally.bytes,
            sha256: tally.sha256.map(Sha256),
            content_sha256: tally
                .content
                .filter(|content| tally.sha256 != Some(*content))
                .map(|content| Box::new(Sha256(content))),
            dialect: setting.dialect,
            encoding: setting.encoding.map(Box::from),
            codepage: setting.codepage.map(|page| page.name().into()),
            lines: tally.lines,
            records: tally.records,
            directives: tally.directives,
            blank: tally.blank,
            rejected: tally.rejected,
            rejects: rejects.collect(),
            rejected_by: by
                .map(|(r, n)| (r.as_str().to_owned(), *n))
                .collect(),
            times_derived: tally.derived,
            time_notes: notes.collect(),
            records_inferred: tally.inferred,
            records_outside: tally.outside,
            records_copied: tally.passed,
            unread: tally.unread,
            lines_cut: tally.cut,
            ..Self::default()
        }
    }

    /// The SHA-256 of its content, where that is known.
    pub(super) fn content(&self) -> Option<&Sha256> {
        self.content_sha256.as_deref().or(self.sha256.as_ref())
    }

    /// Widens its span of time.
    pub(super) fn widen(
        &mut self,
        first: Option<Timestamp>,
        last: Option<Timestamp>,
    ) {
        join_spans(&mut self.first, &mut self.last, (first, last));
    }

    /// Says which servers and sites wrote it: a single one by name, more as
    /// a list.
    pub(super) fn written_by(
        &mut self,
        hosts: BTreeSet<Raw>,
        sites: BTreeSet<Raw>,
    ) {
        (self.host, self.hosts) = single(hosts);
        (self.site, self.sites) = single(sites);
    }
}

fn single(mut names: BTreeSet<Raw>) -> (Option<Raw>, Rare<BTreeSet<Raw>>) {
    if names.len() > 1 {
        (None, names.into())
    } else {
        (names.pop_first(), Rare::default())
    }
}
