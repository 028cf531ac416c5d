//! Tells what a line is: blank, directive, record, or rejected – and keeps
//! what earlier lines decide about later ones.
//!
//! The parser is the one place where the state of a log lives. A scan cuts a
//! file into chunks, gives each a parser that starts from an assumed
//! [`State`], and afterwards checks the assumption.

use std::sync::Arc;

use crate::limits;
use crate::w3c::directive::{Directive, split_directives};
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

/// Scratch space for the column ends of one line.
pub type Columns = Vec<u32>;

/// Reads lines one after the other.
#[derive(Debug, Default)]
pub struct Parser {
    state: State,
    columns: Columns,
    touched: Touched,
    /// The day of the date column seen last: neighbours share it.
    day_cache: ([u8; 10], Option<Date>),
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

impl Parser {
    /// A parser that starts where `state` left off.
    pub fn new(state: State) -> Self {
        Self { state, ..Self::default() }
    }

    /// The state after the lines read so far.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// True where this parser would have read its lines the same way had it
    /// started from `actual` instead of `assumed`.
    pub fn agrees(&self, assumed: &State, actual: &State) -> bool {
        assumed.layout == actual.layout
            && assumed.iis == actual.iis
            && (!self.touched.used_day
                || (assumed.day == actual.day && assumed.last == actual.last))
    }

    /// The state after these lines, had they begun from `actual`; right
    /// where [`Self::agrees`].
    #[must_use]
    pub fn state_from(&self, actual: &State) -> State {
        let mut state = self.state.clone();
        if !self.touched.layout {
            state.layout.clone_from(&actual.layout);
        }
        if !self.touched.iis {
            state.iis = actual.iis;
        }
        if !self.touched.day {
            state.day = actual.day;
            state.last = actual.last;
        }
        state
    }

    /// Reads one line, given without its line end. `cut` says that the line
    /// goes on beyond what is given.
    #[inline]
    pub fn line<'a>(&'a mut self, line: &'a [u8], cut: bool) -> Line<'a> {
        let line = match line.first() {
            Some(0 | 0xEF) => strip_lead(line),
            _ => line,
        };
        match line.first() {
            None => return Line::Blank,
            Some(b'#') => {
                self.directives(line);
                return Line::Directive;
            }
            Some(0..=b' ') if is_blank(line) => return Line::Blank,
            _ => {}
        }
        self.record(line, cut)
    }

    #[inline]
    fn record<'a>(&'a mut self, line: &'a [u8], cut: bool) -> Line<'a> {
        let Some(layout) = &self.state.layout else {
            return Line::Rejected(Reject::NoLayout);
        };
        self.columns.clear();
        let mut wanted = layout.len();
        for at in memchr::memchr_iter(b' ', line).take(wanted) {
            // Lines are cut at `LINE_BYTES`, far below 4 GiB.
            #[allow(clippy::cast_possible_truncation)]
            self.columns.push(at as u32);
        }
        if self.columns.len() == wanted {
            // One blank after the last column is harmless padding.
            let end = self.columns.last().map_or(0, |end| *end as usize);
            if end + 1 != line.len() {
                return Line::Rejected(Reject::TooMany);
            }
            wanted = 0;
        }
        if wanted != 0 {
            #[allow(clippy::cast_possible_truncation)]
            self.columns.push(line.len() as u32);
            if self.columns.len() != wanted && !cut {
                return Line::Rejected(Reject::TooFew);
            }
        }
        let mut record = Record {
            line,
            layout,
            time: None,
            time_derived: false,
            iis: self.state.iis,
            cut,
            ends: &self.columns,
        };
        let clock = Clock {
            day: &mut self.state.day,
            last: &mut self.state.last,
            touched: &mut self.touched,
            cache: &mut self.day_cache,
        };
        clock.stamp(&mut record);
        Line::Record(record)
    }

    fn directives(&mut self, line: &[u8]) {
        for directive in split_directives(line) {
            match directive {
                Directive::Fields(text) => {
                    let layout = Layout::from_fields(text);
                    if self.state.layout.as_deref() != layout.as_ref() {
                        self.state.layout = layout.map(Arc::new);
                    }
                    self.touched.layout = true;
                }
                Directive::Software(text) => {
                    self.state.iis = iis_version(text);
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
    #[inline]
    fn stamp(self, record: &mut Record<'_>) {
        let time = record.get(Field::Time).and_then(parse_time);
        match record.get(Field::Date) {
            Some(text) => {
                let Some(day) = self.cached_date(text) else { return };
                record.time_derived = time.is_none();
                record.time = Some(Timestamp::new(day, time.unwrap_or(0)));
            }
            None if !record.layout.has(Field::Date) => {
                self.derive(record, time);
            }
            None => {}
        }
    }

    fn cached_date(self, text: &[u8]) -> Option<Date> {
        if self.cache.0 == text {
            return self.cache.1;
        }
        let day = parse_date(text);
        if let Ok(key) = <[u8; 10]>::try_from(text) {
            *self.cache = (key, day);
        }
        day
    }

    /// The time of a line without a date: the day in force, and the next
    /// one where the clock went back by more than half a day. Lines are
    /// written when a response ends, so small steps back are ordinary; one
    /// from just before midnight that comes just after it is of the day
    /// before and moves nothing.
    fn derive(self, record: &mut Record<'_>, time: Option<i64>) {
        const MINUTE: i64 = 60 * 1_000_000;
        self.touched.used_day = true;
        self.touched.day = true;
        let (Some(mut day), Some(time)) = (*self.day, time) else { return };
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
        record.time_derived = true;
        record.time = Some(Timestamp::new(day, time));
    }
}

/// Drops a byte order mark, and the NUL bytes that a crash leaves before
/// the next header.
fn strip_lead(line: &[u8]) -> &[u8] {
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
