//! One chunk of whole lines: the line loop.

use crate::scan::again::Known;
use crate::scan::collector::{Hit, Part, RejectedLine, Tally};
use crate::scan::span::Span;
use crate::signature::{Scratch, Signatures};
use crate::w3c::index::Index;
use crate::w3c::simd::Isa;
use crate::w3c::{CodePage, Line, Parser, Record, State, TimeNote, bounded};
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

/// What is looked for in all lines of a scan.
#[derive(Clone, Copy)]
pub(super) struct Looks<'s> {
    pub signatures: &'s Signatures,
    /// Records outside it are only counted.
    pub span: Option<&'s Span>,
    /// What the first reading told.
    pub known: Option<&'s Known>,
    /// How bytes are read that are no UTF-8.
    pub codepage: Option<CodePage>,
}

/// The space a thread works in, kept from chunk to chunk.
#[derive(Debug)]
pub(super) struct Desk {
    index: Index,
    scratch: Scratch,
    /// For files that are read at once.
    pub file: Vec<u8>,
}

impl Desk {
    /// A desk that uses these kernels.
    pub fn new(isa: Isa) -> Self {
        Self {
            index: Index::new(isa),
            scratch: Scratch::new(isa),
            file: Vec::new(),
        }
    }
}

/// Bytes that are indexed at a time: text, index and masks stay in the
/// second-level cache until the last of their lines is done.
const PAGE: usize = 32 << 10;

impl<P: Part> Chunk<P> {
    /// Scans the lines, reading them as they follow on `state`.
    pub fn scan(
        lines: Lines<'_>,
        state: State,
        part: P,
        looks: Looks<'_>,
        desk: &mut Desk,
    ) -> Self {
        let mut chunk =
            Self { parser: Parser::new(state), tally: Tally::default(), part };
        desk.scratch.read_as(looks.codepage);
        let mut rest = lines;
        let mut size = PAGE;
        while !rest.bytes.is_empty() {
            let page = rest.bytes.get(..size).unwrap_or(rest.bytes);
            desk.index.read(page);
            let done = if desk.index.lines() > 0 {
                size = PAGE;
                chunk.page(page, rest.offset, looks, desk)
            } else if page.len() < rest.bytes.len()
                && size < limits::LINE_BYTES
            {
                size *= 2;
                0
            } else {
                chunk.alone(rest, looks, &mut desk.scratch)
            };
            rest.bytes = rest.bytes.get(done..).unwrap_or_default();
            rest.offset += done as u64;
        }
        chunk
    }

    /// Counts lines of a dialect that is not read, so that the accounting
    /// adds up, and nothing more.
    pub fn count(lines: Lines<'_>, state: State, part: P) -> Self {
        let mut tally = Tally::default();
        for line in lines.bytes.split_inclusive(|byte| *byte == b'\n') {
            tally.lines += 1;
            match line.trim_ascii().first() {
                None => tally.blank += 1,
                Some(b'#') if line.first() == Some(&b'#') => {
                    tally.directives += 1;
                }
                Some(_) => tally.rejected += 1,
            }
        }
        Self { parser: Parser::new(state), tally, part }
    }

    /// Scans the whole lines of an indexed page; returns their length.
    fn page(
        &mut self,
        page: &[u8],
        offset: u64,
        looks: Looks<'_>,
        desk: &mut Desk,
    ) -> usize {
        let Desk { index, scratch, .. } = desk;
        let mut context = Context { looks, scratch };
        looks.signatures.turn_to(page, index.wrapped(), context.scratch);
        let mut done = 0;
        while let Some(row) = index.next_line() {
            let start = row.start as usize;
            let end = row.ends.last().map_or(start, |end| *end as usize);
            let text = page.get(start..end).unwrap_or_default();
            self.tally.lines += 1;
            let place = Place {
                text,
                line: self.tally.lines,
                offset: offset + start as u64,
            };
            let line = self.parser.indexed(text, row);
            take(&line, place, &mut self.tally, &mut self.part, &mut context);
            done = end + 1;
        }
        done
    }

    /// Scans one line that is too long for a page, or has no newline;
    /// returns its length with its newline.
    fn alone(
        &mut self,
        rest: Lines<'_>,
        looks: Looks<'_>,
        scratch: &mut Scratch,
    ) -> usize {
        let end = memchr::memchr(b'\n', rest.bytes);
        let line = rest.bytes.get(..end.unwrap_or(rest.bytes.len()));
        let line = line.unwrap_or_default();
        let (text, long) = bounded(line.strip_suffix(b"\r").unwrap_or(line));
        let cut = long || (end.is_none() && rest.cut);
        self.tally.lines += 1;
        let place =
            Place { text, line: self.tally.lines, offset: rest.offset };
        let line_read = self.parser.line(text, cut);
        if let Line::Record(record) = &line_read {
            looks.signatures.turn_to_line(record, scratch);
        }
        let mut context = Context { looks, scratch };
        take(&line_read, place, &mut self.tally, &mut self.part, &mut context);
        line.len() + usize::from(end.is_some())
    }
}

/// What lines are looked at with.
struct Context<'s> {
    looks: Looks<'s>,
    scratch: &'s mut Scratch,
}

/// Where a line stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The line as found, without its newline.
    text: &'a [u8],
    /// Its number in the chunk, from 1.
    line: u64,
    offset: u64,
}

/// Counts a line, and pushes it where it is a record or has something in it.
#[inline(always)]
fn take(
    line: &Line<'_>,
    place: Place<'_>,
    tally: &mut Tally,
    part: &mut impl Part,
    context: &mut Context<'_>,
) {
    match line {
        Line::Blank => tally.blank += 1,
        Line::Directive => tally.directives += 1,
        Line::Record(record) => {
            tally.records += 1;
            tally.cut += u64::from(record.cut);
            if record.time_note != TimeNote::Exact {
                tally.note_time(record.time_note);
            }
            // Only rows of the layout of a directive repeat.
            if !record.repeats {
                tally.inferred += u64::from(record.layout.is_inferred());
            }
            if context.looks.span.is_some_and(|span| !span.has(record.time)) {
                tally.outside += 1;
                return;
            }
            let mut record = record;
            let mut refused;
            if let Some(known) = context.looks.known {
                if known.is_passed(place.offset) {
                    tally.passed += 1;
                    return;
                }
                if known.is_refused(place.offset) {
                    refused = *record;
                    refused.refused = true;
                    record = &refused;
                }
            }
            part.record(record, place.offset);
            context.looks.signatures.find_on_page(record, context.scratch);
            if !context.scratch.rules.is_empty() {
                push_hits(part, record, place, context);
            }
        }
        Line::Rejected(reason) => {
            tally.reject(place.line, place.offset, *reason);
            push_rejected(part, place, context);
        }
    }
}

impl Tally {
    fn note_time(&mut self, note: TimeNote) {
        if note == TimeNote::Derived {
            self.derived += 1;
        } else {
            *self.time_notes.entry(note).or_default() += 1;
        }
    }

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
        self.inferred += later.inferred;
        self.outside += later.outside;
        self.passed += later.passed;
        for (note, count) in later.time_notes {
            *self.time_notes.entry(note).or_default() += count;
        }
        self.warnings.extend(later.warnings);
    }
}

/// The rules in the scratch space matched the record.
#[cold]
fn push_hits(
    part: &mut impl Part,
    record: &Record<'_>,
    place: Place<'_>,
    context: &mut Context<'_>,
) {
    let Context { looks, scratch } = context;
    let Looks { signatures, codepage, .. } = *looks;
    let rules = std::mem::take(&mut scratch.rules);
    for index in &rules {
        let Some(rule) = signatures.rule(*index) else { continue };
        let matched_on = if part.wants_words(rule) {
            signatures.explain(*index, record, scratch)
        } else {
            Vec::new()
        };
        let target = record.target();
        let stem = scratch.sight.stem().form(usize::MAX);
        let query = scratch.sight.query().form(usize::MAX);
        let stem = stem.or(target.stem).unwrap_or_default();
        part.hit(&Hit {
            rule,
            // What no finding comes of needs no search for its feature.
            feature: if rule.is_silent {
                signatures.own_feature(rule)
            } else {
                signatures.feature_of(rule, record, stem)
            },
            record: Some(record),
            text: record.line,
            codepage,
            line: place.line,
            offset: place.offset,
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
    place: Place<'_>,
    context: &mut Context<'_>,
) {
    let Context { looks, scratch } = context;
    let Looks { signatures, codepage, .. } = *looks;
    let text = place.text.strip_suffix(b"\r").unwrap_or(place.text);
    signatures.find_rejected(text, scratch);
    for index in &scratch.rules {
        let Some(rule) = signatures.rule(*index) else { continue };
        part.hit(&Hit {
            rule,
            feature: signatures.own_feature(rule),
            record: None,
            text,
            codepage,
            line: place.line,
            offset: place.offset,
            matched_on: &["rejected line".to_owned()],
            decoded_stem: b"",
            decoded_query: b"",
        });
    }
}
