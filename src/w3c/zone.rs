//! Local time to UTC, by the rules of a time zone.
//!
//! In: a zone's name, as `Europe/Berlin` or `+02:00`, and local clock times.
//! Out: UTC, and a word where the clock does not tell it alone: the hour
//! that comes twice in autumn, and the one that spring leaves out. The
//! rules are those of the IANA database that is part of the program, so that
//! a result does not depend on the machine.

use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::w3c::time::{TimeNote, Timestamp};

/// The zone that a clock showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    rules: TimeZone,
}

/// What a zone says of a quarter of an hour: no zone changes in between.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ZoneMemo(Option<(i64, i64, TimeNote)>);

const QUARTER: i64 = 15 * 60 * 1_000_000;

impl Zone {
    /// The zone of an IANA name, `UTC`, or an offset such as `-0800`.
    /// `None` where there is none.
    ///
    /// ```
    /// use iisleuth::w3c::Zone;
    /// assert!(Zone::from_name("Europe/Berlin").is_some());
    /// assert!(Zone::from_name("+05:30").is_some());
    /// assert!(Zone::from_name("Middle Earth").is_none());
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(seconds) = offset_seconds(name.as_bytes()) {
            let offset = Offset::from_seconds(i32::try_from(seconds).ok()?);
            return Some(Self { rules: TimeZone::fixed(offset.ok()?) });
        }
        let rules = TimeZone::get(name).ok()?;
        Some(Self { rules })
    }

    /// The UTC of a local time that is given as if it were UTC. Of an hour
    /// that comes twice the first one is taken; one that is left out is
    /// read as if the clock had not been moved yet.
    pub(super) fn utc(
        &self,
        local: Timestamp,
        memo: &mut ZoneMemo,
    ) -> (Timestamp, TimeNote) {
        let micros = local.micros();
        let quarter = micros.div_euclid(QUARTER);
        let (shift, note) = match memo.0 {
            Some((known, shift, note)) if known == quarter => (shift, note),
            _ => {
                let (shift, note) = self.shift(quarter * QUARTER);
                memo.0 = Some((quarter, shift, note));
                (shift, note)
            }
        };
        (Timestamp::from_micros(micros - shift), note)
    }

    /// How far the clock is ahead of UTC, in microseconds.
    fn shift(&self, local: i64) -> (i64, TimeNote) {
        let seconds = local.div_euclid(1_000_000);
        let Some(clock) = clock(seconds) else {
            return (0, TimeNote::ZoneUnknown);
        };
        let found = self.rules.to_ambiguous_timestamp(clock);
        let (offset, note) = match found.offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                (offset, TimeNote::Exact)
            }
            AmbiguousOffset::Fold { before, .. } => {
                (before, TimeNote::HourTwice)
            }
            AmbiguousOffset::Gap { before, .. } => {
                (before, TimeNote::HourSkipped)
            }
        };
        (i64::from(offset.seconds()) * 1_000_000, note)
    }

    /// A time as the zone's clocks show it, with its offset.
    ///
    /// ```
    /// use iisleuth::w3c::{Timestamp, Zone};
    /// let zone = Zone::from_name("Europe/Berlin").unwrap();
    /// let time = Timestamp::from_rfc3339("2001-07-19T13:01:02Z").unwrap();
    /// assert_eq!(zone.show(time), "2001-07-19T15:01:02+02:00");
    /// ```
    pub fn show(&self, time: Timestamp) -> String {
        let seconds = time.micros().div_euclid(1_000_000);
        let Ok(instant) = jiff::Timestamp::from_second(seconds) else {
            return time.to_string();
        };
        let offset = i64::from(self.rules.to_offset(instant).seconds());
        let local = Timestamp::from_micros(time.micros() + offset * 1_000_000);
        let text = local.to_string();
        let clock = text.strip_suffix('Z').unwrap_or(&text);
        let (sign, minutes) =
            (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
        format!("{clock}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// The civil time of so many seconds since 1970.
fn clock(seconds: i64) -> Option<civil::DateTime> {
    let instant = jiff::Timestamp::from_second(seconds).ok()?;
    Some(Offset::UTC.to_datetime(instant))
}

/// `+0200`, `-08:00`, `Z`: seconds ahead of UTC.
pub(super) fn offset_seconds(text: &[u8]) -> Option<i64> {
    if text == b"Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let (&[h1, h2, m1, m2] | &[h1, h2, b':', m1, m2]) = rest else {
        return None;
    };
    let digit =
        |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    let hours = digit(h1)? * 10 + digit(h2)?;
    let minutes = digit(m1)? * 10 + digit(m2)?;
    (hours < 24 && minutes < 60)
        .then_some(sign * (hours * 3600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(zone: &str, local: &str) -> (String, TimeNote) {
        let zone = Zone::from_name(zone).unwrap();
        let local = Timestamp::from_rfc3339(local).unwrap();
        let (time, note) = zone.utc(local, &mut ZoneMemo::default());
        (time.to_string(), note)
    }

    #[test]
    fn summer_winter_and_the_hours_between() {
        let berlin = |local| utc("Europe/Berlin", local);
        let exact = |text: &str| (text.to_owned(), TimeNote::Exact);
        let july = berlin("2001-07-19T15:01:02Z");
        assert_eq!(july, exact("2001-07-19T13:01:02Z"));
        let january = berlin("2001-01-19T15:01:02.5Z");
        assert_eq!(january, exact("2001-01-19T14:01:02.5Z"));
        let twice = berlin("2001-10-28T02:30:00Z");
        assert_eq!(
            twice,
            ("2001-10-28T00:30:00Z".into(), TimeNote::HourTwice)
        );
        let skipped = berlin("2001-03-25T02:30:00Z");
        assert_eq!(
            skipped,
            ("2001-03-25T01:30:00Z".into(), TimeNote::HourSkipped)
        );
        assert_eq!(
            utc("-0800", "2001-03-25T23:30:00Z"),
            exact("2001-03-26T07:30:00Z")
        );
        assert_eq!(
            utc("UTC", "1996-01-01T00:00:00Z"),
            exact("1996-01-01T00:00:00Z")
        );
    }

    #[test]
    fn the_memo_changes_nothing() {
        let zone = Zone::from_name("America/New_York").unwrap();
        let mut memo = ZoneMemo::default();
        let start = Timestamp::from_rfc3339("2005-10-30T00:00:00Z").unwrap();
        for step in 0..2000 {
            let local =
                Timestamp::from_micros(start.micros() + step * 97_000_001);
            let alone = zone.utc(local, &mut ZoneMemo::default());
            assert_eq!(zone.utc(local, &mut memo), alone, "{local}");
        }
    }

    #[test]
    fn what_is_no_zone() {
        for text in
            ["", "+2", "+25:00", "+02:60", "Berlin", "../etc", "+02:0x"]
        {
            assert!(Zone::from_name(text).is_none(), "{text}");
        }
    }
}
