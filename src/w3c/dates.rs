//! Dates as other formats than W3C write them: `07/19/01`, `19/Jul/2001`,
//! `19.07.2001`, `07-19-2001`.
//!
//! In: the text of a date, and which of day and month comes first where the
//! text does not tell. Out: the day, and whether the text told it. IIS native
//! logs write a date as the country settings of the server say, so `02/03/01`
//! is the second of March or the third of February.

use crate::w3c::time::{Date, parse_date};

/// Which of day and month comes first in a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `07/19/01`, as in the United States.
    MonthFirst,
    /// `19/07/01`, as in most other countries.
    DayFirst,
}

impl DateOrder {
    /// `mdy` or `dmy`.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "mdy" => Some(Self::MonthFirst),
            "dmy" => Some(Self::DayFirst),
            _ => None,
        }
    }

    /// The word of the option.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MonthFirst => "mdy",
            Self::DayFirst => "dmy",
        }
    }
}

const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep",
    b"oct", b"nov", b"dec",
];

/// The three parts of a date.
struct Parts<'a> {
    parts: [&'a [u8]; 3],
    separator: u8,
}

fn split(text: &[u8]) -> Option<Parts<'_>> {
    let at =
        text.iter().position(|byte| matches!(byte, b'/' | b'-' | b'.'))?;
    let separator = *text.get(at)?;
    let mut parts = text.split(|byte| *byte == separator);
    let parts = [parts.next()?, parts.next()?, parts.next()?];
    let count = memchr::memchr_iter(separator, text).count();
    (count == 2).then_some(Parts { parts, separator })
}

fn number(text: &[u8]) -> Option<i32> {
    let is_short = (1..=4).contains(&text.len());
    let is_number = is_short && text.iter().all(u8::is_ascii_digit);
    is_number.then(|| text.iter().fold(0, |n, d| n * 10 + i32::from(d - b'0')))
}

fn small(text: &[u8]) -> Option<u8> {
    u8::try_from(number(text)?).ok().filter(|_| text.len() <= 2)
}

/// IIS is not older than 1995, so two digits from 90 on are of that century.
fn year(text: &[u8]) -> Option<i32> {
    let number = number(text)?;
    match text.len() {
        2 if number >= 90 => Some(1900 + number),
        2 => Some(2000 + number),
        4 => Some(number),
        _ => None,
    }
}

fn month_named(text: &[u8]) -> Option<u8> {
    let name = text.get(..3)?.to_ascii_lowercase();
    let at = MONTHS.iter().position(|month| month[..] == name)?;
    (text.len() == 3).then(|| u8::try_from(at + 1).ok()).flatten()
}

/// Reads a date; true where the text alone tells the day.
pub(super) fn read(text: &[u8], order: DateOrder) -> Option<(Date, bool)> {
    if let Some(date) = parse_date(text) {
        return Some((date, true));
    }
    let Parts { parts: [first, second, third], .. } = split(text)?;
    if let Some(month) = month_named(second) {
        let date = Date::new(year(third)?, month, small(first)?)?;
        return Some((date, true));
    }
    let told = tells(text);
    let (month, day) = match told.unwrap_or(order) {
        DateOrder::MonthFirst => (small(first)?, small(second)?),
        DateOrder::DayFirst => (small(second)?, small(first)?),
    };
    let date = Date::new(year(third)?, month, day)?;
    Some((date, told.is_some() || first == second))
}

/// The order that a date shows, where it shows one: a number above twelve is
/// a day, and dates with dots begin with it everywhere.
pub(super) fn tells(text: &[u8]) -> Option<DateOrder> {
    let Parts { parts: [first, second, _], separator } = split(text)?;
    let (first, second) = (small(first)?, small(second)?);
    match (first > 12, second > 12) {
        (true, false) => Some(DateOrder::DayFirst),
        (false, true) => Some(DateOrder::MonthFirst),
        _ if separator == b'.' => Some(DateOrder::DayFirst),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str, order: DateOrder) -> Option<(Date, bool)> {
        read(text.as_bytes(), order)
    }

    #[test]
    fn the_text_tells_or_the_order_does() {
        use DateOrder::{DayFirst, MonthFirst};
        let of = |text: &str| parse_date(text.as_bytes()).unwrap();
        let july = Some((of("2001-07-19"), true));
        for text in [
            "07/19/01",
            "7/19/2001",
            "19/07/01",
            "19.07.01",
            "19/Jul/2001",
            "07-19-2001",
            "2001-07-19",
            "19-jul-01",
        ] {
            assert_eq!(day(text, MonthFirst), july, "{text}");
            assert_eq!(day(text, DayFirst), july, "{text}");
        }
        let march = Some((of("2001-03-02"), false));
        let february = Some((of("2001-02-03"), false));
        assert_eq!(day("02/03/01", DayFirst), march);
        assert_eq!(day("02/03/01", MonthFirst), february);
        assert_eq!(
            day("03.02.01", MonthFirst),
            Some((of("2001-02-03"), true))
        );
        assert_eq!(
            day("04/04/99", MonthFirst),
            Some((of("1999-04-04"), true))
        );
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "-",
            "1/2",
            "1/2/3/4",
            "13/13/01",
            "00/01/01",
            "1/2/345",
            "19/Foo/2001",
            "31/02/2001",
            "a/b/c",
            "1.2/3",
            "999999999999/1/1",
        ] {
            assert_eq!(day(text, DateOrder::MonthFirst), None, "{text}");
        }
    }
}
