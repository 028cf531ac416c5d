//! The time that is asked for, and what lies outside it.
//!
//! In: `--from` and `--to`, and the start and end of a log. Out: whether a
//! record counts, and whether a log can be left unread. Lines are written
//! when a response ends and clocks are set, so the order of a log is not
//! strict: a day on either side is never left out unread.

use std::sync::Arc;

use crate::limits;
use crate::w3c::{Date, Line, Parser, State, Terms, Timestamp};

const DAY: i64 = 86_400_000_000;

/// From this time on, and before that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first moment that counts.
    pub from: Option<Timestamp>,
    /// The first moment that does not count any more.
    pub to: Option<Timestamp>,
}

impl Span {
    /// True where a record of this time counts; one of no time does.
    #[inline]
    pub fn has(&self, time: Option<Timestamp>) -> bool {
        let Some(time) = time else { return true };
        self.from.is_none_or(|from| from <= time)
            && self.to.is_none_or(|to| time < to)
    }

    /// True where all that lies between the two is outside, even if the
    /// order is off by a day. Both must lie on the same side: logs are also
    /// joined by hand, the newest first. A last one that is not known is
    /// after the first.
    fn misses(&self, first: Timestamp, last: Option<Timestamp>) -> bool {
        let ends = [Some(first), last];
        let later = self.to.is_some_and(|to| {
            let to = to.micros().saturating_add(DAY);
            ends.into_iter().flatten().all(|time| to < time.micros())
        });
        let earlier = self.from.is_some_and(|from| {
            let from = from.micros().saturating_sub(DAY);
            let is_before = |time: Option<Timestamp>| {
                time.is_some_and(|it| it.micros() < from)
            };
            ends.into_iter().all(is_before)
        });
        later || earlier
    }

    /// True where a log can be left unread that begins with `head`, and ends
    /// with `tail` where that is known, or is named after `day`. The name
    /// must fit the first record; a weekly log is named after its week, so a
    /// month is taken off.
    pub(super) fn leaves(
        &self,
        head: &[u8],
        tail: Option<&[u8]>,
        terms: Option<&Arc<Terms>>,
        day: Option<(i32, u8, u8)>,
    ) -> bool {
        let mut parser =
            Parser::new(State { terms: terms.cloned(), ..State::default() });
        let first = times(&mut parser, head).next();
        let Some(first) = first else { return false };
        let last = match tail {
            Some(tail) => {
                // The columns in force at the end may not be those of the
                // start: then nothing fits, and the log is read.
                let start = memchr::memchr(b'\n', tail).unwrap_or(0);
                let tail = tail.get(start..).unwrap_or_default();
                times(&mut parser, tail).last()
            }
            None => named_end(day, first),
        };
        self.misses(first, last)
    }
}

/// The end of the time that a log can cover which is named after this day.
fn named_end(
    day: Option<(i32, u8, u8)>,
    first: Timestamp,
) -> Option<Timestamp> {
    let (year, month, day) = day?;
    let start = Timestamp::new(Date::new(year, month, day)?, 0).micros();
    let end = start.saturating_add(32 * DAY);
    let fits = (start - DAY..=end).contains(&first.micros());
    fits.then(|| Timestamp::from_micros(end))
}

/// The times of the records of a text, the first to the last line.
fn times(parser: &mut Parser, text: &[u8]) -> impl Iterator<Item = Timestamp> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match parser.line(line, false) {
            Line::Record(record) => record.time,
            _ => None,
        }
    })
}

/// The end of a content in memory.
pub(super) fn tail(bytes: &[u8]) -> &[u8] {
    let start = bytes.len().saturating_sub(limits::SNIFF_BYTES);
    bytes.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Option<Timestamp> {
        Timestamp::from_rfc3339(text)
    }

    #[test]
    fn a_day_on_either_side_is_read() {
        let span = Span {
            from: time("2001-07-19T00:00:00Z"),
            to: time("2001-07-20T00:00:00Z"),
        };
        assert!(span.has(time("2001-07-19T00:00:00Z")));
        assert!(!span.has(time("2001-07-20T00:00:00Z")));
        assert!(span.has(None));
        let head = |day: &str| {
            format!("#Fields: date time\n2001-07-{day} 12:00:00\n")
        };
        let leaves = |first: &str, last: Option<&str>, name| {
            let last = last.map(head);
            let tail = last.as_ref().map(String::as_bytes);
            span.leaves(head(first).as_bytes(), tail, None, name)
        };
        assert!(!leaves("18", Some("18"), None));
        assert!(leaves("17", Some("17"), None));
        assert!(!leaves("17", None, None));
        assert!(!leaves("20", Some("20"), None));
        assert!(leaves("21", Some("21"), None));
        assert!(leaves("21", None, None));
        // Joined by hand, the newest first: what lies between is not known.
        assert!(!leaves("25", Some("01"), None));
        assert!(!leaves("01", Some("25"), None));
        let may = "#Fields: date time\n2001-05-01 12:00:00\n".as_bytes();
        assert!(span.leaves(may, None, None, Some((2001, 5, 1))));
        assert!(!span.leaves(may, None, None, Some((1999, 5, 1))));
        assert!(!span.leaves(b"nothing", None, None, Some((2001, 5, 1))));
    }
}
