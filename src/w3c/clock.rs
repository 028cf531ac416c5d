//! When a record was written: from its date and time, from the lines before
//! it, and from the zone of the server's clock.
//!
//! In: the columns of a record, and what is known of its log. Out: a time in
//! UTC, and how surely it is known.

use crate::raw::same;
use crate::w3c::dates::{self, DateOrder};
use crate::w3c::form::Form;
use crate::w3c::parser::Touched;
use crate::w3c::terms::Terms;
use crate::w3c::time::{Date, TimeNote, Timestamp, parse_date, parse_time};
use crate::w3c::zone::{ZoneMemo, offset_seconds};
use crate::w3c::{Field, Layout, Record};

/// A time, and how surely it is known.
pub(super) type Stamp = (Option<Timestamp>, TimeNote);

/// When the record before was written, and the bytes that told it.
#[derive(Debug)]
pub(super) struct Memo {
    /// The start of its line.
    text: [u8; Memo::MOST],
    /// How many bytes of it tell; 0 for none.
    length: usize,
    time: Stamp,
}

impl Default for Memo {
    fn default() -> Self {
        let text = [0; Self::MOST];
        Self { text, length: 0, time: Stamp::default() }
    }
}

impl Memo {
    /// Longer leads are not remembered.
    const MOST: usize = 64;

    /// The time, where the lead is that of the record before.
    #[inline]
    pub fn of(&self, lead: &[u8]) -> Option<Stamp> {
        let own = self.text.get(..self.length).unwrap_or_default();
        (!lead.is_empty() && same(own, lead)).then_some(self.time)
    }

    /// What is remembered holds no longer.
    pub fn forget(&mut self) {
        self.length = 0;
    }

    #[inline]
    pub fn set(&mut self, lead: &[u8], time: Stamp) {
        self.length = 0;
        if let Some(text) = self.text.get_mut(..lead.len()) {
            text.copy_from_slice(lead);
            (self.length, self.time) = (lead.len(), time);
        }
    }
}

/// The parts of a parser that give a record its time.
pub(super) struct Clock<'p> {
    pub day: &'p mut Option<Date>,
    pub last: &'p mut Option<i64>,
    pub touched: &'p mut Touched,
    pub cache: &'p mut DayCache,
}

/// The day of the date column seen last: neighbours share it.
pub(super) type DayCache = ([u8; 10], Option<Date>);

impl Clock<'_> {
    /// The time of a record, and whether its day was derived.
    #[inline]
    pub fn stamp(
        self,
        has_date: bool,
        date: Option<&[u8]>,
        time: Option<&[u8]>,
    ) -> Stamp {
        let time = time.and_then(parse_time);
        match date {
            Some(text) => match self.cached_date(text) {
                Some(day) => {
                    let stamp = Timestamp::new(day, time.unwrap_or(0));
                    let note = match time {
                        Some(_) => TimeNote::Exact,
                        None => TimeNote::Derived,
                    };
                    (Some(stamp), note)
                }
                None => Stamp::default(),
            },
            None if !has_date => self.derive(time),
            None => Stamp::default(),
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
    fn derive(self, time: Option<i64>) -> Stamp {
        const MINUTE: i64 = 60 * 1_000_000;
        self.touched.used_day = true;
        self.touched.day = true;
        let (Some(mut day), Some(time)) = (*self.day, time) else {
            return Stamp::default();
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
        (Some(Timestamp::new(day, time)), TimeNote::Derived)
    }
}

/// The time of a record whose form is not that of IIS's W3C logs, or whose
/// times are local.
pub(super) fn foreign(
    record: &Record<'_>,
    stamp: Stamp,
    terms: Option<&Terms>,
    memo: &mut ZoneMemo,
) -> Stamp {
    let layout = record.layout;
    let (mut time, mut note) = stamp;
    if matches!(layout.form(), Form::Native | Form::Ncsa | Form::UrlScan) {
        (time, note) = written(record, terms);
    }
    let Some(local) = time else { return (time, note) };
    if layout.form() == Form::Ncsa {
        let offset = record.get_named(b"zone").and_then(offset_seconds);
        if let Some(seconds) = offset {
            let micros = local.micros() - seconds * 1_000_000;
            return (Some(Timestamp::from_micros(micros)), note);
        }
    } else if !layout.is_local() {
        return (time, note);
    }
    match terms.and_then(|terms| terms.zone.as_ref()) {
        Some(zone) => {
            let (utc, doubt) = zone.utc(local, memo);
            (Some(utc), note.max(doubt))
        }
        None => (time, note.max(TimeNote::ZoneUnknown)),
    }
}

/// Date and time as the line has them.
fn written(record: &Record<'_>, terms: Option<&Terms>) -> Stamp {
    let (order, is_told) = match (record.layout.form(), terms) {
        // URLScan asks no country settings.
        (Form::UrlScan, _) => (DateOrder::MonthFirst, true),
        (_, Some(terms)) => terms.date_order(),
        (_, None) => (DateOrder::MonthFirst, false),
    };
    let date = record.get(Field::Date);
    let Some((day, is_plain)) = date.and_then(|it| dates::read(it, order))
    else {
        return Stamp::default();
    };
    let time = record.get(Field::Time).and_then(parse_time);
    let note = match time {
        _ if !is_plain && !is_told => TimeNote::OrderUnknown,
        Some(_) => TimeNote::Exact,
        None => TimeNote::Derived,
    };
    (Some(Timestamp::new(day, time.unwrap_or(0))), note)
}

/// True where [`foreign`] has something to say of the records of a layout.
pub(super) fn is_foreign(layout: &Layout) -> bool {
    layout.is_local() || layout.form() == Form::Ncsa
}
