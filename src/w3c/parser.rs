//! Tells what a line is: blank, directive, record, or rejected – and keeps
//! what earlier lines decide about later ones.
//!
//! The parser is the one place where the state of a log lives. A scan cuts a
//! file into chunks, gives each a parser that starts from an assumed
//! [`State`], and afterwards checks the assumption.

use std::sync::Arc;

use crate::limits;
use crate::w3c::clock::{Clock, DayCache, Memo, Stamp, foreign, is_foreign};
use crate::w3c::directive::{Directive, split_directives};
use crate::w3c::form::{Form, Sentence, Spans};
use crate::w3c::index::{self, Index};
use crate::w3c::record::{is_value, span};
use crate::w3c::terms::Terms;
use crate::w3c::time::{Date, TimeNote, parse_time};
use crate::w3c::zone::ZoneMemo;
use crate::w3c::{Field, Layout, Record, dates};

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
    /// The program in `#Software` writes single blanks and no quotes.
    pub plain: bool,
    /// The URLScan that wrote the log refuses nothing.
    pub logs_only: bool,
    /// What no directive says; of one log always the same.
    pub terms: Option<Arc<Terms>>,
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
    /// It is not of the form of the other lines of its log.
    Form,
}

impl Reject {
    /// The code in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoLayout => "no-layout",
            Self::TooFew => "too-few-columns",
            Self::TooMany => "too-many-columns",
            Self::Form => "not-in-form",
        }
    }

    /// The reason for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NoLayout => "no #Fields directive came before it",
            Self::TooFew => "fewer columns than its #Fields directive names",
            Self::TooMany => "more columns than its #Fields directive names",
            Self::Form => "not of the form of the other lines of its log",
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
    day_cache: DayCache,
    memo: Memo,
    zone_memo: ZoneMemo,
    spans: Spans,
    /// Rows of the layout in force are single blanks apart and in UTC.
    simple: bool,
}

/// Which parts of the state came from lines this parser read.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(super) struct Touched {
    layout: bool,
    iis: bool,
    logs_only: bool,
    pub day: bool,
    pub used_day: bool,
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

impl Row<'_> {
    fn misfit(&self, wanted: usize) -> Reject {
        if self.ends.len() > wanted { Reject::TooMany } else { Reject::TooFew }
    }

    /// True where single blanks cut it into so many columns. One blank after
    /// the last column is harmless padding; of a line that was cut, columns
    /// may lack.
    #[inline(always)]
    fn fits(&self, wanted: usize) -> bool {
        let count = self.ends.len();
        if count == wanted {
            return true;
        }
        if count < wanted {
            return self.cut;
        }
        let last = wanted.checked_sub(1).and_then(|at| self.ends.get(at));
        count == wanted + 1
            && self.ends.last().copied() == last.map(|end| end + 1)
    }
}

impl Parser {
    /// A parser that starts where `state` left off.
    pub fn new(state: State) -> Self {
        let mut log = Log { state, ..Log::default() };
        log.turn();
        Self { log, ..Self::default() }
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
            && assumed.plain == actual.plain
            && assumed.logs_only == actual.logs_only
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
            state.plain = actual.plain;
        }
        if !touched.logs_only {
            state.logs_only = actual.logs_only;
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
        match &self.state.layout {
            Some(layout) if self.simple && row.fits(layout.len()) => {
                self.plain(row)
            }
            _ => self.other(row),
        }
    }

    /// A row of single blanks that fits its layout.
    #[inline(always)]
    fn plain<'a>(&'a mut self, row: Row<'a>) -> Line<'a> {
        let Some(layout) = &self.state.layout else {
            return Line::Rejected(Reject::NoLayout);
        };
        let ends = row.ends.get(..layout.len()).unwrap_or(row.ends);
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
        let (time, time_note) = memo.unwrap_or_else(|| {
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
            time_note,
            iis: self.state.iis,
            cut: row.cut,
            wrapped: row.wrapped,
            refused: false,
            repeats: memo.is_some(),
            ends,
            starts: &[],
            origin: row.origin,
        })
    }

    /// A row that single blanks do not cut into its columns, or that no
    /// `#Fields` came before, or whose times are local.
    #[inline(never)]
    fn other<'a>(&'a mut self, row: Row<'a>) -> Line<'a> {
        if let Some(line) = self.no_request(row.line) {
            return line;
        }
        let at = match self.choose(&row) {
            Ok(at) => at,
            Err(reject) => return Line::Rejected(reject),
        };
        let layouts =
            layouts(self.state.layout.as_ref(), self.state.terms.as_ref());
        let Some(layout) = layouts.get(at) else {
            return Line::Rejected(Reject::NoLayout);
        };
        if self.state.logs_only && layout.form() == Form::UrlScan {
            // Its sentence is the same whether it refused or not.
            let action = layout.column_named(b"x-action");
            self.spans.empty(action.unwrap_or(usize::MAX));
        }
        let record = Record {
            line: row.line,
            layout,
            time: None,
            time_note: TimeNote::Exact,
            iis: self.state.iis,
            cut: row.cut,
            wrapped: row.wrapped,
            refused: false,
            repeats: false,
            ends: &self.spans.ends,
            starts: &self.spans.starts,
            origin: row.origin,
        };
        let clock = Clock {
            day: &mut self.state.day,
            last: &mut self.state.last,
            touched: &mut self.touched,
            cache: &mut self.day_cache,
        };
        let value = |field| record.get(field);
        let has_date = layout.has(Field::Date);
        let mut stamp: Stamp = match layout.form() {
            Form::Blanks | Form::Csv => {
                clock.stamp(has_date, value(Field::Date), value(Field::Time))
            }
            _ => Stamp::default(),
        };
        if is_foreign(layout) {
            let terms = self.state.terms.as_deref();
            stamp = foreign(&record, stamp, terms, &mut self.zone_memo);
        }
        let refused = is_refused(&record);
        let (time, time_note) = stamp;
        Line::Record(Record { time, time_note, refused, ..record })
    }

    /// The layout that cuts the row, by its place in [`layouts`]; the spans
    /// are then those of its columns.
    fn choose(&mut self, row: &Row<'_>) -> Result<usize, Reject> {
        let layouts =
            layouts(self.state.layout.as_ref(), self.state.terms.as_ref());
        let mut fault = Reject::NoLayout;
        for (at, layout) in layouts.iter().enumerate() {
            let (wanted, origin) = (layout.len(), row.origin);
            let is_blanks = layout.form() == Form::Blanks;
            let fits = is_blanks && row.fits(wanted);
            let is_plain = || {
                self.state.plain
                    || memchr::memchr2(b'"', b'\t', row.line).is_none()
            };
            if fits && is_plain() {
                self.spans.take_ends(row.ends, wanted, origin);
                return Ok(at);
            }
            // IIS itself writes neither tabs nor quotes: a row of its that
            // does not fit is broken, and must not be mended by guessing.
            let cut = if self.state.plain && is_blanks {
                Err(row.misfit(wanted))
            } else {
                let (line, form) = (row.line, layout.form());
                form.cut(line, wanted, row.cut, origin, &mut self.spans)
            };
            match cut {
                Ok(()) => return Ok(at),
                // A value may begin with a quote and mean nothing by it.
                Err(_) if fits => {
                    self.spans.take_ends(row.ends, wanted, origin);
                    return Ok(at);
                }
                Err(reject) if self.state.layout.is_some() => fault = reject,
                Err(_) if layouts.len() > 1 => fault = Reject::Form,
                Err(reject) => fault = reject,
            }
        }
        Err(fault)
    }

    /// Lines without a `#` that are no requests all the same: the names of
    /// a log of Exchange, the talk of URLScan about itself.
    fn no_request(&mut self, line: &[u8]) -> Option<Line<'static>> {
        const NAMES: &[u8] = b"DateTime,";
        let layout = self.state.layout.as_deref();
        match line.first()? {
            b'D' | b'd' => {
                let start = line.get(..NAMES.len())?;
                let is_csv = layout.is_none_or(|it| it.form() == Form::Csv);
                if !is_csv || !start.eq_ignore_ascii_case(NAMES) {
                    return None;
                }
                self.fields(line);
            }
            b'[' if layout.is_none() && self.state.terms.is_some() => {
                let Sentence::Setting(logs_only) = Sentence::of(line)? else {
                    return None;
                };
                self.state.logs_only =
                    logs_only.unwrap_or(self.state.logs_only);
                self.touched.logs_only |= logs_only.is_some();
            }
            _ => return None,
        }
        Some(Line::Directive)
    }

    /// A directive changed what rows look like.
    fn turn(&mut self) {
        self.memo.forget();
        let layout = self.state.layout.as_ref();
        self.simple = self.state.plain
            && layout.is_some_and(|layout| {
                layout.form() == Form::Blanks
                    && !is_foreign(layout)
                    && !layout.has_action()
            });
    }

    fn fields(&mut self, text: &[u8]) {
        let layout = Layout::from_fields(text);
        if self.state.layout.as_deref() != layout.as_ref() {
            self.state.layout = layout.map(Arc::new);
        }
        self.touched.layout = true;
        self.turn();
    }

    fn directives(&mut self, line: &[u8]) {
        for directive in split_directives(line) {
            match directive {
                Directive::Fields(text) => self.fields(text),
                Directive::Software(text) => {
                    self.state.iis = iis_version(text);
                    self.state.plain =
                        self.state.iis.is_some() || is_http_api(text);
                    self.touched.iis = true;
                    self.turn();
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
        let day = words
            .next()
            .and_then(|word| dates::read(word, dates::DateOrder::MonthFirst));
        if let Some((day, _)) = day {
            self.state.day = Some(day);
            self.state.last = words.next().and_then(parse_time);
            self.touched.day = true;
        }
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

/// The layout in force, else those that rows without one may have.
fn layouts<'s>(
    layout: Option<&'s Arc<Layout>>,
    terms: Option<&'s Arc<Terms>>,
) -> &'s [Arc<Layout>] {
    match (layout, terms) {
        (Some(layout), _) => std::slice::from_ref(layout),
        (None, Some(terms)) => &terms.layouts,
        (None, None) => &[],
    }
}

/// True for what URLScan refused and did not only log: `Rejected`.
fn is_refused(record: &Record<'_>) -> bool {
    record.layout.has_action()
        && record.get_named(b"x-action").is_some_and(|action| {
            action
                .get(..6)
                .is_some_and(|it| it.eq_ignore_ascii_case(b"reject"))
        })
}

/// HTTP.sys and what is built on it write as IIS does.
fn is_http_api(software: &[u8]) -> bool {
    let lower = software.to_ascii_lowercase();
    [&b"microsoft http api"[..], b"microsoft http server api"]
        .iter()
        .any(|name| lower.starts_with(name))
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
