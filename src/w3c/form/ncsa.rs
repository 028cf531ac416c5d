//! NCSA common and combined: `host ident user [time zone] "request" status
//! bytes`, then referer and user agent in quotes where there are any.
//!
//! Source: "NCSA Common Log File Format" (Microsoft), and the same as Apache
//! writes it: a virtual host may come first, more values may come last. The
//! request is one text; method, target and version are taken from its ends,
//! because a target that a client made up may hold blanks. What stands
//! before the time is cut by the bracket, because a user may have blanks too.

use core::net::IpAddr;

use super::{Spans, find, skip_blanks};

/// The values by the names of W3C columns.
pub(super) const NAMES: &str = "cs-host c-ip rfc931 cs-username date time \
     zone cs-method cs-uri cs-version sc-status sc-bytes cs(Referer) \
     cs(User-Agent) x-more";

pub(super) fn cut(line: &[u8], spans: &mut Spans) -> Option<()> {
    let bracket = stamp(line)?;
    caller(line, bracket, spans)?;
    let close = find(line, bracket, b"]")?;
    clock(line, bracket + 1, close, spans)?;
    let open = skip_blanks(line, close + 1);
    if line.get(open) != Some(&b'"') {
        return None;
    }
    let (end, status) = request_end(line, open + 1)?;
    request(line, open + 1, end, spans);
    let rest = answer(line, status, spans)?;
    header_fields(line, rest, spans);
    Some(())
}

/// Where `[19/Jul/2001:13:01:02` begins.
fn stamp(line: &[u8]) -> Option<usize> {
    const FORM: &[u8] = b"[dd/aaa/dddd:dd:dd:dd";
    memchr::memchr_iter(b'[', line).find(|at| {
        let rest = line.get(*at..).unwrap_or_default();
        rest.len() >= FORM.len()
            && FORM.iter().zip(rest).all(|(form, byte)| match form {
                b'd' => byte.is_ascii_digit(),
                b'a' => byte.is_ascii_alphabetic(),
                _ => form == byte,
            })
    })
}

/// Virtual host, client, identity and user.
fn caller(line: &[u8], bracket: usize, spans: &mut Spans) -> Option<()> {
    let words = words(line, bracket);
    let is_address = |word: &(usize, usize)| {
        let text = line.get(word.0..word.1).unwrap_or_default();
        let text = std::str::from_utf8(text).unwrap_or_default();
        text.parse::<IpAddr>().is_ok()
    };
    let has_host = words.len() > 3
        && words.get(1).is_some_and(is_address)
        && !words.first().is_some_and(is_address);
    let (host, rest) = if has_host {
        let ((start, end), rest) = words.split_first()?;
        ((*start, *end), rest)
    } else {
        let start = words.first()?.0;
        ((start, start), words.as_slice())
    };
    let [client, ident, user @ ..] = rest else { return None };
    let (first, last) = (user.first()?, user.last()?);
    for (start, end) in [host, *client, *ident, (first.0, last.1)] {
        spans.push(start, end);
    }
    Some(())
}

fn words(line: &[u8], end: usize) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let text = line.get(..end).unwrap_or_default();
    let mut at = skip_blanks(text, 0);
    while at < end {
        let rest = text.get(at..).unwrap_or_default();
        let length = memchr::memchr2(b' ', b'\t', rest).unwrap_or(rest.len());
        words.push((at, at + length));
        at = skip_blanks(text, at + length);
    }
    words
}

/// `19/Jul/2001`, `13:01:02`, `-0400`.
fn clock(
    line: &[u8],
    start: usize,
    end: usize,
    spans: &mut Spans,
) -> Option<()> {
    let date_end = start + 11;
    let time_end = date_end + 9;
    if end < time_end {
        return None;
    }
    spans.push(start, date_end);
    spans.push(date_end + 1, time_end);
    spans.push(skip_blanks(line, time_end).min(end), end);
    Some(())
}

/// Where the request ends, and where the status begins: the first quote
/// that no backslash guards and a status and a size follow.
fn request_end(line: &[u8], start: usize) -> Option<(usize, usize)> {
    let rest = line.get(start..)?;
    memchr::memchr_iter(b'"', rest).map(|at| start + at).find_map(|at| {
        let text = line.get(start..at).unwrap_or_default();
        let guards = text.iter().rev().take_while(|byte| **byte == b'\\');
        let status = skip_blanks(line, at + 1);
        let is_end = guards.count() % 2 == 0
            && status > at + 1
            && numbers(line, status).is_some();
        is_end.then_some((at, status))
    })
}

/// Where status and size stand, both numbers or `-`.
fn numbers(line: &[u8], at: usize) -> Option<[(usize, usize); 2]> {
    let number = |at: usize| {
        let rest = line.get(at..)?;
        let length = memchr::memchr2(b' ', b'\t', rest).unwrap_or(rest.len());
        let text = rest.get(..length)?;
        let is_number = text == b"-"
            || (!text.is_empty() && text.iter().all(u8::is_ascii_digit));
        is_number.then_some((at, at + length))
    };
    let status = number(at)?;
    let bytes = number(skip_blanks(line, status.1))?;
    Some([status, bytes])
}

/// Method, target and version of `GET /a?b HTTP/1.0`. A request of one word
/// is a target: so it is looked at as one.
fn request(line: &[u8], start: usize, end: usize, spans: &mut Spans) {
    let text = line.get(start..end).unwrap_or_default();
    let version = memchr::memrchr(b' ', text)
        .filter(|at| text.get(at + 1..).is_some_and(is_version));
    let target_end = version.unwrap_or(text.len());
    let method = memchr::memchr(b' ', text).filter(|at| *at < target_end);
    let target = method.map_or(0, |at| at + 1);
    spans.push(start, start + method.unwrap_or(0));
    spans.push(start + target, start + target_end);
    spans.push(start + version.map_or(target_end, |at| at + 1), end);
}

fn is_version(word: &[u8]) -> bool {
    word.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"HTTP/"))
}

/// Status and size; returns where they end.
fn answer(line: &[u8], at: usize, spans: &mut Spans) -> Option<usize> {
    let [status, bytes] = numbers(line, at)?;
    spans.push(status.0, status.1);
    spans.push(bytes.0, bytes.1);
    Some(bytes.1)
}

/// Referer and user agent, and what is left.
fn header_fields(line: &[u8], at: usize, spans: &mut Spans) {
    let mut at = skip_blanks(line, at);
    for _ in 0..2 {
        match quoted(line, at) {
            Some(end) => {
                spans.push(at + 1, end);
                at = skip_blanks(line, end + 1).min(line.len());
            }
            None => spans.push(at, at),
        }
    }
    spans.push(at, line.len());
}

/// Where the text in quotes at `at` ends; at the end of a cut line.
fn quoted(line: &[u8], at: usize) -> Option<usize> {
    if line.get(at) != Some(&b'"') {
        return None;
    }
    let rest = line.get(at + 1..)?;
    let end = memchr::memchr_iter(b'"', rest).find(|end| {
        let before = rest.get(..*end).unwrap_or_default();
        let guards = before.iter().rev().take_while(|byte| **byte == b'\\');
        let follows = rest.get(end + 1);
        guards.count() % 2 == 0 && matches!(follows, None | Some(b' ' | b'\t'))
    });
    Some(at + 1 + end.unwrap_or(rest.len()))
}
