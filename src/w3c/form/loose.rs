//! W3C extended as other writers have it: columns apart by tabs or by runs
//! of blanks, values with blanks in quotes.
//!
//! In: a line that single blanks do not cut into the right number of
//! columns, or that a writer other than IIS wrote. Out: the first way of
//! cutting it that gives the right number. IIS Advanced Logging, ISA Server,
//! web caches and cloud proxies write so; IIS itself never does.

use super::{Spans, is_blank, skip_blanks};
use crate::w3c::Reject;

/// One way of cutting a line.
type Cut = fn(&[u8], &mut Spans);

/// Tabs, then quotes, then runs of blanks.
pub(super) fn cut(
    line: &[u8],
    wanted: usize,
    spans: &mut Spans,
) -> Result<(), Reject> {
    let cuts: [(bool, Cut); 3] = [
        (line.contains(&b'\t'), tabs),
        (line.contains(&b'"'), quotes),
        (true, runs),
    ];
    let mut most = 0;
    for (_, cut) in cuts.into_iter().filter(|(may_be, _)| *may_be) {
        spans.clear();
        cut(line, spans);
        if spans.len() == wanted {
            return Ok(());
        }
        most = most.max(spans.len());
    }
    Err(if most > wanted { Reject::TooMany } else { Reject::TooFew })
}

/// Each tab ends a column; quotes around a value are not part of it.
fn tabs(line: &[u8], spans: &mut Spans) {
    let mut start = 0;
    for end in memchr::memchr_iter(b'\t', line).chain([line.len()]) {
        let value = line.get(start..end).unwrap_or_default();
        match value {
            [b'"', inner @ .., b'"'] => {
                spans.push(start + 1, start + 1 + inner.len());
            }
            _ => spans.push(start, end),
        }
        start = end + 1;
    }
}

/// Runs of blanks or tabs end a column, except in quotes.
fn quotes(line: &[u8], spans: &mut Spans) {
    let mut at = skip_blanks(line, 0);
    while at < line.len() {
        let next = match closing_quote(line, at) {
            Some(end) => {
                spans.push(at + 1, end);
                end + 1
            }
            None => word(line, at, spans),
        };
        at = skip_blanks(line, next);
    }
}

/// Runs of blanks or tabs end a column.
fn runs(line: &[u8], spans: &mut Spans) {
    let mut at = skip_blanks(line, 0);
    while at < line.len() {
        let next = word(line, at, spans);
        at = skip_blanks(line, next);
    }
}

fn word(line: &[u8], at: usize, spans: &mut Spans) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    let length = rest.iter().take_while(|byte| !is_blank(**byte)).count();
    spans.push(at, at + length);
    at + length
}

/// The place of the quote that closes the one at `at`: the next that is not
/// doubled, if a column can end there.
fn closing_quote(line: &[u8], at: usize) -> Option<usize> {
    if line.get(at) != Some(&b'"') {
        return None;
    }
    let mut from = at + 1;
    loop {
        let end = from + memchr::memchr(b'"', line.get(from..)?)?;
        match line.get(end + 1) {
            Some(b'"') => from = end + 2,
            Some(byte) if !is_blank(*byte) => return None,
            _ => return Some(end),
        }
    }
}
