//! From a hit to the events of the correlations that it feeds.

use crate::case::sheet::{Moment, Place};
use crate::case::trail::{Met, Trails, number};
use crate::limits;
use crate::raw::{Quote, Raw};
use crate::scan::Hit;
use crate::signature::{Correlation, Feed, Level, Outcome, Surroundings};
use crate::w3c::{Record, Timestamp};

/// Between the values of a key.
const LENGTH: usize = size_of::<u32>();

/// What makes events of the hits of one part.
#[derive(Debug, Default)]
pub(super) struct Feeder {
    pub trails: Trails,
    /// Values of the hit before, which mostly are those of the next.
    host: Raw,
    client: Raw,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// Whether anything is told of a correlation, or of one that it feeds.
fn is_wanted(correlation: &Correlation, least: Level) -> bool {
    correlation.level >= least
        || correlation.outer.iter().any(|outer| is_wanted(outer, least))
}

impl Feeder {
    /// Adds a hit to each correlation that its rule feeds. What has no time,
    /// or lacks a value that is grouped by or counted, is no event.
    pub fn hit(
        &mut self,
        hit: &Hit<'_>,
        outcome: Outcome,
        known: Surroundings<'_>,
        least: Level,
    ) {
        let Some(record) = hit.record else { return };
        let Some(time) = record.time else { return };
        for feed in &hit.rule.feeds {
            if is_wanted(&feed.correlation, least) {
                self.feed(feed, hit, record, (time, outcome), known);
            }
        }
    }

    fn feed(
        &mut self,
        feed: &Feed,
        hit: &Hit<'_>,
        record: &Record<'_>,
        (time, outcome): (Timestamp, Outcome),
        known: Surroundings<'_>,
    ) {
        let Some(value) = self.values(feed, record, known) else { return };
        set(&mut self.host, known.host);
        set(&mut self.client, known.client.unwrap_or_default());
        let text = hit.text.get(..limits::EVENT_LINE_BYTES);
        let met = Met {
            moment: Moment { time, step: feed.step, value },
            outcome,
            place: Place {
                exhibit: Raw::default(),
                line: hit.line,
                offset: hit.offset,
                host: self.host.clone(),
                client: known.client.map(|_| self.client.clone()),
                text: Some(Quote::new(text.unwrap_or(hit.text), None)),
            },
        };
        let Self { trails, key, .. } = self;
        let name = feed.correlation.rule.len();
        let by = || parts(key.get(name..).unwrap_or_default());
        trails.push(&feed.correlation, key, by, met);
    }

    /// Writes the values that are grouped by into the key; the value that is
    /// counted comes back as a number. None where one is missing.
    #[allow(clippy::option_option)] // no value counts, or one is missing
    fn values(
        &mut self,
        feed: &Feed,
        record: &Record<'_>,
        known: Surroundings<'_>,
    ) -> Option<Option<u64>> {
        let Self { key, value, .. } = self;
        key.clear();
        key.extend_from_slice(feed.correlation.rule.as_bytes());
        for field in &feed.keys {
            let start = key.len();
            key.extend_from_slice(&[0; LENGTH]);
            if !field.append(record, known, key) {
                return None;
            }
            let length = key.len() - start - LENGTH;
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            if let Some(place) = key.get_mut(start..start + LENGTH) {
                place.copy_from_slice(&length.to_le_bytes());
            }
        }
        let Some(field) = &feed.value else { return Some(None) };
        value.clear();
        let is_there = field.append(record, known, value);
        is_there.then(|| Some(number(value)))
    }
}

fn set(own: &mut Raw, bytes: &[u8]) {
    if own.as_bytes() != bytes {
        *own = Raw::from(bytes);
    }
}

/// The values of a key.
fn parts(mut key: &[u8]) -> Vec<Raw> {
    let mut found = Vec::new();
    while let Some((length, rest)) = key.split_first_chunk::<LENGTH>() {
        let length = u32::from_le_bytes(*length) as usize;
        let (value, rest) = rest.split_at(length.min(rest.len()));
        found.push(Raw::from(value));
        key = rest;
    }
    found
}
