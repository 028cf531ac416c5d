//! Lines of URLScan's own log, and the lines that IIS wrote of the same
//! requests.
//!
//! In: the hits of all exhibits. Out: pairs of lines of the same client, URL
//! and time that a rule matched in both. The request counts once, with the
//! line of IIS, which says more; that URLScan refused it is known from the
//! other one, and decides over whatever status IIS wrote.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crate::case::copies::Share;
use crate::case::overlaps::differ;
use crate::limits;
use crate::raw::Raw;
use crate::scan::Hit;
use crate::w3c::{Dialect, Field};

/// URLScan writes its line before IIS does, and a request takes a while.
const APART: i64 = 2_000_000;

/// Bytes of a URL that are compared: URLScan cuts it after 1,024, which grow
/// by no decoding.
const URL: usize = 512;

/// A hit as far as it can be found again in another log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trace {
    /// Client, URL and rule.
    key: u64,
    /// In microseconds.
    time: i64,
    offset: u64,
    line: u64,
    /// URLScan refused it: its own log or the line says so.
    is_refused: bool,
}

/// The hits of an exhibit, or of a part of it.
#[derive(Debug, Default)]
pub(super) struct Traces(Vec<Trace>);

impl Traces {
    /// Looks at a hit. Of those that IIS answered without an error URLScan
    /// refused none.
    pub fn hit(&mut self, hit: &Hit<'_>) {
        let Some(record) = hit.record else { return };
        let status = record.number(Field::ScStatus);
        let is_answered = status.is_some_and(|it| it < 400);
        let Some(time) = record.time.filter(|_| !is_answered) else { return };
        if self.0.len() >= limits::TRACES {
            return;
        }
        // Always with the same key.
        let mut hasher = DefaultHasher::new();
        record.get(Field::CIp).hash(&mut hasher);
        let mut url = hit.decoded_stem.to_ascii_lowercase();
        if !hit.decoded_query.is_empty() {
            url.push(b'?');
            url.extend(hit.decoded_query.to_ascii_lowercase());
        }
        url.truncate(URL);
        url.hash(&mut hasher);
        hit.rule.name.hash(&mut hasher);
        self.0.push(Trace {
            key: hasher.finish(),
            time: time.micros(),
            offset: hit.offset,
            line: hit.line,
            is_refused: record.target().disguise.is_some(),
        });
    }

    /// Gives back what there is too much room for.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// All of them.
    pub fn all(&self) -> &[Trace] {
        &self.0
    }

    /// Adds those of the part that follows; `lines` stand before it.
    pub fn append(&mut self, later: Self, lines: u64) {
        let room = limits::TRACES.saturating_sub(self.0.len());
        let shift = |trace: Trace| Trace {
            line: trace.line.saturating_add(lines),
            ..trace
        };
        self.0.extend(later.0.into_iter().take(room).map(shift));
    }
}

/// A line of one exhibit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub path: Raw,
    pub line: u64,
    pub offset: u64,
}

/// Two lines of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tie {
    /// In the log of URLScan.
    pub filter: Spot,
    /// In the log of IIS.
    pub server: Spot,
    /// URLScan refused it, and the line of IIS does not say so.
    pub is_news: bool,
}

/// Finds lines of the same request. Each line of one log goes with one of
/// the other at most, the earliest with the earliest.
pub(super) fn find(shares: &[Share]) -> Vec<Tie> {
    let (filters, servers): (Vec<&Share>, Vec<&Share>) = shares
        .iter()
        .filter(|it| it.may_change())
        .partition(|it| is_filter(it));
    if filters.is_empty() {
        return Vec::new();
    }
    let mut known: Vec<(Trace, &Share)> = servers
        .iter()
        .flat_map(|share| share.traces().iter().map(move |it| (*it, *share)))
        .collect();
    known.sort_by(|a, b| (a.0, a.1.path()).cmp(&(b.0, b.1.path())));
    // By line of the filter's log: the line that it goes with.
    let mut ties: BTreeMap<(&Raw, u64), Tie> = BTreeMap::new();
    let mut taken: BTreeMap<(&Raw, u64), (&Raw, u64)> = BTreeMap::new();
    for filter in filters {
        let mut own = filter.traces().to_vec();
        own.sort_unstable_by_key(|it| (it.time, it.offset));
        for trace in own {
            let here = (filter.path(), trace.offset);
            if ties.contains_key(&here) {
                continue;
            }
            let found = candidates(&known, &trace).find(|(found, share)| {
                let there = taken.get(&(share.path(), found.offset));
                let (own, other) = (filter.known_host(), share.known_host());
                !differ(own, other) && there.is_none()
            });
            if let Some((found, share)) = found {
                taken.insert((share.path(), found.offset), here);
                ties.insert(here, tie(filter, &trace, share, found));
            }
        }
    }
    ties.into_values().collect()
}

fn tie(filter: &Share, own: &Trace, server: &Share, found: &Trace) -> Tie {
    let spot = |share: &Share, trace: &Trace| Spot {
        path: share.path().clone(),
        line: trace.line,
        offset: trace.offset,
    };
    Tie {
        filter: spot(filter, own),
        server: spot(server, found),
        is_news: own.is_refused && !found.is_refused,
    }
}

/// Hits of the same rule, client and URL at nearly the same time, the
/// earliest first.
fn candidates<'k, 's>(
    known: &'k [(Trace, &'s Share)],
    trace: &Trace,
) -> impl Iterator<Item = &'k (Trace, &'s Share)> {
    let (key, from) = (trace.key, trace.time - APART);
    let start =
        known.partition_point(|(it, _)| (it.key, it.time) < (key, from));
    let end = trace.time + APART;
    let later = known.get(start..).unwrap_or_default().iter();
    later.take_while(move |(it, _)| it.key == key && it.time <= end)
}

fn is_filter(share: &Share) -> bool {
    share.row.dialect == Dialect::UrlScan
}
