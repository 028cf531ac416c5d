//! Numbers, sizes, times and counted things in words.
//!
//! In: values of a case. Out: short text for people; the same everywhere.

use crate::report::terminal::page::{Cell, Tone};
use crate::signature::Outcome;
use crate::w3c::Timestamp;

/// A number with its thousands apart: `31,204`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A counted thing: `1 hit`, `2 hits`.
pub(super) fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(value), if value == 1 { one } else { many })
}

/// Hits, counted.
pub(super) fn hits(value: u64) -> String {
    counted(value, "hit", "hits")
}

/// Hosts, counted.
pub(super) fn hosts(value: u64) -> String {
    counted(value, "host", "hosts")
}

/// Clients, counted.
pub(super) fn clients(value: u64) -> String {
    counted(value, "client", "clients")
}

/// How many there are of something held in memory.
pub(super) fn len<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// A size: `812 bytes`, `3.4 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return counted(bytes, "byte", "bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for larger in UNITS.into_iter().skip(1) {
        // At 1023.95 one decimal would read 1024.0.
        if value < 1023.95 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    format!("{value:.1} {unit}")
}

/// How exact a time is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Day,
    Minute,
    Full,
}

/// A time in UTC: `2001-07-19 13:01`, or `-`.
pub(super) fn time(time: Option<Timestamp>, precision: Precision) -> String {
    let Some(time) = time else { return "-".to_owned() };
    let text = time.to_string();
    cut_time(text.trim_end_matches('Z'), precision)
}

/// A time in RFC 3339, as exact as is wanted.
pub(super) fn cut_time(text: &str, precision: Precision) -> String {
    let text = text.replace('T', " ");
    let length = match precision {
        Precision::Day => 10,
        Precision::Minute => 16,
        Precision::Full => text.len(),
    };
    text.get(..length).unwrap_or(&text).to_owned()
}

/// An outcome in the colour of its class.
pub(super) fn outcome(outcome: Option<Outcome>) -> Cell {
    let Some(outcome) = outcome else { return Cell::new("-") };
    Cell::toned(outcome.as_str(), tone(outcome))
}

/// The colour of an outcome's class.
pub(super) fn tone(outcome: Outcome) -> Tone {
    if outcome.is_success() {
        Tone::Bad
    } else if outcome.is_exposed() {
        Tone::Odd
    } else if outcome == Outcome::Unknown {
        Tone::Plain
    } else {
        Tone::Good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_read_well() {
        for (value, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(number(value), text);
        }
        for (value, text) in [
            (1, "1 byte"),
            (1023, "1,023 bytes"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1.0 MiB"),
            (u64::MAX, "16384.0 PiB"),
        ] {
            assert_eq!(size(value), text);
        }
        assert_eq!(hits(1), "1 hit");
        assert_eq!(hits(2), "2 hits");
    }
}
