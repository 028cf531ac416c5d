//! Tells what a line is: blank, directive, record, or rejected – and keeps
//! what earlier lines decide about later ones.
//!
//! The parser is the one place where the state of a log lives. A scan cuts a
//! file into chunks, gives each a parser that starts from an assumed
//! [`State`], and afterwards checks the assumption.

use std::sync::Arc;

use crate::limits;
use crate::raw::same;
use crate::w3c::directive::{Directive, split_directives};
use crate::w3c::index::{self, Index};
use crate::w3c::record::{is_value, span};
use crate::w3c::time::{Date, Timestamp, parse_date, parse_time};
use crate::w3c::{Field, Layout, Record};

/// What earlier lines say about the lines that follow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The columns in force.
    pub layout: Option<Arc<Layout>>,
    /// The version of IIS from `#Software`.
    pub iis: Option<(u8, u8)>,
    /// The day for lines without a date.
    pub day: Option<Date>,
    /// The time of the last line that had no date.
    pub last: Option<i64>,
}

impl State {
    /// True where lines of the layout in force carry no date, so that each
    /// line's day depends on the line before it.
    pub fn is_sequential(&self) -> bool {
        self.layout.as_ref().is_some_and(|layout| {
            layout.has(Field::Time) && !layout.has(Field::Date)
        })
    }
}

/// What a line is.
#[derive(Debug)]
pub enum Line<'a> {
    /// Nothing but blanks or NUL bytes.
    Blank,
    /// Begins with `#`.
    Directive,
    /// A logged request.
    Record(Record<'a>),
    /// Does not fit its layout.
    Rejected(Reject),
}

/// Why a line is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reject {
    /// No `#Fields` came before it.
    NoLayout,
    /// It has fewer columns than its layout.
    TooFew,
    /// It has more.
    TooMany,
}

impl Reject {
    /// The code in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoLayout => "no-layout",
            Self::TooFew => "too-few-columns",
            Self::TooMany => "too-many-columns",
        }
    }

    /// The reason for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoLayout => "no #Fields directive came before it",
            Self::TooFew => "fewer columns than its #Fields directive names",
            Self::TooMany => "more columns than its #Fields directive names",
        }
    }
}

/// Reads lines one after the other.
#[derive(Debug, Default)]
pub struct Parser {
    log: Log,
    /// The columns of a line that is read alone.
    index: Index,
}

/// A log as far as it was read.
#[derive(Debug, Default)]
struct Log {
    state: State,
    touched: Touched,
    /// The day of the date column seen last: neighbours share it.
    day_cache: ([u8; 10], Option<Date>),
    memo: Memo,
}

/// When the record before was written, and the bytes that told it.
#[derive(Debug)]
struct Memo {
    /// The start of its line.
    text: [u8; Memo::MOST],
    /// How many bytes of it tell; 0 for none.
    length: usize,
    time: (Option<Timestamp>, bool),
}

impl Default for Memo {
    fn default() -> Self {
        let text = [0; Self::MOST];
        Self { text, length: 0, time: (None, false) }
    }
}

impl Memo {
    /// Longer leads are not remembered.
    const MOST: usize = 64;

    /// The time, where the lead is that of the record before.
    #[inline]
    fn of(&self, lead: &[u8]) -> Option<(Option<Timestamp>, bool)> {
        let own = self.text.get(..self.length).unwrap_or_default();
        (!lead.is_empty() && same(own, lead)).then_some(self.time)
    }

    #[inline]
    fn set(&mut self, lead: &[u8], time: (Option<Timestamp>, bool)) {
        self.length = 0;
        if let Some(text) = self.text.get_mut(..lead.len()) {
            text.copy_from_slice(lead);
            (self.length, self.time) = (lead.len(), time);
        }
    }
}

/// Which parts of the state came from lines this parser read.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // four independent facts
struct Touched {
    layout: bool,
    iis: bool,
    day: bool,
    used_day: bool,
}

/// A line that may be a record: where its columns end, in the text that it
/// was found in.
#[derive(Clone, Copy)]
struct Row<'a> {
    line: &'a [u8],
    origin: u32,
    ends: &'a [u32],
    wrapped: bool,
    cut: bool,
}

impl Parser {
    /// A parser that starts where `state` left off.
    pub fn new(state: State) -> Self {
        Self { log: Log { state, ..Log::default() }, ..Self::default() }
    }

    /// The state after the lines read so far.
    pub fn state(&self) -> &State {
        &self.log.state
    }

    /// True where this parser would have read its lines the same way had it
    /// started from `actual` instead of `assumed`.
    pub fn agrees(&self, assumed: &State, actual: &State) -> bool {
        assumed.layout == actual.layout
            && assumed.iis == actual.iis
            && (!self.log.touched.used_day
                || (assumed.day == actual.day && assumed.last == actual.last))
    }

    /// The state after these lines, had they begun from `actual`; right
    /// where [`Self::agrees`].
    #[must_use]
    pub fn state_from(&self, actual: &State) -> State {
        let touched = self.log.touched;
        let mut state = self.log.state.clone();
        if !touched.layout {
            state.layout.clone_from(&actual.layout);
        }
        if !touched.iis {
            state.iis = actual.iis;
        }
        if !touched.day {
            state.day = actual.day;
            state.last = actual.last;
        }
        state
    }

    /// Reads one line, given without its line end. `cut` says that the line
    /// goes on beyond what is given.
    pub fn line<'a>(&'a mut self, line: &'a [u8], cut: bool) -> Line<'a> {
        let line = strip_lead(line);
        if let Some(other) = self.log.no_row(line) {
            return other;
        }
        let (ends, wrapped) = self.index.line_alone(line);
        self.log.row(Row { line, origin: 0, ends, wrapped, cut })
    }

    /// Reads one line of a text that was indexed, as the index shows it.
    #[inline(always)]
    pub fn indexed<'a>(
        &'a mut self,
        line: &'a [u8],
        found: index::Row<'a>,
    ) -> Line<'a> {
        let index::Row { start: origin, ends, wrapped } = found;
        let whole = line.strip_suffix(b"\r").unwrap_or(line);
        let line = strip_lead(whole);
        if let Some(other) = self.log.no_row(line) {
            return other;
        }
        // Lines of an index begin below 4 GiB.
        #[allow(clippy::cast_possible_truncation)]
        let (lead, length) =
            ((whole.len() - line.len()) as u32, line.len() as u32);
        let origin = origin + lead;
        if let Some(end) = ends.last_mut() {
            *end = origin + length;
        }
        self.log.row(Row { line, origin, ends, wrapped, cut: false })
    }
}

impl Log {
    /// What a line is that cannot be a record.
    #[inline]
    fn no_row(&mut self, line: &[u8]) -> Option<Line<'static>> {
        match line.first() {
            None => Some(Line::Blank),
            Some(b'#') => {
                self.directives(line);
                Some(Line::Directive)
            }
            Some(0..=b' ') if is_blank(line) => Some(Line::Blank),
            _ => None,
        }
    }

    #[inline(always)]
    fn row<'a>(&'a mut self, row: Row<'a>) -> Line<'a> {
        let Some(layout) = &self.state.layout else {
            return Line::Rejected(Reject::NoLayout);
        };
        let wanted = layout.len();
        let ends = row.ends;
        if ends.len() != wanted {
            if ends.len() > wanted {
                // One blank after the last column is harmless padding.
                let last = ends.get(wanted - 1).map(|end| end + 1);
                let padding =
                    ends.len() == wanted + 1 && ends.last().copied() == last;
                if !padding {
                    return Line::Rejected(Reject::TooMany);
                }
            } else if !row.cut {
                return Line::Rejected(Reject::TooFew);
            }
        }
        let ends = ends.get(..wanted).unwrap_or(ends);
        let lead = layout.lead().and_then(|column| ends.get(column));
        let lead = lead.and_then(|end| end.checked_sub(row.origin));
        let lead = lead.and_then(|length| row.line.get(..length as usize));
        let lead = lead.unwrap_or_default();
        let memo = self.memo.of(lead);
        // Not asked of the record, which is made once and in one piece.
        let value = |field| {
            let span = span(ends, row.origin, layout.column(field)?)?;
            row.line.get(span).filter(is_value)
        };
        let clock = Clock {
            day: &mut self.state.day,
            last: &mut self.state.last,
            touched: &mut self.touched,
            cache: &mut self.day_cache,
        };
        let (time, time_derived) = memo.unwrap_or_else(|| {
            let has_date = layout.has(Field::Date);
            let stamp =
                clock.stamp(has_date, value(Field::Date), value(Field::Time));
            self.memo.set(lead, stamp);
            stamp
        });
        Line::Record(Record {
            line: row.line,
            layout,
            time,
            time_derived,
            iis: self.state.iis,
            cut: row.cut,
            wrapped: row.wrapped,
            repeats: memo.is_some(),
            ends,
            origin: row.origin,
        })
    }

    fn directives(&mut self, line: &[u8]) {
        for directive in split_directives(line) {
            match directive {
                Directive::Fields(text) => {
                    let layout = Layout::from_fields(text);
                    if self.state.layout.as_deref() != layout.as_ref() {
                        self.state.layout = layout.map(Arc::new);
                    }
                    self.memo.length = 0;
                    self.touched.layout = true;
                }
                Directive::Software(text) => {
                    self.state.iis = iis_version(text);
                    self.memo.length = 0;
                    self.touched.iis = true;
                }
                Directive::Date(text) => self.date(text),
                Directive::Other => {}
            }
        }
    }

    /// `#Date: 2001-07-19 13:00:00`: the day for lines without one, and the
    /// time that they start from.
    fn date(&mut self, text: &[u8]) {
        let mut words = text
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        if let Some(day) = words.next().and_then(parse_date) {
            self.state.day = Some(day);
            self.state.last = words.next().and_then(parse_time);
            self.touched.day = true;
        }
    }
}

/// The parts of a parser that give a record its time.
struct Clock<'p> {
    day: &'p mut Option<Date>,
    last: &'p mut Option<i64>,
    touched: &'p mut Touched,
    cache: &'p mut ([u8; 10], Option<Date>),
}

impl Clock<'_> {
    /// The time of a record, and whether its day was derived.
    #[inline]
    fn stamp(
        self,
        has_date: bool,
        date: Option<&[u8]>,
        time: Option<&[u8]>,
    ) -> (Option<Timestamp>, bool) {
        let time = time.and_then(parse_time);
        match date {
            Some(text) => match self.cached_date(text) {
                Some(day) => {
                    let stamp = Timestamp::new(day, time.unwrap_or(0));
                    (Some(stamp), time.is_none())
                }
                None => (None, false),
            },
            None if !has_date => self.derive(time),
            None => (None, false),
        }
    }

    #[inline]
    fn cached_date(self, text: &[u8]) -> Option<Date> {
        let Ok(key) = <[u8; 10]>::try_from(text) else {
            return parse_date(text);
        };
        if self.cache.0 != key {
            *self.cache = (key, parse_date(text));
        }
        self.cache.1
    }

    /// The time of a line without a date: the day in force, and the next
    /// one where the clock went back by more than half a day. Lines are
    /// written when a response ends, so small steps back are ordinary; one
    /// from just before midnight that comes just after it is of the day
    /// before and moves nothing.
    fn derive(self, time: Option<i64>) -> (Option<Timestamp>, bool) {
        const MINUTE: i64 = 60 * 1_000_000;
        self.touched.used_day = true;
        self.touched.day = true;
        let (Some(mut day), Some(time)) = (*self.day, time) else {
            return (None, false);
        };
        let last = self.last.unwrap_or(time);
        let straggler = last < 5 * MINUTE && time > (24 * 60 - 5) * MINUTE;
        if straggler {
            day = day.previous();
        } else {
            if last - time > 12 * 60 * MINUTE {
                day = day.next();
            }
            *self.day = Some(day);
            *self.last = Some(time);
        }
        (Some(Timestamp::new(day, time)), true)
    }
}

/// Drops a byte order mark, and the NUL bytes that a crash leaves before
/// the next header.
#[inline]
fn strip_lead(line: &[u8]) -> &[u8] {
    if !matches!(line.first(), Some(0 | 0xEF)) {
        return line;
    }
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let nuls = line.iter().take_while(|byte| **byte == 0).count();
    line.get(nuls..).unwrap_or_default()
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, 0 | b' ' | b'\t' | b'\r'))
}

/// The version in `Microsoft Internet Information Services 5.0`.
pub(super) fn iis_version(software: &[u8]) -> Option<(u8, u8)> {
    const NAME: &[u8] = b"internet information ser";
    let lower = software.to_ascii_lowercase();
    memchr::memmem::find(&lower, NAME)?;
    let word = lower.rsplit(|byte| *byte == b' ').next()?;
    let text = std::str::from_utf8(word).ok()?;
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The bytes of a line that are parsed, and whether that cuts it.
#[inline]
pub(crate) fn bounded(line: &[u8]) -> (&[u8], bool) {
    match line.get(..limits::LINE_BYTES) {
        Some(head) if line.len() > limits::LINE_BYTES => (head, true),
        _ => (line, false),
    }
}
