//! What a correlation that holds is in a case: a hit of its rule.
//!
//! In: a [`Correlated`]. Out: what it adds to a finding, and to its line of
//! `hits.jsonl`, which cites the lines that made it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::case::correlate::Correlated;
use crate::case::finding::EvidenceRef;
use crate::case::hit_line::json;
use crate::case::sheet::{Event, Moment};
use crate::raw::{Quote, Raw};
use crate::signature::{Confidence, Kind, Level};
use crate::verdict::Reason;
use crate::w3c::Timestamp;

impl Correlated {
    /// How sure the outcome is.
    pub fn confidence(&self) -> Confidence {
        self.correlation.confidence.unwrap_or(Confidence::Likely)
    }

    /// Whether findings tell of it.
    pub fn is_told(&self, least: Level) -> bool {
        !self.correlation.is_silent && self.correlation.level >= least
    }

    /// Who sent the requests that it cites.
    pub fn clients(&self) -> BTreeSet<&Raw> {
        let lines = self.lines.iter();
        lines.filter_map(|(_, event)| event.place.client.as_ref()).collect()
    }

    /// The rules that the cited lines are hits of, in their order.
    fn met(&self) -> Vec<&str> {
        let steps = self.lines.iter().map(|(moment, _)| moment.step);
        let steps: BTreeSet<u16> = steps.collect();
        let rule = |step: u16| self.correlation.rules.get(usize::from(step));
        steps.into_iter().filter_map(rule).map(String::as_str).collect()
    }

    /// Why it is a hit.
    pub fn reasons(&self) -> Vec<Reason> {
        let own = &*self.correlation;
        let span = span(own.timespan);
        let (events, least) = (self.events, own.bounds.least);
        let seconds = (self.last.micros() - self.first.micros()) / 1_000_000;
        let text = match own.kind {
            Kind::EventCount => format!(
                "{events} hits of {} in {seconds} s; {least} within {span} \
                 are asked for",
                words(&self.met(), "or")
            ),
            Kind::ValueCount => format!(
                "{events} hits of {} in {seconds} s; {least} different \
                 values of {} within {span} are asked for",
                words(&self.met(), "or"),
                own.field.as_deref().unwrap_or("the field")
            ),
            Kind::Temporal => {
                format!("hits of {} within {span}", words(&self.met(), "and"))
            }
            Kind::TemporalOrdered => format!(
                "hits of {} in this order within {span}",
                words(&self.met(), "then")
            ),
        };
        vec![Reason { code: "correlation".to_owned(), text }]
    }

    /// The lines whose text was kept, as evidence.
    pub fn evidence(&self) -> Vec<EvidenceRef> {
        let kept = |(_, event): &&(Moment, Event)| event.place.text.is_some();
        let mut lines: Vec<_> = self.lines.iter().filter(kept).collect();
        if lines.is_empty() {
            lines.extend(self.lines.last());
        }
        let refer = |(moment, event): &(Moment, Event)| {
            let place = &event.place;
            EvidenceRef {
                exhibit: place.exhibit.clone(),
                line: place.line,
                offset: place.offset,
                time: Some(moment.time),
                client: place.client.clone(),
                outcome: self.outcome,
                confidence: self.confidence(),
                reasons: self.reasons(),
                status: None,
                text: place
                    .text
                    .clone()
                    .unwrap_or_else(|| Quote::new(b"", None)),
            }
        };
        lines.into_iter().map(refer).collect()
    }

    /// What made it, as JSON.
    pub fn cites(&self) -> Vec<u8> {
        let own = &*self.correlation;
        let cited = |(moment, event): &'_ (Moment, Event)| Cite {
            rule: own.rules.get(usize::from(moment.step)).cloned(),
            time: moment.time,
            exhibit: event.place.exhibit.clone(),
            line: event.place.line,
            offset: event.place.offset,
        };
        let fields = own.group_by.iter().cloned();
        json(&Cites {
            first: self.first,
            last: self.last,
            events: self.events,
            group: fields.zip(self.by.iter().cloned()).collect(),
            cites: self.lines.iter().map(cited).collect(),
        })
    }
}

/// Names in words.
fn words(names: &[&str], word: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => {
            format!("{} {word} {last}", first.join(", "))
        }
    }
}

/// A time span in its largest unit.
fn span(seconds: u32) -> String {
    for (unit, word) in [(86_400, "d"), (3_600, "h"), (60, "min")] {
        if seconds.is_multiple_of(unit) {
            return format!("{} {word}", seconds / unit);
        }
    }
    format!("{seconds} s")
}

/// What made it.
#[derive(Serialize)]
#[allow(clippy::struct_field_names)] // the names are those of the file
struct Cites {
    first: Timestamp,
    last: Timestamp,
    events: u64,
    group: BTreeMap<String, Raw>,
    cites: Vec<Cite>,
}

/// A line that is cited.
#[derive(Serialize)]
struct Cite {
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    time: Timestamp,
    exhibit: Raw,
    line: u64,
    offset: u64,
}
