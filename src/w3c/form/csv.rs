//! Values between commas with quotes where needed (RFC 4180), as Exchange
//! logs its HTTP proxy.
//!
//! In: a line, or the names of a `#Fields` directive with commas. Out: the
//! places of its values without their quotes, or the names in the words of
//! W3C. Exchange writes date and time in one value: they are two columns
//! here, as everywhere.

use super::Spans;

/// What Exchange calls the columns that IIS has too.
///
/// Source: `#Fields` of Exchange 2013 to 2019, `Logging\HttpProxy`.
const NAMES: [(&str, &str); 14] = [
    ("DateTime", "date time"),
    ("UrlHost", "cs-host"),
    ("UrlStem", "cs-uri-stem"),
    ("UrlQuery", "cs-uri-query"),
    ("AuthenticatedUser", "cs-username"),
    ("UserAgent", "cs(User-Agent)"),
    ("ClientIpAddress", "c-ip"),
    ("ServerHostName", "s-computername"),
    ("HttpStatus", "sc-status"),
    ("Method", "cs-method"),
    ("RequestBytes", "cs-bytes"),
    ("ResponseBytes", "sc-bytes"),
    ("TotalRequestTime", "time-taken"),
    ("HttpMethod", "cs-method"),
];

/// The names of a list with commas, with blanks between them: IIS's own
/// where it has one. `None` where no comma parts them, or a blank does.
pub(in crate::w3c) fn names(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let is_list =
        text.contains(&b',') && !text.iter().any(u8::is_ascii_whitespace);
    if !is_list {
        return None;
    }
    let mut names = Vec::new();
    for name in text.split(|byte| *byte == b',') {
        let known = NAMES
            .iter()
            .find(|(own, _)| own.as_bytes().eq_ignore_ascii_case(name));
        if !names.is_empty() {
            names.push(b' ');
        }
        match known {
            Some((_, name)) => names.extend_from_slice(name.as_bytes()),
            // An empty name must not make the columns behind it move up.
            None if name.is_empty() => names.push(b'-'),
            None => names.extend_from_slice(name),
        }
    }
    Some(names)
}

pub(super) fn cut(line: &[u8], spans: &mut Spans) {
    let mut at = 0;
    loop {
        let (start, end, next) = value(line, at);
        match stamp(line.get(start..end).unwrap_or_default()) {
            Some(split) if at == 0 => {
                spans.push(start, start + split);
                let zone = usize::from(end > start + split + 1);
                spans.push(start + split + 1, end - zone);
            }
            _ => spans.push(start, end),
        }
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
}

/// Where the value at `at` stands, and where the next one begins.
fn value(line: &[u8], at: usize) -> (usize, usize, Option<usize>) {
    let rest = line.get(at..).unwrap_or_default();
    if rest.first() == Some(&b'"') {
        let mut from = 1;
        while let Some(found) =
            rest.get(from..).and_then(|text| memchr::memchr(b'"', text))
        {
            let end = from + found;
            match rest.get(end + 1) {
                Some(b'"') => from = end + 2,
                Some(b',') => return (at + 1, at + end, Some(at + end + 2)),
                None => return (at + 1, at + end, None),
                // A quote that ends nothing: the value is not quoted.
                Some(_) => break,
            }
        }
    }
    let end = memchr::memchr(b',', rest);
    let next = end.map(|end| at + end + 1);
    (at, at + end.unwrap_or(rest.len()), next)
}

/// Where date and time part in `2021-03-03T04:05:06.789Z`.
fn stamp(value: &[u8]) -> Option<usize> {
    let is_stamp = value.get(10) == Some(&b'T')
        && value.last() == Some(&b'Z')
        && value.first().is_some_and(u8::is_ascii_digit);
    is_stamp.then_some(10)
}
