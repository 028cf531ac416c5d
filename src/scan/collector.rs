//! The seam to the right: what a scan pushes, and into what.
//!
//! The scan knows neither verdicts nor cases. It makes one [`Part`] a chunk,
//! pushes records and hits into it on whichever thread scans the chunk,
//! appends the parts of an exhibit in their order, and hands over the whole
//! with the exhibit's own figures.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::evidence::PathIdentity;
use crate::raw::Raw;
use crate::signature::{Feature, Rule};
use crate::w3c::{
    CodePage, Date, Dialect, Record, Reject, State, Terms, TimeNote,
};
use crate::warning::Warning;

/// Takes what a scan finds.
pub trait Collector: Sync {
    /// What one chunk adds.
    type Part: Part;

    /// An empty part for a chunk of this exhibit.
    fn part(&self, setting: &Setting) -> Self::Part;

    /// A file of a folder turned out to be no log and is left aside.
    fn aside(&self, warning: Warning);

    /// An exhibit is done. Called once each, in any order, on any thread.
    fn exhibit(&self, setting: &Setting, tally: Tally, part: Self::Part);
}

/// What one chunk adds to the result.
pub trait Part: Send {
    /// One record, in the order of lines, and where its first byte stands in
    /// the content. On the hot path: no allocation.
    fn record(&mut self, record: &Record<'_>, offset: u64);

    /// Whether [`Hit::matched_on`] will be looked at for hits of the rule:
    /// finding the words costs more than finding the hit.
    fn wants_words(&self, _rule: &Rule) -> bool {
        true
    }

    /// One record, or rejected line, that a rule matched. Comes after
    /// [`Part::record`] of the same record.
    fn hit(&mut self, hit: &Hit<'_>);

    /// Adds the part that directly follows this one. Its line numbers count
    /// from its own first line: `lines` stand before it.
    fn append(&mut self, later: Self, lines: u64);
}

/// The exhibit that a part belongs to.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its path as given.
    pub name: Raw,
    /// Host and site that the path tells.
    pub identity: PathIdentity,
    /// What kind of log it is.
    pub dialect: Dialect,
    /// How its text is encoded, where it had to be decoded.
    pub encoding: Option<&'static str>,
    /// How bytes in it are read that are no UTF-8, where the user tells.
    pub codepage: Option<CodePage>,
}

impl Setting {
    /// What is known of an exhibit before it is opened.
    pub(super) fn unopened(name: Raw, identity: PathIdentity) -> Self {
        Self {
            name,
            identity,
            dialect: Dialect::Unknown,
            encoding: None,
            codepage: None,
        }
    }

    /// The state of its log before the first line.
    pub(super) fn state(&self, terms: Option<Arc<Terms>>) -> State {
        let date = self.identity.date;
        let day =
            date.and_then(|(year, month, day)| Date::new(year, month, day));
        State { day, terms, ..State::default() }
    }
}

/// One rule on one line.
#[derive(Debug)]
pub struct Hit<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The feature it hit: the rule's own, else told from the URL.
    pub feature: Option<&'a Feature>,
    /// The record; `None` where the line was rejected.
    pub record: Option<&'a Record<'a>>,
    /// The whole line, as found, without its line end.
    pub text: &'a [u8],
    /// How bytes in it are read that are no UTF-8.
    pub codepage: Option<CodePage>,
    /// Its number in the chunk, from 1.
    pub line: u64,
    /// Where its first byte stands in the exhibit's content.
    pub offset: u64,
    /// What the rule matched on, as `field` or `field (percent, overlong)`;
    /// empty where [`Part::wants_words`] said no.
    pub matched_on: &'a [String],
    /// The stem and query after decoding, for criteria that look into them.
    pub decoded_stem: &'a [u8],
    /// See [`Hit::decoded_stem`].
    pub decoded_query: &'a [u8],
}

/// What became of each line of an exhibit, and of the exhibit as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Its size as found, compressed where it was.
    pub bytes: u64,
    /// SHA-256 of the file as found, where asked for and readable whole.
    pub sha256: Option<[u8; 32]>,
    /// SHA-256 of the content, after decompression; none where that is not
    /// known, or not all of it was scanned.
    pub content: Option<[u8; 32]>,
    /// Bytes in the middle that were not read, as [`super::Reach`] has it:
    /// their lines are not counted.
    pub left_out: u64,
    /// All lines; the sum of the four that follow.
    pub lines: u64,
    /// Lines that are records.
    pub records: u64,
    /// Lines that begin with `#`.
    pub directives: u64,
    /// Lines of nothing but blanks or NUL bytes.
    pub blank: u64,
    /// Lines that do not fit their layout, or of a dialect not read.
    pub rejected: u64,
    /// The first rejected lines, one by one.
    pub rejects: Vec<RejectedLine>,
    /// Rejected lines by reason.
    pub reject_counts: BTreeMap<Reject, u64>,
    /// Records longer than [`crate::limits::LINE_BYTES`].
    pub cut: u64,
    /// Records whose day was derived.
    pub derived: u64,
    /// Records whose time is known less surely for another reason.
    pub time_notes: BTreeMap<TimeNote, u64>,
    /// Records whose columns were told from the rows.
    pub inferred: u64,
    /// Records outside the time that is asked for: not looked at.
    pub outside: u64,
    /// Records that count elsewhere: not looked at either.
    pub passed: u64,
    /// The whole exhibit lies outside that time and was not read.
    pub unread: bool,
    /// What went wrong.
    pub warnings: Vec<Warning>,
}

/// A line that is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RejectedLine {
    /// Its number, from 1.
    pub line: u64,
    /// Where its first byte stands.
    pub offset: u64,
    /// Why.
    pub reason: Reject,
}
