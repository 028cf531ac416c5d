//! Exhibits by host, site and kind of log, and the days that none covers.
//!
//! In: the rows of exhibits. Out: a row for each host, with its sites. Logs
//! of requests stand together whatever their format; those of another kind
//! stand apart, so that a gap in one does not hide behind another.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use crate::case::host::NameSource;
use crate::case::inventory::{Entry, Found, Server};
use crate::raw::Raw;
use crate::w3c::{Date, Dialect, Timestamp};

/// One server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InventoryHost {
    /// Its name.
    pub name: Raw,
    /// Where the name comes from.
    pub source: NameSource,
    /// What it is for, in the examiner's words.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<Raw>,
    /// Its logs by site and kind.
    pub sites: Vec<InventorySite>,
}

/// The logs of one site, of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InventorySite {
    /// The site; none for logs of the whole host, or where nothing tells.
    pub site: Option<Raw>,
    /// The formats of its logs.
    pub dialects: BTreeSet<&'static str>,
    /// Files, packed or not.
    pub exhibits: u64,
    /// Their bytes as found. A file of several hosts counts at each.
    pub bytes: u64,
    /// The earliest record.
    pub first: Option<Timestamp>,
    /// The latest.
    pub last: Option<Timestamp>,
    /// The layouts of its records, by number.
    pub layouts: BTreeSet<usize>,
    /// Days between the first and the last that no file covers.
    pub gaps: Vec<Gap>,
}

/// Days on end without a log, UTC.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Gap {
    /// The first of them.
    pub first: String,
    /// The last of them.
    pub last: String,
    /// How many there are.
    pub days: u64,
}

impl InventorySite {
    /// All days of its gaps.
    pub fn days_without_log(&self) -> u64 {
        self.gaps.iter().fold(0, |sum, gap| sum.saturating_add(gap.days))
    }
}

/// A day, counted from 1970; written as `2001-07-19`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(i64);

impl Day {
    /// The day of a date.
    pub(super) fn of(date: Date) -> Self {
        Self(day_of(Timestamp::new(date, 0)))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&day_text(self.0))
    }
}

/// Microseconds.
const DAY: i64 = 86_400_000_000;

/// The day of a time, counted from 1970.
fn day_of(time: Timestamp) -> i64 {
    time.micros().div_euclid(DAY)
}

/// The day as `2001-07-19`.
fn day_text(day: i64) -> String {
    let midnight = Timestamp::from_micros(day.saturating_mul(DAY));
    let text = midnight.to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

/// The site, and the kind of log where it is not one of requests.
type Key = (Option<Raw>, Option<Dialect>);

/// A site while it grows, with the days that its exhibits cover.
#[derive(Debug, Default)]
struct Growing {
    row: InventorySite,
    days: Vec<(i64, i64)>,
}

/// The hosts of all exhibits.
pub(super) fn hosts(entries: &[Entry]) -> Vec<InventoryHost> {
    let mut rows: BTreeMap<&Raw, InventoryHost> = BTreeMap::new();
    let mut sites: BTreeMap<(&Raw, Key), Growing> = BTreeMap::new();
    for entry in entries {
        for found in &entry.hosts {
            let server = &*found.server;
            let new = || InventoryHost {
                name: server.name.clone(),
                source: server.source,
                ..InventoryHost::default()
            };
            let row = rows.entry(&server.name).or_insert_with(new);
            row.source = row.source.min(server.source);
            row.roles.extend(server.roles.iter().cloned());
            let key = (&server.name, key(entry, server));
            sites.entry(key).or_default().add(entry, found);
        }
    }
    for ((host, (site, _)), mut growing) in sites {
        growing.row.site = site;
        growing.row.gaps = gaps(growing.days);
        if let Some(row) = rows.get_mut(host) {
            row.sites.push(growing.row);
        }
    }
    rows.into_values().collect()
}

/// Where the logs of a host belong. One that names several sites is that of
/// the whole host, and so are those of HTTP.sys, which name what they saw.
fn key(entry: &Entry, server: &Server) -> Key {
    let mut sites = server.sites.iter();
    let site = match (sites.next(), sites.next()) {
        (Some(site), None) => Some(site.clone()),
        _ => None,
    };
    match entry.dialect {
        Dialect::W3c
        | Dialect::Ncsa
        | Dialect::IisNative
        | Dialect::ExchangeProxy
        | Dialect::Empty => (site, None),
        Dialect::HttpErr => (None, Some(Dialect::HttpErr)),
        other => (site, Some(other)),
    }
}

impl Growing {
    fn add(&mut self, entry: &Entry, found: &Found) {
        let row = &mut self.row;
        row.dialects.insert(entry.row.dialect);
        row.exhibits += 1;
        row.bytes = row.bytes.saturating_add(entry.row.bytes);
        row.first = [row.first, found.first].into_iter().flatten().min();
        row.last = row.last.max(found.last);
        row.layouts.extend(entry.row.layouts.iter().copied());
        // A day in a name counts where no record tells one.
        let days = match (found.first, found.last) {
            (Some(first), Some(last)) => Some((day_of(first), day_of(last))),
            _ => entry.row.named_day.map(|Day(day)| (day, day)),
        };
        self.days.extend(days);
    }
}

/// The days between spans that none of them covers.
fn gaps(mut spans: Vec<(i64, i64)>) -> Vec<Gap> {
    spans.sort_unstable();
    let mut gaps = Vec::new();
    let mut covered: Option<i64> = None;
    for (first, last) in spans {
        if let Some(before) = covered {
            let days = first.saturating_sub(before).saturating_sub(1);
            if days > 0 {
                gaps.push(Gap {
                    first: day_text(before.saturating_add(1)),
                    last: day_text(first.saturating_sub(1)),
                    days: u64::try_from(days).unwrap_or(0),
                });
            }
        }
        covered = covered.max(Some(last));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_lie_between_what_is_covered() {
        let day = |text: &str| {
            let stamp = format!("{text}T12:00:00Z");
            day_of(Timestamp::from_rfc3339(&stamp).unwrap())
        };
        let (first, second) = (day("2001-07-19"), day("2001-08-01"));
        let spans = vec![
            (second, second + 3),
            (first, first + 1),
            (first, first),
            (second + 5, second + 9),
            (second + 6, second + 7),
        ];
        let found: Vec<_> = gaps(spans)
            .into_iter()
            .map(|gap| format!("{}..{} {}", gap.first, gap.last, gap.days))
            .collect();
        assert_eq!(
            found,
            ["2001-07-21..2001-07-31 11", "2001-08-05..2001-08-05 1"]
        );
        assert_eq!(gaps(Vec::new()), []);
    }
}
