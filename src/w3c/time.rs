//! Dates and times as the log writes them: `2001-07-19`, `13:01:02`, with
//! fractions of a second where a module adds them. All W3C times are UTC.

use std::fmt;

/// Microseconds since 1970-01-01T00:00:00 UTC.
///
/// ```
/// use iisleuth::w3c::{parse_date, parse_time, Timestamp};
/// let date = parse_date(b"2001-07-19").unwrap();
/// let time = parse_time(b"13:01:02").unwrap();
/// let stamp = Timestamp::new(date, time);
/// assert_eq!(stamp.to_string(), "2001-07-19T13:01:02Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// How surely a record's time is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeNote {
    /// Date and time stand on the line.
    #[default]
    Exact,
    /// The day, or the time of day, is not on the line.
    Derived,
    /// Local time, in the hour that comes twice when summer ends: the first
    /// one was taken.
    HourTwice,
    /// Local time, in the hour that is left out when summer begins.
    HourSkipped,
    /// Local time of a zone that nobody told: read as UTC.
    ZoneUnknown,
    /// Day and month may be the other way round, whatever the zone.
    OrderUnknown,
}

impl TimeNote {
    /// The code in files; none for a time that is known.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Exact => None,
            Self::Derived => Some("derived"),
            Self::HourTwice => Some("hour-twice"),
            Self::HourSkipped => Some("hour-skipped"),
            Self::OrderUnknown => Some("day-month-unknown"),
            Self::ZoneUnknown => Some("zone-unknown"),
        }
    }

    /// What it means, for people; none for a time that is known.
    pub fn describe(self) -> Option<&'static str> {
        match self {
            Self::Exact | Self::Derived => None,
            Self::HourTwice => Some(
                "local times in the hour that comes twice when summer time \
                 ends: read as the first one",
            ),
            Self::HourSkipped => Some(
                "local times in an hour that summer time leaves out: is \
                 --timezone right?",
            ),
            Self::OrderUnknown => Some(
                "dates that do not tell day from month, read as month/day: \
                 say --date-order",
            ),
            Self::ZoneUnknown => Some(
                "times are local and nobody says of which zone, read as \
                 UTC: say --timezone",
            ),
        }
    }
}

/// A day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

impl Date {
    /// The day of a calendar date; `None` where there is no such day.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if !(1..=length).contains(&day) || !(1..=9999).contains(&year) {
            return None;
        }
        // Years begin in March here, so that the leap day comes last
        // (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
        let (m, d) = (i32::from(month), i32::from(day));
        let y = if m <= 2 { year - 1 } else { year };
        let (era, of_era) = (y.div_euclid(400), y.rem_euclid(400));
        let of_year = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + d - 1;
        let days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Some(Self(era * 146_097 + days - 719_468))
    }

    /// The day after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The day before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// The month and the day in it.
    pub(super) fn month_and_day(self) -> (u8, u8) {
        let (_, month, day) = self.civil();
        // Both are less than 32.
        (u8::try_from(month).unwrap_or(0), u8::try_from(day).unwrap_or(0))
    }

    /// Year, month, day.
    fn civil(self) -> (i32, i32, i32) {
        let days = self.0 + 719_468;
        let (era, of_era) =
            (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year =
            (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let m = (5 * of_year + 2) / 153;
        let day = of_year - (153 * m + 2) / 5 + 1;
        let month = if m < 10 { m + 3 } else { m - 9 };
        (year + era * 400 + i32::from(month <= 2), month, day)
    }
}

impl Timestamp {
    /// A day and the microseconds since its midnight.
    pub fn new(date: Date, time: i64) -> Self {
        Self(i64::from(date.0) * DAY + time)
    }

    /// Reads what [`fmt::Display`] writes.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let date = parse_date(date.as_bytes())?;
        Some(Self::new(date, parse_time(time.as_bytes())?))
    }

    /// A time from microseconds since 1970.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC; a fraction only where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = i32::try_from(self.0.div_euclid(DAY)).unwrap_or(0);
        let (year, month, day) = Date(days).civil();
        let rest = self.0.rem_euclid(DAY);
        let (second, micro) = (rest / SECOND, rest % SECOND);
        let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}")?;
        if micro != 0 {
            let text = format!("{micro:06}");
            write!(f, ".{}", text.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(
        &self,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(
        input: D,
    ) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(input)?;
        Self::from_rfc3339(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("not a UTC time: {text:?}"))
        })
    }
}

/// One digit.
fn digit(byte: u8) -> Option<i32> {
    byte.is_ascii_digit().then(|| i32::from(byte - b'0'))
}

/// Two digits.
fn two([high, low]: [u8; 2]) -> Option<i32> {
    Some(digit(high)? * 10 + digit(low)?)
}

/// Reads `YYYY-MM-DD`.
pub fn parse_date(text: &[u8]) -> Option<Date> {
    let (century, rest) = text.split_first_chunk::<2>()?;
    let (year, rest) = rest.split_first_chunk::<2>()?;
    let &[b'-', m1, m2, b'-', d1, d2] = rest else { return None };
    let year = two(*century)? * 100 + two(*year)?;
    let (month, day) = (two([m1, m2])?, two([d1, d2])?);
    Date::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

/// Reads `HH:MM:SS`, with a fraction of up to nine digits, in microseconds
/// since midnight. The hour may have one digit and the seconds may be left
/// out, as other writers do. A leap second counts as the second before it.
#[inline]
pub fn parse_time(text: &[u8]) -> Option<i64> {
    if let Ok(clock) = <[u8; 8]>::try_from(text)
        && let Some(time) = parse_clock(clock)
    {
        return Some(time);
    }
    parse_other_time(text)
}

#[inline(never)]
fn parse_other_time(text: &[u8]) -> Option<i64> {
    let colon = text.iter().take(3).position(|byte| *byte == b':')?;
    let (hour, rest) = text.split_at_checked(colon)?;
    let hour = match *hour {
        [low] => digit(low)?,
        [high, low] => two([high, low])?,
        _ => return None,
    };
    let (minute, rest) = rest.get(1..)?.split_first_chunk::<2>()?;
    let minute = two(*minute)?;
    let (second, fraction) = match rest.strip_prefix(b":") {
        None if rest.is_empty() => (0, rest),
        None => return None,
        Some(rest) => {
            let (second, fraction) = rest.split_first_chunk::<2>()?;
            (two(*second)?, fraction)
        }
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second.min(59);
    Some(i64::from(seconds) * SECOND + parse_fraction(fraction)?)
}

/// Reads `HH:MM:SS`, all eight bytes at once: nearly every line of a log
/// has one.
#[inline]
fn parse_clock(clock: [u8; 8]) -> Option<i64> {
    const ZERO: u64 = u64::from_le_bytes(*b"00:00:00");
    const DIGITS: u64 = 0xFFFF_00FF_FF00_FFFF;
    const SIX: u64 = 0x0606_0606_0606_0606 & DIGITS;
    const HIGH: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    let values = u64::from_le_bytes(clock) ^ ZERO;
    // A digit is at most 9, so six more does not reach 16.
    if values & (HIGH | !DIGITS) != 0 || (values + SIX) & HIGH != 0 {
        return None;
    }
    let [h1, h2, _, m1, m2, _, s1, s2] = values.to_le_bytes();
    let two = |high: u8, low: u8| i64::from(high) * 10 + i64::from(low);
    let (hour, minute, second) = (two(h1, h2), two(m1, m2), two(s1, s2));
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some((hour * 3600 + minute * 60 + second.min(59)) * SECOND)
}

/// Reads `.123`, or nothing, in microseconds.
fn parse_fraction(text: &[u8]) -> Option<i64> {
    let Some((point, digits)) = text.split_first() else {
        return Some(0);
    };
    if *point != b'.' || digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut micros = 0;
    let mut unit = SECOND / 10;
    for byte in digits {
        micros += i64::from(digit(*byte)?) * unit;
        unit /= 10;
    }
    Some(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_1970_and_back() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1996-02-29", 9555),
            ("2001-07-19", 11522),
            ("2100-03-01", 47541),
        ] {
            let date = parse_date(text.as_bytes()).unwrap();
            assert_eq!(date.0, days, "{text}");
            let stamp = Timestamp::new(date, 0).to_string();
            assert_eq!(stamp, format!("{text}T00:00:00Z"));
        }
        let mut date = parse_date(b"1995-12-31").unwrap();
        for _ in 0..20_000 {
            date = date.next();
            let stamp = Timestamp::new(date, 5).to_string();
            assert_eq!(
                Timestamp::from_rfc3339(&stamp),
                Some(Timestamp::new(date, 5))
            );
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["2001-02-29", "2001-13-01", "01-07-19", "2001-7-19", "-"]
        {
            assert!(parse_date(text.as_bytes()).is_none(), "{text}");
        }
        for text in [
            "24:00:00",
            "1:2:03",
            "01:02:03.",
            "01:02:03,5",
            "x",
            "1:0",
            ":01:02",
        ] {
            assert!(parse_time(text.as_bytes()).is_none(), "{text}");
        }
        for text in [
            "1a:00:00",
            "00:00-00",
            "00:6a:00",
            "00:00:61",
            "::::::::",
            "\u{7ff}0:00:00",
        ] {
            assert!(parse_time(text.as_bytes()).is_none(), "{text}");
        }
        for (h, m, s) in [(0, 0, 0), (9, 59, 59), (23, 10, 9), (19, 9, 30)] {
            let text = format!("{h:02}:{m:02}:{s:02}");
            let micros = (h * 3600 + m * 60 + s) * SECOND;
            assert_eq!(parse_time(text.as_bytes()), Some(micros), "{text}");
            let long = parse_time(format!("{text}.0").as_bytes());
            assert_eq!(long, Some(micros), "{text}.0");
        }
        assert_eq!(parse_time(b"00:00:01.5"), Some(1_500_000));
        assert_eq!(parse_time(b"7:55:20"), parse_time(b"07:55:20"));
        assert_eq!(parse_time(b"7:55"), parse_time(b"07:55:00"));
        assert_eq!(parse_time(b"07:55"), parse_time(b"07:55:00"));
        assert_eq!(parse_time(b"7:55:20.25"), parse_time(b"07:55:20.25"));
        assert_eq!(parse_time(b"23:59:60"), parse_time(b"23:59:59"));
    }
}
