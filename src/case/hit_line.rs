//! One hit as a line of `hits.jsonl`.
//!
//! In: a judged hit. Out: its JSON but for what only the whole exhibit
//! tells: its name, the final line number, and the host of a rejected line.
//! The text is made on the thread that found the hit.

use std::borrow::Cow;

use serde::Serialize;

use crate::case::address::Sender;
use crate::case::correlate::Correlated;
use crate::case::finding::quote;
use crate::raw::{Quote, QuoteRef, Raw, RawRef};
use crate::scan::Hit;
use crate::signature::{Confidence, Level, Outcome, Stage};
use crate::verdict::{Reason, Verdict};
use crate::w3c::{Field, TimeNote, Timestamp};

/// The keys of a hit in their order, up to the exhibit.
#[derive(Serialize)]
struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<RawRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<RawRef<'a>>,
    /// Where the client is not the one that the connection came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<RawRef<'a>>,
    rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_id: Option<&'a str>,
    title: &'a str,
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    advisories: &'a [String],
    outcome: Outcome,
    confidence: Confidence,
    reasons: Vec<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<QuoteRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_stem: Option<QuoteRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_query: Option<QuoteRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<QuoteRef<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    substatus: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    win32_status: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_taken_ms: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    matched_on: &'a [String],
}

/// One hit, its place in the exhibit still apart.
#[derive(Debug)]
pub(super) struct HitLine {
    /// Its line, from 1.
    pub line: u64,
    offset: u64,
    /// The members of the object, without its braces.
    members: Box<[u8]>,
    tail: Tail,
}

#[derive(Debug)]
enum Tail {
    /// How surely the time and the columns are known.
    Record {
        note: TimeNote,
        /// The columns were told from the rows.
        inferred: bool,
    },
    /// The line was rejected: its text, and no host yet.
    Rejected(Quote),
    /// It ends a correlation: what made that, as JSON.
    Correlated(Vec<u8>),
}

impl HitLine {
    /// The line of a hit. `host` is left out for a rejected line, whose host
    /// the whole exhibit tells.
    pub fn new(
        hit: &Hit<'_>,
        verdict: &Verdict<'_>,
        host: Option<&[u8]>,
        site: Option<&Raw>,
        sender: Option<&Sender<'_>>,
    ) -> Self {
        let members = members(&fields(hit, verdict, host, site, sender));
        let tail = match hit.record {
            None => Tail::Rejected(quote(hit)),
            Some(record) => Tail::Record {
                note: record.time_note,
                inferred: record.layout.is_inferred(),
            },
        };
        Self { line: hit.line, offset: hit.offset, members, tail }
    }

    /// The line of a correlation, at the line that ends it.
    pub fn of_correlation(hit: &Correlated) -> Self {
        let (line, offset) = (hit.end.line, hit.end.offset);
        let members = members(&fields_of_correlation(hit));
        Self { line, offset, members, tail: Tail::Correlated(hit.cites()) }
    }

    /// Appends the whole object and a line end. `exhibit` and `host` are
    /// JSON already.
    pub fn write(&self, out: &mut Vec<u8>, exhibit: &[u8], host: &[u8]) {
        out.push(b'{');
        if matches!(self.tail, Tail::Rejected(_)) {
            out.extend_from_slice(b"\"host\":");
            out.extend_from_slice(host);
            out.push(b',');
        }
        out.extend_from_slice(&self.members);
        out.extend_from_slice(b",\"exhibit\":");
        out.extend_from_slice(exhibit);
        let place =
            format!(",\"line\":{},\"offset\":{}", self.line, self.offset);
        out.extend_from_slice(place.as_bytes());
        match &self.tail {
            Tail::Record { note, inferred } => {
                if *note == TimeNote::Derived {
                    out.extend_from_slice(b",\"time_derived\":true");
                } else if let Some(word) = note.as_str() {
                    let text = format!(",\"time_note\":\"{word}\"");
                    out.extend_from_slice(text.as_bytes());
                }
                if *inferred {
                    out.extend_from_slice(b",\"layout\":\"inferred\"");
                }
            }
            Tail::Rejected(text) => {
                out.extend_from_slice(b",\"text\":");
                out.extend_from_slice(&json(text));
            }
            Tail::Correlated(cites) => {
                out.extend_from_slice(b",\"correlation\":");
                out.extend_from_slice(cites);
            }
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Where the log line of a finished object begins.
pub(super) fn offset(line: &[u8]) -> Option<u64> {
    const KEY: &[u8] = b",\"line\":";
    // What stands before it may hold the same text, but escaped.
    let at = memchr::memmem::rfind(line, KEY)?;
    let rest = line.get(at + KEY.len()..)?;
    let (_, rest) = rest.split_at_checked(memchr::memchr(b':', rest)? + 1)?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
    std::str::from_utf8(rest.get(..digits.count())?).ok()?.parse().ok()
}

/// Bytes in their JSON form.
pub(super) fn json(bytes: &impl Serialize) -> Vec<u8> {
    // Serializing text into memory cannot fail.
    serde_json::to_vec(bytes).unwrap_or_default()
}

/// An object without its braces.
fn members(fields: &Fields<'_>) -> Box<[u8]> {
    let json = json(fields);
    let end = json.len().saturating_sub(1);
    json.get(1..end).unwrap_or_default().into()
}

/// A correlation has no request of its own.
fn fields_of_correlation(hit: &Correlated) -> Fields<'_> {
    let own = &*hit.correlation;
    let client = hit.end.client.as_ref();
    Fields {
        time: Some(hit.last),
        host: Some(RawRef(hit.end.host.as_bytes())),
        site: None,
        client: client.map(|it| RawRef(it.as_bytes())),
        proxy: None,
        rule: &own.rule,
        rule_id: own.rule_id.as_deref(),
        title: &own.title,
        level: own.level,
        stage: own.stage,
        feature: own.feature.as_deref(),
        advisories: &own.advisories,
        outcome: hit.outcome,
        confidence: hit.confidence(),
        reasons: hit.reasons(),
        method: None,
        uri_stem: None,
        uri_query: None,
        user_agent: None,
        status: None,
        substatus: None,
        win32_status: None,
        bytes_sent: None,
        time_taken_ms: None,
        matched_on: &[],
    }
}

fn fields<'a>(
    hit: &'a Hit<'a>,
    verdict: &Verdict<'_>,
    host: Option<&'a [u8]>,
    site: Option<&'a Raw>,
    sender: Option<&'a Sender<'_>>,
) -> Fields<'a> {
    let record = hit.record;
    let quote = |bytes: &'a [u8]| {
        let text = hit.codepage.and_then(|page| page.decode(bytes));
        QuoteRef { bytes, text: text.map(Cow::Owned) }
    };
    let bytes = |field| record.and_then(|r| r.get(field)).map(quote);
    let number = |field| record.and_then(|r| r.number(field));
    let target = record.map(crate::w3c::Record::logged_target);
    let rule = hit.rule;
    Fields {
        time: record.and_then(|r| r.time),
        host: host.map(RawRef),
        site,
        client: sender.map(|it| RawRef(&it.client)),
        proxy: sender.and_then(|it| it.proxy.as_deref()).map(RawRef),
        rule: &rule.name,
        rule_id: rule.id.as_deref(),
        title: &rule.title,
        level: rule.level,
        stage: rule.sleuth.stage,
        feature: hit.feature.map(|feature| feature.id.as_str()),
        advisories: &rule.sleuth.advisories,
        outcome: verdict.outcome,
        confidence: verdict.confidence,
        reasons: verdict.reasons(),
        method: bytes(Field::CsMethod),
        uri_stem: target.and_then(|t| t.stem).map(quote),
        uri_query: target.and_then(|t| t.query).map(quote),
        user_agent: bytes(Field::CsUserAgent),
        status: number(Field::ScStatus),
        substatus: number(Field::ScSubstatus),
        win32_status: number(Field::ScWin32Status),
        bytes_sent: number(Field::ScBytes),
        time_taken_ms: number(Field::TimeTaken),
        matched_on: hit.matched_on,
    }
}
