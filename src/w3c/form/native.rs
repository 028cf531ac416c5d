//! IIS native: fifteen values between commas, in an order that never
//! changes, the times those of the server's clock.
//!
//! Source: "Microsoft IIS Log File Format" (Microsoft). A blank follows each
//! comma in most versions, a comma the last value in all. Target and
//! parameters may hold commas of their own, so the row is cut from both ends.

use super::Spans;

/// The values by the names of W3C columns.
pub(super) const NAMES: &str = "c-ip cs-username date time s-sitename \
     s-computername s-ip time-taken cs-bytes sc-bytes sc-status \
     sc-win32-status cs-method cs-uri-stem cs-uri-query";

/// Values before the target.
const LEAD: usize = 13;

pub(super) fn cut(line: &[u8], spans: &mut Spans) -> Option<()> {
    let mut start = 0;
    for end in memchr::memchr_iter(b',', line).take(LEAD) {
        push(line, start, end, spans);
        start = end + 1;
    }
    let value = |column: usize| {
        let start = *spans.starts.get(column)? as usize;
        line.get(start..*spans.ends.get(column)? as usize)
    };
    if spans.len() < LEAD || !is_row(value(2)?, value(3)?, value(10)?) {
        return None;
    }
    let (target, query) = tail(line, start);
    push(line, target.0, target.1, spans);
    push(line, query.0, query.1, spans);
    Some(())
}

/// Where target and parameters stand in what follows the method. The comma
/// that is followed by a blank ends the target, where there is one.
fn tail(line: &[u8], start: usize) -> ((usize, usize), (usize, usize)) {
    let rest = line.get(start..).unwrap_or_default();
    let rest = rest.trim_ascii_end();
    let rest = rest.strip_suffix(b",").unwrap_or(rest);
    let end = start + rest.len();
    let lead = rest.iter().take_while(|byte| **byte == b' ').count();
    let inner = rest.get(lead..).unwrap_or_default();
    let comma = if lead > 0 {
        memchr::memmem::rfind(inner, b", ").map(|at| start + lead + at)
    } else {
        memchr::memrchr(b',', rest).map(|at| start + at)
    };
    match comma {
        Some(at) => ((start, at), (at + 1, end)),
        None => ((start, end), (end, end)),
    }
}

/// Adds a value without the blanks around it.
fn push(line: &[u8], start: usize, end: usize, spans: &mut Spans) {
    let value = line.get(start..end).unwrap_or_default();
    let blank = |byte: &&u8| **byte == b' ';
    let before = value.iter().take_while(blank).count();
    let value = value.get(before..).unwrap_or_default();
    let after = value.iter().rev().take_while(blank).count();
    spans.push(start + before, end - after);
}

/// A date of any country, a time, a status.
fn is_row(date: &[u8], time: &[u8], status: &[u8]) -> bool {
    let starts = |text: &[u8]| text.first().is_some_and(u8::is_ascii_digit);
    let is_status = status.iter().all(u8::is_ascii_digit) || status == b"-";
    starts(date) && starts(time) && time.contains(&b':') && is_status
}
