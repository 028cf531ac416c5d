//! Logs that hold some of the same lines: a copy taken at noon, a month
//! joined from its days, a backup that ends earlier.
//!
//! In: what is known of each log after the first reading. Out: for each that
//! holds lines of a larger one, where these lines begin, and which log they
//! count in. Which logs to compare tell their [marks](super::marks); then
//! their lines are compared, in a second reading, so that nothing is called
//! a copy that only looks like one.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use crate::case::compare::{Keys, Print, Taking};
use crate::case::exhibit::Copied;
use crate::evidence::Evidence;
use crate::limits;
use crate::raw::Raw;
use crate::scan::{Again, Known, Progress, Scanner};
use crate::signature::{Signatures, Source};
use crate::w3c::Record;

/// A log that may share lines with others.
#[derive(Debug)]
pub(super) struct Log {
    pub path: Raw,
    pub records: u64,
    /// Those whose columns were told from the rows.
    pub inferred: u64,
    pub host: Option<Raw>,
    pub site: Option<Raw>,
    /// Each once.
    pub marks: Vec<u64>,
}

/// A log of which lines count elsewhere.
#[derive(Debug)]
pub(super) struct Overlap {
    pub path: Raw,
    /// Where these lines begin.
    pub offsets: Vec<u64>,
    /// Where they count.
    pub copied: Vec<Copied>,
}

/// What came of comparing logs.
#[derive(Debug, Default)]
pub(super) struct Overlaps {
    pub found: Vec<Overlap>,
    /// Logs too long to be compared.
    pub skipped: Vec<Raw>,
}

/// A log by its place among all: the one that counts comes first.
type Place = u32;

/// Finds what logs share; `None` where it was interrupted. Of two logs the
/// one that comes first keeps its lines.
pub(super) fn find(
    logs: &[Log],
    scanner: &Scanner<'_>,
    evidence: &Evidence,
    progress: &dyn Progress,
) -> Option<Overlaps> {
    let mut overlaps = Overlaps::default();
    let batches = batches(logs, groups(logs), &mut overlaps.skipped);
    if batches.is_empty() {
        return Some(overlaps);
    }
    // The lines alone are looked at.
    let none = Source { without_embedded: true, ..Source::default() };
    let none = Signatures::load(&none).ok()?;
    let scanner = &scanner.with_signatures(&none);
    let keys = Keys::default();
    for batch in batches {
        let reader = Reader { logs, scanner, evidence, progress, keys: &keys };
        let mut lines = reader.lines(&batch.others)?;
        let mut known: Vec<Print> = lines.iter().map(|it| it.print).collect();
        known.sort_unstable();
        known.dedup();
        let met = reader.meetings(&batch.firsts, &known)?;
        lines.extend(met);
        overlaps.found.extend(shared(logs, lines));
    }
    Some(overlaps)
}

/// Logs that have marks in common, each group in the order of `logs`.
fn groups(logs: &[Log]) -> Vec<Vec<Place>> {
    let numbered = (0..).zip(logs);
    let mut marks: Vec<(u64, Place)> = numbered
        .flat_map(|(place, log)| log.marks.iter().map(move |it| (*it, place)))
        .collect();
    marks.sort_unstable();
    let mut common: IndexMap<(Place, Place), usize> = IndexMap::new();
    for same in marks.chunk_by(|a, b| a.0 == b.0) {
        let Some(((_, first), others)) = same.split_first() else { continue };
        for (_, other) in others {
            *common.entry((*first, *other)).or_default() += 1;
        }
    }
    let mut leaders: Vec<Place> = (0..).zip(logs).map(|(at, _)| at).collect();
    let length = |place: Place| {
        logs.get(place as usize).map_or(0, |log| log.marks.len())
    };
    for ((one, other), count) in common {
        // Single lines may be the same by chance.
        if count * 8 >= length(one).min(length(other)) {
            join(&mut leaders, one, other);
        }
    }
    let mut groups: BTreeMap<Place, Vec<Place>> = BTreeMap::new();
    for (place, _) in (0..).zip(logs) {
        groups.entry(leader(&leaders, place)).or_default().push(place);
    }
    groups.into_values().filter(|group| group.len() > 1).collect()
}

fn leader(leaders: &[Place], mut place: Place) -> Place {
    // Leaders come first, so this ends.
    while let Some(above) = leaders.get(place as usize)
        && *above != place
    {
        place = *above;
    }
    place
}

fn join(leaders: &mut [Place], one: Place, other: Place) {
    let (one, other) = (leader(leaders, one), leader(leaders, other));
    if let Some(leads) = leaders.get_mut(one.max(other) as usize) {
        *leads = one.min(other);
    }
}

/// Logs that are compared at once.
#[derive(Default)]
struct Batch {
    /// The first of each group: what it holds, it keeps.
    firsts: Vec<Place>,
    others: Vec<Place>,
}

/// Groups together, as many as memory allows.
fn batches(
    logs: &[Log],
    groups: Vec<Vec<Place>>,
    skipped: &mut Vec<Raw>,
) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut batch = Batch::default();
    let mut lines = 0;
    for group in groups {
        let mut places = group.into_iter();
        let Some(first) = places.next() else { continue };
        let mut is_new = true;
        for place in places {
            let Some(log) = logs.get(place as usize) else { continue };
            if log.records > limits::LINES_COMPARED {
                skipped.push(log.path.clone());
                continue;
            }
            if lines + log.records > limits::LINES_COMPARED {
                batches.push(std::mem::take(&mut batch));
                (lines, is_new) = (0, true);
            }
            if is_new {
                batch.firsts.push(first);
                is_new = false;
            }
            lines += log.records;
            batch.others.push(place);
        }
    }
    batches.push(batch);
    batches.retain(|batch| !batch.others.is_empty());
    batches
}

/// A line that may be there twice.
struct Seen {
    print: Print,
    log: Place,
    /// Where it begins; none in a log that keeps what it holds.
    offset: Option<u64>,
}

/// Reads logs again.
struct Reader<'r> {
    logs: &'r [Log],
    scanner: &'r Scanner<'r>,
    evidence: &'r Evidence,
    progress: &'r dyn Progress,
    keys: &'r Keys,
}

impl<'r> Reader<'r> {
    /// Takes something of each record of these logs; `None` where it was
    /// interrupted.
    fn take<T: Send>(
        &self,
        places: &[Place],
        take: impl Fn(&Record<'_>, u64) -> Option<T> + Sync,
    ) -> Option<Vec<(Place, &'r Log, Vec<T>)>> {
        let log =
            |place: &Place| Some((*place, self.logs.get(*place as usize)?));
        let logs: Vec<_> = places.iter().filter_map(log).collect();
        let mut again = Again::default();
        for (_, log) in &logs {
            again.read(log.path.clone(), Known::default());
        }
        let taking = Taking::new(&take);
        let (evidence, progress) = (self.evidence, self.progress);
        if !self.scanner.scan_again(evidence, &again, &taking, progress) {
            return None;
        }
        let mut read = taking.into_logs();
        let of_log = |(place, log): (Place, &'r Log)| {
            (place, log, read.remove(&log.path).unwrap_or_default())
        };
        Some(logs.into_iter().map(of_log).collect())
    }

    /// All lines of these logs. One that changed since is left out.
    fn lines(&self, places: &[Place]) -> Option<Vec<Seen>> {
        let print = |record: &Record<'_>, offset| {
            Some((self.keys.print(record), offset))
        };
        let mut lines = Vec::new();
        for (place, log, own) in self.take(places, print)? {
            if own.len() as u64 == log.records {
                lines.extend(own.into_iter().filter_map(|(print, offset)| {
                    let (print, offset) = (print?, Some(offset));
                    Some(Seen { print, log: place, offset })
                }));
            }
        }
        Some(lines)
    }

    /// Which of the known lines these logs hold, as often as they do.
    fn meetings(
        &self,
        places: &[Place],
        known: &[Print],
    ) -> Option<Vec<Seen>> {
        let meet = |record: &Record<'_>, _| {
            let print = self.keys.print(record)?;
            u32::try_from(known.binary_search(&print).ok()?).ok()
        };
        let mut lines = Vec::new();
        for (place, _, met) in self.take(places, meet)? {
            lines.extend(met.into_iter().filter_map(|number| {
                let print = *known.get(number as usize)?;
                Some(Seen { print, log: place, offset: None })
            }));
        }
        Some(lines)
    }
}

/// For each log the lines that count in one before it. Where one holds a
/// line twice and another once, it is there twice.
fn shared(logs: &[Log], mut lines: Vec<Seen>) -> Vec<Overlap> {
    lines.sort_unstable_by_key(|it| (it.print, it.log, it.offset));
    let mut copies: BTreeMap<(Place, Place), Vec<u64>> = BTreeMap::new();
    for same in lines.chunk_by(|a, b| a.print == b.print) {
        let mut most: Option<(Place, usize)> = None;
        for own in same.chunk_by(|a, b| a.log == b.log) {
            let Some(log) = own.first().map(|it| it.log) else { continue };
            if let Some((keeper, count)) = most {
                let offsets =
                    own.iter().take(count).filter_map(|it| it.offset);
                copies.entry((log, keeper)).or_default().extend(offsets);
            }
            if most.is_none_or(|(_, count)| count < own.len()) {
                most = Some((log, own.len()));
            }
        }
    }
    let mut found: BTreeMap<Place, Overlap> = BTreeMap::new();
    for ((place, keeper), offsets) in copies {
        let log = |place: Place| logs.get(place as usize);
        let Some((log, keeper)) = log(place).zip(log(keeper)) else {
            continue;
        };
        let records = offsets.len() as u64;
        if !is_copy(log, keeper, records) {
            continue;
        }
        let overlap = found.entry(place).or_insert_with(|| Overlap {
            path: log.path.clone(),
            offsets: Vec::new(),
            copied: Vec::new(),
        });
        overlap.offsets.extend(offsets);
        overlap.copied.push(Copied { path: keeper.path.clone(), records });
    }
    found.into_values().collect()
}

/// True where both are known, and not the same.
pub(super) fn differ(one: Option<&Raw>, other: Option<&Raw>) -> bool {
    one.is_some() && other.is_some() && one != other
}

/// True where so many common lines make one log the copy of a part of
/// another. Two servers of a farm may log the same health check in the same
/// second, so more is asked of them than of two logs of one host.
fn is_copy(log: &Log, keeper: &Log, shared: u64) -> bool {
    let is_half = shared.saturating_mul(2) >= log.records;
    let is_much = shared >= limits::RECORDS_OF_A_COPY;
    let (host, site) = (log.host.as_ref(), log.site.as_ref());
    if differ(host, keeper.host.as_ref()) || differ(site, keeper.site.as_ref())
    {
        return is_much && shared.saturating_mul(10) >= log.records * 9;
    }
    if log.host.is_some() && log.host == keeper.host {
        return is_much || is_half;
    }
    is_much && is_half
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(path: &str, records: u64, marks: &[u64]) -> Log {
        let host = Some(Raw::from("WEB01"));
        let (path, marks) = (Raw::from(path), marks.to_vec());
        Log { path, records, inferred: 0, host, site: None, marks }
    }

    #[test]
    fn logs_with_common_marks_form_groups() {
        let month = log("month", 900, &[1, 2, 3, 4, 5, 6]);
        let half = log("half", 600, &[4, 5, 6, 7]);
        let other = log("other", 500, &[50, 51]);
        let day = log("day", 300, &[7, 8]);
        let chance: Vec<u64> = (100..120).chain([50]).collect();
        let lucky = log("lucky", 500, &chance);
        let logs = [month, half, other, lucky, day];
        let mut found = groups(&logs);
        found.sort();
        assert_eq!(found, [vec![0, 1, 4], vec![2, 3]]);
        let mut far = log("far", 900, &(200..260).collect::<Vec<_>>());
        far.marks.push(1);
        let near =
            log("near", 800, &(300..360).chain([1]).collect::<Vec<_>>());
        assert_eq!(groups(&[far, near]), [] as [Vec<Place>; 0]);
    }

    #[test]
    fn a_batch_holds_what_memory_allows() {
        let most = limits::LINES_COMPARED;
        let logs = [
            log("a", most + 9, &[1]),
            log("b", most + 1, &[1]),
            log("c", most - 1, &[1]),
            log("d", 5, &[1]),
        ];
        let mut skipped = Vec::new();
        let batches = batches(&logs, vec![vec![0, 1, 2, 3]], &mut skipped);
        let places: Vec<_> =
            batches.iter().map(|it| (&*it.firsts, &*it.others)).collect();
        assert_eq!(places, [(&[0][..], &[2][..]), (&[0], &[3])]);
        assert_eq!(skipped, [Raw::from("b")]);
    }

    #[test]
    fn a_line_counts_as_often_as_one_log_holds_it() {
        let logs = [log("a", 2, &[]), log("b", 4, &[]), log("c", 3, &[])];
        let seen = |line: u64, log, offset| {
            let offset = (log > 0).then_some(offset);
            Seen { print: [line, 0], log, offset }
        };
        // The first holds line 1 once and line 2; the second line 1 twice.
        let lines = vec![
            seen(1, 0, 0),
            seen(2, 0, 0),
            seen(1, 1, 10),
            seen(1, 1, 20),
            seen(2, 1, 30),
            seen(3, 1, 40),
            seen(1, 2, 100),
            seen(1, 2, 200),
            seen(1, 2, 300),
        ];
        let found = shared(&logs, lines);
        let told: Vec<_> = found
            .iter()
            .map(|it| (it.path.as_bytes(), &*it.offsets))
            .collect();
        let expected: [(&[u8], &[u64]); 2] =
            [(b"b", &[10, 30]), (b"c", &[100, 200])];
        assert_eq!(told, expected);
    }

    #[test]
    fn servers_of_a_farm_are_no_copies() {
        let own = log("a", 100, &[]);
        let mut other = log("b", 1000, &[]);
        assert!(is_copy(&own, &other, 50) && !is_copy(&own, &other, 49));
        other.site = Some(Raw::from("W3SVC1"));
        assert!(is_copy(&own, &other, 50));
        other.host = None;
        assert!(is_copy(&own, &other, 50) && !is_copy(&own, &other, 49));
        other.host = Some(Raw::from("WEB02"));
        assert!(is_copy(&own, &other, 90) && !is_copy(&own, &other, 89));
        let short = log("c", 4, &[]);
        assert!(is_copy(&short, &own, 2) && !is_copy(&short, &own, 1));
        assert!(!is_copy(&short, &other, 4));
    }
}
