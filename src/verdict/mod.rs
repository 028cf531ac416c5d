//! One hit to one outcome, with its reason.
//!
//! In: a hit and the outcome criteria (data, `signatures/outcomes.yml`).
//! Out: a [`Verdict`]. The first criterion that holds decides: the rule's
//! own, then those of the feature's profile, then the generic ones.

use serde::{Deserialize, Serialize};

use crate::scan::Hit;
use crate::signature::{
    Confidence, Criterion, Outcome, Outcomes, Range, When,
};
use crate::w3c::{Disguise, Field, Record};

/// What became of a request, how sure that is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// How sure it is.
    pub confidence: Confidence,
    /// Why; at least one.
    pub reasons: Vec<Reason>,
}

/// A reason with its code.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Reason {
    /// For programs, in kebab-case.
    pub code: String,
    /// For people.
    pub text: String,
}

impl Verdict {
    fn new(
        outcome: Outcome,
        confidence: Confidence,
        code: &str,
        text: String,
    ) -> Self {
        let reason = Reason { code: code.to_owned(), text };
        Self { outcome, confidence, reasons: vec![reason] }
    }
}

/// Judges a hit.
pub fn judge(hit: &Hit<'_>, outcomes: &Outcomes) -> Verdict {
    let Some(record) = hit.record else {
        return Verdict::new(
            Outcome::Unknown,
            Confidence::Possible,
            "rejected-line",
            "the line does not fit its layout; the rule's text stands in it"
                .to_owned(),
        );
    };
    let profile = hit
        .feature
        .and_then(|feature| outcomes.profiles.get(&feature.profile))
        .map_or(&[][..], Vec::as_slice);
    // What URLScan refused reached nothing, whatever a rule makes of 404.
    let refused = |one: &&Criterion| one.when.urlscan == Some(true);
    let found = outcomes
        .generic
        .iter()
        .filter(refused)
        .chain(&hit.rule.sleuth.outcome)
        .chain(profile)
        .chain(&outcomes.generic)
        .find(|criterion| holds(&criterion.when, hit, record));
    match found {
        Some(criterion) => verdict(criterion, record),
        None => Verdict::new(
            Outcome::Unknown,
            Confidence::Possible,
            "no-criterion",
            format!("no criterion fits the answer{}", logged(record)),
        ),
    }
}

fn verdict(criterion: &Criterion, record: &Record<'_>) -> Verdict {
    let Criterion { outcome, confidence, reason, text, .. } = criterion;
    let text = format!("{text}{}", logged(record));
    Verdict::new(*outcome, *confidence, reason, text)
}

/// The answer as logged, so that a person can check the reason.
fn logged(record: &Record<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(status) = record.number(Field::ScStatus) {
        parts.push(match record.number(Field::ScSubstatus) {
            Some(sub) => format!("status {status}.{sub}"),
            None => format!("status {status}"),
        });
    }
    for (field, name) in
        [(Field::ScWin32Status, "win32"), (Field::ScBytes, "bytes")]
    {
        if let Some(number) = record.number(field) {
            parts.push(format!("{name} {number}"));
        }
    }
    if parts.is_empty() {
        return String::new();
    }
    format!(" ({})", parts.join(", "))
}

/// True where all of `when` holds.
fn holds(when: &When, hit: &Hit<'_>, record: &Record<'_>) -> bool {
    let number = |ranges: &[Range], field| {
        ranges.is_empty() || in_ranges(ranges, value(record, field))
    };
    number(&when.status, Field::ScStatus)
        && number(&when.substatus, Field::ScSubstatus)
        && number(&when.win32, Field::ScWin32Status)
        && number(&when.bytes, Field::ScBytes)
        && number(&when.cs_bytes, Field::CsBytes)
        && number(&when.time_taken, Field::TimeTaken)
        && (when.iis.is_empty() || in_ranges(&when.iis, version(record)))
        && word(&when.method, record.get(Field::CsMethod))
        && word(&when.reason, record.get(Field::SReason))
        && part(&when.stem, hit.decoded_stem)
        && part(&when.query, hit.decoded_query)
        && when.missing.iter().all(|name| is_missing(name, record))
        && when.urlscan.is_none_or(|wanted| {
            let rejected = record.target().disguise == Some(Disguise::UrlScan);
            rejected == wanted
        })
}

/// A number of the record. IIS 4 and 5 have no substatus: there it is 0.
fn value(record: &Record<'_>, field: Field) -> Option<f64> {
    let absent = field == Field::ScSubstatus && !record.layout.has(field);
    match record.number(field) {
        None if absent => Some(0.0),
        number => number.map(|number| number as f64),
    }
}

/// The version of IIS as a number: 5.1 is 5.1. In criteria a whole number
/// covers its minor versions.
fn version(record: &Record<'_>) -> Option<f64> {
    let (major, minor) = record.iis?;
    Some(f64::from(major) + f64::from(minor) / 10.0)
}

fn in_ranges(ranges: &[Range], number: Option<f64>) -> bool {
    number.is_some_and(|number| {
        ranges.iter().any(|range| range.contains(number))
    })
}

fn word(words: &[String], text: Option<&[u8]>) -> bool {
    words.is_empty()
        || text.is_some_and(|text| {
            words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(text))
        })
}

fn part(parts: &[String], text: &[u8]) -> bool {
    parts.is_empty()
        || parts.iter().any(|part| {
            let part = part.as_bytes();
            part.is_empty()
                || text
                    .windows(part.len())
                    .any(|at| at.eq_ignore_ascii_case(part))
        })
}

fn is_missing(name: &str, record: &Record<'_>) -> bool {
    let field = match name {
        "status" => Field::ScStatus,
        "substatus" => Field::ScSubstatus,
        "win32" => Field::ScWin32Status,
        _ => Field::ScBytes,
    };
    record.get(field).is_none()
}
