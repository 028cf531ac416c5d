//! One chunk of whole lines: the line loop.

use crate::scan::collector::{Hit, Part, RejectedLine, Tally};
use crate::signature::{Scratch, Signatures};
use crate::w3c::{Line, Parser, Record, State, bounded};
use crate::{limits, w3c};

/// What the scan of one chunk needs and leaves.
#[derive(Debug)]
pub(super) struct Chunk<P> {
    /// The state of the log after it.
    pub parser: Parser,
    /// Lines counted from the chunk's own first line.
    pub tally: Tally,
    /// What the collector made of it.
    pub part: P,
}

/// Whole lines of an exhibit's content.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines<'a> {
    /// The bytes, from the start of a line to the end of a line.
    pub bytes: &'a [u8],
    /// Where the first of them stands in the content.
    pub offset: u64,
    /// The last line goes on beyond the bytes given.
    pub cut: bool,
}

impl<P: Part> Chunk<P> {
    /// Scans the lines, reading them as they follow on `state`.
    pub fn scan(
        lines: Lines<'_>,
        state: State,
        part: P,
        signatures: &Signatures,
        scratch: &mut Scratch,
    ) -> Self {
        let mut chunk =
            Self { parser: Parser::new(state), tally: Tally::default(), part };
        let mut start = 0;
        while start < lines.bytes.len() {
            let rest = lines.bytes.get(start..).unwrap_or_default();
            let (line, length) = match memchr::memchr(b'\n', rest) {
                Some(end) => (rest.get(..end).unwrap_or_default(), end + 1),
                None => (rest, rest.len()),
            };
            let last = start + length >= lines.bytes.len();
            let text = line.strip_suffix(b"\r").unwrap_or(line);
            let (text, long) = bounded(text);
            let cut = long || (last && lines.cut);
            chunk.tally.lines += 1;
            let offset = lines.offset + start as u64;
            chunk.line(text, cut, offset, signatures, scratch);
            start += length;
        }
        chunk
    }

    #[inline]
    fn line(
        &mut self,
        text: &[u8],
        cut: bool,
        offset: u64,
        signatures: &Signatures,
        scratch: &mut Scratch,
    ) {
        let tally = &mut self.tally;
        match self.parser.line(text, cut) {
            Line::Blank => tally.blank += 1,
            Line::Directive => tally.directives += 1,
            Line::Record(record) => {
                tally.records += 1;
                tally.cut += u64::from(cut);
                tally.derived += u64::from(record.time_derived);
                self.part.record(&record);
                signatures.find(&record, scratch);
                if !scratch.rules.is_empty() {
                    let part = &mut self.part;
                    push_hits(
                        part,
                        &record,
                        tally.lines,
                        offset,
                        signatures,
                        scratch,
                    );
                }
            }
            Line::Rejected(reason) => {
                tally.reject(tally.lines, offset, reason);
                let part = &mut self.part;
                push_rejected(
                    part,
                    text,
                    tally.lines,
                    offset,
                    signatures,
                    scratch,
                );
            }
        }
    }
}

impl Tally {
    pub(super) fn reject(
        &mut self,
        line: u64,
        offset: u64,
        reason: w3c::Reject,
    ) {
        self.rejected += 1;
        *self.reject_counts.entry(reason).or_default() += 1;
        if self.rejects.len() < limits::LISTED_REJECTS {
            self.rejects.push(RejectedLine { line, offset, reason });
        }
    }

    /// Adds the tally of the lines that follow.
    pub(super) fn append(&mut self, later: Self) {
        let room = limits::LISTED_REJECTS - self.rejects.len();
        let shift = self.lines;
        self.rejects.extend(
            later
                .rejects
                .into_iter()
                .take(room)
                .map(|one| RejectedLine { line: one.line + shift, ..one }),
        );
        for (reason, count) in later.reject_counts {
            *self.reject_counts.entry(reason).or_default() += count;
        }
        self.lines += later.lines;
        self.records += later.records;
        self.directives += later.directives;
        self.blank += later.blank;
        self.rejected += later.rejected;
        self.cut += later.cut;
        self.derived += later.derived;
        self.warnings.extend(later.warnings);
    }
}

/// The rules in `scratch` matched the record.
#[cold]
fn push_hits(
    part: &mut impl Part,
    record: &Record<'_>,
    line: u64,
    offset: u64,
    signatures: &Signatures,
    scratch: &mut Scratch,
) {
    let rules = std::mem::take(&mut scratch.rules);
    for index in &rules {
        let Some(rule) = signatures.rule(*index) else { continue };
        let matched_on = signatures.explain(*index, record, scratch);
        let target = record.target();
        let stem = scratch.sight.stem().form(usize::MAX);
        let query = scratch.sight.query().form(usize::MAX);
        let stem = stem.or(target.stem).unwrap_or_default();
        part.hit(&Hit {
            rule,
            feature: signatures.feature_of(rule, record, stem),
            record: Some(record),
            text: record.line,
            line,
            offset,
            matched_on: &matched_on,
            decoded_stem: stem,
            decoded_query: query.or(target.query).unwrap_or_default(),
        });
    }
    scratch.rules = rules;
}

/// Looks for the rules' texts in a line that is no record.
#[cold]
fn push_rejected(
    part: &mut impl Part,
    text: &[u8],
    line: u64,
    offset: u64,
    signatures: &Signatures,
    scratch: &mut Scratch,
) {
    signatures.find_rejected(text, scratch);
    for index in &scratch.rules {
        let Some(rule) = signatures.rule(*index) else { continue };
        part.hit(&Hit {
            rule,
            feature: signatures.own_feature(rule),
            record: None,
            text,
            line,
            offset,
            matched_on: &["rejected line".to_owned()],
            decoded_stem: b"",
            decoded_query: b"",
        });
    }
}
