//! URLScan 1 and 2: a sentence for each request that it refused.
//!
//! `[07-19-2001 - 13:01:02] Client at 192.0.2.1: URL contains sequence '..',
//! which is disallowed. Request will be rejected.  Site Instance='1', Raw
//! URL='/scripts/..%255c../cmd.exe'`. Other lines tell how the filter was set
//! up; whether it only logs is told there too. The raw URL comes last, and
//! what the client sent may hold quotes: it ends with the line.
//!
//! Source: "How to configure the URLScan tool" (Microsoft, KB 326444).

use super::{Spans, find, fits};

/// The values by the names of W3C columns. URLScan 3 has the same names.
pub(super) const NAMES: &str =
    "date time c-ip x-reason x-action s-siteid cs-uri";

const CLIENT: &[u8] = b"Client at ";
const SITE: &[u8] = b"Site Instance='";
const URL: &[u8] = b"Raw URL='";
const REJECTED: &[u8] = b"URL for rejected requests:";
const ACTION: &[u8] = b"Request will be ";

/// What a line of the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::w3c) enum Sentence {
    /// A request that was refused, or would have been.
    Request,
    /// How the filter is set up; whether it only logs, where it says so.
    Setting(Option<bool>),
}

impl Sentence {
    /// `None` for a line that does not begin as the log's lines do.
    pub fn of(line: &[u8]) -> Option<Self> {
        let rest = line.get(stamp(line)?..)?;
        if rest.starts_with(CLIENT) {
            return Some(Self::Request);
        }
        let logs_only =
            find(rest, 0, REJECTED).map(|_| find(rest, 0, b"/~*").is_some());
        Some(Self::Setting(logs_only))
    }
}

/// Where the sentence begins after `[07-19-2001 - 13:01:02] `.
fn stamp(line: &[u8]) -> Option<usize> {
    const FORM: &[u8] = b"[dd-dd-dddd - dd:dd:dd] ";
    fits(line, FORM).then_some(FORM.len())
}

pub(super) fn cut(line: &[u8], spans: &mut Spans) -> Option<()> {
    let at = stamp(line)?;
    let client = at + CLIENT.len();
    if line.get(at..client) != Some(CLIENT) {
        return None;
    }
    let colon = find(line, client, b": ")?;
    let reason = colon + 2;
    // The reason may quote what the client sent, the site number may not:
    // from the last one on, the words are URLScan's own.
    let site = last(line, reason, SITE);
    let action_end = site.unwrap_or(line.len());
    let action = last(line.get(..action_end)?, reason, ACTION);
    spans.push(1, 11);
    spans.push(14, 22);
    spans.push(client, colon);
    spans.push(reason, action.unwrap_or(action_end));
    let verb = action.map_or(action_end, |at| at + ACTION.len());
    let verb_end = find(line, verb, b".").filter(|end| *end < action_end);
    spans.push(verb, verb_end.unwrap_or(verb));
    let Some(site) = site.map(|at| at + SITE.len()) else {
        spans.push(action_end, action_end);
        spans.push(action_end, action_end);
        return Some(());
    };
    let number = find(line, site, b"'")?;
    spans.push(site, number);
    let url = find(line, number, URL).map(|at| at + URL.len());
    let (url, end) = url.map_or((line.len(), line.len()), |url| {
        let text = line.get(url..).unwrap_or_default().trim_ascii_end();
        let text = text.strip_suffix(b"'").unwrap_or(text);
        (url, url + text.len())
    });
    spans.push(url, end);
    Some(())
}

/// The first place of `part` after `from` that a raw URL cannot have made
/// up: it comes before the URL.
fn last(line: &[u8], from: usize, part: &[u8]) -> Option<usize> {
    let url = find(line, from, URL).unwrap_or(line.len());
    let text = line.get(..url)?;
    let at = memchr::memmem::rfind(text.get(from..)?, part)?;
    Some(from + at)
}
